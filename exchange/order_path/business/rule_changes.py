"""Changed rules: terms of a listed instrument, permissions, limits and beneficial owner of a participant (docs/rules.md, "Changes of rules")."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from exchange.accounts.participants import OwnerRules
from exchange.accounts.permissions import ROLE_PERMISSIONS, Permission, parse_permissions
from exchange.market.instruments import Instrument, spec_problem
from exchange.order_path.business.listing import change_account, change_instrument, lay_out_owners
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, listed, member, require
from exchange.order_path.orders import expire_outside_band
from exchange.protocol.documents import ChangeParticipant, ChangeTerms, Document, InstrumentSpec, SetOwnerRules
from exchange.units import INT64_MAX

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

_LIMIT: Final = INT64_MAX // 2**20
_BAND: Final = ("band_low_ticks", "band_high_ticks")
_FEES: Final = ("maker_fee_lot_micro", "taker_fee_lot_micro", "maker_fee_tick_lot_micro", "taker_fee_tick_lot_micro")
_TERMS: Final = (*_BAND, "max_order_lots", *_FEES)


def change_terms(exchange: "Exchange", document: ChangeTerms, _caller: Caller) -> Result:
    """Other terms of a listed instrument. Orders that the new band no longer allows expire.

    A block keeps the fees and the band of its quarter-hours, and a daily limit makes its own band: such changes are refused.
    """
    instrument = listed(exchange, document.symbol)
    changes = {name: getattr(document, name) for name in _TERMS if getattr(document, name) is not None}
    require(bool(changes), "nothing_to_change")
    spec = msgspec.structs.replace(instrument.spec, **changes)
    problem = spec_problem(spec)
    if problem is not None:
        raise BusinessRuleError(problem)
    if changes.keys() & {*_FEES}:
        _require_nothing_open(exchange, instrument)
    row = exchange.state.instruments[instrument.slot]
    instrument.spec = spec
    change_instrument(exchange.state, instrument)
    if changes.keys() & {*_BAND}:
        exchange.make_output_room(int(row.open_orders))
        expire_outside_band(exchange.state, instrument.slot)
    exchange.notify("terms", {"symbol": instrument.symbol})
    return changes


def _require_nothing_open(exchange: "Exchange", instrument: Instrument) -> None:
    """What is open holds the fees of its entry, and releases what it held."""
    require(not exchange.state.instruments[instrument.slot].open_orders, "orders_are_open")
    require(all(hold.instrument != instrument.id for hold in exchange.rooms.holds()), "trades_are_proposed")
    require(not _is_part_of_block(exchange, instrument), "part_of_a_block")


def _is_part_of_block(exchange: "Exchange", instrument: Instrument) -> bool:
    """Whether the fees of an open block are the sums of those of this quarter-hour, or it is a block itself."""
    spec = instrument.spec
    return instrument.is_power and any(_covers(other, spec) for other in exchange.rooms.instruments.open.values())


def _covers(other: Instrument, spec: InstrumentSpec) -> bool:
    inside = other.spec.delivery_start_ns <= spec.delivery_start_ns and spec.delivery_end_ns <= other.spec.delivery_end_ns
    return other.is_block and inside


def change_participant(exchange: "Exchange", document: ChangeParticipant, _caller: Caller) -> Result:
    """Other permissions, power limits or beneficial owner, for orders from here on; what is open stays."""
    old = member(exchange, document.account)
    permissions = old.permissions if document.permissions is None else parse_permissions(document.permissions)
    if permissions is None:
        raise BusinessRuleError("unknown_permission")
    require(permissions & ~ROLE_PERMISSIONS[old.role] == Permission.NONE, "permission_not_allowed_for_role")
    low = old.min_net_power_lots if document.min_net_power_lots is None else document.min_net_power_lots
    high = old.max_net_power_lots if document.max_net_power_lots is None else document.max_net_power_lots
    require(-_LIMIT <= low <= 0 <= high <= _LIMIT, "power_limits_out_of_order")
    owner = old.beneficial_owner if document.beneficial_owner is None else document.beneficial_owner
    if owner not in {old.id, old.beneficial_owner}:
        require_owner(exchange, owner)
        require(exchange.rooms.participants.controlled_by(old.id) in ([], [old.id]), "controls_others")
    new = replace(old, permissions=permissions, min_net_power_lots=low, max_net_power_lots=high, beneficial_owner=owner)
    require(new != old, "nothing_to_change")
    exchange.rooms.participants.add(new)
    change_account(exchange.state, new)
    lay_out_owners(exchange.state, exchange.rooms.participants)
    exchange.notify("participant", {"account": new.id, "role": str(new.role), "beneficial_owner": new.beneficial_owner})
    return {}


def set_owner_rules(exchange: "Exchange", document: SetOwnerRules, _caller: Caller) -> Result:
    """What beneficial owners are looked at for, for orders from here on."""
    require(document.self_trade_scope in {"account", "beneficial_owner"}, "unknown_self_trade_scope")
    require(0 <= document.limit_lots <= _LIMIT, "quantity_out_of_range")
    participants = exchange.rooms.participants
    participants.owner_rules = OwnerRules(document.self_trade_scope, document.limit_lots)
    lay_out_owners(exchange.state, participants)
    return {}


def require_owner(exchange: "Exchange", account: int) -> None:
    """Who controls others controls itself: there is one step to the end of every chain of control."""
    require(member(exchange, account).beneficial_owner == account, "owner_is_controlled_itself")


def terms_of(instrument: Instrument) -> dict[str, Any]:
    """The terms that can be changed, as they are."""
    return {name: getattr(instrument.spec, name) for name in _TERMS}


HANDLERS: Final[dict[type[Document], Handler]] = {
    ChangeTerms: change_terms,
    ChangeParticipant: change_participant,
    SetOwnerRules: set_owner_rules,
}
