"""What a scenario is, in a few lines for a person."""

from collections import Counter
from collections.abc import Iterable

from clients.laboratory.scenario.model import MarketRules, Participant, Scenario
from clients.scenarios.decimals import decimal_text
from clients.scenarios.periods import day_periods
from clients.scenarios.tariff import to_ticks
from exchange.units import WH_PER_KWH


def summary_lines(scenario: Scenario) -> list[str]:
    """The name, then a line for each part."""
    rows = [
        ("period", f"{scenario.first_date}, {_count(scenario.days, 'day')}; seed {scenario.seed}"),
        ("participants", f"{len(scenario.participants)}: {_counted(entry.role for entry in scenario.participants)}"),
        ("energy", _energy(scenario.participants)),
        ("prices", _prices(scenario)),
        ("market", _market(scenario.market)),
        ("agents", _counted(entry.agent.name for entry in scenario.participants)),
    ]
    if scenario.outages:
        rows.append(("outages", ", ".join(f"{outage.participant} {outage.begins:%H:%M}" for outage in scenario.outages)))
    return [f"{scenario.name_en} ({scenario.name}): no problems", *(f"  {name:<14}{text}" for name, text in rows)]


def _market(rules: MarketRules) -> str:
    steps = f"tick {decimal_text(rules.tick_step, 4)} CNY/kWh, lot {decimal_text(rules.lot_step, 1)} kWh"
    return f"{rules.mechanism}; gate closes {rules.gate_closure_minutes} min before delivery; {rules.n_rounds} rounds a quarter-hour; {steps}"


def _energy(participants: Iterable[Participant]) -> str:
    entries = list(participants)
    used = sum(entry.load.annual_mwh for entry in entries if entry.load)
    plants = [entry.generation for entry in entries if entry.generation]
    pv, wind = (sum(plant.peak_kw for plant in plants if plant.kind == kind) for kind in ("pv", "wind"))
    parts = [f"{used:,} MWh a year used", f"PV {pv:,} kW", f"wind {wind:,} kW"]
    stores = [entry.storage for entry in entries if entry.storage]
    if stores:
        parts.append(f"storage {sum(s.power_w for s in stores) // 1000:,} kW / {sum(s.energy_wh for s in stores) // WH_PER_KWH:,} kWh")
    fleets = [entry.ev for entry in entries if entry.ev]
    if fleets:
        parts.append(f"vehicles {sum(fleet.energy_wh for fleet in fleets) // WH_PER_KWH:,} kWh a day")
    return ", ".join(parts)


def _prices(scenario: Scenario) -> str:
    starts = day_periods(scenario.first_date, scenario.zone).tolist()
    deficit = [to_ticks(scenario.tariff.retail_price_micro_per_kwh(start)) for start in starts]
    surplus = [to_ticks(scenario.tariff.feed_in_price_micro_per_kwh(start)) for start in starts]
    band = scenario.market.min_price_ticks, scenario.market.max_price_ticks
    return f"grid charges {_range(deficit)} and pays {_range(surplus)} on the first day; band {_range(band)} CNY/kWh"


def _range(ticks: Iterable[int]) -> str:
    low, high = min(values := list(ticks)), max(values)
    return decimal_text(low, 4) if low == high else f"{decimal_text(low, 4)} to {decimal_text(high, 4)}"


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
