"""An exchange in a process of its own, to be killed: `python -m tests.crash.exchange_server DIRECTORY PORT OPERATOR_PUBLIC_KEY_HEX`."""

import sys
from pathlib import Path

from exchange.clock import TurnClock
from exchange.service import ServiceOptions, new_genesis, run_exchange
from exchange.units import NS_PER_HOUR
from tests.exchange.order_path.park import OPEN_NS


def main() -> None:
    directory, port, operator_key = sys.argv[1:]
    options = ServiceOptions(
        journal_directory=Path(directory) / "journal",
        clock=TurnClock(OPEN_NS + NS_PER_HOUR),
        genesis=new_genesis("crash", (bytes.fromhex(operator_key),)),
        segment_bytes=1 << 20,
        read_model_url=f"sqlite:///{directory}/readmodel.sqlite",
        port=int(port),
    )
    run_exchange(options, lambda url: print(url, flush=True))


if __name__ == "__main__":
    main()
