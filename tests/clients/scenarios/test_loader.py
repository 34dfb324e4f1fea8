"""The demo park against the figures it must have, and what makes a day: date, seed, meters, tariff."""

import datetime
from pathlib import Path

import numpy as np
import pytest

from clients.scenarios import DEFAULT_DATE, SHIPPED, Park, check_meters, load_park, meters_template, tariff_template
from exchange.accounts.permissions import ROLE_PERMISSIONS, Permission, Role, parse_permissions
from exchange.errors import InputError
from exchange.market.instruments import spec_problem
from exchange.protocol.documents import InstrumentSpec
from exchange.units import NS_PER_MINUTE, PERIOD_NS

# Weekday in summer, Saturday, Spring Festival, National Day, the shortest day, a leap day that the derived year does not have.
DAYS = [datetime.date.fromisoformat(day) for day in ("2026-07-15", "2026-07-18", "2026-02-17", "2026-10-01", "2026-12-21", "2028-02-29")]


@pytest.fixture(scope="module")
def park() -> Park:
    return load_park()


def test_the_demo_park(park: Park) -> None:
    assert len(park.members) == 28
    enterprises = [member for member in park.members if member.role == "enterprise"]
    assert [member.id for member in enterprises] == [f"E{number:02d}" for number in range(1, 21)]
    assert sum(member.annual_mwh for member in park.members) == 38_400
    assert sum(member.generation_kw for member in park.members if member.id.startswith("PV")) == 12_000
    assert park.member("W01").generation_kw == 4_000
    storage = park.member("S01").storage
    assert storage is not None
    assert (storage.energy_wh, storage.power_w) == (10_000_000, 5_000_000)
    assert storage.charge_efficiency_ppm * storage.discharge_efficiency_ppm / 1e12 == pytest.approx(0.88, abs=1e-6)
    assert park.power.park_fee_micro_per_kwh == 40_000
    assert park.emission_factor.mg_per_kwh == 530_600
    assert park.emission_factor.label == "MEE 2023 national average: 0.5306 kgCO2/kWh"


@pytest.mark.parametrize(
    ("member", "low", "high"),
    [
        ("E01", 0, 2_625),  # 1,050 kW x 0.25 h = 262.5 kWh
        ("PV01", -12_500, 0),  # 5 MWp x 0.25 h
        ("S01", -12_500, 12_500),
        ("MM1", -5_000, 5_000),  # by its limit of 2 MW
        ("CO1", 0, 0),
    ],
)
def test_position_limits(park: Park, member: str, low: int, high: int) -> None:
    assert (park.member(member).min_net_power_lots, park.member(member).max_net_power_lots) == (low, high)


def test_members_differ(park: Park) -> None:
    enterprises = [member for member in park.members if member.role == "enterprise"]
    assert {member.voltage_kv for member in enterprises} == {"110", "35", "10", "0.4"}
    for differing in ("connection_kw", "flexible_ppm", "willingness_ppm", "green_premium_micro_per_kwh", "voltage_adder_micro_per_kwh"):
        assert len({getattr(member, differing) for member in enterprises}) >= 4, differing
    assert {choice.name for member in park.members for choice in member.strategies} == {
        "factory", "generator", "storage", "market_maker", "compliance", "zip", "zero_intelligence",
    }  # fmt: skip
    assert all(member.name_en and member.name_zh for member in park.members)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("day", DAYS)
def test_every_day_of_every_scenario_is_sound(name: str, day: datetime.date) -> None:
    park = load_park(name, day)
    assert len(park.start_ns) == 96
    assert (np.diff(park.start_ns) == PERIOD_NS).all()
    assert (park.surplus_price_ticks <= park.deficit_price_ticks).all()
    assert (park.gate_ns == park.start_ns - 5 * NS_PER_MINUTE).all()
    assert not np.sum([member.contract_lots for member in park.members], axis=0).any()
    for member in park.members:
        assert member.min_net_power_lots <= int(member.contract_lots.min())
        assert int(member.contract_lots.max()) <= member.max_net_power_lots
        load_limit, plant_limit = member.connection_kw * 250, member.generation_kw * 250
        for values, limit in (
            (member.load_wh, load_limit), (member.forecast_load_wh, load_limit), (member.updated_load_wh, load_limit),
            (member.generation_wh, plant_limit), (member.forecast_generation_wh, plant_limit), (member.updated_generation_wh, plant_limit),
        ):  # fmt: skip
            assert values.dtype == np.int64
            assert values.shape == (96,)
            assert not values.flags.writeable
            assert 0 <= int(values.min()) <= int(values.max()) <= max(limit, 0)


def test_opening_is_at_four_the_day_before(park: Park) -> None:
    opens = datetime.datetime.fromtimestamp(park.opens_ns / 1e9, park.zone)
    assert opens.isoformat() == "2026-07-14T16:00:00+08:00"
    assert park.symbols[0] == "GP-20260715-0000"


def test_the_day_has_both_surplus_and_deficit(park: Park) -> None:
    # Otherwise nobody would have anything to trade in.
    net = np.sum([member.net_injection_wh for member in park.members], axis=0)
    assert (net > 0).sum() >= 10
    assert (net < 0).sum() >= 40
    deviations = sum(np.abs(member.forecast_consumption_wh - member.contract_lots * 100).sum() for member in park.members)
    assert deviations > 0.2 * sum(member.load_wh.sum() for member in park.members)


def arrays(park: Park) -> list[list[int]]:
    return [
        values.tolist()
        for member in park.members
        for values in (
            member.load_wh, member.generation_wh, member.forecast_load_wh, member.forecast_generation_wh,
            member.updated_load_wh, member.updated_generation_wh, member.contract_lots,
        )
    ]  # fmt: skip


def test_the_same_arguments_give_the_same_park(park: Park) -> None:
    assert arrays(load_park()) == arrays(park)


def test_seed_and_date_matter(park: Park) -> None:
    assert arrays(load_park(seed=8)) != arrays(park)
    assert arrays(load_park(date=datetime.date(2026, 7, 16))) != arrays(park)


def test_a_member_does_not_depend_on_the_others(tmp_path: Path, park: Park) -> None:
    # Noise belongs to (seed, member, date): dropping a member leaves the others as they were.
    text = Path(__file__).parents[3].joinpath("clients", "scenarios", "data", "park.toml").read_text("utf-8")
    without = text[: text.index('[[member]]\nid = "E20"')] + text[text.index("# Plants, storage, market makers") :]
    path = tmp_path / "nineteen.toml"
    path.write_text(without, "utf-8")
    smaller = load_park(path)
    assert len(smaller.members) == 27
    assert smaller.member("E19").load_wh.tolist() == park.member("E19").load_wh.tolist()


def test_forecasts_get_better_towards_the_gate() -> None:
    errors = {"forecast": 0, "updated": 0}
    for seed in range(10):
        for member in load_park(seed=seed).members:
            for horizon in errors:
                errors[horizon] += int(np.abs(getattr(member, f"{horizon}_generation_wh") - member.generation_wh).sum())
    assert errors["updated"] < 0.6 * errors["forecast"]


def test_yearly_energy_is_that_of_the_park() -> None:
    # 36 days are no year, but far from 38.4 and 13.2 GWh they would show a factor or a unit gone wrong. Loading every month also
    # shows that no monthly contract is beyond what a member may hold.
    days = [load_park(date=datetime.date(2026, month, day)) for month in range(1, 13) for day in (7, 14, 21)]
    load = sum(int(member.load_wh.sum()) for park in days for member in park.members) / len(days) * 365 / 1e9
    solar = sum(int(member.generation_wh.sum()) for park in days for member in park.members if member.id.startswith("PV")) / len(days) * 365 / 1e9
    assert load == pytest.approx(38.4, rel=0.05)
    assert solar == pytest.approx(13.2, rel=0.15)


def test_vintages_follow_the_date() -> None:
    assert [unit.symbol for unit in load_park().instruments] == ["GEC-202605-PV", "GEC-202604-WIND", "CEA25", "CCER", "PCC-2026"]
    january = load_park(date=datetime.date(2026, 1, 20))
    assert [unit.symbol for unit in january.instruments][:2] == ["GEC-202511-PV", "GEC-202510-WIND"]
    assert january.member("PV01").holdings_lots == {"GEC-202511-PV": 46}


def test_bands_of_the_units(park: Park) -> None:
    # Story 7: CEA with previous close 62.00 trades from 55.80 to 68.20; a band that is not on the tick is cut inwards.
    bands = {unit.symbol: (unit.band_low_ticks, unit.band_high_ticks) for unit in park.instruments}
    assert bands["CEA25"] == (5580, 6820)
    assert bands["CCER"] == (6081, 7431)


def test_the_exchange_would_list_every_instrument(park: Park) -> None:
    for unit in park.instruments:
        spec = InstrumentSpec(
            symbol=unit.symbol, instrument_class=unit.instrument_class, venue=unit.venue, calendar=unit.calendar, price_decimals=2,
            quantity_decimals=0,
            multiplier_micro=10_000, unit=unit.unit, min_price_ticks=1, max_price_ticks=unit.band_high_ticks * 10, band_low_ticks=unit.band_low_ticks,
            band_high_ticks=unit.band_high_ticks, max_order_lots=unit.max_order_lots, resale=unit.resale,
            maker_fee_tick_lot_micro=unit.maker_fee_tick_lot_micro, taker_fee_tick_lot_micro=unit.taker_fee_tick_lot_micro,
        )  # fmt: skip
        assert spec_problem(spec) is None, unit.symbol


def test_permissions_fit_roles_and_holdings(park: Park) -> None:
    for member in park.members:
        granted = parse_permissions(list(member.permissions))
        assert granted is not None
        assert not granted & ~ROLE_PERMISSIONS[Role(member.role)]
        for programme in member.programmes:
            kind = next(unit.instrument_class for unit in park.instruments if unit.symbol == programme.symbol)
            assert Permission[f"{kind}_{'buy' if programme.quantity_lots > 0 else 'sell'}".upper()] in granted, (member.id, programme.symbol)
    assert not any("gec_sell" in member.permissions for member in park.members if member.role in {"market_maker", "esco", "enterprise"})


def test_certificates_are_for_sale_and_wanted(park: Park) -> None:
    for unit in park.instruments:
        programmes = [programme for member in park.members for programme in member.programmes if programme.symbol == unit.symbol]
        highest_bid = max(programme.limit_price_ticks for programme in programmes if programme.quantity_lots > 0)
        lowest_ask = min(programme.limit_price_ticks for programme in programmes if programme.quantity_lots < 0)
        assert highest_bid >= lowest_ask, unit.symbol


def test_story_and_compliance() -> None:
    assert load_park("story").member("E03").connection_kw == 10_000
    assert load_park("story").member("E07").connection_kw == load_park().member("E07").connection_kw
    emitter = load_park("compliance").member("E07")
    assert emitter.holdings_lots == {"CEA25": 49_500}
    assert [(programme.symbol, programme.quantity_lots) for programme in emitter.programmes] == [("CEA25", 2_500)]


def test_template_is_a_full_day_that_reads_back(tmp_path: Path, park: Park) -> None:
    path = tmp_path / "meters.csv"
    path.write_text(meters_template(), "utf-8")
    again = load_park(meters=path)
    for before, after in zip(park.members, again.members, strict=True):
        assert before.load_wh.tolist() == after.load_wh.tolist()
        assert before.generation_wh.tolist() == after.generation_wh.tolist()
        assert after.is_metered_by_user == bool(before.annual_mwh or before.generation_kw)
    assert "24 " not in "".join(again.notes)
    assert check_meters(path).rows == 24 * 96


def test_the_shipped_template_is_the_printed_one() -> None:
    shipped = Path(__file__).parents[3].joinpath("clients", "scenarios", "data", "meters-template.csv").read_text("utf-8")
    assert shipped == meters_template(members=["PV01", "E01"])
    with pytest.raises(InputError, match="no member 'E99'"):
        meters_template(members=["E99"])


def test_own_meters_take_the_place_of_profiles_and_the_rest_is_named(tmp_path: Path, park: Park) -> None:
    path = tmp_path / "one.csv"
    lines = meters_template().splitlines()
    path.write_text("\n".join([lines[0], *(f"{line.rsplit(',', 1)[0]},7.5" for line in lines[1:] if ",E14," in line)]), "utf-8")
    again = load_park(meters=path)
    assert again.member("E14").load_wh.tolist() == [7_500] * 96
    assert again.member("E14").forecast_load_wh.tolist() != [7_500] * 96
    assert again.member("E15").load_wh.tolist() == park.member("E15").load_wh.tolist()
    assert "E15" in again.notes[0]
    assert "E14" not in again.notes[0].split(":")[1]


def test_own_tariff(tmp_path: Path, park: Park) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(tariff_template(), "utf-8")
    assert set(load_park(tariff=path).deficit_price_ticks.tolist()) == {3200, 6500, 10820}
    path.write_text(tariff_template().replace("0.3200", "0.2700"), "utf-8")
    with pytest.raises(InputError, match="above the retail"):
        load_park(tariff=path)


def test_other_years_say_where_their_profiles_come_from(park: Park) -> None:
    assert park.notes == ()
    assert "2026" in load_park(date=datetime.date(2025, 7, 15)).notes[0]


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_seed_range(seed: int) -> None:
    with pytest.raises(InputError, match="seed"):
        load_park(seed=seed)


@pytest.mark.parametrize("day", [datetime.date.min, datetime.date.max])
def test_date_range(day: datetime.date) -> None:
    with pytest.raises(InputError, match="2000 to 2099"):
        load_park(date=day)


@pytest.mark.parametrize(("day", "count"), [("2026-03-29", 92), ("2026-10-25", 100)])
def test_days_on_which_the_clock_changes(tmp_path: Path, day: str, count: int) -> None:
    path = tmp_path / "berlin.toml"
    path.write_text('base = "park"\ntime_zone = "Europe/Berlin"\n', "utf-8")
    park = load_park(path, datetime.date.fromisoformat(day))
    assert len(set(park.symbols)) == len(park.start_ns) == len(park.deficit_price_ticks) == count
    assert not np.sum([member.contract_lots for member in park.members], axis=0).any()
    assert all(len(member.load_wh) == len(member.forecast_generation_wh) == count for member in park.members)


def test_a_date_before_the_tariff() -> None:
    with pytest.raises(InputError, match="starts on 2024-06-01"):
        load_park(date=datetime.date(2024, 1, 1))


def test_unknown_member(park: Park) -> None:
    with pytest.raises(InputError, match="no member 'E99'"):
        park.member("E99")


def test_default_date(park: Park) -> None:
    assert park.date == DEFAULT_DATE
