"""Writes of one iteration of the loop leave as one."""

import asyncio
from typing import Any

from exchange.gateway.batching import JoiningTransport


class Recorder:
    """Stands for a transport."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def close(self) -> None:
        self.closing = True
        self.calls.append("close")

    def is_closing(self) -> bool:
        return self.closing

    def get_extra_info(self, name: str) -> str:
        return name


async def test_writes_are_joined_until_the_loop_turns() -> None:
    recorder = Recorder()
    transport = JoiningTransport(recorder, asyncio.get_running_loop())  # type: ignore[arg-type]
    transport.write(b"a")
    transport.write(b"b")
    assert recorder.calls == []
    await asyncio.sleep(0)
    transport.write(b"c")
    await asyncio.sleep(0)
    assert recorder.calls == [b"ab", b"c"]


async def test_close_comes_after_what_waits() -> None:
    recorder = Recorder()
    transport = JoiningTransport(recorder, asyncio.get_running_loop())  # type: ignore[arg-type]
    transport.write(b"a")
    transport.close()
    transport.write(b"too late")
    await asyncio.sleep(0)
    assert recorder.calls == [b"a", "close"]


async def test_the_rest_is_the_transport() -> None:
    transport = JoiningTransport(Recorder(), asyncio.get_running_loop())  # type: ignore[arg-type]
    assert transport.get_extra_info("peername") == "peername"
    assert not transport.is_closing()
