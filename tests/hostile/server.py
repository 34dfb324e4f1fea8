"""A gateway in a process of its own, so that its memory can be measured: `python -m tests.hostile.server BACKEND`. Prints host:port; ends with stdin."""

import asyncio
import sys

from exchange.gateway.limits import Limits
from tests.hostile.gateways import gateway

# The system would hold megabytes for a peer that does not read; what it does not hold is the server's to bound.
SEND_BUFFER_BYTES = 16 * 1024


async def main(backend: str) -> None:
    async with gateway(backend, Limits(flush_interval_s=0.002, request_timeout_s=30, abort_after_s=1), send_buffer_bytes=SEND_BUFFER_BYTES) as (_, host):
        print(host, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
