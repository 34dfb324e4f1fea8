"""Random markets: invariants after every command, and the same state whatever the batches, the memory sizes or the interruptions."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.state import Sizes
from exchange.units import NS_PER_MINUTE
from matching.core import MatchingCore
from matching.records import SelfTrade, TimeInForce
from matching.state import OWNER_MASK
from matching.state import Sizes as BookSizes
from tests.exchange.order_path.park import DAY_NS, GENESIS, OPEN_NS, Park, power_spec, units_spec

TINY = Sizes(accounts=34, instruments=2, events=4, executions=8, postings=48, outcomes=1, keys=2, deadlines=1)
TINY_BOOKS = BookSizes(books=1, orders=2, pages=1, nodes=1, id_pages=1, owners=1, chunks=1)
CHECKED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def market() -> tuple[Park, list[int], list[int]]:
    """Five members (load, generator, storage, two that trade units) in two quarter-hours and three kinds of units."""
    park = Park()
    everything = ["power_buy", "power_sell", "cea_buy", "cea_sell", "gec_buy", "gec_sell", "pcc_buy", "pcc_sell"]
    accounts = [
        park.admit("E01", "enterprise", everything, low=-20, high=60, cash_cny=100),
        park.admit("PV01", "generator", everything, low=-60, high=20, cash_cny=100),
        park.admit("S01", "storage", ["power_buy", "power_sell"], low=-100, high=100, cash_cny=50),
        park.admit("E02", "enterprise", everything, low=-30, high=30, cash_cny=2_000),
    ]
    park.storage(accounts[2], soc_wh=4_000, soc_max_wh=9_000, power_w=20_000)
    instruments = park.list(
        power_spec(40), power_spec(41, deficit_price_ticks=10_820), units_spec("CEA25"),
        units_spec("GEC-202605-PV", instrument_class="gec", resale="none", band_low_ticks=400, band_high_ticks=700, min_price_ticks=100),
    )  # fmt: skip
    park.issue(accounts[3], "CEA25", 40)
    park.issue(accounts[1], "GEC-202605-PV", 40)
    park.tick(OPEN_NS)
    return park, accounts, instruments


PRICES = {0: [2_000, 3_000, 4_000, 30_000], 1: [3_900, 4_000, 12_000], 2: [5_600, 6_000, 6_800, 7_000], 3: [500, 551, 560]}

# Combinations that contradict each other are refused now and then.
FLAGS = [
    0, 0, CommandFlag.POST_ONLY, CommandFlag.CANCEL_ON_DISCONNECT, CommandFlag.POST_ONLY | CommandFlag.REPRICE, CommandFlag.ICEBERG,
    CommandFlag.MINIMUM, CommandFlag.MINIMUM,
    CommandFlag.ALL_OR_NONE, CommandFlag.ALL_OR_NONE, CommandFlag.STOP, CommandFlag.STOP, CommandFlag.STOP | CommandFlag.ICEBERG,
    CommandFlag.STOP | CommandFlag.MINIMUM, CommandFlag.STOP | CommandFlag.ALL_OR_NONE, CommandFlag.ICEBERG | CommandFlag.POST_ONLY,
    CommandFlag.REPRICE, CommandFlag.ICEBERG | CommandFlag.MINIMUM,
]  # fmt: skip

place = st.fixed_dictionaries(
    {
        "kind": st.just("place"),
        "who": st.integers(0, 3),
        "what": st.integers(0, 3),
        "side": st.integers(0, 1),
        "price": st.integers(0, 3),
        "lots": st.integers(1, 40),
        "tif": st.sampled_from([*TimeInForce]),
        "stp": st.sampled_from([*SelfTrade]),
        "flags": st.sampled_from(FLAGS),
        "order_type": st.sampled_from([0, 0, 0, 1]),
        "display": st.integers(1, 10),
        "minimum": st.integers(0, 20),
        "stop": st.integers(0, 3),
        "minutes": st.integers(1, 400),
    }
)
change = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["amend", "amend", "amend", "cancel", "mass_cancel", "closed"]),
        "own": st.sampled_from([True, True, True, False]),
        "who": st.integers(0, 3),
        "what": st.integers(0, 3),
        "order": st.integers(0, 6),
        "price": st.integers(0, 3),
        "lots": st.integers(0, 50),
        "side": st.integers(0, 1),
        "revision": st.integers(1, 2),
    }
)
wait = st.fixed_dictionaries({"kind": st.just("wait"), "minutes": st.sampled_from([1, 30, 240, 700, 1500])})
steps = st.lists(st.one_of(place, place, place, change, wait), min_size=1, max_size=40)


def command(park: Park, accounts: list[int], instruments: list[int], step: dict[str, Any]) -> np.ndarray:
    """The record of a step."""
    if step["kind"] == "wait":
        park.now_ns += step["minutes"] * NS_PER_MINUTE
        return park.record(CommandKind.TICK, 0)
    who, what = accounts[step["who"]], step["what"]
    price_ticks = PRICES[what][step["price"] % len(PRICES[what])]
    if step["kind"] == "place":
        return park.record(
            CommandKind.PLACE, who, instrument=instruments[what], side=step["side"], price_ticks=price_ticks, quantity_lots=step["lots"],
            time_in_force=step["tif"], self_trade=step["stp"], flags=step["flags"], order_type=step["order_type"], session=step["who"] + 1,
            expiry_ns=park.now_ns + step["minutes"] * NS_PER_MINUTE if step["tif"] == TimeInForce.GTD else 0, display_lots=step["display"],
            min_lots=step["minimum"], stop_ticks=PRICES[what][step["stop"] % len(PRICES[what])],
        )  # fmt: skip
    order_id = int(park.exchange.state.counters[0].next_order_id) - step["order"]
    order_slot = park.exchange.core.find_slot(order_id)
    if step["own"] and order_slot >= 0:
        who = int(park.exchange.state.books.orders[order_slot]["owner"]) & OWNER_MASK
    if step["kind"] == "cancel":
        return park.record(CommandKind.CANCEL, who, order_id=order_id)
    if step["kind"] == "closed":
        return park.record(CommandKind.SESSION_CLOSED, who, session=step["who"] + 1)
    if step["kind"] == "mass_cancel":
        return park.record(
            CommandKind.MASS_CANCEL, who, instrument=instruments[what], side=step["side"], flags=CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS
        )
    flags = (CommandFlag.AMEND_PRICE if step["side"] else 0) | CommandFlag.AMEND_QUANTITY
    return park.record(
        CommandKind.AMEND, who, order_id=order_id, revision=step["revision"], flags=flags, price_ticks=price_ticks, quantity_lots=step["lots"]
    )


@CHECKED
@given(steps)
def test_invariants_hold_after_every_command(moves: list[dict[str, Any]]) -> None:
    park, accounts, instruments = market()
    for move in moves:
        result = park.send(command(park, accounts, instruments, move))
        check_exchange(park.exchange)
        assert result.outcomes[0]["sequence"] == park.exchange.last_sequence
        for execution in result.executions:
            assert execution["quantity_lots"] >= 0
            assert execution["price_ticks"] > 0


@CHECKED
@given(steps, st.randoms(use_true_random=False))
def test_batches_sizes_and_snapshots_do_not_matter(moves: list[dict[str, Any]], random: Any) -> None:
    park, accounts, instruments = market()
    prepared = len(park.log)
    for move in moves:
        park.send(command(park, accounts, instruments, move))
    records = np.concatenate([record for record, _ in park.log[prepared:]])
    other = Exchange(GENESIS, TINY, MatchingCore(TINY_BOOKS, events_capacity=4))
    for record, documents in park.log[:prepared]:
        other.apply(record, documents, other.last_sequence + 1)
    start = 0
    while start < len(records):
        end = min(len(records), start + random.randint(1, 9))
        other.apply(records[start:end], b"", other.last_sequence + 1)
        start = end
        if random.random() < 0.3:
            payload = canonical.snapshot(other)
            other = Exchange(GENESIS, TINY, MatchingCore(TINY_BOOKS, events_capacity=4))
            canonical.restore(other, payload)
            check_exchange(other)
    assert other.event_hash == park.exchange.event_hash
    assert canonical.state_hash(other) == canonical.state_hash(park.exchange)


def test_room_for_postings_is_made_where_there_is_enough_for_executions() -> None:
    park = Park(Exchange(GENESIS, Sizes(events=4, executions=1_024, postings=64)))
    accounts = [park.admit(name, "market_maker", ["power_buy", "power_sell"], -1_000, 1_000) for name in ("M1", "M2")]
    (instrument,) = park.list(power_spec(40))
    park.tick(OPEN_NS)
    for _ in range(20):
        park.place(accounts[0], instrument, 1, 4_000, 1)
    assert park.place(accounts[1], instrument, 0, 4_000, 20)["filled_lots"] == 20
    check_exchange(park.exchange)


def test_postings_are_the_balances() -> None:
    """Balances and units are the fold of the postings and of nothing else."""
    park, accounts, instruments = market()
    replayed = Exchange(GENESIS)
    rng = np.random.default_rng(5)
    for _ in range(300):
        what = int(rng.integers(4))
        price = PRICES[what][int(rng.integers(len(PRICES[what])))]
        park.place(accounts[int(rng.integers(4))], instruments[what], int(rng.integers(2)), price, int(rng.integers(1, 20)))
    balances: dict[tuple[int, int], int] = {}
    for records, documents in park.log:
        for posting in replayed.apply(records, documents, replayed.last_sequence + 1).postings:
            for account, sign in ((int(posting["debit"]), -1), (int(posting["credit"]), 1)):
                key = int(posting["asset"]), account
                balances[key] = balances.get(key, 0) + sign * int(posting["amount"])
    for account in [1, 3, 4, 11, *accounts]:
        assert balances.get((0, account), 0) == int(park.exchange.state.accounts[account].balance_micro)
    for symbol in ("CEA25", "GEC-202605-PV"):
        instrument = park.exchange.instrument(symbol)
        assert instrument is not None
        for account in accounts:
            assert balances.get((instrument.id, account), 0) == int(park.exchange.state.positions[instrument.slot, account].net_lots)
    assert park.now_ns < DAY_NS
