"""A client on a line that fails, against a real exchange in this process: no order is doubled or lost, and what the client knows is what is there."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.sdk import Book, Order, ParkClient, connect
from clients.sdk import link as link_module
from exchange.order_path.records import TRADE_KINDS
from matching.records import Side
from tests.clients.sdk.flaky import Fault, FlakyLine
from tests.exchange.gateway.parks import FACTORY, POWER, RunningPark, private_key, running_park

SILENCE_S = 0.03
# The first connection has to work once: challenge, logon, executions and open orders with their answers. What fails before is the caller's.
AFTER_LOGON = 7
# More than a run of the script without faults has.
FRAMES = 60


@pytest.fixture(autouse=True)
def quick_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "_FIRST_DELAY_S", 0.001)


async def until(condition: Any, what: str) -> None:
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"{what}: it did not come to that")


async def trade(factory: ParkClient, solar: ParkClient) -> tuple[list[Order], int]:
    """Orders of every kind of command; each outcome is the same whatever happens to the factory's line.

    Small quantities, so that the positions of all runs stay within the limit of the account.
    """
    offer = await solar.place(POWER, "sell", price="0.4200", quantity="0.2")
    kept = await factory.place(POWER, "buy", price="0.4000", quantity="0.6")
    batch = await factory.place_many([factory.order_params(POWER, "buy", price=f"0.390{n}", quantity="0.1", label=9) for n in range(3)])
    await kept.amend(quantity="0.4")
    await solar.place(POWER, "sell", price="0.4000", quantity="0.2", time_in_force="ioc")
    assert isinstance(batch[0], Order)
    await batch[0].cancel()
    filled = await factory.place(POWER, "buy", price="0.4200", quantity="0.1", time_in_force="ioc")
    await until(lambda: kept.remaining == "0.2", "the fill")
    await kept.amend(price="0.4050")
    cancelled = await factory.mass_cancel(label=9)
    await offer.cancel()
    return [kept, *(order for order in batch if isinstance(order, Order)), filled], cancelled


def server_orders(park: RunningPark) -> dict[int, tuple[Any, ...]]:
    return {
        order.order_id: (order.client_order_id, order.remaining_lots, order.price_ticks, order.revision)
        for order in park.node.exchange.open_orders(FACTORY)
    }


def local_orders(park: ParkClient) -> dict[int, tuple[Any, ...]]:
    return {
        order_id: (order.client_order_id, lots(order.remaining), int(order.price.replace(".", "")), order.revision)
        for order_id, order in park.open_orders.items()
        if order.price is not None
    }


def local_book(book: Book) -> list[list[tuple[int, int]]]:
    _, bids, asks = book.depth()
    return [[(lots(level.price), lots(level.quantity)) for level in side] for side in (bids, asks)]


def server_book(park: RunningPark) -> list[list[tuple[int, int]]]:
    sides = [park.node.exchange.depth(POWER, int(side), 50) for side in (Side.BUY, Side.SELL)]
    return [[(int(level["price_ticks"]), int(level["quantity_lots"])) for level in side] for side in sides]


def lots(quantity: str) -> int:
    return int(quantity.replace(".", ""))


def executions(park: RunningPark) -> list[Any]:
    """Rows of the factory's executions since `published` was cleared."""
    rows = [row for batch in park.published for row in batch.executions]
    return [row for row in rows if FACTORY in (int(row["account"]), int(row["counter_account"]))]


def trade_numbers(park: RunningPark) -> list[int]:
    return sorted(int(row["trade_number"]) for row in executions(park) if int(row["kind"]) in TRADE_KINDS)


async def play(park: RunningPark, plan: dict[int, Fault]) -> FlakyLine:
    """The script under a plan of faults; then client and exchange are compared."""
    park.published.clear()
    line = FlakyLine(park.connector, plan)
    seqs: list[int] = []
    silence_s = SILENCE_S if Fault.SILENCE in plan.values() else 60.0
    async with (
        connect(line, key_id="factory", private_key=private_key("factory"), silence_s=silence_s) as factory,
        connect(park.connector, key_id="solar", private_key=private_key("solar")) as solar,
    ):
        factory.on("execution", lambda event: seqs.append(event.seq))
        book = await factory.subscribe_book(POWER)
        orders, cancelled = await asyncio.wait_for(trade(factory, solar), 20)
        assert cancelled == 2
        assert [(order.status, lots(order.remaining)) for order in orders] == [
            ("resting", 2), ("cancelled", 0), ("cancelled", 0), ("cancelled", 0), ("filled", 0),
        ]  # fmt: skip
        assert len({row["client_order_id"].item() for row in executions(park) if int(row["account"]) == FACTORY}) == 5
        await until(lambda: local_orders(factory) == server_orders(park), "the same orders")
        await until(lambda: sorted(fill.trade_number for order in orders for fill in order.fills) == trade_numbers(park), "the same fills")
        await until(lambda: book.ready and local_book(book) == server_book(park), "the same book")
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        await factory.mass_cancel()
        await until(lambda: not factory.open_orders, "an empty end")
    return line


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_at_every_frame(fault: Fault) -> None:
    async with running_park() as park:
        clean = await play(park, {})
        assert clean.connections == 1
        assert clean.frames < FRAMES
        numbers = range(AFTER_LOGON, clean.frames)
        met = [number for number in numbers if (await play(park, {number: fault})).met]
        # Deltas of the book are gathered by time, so a run may end a few frames earlier than the first one did.
        assert len(met) >= len(numbers) - 8


PLANS = st.dictionaries(st.integers(AFTER_LOGON, 3 * FRAMES), st.sampled_from(Fault), max_size=8)


@settings(max_examples=25)
@given(plan=PLANS)
def test_any_faults(plan: dict[int, Fault]) -> None:
    async def run() -> None:
        async with running_park() as park:
            await play(park, plan)

    asyncio.run(run())
