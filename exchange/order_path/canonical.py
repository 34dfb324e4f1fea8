"""Logical content of the state in canonical order: what is hashed, and what a snapshot holds.

They differ in tables that are too large to be hashed whole at every checkpoint: the state hash has digests of their blocks, a snapshot their rows.

Instruments by id, orders by priority, accounts by id, keys by the sequence of their command, deadlines by (time, id). Never slots, free lists or
padding, so a state restored into arrays of other sizes has the same hash.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from exchange.accounts.participants import OwnerRules, Participants
from exchange.carbon.books import CarbonBooks
from exchange.carbon.credits import CarbonCredits
from exchange.errors import InputError
from exchange.ledger.chart import FIRST_PARTICIPANT
from exchange.market.auction_terms import NO_PRICE
from exchange.market.block_proposals import BlockProposals
from exchange.market.instruments import Instrument
from exchange.market.one_way_auctions import OneWayAuctions
from exchange.market.phases import Phase
from exchange.metering.device_store import DeviceStore
from exchange.metering.devices import Devices
from exchange.metering.months import Months
from exchange.metering.table import MeterTable
from exchange.order_path import room
from exchange.order_path.business.listing import enter_account, enter_instrument, free_instrument_slot, lay_out_owners, lay_out_schedule
from exchange.order_path.daily_close import apply_band
from exchange.order_path.dead_mans_switch import Switches
from exchange.order_path.deadlines import push_deadline
from exchange.order_path.idempotency import place_all_in_buckets
from exchange.order_path.level import Level
from exchange.order_path.state import CID_NAMES, KEY, POSITION, STORAGE, DeadlineKind
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.instrument_class import InstrumentClass, Resale
from exchange.registry.eligibility import Baskets
from exchange.registry.encumbrances import Encumbrances
from exchange.registry.registry import Registry
from exchange.settlement.statement import DaySettlement
from matching.core import HASHED_FIELDS
from matching.records import ORDER_VIEW

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

SNAPSHOT_VERSION: Final = 1

_COUNTERS: Final = ("sequence", "stamp_ns", "next_order_id", "next_deadline_id", "cancel_only_until_ns", "epoch")
_ACCOUNT_FIELDS: Final = ("balance_micro", "held_micro", "execution_seq", "suspended")
_BOOK_FIELDS: Final = ("trade_number", "book_seq", "last_price_ticks")
_TERMS_FIELDS: Final = (
    "expiry_ns", "original_lots", "filled_lots", "session", "label", "revision", "side", "time_in_force", "cancel_on_disconnect", "self_trade",
    "post_only", "outlives_key",
)  # fmt: skip
_KEY_FIELDS: Final = tuple(name for name in KEY.names or () if name != "used")
# What the book knows of an order, then what the exchange does. The book's own label, time in force and self-trade prevention are not those of
# the exchange's terms.
_PLACE: Final = tuple(f"book_{name}" for name in HASHED_FIELDS)
_ORDER: Final = np.dtype([(name, "<i8") for name in (*_PLACE, "key_sequence", *_TERMS_FIELDS)])
_POSITION: Final = np.dtype([("instrument", "<i8"), ("account", "<i8")] + [(name, "<i8") for name in POSITION.names or ()])
_KEY: Final = np.dtype([(name, "<u8") for name in _KEY_FIELDS])
_STORAGE: Final = np.dtype([(name, "<i8") for name in STORAGE.names or ()])
_DEADLINE: Final = np.dtype([("at_ns", "<i8"), ("id", "<i8"), ("kind", "<i8"), ("ref", "<i8")])

_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")


def content(exchange: "Exchange") -> dict[str, Any]:
    """Everything that is state, as values MessagePack can carry: what a snapshot holds."""
    rooms = exchange.rooms
    return _with_rows(_tables(exchange), {"registry": rooms.registry.to_canonical(), "device_meters": rooms.meters.devices.to_canonical()})


def hashed_content(exchange: "Exchange") -> dict[str, Any]:
    """`content` with digests in the place of large tables: what is hashed."""
    rooms = exchange.rooms
    return _with_rows(_tables(exchange), {"registry": rooms.registry.to_hash(), "device_meters": rooms.meters.devices.to_hash()})


def _with_rows(tables: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Tables that older journals do not have: without a row they are no part of the state, so those journals keep their hashes."""
    return tables | {name: rows for name, rows in later.items() if rows}


def _tables(exchange: "Exchange") -> dict[str, Any]:
    state, rooms = exchange.state, exchange.rooms
    counters = state.counters[0]
    tables = {
        "version": SNAPSHOT_VERSION,
        "counters": [int(counters[name]) for name in _COUNTERS],
        "participants": rooms.participants.to_canonical(),
        "accounts": [[account, *(int(state.accounts[account][name]) for name in _ACCOUNT_FIELDS)] for account in _account_ids(exchange)],
        "instruments": rooms.instruments.to_canonical(),
        "books": [_book(exchange, instrument) for instrument in open_instruments(exchange)],
        "positions": _positions(exchange).tobytes(),
        "storages": _columns(state.storages[state.storages.account > 0], _STORAGE).tobytes(),
        "keys": _keys(exchange).tobytes(),
        "deadlines": _deadlines(exchange).tobytes(),
        "nominations": [[account, instrument, wh] for (account, instrument), wh in sorted(rooms.nominations.items())],
        "contract_prices": sorted(rooms.contract_price_ticks.items()),
        "midnight": rooms.midnight_is_scheduled,
        "meters": rooms.meters.to_canonical(),
        "settlements": [record.to_canonical() for _, record in sorted(rooms.settlements.items())],
    }
    later = {
        "auctions": _auctions(exchange),
        "reduce_only": _reduce_only_orders(exchange),
        "daily_references": rooms.instruments.references_to_canonical(),
        "blocks": rooms.blocks.to_canonical(),
        "one_way_auctions": rooms.one_way.to_canonical(),
        "switches": rooms.switches.to_canonical(),
        "beneficial_owners": rooms.participants.owners_to_canonical(),
        "owner_rules": rooms.participants.owner_rules_to_canonical(),
        "key_life": rooms.participants.ring.to_canonical(int(counters.epoch)),
        "approvals": rooms.approvals.to_canonical(),
        "audit": rooms.audit.to_canonical(),
        "level": [] if rooms.level == exchange.settings.level else [rooms.level],
        "devices": rooms.devices.to_canonical(),
        "months": rooms.meters.months.to_canonical(),
        "encumbrances": rooms.encumbrances.to_canonical(),
        "baskets": rooms.baskets.to_canonical(),
        "carbon": rooms.carbon.to_canonical(),
        "credits": rooms.credits.to_canonical(),
    }
    return _with_rows(tables, later)


def state_hash(exchange: "Exchange") -> bytes:
    """SHA-256 of the hashed content."""
    return hashlib.sha256(_encoder.encode(hashed_content(exchange))).digest()


def snapshot(exchange: "Exchange") -> bytes:
    """Canonical content with the running hash of events and the last entries of the audit log, for `restore`."""
    return _encoder.encode([content(exchange), int(exchange.state.counters[0].event_hash), exchange.rooms.audit.tail_to_snapshot()])


def restore(exchange: "Exchange", payload: bytes) -> None:
    """Fill a fresh exchange of the same genesis with a snapshot. Raises InputError for another version or a payload that is none."""
    try:
        body, event_hash, *tail = msgspec.msgpack.decode(payload)
        version = body["version"]
    except (msgspec.MsgspecError, TypeError, ValueError, KeyError) as error:
        raise InputError("payload is not a snapshot") from error
    if version != SNAPSHOT_VERSION:
        raise InputError("snapshot of an unknown version")
    rooms = exchange.rooms
    rooms.participants = Participants.from_canonical(body["participants"], body.get("beneficial_owners", []))
    rooms.participants.ring.restore(body.get("key_life", []), body["counters"][_COUNTERS.index("epoch")])
    rooms.approvals.restore(body.get("approvals", []))
    rooms.audit.restore(body.get("audit", []), tail[0] if tail else [])
    for participant in rooms.participants.by_id.values():
        exchange.state = enter_account(exchange.state, participant)
    rooms.participants.owner_rules = OwnerRules(*body.get("owner_rules", []))
    lay_out_owners(exchange.state, rooms.participants)
    for account, *values in body["accounts"]:
        for name, value in zip(_ACCOUNT_FIELDS, values, strict=True):
            exchange.state.accounts[account][name] = value
    _restore_instruments(exchange, body["instruments"])
    _restore_references(exchange, body.get("daily_references", []))
    _restore_keys(exchange, np.frombuffer(body["keys"], _KEY), _outlived_keys(body["books"]))
    _restore_books(exchange, body["books"])
    for instrument_id, phase_end_ns, auction_ticks in body.get("auctions", ()):
        row = exchange.state.instruments[rooms.instruments.by_id[instrument_id].slot]
        row.phase_end_ns, row.auction_ticks = phase_end_ns, auction_ticks
    for order_id in body.get("reduce_only", []):
        order_slot = exchange.core.find_slot(order_id)
        exchange.state.terms[order_slot].reduce_only = 1
        exchange.state.accounts[exchange.state.keys[int(exchange.state.terms[order_slot].key)].account].may_reduce = 1
    _restore_positions(exchange, np.frombuffer(body["positions"], _POSITION))
    _restore_storages(exchange, np.frombuffer(body["storages"], _STORAGE))
    for row in np.frombuffer(body["deadlines"], _DEADLINE).tolist():
        exchange.make_deadline_room()
        push_deadline(exchange.state, *row)
    rooms.nominations = {(account, instrument): wh for account, instrument, wh in body["nominations"]}
    rooms.contract_price_ticks = {int(instrument): int(ticks) for instrument, ticks in body["contract_prices"]}
    rooms.midnight_is_scheduled = body["midnight"]
    rooms.meters = MeterTable.from_canonical(body["meters"])
    rooms.meters.months = Months.from_canonical(body.get("months", []))
    rooms.meters.devices = DeviceStore.from_canonical(body.get("device_meters", []))
    records = [DaySettlement.from_canonical(record) for record in body["settlements"]]
    rooms.settlements = {record.day: record for record in records}
    rooms.blocks = BlockProposals.from_canonical(body.get("blocks", []))
    rooms.one_way = OneWayAuctions.from_canonical(body.get("one_way_auctions", []))
    rooms.switches = Switches.from_canonical(body.get("switches", []))
    rooms.level = body.get("level", [exchange.settings.level])[0]
    rooms.devices = Devices.from_canonical(body.get("devices", []))
    resales = {i.id: i.resale for i in rooms.instruments.by_id.values() if not i.is_power} if rooms.level >= Level.VALUE_CHAIN else {}
    rooms.registry = Registry.from_canonical(body.get("registry", []), resales)
    rooms.encumbrances = Encumbrances.from_canonical(body.get("encumbrances", []))
    rooms.baskets = Baskets.from_canonical(body.get("baskets", []))
    rooms.carbon = CarbonBooks.from_canonical(body.get("carbon", []))
    rooms.credits = CarbonCredits.from_canonical(body.get("credits", []))
    counters = exchange.state.counters[0]
    for name, value in zip(_COUNTERS, body["counters"], strict=True):
        counters[name] = value
    counters.event_hash = event_hash


def _account_ids(exchange: "Exchange") -> list[int]:
    return [*range(1, FIRST_PARTICIPANT), *exchange.rooms.participants.by_id]


def open_instruments(exchange: "Exchange") -> list[Instrument]:
    return list(exchange.rooms.instruments.open.values())


def _columns(rows: Any, dtype: np.dtype[Any]) -> NDArray[np.void]:
    out = np.zeros(len(rows), dtype)
    for name in dtype.names or ():
        if name in (rows.dtype.names or ()):
            out[name] = rows[name]
    return out


def _book(exchange: "Exchange", instrument: Instrument) -> list[Any]:
    row = exchange.state.instruments[instrument.slot]
    views = exchange.core.dump_orders(int(row.book))
    terms = exchange.state.terms[views["slot"]]
    out = _columns(terms, _ORDER)
    for name in HASHED_FIELDS:
        out[f"book_{name}"] = views[name]
    out["key_sequence"] = exchange.state.keys.sequence[terms.key]
    facts = list(exchange.core.book_facts(int(row.book)))
    return [instrument.id, *(int(row[name]) for name in _BOOK_FIELDS), facts, out.tobytes()]


def _auctions(exchange: "Exchange") -> list[list[int]]:
    """[instrument, end of its call phase, price of its last auction] where there is either."""
    rows = [(instrument.id, exchange.state.instruments[instrument.slot]) for instrument in open_instruments(exchange)]
    found = [[instrument_id, int(row.phase_end_ns), int(row.auction_ticks)] for instrument_id, row in rows]
    return [row for row in found if row[1:] != [0, NO_PRICE]]


def _reduce_only_orders(exchange: "Exchange") -> list[int]:
    """Ids of the open ones."""
    found: list[int] = []
    for instrument in open_instruments(exchange):
        views = exchange.core.dump_orders(int(exchange.state.instruments[instrument.slot].book))
        found += views["order_id"][exchange.state.terms[views["slot"]].reduce_only == 1].tolist()
    return sorted(found)


def _positions(exchange: "Exchange") -> NDArray[np.void]:
    parts = []
    for instrument in open_instruments(exchange):
        rows = exchange.state.positions[instrument.slot]
        used = np.zeros(rows.shape, bool)
        for name in POSITION.names or ():
            used |= rows[name] != 0
        accounts = np.flatnonzero(used)
        out = _columns(rows[accounts], _POSITION)
        out["instrument"], out["account"] = instrument.id, accounts
        parts.append(out)
    return np.concatenate(parts) if parts else np.zeros(0, _POSITION)


def _keys(exchange: "Exchange") -> NDArray[np.void]:
    used = exchange.state.keys[exchange.state.keys.used == 1]
    return _columns(used[np.argsort(used.sequence)], _KEY)


def _deadlines(exchange: "Exchange") -> NDArray[np.void]:
    """Live deadlines in the order they fire; those of orders that are gone, and of switches that were set anew, do not count."""
    rows = exchange.state.deadlines[: int(exchange.state.counters[0].n_deadlines)]
    live = [_is_live(exchange, row) for row in rows]
    out = _columns(rows[np.array(live, bool)], _DEADLINE)
    return out[np.lexsort((out["id"], out["at_ns"]))]


def _is_live(exchange: "Exchange", deadline: Any) -> bool:
    if deadline.kind == DeadlineKind.ORDER_EXPIRY:
        return exchange.core.find_slot(int(deadline.ref)) >= 0
    return deadline.kind != DeadlineKind.CANCEL_AFTER or exchange.rooms.switches.is_live(int(deadline.ref), int(deadline.id))


def _restore_instruments(exchange: "Exchange", rows: list[Any]) -> None:
    for instrument_id, spec_fields, phase, is_open in rows:
        spec = msgspec.convert(spec_fields, InstrumentSpec)
        book = exchange.core.open_book() if is_open else -1
        slot = free_instrument_slot(exchange.state) if is_open else -1
        instrument = Instrument(
            instrument_id, spec, InstrumentClass[spec.instrument_class.upper()], Resale[spec.resale.upper()], slot, Phase(phase)
        )
        exchange.rooms.instruments.add(instrument)
        if is_open:
            exchange.state = enter_instrument(exchange.state, instrument, book)
            exchange.sync_books()
    lay_out_schedule(exchange.state)


def _restore_references(exchange: "Exchange", rows: list[Any]) -> None:
    exchange.rooms.instruments.restore_references(rows)
    for instrument_id in exchange.rooms.instruments.references:
        apply_band(exchange.state, exchange.rooms.instruments.by_id[instrument_id])


def _outlived_keys(books: list[Any]) -> set[int]:
    """Sequences of the keys whose retention is over while their order is open: they are no longer in the ring."""
    orders = [np.frombuffer(data, _ORDER) for *_, data in books]
    return {int(sequence) for rows in orders for sequence in rows["key_sequence"][rows["outlives_key"] == 1]}


def _restore_keys(exchange: "Exchange", rows: NDArray[np.void], outlived: set[int]) -> None:
    while exchange.state.keys.shape[0] < len(rows) + 1:
        exchange.state = room.with_keys(exchange.state)
    keys, counters = exchange.state.keys, exchange.state.counters[0]
    counters.key_free = -1
    for name in _KEY_FIELDS:
        keys[name][: len(rows)] = rows[name]
    keys["used"][: len(rows)] = 1
    in_ring = np.flatnonzero(~np.isin(rows["sequence"], list(outlived)))
    exchange.state.fifo[int(counters.fifo_tail) : int(counters.fifo_tail) + len(in_ring)] = in_ring
    counters.fifo_tail += len(in_ring)
    counters.n_keys = len(rows)
    place_all_in_buckets(exchange.state)
    room.chain_free_keys(exchange.state, len(rows), keys.shape[0])


def _restore_books(exchange: "Exchange", books: list[Any]) -> None:
    used = np.flatnonzero(exchange.state.keys.used)
    key_of_sequence = dict(zip(exchange.state.keys.sequence[used].tolist(), used.tolist(), strict=True))
    view = np.zeros(1, ORDER_VIEW).view(np.recarray)
    for instrument_id, *fields, facts, data in books:
        instrument = exchange.rooms.instruments.by_id[instrument_id]
        row = exchange.state.instruments[instrument.slot]
        for name, value in zip(_BOOK_FIELDS, fields, strict=True):
            row[name] = value
        for order in np.frombuffer(data, _ORDER):
            for name in HASHED_FIELDS:
                view[0][name] = order[f"book_{name}"]
            order_slot = exchange.core.restore_order(int(row.book), view[0])
            exchange.sync_books()
            terms = exchange.state.terms[order_slot]
            for name in _TERMS_FIELDS:
                terms[name] = order[name]
            terms.limit_ticks, terms.display_lots = order["book_price_ticks"], order["book_display_lots"]
            terms.key, terms.instrument_slot = key_of_sequence[int(order["key_sequence"])], instrument.slot
            for name in CID_NAMES:
                terms[name] = exchange.state.keys[int(terms.key)][name]
            exchange.state.instruments[instrument.slot].open_orders += 1
            exchange.state.accounts[int(order["book_owner"])].open_orders += 1
        exchange.core.restore_book(int(row.book), facts)


def _restore_positions(exchange: "Exchange", rows: NDArray[np.void]) -> None:
    for row in rows:
        position = exchange.state.positions[exchange.rooms.instruments.by_id[int(row["instrument"])].slot, int(row["account"])]
        for name in POSITION.names or ():
            position[name] = row[name]


def _restore_storages(exchange: "Exchange", rows: NDArray[np.void]) -> None:
    storages = np.zeros(max(len(rows), exchange.state.storages.shape[0]), STORAGE).view(np.recarray)
    for index, row in enumerate(rows):
        for name in STORAGE.names or ():
            storages[index][name] = row[name]
        exchange.state.accounts[int(row["account"])].storage = index
    exchange.state = exchange.state._replace(storages=storages)
