"""Executions are put together word by word: what is hashed is what lies in memory, and what lies in memory is the record."""

import numpy as np
import pytest

from exchange.journal.record import CommandKind
from exchange.order_path.mixing import mix_pair, mix_rows
from exchange.order_path.path import BatchResult
from exchange.order_path.records import EXECUTION, ExecutionKind
from exchange.order_path.state import EXECUTION_WORDS
from exchange.protocol.reject_codes import RejectCode
from matching.compile import kernel
from matching.records import Reason, SelfTrade
from tests.exchange.order_path.park import OPEN_NS, Park, power_spec

BUY, SELL = 0, 1


@kernel
def hash_of(h, words, start, end):
    return mix_rows(h, words, start, end)


@kernel
def continued(h, sequence, code, order_id, filled_lots, remaining_lots, notional_micro):
    h = mix_pair(mix_pair(h, sequence, code), order_id, filled_lots)
    return mix_pair(h, remaining_lots, notional_micro)


def expected_hash(before: int, result: BatchResult) -> int:
    """The running hash after one command, from its executions as they are handed out and its outcome."""
    words = np.frombuffer(result.executions.tobytes(), np.uint64).reshape(-1, EXECUTION.itemsize // 8)
    (outcome,) = result.outcomes
    names = ("sequence", "code", "order_id", "filled_lots", "remaining_lots", "notional_micro")
    return int(continued(np.uint64(hash_of(np.uint64(before), words, 0, len(words))), *(np.uint64(outcome[name]) for name in names)))


@pytest.fixture
def park() -> Park:
    return Park()


def test_the_running_hash_is_that_of_the_records(park: Park) -> None:
    (contract,) = park.list(power_spec())
    accounts = [park.admit(name, "prosumer", ["power_buy", "power_sell"], -1000, 1000) for name in ("A01", "A02")]
    park.tick(OPEN_NS)
    sent: list[BatchResult] = []
    send = park.send

    def follow(records: np.ndarray, documents: bytes = b"") -> BatchResult:
        before = int(park.exchange.state.counters[0].event_hash)
        result = send(records, documents)
        assert int(park.exchange.state.counters[0].event_hash) == expected_hash(before, result)
        sent.append(result)
        return result

    park.send = follow  # type: ignore[method-assign]
    resting = park.place(accounts[0], contract, SELL, 4100, 30)
    taken = park.place(accounts[1], contract, BUY, 4200, 10)
    met = park.place(accounts[0], contract, BUY, 4100, 5, self_trade=SelfTrade.CANCEL_NEWEST)
    park.amend(accounts[0], int(resting["order_id"]), 1, price_ticks=4150)
    park.cancel(accounts[0], int(resting["order_id"]))
    kinds = [int(row["kind"]) for result in sent for row in result.executions]
    assert {ExecutionKind.RESTED, ExecutionKind.TRADE, ExecutionKind.CANCELLED, ExecutionKind.REPRICED} == set(kinds)
    (trade,) = (row for row in sent[1].executions if row["kind"] == ExecutionKind.TRADE)
    assert met["code"] == RejectCode.SELF_TRADE_PREVENTED
    named = {name: trade[name] for name in EXECUTION.names or ()}
    assert (named["account"], named["counter_account"]) == (accounts[1], accounts[0])
    assert (named["order_id"], named["counter_order_id"]) == (taken["order_id"], resting["order_id"])
    assert (named["price_ticks"], named["quantity_lots"], named["remaining_lots"], named["counter_remaining_lots"]) == (4100, 10, 0, 20)
    assert (named["side"], named["reason"], named["index"], named["trade_number"]) == (BUY, Reason.NONE, 0, 1)
    assert (named["sequence"], named["seq"], named["counter_seq"], named["unused"]) == (sent[1].first_sequence, 1, 2, 0)
    assert named["client_order_id"] == sent[1].records[0]["client_order_id"]
    assert named["counter_client_order_id"] == sent[0].records[0]["client_order_id"]


def test_an_id_of_full_length_lies_across_words(park: Park) -> None:
    (contract,) = park.list(power_spec())
    maker, taker = (park.admit(name, "prosumer", ["power_buy", "power_sell"], -1000, 1000) for name in ("A01", "A02"))
    park.tick(OPEN_NS)
    ids = [bytes(range(48, 84)), bytes(range(84, 120))]
    park.place(maker, contract, SELL, 4100, 10, client_order_id=ids[0])
    record = park.record(CommandKind.PLACE, taker, instrument=contract, side=BUY, price_ticks=4100, quantity_lots=10, client_order_id=ids[1])
    (trade,) = park.send(record).executions
    assert (trade["counter_client_order_id"], trade["client_order_id"]) == tuple(ids)
    assert EXECUTION_WORDS.itemsize == EXECUTION.itemsize
