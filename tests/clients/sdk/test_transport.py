"""The client's WebSocket transport where opening is given up half way."""

import asyncio
from typing import Any

import pytest

from clients.sdk.transport import WebSocketTransport


async def silent_server() -> asyncio.Server:
    """Takes connections and never answers the handshake."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    return await asyncio.start_server(take, "127.0.0.1", 0)


async def test_an_opening_that_is_cancelled_ends_without_a_word() -> None:
    complaints: list[dict[str, Any]] = []
    lost: list[Exception | None] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with await silent_server() as server:
        port = server.sockets[0].getsockname()[1]
        opening = asyncio.create_task(WebSocketTransport.connect(f"ws://127.0.0.1:{port}/ws/v1", lambda _: None, lost.append))
        await asyncio.sleep(0.05)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await asyncio.sleep(0.05)
    assert complaints == []
    assert lost == []
