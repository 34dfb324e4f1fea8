"""The worked session of docs/protocol-session.md, played against a running exchange.

    python -m tests.architecture.worked_session     # writes the page anew, after a change of the protocol
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from exchange.gateway.connection import Connection
from exchange.gateway.limits import Limits
from exchange.units import NS_PER_SECOND
from tests.exchange.gateway.parks import POWER, RawClient, RunningPark, logon_params, running_park
from tests.exchange.order_path.park import OPEN_NS

PAGE: Final = Path(__file__).parents[2] / "docs" / "protocol-session.md"
HOST: Final = "test-host"
NONCE: Final = "5f2b6c1d9e0a47738c64b1d2e3f40516"
WALL_NS: Final = 1_784_016_000_000_000_000
HEAD: Final = """# A worked session

Frames as they cross the wire, one a line: `->` from the client, `<-` from the exchange. They are those of a real exchange: a test plays the session
and compares, so nothing here can be out of date. The key is the 32 bytes `factory` and then dots, the host is `test-host`; with them and the nonce
anybody can repeat the signature. What the messages mean is in [protocol.md](protocol.md).
"""


class Step(NamedTuple):
    """`before` happens elsewhere in the market first; then the client sends `requests`."""

    title: str
    text: str
    requests: tuple[tuple[str, dict[str, Any]], ...] = ()
    before: Callable[["Player"], Any] | None = None


class Player:
    """The client of the page, and another member."""

    def __init__(self, park: RunningPark) -> None:
        self.park = park
        park.hub.wall_ns = lambda: WALL_NS
        self.client = RawClient.__new__(RawClient)
        self.client.connection = Connection(park.hub, HOST, lambda: None)
        self.client.connection.nonce = NONCE
        self.client._frames = []
        self.client.connection.opened()
        self.frames = self.client.connection.outbox.take(1_000)
        self.client.challenge = msgspec.json.decode(self.frames[0])["params"]
        self.other = park.raw()
        self.next_id = 1

    async def play(self, step: Step) -> list[str]:
        if step.before is not None:
            await step.before(self)
        lines = []
        for method, params in step.requests:
            if method == "logon":
                params = logon_params(self.client, "factory")  # noqa: PLW2901
            frame = msgspec.json.encode({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params})
            self.next_id += 1
            lines.append(f"    -> {frame.decode()}")
            self.client.connection.receive_text(frame)
            self.client.connection.process()
            await self.client.all_answered()
            self.park.hub.publisher.flush()
            lines += self._received()
        return lines + self._received()

    def _received(self) -> list[str]:
        frames, self.frames = [*self.frames, *self.client.connection.outbox.take(1_000)], []
        return [f"    <- {frame.decode()}" for frame in frames]


async def _offer(player: Player) -> None:
    await player.other.log_on("solar")
    terms = {"client_order_id": "s-1", "instrument": POWER, "side": "sell", "price": "0.4120", "quantity": "30.0"}
    await player.other.ask("order.place", terms)
    player.park.hub.publisher.flush()


async def _sell(player: Player) -> None:
    terms = {"client_order_id": "s-2", "instrument": POWER, "side": "sell", "price": "0.4000", "quantity": "4.0"}
    await player.other.ask("order.place", terms)
    player.park.hub.publisher.flush()


async def _wait(player: Player) -> None:
    player.park.clock.advance_to(OPEN_NS + 31 * NS_PER_SECOND)
    await player.other.ask("order.place", {"client_order_id": "s-3", "instrument": POWER, "side": "sell", "price": "0.4500", "quantity": "1.0"})
    player.park.hub.publisher.flush()


ORDER: Final = {"client_order_id": "c-1", "instrument": POWER, "side": "buy", "price": "0.4000", "quantity": "12.5"}
AMEND: Final = {"instrument": POWER, "order_id": 2, "revision": 1}
STEPS: Final = (
    Step("The challenge", "The exchange speaks first."),
    Step("Log on", "The signature is over the challenge, the key, the time and the host.", (("logon", {}),)),
    Step(
        "Listen",
        "The answer first, then what each channel begins with: the best five levels with their checksum (that of the text `;`, since the book is "
        "empty), and the money.",
        (("subscribe", {"channels": ["executions", f"book.5:{POWER}", "balances"], "checksum": True}),),
    ),
    Step(
        "Ask before you leap",
        "Another member offers 30 kWh. A dry run tells what an order would come to, and what it would hold; nothing is recorded.",
        (("order.place", ORDER | {"client_order_id": "try", "price": "0.4200", "dry_run": True}),),
        _offer,
    ),
    Step("Place an order", "Private events come before the answer, public data when it has been gathered.", (("order.place", ORDER),)),
    Step("Say it again", "The same command is answered with the recorded outcome.", (("order.place", ORDER),)),
    Step("A trade", "Somebody sells 4 kWh at the order's price.", (), _sell),
    Step(
        "Amend",
        "Less quantity keeps the place in the queue.",
        (("order.amend", AMEND | {"client_order_id": "c-2", "quantity": "5.0"}), ("order.queue_position", {"order_id": 2})),
    ),
    Step(
        "What goes wrong",
        "An order off the tick, a revision that is no longer right, a method that is none: the reject code is in `data`, and in `code` unless "
        "JSON-RPC has one of its own.",
        (
            ("order.place", ORDER | {"client_order_id": "c-3", "price": "0.40001"}),
            ("order.amend", AMEND | {"client_order_id": "c-4", "quantity": "4.0"}),
            ("order.replace", {}),
        ),
    ),
    Step(
        "A dead man's switch",
        "Thirty seconds without a renewal, and what is open is cancelled.",
        (("session.cancel_after", {"timeout_ms": 30_000}),),
    ),
    Step(
        "It fires",
        "The client was silent for 31 seconds of market time; the next command of anybody, or the exchange's own clock, finds the switch due.",
        (),
        _wait,
    ),
    Step("Read again", "Executions by their private sequence, from wherever one stopped.", (("executions", {"from_seq": 3}), ("balances", {}))),
)


async def page() -> str:
    """The text of the page."""
    # Timers stay silent: a machine that is busy, compiling say, would otherwise put heartbeats between the frames.
    async with running_park(Limits(flush_interval_s=3600, heartbeat_interval_s=3600)) as park:
        player = Player(park)
        parts = [HEAD]
        for number, step in enumerate(STEPS, 1):
            lines = await player.play(step)
            parts.append(f"## {number}. {step.title}\n\n{step.text}\n\n" + "\n".join(lines) + "\n")
        return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(page()), "utf-8")
