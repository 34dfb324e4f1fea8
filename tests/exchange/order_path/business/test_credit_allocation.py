"""Entities, emissions and allocation: what moves, and a row for every refusal, each of which leaves the state as it was."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.protocol.documents import ChangeParticipant, Document, IssueUnits
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.allowances import (
    AllocateAllowances,
    CollectDues,
    OutputLine,
    RegisterComplianceEntity,
    ReportEmissions,
    SetCarbonRules,
    SettleAllowanceDebt,
    VerifyEmissions,
)
from tests.exchange.order_path.carbon_market import REPORT, CarbonMarket, T
from tests.exchange.order_path.national import BUY, SELL

LINE = OutputLine(product="electricity", output_units=1, benchmark_g_per_unit=1)


def test_true_up_upwards_issues_the_difference() -> None:
    market = CarbonMarket()
    market.pre_allocate(50_000)
    market.verified()
    assert market.ok(market.final(49_500)) == {"entitled_t": 49_500, "issued_t": 14_500, "taken_t": 0, "debt_t": 0, "cut_t": 0}
    assert market.lots(market.entity, market.cea) == 49_500


def test_true_up_downwards_takes_back_what_is_there() -> None:
    market = CarbonMarket()
    market.pre_allocate(50_000)
    market.verified()
    assert market.ok(market.final(30_000))["taken_t"] == 5_000
    assert (market.lots(market.entity, market.cea), market.lots(House.WITHDRAWN, market.cea)) == (30_000, 5_000)


def sold_out(market: CarbonMarket, keep: int = 1_000) -> None:
    """The entity has sold what it was allocated before the year, all but `keep`."""
    market.pre_allocate(50_000)
    market.verified()
    market.go("09:30", "2026-03-03")
    market.place(market.trader, market.cea, BUY, 6_200, 35_000 - keep)
    market.place(market.entity, market.cea, SELL, 6_200, 35_000 - keep)


def test_what_is_no_longer_there_is_a_debt_that_the_next_allocation_pays_first() -> None:
    market = CarbonMarket()
    sold_out(market)
    assert market.ok(market.final(30_000)) == {"entitled_t": 30_000, "issued_t": 0, "taken_t": 1_000, "debt_t": 4_000, "cut_t": 0}
    given = market.ok(AllocateAllowances(account=market.entity, year=2026, symbol="CEA26", stage="pre"))
    assert given == {"entitled_t": 36_400, "issued_t": 32_400, "taken_t": 0, "debt_t": 0, "cut_t": 0}  # 70 % of the verified 52,000


def test_a_debt_comes_before_a_surrender_and_is_paid_from_purchases() -> None:
    market = CarbonMarket()
    sold_out(market)
    market.ok(market.final(30_000))
    market.place(market.trader, market.cea, SELL, 6_300, 6_000)
    market.place(market.entity, market.cea, BUY, 6_300, 6_000)
    market.go("09:30", "2026-03-04")
    assert market.refused(market.surrender(("CEA25", 1_000)), market.entity) == "allowance_debt_comes_first"
    assert market.ok(SettleAllowanceDebt(symbol="CEA25", quantity_lots=1_500), market.entity) == {"debt_t": 2_500}
    assert market.ok(CollectDues(account=market.entity)) == {"taken_t": 2_500, "paid_micro": 0}
    assert market.ok(market.surrender(("CEA25", 2_000)), market.entity) == {"surrendered_t": 2_000, "open_t": 50_000}
    check_exchange(market.exchange)


def test_units_on_sale_are_not_taken_back() -> None:
    market = CarbonMarket()
    market.pre_allocate(50_000)
    market.verified()
    market.go("09:30", "2026-03-03")
    market.place(market.entity, market.cea, SELL, 6_800, 34_000)
    assert market.ok(market.final(30_000))["debt_t"] == 4_000
    check_exchange(market.exchange)


def test_the_first_year_of_a_sector_is_allocated_as_verified() -> None:
    market = CarbonMarket()
    market.verified()
    assert market.ok(AllocateAllowances(account=market.entity, year=2025, symbol="CEA25", stage="verified"))["issued_t"] == 52_000


def test_a_later_report_replaces_the_first_until_it_is_verified() -> None:
    market = CarbonMarket()
    market.go("00:00", "2026-04-01")
    assert market.report(1) == {"is_late": True}
    market.report(52_000)
    market.go("00:00", "2026-07-01")
    assert market.ok(market.verification(51_000), market.verifier) == {"obligation_t": 51_000, "is_late": True}


def test_the_registrar_allocates_too() -> None:
    market = CarbonMarket()
    document = AllocateAllowances(account=market.entity, year=2025, symbol="CEA25", stage="pre", base_emissions_g=T)
    assert market.ok(document, market.registrar)["entitled_t"] == 0


def test_a_version_of_the_rules_changes_the_years_after_it() -> None:
    market = CarbonMarket()
    market.ok(SetCarbonRules(from_year=2025, pre_allocation_ppm=500_000, ccer_cap_ppm=0))
    assert market.pre_allocate(50_000)["issued_t"] == 25_000
    assert market.refused(SetCarbonRules(from_year=2025)) == "year_has_begun"
    market.ok(SetCarbonRules(from_year=2026))


def verifies_for_years(market: CarbonMarket) -> None:
    for year in (2022, 2023, 2024):
        market.verified(year=year)
    market.report()


def reported(market: CarbonMarket) -> None:
    market.report()


def verified(market: CarbonMarket) -> None:
    market.verified()


def pre_allocated(market: CarbonMarket) -> None:
    market.pre_allocate()


def finished(market: CarbonMarket) -> None:
    market.verified()
    market.ok(market.final(49_500))


def dependent(market: CarbonMarket) -> None:
    """The verifier is controlled by its client."""
    market.report()
    market.ok(ChangeParticipant(account=market.verifier, beneficial_owner=market.entity, reason="bought"))


def holding(market: CarbonMarket) -> None:
    """Units have come to an account of the verifier's owner."""
    market.report()
    market.ok(ChangeParticipant(account=market.second_verifier, beneficial_owner=market.verifier, reason="bought"))
    market.ok(IssueUnits(account=market.second_verifier, symbol="CCER", quantity_lots=1, reference="gift"))


def over(market: CarbonMarket) -> None:
    market.verified()
    market.go("00:00", "2027-01-01")


def nothing(_: CarbonMarket) -> None:
    """The market as it begins."""


def allocation(**changes: Any) -> Callable[[CarbonMarket], Document]:
    def made(market: CarbonMarket) -> Document:
        terms: dict[str, Any] = {"account": market.entity, "year": 2025, "symbol": "CEA25", "stage": "pre", "base_emissions_g": 50_000 * T}
        return AllocateAllowances(**(terms | changes))

    return made


def report_of(**changes: Any) -> Callable[[CarbonMarket], Document]:
    return lambda _: ReportEmissions(**({"year": 2025, "emissions_g": 1, "report_sha256": REPORT} | changes))


def opinion(**changes: Any) -> Callable[[CarbonMarket], Document]:
    terms: dict[str, Any] = {"year": 2025, "emissions_g": 52_000 * T, "report_sha256": REPORT}
    return lambda market: VerifyEmissions(**({"account": market.entity} | terms | changes))


def entity(**changes: Any) -> Callable[[CarbonMarket], Document]:
    terms: dict[str, Any] = {"sector": "steel", "sources": ["kiln"], "boundary": "works"}
    return lambda market: RegisterComplianceEntity(**({"account": market.host} | terms | changes))


REFUSED: list[tuple[Callable[[CarbonMarket], None], Callable[[CarbonMarket], Document], str, Any]] = [
    (nothing, entity(account=999), "operator", "unknown_account"),
    (nothing, lambda m: entity(account=m.verifier)(m), "operator", "role_has_no_emissions"),
    (nothing, entity(sector=""), "operator", "name_malformed"),
    (nothing, entity(boundary=""), "operator", "name_malformed"),
    (nothing, entity(sources=[]), "operator", "too_many_rows"),
    (nothing, entity(sources=["kiln", "kiln"]), "operator", "source_named_twice"),
    (nothing, entity(), "host", RejectCode.NO_PERMISSION),
    (nothing, lambda _: SetCarbonRules(from_year=1), "operator", "year_out_of_range"),
    (nothing, lambda _: SetCarbonRules(from_year=2026), "host", RejectCode.NO_PERMISSION),
    (reported, lambda _: SetCarbonRules(from_year=2025), "operator", "year_has_begun"),
    (nothing, report_of(), "host", "not_a_compliance_entity"),
    (nothing, report_of(), "operator", RejectCode.NO_PERMISSION),
    (nothing, report_of(year=2026), "entity", "year_is_not_over"),
    (nothing, report_of(year=1), "entity", "year_out_of_range"),
    (nothing, report_of(emissions_g=-1), "entity", "emissions_out_of_range"),
    (nothing, report_of(emissions_g=10**14 + 1), "entity", "emissions_out_of_range"),
    (nothing, report_of(report_sha256=b"short"), "entity", "digest_malformed"),
    (verified, report_of(), "entity", "verified_already"),
    (nothing, opinion(), "verifier", "not_reported"),
    (reported, opinion(), "entity", RejectCode.NO_PERMISSION),
    (reported, opinion(), "operator", RejectCode.NO_PERMISSION),
    (reported, opinion(account=999), "verifier", "not_a_compliance_entity"),
    (reported, opinion(year=10**9), "verifier", "year_out_of_range"),
    (reported, opinion(emissions_g=-1), "verifier", "emissions_out_of_range"),
    (reported, opinion(report_sha256=b"x" * 32), "verifier", "other_report"),
    (verified, opinion(), "verifier", "verified_already"),
    (dependent, opinion(), "verifier", "verifier_is_tied_to_client"),
    (holding, opinion(), "verifier", "verifier_holds_units"),
    (verifies_for_years, opinion(), "verifier", "verifier_has_the_client_too_long"),
    (nothing, allocation(account=999), "operator", "not_a_compliance_entity"),
    (nothing, allocation(), "entity", RejectCode.NO_PERMISSION),
    (nothing, allocation(year=0), "operator", "year_out_of_range"),
    (nothing, allocation(symbol="CEA26"), "operator", "wrong_vintage"),
    (nothing, allocation(symbol="CCER"), "operator", "wrong_class_of_units"),
    (nothing, allocation(symbol="nothing"), "operator", "unknown_instrument"),
    (nothing, allocation(stage="more"), "operator", "unknown_stage"),
    (nothing, allocation(base_emissions_g=0), "operator", "base_emissions_missing"),
    (nothing, allocation(base_emissions_g=-1), "operator", "base_emissions_missing"),
    (nothing, allocation(base_emissions_g=10**14 + 1), "operator", "emissions_out_of_range"),
    (nothing, allocation(outputs=[LINE]), "operator", "outputs_belong_to_the_final_allocation"),
    (verified, allocation(year=2026, symbol="CEA26"), "operator", "base_is_verified_already"),
    (pre_allocated, allocation(), "operator", "allocated_already"),
    (pre_allocated, allocation(stage="final", outputs=[LINE], base_emissions_g=0), "operator", "not_verified"),
    (verified, allocation(stage="final", base_emissions_g=0), "operator", "outputs_belong_to_the_final_allocation"),
    (verified, allocation(stage="final", outputs=[LINE]), "operator", "base_belongs_to_the_pre_allocation"),
    (verified, lambda m: m.final(10**8 + 1), "operator", "allocation_out_of_range"),
    (verified, lambda m: m.final(-1), "operator", "output_out_of_range"),
    (finished, lambda m: m.final(49_500), "operator", "allocated_already"),
    (finished, allocation(), "operator", "allocated_already"),
    (over, lambda m: m.final(49_500), "operator", "surrender_deadline_has_passed"),
]


@pytest.mark.parametrize(("prepare", "document", "sender", "rule"), REFUSED)
def test_what_is_refused_changes_nothing(
    prepare: Callable[[CarbonMarket], None], document: Callable[[CarbonMarket], Document], sender: str, rule: Any
) -> None:
    market = CarbonMarket()
    prepare(market)
    before = canonical.content(market.exchange)
    account = 32 if sender == "operator" else getattr(market, sender)
    assert market.refused(document(market), account) == rule
    after = canonical.content(market.exchange)
    # A command has been sequenced: that alone is another state.
    assert {name: value for name, value in after.items() if name != "counters"} == {
        name: value for name, value in before.items() if name != "counters"
    }
