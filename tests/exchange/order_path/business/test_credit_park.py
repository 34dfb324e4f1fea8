"""The park's own scheme: credits and obligations, purchases from the book, penalties, and a row for every refusal."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.protocol.documents import ChangeParticipant, Document
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.allowances import CollectDues
from exchange.protocol.value_chain.park_scheme import (
    IssueParkCredits,
    OpenParkScheme,
    ParkBenchmark,
    ProductOutput,
    SurrenderParkCredits,
    VerifyParkPerformance,
)
from exchange.protocol.value_chain.projects import ReverseCredits
from exchange.units import MICRO_PER_CNY
from tests.exchange.order_path.carbon_market import DATA, CarbonMarket, T
from tests.exchange.order_path.national import BUY, SELL, at

PENALTY_MICRO = 120 * MICRO_PER_CNY
BENCHMARKS = [
    ParkBenchmark(product="steel", unit="t", benchmark_g_per_unit=2 * T), ParkBenchmark(product="heat", unit="GJ", benchmark_g_per_unit=T // 10),
]  # fmt: skip


def scheme(**changes: Any) -> OpenParkScheme:
    """The year 2025, due on the evening of 30 June 2026."""
    terms: dict[str, Any] = {
        "symbol": "PCC-2026", "period_start_ns": at("00:00", "2025-01-01"), "period_end_ns": at("00:00", "2026-01-01"),
        "deadline_ns": at("00:00", "2026-07-01"), "penalty_micro_per_t": PENALTY_MICRO, "benchmarks": BENCHMARKS,
    }  # fmt: skip
    return OpenParkScheme(**(terms | changes))


def performance(member: int, emissions_t: int, output: int = 1_000, **changes: Any) -> VerifyParkPerformance:
    rows = [ProductOutput(product="steel", output_units=output, emissions_g=emissions_t * T)]
    return VerifyParkPerformance(**({"symbol": "PCC-2026", "account": member, "rows": rows, "data_sha256": DATA} | changes))


class ParkScheme(CarbonMarket):
    """The host is 300 t better than its benchmark of 2,000, the trader 200 t worse; the entity is not verified."""

    def __init__(self) -> None:
        super().__init__()
        self.ok(scheme())
        assert self.ok(performance(self.host, 1_700), self.verifier) == {"credits_lots": 300, "obligation_lots": 0}
        assert self.ok(performance(self.trader, 2_200), self.verifier) == {"credits_lots": 0, "obligation_lots": 200}
        self.ok(IssueParkCredits(symbol="PCC-2026", account=self.host, quantity_lots=300), self.registrar)


def test_who_is_worse_buys_from_who_is_better_and_surrenders() -> None:
    market = ParkScheme()
    market.place(market.host, market.pcc, SELL, 6_000, 300)
    market.place(market.trader, market.pcc, BUY, 6_000, 150)
    answer = market.ok(SurrenderParkCredits(symbol="PCC-2026", quantity_lots=150), market.trader)
    assert answer == {"surrendered_t": 150, "open_t": 50}
    before = market.exchange.balances(market.trader).balance_micro
    market.go("00:00", "2026-07-01")
    assert before - market.exchange.balances(market.trader).balance_micro == 50 * PENALTY_MICRO
    assert market.exchange.balances(House.GUARANTEE_FUND).balance_micro == 50 * PENALTY_MICRO
    assert market.lots(House.SURRENDERED, market.pcc) == 150
    ((symbol, row),) = market.exchange.park_performances(market.trader)
    assert (symbol, row.shortfall_t, row.due_micro) == ("PCC-2026", 50, 0)
    assert len(market.exchange.park_performances()) == 2
    check_exchange(market.exchange)


def test_a_penalty_that_cannot_be_paid_is_due() -> None:
    market = ParkScheme()
    market.ok(performance(market.esco, 2_001), market.verifier)
    market.go("00:00", "2026-07-01")
    ((_, row),) = market.exchange.park_performances(market.esco)
    assert (row.penalty_micro, row.due_micro) == (PENALTY_MICRO, PENALTY_MICRO)
    assert market.ok(CollectDues(account=market.esco)) == {"taken_t": 0, "paid_micro": 0}


def test_who_is_verified_after_the_deadline_pays_at_once() -> None:
    market = ParkScheme()
    market.go("00:00", "2026-07-01")
    market.ok(performance(market.entity, 2_010), market.verifier)
    ((_, row),) = market.exchange.park_performances(market.entity)
    assert (row.shortfall_t, row.paid_micro) == (10, 10 * PENALTY_MICRO)
    check_exchange(market.exchange)


def test_what_a_project_has_credits_for_earns_no_second_credit() -> None:
    """The retrofit at the host has 955 credits for 955.08 t of 2025: they count as if they were emitted."""
    market = CarbonMarket()
    market.ok(scheme())
    project = market.registered(market.retrofit(), market.esco)
    market.credited(project, market.monitoring(project), market.esco, 955)
    market.ok(ReverseCredits(project=project, monitoring=1, quantity_lots=55, reason="meter"))
    assert market.ok(performance(market.host, 1_000), market.verifier) == {"credits_lots": 99, "obligation_lots": 0}
    ((_, row),) = market.exchange.park_performances(market.host)
    assert row.added_g == 900_080_000


def nothing(_: CarbonMarket) -> None:
    """As it begins."""


def closed(market: CarbonMarket) -> None:
    market.go("00:00", "2026-07-01")


def dependent(market: CarbonMarket) -> None:
    market.ok(ChangeParticipant(account=market.verifier, beneficial_owner=market.entity, reason="bought"))


def bought(market: CarbonMarket) -> None:
    """The trader has 100 of the 200 that it owes, 40 of them on sale."""
    market.place(market.host, market.pcc, SELL, 6_000, 100)
    market.place(market.trader, market.pcc, BUY, 6_000, 100)
    market.place(market.trader, market.pcc, SELL, 6_800, 40)


def with_project(market: CarbonMarket) -> int:
    return market.registered(market.retrofit(), market.esco)


def sent(document: Document) -> Callable[[CarbonMarket], Document]:
    return lambda _: document


def of(**changes: Any) -> Callable[[CarbonMarket], Document]:
    return lambda market: performance(changes.get("account", market.entity), 1, **changes)


def issue(member: str, lots: int, symbol: str = "PCC-2026") -> Callable[[CarbonMarket], Document]:
    return lambda market: IssueParkCredits(symbol=symbol, account=getattr(market, member), quantity_lots=lots)


def surrender(lots: int, symbol: str = "PCC-2026") -> Callable[[CarbonMarket], Document]:
    return sent(SurrenderParkCredits(symbol=symbol, quantity_lots=lots))


def rows(*row: tuple[str, int, int]) -> dict[str, Any]:
    return {"rows": [ProductOutput(product=product, output_units=units, emissions_g=emissions_g) for product, units, emissions_g in row]}


REFUSED: list[tuple[Callable[[CarbonMarket], Any], Callable[[CarbonMarket], Document], str, Any]] = [
    (nothing, sent(scheme()), "operator", "scheme_is_open_already"),
    (nothing, sent(scheme()), "host", RejectCode.NO_PERMISSION),
    (nothing, sent(scheme(symbol="CEA25")), "operator", "wrong_class_of_units"),
    (nothing, sent(scheme(period_end_ns=0)), "operator", "period_out_of_order"),
    (nothing, sent(scheme(deadline_ns=at("00:00", "2026-01-01"))), "operator", "period_out_of_order"),
    (nothing, sent(scheme(deadline_ns=at("00:00", "2026-01-02"))), "operator", "deadline_has_passed"),
    (nothing, sent(scheme(penalty_micro_per_t=0)), "operator", "penalty_out_of_range"),
    (nothing, sent(scheme(benchmarks=[])), "operator", "benchmarks_malformed"),
    (nothing, sent(scheme(benchmarks=[BENCHMARKS[0]] * 2)), "operator", "benchmarks_malformed"),
    (nothing, sent(scheme(benchmarks=[ParkBenchmark(product="x", unit="t", benchmark_g_per_unit=-1)])), "operator", "benchmarks_malformed"),
    (nothing, of(symbol="CEA25"), "verifier", "wrong_class_of_units"),
    (nothing, of(), "host", RejectCode.NO_PERMISSION),
    (nothing, of(account=999), "verifier", "unknown_account"),
    (nothing, of(account=36), "operator", RejectCode.NO_PERMISSION),
    (nothing, lambda m: performance(m.registrar, 1), "verifier", "role_has_no_emissions"),
    (nothing, of(rows=[]), "verifier", "products_without_benchmark"),
    (nothing, of(**rows(("glass", 1, 1))), "verifier", "products_without_benchmark"),
    (nothing, of(**rows(("steel", 1, 1), ("steel", 1, 1))), "verifier", "products_without_benchmark"),
    (nothing, of(**rows(("steel", -1, 1))), "verifier", "output_out_of_range"),
    (nothing, of(**rows(("steel", 1, -1))), "verifier", "output_out_of_range"),
    (nothing, of(**rows(("steel", 10**12, 1))), "verifier", "output_out_of_range"),
    (nothing, of(data_sha256=b""), "verifier", "digest_malformed"),
    (nothing, lambda m: performance(m.host, 1), "verifier", "verified_already"),
    (dependent, of(), "verifier", "verifier_is_tied_to_client"),
    (nothing, issue("host", 300), "registrar", "issued_already"),
    (nothing, issue("trader", 1), "registrar", "above_verified_volume"),
    (nothing, issue("entity", 1), "registrar", "not_verified"),
    (nothing, issue("host", 300), "host", RejectCode.NO_PERMISSION),
    (nothing, issue("host", 300, "CEA25"), "registrar", "wrong_class_of_units"),
    (nothing, surrender(1), "entity", "not_verified"),
    (nothing, surrender(1), "host", "above_obligation"),
    (nothing, surrender(1), "operator", RejectCode.NO_PERMISSION),
    (bought, surrender(0), "trader", "above_obligation"),
    (bought, surrender(201), "trader", "above_obligation"),
    (bought, surrender(61), "trader", "units_not_available"),
    (closed, surrender(1), "trader", "surrender_deadline_has_passed"),
    (with_project, lambda m: m.monitoring(1), "esco", "counted_in_the_park_scheme"),
]


@pytest.mark.parametrize(("prepare", "document", "sender", "rule"), REFUSED)
def test_what_is_refused_changes_nothing(
    prepare: Callable[[CarbonMarket], Any], document: Callable[[CarbonMarket], Document], sender: str, rule: Any
) -> None:
    market = ParkScheme()
    prepare(market)
    before = canonical.content(market.exchange)
    assert market.refused(document(market), 32 if sender == "operator" else getattr(market, sender)) == rule
    after = canonical.content(market.exchange)
    # A command has been sequenced: that alone is another state.
    assert {name: value for name, value in after.items() if name != "counters"} == {
        name: value for name, value in before.items() if name != "counters"
    }


def test_more_rows_of_the_life_before_issuance() -> None:
    """Credits are issued whole, and a period that is not over is not verified."""
    market = CarbonMarket()
    assert market.refused(performance(market.host, 1), market.verifier) == "no_park_scheme"
    market.ok(scheme(period_end_ns=at("00:00", "2026-06-01")))
    assert market.refused(performance(market.host, 1_700), market.verifier) == "period_is_not_over"
    market.go("00:00", "2026-06-01")
    market.ok(performance(market.host, 1_700), market.verifier)
    assert market.refused(IssueParkCredits(symbol="PCC-2026", account=market.host, quantity_lots=299)) == "below_verified_volume"
    assert market.refused(IssueParkCredits(symbol="PCC-2026", account=market.host, quantity_lots=301)) == "above_verified_volume"
