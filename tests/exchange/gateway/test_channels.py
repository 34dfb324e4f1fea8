"""Books by depth and by order, checksums, bars, phases and the account's own channels: what a subscriber makes of them is what the exchange holds."""

import zlib
from collections.abc import Iterable
from typing import Any, Self

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.sdk import connect
from clients.sdk.books import Book
from exchange.gateway.bars import Candle, interval_start_ns, merged
from exchange.gateway.channels import parse_channel
from exchange.gateway.limits import Limits
from exchange.gateway.market_data import BookChannels
from exchange.gateway.order_channels import OrderChannels
from exchange.gateway.outbox import Outbox
from exchange.journal.record import CommandFlag
from exchange.protocol.documents import Deposit, IssueUnits
from exchange.protocol.messages import BookDelta, BookSnapshot, OrdersDelta
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_HOUR, NS_PER_MINUTE
from tests.exchange.gateway.parks import FACTORY, POWER, SOLAR, UNITS, RawClient, RunningPark, private_key, running_park
from tests.exchange.gateway.test_logon import ORDER
from tests.exchange.gateway.test_market_data import shared_market
from tests.exchange.order_path.park import DAY_NS, OPEN_NS


def told(client: RawClient, *methods: str) -> list[dict[str, Any]]:
    return [frame["params"] for frame in client.take() if frame.get("method") in methods]


def frames(outbox: Outbox) -> list[dict[str, Any]]:
    return [msgspec.json.decode(frame) for frame in outbox.take(1_000_000)]


async def traders(park: RunningPark) -> tuple[RawClient, RawClient]:
    buyer, seller = park.raw(), park.raw()
    await buyer.log_on("factory")
    await seller.log_on("solar")
    return buyer, seller


def bid(number: int, price: str, quantity: str = "1.0", **changes: Any) -> dict[str, Any]:
    return ORDER | {"client_order_id": f"b{number}", "price": price, "quantity": quantity} | changes


# Names

NAMES = [
    ("book:X", ("book", "X", None, "")), ("book.5:X", ("book", "X", 5, "")), ("book.50:X", ("book", "X", 50, "")),
    ("book.full:X", ("book", "X", 0, "")), ("orders:X", ("orders", "X", None, "")), ("trades:*", ("trades", "*", None, "")),
    ("bars:X:15m", ("bars", "X", None, "15m")), ("balances", ("balances", "", None, "")), ("phases", ("phases", "", None, "")),
    ("book.7:X", None), ("book.:X", None), ("bars:X", None), ("bars:X:2m", None), ("bars:15m", ("bars", "", None, "15m")), ("balances:X", None),
    ("", None), (":", None), ("ticker:X", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parts"), NAMES, ids=[name or "empty" for name, _ in NAMES])
def test_names(name: str, parts: tuple[Any, ...] | None) -> None:
    channel = parse_channel(name)
    assert (None if channel is None else tuple(channel)) == parts


async def test_who_may_read_what() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        stranger = park.raw()
        for channel in ("balances", "positions", "statements", "executions", "blocks"):
            assert (await stranger.ask("subscribe", {"channels": [channel]}))["error"]["data"]["code"] == RejectCode.NOT_LOGGED_ON
        for channel in ("orders:GP-NONE", "bars:GP-NONE:1m", "book.5:GP-NONE"):
            assert (await stranger.ask("subscribe", {"channels": [channel]}))["error"]["data"]["code"] == RejectCode.UNKNOWN_INSTRUMENT
        public = [f"book.1:{POWER}", f"book.full:{POWER}", f"orders:{POWER}", f"bars:{POWER}:1m", "phases"]
        assert "result" in await stranger.ask("subscribe", {"channels": public})
        await stranger.ask("unsubscribe", {"channels": public})
        assert not stranger.connection.channels
        stranger.connection.disconnected()


# Books by price


async def test_each_depth_is_a_channel_of_its_own() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        buyer, watcher = park.raw(), park.raw()
        await buyer.log_on("factory")
        for step in range(60):
            await buyer.ask("order.place", bid(step, f"0.{3000 + step}"))
        channels = [f"book:{POWER}", f"book.5:{POWER}", f"book.full:{POWER}"]
        await watcher.ask("subscribe", {"channels": channels})
        snapshots = told(watcher, "book.snapshot")
        assert [(s.get("depth", 50), len(s["bids"]), s["epoch"]) for s in snapshots] == [(50, 50, 1), (5, 5, 1), (0, 60, 1)]
        await buyer.ask("order.place", bid(99, "0.3000"))
        await buyer.ask("order.place", bid(98, "0.3055"))
        park.hub.publisher.flush()
        deltas = {delta.get("depth", 50): delta for delta in told(watcher, "book.delta")}
        assert deltas[0]["bids"] == [["0.3055", "2.0", 2], ["0.3000", "2.0", 2]]
        assert deltas[5]["bids"] == [["0.3055", "2.0", 2]]
        assert all(delta["prev_seq"] == snapshots[0]["seq"] for delta in deltas.values())
        park.hub._beat()
        (beat,) = told(watcher, "heartbeat")
        assert set(beat["seqs"]) == set(channels)
        assert set(beat["seqs"].values()) == {park.node.exchange.book_seq(POWER)}


ACTIONS = st.lists(
    st.tuples(st.just("place"), st.sampled_from([0, 1]), st.integers(4000, 4002), st.integers(1, 5), st.sampled_from([0, 1, 2]))
    | st.tuples(st.just("cancel"), st.integers(0, 30))
    | st.tuples(st.just("amend"), st.integers(0, 30), st.integers(1, 9))
    | st.tuples(st.just("flush"))
    | st.tuples(st.just("read")),
    max_size=50,
)  # fmt: skip


def run(actions: list[Any], note: Any) -> Iterable[str]:
    """Play actions on the shared market from an empty book; yields the name of each."""
    park, instrument, buyer, seller = shared_market()
    for account in (buyer, seller):
        for order in park.exchange.open_orders(account):
            note(park.cancel(account, order.order_id))
    for name, *args in actions:
        orders = [(account, order) for account in (buyer, seller) for order in park.exchange.open_orders(account)]
        if name == "place":
            side, price, quantity, display = args
            fields = {"flags": CommandFlag.ICEBERG, "display_lots": display} if display and quantity > display else {}
            park.place(seller if side else buyer, instrument, side, price, quantity, **fields)
        elif name == "cancel" and orders:
            account, order = orders[args[0] % len(orders)]
            park.cancel(account, order.order_id)
        elif name == "amend" and orders:
            account, order = orders[args[0] % len(orders)]
            park.amend(account, order.order_id, order.revision, quantity_lots=args[1])
        yield name


class Noted:
    """Executions of what is applied, as the publisher gets them."""

    def __init__(self) -> None:
        self.park = shared_market()[0]
        self.batches: list[Any] = []
        self._apply = self.park.exchange.apply

    def __enter__(self) -> Self:
        def apply(*args: Any) -> Any:
            batch = self._apply(*args)
            if len(batch.executions):
                self.batches.append(batch.executions)
            return batch

        self.park.exchange.apply = apply  # type: ignore[method-assign] # the test listens
        return self

    def __exit__(self, *_: object) -> None:
        self.park.exchange.apply = self._apply  # type: ignore[method-assign]

    def take(self) -> list[Any]:
        batches, self.batches = self.batches, []
        return batches


@given(ACTIONS)
def test_checksums_are_those_of_the_book_that_a_subscriber_has(actions: list[Any]) -> None:
    park = shared_market()[0]
    channels = BookChannels(park.exchange, lambda: 1, 4)
    outbox, book = Outbox(Limits(), lambda: None), Book(POWER)
    spec = park.exchange.instrument(POWER).spec  # type: ignore[union-attr]
    channels.subscribe(spec, outbox, checksum=True)
    for name in [*run(actions, lambda _: None), "flush"]:
        if name == "flush":
            channels.touch(POWER)
            channels.flush()
            for frame in frames(outbox):
                if frame["method"] == "book.snapshot":
                    book.apply_snapshot(msgspec.convert(frame["params"], BookSnapshot))
                else:
                    assert book.apply_delta(msgspec.convert(frame["params"], BookDelta))
                assert frame["params"]["checksum"] == book.checksum
    text = ";".join(",".join(f"{level.price}:{level.quantity}" for level in side) for side in (book.bids, book.asks))
    assert book.checksum == zlib.crc32(text.encode())


def test_a_wrong_checksum_makes_the_book_ask_again() -> None:
    book = Book("X")
    book.apply_snapshot(msgspec.convert({"instrument": "X", "seq": 1, "epoch": 1, "bids": [["1", "1", 1]], "asks": []}, BookSnapshot))
    delta = {"instrument": "X", "seq": 2, "prev_seq": 1, "bids": [["2", "1", 1]], "asks": [], "checksum": zlib.crc32(b"2:1,1:1;")}
    assert book.apply_delta(msgspec.convert(delta, BookDelta))
    wrong = delta | {"seq": 3, "prev_seq": 2, "bids": [["3", "1", 1]]}
    assert not book.apply_delta(msgspec.convert(wrong, BookDelta))
    assert not book.ready


async def test_the_sdk_compares_checksums() -> None:
    async with running_park() as park, connect(park.connector) as client:
        book = await client.subscribe_book(POWER, checksum=True)
        assert (book.ready, book.checksum) == (True, zlib.crc32(b";"))
        trader = park.raw()
        await trader.log_on("factory")
        await trader.ask("order.place", bid(1, "0.4000"))
        park.hub.publisher.flush()
        assert (await client.depth(POWER)).checksum == book.checksum == zlib.crc32(b"0.4000:1.0;")


# Books by order


class Watcher:
    """What a subscriber of `orders` makes of the frames: [id, price, quantity] by side, in the order of the queues."""

    def __init__(self) -> None:
        self.orders: dict[str, list[list[Any]]] = {"buy": [], "sell": []}
        self.ids: list[int] = []

    def apply(self, frame: dict[str, Any]) -> None:
        params = frame["params"]
        if frame["method"] == "orders.snapshot":
            self.orders = {"buy": params["bids"], "sell": params["asks"]}
            return
        delta = msgspec.convert(params, OrdersDelta)
        for side, orders in self.orders.items():
            self.orders[side] = [order for order in orders if order[0] not in delta.removed]
            for order in self.orders[side]:
                order[2] = dict(delta.changed).get(order[0], order[2])
        for new in delta.added:
            self.ids.append(new.id)
            self.orders[new.side].append([new.id, new.price, new.quantity])
        self.orders["buy"].sort(key=lambda order: -float(order[1]))  # stable: by price, then as they came
        self.orders["sell"].sort(key=lambda order: float(order[1]))

    def known(self) -> list[tuple[str, str]]:
        return [(price, quantity) for side in ("buy", "sell") for _, price, quantity in self.orders[side]]


@given(ACTIONS)
def test_the_queues_of_a_subscriber_are_those_of_the_book(actions: list[Any]) -> None:
    park = shared_market()[0]
    spec = park.exchange.instrument(POWER).spec  # type: ignore[union-attr]
    channels = OrderChannels(park.exchange, lambda: 1)
    outbox, watcher = Outbox(Limits(), lambda: None), Watcher()
    with Noted() as noted:
        channels.subscribe(spec, outbox)
        for name in [*run(actions, lambda _: None), "read"]:
            for executions in noted.take():
                channels.note(executions)
            if name in {"flush", "read"}:
                channels.touch(POWER)
                channels.flush()
                for frame in frames(outbox):
                    watcher.apply(frame)
    shown = [(f"{price / 10_000:.4f}", f"{lots / 10:.1f}") for _, _, price, lots in park.exchange.shown_orders(POWER)]
    assert watcher.known() == shown
    assert len(set(watcher.ids)) == len(watcher.ids)
    assert not channels.pending


async def test_an_icebergs_reserve_and_its_owner_show_nowhere() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        buyer, seller = await traders(park)
        watcher = park.raw()
        await watcher.ask("subscribe", {"channels": [f"orders:{POWER}"]})
        ice = (await seller.ask("order.place", bid(1, "0.4000", "10.0", side="sell", display="3.0")))["result"]
        await seller.ask("order.place", bid(2, "0.4000", "1.0", side="sell"))
        park.hub.publisher.flush()
        first = told(watcher, "orders.snapshot", "orders.delta")[-1]
        assert [order[2:] for order in first["added"]] == [["0.4000", "3.0"], ["0.4000", "1.0"]]
        await buyer.ask("order.place", bid(3, "0.4000", "3.0"))
        park.hub.publisher.flush()
        (after,) = told(watcher, "orders.delta")
        peak = first["added"][0][0]
        assert after["removed"] == [peak]
        assert [order[1:] for order in after["added"]] == [["sell", "0.4000", "3.0"]]
        assert after["added"][0][0] not in {peak, ice["order_id"]}
        # The next peak stands behind the other order.
        again = park.raw()
        await again.ask("subscribe", {"channels": [f"orders:{POWER}"]})
        (snapshot,) = told(again, "orders.snapshot")
        assert [order[0] for order in snapshot["asks"]] == [first["added"][1][0], after["added"][0][0]]


# Bars


async def test_bars_by_channel_and_by_question() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        buyer, seller = await traders(park)
        watcher = park.raw()
        await watcher.ask("subscribe", {"channels": [f"bars:{POWER}:5m", f"bars:{POWER}:1h"]})
        assert [s["bars"] for s in told(watcher, "bars.snapshot")] == [[], []]
        number = 0
        for minute, price, quantity in ((0, "0.4000", "1.0"), (1, "0.4100", "2.0"), (4, "0.3900", "1.0"), (5, "0.3950", "4.0")):
            park.clock.advance_to(OPEN_NS + minute * NS_PER_MINUTE)
            for client, side in ((seller, "sell"), (buyer, "buy")):
                number += 1
                await client.ask("order.place", bid(number, price, quantity, side=side))
            park.hub.publisher.flush()
        bars = [delta for delta in told(watcher, "bars.delta") if delta["interval"] == "5m"]
        assert [(delta["prev_seq"], delta["seq"], len(delta["bars"])) for delta in bars] == [(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1)]
        first = {
            "start_ns": OPEN_NS, "open": "0.4000", "high": "0.4100", "low": "0.3900", "close": "0.3900", "volume": "4.0", "vwap": "0.402500",
            "trades": 3,
        }  # fmt: skip
        assert bars[2]["bars"] == [first]
        asked = (await watcher.ask("bars", {"instrument": POWER, "interval": "5m"}))["result"]
        assert asked["bars"] == [first, bars[3]["bars"][0]]
        page = (await watcher.ask("bars", {"instrument": POWER, "interval": "1m", "from_ns": OPEN_NS + 1, "limit": 2}))["result"]
        assert [bar["start_ns"] for bar in page["bars"]] == [OPEN_NS + NS_PER_MINUTE, OPEN_NS + 4 * NS_PER_MINUTE]
        assert page["next_ns"] == OPEN_NS + 5 * NS_PER_MINUTE
        assert (await watcher.ask("bars", {"instrument": "X", "interval": "1m"}))["error"]["data"]["code"] == RejectCode.UNKNOWN_INSTRUMENT


@given(st.lists(st.tuples(st.integers(0, 10**13), st.integers(1, 100), st.integers(1, 9)), min_size=1, max_size=40))
def test_candles_are_those_of_the_trades(trades: list[tuple[int, int, int]]) -> None:
    trades.sort()
    minutes = merged([Candle(at, p, p, p, p, q, p * q, 1) for at, p, q in trades], "1m")
    for interval, seconds in (("1m", 60), ("15m", 900), ("1h", 3_600), ("1d", 86_400)):
        for candle in merged(minutes, interval):
            own = [(p, q) for at, p, q in trades if candle.start_ns <= at < candle.start_ns + seconds * 10**9]
            prices = [p for p, _ in own]
            assert (candle.open_ticks, candle.high_ticks, candle.low_ticks, candle.close_ticks) == (prices[0], max(prices), min(prices), prices[-1])
            assert (candle.volume_lots, candle.notional, candle.trades) == (sum(q for _, q in own), sum(p * q for p, q in own), len(own))


def test_days_are_those_of_the_park() -> None:
    """Books open at 16:00 of the day before."""
    assert interval_start_ns(OPEN_NS + 8 * NS_PER_HOUR - 1, "1d") == DAY_NS - 24 * NS_PER_HOUR
    assert interval_start_ns(OPEN_NS + 8 * NS_PER_HOUR, "1d") == DAY_NS


# The account's own channels


async def test_money_and_positions_are_told_whole_and_then_as_they_change() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        buyer, seller = await traders(park)
        await buyer.ask("subscribe", {"channels": ["balances", "positions"]})
        money = told(buyer, "balances")[0]
        buyer_frames: list[dict[str, Any]] = []

        async def after(*asks: tuple[RawClient, str, dict[str, Any]]) -> tuple[list[Any], list[Any]]:
            for client, method, params in asks:
                assert "result" in await client.ask(method, params)
            park.hub.publisher.flush()
            taken = buyer.take()
            buyer_frames.extend(taken)
            return tuple([f["params"] for f in taken if f.get("method") == method] for method in ("balances", "positions"))  # type: ignore[return-value]

        assert (money["epoch"], money["seq"], money["held_micro"]) == (1, 0, 0)
        (held,), (opened,) = await after((buyer, "order.place", bid(1, "0.4000", "2.0")))
        assert (held["prev_seq"], held["seq"], held["as_of_seq"]) == (0, 1, park.node.exchange.last_sequence)
        assert held["held_micro"] == 20 * (4_000 * 10 + 4_000 + 50)
        assert opened["positions"][0] | {"held_micro": 0} == {
            "instrument": POWER, "net": "0.0", "contract": "0.0", "open_buy": "2.0", "open_sell": "0.0", "locked": "0.0", "held_micro": 0,
        }  # fmt: skip
        assert await after((seller, "order.place", bid(2, "0.4500", "1.0", side="sell"))) == ([], [])
        (paid,), (bought,) = await after((seller, "order.place", bid(3, "0.4000", "2.0", side="sell")))
        assert paid["balance_micro"] < held["balance_micro"]
        assert (bought["prev_seq"], bought["seq"], bought["positions"][0]["net"]) == (1, 2, "2.0")
        await after((buyer, "order.place", bid(4, "62.00", "5", instrument=UNITS, side="sell")))
        _, (gone,) = await after((buyer, "order.mass_cancel", {"client_order_id": "m"}))
        assert gone["positions"][0]["open_sell"] == "0"
        now = (await buyer.ask("balances"))["result"]
        assert now == {name: last_of(buyer_frames, "balances")[name] for name in now}


def last_of(taken: list[dict[str, Any]], method: str) -> dict[str, Any]:
    return [frame["params"] for frame in taken if frame.get("method") == method][-1]


async def test_documents_of_the_operator_show_too() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        buyer, _ = await traders(park)
        await buyer.ask("subscribe", {"channels": ["positions", "balances"]})
        before = last_of(buyer.take(), "balances")["balance_micro"]
        await park.document(Deposit(account=FACTORY, amount_micro=7, reference="more"))
        await park.document(IssueUnits(account=FACTORY, symbol=UNITS, quantity_lots=3, reference="more"))
        await park.document(Deposit(account=SOLAR, amount_micro=7, reference="another's"))
        park.hub.publisher.flush()
        taken = buyer.take()
        assert last_of(taken, "balances")["balance_micro"] == before + 7
        assert [p["net"] for p in last_of(taken, "positions")["positions"]] == ["10003"]


async def test_a_second_session_starts_where_the_account_stands() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        one, _ = await traders(park)
        await one.ask("subscribe", {"channels": ["balances"]})
        await one.ask("order.place", bid(1, "0.4000"))
        two = park.raw()
        await two.log_on("factory")
        await two.ask("subscribe", {"channels": ["balances"]})
        (snapshot,) = told(two, "balances")
        assert (snapshot["seq"], snapshot["held_micro"]) == (1, 10 * (4_000 * 10 + 4_000 + 50))
        await two.ask("order.place", bid(2, "0.4000"))
        park.hub.publisher.flush()
        assert [frame["seq"] for frame in told(one, "balances")] == [0, 1, 2]
        assert [(frame["prev_seq"], frame["seq"]) for frame in told(two, "balances")] == [(1, 2)]
        two.connection.disconnected()
        one.connection.disconnected()
        assert not park.hub.publisher.private._accounts


# Phases


async def test_phases_begin_with_all_of_them() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        watcher = park.raw()
        await watcher.ask("subscribe", {"channels": ["phases"]})
        (snapshot,) = told(watcher, "phases.snapshot")
        assert snapshot["phases"] == [[POWER, "pre_open", 0], [UNITS, "continuous", 0]]
        trader = park.raw()
        await trader.log_on("factory")
        (change,) = told(watcher, "phase")
        assert (change["prev_seq"], change["seq"], change["phase"]) == (snapshot["seq"], snapshot["seq"] + 1, "continuous")


# Questions


async def test_depth_and_places_in_the_queue() -> None:
    async with running_park(Limits(flush_interval_s=60)) as park:
        buyer, seller = await traders(park)
        other = (await seller.ask("order.place", bid(1, "0.4000", "10.0", side="sell", display="3.0")))["result"]["order_id"]
        mine = (await seller.ask("order.place", bid(2, "0.4000", "2.0", side="sell")))["result"]["order_id"]
        waiting = (await seller.ask("order.place", bid(3, "0.4200", "2.0", side="sell", all_or_none=True)))["result"]["order_id"]
        assert (await seller.ask("order.queue_position", {"order_id": mine}))["result"] == {
            "order_id": mine, "orders_ahead": 1, "quantity_ahead": "3.0",
        }  # fmt: skip
        assert (await seller.ask("order.queue_position", {"order_id": waiting}))["result"] == {"order_id": waiting, "waiting": True}
        for foreign in (other, 999):
            refused = (await buyer.ask("order.queue_position", {"order_id": foreign}))["error"]
            assert refused["data"] == {"code": RejectCode.NO_SUCH_ORDER}
        depth = (await buyer.ask("depth", {"instrument": POWER, "levels": 1}))["result"]
        assert (depth["asks"], depth["bids"]) == ([["0.4000", "5.0", 2]], [])
        assert depth["checksum"] == zlib.crc32(b";0.4000:5.0")
        assert (await buyer.ask("depth", {"instrument": "X"}))["error"]["data"]["code"] == RejectCode.UNKNOWN_INSTRUMENT
        assert (await buyer.ask("depth", {"instrument": POWER, "levels": 1_001}))["error"]["data"]["code"] == RejectCode.INVALID_PARAMS


async def test_the_sdk_asks_too() -> None:
    async with running_park() as park, connect(park.connector, key_id="solar", private_key=private_key("solar")) as client:
        order = await client.place(POWER, "sell", price="0.4100", quantity="12.5")
        assert (await client.queue_position(order)).orders_ahead == 0
        assert (await client.bars(POWER, "1h")).bars == []
        assert [event.kind for event in (await client.executions(1)).executions] == ["rested"]
        trial = await client.dry_run(POWER, "sell", price="0.4200", quantity="1.0")
        assert (trial.code, trial.status) == (0, "resting")
