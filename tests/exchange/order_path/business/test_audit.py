"""The audit log: what it says of an act, that it cannot be altered, and that it is the journal's."""

import hashlib
import json
from typing import Any

import msgspec
import numpy as np
import pytest

from exchange.accounts.audit import TAIL_ENTRIES, AuditEntry, AuditLog, check_chain
from exchange.errors import CheckFailedError
from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.protocol.documents import Deposit, ListInstruments, Propose, ProposeBlock, RejectProposal, SetApprovalRules, SetPhase, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_HOUR
from tests.exchange.order_path.business.desk import BOB, Desk
from tests.exchange.order_path.park import OPERATOR, power_spec, units_spec

MEMBER = 33


def busy_desk() -> Desk:
    """An admission, an approved listing and deposit, a rejected proposal, a halt, a refusal."""
    desk = Desk()
    desk.member()
    desk.both(ListInstruments(instruments=[power_spec(40), units_spec()]))
    desk.both(Deposit(account=MEMBER, amount_micro=5_000, reference="opening"))
    rejected = desk.propose(SetApprovalRules(mode="single", window_ns=NS_PER_HOUR))
    desk.done(RejectProposal(proposal=rejected["proposal"], reason="no"), BOB)
    desk.done(SetPhase(symbol="CEA25", phase="halted", reason="test"), BOB)
    desk.say(Deposit(account=MEMBER, amount_micro=7, reference="alone"))
    return desk


def test_who_what_when_before_and_after() -> None:
    desk = busy_desk()
    entries = {entry.number: entry for entry in desk.log_of_acts}
    assert [(e.action, e.person, e.code, e.proposal, e.proposer) for e in entries.values()] == [
        ("admit", "ann", 0, 0, ""),
        ("propose", "ann", 0, 0, ""),
        ("list_instruments", "bob", 0, 1, "ann"),
        ("propose", "ann", 0, 0, ""),
        ("deposit", "bob", 0, 2, "ann"),
        ("propose", "ann", 0, 0, ""),
        ("reject_proposal", "bob", 0, 0, ""),
        ("set_phase", "bob", 0, 0, ""),
        ("deposit", "ann", int(RejectCode.APPROVAL_REQUIRED), 0, ""),
    ]
    money, halt, refused = entries[5], entries[8], entries[9]
    assert (money.before, money.after) == ({"balance_micro": 0}, {"balance_micro": 5_000})
    assert money.content == {"account": MEMBER, "amount_micro": 5_000, "reference": "opening"}
    assert (halt.before, halt.after) == ({"phase": "continuous"}, {"phase": "halted"})
    assert (halt.account, halt.key_id, halt.stamp_ns) == (OPERATOR, BOB, desk.now_ns)
    assert (refused.before, refused.after) == ({"balance_micro": 5_000}, None)
    assert entries[4].content["document"][0] == "deposit"
    assert entries[3].sequence < entries[4].sequence <= desk.exchange.last_sequence


def test_the_chain_can_be_verified_from_the_text_alone() -> None:
    entries = busy_desk().log_of_acts
    previous = "00" * 32
    for entry in entries:
        fields = msgspec.json.decode(msgspec.json.encode(entry))
        assert fields["previous"] == previous
        line = json.dumps(fields | {"chain": ""}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(line.encode()).hexdigest() == fields["chain"]
        previous = fields["chain"]


def _altered(entries: list[AuditEntry], at: int, **changes: Any) -> list[AuditEntry]:
    return [*entries[:at], msgspec.structs.replace(entries[at], **changes), *entries[at + 1 :]]


def test_every_field_is_held_by_the_chain() -> None:
    desk = busy_desk()
    entries, head = desk.log_of_acts, desk.exchange.rooms.audit.head
    assert check_chain(entries, head) == len(entries)
    values = {int: 77, str: "x"}
    for name in AuditEntry.__struct_fields__:
        other = values.get(type(getattr(entries[4], name)), {"balance_micro": 1})
        with pytest.raises(CheckFailedError, match="broken at entry 5"):
            check_chain(_altered(entries, 4, **{name: other}), head)


def test_entries_are_not_left_out_moved_or_cut_off() -> None:
    desk = busy_desk()
    entries, head = desk.log_of_acts, desk.exchange.rooms.audit.head
    for broken in ([*entries[:3], *entries[4:]], [*entries[:3], entries[4], entries[3], *entries[5:]], entries[1:]):
        with pytest.raises(CheckFailedError, match="broken"):
            check_chain(broken, head)
    with pytest.raises(CheckFailedError, match="not its head"):
        check_chain(entries[:-1], head)


def test_a_replay_makes_the_same_log_whatever_the_batches() -> None:
    desk = busy_desk()
    documents, offset = b"", 0
    records = []
    for record, document in desk.log:
        moved = record.copy()
        moved["document_offset"] = offset
        records.append(moved)
        documents, offset = documents + document, offset + len(document)
    replayed = Exchange(desk.genesis)
    replayed.apply(np.concatenate(records), documents, 1)
    assert list(replayed.rooms.audit.tail) == desk.log_of_acts
    assert canonical.state_hash(replayed) == canonical.state_hash(desk.exchange)


def test_the_log_goes_on_after_a_snapshot() -> None:
    desk = busy_desk()
    other = Exchange(desk.genesis)
    canonical.restore(other, canonical.snapshot(desk.exchange))
    assert list(other.rooms.audit.tail) == desk.log_of_acts
    desk.exchange = other
    desk.say(SetPhase(symbol="CEA25", phase="resume", reason="test"))
    assert check_chain(desk.log_of_acts, other.rooms.audit.head) == 10


def test_the_head_is_part_of_the_state() -> None:
    desk = busy_desk()
    before = canonical.state_hash(desk.exchange)
    desk.exchange.rooms.audit.head = "11" * 32
    assert canonical.state_hash(desk.exchange) != before


def test_acts_of_unnamed_keys_and_trades_are_not_in_it() -> None:
    desk = Desk(approval="single")
    desk.document(Deposit(account=MEMBER, amount_micro=5, reference="x"))
    assert "audit" not in canonical.content(desk.exchange)
    desk.member()
    desk.say(
        ProposeBlock(client_id="b", symbol="CEA25", side="sell", counterparty=34, price_ticks=1, quantity_lots=1), "factory", MEMBER
    )
    assert [entry.action for entry in desk.log_of_acts] == ["admit"]


def test_what_is_no_document_is_in_it_by_its_digest() -> None:
    desk = Desk()
    assert desk.say(Propose(document=b"\xc1", reason="test"))[0] == RejectCode.BUSINESS_RULE
    assert (desk.log_of_acts[0].content["document"], desk.log_of_acts[0].rule) == ("wQ==", "proposal_malformed")
    big = ListInstruments(instruments=[power_spec(i) for i in range(12)])
    desk.both(big)
    assert (desk.log_of_acts[-1].content, desk.log_of_acts[-1].digest) == (None, hashlib.sha256(encode_document(big)).hexdigest())
    assert len(desk.log_of_acts[-1].after["instruments"]) == 12


def test_only_the_last_entries_are_at_hand() -> None:
    log = AuditLog()
    facts: dict[str, Any] = dict.fromkeys(set(AuditEntry.__struct_fields__) - {"number", "previous", "chain"}, 0)
    facts |= dict.fromkeys(("key_id", "person", "action", "digest", "rule", "proposer"), "")
    entries = [log.append(**facts) for _ in range(TAIL_ENTRIES + 5)]
    assert (len(log.tail), log.count, log.tail[0].number) == (TAIL_ENTRIES, TAIL_ENTRIES + 5, 6)
    assert check_chain(entries, log.head) == TAIL_ENTRIES + 5
