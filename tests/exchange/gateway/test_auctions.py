"""Call phases on the wire: indications while orders gather, the result, the trades, and what a late or lagging subscriber is told."""

import asyncio
from typing import Any

import pytest

from clients.sdk import ParkClient, RequestRefused, connect
from exchange.protocol.documents import ListInstruments
from exchange.protocol.messages import AuctionHeld, Execution, Indication, PhaseChange, PublicTrade
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_MINUTE
from tests.exchange.gateway.parks import POWER, RunningPark, private_key, running_park
from tests.exchange.order_path.park import OPEN_NS, power_spec

CALLED = "GP-20260715-1015"
CALL_NS = 15 * NS_PER_MINUTE
END_NS = OPEN_NS + CALL_NS


def member(park: RunningPark, name: str) -> Any:
    return connect(park.connector, key_id=name, private_key=private_key(name))


async def listed(park: RunningPark) -> None:
    await park.document(ListInstruments(instruments=[power_spec(41, opening_auction_ns=CALL_NS, auction_price_rule="k")]))


async def until(condition: Any) -> None:
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("nothing came")


async def end_call(park: RunningPark, client: ParkClient) -> None:
    """Move the clock to the end of the call phase; some command brings the time into the fold."""
    park.clock.advance_to(END_NS)
    await client.mass_cancel(instrument=POWER)


async def test_the_call_phase_from_its_first_order_to_its_trades() -> None:
    async with running_park() as park, member(park, "factory") as factory, member(park, "solar") as solar:
        held: list[AuctionHeld] = []
        trades: list[PublicTrade] = []
        phases: list[PhaseChange] = []
        executions: list[Execution] = []
        factory.on("auction", held.append)
        factory.on("trade", lambda params: trades.extend(params.trades))
        factory.on("phase", phases.append)
        solar.on("execution", executions.append)
        for subscribe in (factory.subscribe_auctions, factory.subscribe_trades, factory.subscribe_phases):
            await subscribe()
        await listed(park)
        bought = await factory.place(CALLED, "buy", price="0.5000", quantity="10.0")
        assert (bought.status, bought.filled) == ("resting", "0")
        await until(lambda: CALLED in factory.indications)
        assert factory.indications[CALLED] == Indication(instrument=CALLED, phase="opening_auction", end_ns=END_NS, volume="0.0")
        await solar.place(CALLED, "sell", price="0.4000", quantity="4.0")
        await until(lambda: factory.indications[CALLED].price is not None)
        crossing = Indication(instrument=CALLED, phase="opening_auction", end_ns=END_NS, volume="4.0", price="0.5000")
        assert factory.indications[CALLED] == crossing
        assert await solar.auctions() == await solar.auctions(CALLED) == [crossing]
        assert await solar.auctions(POWER) == []
        (instrument,) = [each for each in await solar.instruments() if each.symbol == CALLED]
        assert (instrument.phase, instrument.phase_end_ns, instrument.opening_auction_ns) == ("opening_auction", END_NS, CALL_NS)
        assert (instrument.auction_price_rule, instrument.k_ppm) == ("k", 500_000)
        await end_call(park, factory)
        await until(lambda: held and trades and executions)
        assert held == [AuctionHeld(instrument=CALLED, phase="opening_auction", at_ns=END_NS, volume="4.0", price="0.5000")]
        assert trades == [
            PublicTrade(instrument=CALLED, number=1, price="0.5000", quantity="4.0", side="", at_ns=END_NS, mode="auction")
        ]  # fmt: skip
        told = [(change.phase, change.end_ns) for change in phases if change.instrument == CALLED]
        assert told[-2:] == [("opening_auction", END_NS), ("continuous", 0)]
        (sold,) = [event for event in executions if event.kind == "trade"]
        assert (sold.liquidity, sold.reason, sold.fee_micro) == ("auction", "", 40 * 20)
        assert CALLED not in factory.indications
        assert bought.remaining == "6.0"


async def test_who_subscribes_late_is_told_all_call_phases() -> None:
    async with running_park() as park, member(park, "factory") as factory:
        await listed(park)
        await factory.place(CALLED, "buy", price="0.5000", quantity="10.0")
        await factory.subscribe_auctions()
        await until(lambda: CALLED in factory.indications)
        await factory.unsubscribe("auctions")


async def test_an_order_that_cannot_rest_is_refused() -> None:
    async with running_park() as park, member(park, "factory") as factory:
        await listed(park)
        await factory.mass_cancel(instrument=POWER)
        with pytest.raises(RequestRefused) as refused:
            await factory.place(CALLED, "buy", price="0.5000", quantity="1.0", time_in_force="ioc")
        assert refused.value.code is RejectCode.RESTING_ORDERS_ONLY
