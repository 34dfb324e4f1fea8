"""What documents on allowances and credits share: instruments by class, units that may be used now, debts, fines, independence of verifiers.

A unit that was bought today is delivered after the close, so it cannot be surrendered or taken before the next day; units on sale, locked or frozen
cannot either (docs/rules.md, "Allowances").
"""

from typing import TYPE_CHECKING, Final

from exchange.carbon.compliance import Entity
from exchange.carbon.verifiers import independence_problem
from exchange.carbon.vintages import vintage_of
from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.market.instruments import Instrument
from exchange.order_path.business import units
from exchange.order_path.business.rules import BusinessRuleError, listed, require
from exchange.order_path.business.units_control import charge
from exchange.order_path.level import Level
from exchange.protocol.instrument_class import InstrumentClass
from exchange.registry.bundles import Queue
from exchange.registry.registry import UnitFacts
from exchange.units import INT64_MAX

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_LOTS_MAX: Final = INT64_MAX // 2**20
TEXT_MAX: Final = 200
DIGEST_BYTES: Final = 32


def units_of(exchange: "Exchange", symbol: str, kind: InstrumentClass) -> Instrument:
    """The listed instrument with that symbol and class, counted in whole t, of an exchange that has serial numbers."""
    require(exchange.level >= Level.VALUE_CHAIN, "exchange_has_no_registry")
    instrument = listed(exchange, symbol)
    require(instrument.instrument_class is kind, "wrong_class_of_units")
    require(instrument.spec.quantity_decimals == 0, "units_are_not_tons")
    return instrument


def allowances(exchange: "Exchange", symbol: str) -> tuple[Instrument, int]:
    """An instrument of national allowances, and its vintage."""
    instrument = units_of(exchange, symbol, InstrumentClass.CEA)
    vintage = vintage_of(symbol)
    if vintage is None:
        raise BusinessRuleError("allowances_without_vintage")
    return instrument, vintage


def usable_lots(exchange: "Exchange", instrument: Instrument, account: int) -> int:
    """Units that can be surrendered or taken now."""
    return max(0, units.transferable_lots(exchange, instrument, account))


def require_room(exchange: "Exchange", instrument: Instrument, account: int, quantity_lots: int) -> None:
    """So many more units stay within what a position may be."""
    held = int(exchange.state.positions[instrument.slot, account].net_lots)
    require(quantity_lots <= _LOTS_MAX - held, "quantity_out_of_range")


def issue_some(exchange: "Exchange", instrument: Instrument, account: int, quantity_lots: int, facts: UnitFacts | None = None) -> None:
    """Units enter an account; none need no posting."""
    if quantity_lots:
        units.issue(exchange, instrument, account, quantity_lots, facts)


def take_some(exchange: "Exchange", instrument: Instrument, account: int, quantity_lots: int, reason: PostingReason) -> list[int]:
    """Units that are delivered already leave an account, the first ones first; their rows in the registry. None need no posting.

    Raises BusinessRuleError, with nothing changed, when so many are not usable.
    """
    require(0 <= quantity_lots <= usable_lots(exchange, instrument, account), "units_not_available")
    if not quantity_lots:
        return []
    exchange.drain_output()
    registry, asset = exchange.rooms.registry, units.asset_of(instrument)
    chosen = registry.select_first(asset, account, quantity_lots, exchange.last_sequence, [Queue.SELLABLE])
    ranges = [registry.range_of(row) for row in chosen.tolist()]
    rows: list[int] = units.take(exchange, instrument, account, quantity_lots, reason, ranges).tolist()
    return rows


def collect_allowance_debt(exchange: "Exchange", entity: Entity) -> int:
    """Take what an entity owes from what it holds, the oldest vintage first; how many t were taken."""
    owed = entity.debt_t
    held = [instrument for instrument in exchange.rooms.instruments.open.values() if instrument.instrument_class is InstrumentClass.CEA]
    dated = [(vintage, instrument) for instrument in held if (vintage := vintage_of(instrument.symbol)) is not None]
    for _, instrument in sorted(dated, key=lambda row: (row[0], row[1].id)):
        taken = min(entity.debt_t, usable_lots(exchange, instrument, entity.account))
        take_some(exchange, instrument, entity.account, taken, PostingReason.UNITS_WITHDRAWN)
        entity.debt_t -= taken
    return owed - entity.debt_t


def collect_money(exchange: "Exchange", account: int, due_micro: int, house: House) -> int:
    """Post what is due as far as the account has it available; how much was paid."""
    paid_micro = min(due_micro, exchange.balances(account).available_micro)
    if paid_micro > 0:
        exchange.make_output_room(1)
        charge(exchange.state, account, house, paid_micro, int(PostingReason.PENALTY))
        return paid_micro
    return 0


def require_digest(data: bytes) -> None:
    require(len(data) == DIGEST_BYTES, "digest_malformed")


def require_independent(exchange: "Exchange", verifier: int, clients: set[int], year: int) -> None:
    """Raises BusinessRuleError when a verifier may not sign for one of the clients in a year."""
    participants = exchange.rooms.participants.by_id
    owner = participants[verifier].beneficial_owner
    group = {participant.id for participant in participants.values() if participant.beneficial_owner == owner}
    holds = any(_holds_units(exchange, account) for account in group)
    tables = exchange.rooms.credits
    years_max = tables.rules.of_year(year).verifier_years_max
    for client in sorted(clients):
        problem = independence_problem(
            is_same_owner=participants[client].beneficial_owner == owner,
            holds_units=holds,
            years_in_a_row=tables.engagements.years_in_a_row(verifier, client, year),
            years_max=years_max,
        )
        require(problem is None, str(problem))


def _holds_units(exchange: "Exchange", account: int) -> bool:
    """Whether an account owns any certificate, allowance or credit, on sale or not."""
    listed_units = (instrument for instrument in exchange.rooms.instruments.open.values() if not instrument.is_power)
    return any(int(exchange.state.positions[instrument.slot, account].net_lots) > 0 for instrument in listed_units)
