"""The client of the crash harness, apart from crashes: what it opens it closes."""

import asyncio

import pytest

from bench.crash import client as crash_client
from bench.crash.client import Trader
from clients.sdk.transport import ConnectionLost, Connector, FramesReceived, Transport, loopback_connector
from tests.exchange.gateway.parks import running_park


async def test_a_refused_logon_leaves_no_connection_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """This exchange does not know the key: every attempt is refused, and the connection of the one before is gone by the next."""
    monkeypatch.setattr(crash_client, "_RETRY_S", 0.001)
    open_before: list[int] = []
    async with running_park() as park:
        loopback: Connector = loopback_connector(park.app)
        enough = asyncio.Event()

        async def connector(on_frames: FramesReceived, on_lost: ConnectionLost) -> Transport:
            open_before.append(len(park.hub.connections))
            if len(open_before) > 5:
                enough.set()
            return await loopback(on_frames, on_lost)

        client = Trader("M01", "ws://127.0.0.1:1", seed=1)
        client._connector = connector
        running = asyncio.create_task(client.run())
        await asyncio.wait_for(enough.wait(), 10)
        await client.finish()
        running.cancel()
        await asyncio.wait([running])
    assert open_before[:6] == [0] * 6
    assert set(client.complaints) <= {"logon was refused with 5005", "logon was refused with 5030"}
