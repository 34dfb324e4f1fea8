"""Contracts with call phases, and what a batch told of them: shared by the tests of auctions and of the phases around them."""

from typing import Any

from exchange.market.phases import Phase
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import InstrumentSpec
from exchange.units import NS_PER_MINUTE
from tests.exchange.order_path.park import Park, power_spec

CALL_NS = 15 * NS_PER_MINUTE
BREAK_NS = 5 * NS_PER_MINUTE
CLOSE_NS = power_spec().close_ns


def called(**changes: Any) -> InstrumentSpec:
    """A quarter-hour that opens and closes with a call phase, and may be interrupted in between."""
    terms: dict[str, Any] = {
        "opening_auction_ns": CALL_NS, "closing_auction_ns": CALL_NS, "interruption_ppm": 100_000, "interruption_ns": BREAK_NS,
        "reference_price_ticks": 5_000, "auction_price_rule": "k",
    }  # fmt: skip
    return power_spec(**(terms | changes))


def phase_of(park: Park, symbol: str = "GP-20260715-1000") -> Phase:
    instrument = park.exchange.instrument(symbol)
    assert instrument is not None
    return instrument.phase


def trades(result: BatchResult) -> list[tuple[int, int, int, int]]:
    """(buyer, seller, ticks, lots) of the trades of a batch."""
    rows = result.executions[result.executions["kind"] == ExecutionKind.TRADE]
    return [(int(r["account"]), int(r["counter_account"]), int(r["price_ticks"]), int(r["quantity_lots"])) for r in rows]


def notices(result: BatchResult, kind: str) -> list[dict[str, Any]]:
    return [notice.data for notice in result.notices if notice.kind == kind]
