"""From `parkex serve` to the first accepted order: cold (the order path is compiled) and warm, in processes of their own.

    python -m bench.startup [--repeat 5]

What bounds a warm start: importing numpy, numba, FastAPI and SQLAlchemy (about 2 s of one core), then reading the compiled order path from
the cache (about 1 s). A cold start compiles it. The clock runs from the start of the process to the acknowledgement of a limit order that a
client has placed after the operator admitted it, gave it cash and listed a contract.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.record import append_result
from clients.sdk import connect, public_key_of
from exchange.protocol.documents import Admit, Deposit, InstrumentSpec, Key, ListInstruments
from exchange.units import NS_PER_HOUR, PERIOD_NS, POWER_MULTIPLIER_MICRO


def contract(now_ns: int) -> InstrumentSpec:
    """A quarter-hour some hours from now."""
    start_ns = (now_ns // PERIOD_NS) * PERIOD_NS + 8 * NS_PER_HOUR
    return InstrumentSpec(
        symbol="GP-BENCH", instrument_class="power", venue="park", calendar="continuous", price_decimals=4, quantity_decimals=1,
        multiplier_micro=POWER_MULTIPLIER_MICRO, unit="kWh", min_price_ticks=0, max_price_ticks=20_000, band_low_ticks=0, band_high_ticks=20_000,
        max_order_lots=10_000, deficit_price_ticks=6_500, surplus_price_ticks=2_800, delivery_start_ns=start_ns,
        delivery_end_ns=start_ns + PERIOD_NS, open_ns=now_ns - NS_PER_HOUR, close_ns=start_ns,
    )  # fmt: skip


async def first_order(url: str, operator_key: str) -> None:
    """Admit a member, list a contract, place an order and wait for its acknowledgement."""
    member = Ed25519PrivateKey.generate()
    async with connect(url, key_id="operator", private_key=operator_key) as operator:
        key = Key(key_id="member", public_key=public_key_of(member), scopes=["read", "trade"])
        answer = await operator.submit(Admit(name="E01", role="enterprise", permissions=["power_buy"], max_net_power_lots=100, keys=[key]))
        await operator.submit(Deposit(account=answer["account"], amount_micro=10**9, reference="bench"))
        await operator.submit(ListInstruments(instruments=[contract(time.time_ns())]))
    async with connect(url, key_id="member", private_key=member) as park:
        order = await park.place("GP-BENCH", "buy", price="0.4000", quantity="1.0")
        assert order.is_open


def seconds_to_first_order(cache: Path) -> float:
    """One process from its start to the first accepted order."""
    with tempfile.TemporaryDirectory() as directory:
        began_s = time.perf_counter()
        environment = os.environ | {"PARKEX_CACHE_DIR": str(cache), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "clients.cli", "serve", "--journal", directory]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 - fixed words
        assert server.stdout is not None
        try:
            line = next(text for text in server.stdout if text.startswith("serving"))
            asyncio.run(first_order(line.split()[1].replace("http", "ws", 1), (Path(directory) / "operator.key").read_text().strip()))
            return time.perf_counter() - began_s
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()


def main() -> None:
    """Print and record cold and warm seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        cold_s = seconds_to_first_order(Path(cache))
        warm_s = [seconds_to_first_order(Path(cache)) for _ in range(arguments.repeat)]
    print(f"cold {cold_s:.1f} s, warm median {statistics.median(warm_s):.2f} s, min {min(warm_s):.2f} s of {len(warm_s)}")
    append_result("startup", {"cold_s": round(cold_s, 2), "warm_s": [round(value, 3) for value in warm_s]})


if __name__ == "__main__":
    main()
