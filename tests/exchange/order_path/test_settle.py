"""Settlement through the fold: what a day settles from, what it posts and keeps, and what refuses it."""

import msgspec
import pytest

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from tests.exchange.order_path.park import GENESIS
from tests.exchange.order_path.settling_park import KWH, SettlingPark


@pytest.fixture(name="park")
def fixture_park() -> SettlingPark:
    """10 kWh sold to the load in each of two quarter-hours; metered: 12 generated, 9 and 11 used."""
    park = SettlingPark()
    park.register_pv()
    for period in range(2):
        park.trade(park.load, 100, period=period)
    park.deliver()
    park.ok(park.readings({park.load: [9 * KWH, 11 * KWH], park.other: 0}, {park.plant: 12 * KWH}))
    return park


def test_the_environment_component_reaches_the_generator(park: SettlingPark) -> None:
    """Attribute of 9 and 10 kWh at 0.006 CNY/kWh."""
    assert park.settle()[0] == 0
    assert park.statement_amounts(park.load)["environment"] == -114_000
    assert park.statement_amounts(park.plant)["environment_sold"] == 114_000
    assert park.exchange.balances(House.CLEARING).balance_micro == 0
    assert park.exchange.money_sum_micro() == 0
    check_exchange(park.exchange)


def test_statements_agree_with_balances(park: SettlingPark) -> None:
    before = dict.fromkeys((park.plant, park.load, park.other), 10000000000)
    assert park.settle()[0] == 0
    for account, deposit in before.items():
        statement = park.exchange.statement(account, "2026-07-15")
        assert statement is not None
        assert park.exchange.balances(account).balance_micro == deposit + statement.total_micro
        assert park.exchange.balances(account).held_micro == 0


def test_a_level_before_the_value_chain_settles_as_it_did() -> None:
    genesis = msgspec.structs.replace(GENESIS, document=encode_settings(ExchangeSettings(level=0)))
    park = SettlingPark(exchange=Exchange(genesis))
    park.register_pv()
    park.trade(park.load, 100)
    park.deliver()
    park.ok(park.readings({park.load: 10 * KWH}, {park.plant: 10 * KWH}))
    assert park.settle()[0] == 0
    assert "environment" not in park.statement_amounts(park.load)
    content = canonical.content(park.exchange)
    assert [row[0] for row in content["settlements"]] == [1]
    assert "settled_days" not in content


def test_a_settled_exchange_survives_its_snapshot(park: SettlingPark) -> None:
    assert park.settle()[0] == 0
    restored = Exchange(park.exchange.genesis)
    canonical.restore(restored, canonical.snapshot(park.exchange))
    assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)
    assert restored.statement(park.load, "2026-07-15") == park.exchange.statement(park.load, "2026-07-15")


def test_the_state_hash_holds_a_digest_of_the_day_and_the_snapshot_its_columns(park: SettlingPark) -> None:
    assert park.settle()[0] == 0
    (digest,), (data,) = (form(park.exchange)["settled_days"] for form in (canonical.hashed_content, canonical.content))
    assert (len(digest[2]), digest[:2]) == (32, ["2026-07-15", 1])
    assert len(data[2]) > 200


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"day_start_ns": 0, "day_end_ns": 1}, "no_periods_to_settle"),
        ({"voltage_adders_micro_per_kwh": {"7": 1}}, "unknown_account"),
        ({"voltage_adders_micro_per_kwh": {"33": -1}}, "settlement_adder_out_of_range, account 33"),
    ],
)
def test_what_refuses_a_day_changes_nothing(park: SettlingPark, change: dict, rule: str) -> None:
    before = canonical.content(park.exchange)
    code, answer = park.settle(**change)
    assert (code != 0, answer.get("rule")) == (True, rule)
    after = canonical.content(park.exchange)
    assert after | {"counters": before["counters"]} == before


def test_a_missing_reading_refuses_the_day() -> None:
    park = SettlingPark()
    park.deliver()
    park.ok(park.readings({park.load: 10 * KWH}, {}, starts_ns=park.starts_ns[:1]))
    assert park.settle()[1] == {"rule": "settlement_grid_reading_missing, period gp-20260715-1015"}


def test_a_day_settles_once_by_its_first_run(park: SettlingPark) -> None:
    assert park.settle()[0] == 0
    assert park.settle()[1] == {"rule": "no_periods_to_settle"}
