"""When certificates expire: one deadline for each listed month of them and for each month of granular ones (expiry.py fires it).

A deadline's reference is an instrument's id, or the negative number of a month of granular certificates.
"""

from typing import TYPE_CHECKING

from exchange.market.instruments import Instrument
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.state import DeadlineKind
from exchange.protocol.instrument_class import InstrumentClass
from exchange.registry.issuance import month_of_symbol
from exchange.registry.months import expiry_ns

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange


def expiry_of(instrument: Instrument) -> int:
    """The instant from which the certificates of an instrument are no longer valid; 0 for units that do not expire."""
    month = month_of_symbol(instrument.symbol) if instrument.instrument_class is InstrumentClass.GEC else None
    return 0 if month is None else expiry_ns(month)


def schedule_expiry(exchange: "Exchange", reference: int, at_ns: int) -> None:
    """Enter the deadline, once."""
    expiring = exchange.rooms.certificates.expiring
    if reference not in expiring:
        expiring.add(reference)
        exchange.make_deadline_room()
        add_deadline(exchange.state, at_ns, DeadlineKind.UNIT_EXPIRY, reference)


def schedule_listed(exchange: "Exchange", instrument: Instrument) -> None:
    """For an instrument that has just become known; what has expired by then has nothing that could."""
    at_ns = expiry_of(instrument)
    if at_ns > exchange.now_ns:
        schedule_expiry(exchange, instrument.id, at_ns)


def has_expired(exchange: "Exchange", instrument: Instrument) -> bool:
    """Whether the validity of its certificates is over."""
    return 0 < expiry_of(instrument) <= exchange.now_ns
