"""Units of an instrument on their way into the market, aside and out of it: the one place where documents move them.

What is set aside is held by a house account (locked, frozen), what has ended by another (retired, surrendered, expired, withdrawn). So the units
of an instrument are at every moment issued = held + set aside + ended, by the postings alone; which serial numbers they have is the registry's.
"""

from typing import TYPE_CHECKING, Final

from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business.rules import require
from exchange.order_path.business.units_control import issue_units, move_units

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# Where units go for each reason.
PLACES: Final = {
    PostingReason.UNITS_LOCKED: House.LOCKED,
    PostingReason.UNITS_FROZEN: House.FROZEN,
    PostingReason.UNITS_RETIRED: House.RETIRED,
    PostingReason.UNITS_SURRENDERED: House.SURRENDERED,
    PostingReason.UNITS_EXPIRED: House.EXPIRED,
    PostingReason.UNITS_WITHDRAWN: House.WITHDRAWN,
}


def free_lots(exchange: "Exchange", instrument: Instrument, account: int) -> int:
    """Units that no open order holds. Those at the end of their transfers, which cannot be sold, are among them: they can be retired."""
    position = exchange.state.positions[instrument.slot, account]
    return int(position.net_lots) - int(position.open_sell_lots)


def issue(exchange: "Exchange", instrument: Instrument, account: int, quantity_lots: int) -> None:
    """Units enter an account from outside."""
    exchange.make_output_room(1)
    issue_units(exchange.state, instrument.slot, account, quantity_lots)


def take(exchange: "Exchange", instrument: Instrument, account: int, quantity_lots: int, reason: PostingReason) -> None:
    """Set units of an account aside, or end them, as `reason` says. Raises BusinessRuleError when so many are not free."""
    require(0 < quantity_lots <= free_lots(exchange, instrument, account), "units_not_available")
    exchange.make_output_room(1)
    move_units(exchange.state, instrument.slot, account, PLACES[reason], quantity_lots, int(reason))


def give_back(exchange: "Exchange", instrument: Instrument, account: int, quantity_lots: int, place: House) -> None:
    """Units that were set aside for an account return to it."""
    exchange.make_output_room(1)
    move_units(exchange.state, instrument.slot, place, account, quantity_lots, int(PostingReason.UNITS_RELEASED))


def end_aside(exchange: "Exchange", instrument: Instrument, quantity_lots: int, place: House, reason: PostingReason) -> None:
    """Units that were set aside end there, such as a pledge that is enforced or frozen certificates that are withdrawn."""
    exchange.make_output_room(1)
    move_units(exchange.state, instrument.slot, place, PLACES[reason], quantity_lots, int(reason))


def transfer(exchange: "Exchange", instrument: Instrument, debit: int, credit: int, quantity_lots: int) -> None:
    """Units change hands outside a trade. Raises BusinessRuleError when so many are not free."""
    require(0 < quantity_lots <= free_lots(exchange, instrument, debit), "units_not_available")
    exchange.make_output_room(1)
    move_units(exchange.state, instrument.slot, debit, credit, quantity_lots, int(PostingReason.UNITS_TRANSFERRED))
