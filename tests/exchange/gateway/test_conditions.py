"""Orders with conditions over the SDK: what their owner is told, and that the public sees nothing of what is hidden or waits."""

import asyncio

import pytest

from clients.sdk import connect
from clients.sdk.client import ParkClient
from clients.sdk.credentials import public_key_of
from clients.sdk.errors import OrderRejected
from exchange.gateway.queries import open_orders_result
from exchange.protocol.documents import Admit, Deposit, Key
from exchange.protocol.reject_codes import RejectCode
from tests.exchange.gateway.parks import POWER, SOLAR, UNITS, RunningPark, private_key, running_park


async def test_the_public_sees_the_shown_part_of_an_iceberg() -> None:
    async with running_park() as park, connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar:
        iceberg = await solar.place(POWER, "sell", price="0.4100", quantity="80.0", display="10.0", time_in_force="gate")
        assert (iceberg.status, iceberg.remaining) == ("resting", "80.0")
        async with connect(park.connector, key_id="factory", private_key=private_key("factory")) as factory:
            book = await factory.subscribe_book(POWER)
            assert [tuple(level) for level in book.asks] == [("0.4100", "10.0", 1)]
            changed = asyncio.Event()
            factory.on("book.delta", lambda _: changed.set())
            bought = await factory.place(POWER, "buy", price="0.4100", quantity="12.0", time_in_force="fok")
            assert (bought.status, bought.filled) == ("filled", "12.0")
            assert [fill.quantity for fill in bought.fills] == ["10.0", "2.0"]
            await asyncio.wait_for(changed.wait(), 10)
            assert [tuple(level) for level in book.asks] == [("0.4100", "8.0", 1)]
            factory_offer = await factory.place(POWER, "buy", price="0.4200", quantity="5.0", post_only=True, reprice=True)
            assert (factory_offer.status, factory_offer.price) == ("resting", "0.4099")
        (known,) = open_orders_result(park.node.exchange, solar.account, POWER).orders
        assert (known.remaining, known.display, known.waiting, known.time_in_force) == ("68.0", "10.0", False, "gate")


async def test_the_public_sees_nothing_of_what_waits() -> None:
    async with (
        running_park() as park,
        connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar,
        connect(park.connector, key_id="factory", private_key=private_key("factory")) as factory,
    ):
        stop = await factory.place(POWER, "buy", type="market", stop_price="0.4100", quantity="5.0")
        whole = await factory.place(POWER, "buy", price="0.3900", quantity="20.0", all_or_none=True)
        least = await factory.place(POWER, "buy", price="0.3800", quantity="20.0", min_quantity="10.0")
        assert [order.status for order in (stop, whole, least)] == ["waiting"] * 3
        assert stop.is_open
        known = open_orders_result(park.node.exchange, factory.account, POWER).orders
        conditions = [(order.stop_price, order.all_or_none, order.min_quantity, order.waiting) for order in known]
        assert conditions == [("0.4100", False, None, True), (None, True, None, True), (None, False, "10.0", True)]
        book = await solar.subscribe_book(POWER)  # nobody has subscribed before, so this is the book as it is now
        assert (list(book.bids), list(book.asks)) == ([], [])
        await solar.place(POWER, "sell", price="0.4100", quantity="8.0")
        await factory.place(POWER, "buy", price="0.4100", quantity="1.0")
        assert stop.status == "filled"
        assert [(fill.price, fill.quantity, fill.liquidity) for fill in stop.fills] == [("0.4100", "5.0", "taker")]
        sold = await solar.place(POWER, "sell", price="0.3900", quantity="20.0")
        await factory.balances()
        assert (sold.status, sold.filled, whole.status) == ("filled", "20.0", "filled")


async def test_a_reduce_only_order_is_told_that_it_was_cut() -> None:
    async with (
        running_park() as park,
        connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar,
    ):
        await park.document(
            Admit(
                name="trader", role="market_maker", permissions=["power_buy", "power_sell", "cea_sell"], min_net_power_lots=-1_000,
                max_net_power_lots=1_000, keys=[Key(key_id="trader", public_key=public_key_of(private_key("trader")), scopes=["read", "trade"])],
            )
        )
        await park.document(Deposit(account=SOLAR + 1, amount_micro=10**9, reference="opening"))
        async with connect(park.connector, key_id="trader", private_key=private_key("trader")) as trader:
            await solar.place(POWER, "sell", price="0.4000", quantity="10.0")
            await trader.place(POWER, "buy", price="0.4000", quantity="10.0")
            await _reduce(park, trader)


async def _reduce(park: RunningPark, trader: ParkClient) -> None:
    """With a position of 10 kWh."""
    with pytest.raises(OrderRejected) as refused:
        await trader.place(POWER, "sell", price="0.4500", quantity="10.1", reduce_only=True)
    assert refused.value.code == RejectCode.REDUCE_ONLY
    for terms in ({"instrument": UNITS, "price": "62.00", "quantity": "1"}, {"all_or_none": True}, {"min_quantity": "1.0"}):
        with pytest.raises(OrderRejected) as refused:
            await trader.place(**({"instrument": POWER, "side": "sell", "price": "0.4500", "quantity": "1.0", "reduce_only": True} | terms))
        assert refused.value.code == RejectCode.INVALID_COMBINATION
    told: list[tuple[str, str, str]] = []
    trader.on("execution", lambda event: told.append((event.kind, event.remaining, event.reason)))
    first = await trader.place(POWER, "sell", price="0.4500", quantity="6.0", reduce_only=True)
    second = await trader.place(POWER, "sell", price="0.4600", quantity="4.0", reduce_only=True)
    await trader.place(POWER, "sell", price="0.4700", quantity="5.0")
    await trader.balances()
    assert told[2:4] == [("cancelled", "0.0", "reduce_only"), ("reduced", "5.0", "reduce_only")]
    assert (first.status, first.remaining, second.status) == ("resting", "5.0", "cancelled")
    known = open_orders_result(park.node.exchange, trader.account, POWER).orders
    assert [(order.reduce_only, order.remaining) for order in known] == [(True, "5.0"), (False, "5.0")]
