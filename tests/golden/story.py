"""A story to keep as a journal: `python -m tests.golden.story DIRECTORY` plays it with the code as it is and writes what it said.

For each new level of behaviour, and for each release: the directory goes beside this file under a name of its own, the printed row into
`test_journals.py`, and neither is ever made anew once the level is released. Stamps are fixed, so the same code writes the same bytes.

In it: keys with persons, four eyes, a correction, a confirmed clock, devices, an auction, every kind of order, a basket, a block contract, a dead
man's switch, an owner's rules, changed terms, a halt, a rotated and a revoked key, refusals of each, two epochs and their checkpoints.
"""

import sys
from pathlib import Path
from typing import Final

from exchange.journal.record import CommandFlag, CommandKind
from exchange.journal.segments import SegmentJournal
from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.protocol.documents import (
    CancelAfter,
    ChangeParticipant,
    ChangeTerms,
    ConfirmClock,
    CorrectLedger,
    Deposit,
    ListInstruments,
    RevokeKey,
    RotateKey,
    SetApprovalRules,
    SetOwnerRules,
    SetPhase,
    encode_document,
)
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.units import MICRO_PER_CNY, NS_PER_DAY, NS_PER_MINUTE, NS_PER_SECOND
from matching.records import Side, TimeInForce
from tests.exchange.order_path.business.desk import ANN, BOB, Desk, public_key
from tests.exchange.order_path.park import OPEN_NS, block_spec, power_spec

FACTORY, SOLAR, TRADER = 33, 34, 35
SEGMENT_BYTES: Final = 32 * 1024
AUCTION_NS: Final = 10 * NS_PER_SECOND


def start(desk: Desk, epoch: int) -> None:
    """An epoch begins: no recovery phase."""
    desk.one(CommandKind.NODE_STARTED, 0, quantity_lots=epoch)


def checkpoint(desk: Desk) -> None:
    """Both hashes as of now, as a node leaves them when it stops."""
    data = encode_document(desk.exchange.checkpoint())
    desk.send(desk.record(CommandKind.CHECKPOINT, 0, document_length=len(data)), data)


def open_market(desk: Desk) -> None:
    """Members with money, four contracts of which one opens with an auction, and a block over all of them."""
    for name in ("factory", "solar", "trader"):
        desk.member(name)
    desk.both(SetApprovalRules(mode="four_eyes", window_ns=NS_PER_DAY, money_micro=200_000 * MICRO_PER_CNY))
    for account in (FACTORY, SOLAR, TRADER):
        desk.done(Deposit(account=account, amount_micro=50_000 * MICRO_PER_CNY, reference="opening"))
    desk.say(Deposit(account=TRADER, amount_micro=100_000 * MICRO_PER_CNY, reference="too much for one"))
    auction = power_spec(40, opening_auction_ns=AUCTION_NS, auction_price_rule="k")
    desk.both(ListInstruments(instruments=[auction, *(power_spec(index) for index in (41, 42, 43)), block_spec()]))
    desk.done(RegisterDevice(account=SOLAR, name="roof", kind="pv", capacity_w=2_000_000, commissioned_ns=OPEN_NS, scheme="gec"))
    desk.both(SetOwnerRules(self_trade_scope="beneficial_owner", limit_lots=50_000))
    desk.both(ChangeParticipant(account=TRADER, reason="bought", beneficial_owner=FACTORY))
    for session, (name, account) in enumerate((("factory", FACTORY), ("solar", SOLAR), ("trader", TRADER)), 1):
        desk.session(name, account, session)


def trade(desk: Desk) -> None:
    """The auction, then each kind of order, accepted and refused."""
    desk.tick(OPEN_NS)
    desk.place(FACTORY, 1, Side.BUY, 4_010, 50)
    desk.place(SOLAR, 1, Side.SELL, 3_990, 80)
    desk.tick(OPEN_NS + AUCTION_NS)
    desk.place(SOLAR, 2, Side.SELL, 4_100, 1_000, flags=CommandFlag.ICEBERG, display_lots=100)
    desk.place(FACTORY, 2, Side.BUY, 4_100, 250)
    desk.place(FACTORY, 2, Side.BUY, 4_100, 10, flags=CommandFlag.POST_ONLY)
    desk.place(FACTORY, 2, Side.BUY, 4_100, 10, flags=CommandFlag.POST_ONLY | CommandFlag.REPRICE)
    desk.place(TRADER, 2, Side.SELL, 4_000, 10)  # would meet its owner's
    desk.place(SOLAR, 3, Side.SELL, 4_200, 400, flags=CommandFlag.ALL_OR_NONE)
    desk.place(FACTORY, 3, Side.BUY, 4_200, 300, time_in_force=TimeInForce.IOC)
    desk.place(FACTORY, 3, Side.BUY, 4_150, 300, time_in_force=TimeInForce.GTD, expiry_ns=OPEN_NS + 30 * NS_PER_MINUTE)
    desk.place(FACTORY, 2, Side.BUY, 4_300, 20, flags=CommandFlag.STOP, stop_ticks=4_200)
    desk.place(FACTORY, 2, Side.SELL, 4_500, 100, flags=CommandFlag.REDUCE_ONLY)
    desk.place(FACTORY, 2, Side.SELL, 4_500, 1_000, flags=CommandFlag.REDUCE_ONLY)
    desk.basket(FACTORY, (2, Side.BUY, 4_100, 30), (1, Side.BUY, 4_000, 30))
    desk.place(SOLAR, 4, Side.SELL, 4_050, 60, label=7)
    desk.amend(SOLAR, 14, 1, quantity_lots=40)
    desk.amend(SOLAR, 14, 1, quantity_lots=30)  # of a revision that is past
    desk.place(SOLAR, 5, Side.SELL, 4_120, 25)
    desk.place(FACTORY, 5, Side.BUY, 4_120, 25)
    desk.place(FACTORY, 99, Side.BUY, 4_000, 1)
    timeout = encode_document(CancelAfter(timeout_ns=60 * NS_PER_SECOND, label=None))
    desk.send(desk.record(CommandKind.DOCUMENT, SOLAR, document_length=len(timeout)), timeout)


def operate(desk: Desk) -> None:
    """Acts of the operators, and what time brings."""
    desk.both(CorrectLedger(debit=SOLAR, credit=FACTORY, amount_micro=3_141_592, reason="fee charged twice", reference="case 7"))
    desk.say(CorrectLedger(debit=SOLAR, credit=FACTORY, amount_micro=1, reason="alone", reference="case 8"))
    desk.both(CorrectLedger(debit=FACTORY, credit=int(House.FEES), amount_micro=10, reason="rounding", reference="case 9"))
    desk.done(ConfirmClock(wall_ns=desk.now_ns, reason="the time server was off"), BOB)
    desk.both(ChangeTerms(symbol="GP-20260715-1045", reason="calmer", band_low_ticks=2_000))
    desk.done(SetPhase(symbol="GP-20260715-1015", phase="halted", reason="test"))
    desk.tick(OPEN_NS + 5 * NS_PER_MINUTE)  # the switch fires
    desk.done(SetPhase(symbol="GP-20260715-1015", phase="resume", reason="test"), BOB)
    rotated = RotateKey(key_id=ANN, new_key_id="operator-3", new_public_key=public_key("operator-3"), old_until_ns=desk.now_ns + NS_PER_MINUTE)
    desk.done(rotated)
    desk.done(RevokeKey(key_id="trader", reason="lost"), BOB)
    desk.session("factory", FACTORY, 1, CommandKind.SESSION_CLOSED)
    desk.tick(OPEN_NS + 40 * NS_PER_MINUTE)
    desk.done(SetPhase(symbol="GP-20260715-1030", phase="halted", reason="by the new key"), "operator-3")


def told() -> Desk:
    """The whole story."""
    desk = Desk()
    start(desk, 1)
    open_market(desk)
    trade(desk)
    checkpoint(desk)
    start(desk, 2)
    operate(desk)
    checkpoint(desk)
    check_exchange(desk.exchange)
    return desk


def write(directory: Path) -> tuple[int, str, str]:
    """Play it into a journal: (last command, state hash, hash of events). One group a command, both epochs in one opening of the journal."""
    desk = told()
    journal = SegmentJournal.open(directory, desk.genesis, segment_bytes=SEGMENT_BYTES)
    for records, documents in desk.log:
        journal.append(records, documents)
    journal.close()
    (directory / "lock").unlink(missing_ok=True)
    return desk.exchange.last_sequence, canonical.state_hash(desk.exchange).hex(), desk.exchange.event_hash


if __name__ == "__main__":
    target = Path(sys.argv[1])
    print((target.name, *write(target)))
