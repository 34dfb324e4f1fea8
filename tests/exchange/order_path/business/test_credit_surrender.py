"""Surrender, carry-over, debts and fines: what moves, and a row for every refusal, each of which leaves the state as it was."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.protocol.documents import Deposit, Document, ListInstruments
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.allowances import (
    AllocateAllowances,
    CarryOverAllowances,
    CollectDues,
    ImposePenalty,
    SetCarbonRules,
    SettleAllowanceDebt,
)
from exchange.protocol.value_chain.units import FreezeUnits, LockUnits
from exchange.units import MICRO_PER_CNY
from tests.exchange.order_path.carbon_market import CarbonMarket
from tests.exchange.order_path.national import BUY, SELL
from tests.exchange.order_path.park import units_spec


class Obliged(CarbonMarket):
    """The entity owes 52,000 t for 2025 and has 49,500 CEA25, 1,000 CEA24, 1,000 CEA26 and 3,000 CCER."""

    def __init__(self) -> None:
        super().__init__()
        self.pre_allocate()
        self.verified()
        self.ok(self.final(49_500))
        for symbol, lots in (("CEA24", 1_000), ("CEA26", 1_000), ("CCER", 3_000)):
            self.issue(self.entity, symbol, lots)


def test_older_vintages_and_ccer_up_to_5_percent() -> None:
    market = Obliged()
    answer = market.ok(market.surrender(("CEA25", 48_400), ("CEA24", 1_000), ("CCER", 2_600, "CCER-1")), market.entity)
    assert answer == {"surrendered_t": 52_000, "open_t": 0}
    row = market.exchange.rooms.credits.compliance.years[market.entity, 2025]
    assert (row.offset_t, [(line.instrument, line.quantity_lots, line.origin) for line in row.surrendered]) == (
        2_600, [(market.cea, 48_400, ""), (market.cea24, 1_000, ""), (market.ccer, 2_600, "CCER-1")],
    )  # fmt: skip
    assert market.lots(House.SURRENDERED, market.ccer) == 2_600
    check_exchange(market.exchange)


def test_a_position_says_what_is_missing_and_what_it_would_cost() -> None:
    market = Obliged()
    market.ok(market.surrender(("CCER", 100, "CCER-1")), market.entity)
    position = market.exchange.compliance_position(market.entity, 2025)
    assert position is not None
    assert [(units.symbol, units.vintage, units.owned_t) for units in position.held] == [
        ("CCER", 0, 2_900), ("CEA24", 2024, 1_000), ("CEA25", 2025, 49_500),
    ]  # fmt: skip
    assert (position.ccer_limit_t, position.ccer_usable_t, position.short_t, position.short_with_ccer_t) == (2_600, 2_500, 1_400, 0)
    # 51,900 t are open; nothing traded in December yet, so the close of 62.00 counts: 5 to 10 times.
    assert position.penalty_micro == (51_900 * 62 * 5 * MICRO_PER_CNY, 51_900 * 62 * 10 * MICRO_PER_CNY)
    assert market.exchange.compliance_position(market.host, 2025) is None
    assert market.exchange.compliance_years(market.entity) == [2025]


def short_by(market: CarbonMarket, shortfall_t: int) -> None:
    """All but so many are surrendered; in December 300 t trade at 60.00 and 100 t at 64.00, so the average is 61.00."""
    market.ok(market.surrender(("CEA25", 49_500), ("CEA24", 2_500 - shortfall_t)), market.entity)
    for day, price, lots in (("2026-11-30", 6_500, 1_000), ("2026-12-01", 6_000, 300), ("2026-12-31", 6_400, 100)):
        market.go("09:30", day)
        assert market.place(market.trader, market.cea, SELL, price, lots)["code"] == 0
        assert market.place(market.host, market.cea, BUY, price, lots)["filled_lots"] == lots
    market.go("00:00", "2027-01-01")


def test_a_shortfall_is_fined_at_the_average_price_of_the_month_before() -> None:
    market = Obliged()
    short_by(market, 1_600)
    answer = market.ok(ImposePenalty(account=market.entity, year=2025, multiple_ppm=6_000_000, reference="decree 1"))
    fine_micro = 1_600 * 61 * 6 * MICRO_PER_CNY
    assert answer == {"penalty_micro": fine_micro, "paid_micro": fine_micro, "due_micro": 0}
    assert market.exchange.balances(House.GOVERNMENT).balance_micro == fine_micro
    check_exchange(market.exchange)


def test_what_cannot_be_paid_is_due_until_it_is_collected() -> None:
    market = Obliged()
    short_by(market, 2_000)
    market.document(Deposit(account=market.entity, amount_micro=-900_000 * MICRO_PER_CNY, reference="out"))
    answer = market.ok(ImposePenalty(account=market.entity, year=2025, multiple_ppm=5_000_000, reference="decree 1"))
    fine_micro = 2_000 * 61 * 5 * MICRO_PER_CNY
    assert answer == {"penalty_micro": fine_micro, "paid_micro": 100_000 * MICRO_PER_CNY, "due_micro": fine_micro - 100_000 * MICRO_PER_CNY}
    market.ok(Deposit(account=market.entity, amount_micro=MICRO_PER_CNY, reference="in"))
    assert market.ok(CollectDues(account=market.entity)) == {"taken_t": 0, "paid_micro": MICRO_PER_CNY}
    market.ok(Deposit(account=market.entity, amount_micro=fine_micro, reference="in"))
    market.ok(CollectDues(account=market.entity))
    assert market.exchange.balances(House.GOVERNMENT).balance_micro == fine_micro
    assert market.ok(CollectDues(account=market.entity)) == {"taken_t": 0, "paid_micro": 0}


def test_the_next_allocation_is_cut_by_the_shortfall() -> None:
    market = Obliged()
    short_by(market, 1_600)
    given = market.ok(AllocateAllowances(account=market.entity, year=2026, symbol="CEA26", stage="pre"))
    assert given == {"entitled_t": 36_400, "issued_t": 34_800, "taken_t": 0, "debt_t": 0, "cut_t": 0}


def test_a_month_without_trades_has_the_last_close() -> None:
    market = Obliged()
    market.go("00:00", "2027-01-01")
    assert market.exchange.rooms.credits.compliance.prices[2025] == (62 * MICRO_PER_CNY, 1)
    row = market.exchange.rooms.credits.compliance.years[market.entity, 2025]
    assert (row.is_closed, row.shortfall_t) == (True, 52_000)


def test_emissions_verified_after_the_deadline_are_short_at_once() -> None:
    market = CarbonMarket()
    market.report()
    market.go("00:00", "2027-01-01")
    assert not market.exchange.rooms.credits.compliance.years[market.entity, 2025].is_closed
    market.ok(market.verification(), market.verifier)
    assert market.exchange.rooms.credits.compliance.years[market.entity, 2025].shortfall_t == 52_000


def test_a_debt_is_collected_at_the_deadline() -> None:
    market = CarbonMarket()
    market.pre_allocate()
    market.verified()
    market.go("09:30", "2026-03-03")
    order = market.place(market.entity, market.cea, SELL, 6_800, 35_000)
    assert market.ok(market.final(30_000))["debt_t"] == 5_000
    market.cancel(market.entity, int(order["order_id"]))
    market.go("00:00", "2027-01-01")
    assert market.exchange.rooms.credits.compliance.entities[market.entity].debt_t == 0
    assert (market.lots(market.entity, market.cea), market.lots(House.WITHDRAWN, market.cea)) == (30_000, 5_000)


def net_seller(market: CarbonMarket) -> None:
    """2025 is met, 2,000 are left and 1,000 were sold net."""
    market.ok(market.surrender(("CEA25", 46_400), ("CEA24", 1_000), ("CCER", 2_600, "CCER-1")), market.entity)
    for day, seller, buyer, lots in (
        ("2026-03-03", market.entity, market.trader, 1_500), ("2026-03-04", market.trader, market.entity, 500),
    ):  # fmt: skip
        market.go("09:30", day)
        market.place(seller, market.cea, SELL, 6_200, lots)
        market.place(buyer, market.cea, BUY, 6_200, lots)
    market.issue(market.entity, "CEA25", 2_000)
    market.ok(market.surrender(("CEA25", 2_000)), market.entity)
    market.go("09:30", "2026-03-05")


def test_carry_over_is_bounded_by_net_sales() -> None:
    market = Obliged()
    net_seller(market)
    assert market.lots(market.entity, market.cea) == 2_100
    answer = market.ok(CarryOverAllowances(symbol="CEA25", to_symbol="CEA26", quantity_lots=1_000), market.entity)
    assert answer == {"carried_t": 1_000, "limit_t": 1_500}
    carried = CarryOverAllowances(symbol="CEA25", to_symbol="CEA26", quantity_lots=501)
    assert market.refused(carried, market.entity) == "above_carry_over_limit"
    market.ok(CarryOverAllowances(symbol="CEA25", to_symbol="CEA26", quantity_lots=500), market.entity)
    assert (market.lots(market.entity, market.cea), market.lots(market.entity, market.cea26)) == (600, 2_500)
    check_exchange(market.exchange)


def nothing(_: CarbonMarket) -> None:
    """As it begins."""


def locked(market: CarbonMarket) -> None:
    market.ok(LockUnits(symbol="CEA25", beneficiary=market.trader, reference="loan", quantity_lots=49_500), market.entity)


def frozen(market: CarbonMarket) -> None:
    market.ok(FreezeUnits(account=market.entity, symbol="CEA25", reference="order", quantity_lots=49_500))


def on_sale(market: CarbonMarket) -> None:
    market.go("09:30", "2026-03-03")
    market.place(market.entity, market.cea, SELL, 6_800, 49_000)


def bought_today(market: CarbonMarket) -> None:
    market.ok(market.surrender(("CEA25", 49_500)), market.entity)
    market.go("09:30", "2026-03-03")
    market.place(market.trader, market.cea, SELL, 6_200, 1_000)
    market.place(market.entity, market.cea, BUY, 6_200, 1_000)


def window(market: CarbonMarket) -> None:
    """Another entity whose year 2026 has other rules: nothing older than 2026 counts."""
    market.ok(SetCarbonRules(from_year=2026, vintage_from_year=2026))
    market.go("09:30", "2027-01-04")
    market.verified(1_000, 2026)


def offsets_used(market: CarbonMarket) -> None:
    market.ok(market.surrender(("CCER", 2_600, "CCER-1")), market.entity)


def met(market: CarbonMarket) -> None:
    market.ok(market.surrender(("CEA25", 48_400), ("CEA24", 1_000), ("CCER", 2_600, "CCER-1")), market.entity)


def closed(market: CarbonMarket) -> None:
    market.go("00:00", "2027-01-01")


def fined(market: CarbonMarket) -> None:
    closed(market)
    market.ok(ImposePenalty(account=market.entity, year=2025, multiple_ppm=5_000_000, reference="decree 1"))


def other_units(market: CarbonMarket) -> None:
    market.ok(ListInstruments(instruments=[units_spec("CEA", resale="next_day"), units_spec("CEA27", quantity_decimals=1)]))


def debtor(market: CarbonMarket) -> None:
    """The true-up of 2026 asks for more than is left."""
    market.ok(AllocateAllowances(account=market.entity, year=2026, symbol="CEA26", stage="pre"))
    market.go("09:30", "2026-03-03")
    for _ in range(2):
        market.place(market.trader, market.cea26, BUY, 6_200, 18_700)
        market.place(market.entity, market.cea26, SELL, 6_200, 18_700)
    market.go("09:30", "2027-01-04")
    market.verified(10_000, 2026)
    market.ok(market.final(10_000, 2026))


def of(*lines: tuple[Any, ...], year: int = 2025) -> Callable[[CarbonMarket], Document]:
    return lambda market: market.surrender(*lines, year=year)


def carry(symbol: str, to_symbol: str, lots: int) -> Callable[[CarbonMarket], Document]:
    return lambda _: CarryOverAllowances(symbol=symbol, to_symbol=to_symbol, quantity_lots=lots)


def fine(**changes: Any) -> Callable[[CarbonMarket], Document]:
    terms: dict[str, Any] = {"year": 2025, "multiple_ppm": 5_000_000, "reference": "decree 1"}
    return lambda market: ImposePenalty(**({"account": market.entity} | terms | changes))


REFUSED: list[tuple[Callable[[CarbonMarket], None], Callable[[CarbonMarket], Document], str, Any]] = [
    (nothing, of(("CEA25", 1)), "host", "not_a_compliance_entity"),
    (nothing, of(("CEA25", 1)), "operator", RejectCode.NO_PERMISSION),
    (nothing, of(("CEA25", 1), year=2024), "entity", "not_verified"),
    (nothing, of(("CEA25", 1), year=0), "entity", "year_out_of_range"),
    (nothing, of(), "entity", "too_many_rows"),
    (nothing, of(*[("CEA25", 1)] * 101), "entity", "too_many_rows"),
    (nothing, of(("CEA25", 0)), "entity", "quantity_out_of_range"),
    (nothing, of(("CEA25", -1)), "entity", "quantity_out_of_range"),
    (nothing, of(("nothing", 1)), "entity", "unknown_instrument"),
    (nothing, of(("PCC-2026", 1)), "entity", "wrong_class_of_units"),
    (other_units, of(("CEA", 1)), "entity", "allowances_without_vintage"),
    (other_units, of(("CEA27", 1)), "entity", "units_are_not_tons"),
    (nothing, of(("CEA26", 1)), "entity", "wrong_vintage"),  # no borrowing
    (window, of(("CEA25", 1), year=2026), "entity", "wrong_vintage"),
    (nothing, of(("CEA25", 1), ("CEA25", 1)), "entity", "units_named_twice"),
    (nothing, of(("CEA25", 49_501)), "entity", "units_not_available"),
    (locked, of(("CEA25", 1)), "entity", "units_not_available"),
    (frozen, of(("CEA25", 1)), "entity", "units_not_available"),
    (on_sale, of(("CEA25", 501)), "entity", "units_not_available"),
    (bought_today, of(("CEA25", 1)), "entity", "units_not_available"),
    (nothing, of(("CCER", 1_500, "A"), ("CCER", 1_501, "B")), "entity", "units_not_available"),
    (nothing, of(("CCER", 2_601, "CCER-1")), "entity", "ccer_above_their_share"),
    (nothing, of(("CCER", 1_300, "A"), ("CCER", 1_301, "B")), "entity", "ccer_above_their_share"),
    (offsets_used, of(("CCER", 1, "CCER-1")), "entity", "ccer_above_their_share"),
    (nothing, of(("CCER", 1)), "entity", "ccer_need_their_origin"),
    (nothing, of(("CCER", 1, "CCER-77")), "entity", "ccer_of_own_boundary"),
    (nothing, of(("CEA25", 1, "CCER-1")), "entity", "allowances_have_no_origin"),
    (met, of(("CEA25", 1)), "entity", "above_obligation"),
    (nothing, of(("CEA25", 49_500), ("CEA24", 1_000), ("CCER", 2_600, "A")), "entity", "above_obligation"),
    (closed, of(("CEA25", 1)), "entity", "surrender_deadline_has_passed"),
    (debtor, of(("CEA26", 1), year=2026), "entity", "allowance_debt_comes_first"),
    (debtor, carry("CEA25", "CEA26", 1), "entity", "allowance_debt_comes_first"),
    (nothing, carry("CEA25", "CEA26", 1), "host", "not_a_compliance_entity"),
    (nothing, carry("CEA25", "CEA25", 1), "entity", "wrong_vintage"),
    (nothing, carry("CEA25", "CEA24", 1), "entity", "wrong_vintage"),
    (nothing, carry("CCER", "CEA25", 1), "entity", "wrong_class_of_units"),
    (nothing, carry("CEA24", "CEA25", 1), "entity", "not_verified"),
    (nothing, carry("CEA25", "CEA26", 1), "entity", "obligation_is_not_met"),
    (met, carry("CEA25", "CEA26", 0), "entity", "units_not_available"),
    (met, carry("CEA25", "CEA26", 1_101), "entity", "units_not_available"),
    (met, carry("CEA25", "CEA26", 1), "entity", "above_carry_over_limit"),
    (nothing, lambda _: SettleAllowanceDebt(symbol="CEA25", quantity_lots=1), "entity", "above_debt"),
    (debtor, lambda _: SettleAllowanceDebt(symbol="CEA25", quantity_lots=0), "entity", "above_debt"),
    (debtor, lambda _: SettleAllowanceDebt(symbol="CEA26", quantity_lots=1), "entity", "units_not_available"),
    (debtor, lambda _: SettleAllowanceDebt(symbol="CCER", quantity_lots=1), "entity", "wrong_class_of_units"),
    (nothing, fine(), "operator", "no_shortfall"),
    (closed, fine(account=999), "operator", "unknown_account"),
    (closed, fine(year=2024), "operator", "no_shortfall"),
    (closed, fine(multiple_ppm=4_999_999), "operator", "multiple_out_of_range"),
    (closed, fine(multiple_ppm=10_000_001), "operator", "multiple_out_of_range"),
    (closed, fine(reference=""), "operator", "reference_malformed"),
    (closed, fine(), "entity", RejectCode.NO_PERMISSION),
    (fined, fine(), "operator", "fined_already"),
    (nothing, lambda _: CollectDues(account=999), "operator", "unknown_account"),
]


@pytest.mark.parametrize(("prepare", "document", "sender", "rule"), REFUSED)
def test_what_is_refused_changes_nothing(
    prepare: Callable[[CarbonMarket], None], document: Callable[[CarbonMarket], Document], sender: str, rule: Any
) -> None:
    market = Obliged()
    prepare(market)
    before = canonical.content(market.exchange)
    account = 32 if sender == "operator" else getattr(market, sender)
    assert market.refused(document(market), account) == rule
    after = canonical.content(market.exchange)
    # A command has been sequenced: that alone is another state.
    assert {name: value for name, value in after.items() if name != "counters"} == {
        name: value for name, value in before.items() if name != "counters"
    }
