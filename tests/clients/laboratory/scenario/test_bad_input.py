"""Scenario files with a mistake: each is named with file, line and reason, all of them at once."""

from pathlib import Path

import pytest

from clients.laboratory.scenario.resolve import load_scenario
from exchange.errors import InputError

# One mistake, and what is said about it; the mistake stands in the last line unless the third item says how far above.
CASES = [
    ("nmae = 'x'", "nmae: unknown key; did you mean name?", 0),
    ("[market]\ngate_closure = 5", "market.gate_closure: unknown key; did you mean gate_closure_minutes?", 0),
    ('[market]\ngate_closure_minutes = "1h"', "market.gate_closure_minutes: '1h' is not a whole number; expected minutes", 0),
    ("[market]\ngate_closure_minutes = 480", "the book of 00:00 would close 480 minutes before, when it has not yet opened at 16:00", 0),
    ('[market]\nopens = "4 pm"', "market.opens: '4 pm' is not a local time such as 16:00", 0),
    ('[market]\nopens = "24:00"', "not a local time", 0),
    ("[market]\nopening_auction_minutes = -1", "market.opening_auction_minutes: -1 is outside 0 to 1440", 0),
    ('[market]\nmechanism = "cad"', "market.mechanism: 'cad'; expected one of cda, uniform, pay-as-bid", 0),
    ('[market]\ntie = "size"', "market.tie: 'size'; expected one of time, pro_rata, lot", 0),
    ('[market]\nself_trade = "allow"', "market.self_trade: 'allow'; expected one of cancel_newest", 0),
    ('[market]\ntransparency = "half"', "market.transparency: 'half'; expected one of full, top, trades, none", 0),
    ("[market]\nrounds_before_gate_minutes = [15, 30, 0]", "each less than the one before, such as 60, 15, 0; got 15, 30, 0", 0),
    ("[market]\nrounds_before_gate_minutes = [30, -5]", "expected minutes before the gate", 0),
    ("[market]\nrounds_before_gate_minutes = []\nday_ahead_rounds = 0", "without a round nobody can trade", 1),
    ("[market]\nday_ahead_rounds = 40", "40 rounds every 15 minutes end after the first gate, 475 minutes from the opening", 0),
    ("[market]\nday_ahead_rounds = 97\nday_ahead_minutes = 1", "97 is outside 0 to 96", 1),
    ('[market]\nmin_price_cny_per_kwh = "2.0001"', "min_price is not below max_price: the price band is inverted", 0),
    ("[market]\nmin_price_cny_per_kwh = -0.1", "-0.1' is negative", 0),
    ('[market]\ntick_cny_per_kwh = "0.00005"', "5 decimals; at most 4", 0),
    ('[market]\ntick_cny_per_kwh = "2.5"', "2.5 is outside 0.0001 to 1.99", 0),
    ("[market]\nlot_kwh = 0", "market.lot_kwh: 0 is outside 0.1 to 5000", 0),
    ('[market]\npark_fee_cny_per_kwh = "4 fen"', "'4 fen' is not a plain decimal number", 0),
    ("[market]\nk_permille = 1001", "market.k_permille: 1001 is outside 0 to 1000", 0),
    ('[imbalance]\nrule = "triple"', "imbalance.rule: 'triple'; expected one of dual, single, pool", 0),
    ("[forecast]\nhorizon_minutes = [60, 120]\nunknown_permille = [1000, 500]", "each less than the one before", 1),
    ("[forecast]\nhorizon_minutes = [120, 60]\nunknown_permille = [500, 501]", "a shorter horizon must not know less", 0),
    ("[forecast]\nhorizon_minutes = [120, 60]\nunknown_permille = [500]", "2 horizon_minutes and 1 unknown_permille", 0),
    ("[forecast]\nerror_permille = 10001", "10001 is outside 0 to 10000", 0),
    ('[carbon]\nscheme = "irec"', "carbon.scheme: 'irec'; expected one of granular, gec", 0),
    ('[carbon]\nresidual = { publisher = "MEE", year = 2019, region = "national", kind = "residual" }', "no such factor is shipped", 0),
    ('[sharing]\nrule = "lottery"', "sharing.rule: 'lottery'; expected one of none, energy, equal, shapley", 0),
    ("[experiment]\ndays = 0", "experiment.days: 0 is outside 1 to 3660", 0),
    ('[experiment]\nfirst_date = "tomorrow"', "experiment.first_date: Invalid RFC3339", 0),
    ("[experiment]\nfirst_date = 2099-12-31", "2099-12-31 is not of this century", 0),
    ("[experiment]\nfirst_date = 2020-01-01", "tariff henan-283-2024 starts on 2024-06-01", None),
    ("[experiment]\nseed = -1", "experiment.seed: -1 is outside", 0),
    ("[experiment]\nformat = 2", "experiment.format: 2; this program reads format 1", 0),
    ('[experiment]\ntariff_sha256 = "00"', "the tariff is not the one that the scenario was written with", 0),
    ('[population]\ndefault = "zippy"', "population.default: population 'zippy'; expected one of zi_u, zi_c", 0),
    ('[population]\ndefault = "none.py:Mine"', "no file 'none.py', neither beside the scenario nor here", 0),
    ('[population]\ndefault = { name = "zip", shouts = [1] }', "population.default.shouts: expected a number, text, true or false", 0),
    ('[population.role]\nfactory = "zip"', "population.role.factory: no such role; expected one of", 0),
    ('[population.member]\nPV09 = "zip"', "population.member.PV09: no such participant", 0),
    ('[[outage]]\navailable_permille = 0\nparticipant = "PV09"', "'PV09'; expected pv, wind or a participant with generation: PV01", 0),
    ('[[outage]]\nparticipant = "PV01"\navailable_permille = 0\nwhat = "load"', "a participant with load: E01", 2),
    ('[[outage]]\nparticipant = "pv"\navailable_permille = 0\nbegins = "12:00"\nends = "12:00"', "it ends before it begins", 0),
    ('[[outage]]\nparticipant = "pv"\navailable_permille = 0\nbegins = "12:07"', "expected times on a quarter-hour", 0),
    ('[[outage]]\nparticipant = "pv"\navailable_permille = 1001', "1001 is outside 0 to 1000", 0),
    ('[[outage]]\nparticipant = "pv"\navailable_permille = 0\nlast_day = 1\nfirst_day = 1', "days 1 to 1 are not within the run's, 0 to 0", 0),
    ('[experiment]\ndays = 3\n[[outage]]\nparticipant = "pv"\navailable_permille = 0\nlast_day = 1\nfirst_day = 2', "days 2 to 1 are not", 0),
    ('[[outage]]\nparticipant = "pv"\navailable_permille = 0\nfirst_day = -1', "days -1 to 0 are not within", 0),
    ('[[outage]]\nparticipant = "pv"', "outage[0].available_permille is missing", 1),
    ('[[member]]\nid = "PV01"\ngeneration = { series = "pv_south", peak_kw = "9 MW", noise = "pv" }', "'9 MW' is not a whole number; expected kW", 0),
    ('[[member]]\nid = "PV01"\ngeneration = { series = "pv_south", peak_kw = 12.5, noise = "pv" }', "'12.5' is not a whole number", 0),
    ('[[member]]\nid = "PV01"\ngeneration = { series = "sea", peak_kw = 5, noise = "pv" }', "unknown generation series 'sea'", 0),
    ('[[member]]\nid = "PV01"\ngeneration = { series = "wind", peak_kw = 5, noise = "storm" }', "noise 'storm'; expected one of", 0),
    ('[[member]]\nid = "E01"\nload = { annual_mwh = -1, shapes_permille = { two_shift = 1000 }, noise = "pv" }', "annual_mwh: -1 is outside", 0),
    ('[[member]]\nid = "E01"\nload = { annual_mwh = 1, shapes_permille = { two_shift = 999 }, noise = "pv" }', "sum to 1000", 0),
    ('[[member]]\nid = "E01"\nload = { annual_mwh = 1, shapes_permille = { no_shift = 1000 }, noise = "pv" }', "unknown load shape 'no_shift'", 0),
    ('[[member]]\nid = "E01"\nvaluation = { spread = 1 }', "member E01.valuation.spread: unknown key", 0),
    ('[[member]]\nid = "E01"\nvaluation = { willingness_permille = 2001 }', "2001 is outside 0 to 2000", 0),
    ('[[member]]\nid = "E01"\nflexible = { share_permille = 1001 }', "member E01.flexible.share_permille: 1001 is outside 0 to 1000", 0),
    ('[[member]]\nid = "E01"\nflexible = { shift_periods = 0 }', "member E01.flexible.shift_periods: 0 is outside 1 to 96", 0),
    ("[flexible]\nshift_periods = 97", "flexible.shift_periods: 97 is outside 1 to 96", 0),
    ('[[member]]\nid = "E01"\nagent = 3', "member E01.agent: Expected", 0),
    ('[[member]]\nid = "S01"\nstorage_policy = { plan = "oracle" }', "'oracle'; expected one of linear_program, dynamic_program", 0),
    ('[[member]]\nid = "E01"\nev = { energy_kwh = 100, power_kw = 10, arrival = "08:00", departure = "17:00" }', "100 kWh cannot be charged", 0),
    ('[[member]]\nid = "E01"\nev = { energy_kwh = 1, power_kw = 10, arrival = "18:00", departure = "07:00" }', "departure is not after arrival", 0),
    ('[[member]]\nid = "E01"\nev = { energy_kwh = 1, power_kw = 10, arrival = "08:10", departure = "17:00" }', "times on a quarter-hour", 0),
    ('[[member]]\nid = "E01"\nev = { energy_kwh = 1, power_kw = 10, departure = "17:00" }', "member E01.ev.arrival is missing", 0),
    ('[[member]]\nid = "MM1"\nev = { energy_kwh = 1, power_kw = 10, arrival = "08:00", departure = "17:00" }', "chargers need connection_kw", 0),
    ('[[member]]\nid = "S01"\nasset = { capex_cny = 1, operation_cny_per_year = 1, debt_permille = 5, life_years = 9 }', "a debt needs years", 0),
    ('[[member]]\nid = "E21"\nrole = "enterprise"', "member E21.cash_cny is missing", 2),
    ('[[group]]\nid = "G"\nname = "G"\nname_zh = "G"\ncount = 0\n[group.member]\nrole = "enterprise"', "group G: count: expected 1 to 5000", 6),
    ('[[group]]\nid = "G"\nname = "G"\nname_zh = "G"\ncount = 2\n[group.member]\nroll = "bank"', "member G1.roll: unknown key; did you", 0),
    ("[tariff]\nid = 'x'", "tariff.version is missing", 1),
    ("contract = 3", "contract: Expected `array`, got `int`", 0),
]  # fmt: skip

STORAGE = {
    "energy_kwh": "10", "power_kw": "5", "soc_min_kwh": "1", "soc_max_kwh": "9", "soc_initial_kwh": "5", "charge_efficiency": '"0.9"',
    "discharge_efficiency": '"0.9"',
}  # fmt: skip


def refusal(folder: Path, text: str, base: str = "park") -> str:
    path = folder / "mine.toml"
    path.write_text(f'base = "{base}"\n{text}\n', "utf-8")
    with pytest.raises(InputError) as caught:
        load_scenario(str(path))
    return str(caught.value)


@pytest.mark.parametrize(("text", "reason", "lines_above"), CASES)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, reason: str, lines_above: int | None) -> None:
    answer = refusal(tmp_path, text)
    assert reason in answer
    if lines_above is not None:
        assert f"mine.toml: line {text.count(chr(10)) + 2 - lines_above}: " in next(line for line in answer.splitlines() if reason in line)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"soc_max_kwh": "11"}, "0 <= soc_min <= soc_initial <= soc_max <= energy"),
        ({"soc_min_kwh": "6"}, "0 <= soc_min <= soc_initial"),
        ({"soc_min_kwh": "-1"}, "0 <= soc_min <= soc_initial"),
        ({"soc_initial_kwh": "10"}, "0 <= soc_min <= soc_initial"),
        ({"energy_kwh": "0", "soc_min_kwh": "0", "soc_max_kwh": "0", "soc_initial_kwh": "0"}, "energy_kwh: 0 is outside 1"),
        ({"power_kw": "0"}, "power_kw: 0 is outside 1"),
        ({"charge_efficiency": '"1.01"'}, "charge_efficiency: 1.01 is outside 0.000001 to 1"),
        ({"discharge_efficiency": "0"}, "discharge_efficiency: 0 is outside"),
        ({"energy_kwh": '"10 MWh"'}, "'10 MWh' is not a whole number; expected kWh"),
    ],
)
def test_an_impossible_battery(tmp_path: Path, changed: dict[str, str], reason: str) -> None:
    entries = ", ".join(f"{key} = {value}" for key, value in {**STORAGE, **changed}.items())
    answer = refusal(tmp_path, f'[[member]]\nid = "S01"\nstorage = {{ {entries} }}')
    assert reason in answer
    assert "mine.toml: line 4: member S01.storage" in answer
    assert "1 problem, " in answer  # nothing follows from a value that could not be read


def test_everything_is_named_at_once_and_nothing_twice(tmp_path: Path) -> None:
    mistakes = [(text, reason) for text, reason, _ in CASES if text.startswith("[market]")][:3]
    mistakes += [("[imbalance]\nrule = 'x'", "imbalance.rule"), ('[[member]]\nid = "E01"\nconnection_kw = "1 MW"', "member E01.connection_kw")]
    text = "[market]\n" + "\n".join(text.removeprefix("[market]\n") for text, _ in mistakes[:3] if "480" not in text)
    answer = refusal(tmp_path, "\n".join([text, *(text for text, _ in mistakes[3:])]))
    assert "4 problems, it cannot be run" in answer
    assert answer.count("connection_kw") == 1  # that the load needs a connection is not said of one that could not be read


def test_a_surplus_price_above_the_deficit_price_is_refused(tmp_path: Path) -> None:
    header = "months,from,to,price_cny_per_kwh,feed_in_cny_per_kwh\n"
    (tmp_path / "flat.csv").write_text(header + "1-6,00:00,24:00,0.5,0.3\n7-12,00:00,24:00,0.5,0.5001\n", "utf-8")
    answer = refusal(tmp_path, 'tariff = "flat.csv"')
    assert "line 2: tariff: " in answer
    assert "month 7, 00:00: the feed-in (surplus) price 0.5001 is above the retail (deficit) price 0.5000" in answer


def test_a_tariff_in_the_file_is_checked_too(tmp_path: Path) -> None:
    steps = '{ months = "1-12", begins = "00:00", retail_cny_per_kwh = "0.5", feed_in_cny_per_kwh = "0.3" }, '
    whole = f'[tariff]\nid = "x"\nname = "x"\nname_zh = "x"\nsource = "x"\nversion = [{{ effective_from = 2020-01-01, step = [{steps}'
    assert "above the retail (deficit) price" in refusal(
        tmp_path, whole + '{ months = "7", begins = "12:00", retail_cny_per_kwh = "0.2", feed_in_cny_per_kwh = "0.3" }] }]'
    )
    assert "month 2 has no price from 00:00 on" in refusal(tmp_path, whole.replace("1-12", "1") + "] }]")
    assert "expected a month or a range" in refusal(tmp_path, whole.replace("1-12", "0-12") + "] }]")
    assert "not on a quarter-hour" in refusal(tmp_path, whole.replace("00:00", "00:05") + "] }]")


def test_a_member_of_the_base_is_named_with_the_line_of_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "lower.toml").write_text('base = "park"\n[[member]]\nid = "E01"\nconnection_kw = "1 MW"\n', "utf-8")
    answer = refusal(tmp_path, '[[member]]\nid = "E01"\ncash_cny = 5', base="lower.toml")
    assert "lower.toml: line 4: member E01.connection_kw: '1 MW' is not a whole number" in answer


@pytest.mark.parametrize("name", ["parkk", "none.toml", "park.json"])
def test_no_such_scenario(name: str) -> None:
    with pytest.raises(InputError):
        load_scenario(name)
