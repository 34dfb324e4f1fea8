"""Four eyes: what needs a second person, who counts as one, and how a proposal ends."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange.errors import InputError
from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.protocol.documents import (
    Admit,
    ApproveProposal,
    ChangeKey,
    ChangeParticipant,
    ChangeTerms,
    ConfirmClock,
    CorrectLedger,
    Deposit,
    Document,
    IssueUnits,
    Key,
    ListInstruments,
    Propose,
    RegisterKey,
    RejectProposal,
    RevokeKey,
    RotateKey,
    SetApprovalRules,
    SetOwnerRules,
    SetPhase,
    WithdrawProposal,
    encode_document,
)
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.units import WithdrawUnits
from exchange.units import MICRO_PER_CNY, NS_PER_DAY, NS_PER_HOUR
from tests.exchange.order_path.business.desk import ANN, BOB, Desk, genesis, public_key
from tests.exchange.order_path.park import OPERATOR, power_spec, units_spec

MEMBER = 33


def desk_with_member(**rules: Any) -> Desk:
    """A member, one listed instrument of each class, and rules of approval if any are given."""
    desk = Desk()
    assert desk.member() == MEMBER
    desk.both(ListInstruments(instruments=[power_spec(40), units_spec()]))
    if rules:
        desk.both(SetApprovalRules(mode="four_eyes", window_ns=NS_PER_DAY, **rules))
    return desk


def key(key_id: str = "new", **changes: Any) -> Key:
    return Key(**({"key_id": key_id, "public_key": public_key(key_id), "scopes": ["read", "operate"], "person": key_id} | changes))


def deposit(cny: int = 100) -> Deposit:
    return Deposit(account=MEMBER, amount_micro=cny * MICRO_PER_CNY, reference="test")


def issue(lots: int = 10) -> IssueUnits:
    return IssueUnits(account=MEMBER, symbol="CEA25", quantity_lots=lots, reference="test")


NEEDS: list[tuple[str | None, Document]] = [
    ("rules", SetApprovalRules(mode="single", window_ns=NS_PER_DAY)),
    ("rules", SetOwnerRules(self_trade_scope="beneficial_owner")),
    ("rules", ChangeTerms(symbol="CEA25", reason="test", max_order_lots=5)),
    ("rules", ChangeParticipant(account=MEMBER, reason="test", permissions=[])),
    ("rules", ListInstruments(instruments=[power_spec(41, taker_fee_lot_micro=51)])),
    ("rules", ListInstruments(instruments=[power_spec(41, band_high_ticks=20_001)])),
    ("rules", ListInstruments(instruments=[power_spec(41, max_order_lots=7)])),
    ("rules", ListInstruments(instruments=[units_spec("CEA26", calendar="cea")])),
    (None, ListInstruments(instruments=[power_spec(41, deficit_price_ticks=7_000), units_spec("CEA26")])),
    ("money", deposit()),
    ("money", deposit(-1)),
    ("correction", CorrectLedger(debit=MEMBER, credit=OPERATOR, amount_micro=1, reason="test", reference="test")),
    (None, ConfirmClock(wall_ns=1, reason="test")),
    ("correction", WithdrawUnits(account=MEMBER, symbol="CEA25", reference="meter fault", quantity_lots=1)),
    ("issuance", issue()),
    ("operate_key", RegisterKey(account=OPERATOR, key=key())),
    (None, RegisterKey(account=MEMBER, key=key(scopes=["trade"]))),
    ("operate_key", Admit(name="o", role="operator", permissions=[], keys=[key()])),
    (None, Admit(name="o", role="operator", permissions=[], keys=[key(scopes=["audit"])])),
    ("operate_key", RotateKey(key_id=BOB, new_key_id="new", new_public_key=public_key("new"), old_until_ns=2**62)),
    (None, RotateKey(key_id=ANN, new_key_id="new", new_public_key=public_key("new"), old_until_ns=2**62)),
    ("operate_key", ChangeKey(key_id=BOB, scopes=["operate"])),
    ("operate_key", ChangeKey(key_id=BOB, not_after_ns=0)),
    (None, ChangeKey(key_id=BOB, scopes=["read"])),
    (None, ChangeKey(key_id="factory", scopes=["read"])),
    (None, RevokeKey(key_id=BOB)),
    (None, SetPhase(symbol="CEA25", phase="halted", reason="test")),
]


@pytest.mark.parametrize(("ground", "document"), NEEDS, ids=[f"{i}-{document.SCHEMA}" for i, (_, document) in enumerate(NEEDS)])
def test_what_needs_another_person(ground: str | None, document: Document) -> None:
    desk = desk_with_member()
    before = canonical.content(desk.exchange)
    code, answer = desk.say(document)
    if ground is None:
        assert code == RejectCode.ACCEPTED, answer
        return
    assert (code, answer) == (RejectCode.APPROVAL_REQUIRED, {"ground": ground})
    changed = {name for name, value in canonical.content(desk.exchange).items() if value != before.get(name)}
    assert changed == {"counters", "audit"}
    # Without a named key nobody is known to have said it, so nobody is enough either.
    assert desk.document(document)[0] == RejectCode.APPROVAL_REQUIRED


@pytest.mark.parametrize(("ground", "document"), NEEDS, ids=[f"{i}-{document.SCHEMA}" for i, (_, document) in enumerate(NEEDS)])
def test_single_needs_nobody(ground: str | None, document: Document) -> None:
    desk = Desk(approval="single")
    desk.member()
    desk.done(ListInstruments(instruments=[power_spec(40), units_spec()]))
    desk.done(deposit(1))
    desk.done(issue(1))
    desk.done(document)


def test_an_approved_document_is_carried_out_once() -> None:
    desk = desk_with_member()
    proposal = desk.propose(deposit())
    assert desk.exchange.balances(MEMBER).balance_micro == 0
    assert desk.approve(proposal) == (
        RejectCode.ACCEPTED,
        {"proposal": proposal["proposal"], "status": "approved", "result": {"available_micro": 100 * MICRO_PER_CNY}},
    )
    assert desk.approve(proposal)[0] == RejectCode.PROPOSAL_ENDED
    assert desk.exchange.balances(MEMBER).balance_micro == 100 * MICRO_PER_CNY


def _same_person(desk: Desk, proposal: dict[str, Any]) -> Any:
    desk.both(RegisterKey(account=OPERATOR, key=key("ann-2", person="ann")))
    return desk.approve(proposal, "ann-2")


def _late(desk: Desk, proposal: dict[str, Any]) -> Any:
    desk.tick(proposal["expires_ns"])
    return desk.approve(proposal)


def _rejected(desk: Desk, proposal: dict[str, Any]) -> Any:
    assert desk.done(RejectProposal(proposal=proposal["proposal"], reason="no"), BOB)["status"] == "rejected"
    return desk.approve(proposal)


def _withdrawn(desk: Desk, proposal: dict[str, Any]) -> Any:
    assert desk.done(WithdrawProposal(proposal=proposal["proposal"]))["status"] == "withdrawn"
    return desk.approve(proposal)


def _nameless(desk: Desk, proposal: dict[str, Any]) -> Any:
    desk.both(RegisterKey(account=OPERATOR, key=key("nameless", person="")))
    return desk.approve(proposal, "nameless")


REFUSED: list[tuple[str, int, Callable[[Desk, dict[str, Any]], Any]]] = [
    ("the proposer", RejectCode.SAME_PERSON, lambda desk, proposal: desk.approve(proposal, ANN)),
    ("another key of the proposer", RejectCode.SAME_PERSON, _same_person),
    ("a key of nobody known", RejectCode.BUSINESS_RULE, _nameless),
    ("rejecting by the proposer", RejectCode.SAME_PERSON, lambda desk, p: desk.say(RejectProposal(proposal=p["proposal"], reason="x"))),
    ("withdrawing by another", RejectCode.BUSINESS_RULE, lambda desk, p: desk.say(WithdrawProposal(proposal=p["proposal"]), BOB)),
    ("an unknown one", RejectCode.UNKNOWN_PROPOSAL, lambda desk, proposal: desk.approve(proposal | {"proposal": 99})),
    ("another document", RejectCode.PROPOSAL_DIFFERS, lambda desk, proposal: desk.approve(proposal | {"digest": "00" * 32})),
    ("after its time", RejectCode.PROPOSAL_ENDED, _late),
    ("a rejected one", RejectCode.PROPOSAL_ENDED, _rejected),
    ("a withdrawn one", RejectCode.PROPOSAL_ENDED, _withdrawn),
    ("a member", RejectCode.NO_PERMISSION, lambda desk, p: desk.say(ApproveProposal(proposal=p["proposal"], digest=b""), "factory", MEMBER)),
]


@pytest.mark.parametrize(("code", "ask"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_who_cannot_approve_and_when(code: int, ask: Callable[[Desk, dict[str, Any]], Any]) -> None:
    desk = desk_with_member()
    assert ask(desk, desk.propose(deposit()))[0] == code
    assert desk.exchange.balances(MEMBER).balance_micro == 0


def test_at_the_last_moment_it_can_still_be_approved() -> None:
    desk = desk_with_member()
    proposal = desk.propose(deposit())
    desk.tick(proposal["expires_ns"] - 1)
    assert desk.approve(proposal)[0] == RejectCode.ACCEPTED


def test_what_a_rule_refuses_goes_on_waiting() -> None:
    desk = desk_with_member()
    proposal = desk.propose(deposit(-5))
    assert desk.approve(proposal) == (RejectCode.BUSINESS_RULE, {"rule": "insufficient_available_cash"})
    desk.both(deposit(5))
    assert desk.approve(proposal)[0] == RejectCode.ACCEPTED


def _inner(document: Document) -> Propose:
    return Propose(document=encode_document(document), reason="test")


MALFORMED = [
    ("cannot_be_proposed", _inner(_inner(deposit()))),
    ("cannot_be_proposed", _inner(ApproveProposal(proposal=1, digest=b""))),
    ("proposal_malformed", Propose(document=b"\xc1", reason="test")),
    ("proposal_malformed", Propose(document=encode_document(deposit()), reason="")),
    ("proposal_malformed", _inner(ListInstruments(instruments=[power_spec(i % 96) for i in range(200)]))),
]


@pytest.mark.parametrize(("rule", "document"), MALFORMED)
def test_what_cannot_be_proposed(rule: str, document: Propose) -> None:
    assert desk_with_member().say(document) == (RejectCode.BUSINESS_RULE, {"rule": rule})


def test_a_nameless_person_proposes_nothing() -> None:
    desk = Desk(approval="single", persons=())
    assert desk.say(_inner(deposit())) == (RejectCode.BUSINESS_RULE, {"rule": "person_unknown"})


def test_limits_of_a_day_hold_for_all_persons_and_accounts_together() -> None:
    desk = desk_with_member(money_micro=100 * MICRO_PER_CNY, issue_lots=10)
    assert desk.say(deposit(60))[0] == desk.say(issue(10), BOB)[0] == RejectCode.ACCEPTED
    assert desk.say(deposit(41), BOB) == (RejectCode.APPROVAL_REQUIRED, {"ground": "money"})
    assert desk.say(deposit(-40), BOB)[0] == RejectCode.ACCEPTED
    assert desk.say(issue(1)) == (RejectCode.APPROVAL_REQUIRED, {"ground": "issuance"})
    desk.both(deposit(1_000))  # counts to no limit
    desk.tick(desk.now_ns + NS_PER_DAY)
    assert desk.say(deposit(100))[0] == desk.say(issue(10))[0] == RejectCode.ACCEPTED
    assert desk.say(deposit(1))[0] == RejectCode.APPROVAL_REQUIRED


RULES = [
    ("unknown_approval_mode", {"mode": "none"}),
    ("window_out_of_range", {"window_ns": 1}),
    ("window_out_of_range", {"window_ns": 31 * NS_PER_DAY}),
    ("amount_out_of_range", {"money_micro": -1}),
    ("amount_out_of_range", {"issue_lots": -1}),
]


@pytest.mark.parametrize(("rule", "changes"), RULES)
def test_rules_of_approval_are_checked(rule: str, changes: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"mode": "four_eyes", "window_ns": NS_PER_HOUR}
    desk = Desk(approval="single")
    assert desk.say(SetApprovalRules(**(fields | changes))) == (RejectCode.BUSINESS_RULE, {"rule": rule})


def test_a_single_operator_cannot_ask_for_four_eyes_that_nobody_has() -> None:
    desk = Desk(approval="single", persons=("ann", "ann"))
    rules = SetApprovalRules(mode="four_eyes", window_ns=NS_PER_HOUR)
    assert desk.say(rules) == (RejectCode.BUSINESS_RULE, {"rule": "four_eyes_need_two_persons"})
    desk.done(RegisterKey(account=OPERATOR, key=key("bob")))
    desk.done(rules)
    assert desk.say(rules)[0] == RejectCode.APPROVAL_REQUIRED


@pytest.mark.parametrize("persons", [(), ("ann", "ann"), ("ann", ""), ("ann",)])
def test_a_genesis_with_four_eyes_names_two_persons(persons: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="two named persons"):
        Exchange(genesis(persons=persons))


def test_proposals_survive_a_snapshot() -> None:
    desk = desk_with_member(money_micro=100)
    proposal = desk.propose(deposit())
    desk.done(Deposit(account=MEMBER, amount_micro=60, reference="test"))
    other = Exchange(desk.genesis)
    canonical.restore(other, canonical.snapshot(desk.exchange))
    assert canonical.state_hash(other) == canonical.state_hash(desk.exchange)
    assert canonical.snapshot(other) == canonical.snapshot(desk.exchange)
    desk.exchange = other
    assert desk.say(Deposit(account=MEMBER, amount_micro=41, reference="test"))[0] == RejectCode.APPROVAL_REQUIRED
    assert desk.approve(proposal)[0] == RejectCode.ACCEPTED
