"""The life of a key: a row for every refusal, and what ends with it."""

from collections.abc import Callable
from typing import Any

import pytest

from exchange.journal.record import CommandFlag, CommandKind
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import Exchange
from exchange.protocol.documents import ChangeKey, Key, Propose, RegisterKey, RevokeKey, RotateKey, SetPhase, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import MICRO_PER_CNY, NS_PER_HOUR
from matching.records import Side
from tests.exchange.order_path.business.desk import ANN, BOB, Desk, public_key
from tests.exchange.order_path.park import OPEN_NS, OPERATOR, power_spec


def trading() -> tuple[Desk, int, int]:
    """(desk, account of the factory, instrument), one hour into trading; the factory has session 7 open with its key."""
    desk = Desk(approval="single")
    factory = desk.member()
    desk.document(_deposit(factory))
    (instrument,) = desk.list(power_spec(40))
    desk.tick(OPEN_NS)
    assert desk.session("factory", factory, 7) == RejectCode.ACCEPTED
    return desk, factory, instrument


def _deposit(account: int) -> Any:
    from exchange.protocol.documents import Deposit

    return Deposit(account=account, amount_micro=10_000 * MICRO_PER_CNY, reference="opening")


def _key(key_id: str = "new", **changes: Any) -> Key:
    fields: dict[str, Any] = {"key_id": key_id, "public_key": public_key(key_id), "scopes": ["read", "trade"]}
    return Key(**(fields | changes))


def _register(desk: Desk, factory: int, **changes: Any) -> Any:
    return desk.say(RegisterKey(account=factory, key=_key(**changes)))


def _rotate(desk: Desk, factory: int, **changes: Any) -> Any:
    fields: dict[str, Any] = {
        "key_id": "factory", "new_key_id": "new", "new_public_key": public_key("new"), "old_until_ns": desk.now_ns + NS_PER_HOUR,
    }  # fmt: skip
    return desk.say(RotateKey(**(fields | changes)))


def _revoked_id(desk: Desk, factory: int) -> Any:
    desk.done(RevokeKey(key_id="factory"))
    return _register(desk, factory, key_id="factory")


def _last_operator(desk: Desk, _factory: int) -> Any:
    desk.done(RevokeKey(key_id=BOB))
    return desk.say(RevokeKey(key_id=ANN))


def _last_scope(desk: Desk, _factory: int) -> Any:
    desk.done(RevokeKey(key_id=BOB))
    return desk.say(ChangeKey(key_id=ANN, scopes=["read"]))


REFUSED: list[tuple[str, Callable[[Desk, int], Any]]] = [
    ("key_malformed", lambda desk, factory: _register(desk, factory, key_id="")),
    ("key_malformed", lambda desk, factory: _register(desk, factory, public_key=b"short")),
    ("key_malformed", lambda desk, factory: _register(desk, factory, person="p" * 65)),
    ("key_id_taken", lambda desk, factory: _register(desk, factory, key_id="factory")),
    ("key_id_taken", _revoked_id),
    ("scope_not_allowed_for_role", lambda desk, factory: _register(desk, factory, scopes=["operate"])),
    ("expiry_has_passed", lambda desk, factory: _register(desk, factory, not_after_ns=desk.now_ns)),
    ("unknown_account", lambda desk, factory: desk.say(RegisterKey(account=99, key=_key()))),
    ("unknown_key", lambda desk, factory: desk.say(ChangeKey(key_id="nobody"))),
    ("scope_not_allowed_for_role", lambda desk, factory: desk.say(ChangeKey(key_id="factory", scopes=["audit"]))),
    ("expiry_has_passed", lambda desk, factory: desk.say(ChangeKey(key_id="factory", not_after_ns=desk.now_ns))),
    ("last_operator_key", _last_scope),
    ("unknown_key", lambda desk, factory: _rotate(desk, factory, key_id="nobody")),
    ("key_id_taken", lambda desk, factory: _rotate(desk, factory, new_key_id="factory")),
    ("expiry_has_passed", lambda desk, factory: _rotate(desk, factory, old_until_ns=desk.now_ns)),
    ("unknown_key", lambda desk, factory: desk.say(RevokeKey(key_id="nobody"))),
    ("last_operator_key", _last_operator),
]


@pytest.mark.parametrize(("rule", "ask"), REFUSED, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(REFUSED)])
def test_refused(rule: str, ask: Callable[[Desk, int], Any]) -> None:
    desk, factory, _ = trading()
    assert ask(desk, factory) == (RejectCode.BUSINESS_RULE, {"rule": rule})


def test_a_revoked_key_takes_its_sessions_and_what_they_wanted_cancelled_along() -> None:
    desk, factory, instrument = trading()
    flag = int(CommandFlag.CANCEL_ON_DISCONNECT)
    desk.place(factory, instrument, Side.BUY, 4_000, 10, session=7, flags=flag)
    desk.place(factory, instrument, Side.BUY, 4_000, 11, session=7)
    desk.place(factory, instrument, Side.BUY, 4_000, 12, session=8, flags=flag)
    desk.done(RevokeKey(key_id="factory", reason="lost"))
    assert [order.remaining_lots for order in desk.exchange.open_orders(factory)] == [11, 12]
    assert desk.noticed("key_ended") == [{"key_id": "factory", "reason": "revoked"}]
    assert desk.session("factory", factory, 9) == RejectCode.KEY_ENDED
    assert desk.exchange.rooms.participants.ring.ended["factory"].ended_ns == desk.now_ns
    check_exchange(desk.exchange)


def test_a_session_that_was_closed_is_not_ended_again() -> None:
    desk, factory, instrument = trading()
    desk.session("factory", factory, 7, CommandKind.SESSION_CLOSED)
    desk.place(factory, instrument, Side.BUY, 4_000, 10, session=7, flags=int(CommandFlag.CANCEL_ON_DISCONNECT))
    desk.done(RevokeKey(key_id="factory"))
    assert len(desk.exchange.open_orders(factory)) == 1


def test_closing_a_session_of_a_named_key_runs_cancel_on_disconnect() -> None:
    desk, factory, instrument = trading()
    desk.place(factory, instrument, Side.BUY, 4_000, 10, session=7, flags=int(CommandFlag.CANCEL_ON_DISCONNECT))
    desk.session("factory", factory, 7, CommandKind.SESSION_CLOSED)
    assert desk.exchange.open_orders(factory) == []


def test_sessions_of_another_epoch_are_over() -> None:
    desk, factory, instrument = trading()
    desk.one(CommandKind.NODE_STARTED, 0, quantity_lots=2)
    desk.place(factory, instrument, Side.BUY, 4_000, 10, session=7, flags=int(CommandFlag.CANCEL_ON_DISCONNECT))
    desk.done(RevokeKey(key_id="factory"))
    assert len(desk.exchange.open_orders(factory)) == 1


def test_rotation_lets_both_keys_speak_until_the_stated_time() -> None:
    desk, factory, _ = trading()
    until_ns = desk.now_ns + NS_PER_HOUR
    assert _rotate(desk, factory) == (RejectCode.ACCEPTED, {"old_until_ns": until_ns})
    new = desk.exchange.key("new")
    assert new is not None
    assert (new.account, new.scopes, new.person) == (factory, frozenset({"read", "trade"}), "of factory")
    assert [desk.session(key_id, factory, session) for key_id, session in (("factory", 8), ("new", 9))] == [0, 0]
    desk.tick(until_ns - 1)
    assert desk.exchange.key("factory") is not None
    desk.tick(until_ns)
    assert (desk.exchange.key("factory"), desk.exchange.key("new")) == (None, new)
    assert desk.exchange.rooms.participants.ring.ended["factory"].reason == "expired"
    assert desk.exchange.rooms.participants.ring.ended["factory"].ended_ns == until_ns


def test_a_rotation_gives_the_old_key_no_more_time_than_it_had() -> None:
    desk, factory, _ = trading()
    end_ns = desk.now_ns + 60
    desk.done(ChangeKey(key_id="factory", not_after_ns=end_ns))
    assert _rotate(desk, factory) == (RejectCode.ACCEPTED, {"old_until_ns": end_ns})


def test_a_key_that_is_given_more_time_does_not_end_at_its_old_time() -> None:
    desk, *_ = trading()
    first_ns = desk.now_ns + 60
    desk.done(ChangeKey(key_id="factory", not_after_ns=first_ns))
    desk.done(ChangeKey(key_id="factory", not_after_ns=first_ns + 60))
    desk.tick(first_ns)
    assert desk.exchange.key("factory") is not None
    desk.tick(first_ns + 60)
    assert desk.exchange.key("factory") is None


def test_other_scopes_end_the_sessions_and_another_expiry_does_not() -> None:
    desk, factory, _ = trading()
    desk.done(ChangeKey(key_id="factory", not_after_ns=desk.now_ns + 60))
    assert desk.noticed("key_ended") == []
    desk.done(ChangeKey(key_id="factory", scopes=["read"]))
    assert desk.noticed("key_ended") == [{"key_id": "factory", "reason": "changed"}]
    assert desk.session("factory", factory, 8) == RejectCode.ACCEPTED


SPEAKERS = [
    ("a key of another account", lambda desk, factory: desk.say(_halt(), "factory", OPERATOR), RejectCode.KEY_ENDED),
    ("a key that is not there", lambda desk, factory: desk.say(_halt(), "nobody"), RejectCode.KEY_ENDED),
    ("a revoked key", lambda desk, factory: [desk.done(RevokeKey(key_id=BOB)), desk.say(_halt(), BOB)][1], RejectCode.KEY_ENDED),
    ("a key without the scope", lambda desk, factory: [desk.done(ChangeKey(key_id=BOB, scopes=["read"])), desk.say(_halt(), BOB)][1], 3005),
    ("a member", lambda desk, factory: desk.say(_halt(), "factory", factory), RejectCode.NO_PERMISSION),
]


def _halt() -> SetPhase:
    return SetPhase(symbol="GP-20260715-1000", phase="halted", reason="test")


@pytest.mark.parametrize(("ask", "code"), [row[1:] for row in SPEAKERS], ids=[row[0] for row in SPEAKERS])
def test_who_may_not_speak(ask: Callable[[Desk, int], Any], code: int) -> None:
    desk, factory, _ = trading()
    assert ask(desk, factory)[0] == code
    assert desk.log_of_acts[-1].code == code


def test_keys_and_sessions_survive_a_snapshot_and_a_replay() -> None:
    desk, factory, _ = trading()
    _rotate(desk, factory)
    desk.session("new", factory, 9)
    desk.done(RevokeKey(key_id=BOB, reason="left"))
    other = Exchange(desk.genesis)
    canonical.restore(other, canonical.snapshot(desk.exchange))
    replayed = Exchange(desk.genesis)
    for records, documents in desk.log:
        replayed.apply(records, documents, replayed.last_sequence + 1)
    for copy in (other, replayed):
        assert canonical.state_hash(copy) == canonical.state_hash(desk.exchange)
        ring = copy.rooms.participants.ring
        assert (ring.last_used_ns["new"], ring.sessions_of("new", copy.epoch)) == (desk.now_ns, [9])
        assert (ring.ended[BOB].key.person, ring.live["factory"].not_after_ns) == ("bob", desk.now_ns + NS_PER_HOUR)
    restored = Desk(approval="single")
    restored.exchange, restored.now_ns = other, desk.now_ns
    restored.done(RevokeKey(key_id="new"))
    assert restored.noticed("key_ended") == [{"key_id": "new", "reason": "revoked"}]


def test_what_a_revoked_key_proposed_is_withdrawn() -> None:
    desk = Desk(persons=("ann", "bob", "eve"))
    waiting = desk.done(Propose(document=encode_document(_halt()), reason="test"), "operator-3")
    desk.done(RevokeKey(key_id="operator-3"))
    assert desk.approve(waiting)[0] == RejectCode.PROPOSAL_ENDED
