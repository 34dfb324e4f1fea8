"""Carbon accounts of an exchange: settled days gathered from meters, claims and activity data, then the pure report of exchange.carbon.

A day enters the accounts when it is settled, so a report moves with settlements and documents and with nothing else. Reads only.
"""

import datetime
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np

from exchange.accounts.permissions import Role
from exchange.carbon.claimed_green import ClaimedGreen, RecordedGreen, Retirement
from exchange.carbon.flows import EnergySums, Flows, attribute
from exchange.carbon.product import ProductStatement, product_statement
from exchange.carbon.report import CarbonReport, Choices, YearInput, carbon_report
from exchange.errors import InputError
from exchange.market.calendar import TIME_ZONE
from exchange.market.phases import Phase
from exchange.order_path.tables import Rooms
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.units import NS_PER_DAY, NS_PER_SECOND

DEFAULT_CHOICES: Final = Choices()
_OFFSET_NS: Final = 8 * 3600 * NS_PER_SECOND  # calendar days are those of Asia/Shanghai, which keeps one offset


class Accounted(Protocol):
    """What the accounts need of an exchange."""

    @property
    def last_sequence(self) -> int: ...

    @property
    def rooms(self) -> Rooms: ...


def claimed_green(outputs: Sequence[GreenOutput] = (), retirements: Sequence[Retirement] = ()) -> RecordedGreen:
    """The default source: what settlement delivered, and retirements passed in. Delivered rows are direct supply of their holder."""
    green = RecordedGreen(retired=list(retirements))
    for output in outputs:
        delivered = output.use == GreenUse.DELIVERED
        columns = (output.period_start_ns, output.holder, output.energy_wh)
        green.deliver(zip(*(column[delivered].tolist() for column in columns), strict=True))
    return green


class YearGathering:
    """Sums of a year, gathered a quarter of a day at a time so that a live exchange can do other things between.

    The report is as of the sequence at its beginning: later settlements are not in it, later documents may be.
    """

    def __init__(self, exchange: Accounted, year: int, green: ClaimedGreen | None = None) -> None:
        """Raises InputError for a year that no calendar has."""
        self._exchange = exchange
        self._year = year
        self._green = green if green is not None else claimed_green()
        self._people = list(exchange.rooms.participants.by_id.values())
        self._accounts = [person.id for person in self._people]
        self._is_storage = np.array([person.role is Role.STORAGE for person in self._people], np.bool_)
        self._spans = _spans(exchange, year)
        self._sums = EnergySums.zero(len(self._accounts))
        self._deductible_wh = 0
        self._as_of_seq = exchange.last_sequence

    def steps(self) -> Iterator[None]:
        """One span a step."""
        meters = self._exchange.rooms.meters
        for starts in self._spans:
            readings = meters.read(self._accounts, starts)
            flows = Flows(
                start_ns=np.array(starts, np.int64), consumption_wh=readings.consumption_wh, generation_wh=readings.generation_wh,
                grid_import_wh=readings.grid_import_wh, grid_export_wh=readings.grid_export_wh, losses_wh=readings.losses_wh,
                is_storage=self._is_storage, direct_wh=self._green.direct_wh(self._accounts, starts),
                covered_wh=self._green.covered_wh(self._accounts, starts), forgone_wh=self._green.forgone_wh(self._accounts, starts),
                gone_wh=self._green.gone_wh(starts),
            )  # fmt: skip
            self._sums.add(attribute(flows))
            self._deductible_wh += int(self._green.export_without_certificate_wh(starts).sum())
            yield

    def report(self, choices: Choices = DEFAULT_CHOICES) -> CarbonReport:
        """What has been gathered. Raises InputError for a year without factors or rules."""
        days = {(span[0] + _OFFSET_NS) // NS_PER_DAY for span in self._spans}
        given = YearInput(
            year=self._year, as_of_seq=self._as_of_seq, days=len(days), accounts=self._accounts,
            names=[person.name for person in self._people], roles=[str(person.role) for person in self._people], sums=self._sums,
            deductible_export_wh=self._deductible_wh, retirements=self._green.retirements(self._year),
        )  # fmt: skip
        return carbon_report(given, self._exchange.rooms.carbon, choices)


def year_report(exchange: Accounted, year: int, choices: Choices = DEFAULT_CHOICES, green: ClaimedGreen | None = None) -> CarbonReport:
    """The whole year at once, for who has nothing else to do. Raises InputError."""
    gathering = YearGathering(exchange, year, green)
    for _ in gathering.steps():
        pass
    return gathering.report(choices)


def statement_of_product(exchange: Accounted, report: CarbonReport, account: int, product: str) -> ProductStatement:
    """What the account may hand on about a product, from a report. Raises InputError for an unknown account or missing records."""
    member = next((member for member in report.members if member.account == account), None)
    if member is None:
        raise InputError(f"there is no account {account}")
    entries = exchange.rooms.carbon.activities.of_year(report.year, after_closing=False)
    factors = [report.scope2.factor_average, report.scope2.factor_residual]
    return product_statement(report.year, product, member, entries, report.retirements, factors, report.as_of_seq, final=report.closed)


def revision(exchange: Accounted) -> tuple[int, ...]:
    """Equal revisions give equal reports: settled days and what the carbon books hold."""
    return len(exchange.rooms.settlements), len(exchange.rooms.participants.by_id), *exchange.rooms.carbon.revision()


def year_start_ns(year: int) -> int:
    """Start of a calendar year of the park."""
    return int(datetime.datetime(year, 1, 1, tzinfo=TIME_ZONE).timestamp()) * NS_PER_SECOND


def month_start_ns(month: int) -> int:
    """Start of a month given as 202607."""
    return int(datetime.datetime(month // 100, month % 100, 1, tzinfo=TIME_ZONE).timestamp()) * NS_PER_SECOND


def _spans(exchange: Accounted, year: int) -> list[list[int]]:
    """Starts of the settled periods of a year in order of time, cut at 0, 6, 12 and 18 o'clock: never within an hour, which is matched as a whole."""
    if not 1990 <= year < 2200:
        raise InputError("a year is 1990 to 2199")
    first, end = year_start_ns(year), year_start_ns(year + 1)
    starts = {
        instrument.spec.delivery_start_ns
        for instrument in exchange.rooms.instruments.by_id.values()
        if instrument.is_quarter_hour and instrument.phase is Phase.SETTLED and first <= instrument.spec.delivery_start_ns < end
    }
    spans: dict[int, list[int]] = {}
    for start_ns in sorted(starts):
        spans.setdefault((start_ns + _OFFSET_NS) // (NS_PER_DAY // 4), []).append(start_ns)
    return list(spans.values())
