"""Dead man's switch and cancel on disconnect: deadlines and session ends in state, so they hold across batches, snapshots, crashes and restarts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.clock import TurnClock
from exchange.journal.record import CommandFlag, CommandKind
from exchange.journal.segments import SegmentJournal
from exchange.market.phases import Phase
from exchange.node import Node
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.order_path.records import ExecutionKind, HouseReason
from exchange.protocol.documents import CancelAfter
from exchange.protocol.reject_codes import RejectCode
from exchange.replay import replay_directory, state_hash_hex
from exchange.units import NS_PER_SECOND
from matching.records import Side, TimeInForce
from tests.exchange.order_path.park import GENESIS, OPEN_NS, Park, power_spec

S = NS_PER_SECOND


def market() -> tuple[Park, int, int]:
    park = Park()
    one, other = (park.admit(name, "enterprise", ["power_buy"], high=1_000) for name in ("E01", "E02"))
    park.list(power_spec(40))
    park.tick(OPEN_NS)
    return park, one, other


def arm(park: Park, account: int, seconds: float, label: int | None = None) -> dict[str, Any]:
    code, answer = park.document(CancelAfter(timeout_ns=int(seconds * S), label=label), account)
    assert code == 0, answer
    return answer


def bid(park: Park, account: int, **fields: Any) -> int:
    return int(park.place(account, 1, Side.BUY, 3_000, 1, **fields)["order_id"])


def open_ids(park: Park, account: int) -> list[int]:
    return [order.order_id for order in park.exchange.open_orders(account)]


def test_it_fires_at_its_time_and_not_before() -> None:
    park, one, other = market()
    orders, foreign = [bid(park, one), bid(park, one, label=7)], bid(park, other)
    assert arm(park, one, 10) == {"fires_at_ns": OPEN_NS + 10 * S}
    assert len(park.tick(OPEN_NS + 10 * S - 1).executions) == 0
    fired = park.tick(OPEN_NS + 99 * S).executions
    assert fired["order_id"].tolist() == orders
    assert set(fired["kind"]) == {ExecutionKind.CANCELLED}
    assert set(fired["reason"]) == {HouseReason.CANCEL_AFTER}
    assert set(fired["stamp_ns"]) == {OPEN_NS + 10 * S}  # as if at its own time, however late the tick
    assert (open_ids(park, one), open_ids(park, other)) == ([], [foreign])
    assert park.exchange.switch(one, None) is None
    check_exchange(park.exchange)


def test_a_renewal_moves_it_and_nothing_is_left_of_the_old_time() -> None:
    park, one, _ = market()
    bid(park, one)
    arm(park, one, 10)
    for second in (5, 12, 20):
        park.tick(OPEN_NS + second * S)
        assert arm(park, one, 10)["fires_at_ns"] == OPEN_NS + (second + 10) * S
    assert len(park.tick(OPEN_NS + 29 * S).executions) == 0
    assert len(park.tick(OPEN_NS + 30 * S).executions) == 1


def test_a_shorter_timeout_counts_at_once_and_a_longer_one_again() -> None:
    park, one, _ = market()
    bid(park, one)
    arm(park, one, 100)
    arm(park, one, 5)
    arm(park, one, 50)
    assert len(park.tick(OPEN_NS + 49 * S).executions) == 0
    arm(park, one, 2)
    assert len(park.tick(OPEN_NS + 51 * S).executions) == 1
    bid(park, one)
    assert len(park.tick(OPEN_NS + 101 * S).executions) == 0  # the entry of the first timeout is nobody's


def test_zero_switches_it_off() -> None:
    park, one, _ = market()
    order = bid(park, one)
    assert arm(park, one, 0) == {"fires_at_ns": 0}
    arm(park, one, 10)
    assert arm(park, one, 0) == {"fires_at_ns": 0}
    park.tick(OPEN_NS + 11 * S)
    assert open_ids(park, one) == [order]


def test_labels_have_switches_of_their_own() -> None:
    park, one, _ = market()
    plain, seven, eight = bid(park, one), bid(park, one, label=7), bid(park, one, label=8)
    arm(park, one, 10, label=7)
    arm(park, one, 20, label=0)
    park.tick(OPEN_NS + 10 * S)
    assert open_ids(park, one) == [plain, eight]
    park.tick(OPEN_NS + 20 * S)
    assert open_ids(park, one) == [eight]
    assert seven not in open_ids(park, one)


def test_switches_and_gates_fire_by_time_and_then_by_id() -> None:
    park, one, other = market()
    late, early = bid(park, one), bid(park, other)
    expiring = bid(park, one, time_in_force=TimeInForce.GTD, expiry_ns=OPEN_NS + 10 * S)
    arm(park, one, 20)
    arm(park, other, 10)
    fired = park.tick(OPEN_NS + 30 * S).executions
    assert fired["order_id"].tolist() == [expiring, early, late]
    assert fired["stamp_ns"].tolist() == [OPEN_NS + 10 * S, OPEN_NS + 10 * S, OPEN_NS + 20 * S]


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (CancelAfter(timeout_ns=S - 1), "timeout_out_of_range"),
        (CancelAfter(timeout_ns=24 * 3600 * S + 1), "timeout_out_of_range"),
        (CancelAfter(timeout_ns=-S), "timeout_out_of_range"),
        (CancelAfter(timeout_ns=S, label=-1), "label_out_of_range"),
        (CancelAfter(timeout_ns=S, label=2**32), "label_out_of_range"),
    ],
)
def test_the_fold_refuses(document: CancelAfter, rule: str) -> None:
    park, one, _ = market()
    before = canonical.content(park.exchange)["deadlines"]
    assert park.document(document, one) == (RejectCode.BUSINESS_RULE, {"rule": rule})
    assert canonical.content(park.exchange)["deadlines"] == before


def test_an_account_has_sixteen_at_most() -> None:
    park, one, other = market()
    for label in range(16):
        arm(park, one, 10, label=label)
    assert park.document(CancelAfter(timeout_ns=10 * S), one) == (RejectCode.BUSINESS_RULE, {"rule": "too_many_switches"})
    arm(park, one, 20, label=3)
    arm(park, other, 10)
    arm(park, one, 0, label=3)
    arm(park, one, 10)


def test_renewals_do_not_fill_the_queue() -> None:
    park, one, _ = market()
    arm(park, one, 10)
    before = int(park.exchange.state.counters[0].n_deadlines)
    for tenth in range(1, 1_000):
        park.now_ns = OPEN_NS + tenth * S // 10
        arm(park, one, 10)
    assert int(park.exchange.state.counters[0].n_deadlines) == before


STEPS = st.lists(
    st.tuples(st.sampled_from(["arm", "wait", "place"]), st.integers(0, 1), st.integers(0, 12), st.sampled_from([None, 0, 7])), max_size=25
)


@given(STEPS, st.integers(0, 25))
def test_it_is_state(steps: list[tuple[str, int, int, int | None]], cut: int) -> None:
    """A snapshot anywhere and the rest after it end as the whole does, and so does one batch of everything; a plain model says when each fires."""
    park, *accounts = market()
    armed: dict[tuple[int, int | None], int] = {}
    resting: dict[int, tuple[int, int]] = {}
    restored: Exchange | None = None
    for number, (kind, who, value, label) in enumerate(steps):
        if number == cut:
            restored = Exchange(GENESIS)
            canonical.restore(restored, canonical.snapshot(park.exchange))
            cut_at = len(park.log)
        if kind == "arm":
            arm(park, accounts[who], value, label)
            armed.pop((accounts[who], label), None)
            if value:
                armed[accounts[who], label] = park.now_ns + value * S
        elif kind == "place":
            resting[bid(park, accounts[who], label=label or 0)] = (accounts[who], label or 0)
        else:
            park.tick(park.now_ns + value * S)
        for (account, of_label), at_ns in sorted(armed.items(), key=lambda entry: entry[1]):
            if at_ns <= park.now_ns and kind == "wait":
                del armed[account, of_label]
                resting = {i: o for i, o in resting.items() if o[0] != account or of_label not in {None, o[1]}}
    assert sorted(i for account in accounts for i in open_ids(park, account)) == sorted(resting)
    check_exchange(park.exchange)
    whole = Exchange(GENESIS)
    for records, documents in park.log:
        whole.apply(records, documents, whole.last_sequence + 1)
    assert canonical.state_hash(whole) == canonical.state_hash(park.exchange)
    if restored is not None:
        for records, documents in park.log[cut_at:]:
            restored.apply(records, documents, restored.last_sequence + 1)
        assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)
        assert restored.event_hash == park.exchange.event_hash


# Crashes: a node that is gone without a word, and the next one on the same journal.


async def node_at(directory: Path, now_ns: int) -> Node:
    journal = SegmentJournal.open(directory / "journal", GENESIS, segment_bytes=1 << 20)
    node = Node(journal, Exchange(GENESIS), TurnClock(now_ns))
    await node.start()
    return node


def crash(node: Node) -> None:
    """The process dies: nothing more is journaled, the file lock goes."""
    node._accepting = False
    node.journal.close()


async def played(directory: Path, commands: list[tuple[np.ndarray, bytes]]) -> Node:
    node = await node_at(directory, OPEN_NS)
    for records, documents in commands:
        records["document_offset"] = records["document_length"] = 0
        answers = node.submit_many(records) if not documents else [node.submit(records, documents)]
        for answer in answers:
            await answer
    return node


async def test_a_switch_fires_though_the_exchange_crashed_and_came_back_later(tmp_path: Path) -> None:
    park, one, _ = market()
    bid(park, one)
    arm(park, one, 10)
    crash(await played(tmp_path, park.log))
    early = await node_at(tmp_path, OPEN_NS + 9 * S)
    assert len(early.exchange.open_orders(one)) == 1
    crash(early)
    late = await node_at(tmp_path, OPEN_NS + 60 * S)
    assert late.exchange.open_orders(one) == []
    await late.stop()
    replayed, _ = replay_directory(tmp_path / "journal")
    assert state_hash_hex(replayed) == state_hash_hex(late.exchange)
    check_exchange(replayed)


async def test_a_restart_cancels_the_orders_of_sessions_that_asked_for_it(tmp_path: Path) -> None:
    park, one, other = market()
    kept = bid(park, one, session=1)
    bid(park, one, session=1, flags=CommandFlag.CANCEL_ON_DISCONNECT)
    bid(park, other, session=2, flags=CommandFlag.CANCEL_ON_DISCONNECT)
    node = await played(tmp_path, park.log)
    assert len(node.exchange.open_orders(one)) == 2
    crash(node)
    restarted = await node_at(tmp_path, OPEN_NS + S)
    assert [order.order_id for order in restarted.exchange.open_orders(one)] == [kept]
    assert restarted.exchange.open_orders(other) == []
    assert restarted.exchange.instrument_by_id(1).phase is Phase.CONTINUOUS
    await restarted.stop()
    replayed, _ = replay_directory(tmp_path / "journal")
    assert state_hash_hex(replayed) == state_hash_hex(restarted.exchange)


def test_the_end_of_a_session_cancels_its_orders_and_no_others() -> None:
    park, one, _ = market()
    mine = bid(park, one, session=1, flags=CommandFlag.CANCEL_ON_DISCONNECT)
    others = [bid(park, one, session=2, flags=CommandFlag.CANCEL_ON_DISCONNECT), bid(park, one, session=1)]
    park.one(CommandKind.SESSION_CLOSED, one, session=1)
    assert open_ids(park, one) == others
    assert mine not in others
