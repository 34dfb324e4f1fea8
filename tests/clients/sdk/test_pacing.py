"""Rate limits: what the exchange tells is learnt, commands wait for their tokens, and who wants to get out goes first."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from clients.sdk import ConnectionLost, NotSent, Order, OrderRejected, OutcomeUnknown
from clients.sdk.pacing import COSTS, Pacer
from exchange.errors import JournalError
from exchange.gateway import throttle
from exchange.gateway.limits import Limits, Rate
from exchange.protocol import messages as m
from exchange.protocol.reject_codes import RejectCode
from tests.clients.sdk.test_resume import Line, factory_on, until
from tests.exchange.gateway.parks import FACTORY, POWER, running_park

TIGHT = Limits(flush_interval_s=0.002, key=Rate(200, 5))
PLACE = m.PlaceParams(client_order_id="c", instrument=POWER, side="buy", quantity="1.0")
CANCEL = m.CancelParams(client_order_id="c", order_id=1)


def refusal(**changes: Any) -> dict[str, Any]:
    return {"bucket": "key", "tokens": 0.5, "burst": 10.0, "per_s": 2.0, "retry_after_ms": 250} | changes


def test_costs_are_those_of_the_exchange() -> None:
    theirs = {str(kind.__struct_config__.tag): cost for kind, cost in throttle.COSTS.items()}
    assert {method: theirs[method] for method in COSTS} == COSTS


# What was told, what has been sent since, seconds later: how long the next place and the next cancel wait.
WAITS = [
    (None, 0, 0.0, 0.0, 0.0),
    (refusal(), 0, 0.0, 0.25, 0.0),
    (refusal(), 0, 0.25, 0.0, 0.0),
    (refusal(), 2, 0.25, 1.0, 0.625),
    (refusal(tokens=-3.0), 0, 100.0, 0.0, 0.0),
    (refusal(bucket="connection", tokens=0.0), 0, 0.0, 0.5, 0.5),
    (refusal(tokens=0.0, burst=0.5), 0, 0.0, 0.25, 0.125),  # more than a full bucket is never there: not waited for
    ({"in_flight": 9}, 0, 0.0, 0.1, 0.1),
    ({"in_flight": 9}, 0, 0.1, 0.0, 0.0),
    ("something of a newer server", 0, 0.0, 0.1, 0.1),
    (refusal(per_s=0.0), 0, 0.0, 0.1, 0.1),
    (refusal(per_s=1e-9), 0, 0.0, 60.0, 0.0),
]


@pytest.mark.parametrize(("told", "sent", "later_s", "place_s", "cancel_s"), WAITS)
def test_how_long_a_command_waits(told: Any, sent: int, later_s: float, place_s: float, cancel_s: float) -> None:
    pacer = Pacer()
    if told is not None:
        pacer.refused(told, 1000.0)
    for _ in range(sent):
        pacer.sent("order.place", PLACE)
    assert pacer.wait_s("order.place", PLACE, 1000.0 + later_s) == pytest.approx(place_s)
    assert pacer.wait_s("order.cancel", CANCEL, 1000.0 + later_s) == pytest.approx(cancel_s)


def test_a_step_back_of_the_clock_takes_no_tokens() -> None:
    pacer = Pacer()
    pacer.refused(refusal(tokens=1.0), 1000.0)
    assert pacer.wait_s("order.place", PLACE, 10.0) == 0.0


def test_a_basket_costs_its_legs_and_a_connection_is_fresh_when_it_is_new() -> None:
    pacer = Pacer()
    pacer.refused(refusal(tokens=0.0), 0.0)
    leg = m.BasketLeg(client_order_id="c", instrument=POWER, side="buy", quantity="1.0")
    assert pacer.wait_s("basket.place", m.BasketParams(legs=[leg] * 4), 0.0) == 2.0
    pacer.refused(refusal(bucket="connection", tokens=0.0), 0.0)
    assert pacer.wait_s("balances", m.NoParams(), 0.0) == 0.5
    pacer.new_connection()
    assert pacer.wait_s("balances", m.NoParams(), 0.0) == 0.0


def orders(park: Any, count: int) -> list[m.PlaceParams]:
    return [park.order_params(POWER, "buy", price="0.4000", quantity="0.1") for _ in range(count)]


async def test_without_the_option_a_refusal_says_when_to_come_again() -> None:
    async with running_park(TIGHT) as park, factory_on(Line(park)) as factory:
        results = await factory.place_many(orders(factory, 20))
        refused = [result for result in results if isinstance(result, OrderRejected)]
        assert {error.code for error in refused} == {RejectCode.RATE_LIMITED}
        assert all(0 < error.retry_after_s < 1 for error in refused if error.retry_after_s is not None)
        assert len(factory.open_orders) == len(results) - len(refused) == len(park.node.exchange.open_orders(FACTORY))


async def test_with_the_option_every_order_arrives_once_and_in_order() -> None:
    async with running_park(TIGHT) as park, factory_on(Line(park), wait_for_limits=True) as factory:
        results = await factory.place_many(orders(factory, 40))
        assert all(isinstance(order, Order) and order.is_open for order in results)
        theirs = [order.client_order_id for order in park.node.exchange.open_orders(FACTORY)]
        assert sorted(theirs) == sorted(order.client_order_id for order in results if isinstance(order, Order))
        # Once the limits are known, nothing is sent only to be refused.
        answers = len(factory.ack_latency_ns)
        await factory.place_many(orders(factory, 10))
        assert len(factory.ack_latency_ns) == answers + 10


async def test_cancels_pass_the_orders_that_wait() -> None:
    limits = Limits(flush_interval_s=0.002, key=Rate(20, 5))
    async with running_park(limits) as park, factory_on(Line(park), wait_for_limits=True) as factory:
        first, *_ = await factory.place_many(orders(factory, 5))
        assert isinstance(first, Order)
        waiting = asyncio.create_task(factory.place_many(orders(factory, 8)))
        await asyncio.sleep(0.02)
        await first.cancel()
        assert not waiting.done()
        # A mass cancel takes back what has not left, so that nothing appears after it.
        await factory.mass_cancel()
        with pytest.raises(NotSent):
            await waiting
        await asyncio.sleep(0.1)
        assert park.node.exchange.open_orders(FACTORY) == [] == list(factory.open_orders)


async def test_a_mass_cancel_while_the_line_is_down_takes_back_only_what_fits() -> None:
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            line.refusals = 2
            await line.cut()
            kept = asyncio.create_task(factory.place(POWER, "buy", price="0.4000", quantity="0.1", label=1))
            gone = asyncio.create_task(factory.place(POWER, "buy", price="0.4000", quantity="0.1", label=2))
            await asyncio.sleep(0)
            assert await factory.mass_cancel(label=2) == 0
            assert (await kept).is_open
            with pytest.raises(NotSent):
                await gone
            assert len(park.node.exchange.open_orders(FACTORY)) == 1


async def test_an_order_sent_twice_and_turned_away_is_not_called_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first copy was carried out, its answer lost; then the exchange stops taking commands. To say "refused" would be a lie."""
    async with running_park() as park:
        line = Line(park)
        async with factory_on(line) as factory:
            line.drop = lambda frame: line.opened == 1 and (b'"result"' in frame or b"execution" in frame)
            placing = asyncio.create_task(factory.place(POWER, "buy", price="0.4000", quantity="0.5"))
            await until(lambda: len(park.node.exchange.open_orders(FACTORY)) == 1)

            def refuse(*_: Any) -> None:
                raise JournalError("no more commands")

            monkeypatch.setattr(park.node, "submit_batch", refuse)
            await line.cut()
            with pytest.raises(OutcomeUnknown) as unknown:
                await placing
            assert unknown.value.code == RejectCode.JOURNAL_FAILED
            assert isinstance(unknown.value, ConnectionLost)
            # What it came to is known all the same, by the replay of the executions.
            assert [order.client_order_id for order in factory.open_orders.values()] == [
                order.client_order_id for order in park.node.exchange.open_orders(FACTORY)
            ]


async def test_resent_commands_wait_for_the_limits_also_without_the_option() -> None:
    limits = Limits(flush_interval_s=0.002, key=Rate(50, 8))
    async with running_park(limits) as park:
        line = Line(park)
        async with factory_on(line) as factory:
            line.drop = lambda frame: line.opened == 1 and b'"id"' in frame
            placing = asyncio.create_task(factory.place_many(orders(factory, 8)))
            await until(lambda: len(park.node.exchange.open_orders(FACTORY)) == 8)
            await line.cut()
            assert all(isinstance(order, Order) and order.is_open for order in await placing)
            assert len(park.node.exchange.open_orders(FACTORY)) == 8


def test_every_limit_that_the_page_names_is_known_here() -> None:
    page = (Path(__file__).parents[3] / "docs/protocol.md").read_text("utf-8")
    (data,) = re.findall(r"The data of a 5007 says which `bucket` \(([^)]+)\)", page)
    assert re.findall(r"`(\w+)`", data) == ["connection", "key", "account"]

