"""Documents of settlement through the fold: rules, green contracts, network and dispatch, tariffs, months, later runs."""

from typing import Any

import msgspec
import pytest

from exchange.accounts.approvals import ApprovalMode, ApprovalRules
from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.business.approvals import required_approval
from exchange.order_path.business.rules import Caller
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.documents import Deposit, Document, Nominate
from exchange.protocol.value_chain.metering import DeviceReadings
from exchange.protocol.value_chain.settlement import (
    Connection,
    Feeder,
    GreenContract,
    OfferCurtailment,
    SetNetwork,
    SetSettlementRules,
    SetTariff,
    SettleMonth,
)
from exchange.registry.months import month_number, start_of_month_ns
from exchange.units import NS_PER_DAY, NS_PER_MINUTE, PERIOD_NS, WH_PER_MWH
from tests.exchange.order_path.park import DAY_NS, OPEN_NS, OPERATOR
from tests.exchange.order_path.settling_park import KWH, SettlingPark

JULY_END_NS = start_of_month_ns(month_number("2026-08"))
CNY = 1_000_000


def rule_of(park: SettlingPark, document: Document, account: int | None = None) -> str:
    """The rule that refuses a document, which then has changed nothing."""
    before = canonical.content(park.exchange)
    code, answer = park.document(document) if account is None else park.document(document, account)
    assert code != 0
    after = canonical.content(park.exchange)
    assert after | {"counters": before["counters"], "keys": before["keys"]} == before
    return str(answer.get("rule", code))


def survives(park: SettlingPark) -> None:
    """The state is sound, and whole in its snapshot."""
    check_exchange(park.exchange)
    assert park.exchange.money_sum_micro() == 0
    restored = Exchange(park.exchange.genesis)
    canonical.restore(restored, canonical.snapshot(park.exchange))
    assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)
    assert canonical.snapshot(restored) == canonical.snapshot(park.exchange)


# Rules of imbalance.


def test_rules_hold_from_their_time_on_and_a_day_says_which() -> None:
    park = SettlingPark()
    assert park.ok(SetSettlementRules(effective_ns=DAY_NS, imbalance="dual", alpha_ppm=100_000)) == {"version": 1}
    assert park.ok(SetSettlementRules(effective_ns=DAY_NS + NS_PER_DAY, imbalance="single")) == {"version": 2}
    park.deliver()
    park.ok(park.readings({park.load: 10 * KWH}, {park.plant: 0}))
    assert park.settle()[0] == 0
    assert park.statement_amounts(park.load)["deficit"] == -14_300_000  # 20 kWh at 0.65 and 10 %
    statement = park.exchange.statement(park.load, "2026-07-15")
    assert statement is not None
    assert statement.source.rules_version == 1
    survives(park)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"imbalance": "triple"}, "unknown_imbalance_rule"),
        ({"alpha_ppm": 100_001}, "alpha_out_of_range"),
        ({"imbalance": "single", "alpha_ppm": 1}, "alpha_is_of_dual_prices"),
        ({"effective_ns": OPEN_NS - PERIOD_NS}, "effective_in_the_past"),
        ({"effective_ns": DAY_NS + 1}, "effective_off_grid"),
        ({"effective_ns": DAY_NS}, "effective_before_the_last_rules"),
    ],
)
def test_rules_that_are_refused(fields: dict[str, Any], rule: str) -> None:
    park = SettlingPark()
    park.ok(SetSettlementRules(effective_ns=DAY_NS, imbalance="pool"))
    values = {"effective_ns": DAY_NS + PERIOD_NS, "imbalance": "dual", "alpha_ppm": 0} | fields
    assert rule_of(park, SetSettlementRules(**values)) == rule


# Green contracts and months. A park that lists the 15th of August, for contracts of a month that has not begun.


def contract(park: SettlingPark, **fields: Any) -> GreenContract:
    values = {
        "reference": "GC-1", "buyer": park.load, "generator": park.plant, "month": "2026-08", "energy_wh": 120 * WH_PER_MWH,
        "energy_price_ticks": 4_500, "environment_price_ticks": 60, "deviation_price_ticks": 60,
    }  # fmt: skip
    return GreenContract(**(values | fields))


class AugustPark(SettlingPark):
    """The same park with its two quarter-hours on the first of August."""

    FIRST_NS = JULY_END_NS + 40 * PERIOD_NS

    def __init__(self) -> None:
        starts = [self.FIRST_NS + index * PERIOD_NS for index in range(2)]
        super().__init__(1)
        specs = [self.exchange.instruments()[0].spec]
        august = []
        for index, start_ns in enumerate(starts):
            august.append(
                msgspec.structs.replace(
                    specs[0], symbol=f"GP-20260801-10{15 * index:02}", delivery_start_ns=start_ns, delivery_end_ns=start_ns + PERIOD_NS,
                    open_ns=JULY_END_NS - 8 * 4 * PERIOD_NS, close_ns=start_ns - 5 * NS_PER_MINUTE,
                )
            )  # fmt: skip
        self.instruments = self.list(*august)
        self.starts_ns = starts

    def settle_august(self, **fields: Any) -> tuple[int, dict[str, Any]]:
        return self.settle(**({"day": "2026-08-01", "day_start_ns": JULY_END_NS, "day_end_ns": JULY_END_NS + NS_PER_DAY} | fields))

    def amounts(self, account: int, name: str, run: int = 0) -> dict[str, int]:
        statement = self.exchange.statement(account, name, run)
        assert statement is not None
        return {str(line.item): line.amount_micro for line in statement.lines if line.amount_micro}


def test_story_three() -> None:
    """Contract 120 MWh, delivered 110, used 130: 110 MWh, 660.00 CNY of environment, and the plant pays 60.00 for 10 MWh."""
    park = AugustPark()
    park.register_pv()
    for account in (park.load, park.other):
        park.ok(money(account, 200_000))
    assert park.ok(contract(park)) == {"contract": 1}
    park.deliver()
    park.ok(park.readings({park.load: 65 * WH_PER_MWH}, {park.plant: 55 * WH_PER_MWH}))
    assert park.settle_august()[0] == 0
    assert park.amounts(park.load, "2026-08-01")["green_contract"] == -49_500 * CNY  # 110 MWh at 0.45
    assert park.amounts(park.load, "2026-08-01")["deficit"] == -13_000 * CNY  # the other 20 at retail
    assert "surplus" not in park.amounts(park.plant, "2026-08-01")
    park.tick(start_of_month_ns(month_number("2026-09")))
    assert park.ok(SettleMonth(month="2026-08"))["contracts"] == [[1, 110 * WH_PER_MWH, 10 * WH_PER_MWH, 0]]
    assert park.amounts(park.load, "2026-08") == {"environment": -660 * CNY, "deviation": 600_000 * 100}
    assert park.amounts(park.plant, "2026-08") == {"environment_sold": 660 * CNY, "deviation": -60 * CNY}
    survives(park)


def money(account: int, amount_cny: int) -> Document:
    return Deposit(account=account, amount_micro=amount_cny * CNY, reference="more")


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"reference": ""}, "reference_malformed"),
        ({"reference": "GC-0"}, "reference_taken"),
        ({"buyer": 99}, "unknown_account"),
        ({"generator": "other"}, "parties_do_not_fit"),
        ({"buyer": "plant"}, "parties_do_not_fit"),
        ({"month": "2026-13"}, "month_malformed"),
        ({"month": "2026-07"}, "month_has_begun"),
        ({"energy_wh": 0}, "energy_out_of_range"),
        ({"environment_price_ticks": -1}, "price_out_of_range"),
    ],
)
def test_green_contracts_that_are_refused(fields: dict[str, Any], rule: str) -> None:
    park = SettlingPark()
    park.register_pv()
    park.ok(contract(park, reference="GC-0"))
    names = {"plant": park.plant, "other": park.other}
    assert rule_of(park, contract(park, **{name: names.get(value, value) for name, value in fields.items()})) == rule


def test_a_green_contract_needs_a_renewable_device() -> None:
    park = SettlingPark()
    assert rule_of(park, contract(park)) == "generator_has_no_renewable_device"


def tariff(account: int, **fields: Any) -> SetTariff:
    values = {"account": account, "effective_ns": JULY_END_NS, "kind": "capacity", "connected_kva": 100, "energy_micro_per_kwh": 190_000}
    return SetTariff(**(values | {"load_factor_ppm": 409_300} | fields))


def test_a_month_charges_the_network_and_pays_the_mechanism_price() -> None:
    """100 kVA by the 1192 rule: 5,676.991 CNY. The plant's 24 kWh at 0.30 against a market of 0.25, 80 % of them."""
    park = AugustPark()
    park.register_pv()
    park.ok(tariff(park.load))
    park.ok(tariff(park.plant, kind="none", mechanism_micro_per_kwh=300_000, mechanism_share_ppm=800_000))
    park.deliver()
    park.ok(park.readings({park.load: 10 * KWH}, {park.plant: 12 * KWH}))
    assert park.settle_august()[0] == 0
    park.tick(start_of_month_ns(month_number("2026-09")))
    grid_before = park.exchange.balances(House.GRID).balance_micro
    park.ok(SettleMonth(month="2026-08", reference_micro_per_kwh=250_000))
    assert park.amounts(park.load, "2026-08") == {"capacity_charge": -5_676_991_000}
    assert park.amounts(park.plant, "2026-08") == {"mechanism": 960_000}
    assert park.exchange.balances(House.GRID).balance_micro - grid_before == 5_676_991_000 - 960_000
    assert park.exchange.balances(House.NETWORK_TARIFF).balance_micro == 0
    statement = park.exchange.statement(park.load, "2026-08")
    assert statement is not None
    assert {str(line.item): str(line.status) for line in statement.lines}["capacity_charge"] == "charged"
    survives(park)


def test_a_month_is_settled_after_its_days_and_its_runs_in_order() -> None:
    park = AugustPark()
    park.deliver()
    assert rule_of(park, SettleMonth(month="2026-08")) == "month_is_not_over"
    park.tick(start_of_month_ns(month_number("2026-09")))
    assert rule_of(park, SettleMonth(month="2026-08")) == "month_has_open_days"
    park.ok(park.readings({park.load: 10 * KWH}, {park.plant: 12 * KWH}))
    assert park.settle_august()[0] == 0
    assert rule_of(park, SettleMonth(month="2026-08", run=2)) == "run_is_not_the_next"
    assert rule_of(park, SettleMonth(month="2026-06")) == "month_has_no_settled_day"
    assert park.ok(SettleMonth(month="2026-08"))["days"] == 1
    assert park.ok(SettleMonth(month="2026-08", run=2))["run"] == 2


# Dispatch.


def network(park: SettlingPark, export_limit_w: int) -> SetNetwork:
    feeders = [Feeder(name="F1", import_limit_w=10**9, export_limit_w=export_limit_w)]
    return SetNetwork(feeders=feeders, connections=[Connection(account=park.plant, feeder="F1")], compensation_micro_per_kwh=300_000)


def test_an_overloaded_feeder_curtails_at_the_gate_and_the_statement_compensates() -> None:
    """10 kWh sold, 7.5 kWh fit: 2.5 are curtailed, 1 of them offered at 0.10. The meter shows 8, so 2 of 2.5 are proven."""
    park = SettlingPark(1)
    park.ok(network(park, 30_000))
    park.trade(park.load, 100)
    park.ok(OfferCurtailment(symbol="GP-20260715-1000", energy_wh=1_000, price_micro_per_kwh=100_000), park.plant)
    park.deliver()
    park.ok(park.readings({park.load: 10 * KWH}, {park.plant: 8 * KWH}))
    assert park.settle()[0] == 0
    amounts = park.statement_amounts(park.plant)
    assert amounts["curtailment"] == 2 * (100_000 * 1 + 300_000 * 3 // 2) // 5 * 2
    assert amounts["deficit"] == -1_300_000  # the meter is settled: 2 kWh short at 0.65
    survives(park)


def test_without_an_overload_nothing_is_curtailed() -> None:
    park = SettlingPark(1)
    park.ok(network(park, 40_000))
    park.trade(park.load, 100)
    park.deliver()
    assert park.exchange.rooms.dispatch.curtailed == {}


def test_a_nomination_keeps_to_what_dispatch_has_left() -> None:
    park = SettlingPark(1)
    store = park.admit("store", "storage", ["power_buy", "power_sell"], low=-1_000, high=1_000)
    park.storage(store)
    feeders = [Feeder(name="F1", import_limit_w=0, export_limit_w=20_000)]
    park.ok(SetNetwork(feeders=feeders, connections=[Connection(account=store, feeder="F1")], compensation_micro_per_kwh=0))
    park.ok(Nominate(account=store, symbol="GP-20260715-1000", injection_wh=8_000), store)
    park.tick(park.starts_ns[0] - NS_PER_MINUTE)
    assert rule_of(park, Nominate(account=store, symbol="GP-20260715-1000", injection_wh=5_001), store) == "nomination_beyond_dispatch"
    park.ok(Nominate(account=store, symbol="GP-20260715-1000", injection_wh=5_000), store)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"symbol": "GP-NONE"}, "unknown_instrument"),
        ({"energy_wh": -1}, "energy_out_of_range"),
        ({"price_micro_per_kwh": 10**9 + 1}, "price_out_of_range"),
    ],
)
def test_offers_that_are_refused(fields: dict[str, Any], rule: str) -> None:
    park = SettlingPark(1)
    park.ok(network(park, 1))
    values = {"symbol": "GP-20260715-1000", "energy_wh": 1, "price_micro_per_kwh": 1} | fields
    assert rule_of(park, OfferCurtailment(**values), park.plant) == rule
    assert rule_of(park, OfferCurtailment(**(values | {"symbol": "GP-20260715-1000", "energy_wh": 1, "price_micro_per_kwh": 1})), park.load) == (
        "account_is_not_connected"
    )


@pytest.mark.parametrize(
    "document",
    [
        SetSettlementRules(effective_ns=DAY_NS, imbalance="pool"),
        SetNetwork(feeders=[], connections=[], compensation_micro_per_kwh=0),
        tariff(33),
    ],
)
def test_what_settles_everybody_needs_four_eyes(document: Document) -> None:
    park = SettlingPark(1)
    caller = Caller(OPERATOR, park.now_ns)
    assert required_approval(park.exchange, document, caller) is None
    park.exchange.rooms.approvals.rules = ApprovalRules(mode=ApprovalMode.FOUR_EYES)
    assert required_approval(park.exchange, document, caller) == "rules"
    assert required_approval(park.exchange, SettleMonth(month="2026-07"), caller) is None


def test_heat_and_cold_are_on_the_statement_and_cost_nothing() -> None:
    park = SettlingPark()
    kinds = {"heat": ([700, 900], [0, 100]), "cold": ([0, 0], [50, 60])}
    for kind, (taken_wh, given_wh) in kinds.items():
        device = park.register_pv(park.load, name=kind, kind=kind, scheme="none")
        park.deliver()
        park.ok(DeviceReadings(
            revision=1, devices=[device], first_starts_ns=[park.starts_ns[0]], counts=[2], qualities=["measured"],
            import_wh=taken_wh, export_wh=given_wh,
        ))  # fmt: skip
    park.ok(park.readings({park.load: 10 * KWH}, {}))
    before = park.exchange.balances(park.load).balance_micro
    assert park.settle()[0] == 0
    statement = park.exchange.statement(park.load, "2026-07-15")
    assert statement is not None
    of_carriers = {str(line.item): (line.energy_wh, line.amount_micro, str(line.status)) for line in statement.lines if line.item in {"heat", "cold"}}
    assert of_carriers == {"heat": (1_500, 0, "information"), "cold": (-110, 0, "information")}
    assert statement.consumption_wh == 2 * 10 * KWH
    assert park.exchange.balances(park.load).balance_micro - before == statement.total_micro
    other = park.exchange.statement(park.other, "2026-07-15")
    assert other is not None
    assert not {"heat", "cold"} & {str(line.item) for line in other.lines}
