"""`load_scenario`: from a file and overrides to a resolved scenario, or one error that names everything that is wrong."""

import datetime
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from clients.laboratory.scenario.convert import LaboratoryReader, convert
from clients.laboratory.scenario.inline_tariff import read_inline
from clients.laboratory.scenario.model import CarbonRules, Network, Outage, Participant, Scenario
from clients.laboratory.scenario.names import FORMAT, OUTAGE_KINDS, PLANT_KINDS, SCHEMES
from clients.laboratory.scenario.overrides import overridden
from clients.laboratory.scenario.participants import Surroundings, participant
from clients.laboratory.scenario.populations import Populations
from clients.laboratory.scenario.rules import (
    MINUTES_A_DAY,
    forecast_rules,
    imbalance_rules,
    market_rules,
    minute_of,
    one_of,
    permille,
    sharing_rules,
)
from clients.laboratory.scenario.schema import ScenarioTable, TariffTable
from clients.scenarios.attributes import KW_MAX, noise_class
from clients.scenarios.instruments import check_symbols, unit_instrument
from clients.scenarios.layers import ScenarioFile, read_scenario
from clients.scenarios.periods import YEARS, local_midnight_ns, time_zone
from clients.scenarios.problems import Problems
from clients.scenarios.profiles import derived_year
from clients.scenarios.surroundings import emission_factor, scenario_tariff, voltage_adders
from clients.scenarios.tariff import Tariff
from exchange.errors import InputError

_DAYS_MAX: Final = 3660
_NO_OVERRIDES: Final[Mapping[str, str]] = MappingProxyType({})


def load_scenario(name_or_file: str, overrides: Mapping[str, str] = _NO_OVERRIDES) -> Scenario:
    """The resolved scenario of a name that ships or of a .toml file, some of its keys set otherwise (`{"market.gate_closure": "15"}`).

    A key may be shortened to a unique beginning. Raises InputError that names everything wrong with file, line and reason.
    """
    file = overridden(read_scenario(name_or_file), overrides)
    reader = LaboratoryReader(file, Problems(f"scenario {file.name}", "it cannot be run"))
    table: ScenarioTable = convert(file.content, ScenarioTable, (), reader)
    scenario = _resolved(table, file, reader)
    reader.problems.raise_if_any()
    return scenario


def _resolved(table: ScenarioTable, file: ScenarioFile, reader: LaboratoryReader) -> Scenario:
    first, days = _period(table, reader)
    zone = _zone(table.time_zone, reader)
    year = derived_year()
    around = Surroundings(
        first,
        voltage_adders(table.voltage_adder_cny_per_kwh, reader),
        {name: noise_class(name, entry, reader) for name, entry in table.noise.items()},
        year.load,
        year.generation,
    )
    populations = Populations(table.population, {entry.id: entry for entry in table.member}, file.folder, reader)
    participants = tuple(
        participant(table, index, populations.of(entry, index), reader, around) for index, entry in enumerate(table.member)
    )
    instruments = tuple(unit_instrument(entry, index, first, reader) for index, entry in enumerate(table.instrument))
    _check_participants(participants, reader)
    check_symbols(participants, instruments, reader)
    network = table.network
    return Scenario(
        name=table.experiment.name or file.name,
        name_en=table.name,
        name_zh=table.name_zh,
        zone=zone,
        first_date=first,
        days=days,
        seed=reader.whole(table.experiment.seed, 0, 2**63 - 1, "experiment", "seed"),
        tariff=_tariff(table, file, zone, first, reader),
        market=market_rules(table, reader),
        imbalance=imbalance_rules(table.imbalance, reader),
        forecast=forecast_rules(table.forecast, reader),
        noises=around.noises,
        network=Network(
            loss_ppm=permille(network.loss_permille, reader, "network", "loss_permille"),
            import_limit_kw=reader.whole(network.import_limit_kw, 0, KW_MAX, "network", "import_limit_kw"),
            export_limit_kw=reader.whole(network.export_limit_kw, 0, KW_MAX, "network", "export_limit_kw"),
        ),
        carbon=_carbon(table, reader),
        sharing=sharing_rules(table.sharing, reader),
        soc_value_micro_per_kwh=reader.scaled(network.soc_value_cny_per_kwh, 6, "network", "soc_value_cny_per_kwh"),
        participants=participants,
        instruments=instruments,
        outages=tuple(_outage(table, index, days, reader) for index in range(len(table.outage))),
    )


def _period(table: ScenarioTable, reader: LaboratoryReader) -> tuple[datetime.date, int]:
    experiment = table.experiment
    if experiment.format != FORMAT:
        reader.note(f"experiment.format: {experiment.format}; this program reads format {FORMAT}", "experiment", "format")
    days = reader.whole(experiment.days, 1, _DAYS_MAX, "experiment", "days")
    first = experiment.first_date
    if first.year not in YEARS or (first + datetime.timedelta(days=days)).year not in YEARS:
        reader.note(f"experiment.first_date: {first} is not of this century ({YEARS.start} to {YEARS.stop - 1})", "experiment", "first_date")
        return datetime.date(2026, 7, 15), days
    return first, days


def _zone(name: str, reader: LaboratoryReader) -> ZoneInfo:
    try:
        return time_zone(name)
    except InputError as error:
        reader.note(f"time_zone: {error}", "time_zone")
        return ZoneInfo("UTC")


def _tariff(table: ScenarioTable, file: ScenarioFile, zone: ZoneInfo, first: datetime.date, reader: LaboratoryReader) -> Tariff:
    """The tariff, which must have a price on each day; that no surplus price is above the deficit price is checked where it is read."""
    try:
        if isinstance(table.tariff, TariffTable):
            tariff = read_inline(table.tariff, zone, reader)
        else:
            tariff = scenario_tariff(table.tariff, file, zone)
        if tariff.versions:
            tariff.retail_price_micro_per_kwh(local_midnight_ns(first, zone))
    except InputError as error:
        reader.note(f"tariff: {error}", "tariff")
        return Tariff("", "", "", "", zone, ())
    stated = table.experiment.tariff_sha256
    if stated and stated != tariff.sha256():
        reader.note(
            "experiment.tariff_sha256: the tariff is not the one that the scenario was written with; without this key it is taken as it is",
            "experiment", "tariff_sha256",
        )  # fmt: skip
    return tariff


def _carbon(table: ScenarioTable, reader: LaboratoryReader) -> CarbonRules:
    one_of(table.carbon.scheme, SCHEMES, reader, "carbon", "scheme")
    return CarbonRules(
        factor=emission_factor(table.emission_factor, reader),
        residual=emission_factor(table.carbon.residual, reader, ("carbon", "residual")),
        scheme=table.carbon.scheme,
    )


def _outage(table: ScenarioTable, index: int, days: int, reader: LaboratoryReader) -> Outage:
    entry, place = table.outage[index], ("outage", index)
    one_of(entry.what, OUTAGE_KINDS, reader, *place, "what")
    holders = [member.id for member in table.member if (member.load if entry.what == "load" else member.generation)]
    if entry.participant not in [*holders, *PLANT_KINDS]:
        reader.note(
            f"{reader.name_of(place)}.participant: {entry.participant[:30]!r}; expected {', '.join(PLANT_KINDS)} or a participant with {entry.what}: "
            f"{', '.join(holders)}",
            *place, "participant",
        )  # fmt: skip
    begins = minute_of(entry.begins, reader, *place, "begins")
    ends = minute_of(entry.ends, reader, *place, "ends", last=MINUTES_A_DAY)
    if begins % 15 or ends % 15:
        reader.note(f"{reader.name_of(place)}: expected times on a quarter-hour", *place, "begins" if begins % 15 else "ends")
    if begins >= ends:
        reader.note(f"{reader.name_of(place)}: it ends before it begins; expected two times within one day", *place, "ends")
    if not 0 <= entry.first_day <= entry.last_day < max(days, 1):
        wish = f"days {entry.first_day} to {entry.last_day} are not within the run's, 0 to {days - 1}"
        reader.note(f"{reader.name_of(place)}: {wish}", *place, "first_day")
    return Outage(
        participant=entry.participant,
        first_day=entry.first_day,
        last_day=entry.last_day,
        begins=datetime.time(begins // 60, begins % 60),
        ends=datetime.time(ends % MINUTES_A_DAY // 60, ends % 60),
        available_ppm=permille(entry.available_permille, reader, *place, "available_permille"),
        what=entry.what,
        forecast_ppm=permille(entry.forecast_permille, reader, *place, "forecast_permille"),
    )


def _check_participants(participants: tuple[Participant, ...], reader: LaboratoryReader) -> None:
    if not participants:
        reader.note("member: a park needs at least one member", "member")
    for name, count in Counter(entry.id for entry in participants).items():
        if count > 1 and name:
            reader.note(f"member {name} is there twice", "member")
