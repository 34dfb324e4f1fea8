"""Manual corrections of the ledger (docs/rules.md, "Corrections"): under four eyes always the act of two persons."""

from typing import TYPE_CHECKING, Final

import numpy as np

from exchange.ledger.chart import FIRST_PARTICIPANT, House
from exchange.ledger.postings import post_settlement
from exchange.ledger.records import POSTING, PostingReason
from exchange.order_path.business.rules import MONEY_LIMIT_MICRO, Caller, Handler, Result, require
from exchange.protocol.documents import CorrectLedger, Document

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

# Accounts of the house whose money is its own. What lies in clearing belongs to trades that are not settled yet, and money from outside is a deposit.
HOUSES: Final = frozenset({House.GRID, House.FEES, House.PARK_FEES, House.NETTING_FUND, House.GUARANTEE_FUND, House.ROUNDING, House.NETWORK_TARIFF})
_TEXT_MAX: Final = 256


def is_correctable(exchange: "Exchange", account: int) -> bool:
    """Whether money may be moved from or to an account by hand."""
    return account in (exchange.rooms.participants.by_id if account >= FIRST_PARTICIPANT else HOUSES)


def correct(exchange: "Exchange", document: CorrectLedger, _caller: Caller) -> Result:
    """Move money from one account to another, never beyond what is available; an account of the house is not overdrawn either."""
    debit, credit, amount_micro = document.debit, document.credit, document.amount_micro
    require(is_correctable(exchange, debit) and is_correctable(exchange, credit), "unknown_account")
    require(debit != credit, "same_account")
    require(0 < amount_micro <= MONEY_LIMIT_MICRO, "amount_out_of_range")
    require(0 < len(document.reason) <= _TEXT_MAX and 0 < len(document.reference) <= _TEXT_MAX, "reason_malformed")
    require(amount_micro <= exchange.balances(debit).available_micro, "insufficient_available_cash")
    require(credit in HOUSES or exchange.balances(credit).balance_micro + amount_micro <= MONEY_LIMIT_MICRO, "amount_out_of_range")
    exchange.make_output_room(1)
    row = np.zeros(1, POSTING)
    row["debit"], row["credit"], row["amount"], row["reason"] = debit, credit, amount_micro, PostingReason.CORRECTION
    post_settlement(exchange.state, row.view(np.recarray), 0)
    texts = {"reason": document.reason, "reference": document.reference}
    exchange.notify("correction", {"debit": debit, "credit": credit, "amount_micro": amount_micro, **texts})
    # Balances, not what is available of them: what sealed bids hold is nobody's to learn.
    return {f"{side}_balance_micro": exchange.balances(account).balance_micro for side, account in (("debit", debit), ("credit", credit))}


HANDLERS: Final[dict[type[Document], Handler]] = {CorrectLedger: correct}
