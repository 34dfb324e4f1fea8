"""A later run through the fold: positions, prices and rules of the day, readings of now."""

import pytest

from exchange.ledger.chart import House
from exchange.metering.table import MeterTable
from exchange.order_path import canonical
from exchange.order_path.carbon_queries import year_report
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.value_chain.settlement import SetSettlementRules
from exchange.units import NS_PER_DAY
from tests.exchange.order_path.park import DAY_NS
from tests.exchange.order_path.settling_park import KWH, SettlingPark


@pytest.fixture(name="park")
def fixture_park() -> SettlingPark:
    """10 kWh sold in each quarter-hour; the first readings say that the load used 10, the plant generated 12."""
    park = SettlingPark()
    park.register_pv()
    for period in range(2):
        park.trade(park.load, 100, period=period)
    park.ok(SetSettlementRules(effective_ns=DAY_NS + NS_PER_DAY, imbalance="single"))
    park.deliver()
    park.ok(park.readings({park.load: 10 * KWH}, {park.plant: 12 * KWH}))
    assert park.settle()[0] == 0
    return park


def correct(park: SettlingPark, used_wh: int, made_wh: int) -> None:
    """The meters as a correction leaves them: other numbers of a higher revision for settled periods."""
    table = MeterTable()
    document = park.readings({park.load: used_wh}, {park.plant: made_wh})
    assert table.apply(document, park.exchange.rooms.participants.by_id, park.now_ns) is None
    table.mark_settled(park.starts_ns)
    park.exchange.rooms.meters = table


def test_a_later_run_posts_what_the_right_readings_change(park: SettlingPark) -> None:
    """The load used 13, the plant made 9: 1 kWh short and 3 kWh short a period, at 0.65, and the surplus of 2 is gone."""
    before = {account: park.exchange.balances(account).balance_micro for account in (park.load, park.plant)}
    correct(park, 13 * KWH, 9 * KWH)
    code, answer = park.settle(run=2)
    assert (code, answer["run"]) == (0, 2)
    load, plant = (park.exchange.balances(account).balance_micro - before[account] for account in (park.load, park.plant))
    assert load == -2 * 3 * 650_000 + 2 * 6_000  # the attribute of 9 instead of 10 kWh
    assert plant == -2 * (650_000 + 2 * 280_000) - 2 * 6_000
    statement = park.exchange.statement(park.load, "2026-07-15")
    first = park.exchange.statement(park.load, "2026-07-15", run=1)
    assert statement is not None
    assert first is not None
    assert (statement.run, first.run, statement.total_micro - first.total_micro) == (2, 1, load)
    assert sum(statement.adjustments_micro) == load
    assert statement.source.rules_version == first.source.rules_version == 0  # rules of the next day do not reach back
    assert park.exchange.balances(House.CLEARING).balance_micro == 0
    check_exchange(park.exchange)
    restored = Exchange(park.exchange.genesis)
    canonical.restore(restored, canonical.snapshot(park.exchange))
    assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)
    assert restored.statement(park.load, "2026-07-15", run=1) == first


def test_the_first_run_s_statement_stays_as_it_was(park: SettlingPark) -> None:
    first = park.exchange.statement(park.load, "2026-07-15")
    correct(park, 13 * KWH, 9 * KWH)
    assert park.settle(run=2)[0] == 0
    assert park.exchange.statement(park.load, "2026-07-15", run=1) == first
    assert park.exchange.statement(park.load, "2026-07-15", run=3) is None


@pytest.mark.parametrize(("fields", "rule"), [
    ({"run": 3}, "run_is_not_the_next"),
    ({"run": 0}, "run_is_not_the_next"),
    ({"run": 2, "day": "2026-07-16"}, "run_is_not_the_next"),
    ({"run": 2, "voltage_adders_micro_per_kwh": {"33": 1}}, "adders_are_those_of_the_first_run"),
])  # fmt: skip
def test_runs_that_are_refused(park: SettlingPark, fields: dict, rule: str) -> None:
    before = canonical.content(park.exchange)
    code, answer = park.settle(**fields)
    assert (code != 0, answer) == (True, {"rule": rule})
    assert canonical.content(park.exchange) | {"counters": before["counters"]} == before


@pytest.mark.parametrize(("used_kwh", "made_kwh", "direct_kwh"), [(10, 12, 10), (9, 12, 9), (10, 7, 7), (0, 0, 0)])
def test_the_carbon_account_goes_by_the_corrected_meters(park: SettlingPark, used_kwh: int, made_kwh: int, direct_kwh: int) -> None:
    """Certificates of 10 kWh a period were issued for delivered energy; green is what the meters still say, whatever happens to them."""
    correct(park, used_kwh * KWH, made_kwh * KWH)
    assert park.settle(run=2)[0] == 0
    member = next(member for member in year_report(park.exchange, 2026).members if member.account == park.load)
    assert (member.direct_wh, member.grid_wh) == (2 * direct_kwh * KWH, 2 * max(used_kwh - made_kwh, 0) * KWH)
