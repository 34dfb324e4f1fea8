"""Public channels: what a subscriber makes of snapshots and deltas is the book, whatever happens to it and however slowly the subscriber reads."""

import functools
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from clients.sdk.books import Book
from exchange.gateway.limits import Limits
from exchange.gateway.market_data import BookChannels, TickerChannel, TradeChannels
from exchange.gateway.outbox import Outbox
from exchange.protocol.messages import BookDelta, BookSnapshot, PublicTrade
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_HOUR
from tests.exchange.gateway.parks import POWER, request, running_park
from tests.exchange.gateway.test_logon import ORDER
from tests.exchange.order_path.park import OPEN_NS, Park, power_spec

LEVELS = 3


def frames(outbox: Outbox, limit: int = 1_000_000) -> list[dict[str, Any]]:
    return [msgspec.json.decode(frame) for frame in outbox.take(limit)]


def fold(book: Book, taken: list[dict[str, Any]]) -> bool:
    """Apply frames; False when one did not fit."""
    whole = True
    for frame in taken:
        if frame["method"] == "book.snapshot":
            book.apply_snapshot(msgspec.convert(frame["params"], BookSnapshot))
        else:
            whole = book.apply_delta(msgspec.convert(frame["params"], BookDelta)) and whole
    return whole


def levels(park: Park, symbol: str, side: int) -> list[tuple[int, int, int]]:
    return [(int(row["price_ticks"]), int(row["quantity_lots"]), int(row["orders"])) for row in park.exchange.depth(symbol, side, LEVELS)]


def known(book: Book) -> list[list[tuple[int, int, int]]]:
    return [
        [(int(level.price.replace(".", "")), int(level.quantity.replace(".", "")), level.orders) for level in side] for side in (book.bids, book.asks)
    ]


ACTIONS = st.lists(
    st.tuples(st.just("place"), st.sampled_from([0, 1]), st.integers(4000, 4012), st.integers(1, 5))
    | st.tuples(st.just("cancel"), st.integers(0, 30))
    | st.tuples(st.just("flush"))
    | st.tuples(st.just("read"), st.integers(1, 4)),
    max_size=60,
)


@functools.cache
def shared_market() -> tuple[Park, int, int, int]:
    """One market for all examples of a property; each begins with an empty book."""
    return market()


def market() -> tuple[Park, int, int, int]:
    park = Park()
    buyer = park.admit("buyer", "enterprise", ["power_buy", "power_sell"], high=100_000)
    seller = park.admit("seller", "generator", ["power_sell"], low=-100_000)
    (instrument,) = park.list(power_spec(40))
    park.tick(OPEN_NS + NS_PER_HOUR)
    return park, instrument, buyer, seller


@given(ACTIONS)
def test_a_subscriber_that_reads_when_it_likes_ends_with_the_book(actions: list[Any]) -> None:
    park, instrument, buyer, seller = shared_market()
    for account in (buyer, seller):
        for order in park.exchange.open_orders(account):
            park.cancel(account, order.order_id)
    channels = BookChannels(park.exchange, lambda: 1, LEVELS)
    outbox = Outbox(Limits(public_backlog_frames=2), lambda: None)
    book = Book(POWER)
    channels.subscribe(park.exchange.instrument(POWER).spec, outbox)  # type: ignore[union-attr] # it was listed above
    orders: list[tuple[int, int]] = []
    for name, *args in actions:
        if name == "place":
            side, price, quantity = args
            account = seller if side else buyer
            orders.append((account, int(park.place(account, instrument, side, price, quantity)["order_id"])))
        elif name == "cancel" and orders:
            park.cancel(*orders[args[0] % len(orders)])
        elif name == "flush":
            channels.touch(POWER)
            channels.flush()
        elif name == "read":
            assert fold(book, frames(outbox, args[0]))
    channels.touch(POWER)
    assert fold(book, frames(outbox))
    channels.flush()
    assert fold(book, frames(outbox))
    assert known(book) == [levels(park, POWER, 0), levels(park, POWER, 1)]
    assert book.seq == channels.seq(POWER)
    assert not channels.pending


def test_a_book_that_is_as_before_says_nothing_and_keeps_its_seq() -> None:
    park, instrument, buyer, _ = market()
    channels = BookChannels(park.exchange, lambda: 1, LEVELS)
    outbox = Outbox(Limits(), lambda: None)
    channels.subscribe(park.exchange.instrument(POWER).spec, outbox)  # type: ignore[union-attr]
    frames(outbox)
    order = park.place(buyer, instrument, 0, 4000, 1)
    park.cancel(buyer, int(order["order_id"]))
    channels.touch(POWER)
    channels.flush()
    assert frames(outbox) == []
    park.place(buyer, instrument, 0, 4000, 1)
    channels.touch(POWER)
    channels.flush()
    (delta,) = frames(outbox)
    assert delta["params"]["prev_seq"] == 0 < delta["params"]["seq"] == park.exchange.book_seq(POWER)


def test_a_frame_is_encoded_once_and_shared() -> None:
    park, instrument, buyer, _ = market()
    channels = BookChannels(park.exchange, lambda: 1, LEVELS)
    outboxes = [Outbox(Limits(), lambda: None) for _ in range(3)]
    for outbox in outboxes:
        channels.subscribe(park.exchange.instrument(POWER).spec, outbox)  # type: ignore[union-attr]
        outbox.take(1)
    park.place(buyer, instrument, 0, 4000, 1)
    channels.touch(POWER)
    channels.flush()
    (first,), *others = (outbox.take(2) for outbox in outboxes)
    assert all(other[0] is first for other in others)


def test_ticker_tells_all_first_and_then_changes_also_to_who_lagged() -> None:
    park, instrument, buyer, seller = market()
    ticker = TickerChannel(park.exchange, lambda: 7)
    ticker.touch_all()
    outbox = Outbox(Limits(public_backlog_frames=1), lambda: None)
    ticker.subscribe(outbox)
    assert [frame["params"]["quotes"] for frame in frames(outbox)] == [[[POWER, None, None, None, None, None]]]
    park.place(seller, instrument, 1, 4100, 10)
    ticker.touch(POWER)
    ticker.flush()
    park.place(buyer, instrument, 0, 4200, 4)
    ticker.touch(POWER)
    ticker.flush()  # left out: one frame is waiting
    assert [frame["params"]["quotes"] for frame in frames(outbox)] == [[[POWER, None, None, "0.4100", "1.0", None]]]
    assert ticker.pending
    ticker.flush()
    assert [frame["params"]["quotes"] for frame in frames(outbox)] == [[[POWER, None, None, "0.4100", "0.6", "0.4100"]]]
    ticker.touch(POWER)
    ticker.flush()
    assert frames(outbox) == []
    assert not ticker.pending


def test_trades_go_to_their_symbol_and_to_all() -> None:
    channels = TradeChannels()
    one, every, other = (Outbox(Limits(), lambda: None) for _ in range(3))
    channels.subscribe("A", one)
    channels.subscribe("*", every)
    channels.subscribe("C", other)
    for number, symbol in enumerate("AB"):
        channels.add(PublicTrade(instrument=symbol, number=number, price="1", quantity="1", side="buy", at_ns=1))
    assert channels.pending
    channels.flush()
    assert [[t["instrument"] for t in frame["params"]["trades"]] for frame in frames(one)] == [["A"]]
    assert [[t["instrument"] for t in frame["params"]["trades"]] for frame in frames(every)] == [["A", "B"]]
    assert frames(other) == []
    channels.unsubscribe("*", every)
    channels.add(PublicTrade(instrument="A", number=1, price="1", quantity="1", side="buy", at_ns=1))
    channels.flush()
    assert frames(every) == []


async def test_channels_over_a_connection() -> None:
    async with running_park() as park:
        client, trader = park.raw(), park.raw()
        await trader.log_on("solar")
        unlisted = [("book:", 2002), ("book:GP-NONE", 2002), ("trades:GP-NONE", 2002)]
        unknown = [*unlisted, ("nonsense", RejectCode.UNKNOWN_CHANNEL), ("ticker:x", 5009), ("", 5009)]
        for channel, code in unknown:
            assert (await client.ask("subscribe", {"channels": ["ticker", channel]}))["error"]["data"]["code"] == code
        assert not client.connection.channels  # all or none
        channels = ["ticker", "phases", "trades:*", f"book:{POWER}"]
        assert (await client.ask("subscribe", {"channels": channels}))["result"] == {"channels": channels}
        assert [frame["method"] for frame in client.take()] == ["ticker", "phases.snapshot", "book.snapshot"]
        await trader.ask("order.place", ORDER | {"side": "sell"})
        park.hub.publisher.flush()
        assert [frame["method"] for frame in client.take()] == ["book.delta", "ticker"]
        await client.ask("unsubscribe", {"channels": [*channels, "clock"]})
        await trader.ask("order.place", ORDER | {"side": "sell", "client_order_id": "2"})
        park.hub.publisher.flush()
        assert client.take() == []
        client.connection.disconnected()


async def test_phases_and_listings_are_told() -> None:
    async with running_park() as park:
        client = park.raw()
        await client.ask("subscribe", {"channels": ["phases"]})
        operator = park.raw()
        await operator.log_on("operator")
        spec = msgspec.to_builtins(power_spec(41))
        await operator.ask("operator.submit", {"schema": "list_instruments", "document": {"instruments": [spec]}})
        operator.send(request("operator.submit", {"schema": "set_phase", "document": {"symbol": POWER, "phase": "halted", "reason": "test"}}))
        await operator.all_answered()
        told = [(frame["params"]["instrument"], frame["params"]["phase"]) for frame in client.take() if frame.get("method") == "phase"]
        assert spec["symbol"] in {symbol for symbol, _ in told}
        assert told[-1] == (POWER, "halted")
