"""A gateway in a process of its own, so that its memory can be measured: `python -m tests.hostile.server BACKEND`.

Prints host:port; ends with stdin.
"""

import asyncio
import sys

from exchange.gateway.limits import Limits
from exchange.protocol.documents import ListInstruments
from tests.exchange.order_path.park import power_spec
from tests.hostile.gateways import gateway

# The system would hold megabytes for a peer that does not read; what it does not hold is the server's to bound.
SEND_BUFFER_BYTES = 16 * 1024
LIMITS = Limits(flush_interval_s=0.002, request_timeout_s=30, abort_after_s=1)


async def main(backend: str) -> None:
    async with gateway(backend, LIMITS, send_buffer_bytes=SEND_BUFFER_BYTES) as (park, host):
        await park.document(ListInstruments(instruments=[power_spec(index) for index in range(41, 96)]))
        print(host, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
