"""Manual corrections: two persons, never beyond what is there, told to both sides and kept in the audit log."""

from typing import Any

import numpy as np
import pytest

from exchange.ledger.chart import House
from exchange.ledger.records import PostingReason
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.protocol.documents import CorrectLedger, Deposit, ListInstruments, SetApprovalRules
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_DAY
from matching.records import Side
from tests.exchange.order_path.business.desk import Desk
from tests.exchange.order_path.park import OPEN_NS, OPERATOR, power_spec

FACTORY, SOLAR = 33, 34
LIMIT_MICRO = 2**51


def desk(approval: str = "four_eyes") -> Desk:
    """Two members with 1 CNY each."""
    found = Desk(approval)
    for name in ("factory", "solar"):
        found.member(name)
    if approval == "four_eyes":
        found.both(SetApprovalRules(mode="four_eyes", window_ns=NS_PER_DAY, money_micro=10**12))
    for account in (FACTORY, SOLAR):
        found.done(Deposit(account=account, amount_micro=1_000_000, reference="opening"))
    return found


def correction(**changes: Any) -> CorrectLedger:
    fields: dict[str, Any] = {"debit": FACTORY, "credit": SOLAR, "amount_micro": 400_000, "reason": "fee charged twice", "reference": "case 7"}
    return CorrectLedger(**(fields | changes))


def balances(found: Desk, *accounts: int) -> list[int]:
    return [found.exchange.balances(account).balance_micro for account in accounts]


def test_one_person_is_never_enough_under_four_eyes() -> None:
    """Whatever the limit of the day: a correction is no deposit."""
    found = desk()
    assert found.say(correction(amount_micro=1)) == (RejectCode.APPROVAL_REQUIRED, {"ground": "correction"})
    assert balances(found, FACTORY, SOLAR) == [1_000_000, 1_000_000]


def test_an_approved_correction_moves_money_and_is_told() -> None:
    found = desk()
    assert found.both(correction()) == {"debit_balance_micro": 600_000, "credit_balance_micro": 1_400_000}
    assert balances(found, FACTORY, SOLAR) == [600_000, 1_400_000]
    told = {"debit": FACTORY, "credit": SOLAR, "amount_micro": 400_000, "reason": "fee charged twice", "reference": "case 7"}
    assert found.noticed("correction") == [told]
    entry = found.log_of_acts[-1]
    assert (entry.action, entry.person, entry.proposer, entry.content) == ("correct_ledger", "bob", "ann", told)
    assert entry.before == {"debit_balance_micro": 1_000_000, "credit_balance_micro": 1_000_000}
    assert entry.after == {"debit_balance_micro": 600_000, "credit_balance_micro": 1_400_000}
    check_exchange(found.exchange)


def test_the_posting_says_that_it_was_one() -> None:
    found = desk("single")
    found.done(correction())
    posting = found.exchange.apply(*_repeat(found)).postings[-1]
    names = ("debit", "credit", "asset", "amount", "reason")
    assert tuple(int(posting[name]) for name in names) == (FACTORY, SOLAR, 0, 400_000, PostingReason.CORRECTION)


def _repeat(found: Desk) -> tuple[np.ndarray, bytes, int]:
    """The last command once more, as a new one."""
    records, documents = found.log[-1]
    return records.copy(), documents, found.exchange.last_sequence + 1


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("insufficient_available_cash", {"amount_micro": 1_000_001}),
    ("amount_out_of_range", {"amount_micro": 0}),
    ("amount_out_of_range", {"amount_micro": -5}),
    ("amount_out_of_range", {"amount_micro": LIMIT_MICRO + 1}),
    ("same_account", {"credit": FACTORY}),
    ("unknown_account", {"credit": 99}),
    ("unknown_account", {"debit": 0}),
    ("unknown_account", {"debit": int(House.OUTSIDE)}),  # that is a deposit
    ("unknown_account", {"debit": int(House.CLEARING)}),  # that belongs to trades
    ("unknown_account", {"credit": int(House.RETIRED)}),  # that holds units
    ("insufficient_available_cash", {"debit": int(House.FEES), "amount_micro": 1}),
    ("reason_malformed", {"reason": ""}),
    ("reason_malformed", {"reference": "x" * 257}),
]


@pytest.mark.parametrize(("rule", "changes"), REFUSED, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(REFUSED)])
def test_refused_and_nothing_has_changed(rule: str, changes: dict[str, Any]) -> None:
    found = desk("single")
    before = canonical.content(found.exchange)
    assert found.say(correction(**changes)) == (RejectCode.BUSINESS_RULE, {"rule": rule})
    changed = {name for name, value in canonical.content(found.exchange).items() if value != before.get(name)}
    assert changed == {"counters", "audit"}


def test_an_account_holds_no_more_than_it_may() -> None:
    found = desk("single")
    found.done(Deposit(account=SOLAR, amount_micro=LIMIT_MICRO - 1_000_000, reference="rich"))
    assert found.say(correction(amount_micro=1)) == (RejectCode.BUSINESS_RULE, {"rule": "amount_out_of_range"})


def test_what_open_orders_hold_is_not_available() -> None:
    found = desk("single")
    found.done(ListInstruments(instruments=[power_spec(40)]))
    found.tick(OPEN_NS)
    assert found.place(FACTORY, 1, Side.BUY, 4_000, 10)["code"] == 0
    held = found.exchange.balances(FACTORY).held_micro
    assert held > 0
    assert found.say(correction(amount_micro=1_000_001 - held))[1] == {"rule": "insufficient_available_cash"}
    found.done(correction(amount_micro=1_000_000 - held))
    check_exchange(found.exchange)


def test_a_house_account_takes_and_gives() -> None:
    """A fee that was wrong goes back; the operator's own account is a participant like others."""
    found = desk("single")
    found.done(correction(credit=int(House.FEES), amount_micro=300))
    found.done(correction(debit=int(House.FEES), credit=OPERATOR, amount_micro=300))
    assert balances(found, FACTORY, House.FEES, OPERATOR) == [999_700, 0, 300]


def test_no_member_corrects() -> None:
    found = desk("single")
    assert found.say(correction(), "factory", FACTORY)[0] == RejectCode.NO_PERMISSION
