"""Every table of the state enters its hash: each is changed once and the hash moves; compiled code counts no references."""

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import numba
import numpy as np
import pytest

from exchange.accounts.participants import RegisteredKey
from exchange.accounts.permissions import Permission, Role
from exchange.carbon.compliance import ComplianceYear, Entity
from exchange.carbon.park_scheme import ParkScheme
from exchange.carbon.projects import Factor, Project
from exchange.carbon.rules import CarbonRules
from exchange.journal.record import COMMAND, CommandFlag
from exchange.ledger.postings import post_settlement
from exchange.market.block_proposals import BlockProposal, BlockProposals, ProposalStatus
from exchange.market.daily_reference import DailyReference
from exchange.market.instruments import Instrument
from exchange.market.one_way_auctions import AuctionStatus, BidStatus, OneWayAuction, OneWayAuctions, SealedBid
from exchange.market.phases import Phase
from exchange.metering.device_readings import Taken, take
from exchange.metering.months import ClosedMonth
from exchange.order_path import canonical
from exchange.order_path.auctions import answer_of_book, ask_of_book
from exchange.order_path.dead_mans_switch import Switch
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.loop import run_commands
from exchange.order_path.orders import expire_instrument
from exchange.order_path.path import Exchange
from exchange.order_path.state import ACCOUNT, CID_NAMES, COMMAND_WORDS, COUNTERS, DEADLINE, INSTRUMENT, KEY, POSITION, STORAGE, TERMS, PathState
from exchange.protocol.documents import MeterReadings
from exchange.protocol.instrument_class import InstrumentClass, Resale
from exchange.protocol.value_chain.accounting import EmissionFactor
from exchange.protocol.value_chain.metering import DeviceReadings, RegisterDevice
from exchange.registry.eligibility import Criteria
from exchange.registry.encumbrances import EncumbranceKind
from exchange.registry.registry import UnitFacts
from exchange.registry.serials import UnitScheme
from exchange.settlement.day import settle_day
from exchange.units import PERIOD_NS
from matching.records import Side, TimeInForce
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park, block_spec, power_spec, units_spec
from tests.exchange.settlement.worlds import make_day

PROJECT = Project(1, "lamps", "retrofit", 33, 33, 33, 3, b"", b"", Factor("MEE", 2023, "CN", "average", 1), 0, [], "lamps", "electricity", 0, [], [])
TABLES: dict[str, np.dtype[Any]] = {
    "accounts": ACCOUNT, "instruments": INSTRUMENT, "positions": POSITION, "storages": STORAGE, "terms": TERMS, "keys": KEY,
    "deadlines": DEADLINE, "counters": COUNTERS,
}  # fmt: skip


@pytest.fixture(scope="module")
def payload() -> bytes:
    """A snapshot with something in every table."""
    park = Park()
    load = park.admit("E01", "enterprise", ["power_buy", "cea_buy"], high=1_000)
    battery = park.admit("S01", "storage", ["power_buy", "power_sell"], low=-1_000, high=1_000)
    park.storage(battery)
    park.list(power_spec(40), power_spec(41), units_spec(), block_spec(periods=2))
    park.tick(OPEN_NS)
    park.place(battery, 1, Side.SELL, 4_000, 10)
    park.place(load, 1, Side.BUY, 4_000, 4)
    park.place(load, 2, Side.BUY, 3_000, 4, time_in_force=TimeInForce.GTD, expiry_ns=OPEN_NS + 10**9)
    park.place(battery, 1, Side.SELL, 4_000, 10)
    park.place(battery, 1, Side.SELL, 9_000, 10, flags=CommandFlag.ICEBERG, display_lots=3)
    park.place(battery, 1, Side.SELL, 9_000, 10, flags=CommandFlag.ALL_OR_NONE)
    park.place(battery, 1, Side.BUY, 5_000, 10, flags=CommandFlag.STOP, stop_ticks=4_500)
    park.place(load, 4, Side.BUY, 3_000, 4)
    return canonical.snapshot(park.exchange)


def _swap_queue(exchange: Exchange) -> None:
    """Exchange the places of two orders of one level by cancelling and restoring the first behind the second."""
    views = exchange.core.dump_orders(int(exchange.state.instruments[0].book))
    first, second = views[0], views[1]
    orders = exchange.state.books.orders
    for name in ("order_id", "remaining_lots"):
        a, b = int(orders[int(first["slot"])][name]), int(orders[int(second["slot"])][name])
        orders[int(first["slot"])][name], orders[int(second["slot"])][name] = b, a


def _read_a_meter(exchange: Exchange) -> None:
    document = MeterReadings(
        revision=1, accounts=[33], period_starts_ns=[DAY_NS], consumption_wh=[1], generation_wh=[0], soc_wh=[-1], grid_starts_ns=[],
        grid_import_wh=[], grid_export_wh=[], losses_wh=[],
    )  # fmt: skip
    assert exchange.rooms.meters.apply(document, {33}, DAY_NS + PERIOD_NS) is None


def _read_the_grid_meter(exchange: Exchange) -> None:
    document = MeterReadings(
        revision=1, accounts=[], period_starts_ns=[], consumption_wh=[], generation_wh=[], soc_wh=[], grid_starts_ns=[DAY_NS],
        grid_import_wh=[1], grid_export_wh=[0], losses_wh=[1],
    )  # fmt: skip
    assert exchange.rooms.meters.apply(document, {33}, DAY_NS + PERIOD_NS) is None


def _read_a_device(exchange: Exchange) -> None:
    exchange.rooms.devices.add(RegisterDevice(account=33, name="a", kind="load", capacity_w=1_000, commissioned_ns=0))
    canonical_before = canonical.state_hash(exchange)
    document = DeviceReadings(
        revision=1, devices=[1], first_starts_ns=[DAY_NS], counts=[1], qualities=["measured"], import_wh=[1], export_wh=[0]
    )
    assert isinstance(take(exchange.rooms.meters, document, exchange.rooms.devices, DAY_NS + PERIOD_NS, 99), Taken)
    assert canonical.state_hash(exchange) != canonical_before  # by the reading, not by the device alone


PARTICIPANT_CHANGES = {"role": Role.GENERATOR, "permissions": Permission.POWER_SELL, "min_net_power_lots": -7, "max_net_power_lots": 7, "name": "E9"}


def _change_participant(name: str, value: Any) -> Callable[[Exchange], None]:
    def change(exchange: Exchange) -> None:
        people = exchange.rooms.participants.by_id
        people[33] = dataclasses.replace(people[33], **{name: value})

    return change


def _set(table: str, row: int, field: str) -> Callable[[Exchange], None]:
    def change(exchange: Exchange) -> None:
        record = getattr(exchange.state, table)[row]
        record[field] = int(record[field]) + 1

    return change


def _settle_nothing(exchange: Exchange) -> None:
    exchange.rooms.meters.mark_settled([DAY_NS])


CHANGES: dict[str, Callable[[Exchange], None]] = {
    "order in the queue": _swap_queue,
    "remaining quantity": _set("books.orders", 0, "remaining_lots"),
    "cash": _set("accounts", 33, "balance_micro"),
    "holds": _set("accounts", 33, "held_micro"),
    "private sequence": _set("accounts", 33, "execution_seq"),
    "position": _set("positions", 0, "net_lots"),
    "trade number": _set("instruments", 0, "trade_number"),
    "book sequence": _set("instruments", 0, "book_seq"),
    "last price": _set("instruments", 0, "last_price_ticks"),
    "idempotency key": _set("keys", 0, "digest"),
    "recorded outcome": _set("keys", 0, "filled_lots"),
    "terms of an order": _set("terms", 0, "revision"),
    "state of charge": _set("storages", 0, "soc_wh"),
    "next order id": _set("counters", 0, "next_order_id"),
    "stamp": _set("counters", 0, "stamp_ns"),
    "epoch": _set("counters", 0, "epoch"),
    "deadline": lambda e: add_deadline(e.state, DAY_NS, 3, 1),
    "phase": lambda e: setattr(e.rooms.instruments.by_id[1], "phase", Phase.HALTED),
    "key of a participant": lambda e: e.rooms.participants.keys.__setitem__("x", RegisteredKey("x", 33, bytes(32), frozenset({"read"}))),
    "nomination": lambda e: e.rooms.nominations.__setitem__((34, 1), 5),
    "contract price": lambda e: e.rooms.contract_price_ticks.__setitem__(1, 5),
    "meter": _read_a_meter,
    "settled period": _settle_nothing,
    "settled day": lambda e: e.rooms.settlements.__setitem__("2026-07-15", settle_day(make_day([[1]], [[0]])).settlement),
    "grid meter": _read_the_grid_meter,
    "device reading": _read_a_device,
    "closed month": lambda e: e.rooms.meters.months.closed.append(ClosedMonth("2026-06", 0, 1)),
    "superseded reading": lambda e: e.rooms.meters.note_grid(5, np.array([DAY_NS])),
    "midnight": lambda e: setattr(e.rooms, "midnight_is_scheduled", not e.rooms.midnight_is_scheduled),
    "daily reference": lambda e: e.rooms.instruments.references.__setitem__(1, DailyReference(6_200)),
    "proposal": lambda e: e.rooms.blocks.add(BlockProposal(1, "b", 1, 33, 34, 0, 6_200, 100_000, DAY_NS, OPEN_NS)),
    "ids of proposals": lambda e: setattr(e.rooms.blocks, "next_id", 2),
    "auction": lambda e: e.rooms.one_way.add(OneWayAuction(1, "a", 1, 33, 1, 10, 6_800, 0, 0, False, OPEN_NS, DAY_NS)),
    **{f"{name} of a participant": _change_participant(name, value) for name, value in PARTICIPANT_CHANGES.items()},
    "specification of an instrument": lambda e: setattr(
        e.rooms.instruments.by_id[1], "spec", msgspec.structs.replace(e.rooms.instruments.by_id[1].spec, band_high_ticks=19_999)
    ),
    "instrument that is settled": lambda e: e.rooms.instruments.by_id.__setitem__(
        9, Instrument(9, units_spec("CCER"), InstrumentClass.CCER, Resale.NEXT_DAY, -1, Phase.SETTLED)
    ),
    "units": lambda e: e.rooms.registry.issue(UnitFacts(scheme=UnitScheme.GC), 33, 5, 1),
    "encumbrance": lambda e: e.rooms.encumbrances.add(EncumbranceKind.LOCK, 33, 3, 34, "loan", []),
    "basket": lambda e: e.rooms.baskets.by_asset.__setitem__(3, Criteria(vintage_from=202605)),
    "emission factor": lambda e: e.rooms.carbon.grid.append(
        EmissionFactor(publisher="MEE", year=2024, region="national", kind="average", mg_per_kwh=1)
    ),
    "dead man's switch": lambda exchange: exchange.rooms.switches.add(Switch(1, 33, -1, 10**9, OPEN_NS)),
    "carbon rules": lambda e: e.rooms.credits.rules.set(CarbonRules(from_year=2025)),
    "compliance entity": lambda e: e.rooms.credits.compliance.entities.__setitem__(33, Entity(33, "steel", ["kiln"], "works", [])),
    "compliance year": lambda e: e.rooms.credits.compliance.years.__setitem__((33, 2025), ComplianceYear(33, 2025)),
    "turnover of a month": lambda e: e.rooms.credits.prices.add(202612, 2**70, 1),
    "engagement of a verifier": lambda e: e.rooms.credits.engagements.note(34, 33, 2025),
    "project": lambda e: e.rooms.credits.projects.by_id.__setitem__(1, PROJECT),
    "claimed energy": lambda e: e.rooms.credits.energy.claim(1, 0, 1, 1, 1),
    "park scheme": lambda e: e.rooms.credits.parks.schemes.__setitem__(3, ParkScheme(3, 0, 1, 2, 1, [])),
}


@pytest.mark.parametrize("table", CHANGES)
def test_every_table_moves_the_hash(payload: bytes, table: str) -> None:
    exchange = Exchange(GENESIS)
    canonical.restore(exchange, payload)
    before = canonical.state_hash(exchange)
    if table == "remaining quantity":
        slot = int(exchange.core.dump_orders(int(exchange.state.instruments[0].book))[0]["slot"])
        exchange.state.books.orders[slot]["remaining_lots"] += 1
    elif table == "terms of an order":
        slot = int(exchange.core.dump_orders(int(exchange.state.instruments[0].book))[0]["slot"])
        exchange.state.terms[slot].revision += 1
    elif table == "position":
        exchange.state.positions[0, 33].net_lots += 1
    else:
        CHANGES[table](exchange)
    assert canonical.state_hash(exchange) != before


def _other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, tuple):
        return (*value[:-1], value[-1] + 1)
    if isinstance(value, ProposalStatus | AuctionStatus | BidStatus):
        return type(value)(1 - int(value))
    return not value if isinstance(value, bool) else value + 1


BID = SealedBid(1, "b", 33, 6_200, 5, 1, (6_200, 5))
AUCTION = OneWayAuction(1, "a", 1, 33, 1, 10, 6_800, 0, 0, False, OPEN_NS, DAY_NS, bids={(33, "b"): BID})
PROPOSAL = BlockProposal(1, "b", 1, 33, 34, 0, 6_200, 100_000, DAY_NS, OPEN_NS)
ROWS = {"proposal": PROPOSAL, "auction": AUCTION, "bid": BID, "daily reference": DailyReference(6_200)}


@pytest.mark.parametrize(
    ("row", "name"), [(row, field.name) for row, value in ROWS.items() for field in dataclasses.fields(value) if field.name != "bids"]
)
def test_every_field_of_the_national_market_is_content_and_restored(row: str, name: str) -> None:
    changed = dataclasses.replace(ROWS[row], **{name: _other(getattr(ROWS[row], name))})
    assert changed.to_canonical() != ROWS[row].to_canonical()
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(changed.to_canonical()))
    if isinstance(changed, BlockProposal):
        assert list(BlockProposals.from_canonical([9, [packed]]).by_id.values()) == [changed]
    elif isinstance(changed, OneWayAuction):
        assert OneWayAuction.from_canonical(packed) == changed
    elif isinstance(changed, DailyReference):
        assert DailyReference.from_canonical(packed) == changed
    else:
        auction = dataclasses.replace(AUCTION, bids={(changed.account, changed.client_id): changed})
        packed = msgspec.msgpack.decode(msgspec.msgpack.encode(auction.to_canonical()))
        table = OneWayAuctions.from_canonical([9, [packed]])
        assert (table.by_id[1], table.next_bid_id) == (auction, 9)


# Fields that are not state of their own, by table, and what they follow from. A new field is state until somebody puts it here.
DERIVED: dict[str, dict[str, str]] = {
    "accounts": {
        "min_net_lots": "participant", "max_net_lots": "participant", "permissions": "participant", "exists": "participant",
        "storage": "place in `storages`", "open_orders": "books", "may_reduce": "terms of the open orders",
        "owner": "participants and the rules of owners",
    },
    "instruments": {
        **dict.fromkeys(INSTRUMENT.names or (), "specification, phase and slot of the instrument"), "open_orders": "books",
    },
    "positions": {},
    "storages": {},
    "terms": {
        "key": "place in `keys`", "instrument_slot": "slot of the instrument",
        **dict.fromkeys(("limit_ticks", "display_lots"), "the order in its book"), **dict.fromkeys(CID_NAMES, "the order's key"),
    },
    "keys": {"used": "place in `keys`"},
    "deadlines": {},
    "counters": {
        "event_hash": "kept beside the state hash", "retention_ns": "genesis", "hash_key": "genesis",
        **dict.fromkeys(("event_index", "event_sequence", "posting_index"), "place within the command at work"),
        **dict.fromkeys(("filled_lots", "notional_micro", "cancelled_orders", "open_lots", "waits", "interrupted"), "of the command at work"),
        **dict.fromkeys(("n_executions", "n_postings", "n_deadlines", "n_keys", "n_schedule", "key_free", "fifo_head", "fifo_tail"), "fill level"),
        "next_retirement_ns": "the oldest key in the ring",
        **dict.fromkeys(("owner_self_trade", "owner_limit_lots"), "rules of owners"),
    },
}  # fmt: skip
for hashed in ("trade_number", "book_seq", "last_price_ticks", "phase_end_ns", "auction_ticks"):
    del DERIVED["instruments"][hashed]


@pytest.fixture(scope="module")
def restored(payload: bytes) -> Exchange:
    """One exchange for all fields: each test puts back what it changed, and sees the hash come back."""
    exchange = Exchange(GENESIS)
    canonical.restore(exchange, payload)
    return exchange


def _row_in_use(exchange: Exchange, table: str) -> Any:
    rows = getattr(exchange.state, table)
    if table == "positions":
        return rows[0, 33]
    if table == "terms":
        return rows[int(exchange.core.dump_orders(int(exchange.state.instruments[0].book))[0]["slot"])]
    return rows[33 if table == "accounts" else 0]


@pytest.mark.parametrize(
    ("table", "name"), [(table, name) for table in DERIVED for name in TABLES[table].names or () if name not in DERIVED[table]]
)
def test_every_field_of_the_compiled_state_moves_the_hash(restored: Exchange, table: str, name: str) -> None:
    before = canonical.state_hash(restored)
    row = _row_in_use(restored, table)
    row[name] = int(row[name]) ^ 1
    changed = canonical.state_hash(restored)
    row[name] = int(row[name]) ^ 1
    assert changed != before
    assert canonical.state_hash(restored) == before


def test_no_table_and_no_field_is_forgotten() -> None:
    """Every array of the state is a table above, belongs to the books, or is scratch or an index over the tables."""
    others = {"books", "events", "entry", "own_terms", "slot_of_instrument", "schedule", "covered", "order_slots", "buckets", "fifo", "outcomes",
              "executions", "counter_words", "outcome_words", "execution_words", "posting_words", "postings"}  # fmt: skip
    assert set(PathState._fields) == set(TABLES) | others
    assert all(set(fields) <= set(TABLES[table].names or ()) for table, fields in DERIVED.items())


def test_restored_state_has_the_same_hash(payload: bytes) -> None:
    exchange = Exchange(GENESIS)
    canonical.restore(exchange, payload)
    assert canonical.snapshot(exchange) == payload


def _arguments(exchange: Exchange) -> dict[str, tuple[Any, ...]]:
    state = exchange.state
    commands = np.zeros(1, COMMAND).view(COMMAND_WORDS).view(np.recarray)
    return {
        "run_commands": (state, commands, 0, 1),
        "expire_instrument": (state, 0, False),
        "post_settlement": (state, state.postings, 0),
        "ask_of_book": (state, 0, 8, 0, 0, 0, 0),
        "answer_of_book": (state, 0),
    }


KERNELS = [run_commands, expire_instrument, post_settlement, ask_of_book, answer_of_book]


@pytest.mark.parametrize("function", KERNELS, ids=lambda function: function.__name__)
def test_kernels_count_no_references(function: Any) -> None:
    """Compiled anew under the same options: what comes from the cache cannot be read."""
    fresh = numba.jit(**function.targetoptions)(function.py_func)
    fresh.compile(tuple(numba.typeof(argument) for argument in _arguments(Exchange(GENESIS))[function.__name__]))
    (text,) = fresh.inspect_llvm().values()
    assert "NRT_incref" not in text
