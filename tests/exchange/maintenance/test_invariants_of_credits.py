"""The watch of credits beside a replay: a year holds, and what does not fit is found."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from exchange.errors import CheckFailedError
from exchange.ledger.records import PostingReason
from exchange.maintenance.invariants import Watch, all_watches
from exchange.maintenance.invariants.credits import CreditsWatch
from exchange.order_path import canonical
from exchange.order_path.path import BatchResult, Exchange
from exchange.protocol.value_chain.allowances import ImposePenalty
from exchange.protocol.value_chain.projects import ReverseCredits
from tests.exchange.order_path.carbon_market import CarbonMarket
from tests.exchange.order_path.park import GENESIS

Change = Callable[[BatchResult, Exchange], bool]


@pytest.fixture(scope="module")
def market() -> CarbonMarket:
    """A surrender that is 2,000 t short, a fine, credits of a project with a buffer, some of them reversed."""
    market = CarbonMarket()
    market.pre_allocate()
    market.verified()
    market.ok(market.final(50_000))
    project = market.registered(market.retrofit(), market.esco, buffer_ppm=200_000)
    market.credited(project, market.monitoring(project), market.esco, 764)
    market.ok(ReverseCredits(project=project, monitoring=1, quantity_lots=200, reason="meter"))
    market.ok(market.surrender(("CEA25", 50_000)), market.entity)
    market.go("00:00", "2027-01-01")
    market.ok(ImposePenalty(account=market.entity, year=2025, multiple_ppm=5_000_000, reference="decree 1"))
    return market


def watch(market: CarbonMarket, change: Change = lambda *_: True, snapshot_at: int = 0, only: Sequence[Watch] = ()) -> str:
    """Replay command by command beside all watches, or some; `change` spoils the first batch that it can. The finding on credits."""
    exchange, watches = Exchange(GENESIS), only or all_watches()
    is_changed = False
    for number, (records, documents) in enumerate(market.log):
        if number == snapshot_at:
            restored = Exchange(GENESIS)
            canonical.restore(restored, canonical.snapshot(exchange))
            exchange = restored
            for one in watches:
                one.begin(exchange)
        batch = exchange.apply(records, documents, exchange.last_sequence + 1)
        if number < snapshot_at:
            continue
        batch = replace(batch, postings=batch.postings.copy())
        is_changed = is_changed or change(batch, exchange)
        for one in watches:
            one.see(batch, exchange)
    assert is_changed
    (found,) = [one.conclude(exchange) for one in watches if isinstance(one, CreditsWatch)]
    return found.checked


def test_a_year_holds_from_its_start_and_from_a_snapshot(market: CarbonMarket) -> None:
    expected = "50,000 t surrendered within their obligations; 955 t issued to projects"
    assert watch(market) == watch(market, snapshot_at=len(market.log) - 2) == expected


def posting(reason: PostingReason) -> Change:
    """One unit or micro-CNY less than was posted."""

    def spoil(batch: BatchResult, _exchange: Exchange) -> bool:
        rows = np.flatnonzero(batch.postings["reason"] == int(reason))
        batch.postings["amount"][rows[:1]] -= 1
        return bool(rows.size)

    return spoil


@pytest.mark.parametrize("reason", [PostingReason.UNITS_SURRENDERED, PostingReason.PENALTY])
def test_a_posting_that_no_obligation_knows_is_found(market: CarbonMarket, reason: PostingReason) -> None:
    with pytest.raises(CheckFailedError, match="invariant 12 is broken"):
        watch(market, posting(reason), only=[CreditsWatch()])


def _more_credits(exchange: Exchange) -> None:
    monitoring = exchange.rooms.credits.projects.by_id[1].monitorings[0]
    monitoring.credits_t -= 1
    monitoring.carry_ug += 10**12 - 1


def _fewer_units(exchange: Exchange) -> None:
    exchange.rooms.credits.projects.by_id[1].monitorings[0].withheld_t += 1


@pytest.mark.parametrize(("change", "number"), [(_more_credits, "12, 13"), (_fewer_units, "13")])
def test_a_project_with_other_credits_than_were_verified_is_found(
    market: CarbonMarket, change: Callable[[Exchange], None], number: str
) -> None:
    exchange, one = Exchange(GENESIS), CreditsWatch()
    canonical.restore(exchange, canonical.snapshot(market.exchange))
    one.begin(exchange)
    one.conclude(exchange)
    change(exchange)
    with pytest.raises(CheckFailedError, match=f"invariant {number} is broken"):
        one.conclude(exchange)
