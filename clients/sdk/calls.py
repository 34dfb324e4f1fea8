"""Calls on their way to the exchange: those that wait for a connection or for tokens leave in order, who wants to get out first."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from msgspec import Raw

from clients.sdk.errors import ClientError
from clients.sdk.pacing import Pacer, goes_first
from exchange.protocol.codec import WireError
from exchange.protocol.messages import Params

T = TypeVar("T")

OnResult = Callable[[Raw], T]
OnError = Callable[[WireError], ClientError]


@dataclass(slots=True, eq=False)
class Call:
    """One request. `resend`: sent again after a lost connection. `timed`: an order command. `sends`: how often it has left."""

    method: str
    params: Params | dict[str, Any]
    future: "asyncio.Future[Any]"
    on_result: OnResult[Any]
    on_error: OnError
    resend: bool
    timed: bool
    number: int = -1
    sends: int = 0
    sent_ns: int = 0

    def succeed(self, result: Any) -> None:
        if not self.future.done():  # else its waiter was cancelled
            self.future.set_result(result)

    def fail(self, error: ClientError) -> None:
        if not self.future.done():
            self.future.set_exception(error)


@dataclass(order=True, slots=True)
class _Place:
    """Cancels and questions before commands that cost, each in the order of their calls, also when they come again."""

    is_late: bool
    number: int
    call: Call = field(compare=False)

    @classmethod
    def of(cls, call: Call) -> "_Place":
        return cls(not goes_first(call.method), call.number, call)


class CallQueue:
    """`send` is called for each call whose turn it is. Closed until `open`. `paced`: calls wait for tokens before they are refused any."""

    def __init__(self, send: Callable[[Call], None], *, paced: bool) -> None:
        self._send = send
        self._paced = paced
        self._pacer = Pacer()
        self._waiting: list[_Place] = []
        self._numbers = itertools.count()
        self._is_open = False
        self._timer: asyncio.Handle | None = None

    def put(self, call: Call) -> None:
        """Send now, or when its turn comes."""
        call.number = next(self._numbers)
        if self._is_open and not self._waiting and not self._paced:  # the common case: nobody is before it
            self._pacer.sent(call.method, call.params)
            self._send(call)
            return
        heapq.heappush(self._waiting, _Place.of(call))
        self._pump()

    def put_back(self, call: Call) -> None:
        """A call that has to leave once more, at its old place. It leaves in a later step, not within this call."""
        if call.future.done():  # nobody waits for it, and it would change what its caller has given up
            return
        heapq.heappush(self._waiting, _Place.of(call))
        if self._is_open and self._timer is None:
            self._timer = asyncio.get_running_loop().call_soon(self._pump_later)

    def limited(self, data: Any) -> None:
        """The exchange turned a call away by a rate limit."""
        self._pacer.refused(data, asyncio.get_running_loop().time())

    def open(self) -> None:
        """The connection is up."""
        self._is_open = True
        self._pacer.new_connection()
        self._pump()

    def pause(self) -> None:
        """The connection is gone: what comes now waits."""
        self._is_open = False
        self._stop_timer()

    def close(self, error: ClientError) -> None:
        """For good: whoever waits gets `error`."""
        self.pause()
        waiting, self._waiting = self._waiting, []
        for place in waiting:
            place.call.fail(error)

    def take_back(self, fits: Callable[[str, Any], bool], error: ClientError) -> list[Any]:
        """Calls that never left and fit fail with `error`; returns their params."""
        waiting, self._waiting, taken = self._waiting, [], []
        for place in waiting:
            if place.call.sends == 0 and fits(place.call.method, place.call.params):
                place.call.fail(error)
                taken.append(place.call.params)
            else:
                heapq.heappush(self._waiting, place)
        return taken

    def _pump_later(self) -> None:
        self._timer = None
        self._pump()

    def _pump(self) -> None:
        """Let go whose turn it is; come back when the next one's tokens are there."""
        while self._is_open and self._waiting:
            call = self._waiting[0].call
            if call.future.done():  # its waiter was cancelled
                heapq.heappop(self._waiting)
                continue
            loop = asyncio.get_running_loop()
            # Without the option only what has been refused once, or has to be sent again, waits for tokens.
            wait_s = self._pacer.wait_s(call.method, call.params, loop.time()) if self._paced or call.sends else 0.0
            if wait_s > 0:
                self._stop_timer()
                # What the rounding of the clock may swallow would be waited for again and again.
                self._timer = loop.call_later(max(wait_s, 0.001), self._pump_later)
                return
            heapq.heappop(self._waiting)
            self._pacer.sent(call.method, call.params)
            self._send(call)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
