"""Ends of compliance years and of periods of the park's scheme, as deadlines in state: what is short then, and what follows from it."""

from typing import TYPE_CHECKING, Final

from exchange.carbon.calendar import deadline_ns, month_before
from exchange.carbon.compliance import ComplianceYear
from exchange.carbon.park_scheme import ParkScheme, Performance
from exchange.carbon.vintages import vintage_of
from exchange.ledger.chart import House
from exchange.order_path.business.credit_units import collect_allowance_debt, collect_money
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.state import DeadlineKind
from exchange.protocol.instrument_class import InstrumentClass

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# A deadline's reference: below it a compliance year, from it on the instrument of a park scheme.
_PARK_SCHEMES: Final = 1_000_000


def surrender_deadline_ns(exchange: "Exchange", year: int) -> int:
    """The end of the day by which a year's obligation is surrendered."""
    return deadline_ns(year, exchange.rooms.credits.rules.of_year(year).surrender_day)


def schedule_year(exchange: "Exchange", year: int, now_ns: int) -> None:
    """Enter the deadline of a year when it is first worked on; one that has passed has fixed its price."""
    compliance = exchange.rooms.credits.compliance
    if year in compliance.scheduled:
        return
    compliance.scheduled.add(year)
    at_ns = surrender_deadline_ns(exchange, year)
    if at_ns > now_ns:
        exchange.make_deadline_room()
        add_deadline(exchange.state, at_ns, DeadlineKind.CREDIT_PERIOD, year)
    else:
        compliance.prices[year] = average_price(exchange, year, at_ns)


def schedule_park_scheme(exchange: "Exchange", scheme: ParkScheme) -> None:
    """Enter the deadline of a period of the park's scheme."""
    exchange.make_deadline_room()
    add_deadline(exchange.state, scheme.deadline_ns, DeadlineKind.CREDIT_PERIOD, _PARK_SCHEMES + scheme.instrument)


def fire(exchange: "Exchange", ref: int) -> None:
    """The deadline that `ref` names has come."""
    if ref >= _PARK_SCHEMES:
        _close_park_scheme(exchange, exchange.rooms.credits.parks.schemes[ref - _PARK_SCHEMES])
        return
    compliance = exchange.rooms.credits.compliance
    compliance.prices[ref] = average_price(exchange, ref, surrender_deadline_ns(exchange, ref))
    for row in compliance.of_year(ref):
        close_year(exchange, row)


def close_year(exchange: "Exchange", row: ComplianceYear) -> None:
    """Fix what a verified entity is short; the next allocation is cut by it. One that is not verified is closed when it is."""
    if row.is_closed or not row.is_verified:
        return
    entity = exchange.rooms.credits.compliance.entities[row.account]
    collect_allowance_debt(exchange, entity)
    row.is_closed = True
    row.shortfall_t = row.open_t
    entity.cut_t += row.shortfall_t
    exchange.notify("compliance", {"account": row.account, "year": row.year, "shortfall_t": row.shortfall_t})


def average_price(exchange: "Exchange", year: int, at_ns: int) -> tuple[int, int]:
    """(turnover in micro-CNY, t) of the month before a deadline; without a trade the close of the year's own vintage counts as one ton."""
    turnover_micro, lots = exchange.rooms.credits.prices.of_month(month_before(at_ns))
    if lots:
        return turnover_micro, lots
    for instrument in exchange.rooms.instruments.open.values():
        is_own = instrument.instrument_class is InstrumentClass.CEA and vintage_of(instrument.symbol) == year
        if is_own and instrument.reference is not None:
            return instrument.reference.previous_close_ticks * instrument.spec.multiplier_micro, 1
    return 0, 0


def _close_park_scheme(exchange: "Exchange", scheme: ParkScheme) -> None:
    scheme.is_closed = True
    for row in exchange.rooms.credits.parks.of_scheme(scheme.instrument):
        close_performance(exchange, scheme, row)


def close_performance(exchange: "Exchange", scheme: ParkScheme, row: Performance) -> None:
    """Fix what a member is short and take the published penalty. It goes to the fund of all members, not to who runs the scheme."""
    row.shortfall_t = row.open_t
    row.penalty_micro = row.shortfall_t * scheme.penalty_micro_per_t
    row.paid_micro = collect_money(exchange, row.account, row.penalty_micro, House.GUARANTEE_FUND)
    exchange.notify("park_scheme", {"account": row.account, "instrument": scheme.instrument, "shortfall_t": row.shortfall_t})
