"""Block trades (大宗协议) of the national carbon market: negotiated by two accounts, then confirmed in the system (docs/rules.md, "Block trades").

    proposed -> confirmed: posted as delivery versus payment | declined | withdrawn | expired at the end of the day's window

A proposal holds its proposer's units or cash, as an order does. Each function checks everything first and changes nothing when it refuses.
"""

import re
from typing import TYPE_CHECKING, Final

from exchange.market.block_proposals import BlockProposal, ProposalStatus
from exchange.market.calendar import block_window
from exchange.market.holds import Hold
from exchange.market.instruments import Instrument
from exchange.market.phases import Phase
from exchange.order_path.business.direct_trades import (
    give_hold_back,
    is_quantity,
    require_covered,
    require_may_trade,
    take_hold,
    trade_directly,
)
from exchange.order_path.business.rules import BusinessRuleError, Caller, CodedRefusalError, Handler, Result, listed, member, require, require_code
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.records import ExecutionKind
from exchange.order_path.state import DeadlineKind
from exchange.protocol.documents import ConfirmBlock, DeclineBlock, Document, ProposeBlock, WithdrawBlock
from exchange.protocol.reject_codes import RejectCode
from matching.records import Side

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

SIDES: Final = {"buy": int(Side.BUY), "sell": int(Side.SELL)}

is_client_id: Final = re.compile(r"[A-Za-z0-9_-]{1,36}", re.ASCII).fullmatch


def propose(exchange: "Exchange", document: ProposeBlock, caller: Caller) -> Result:
    """Propose a trade to a named counterparty. The same proposal sent again is answered with what became of the first."""
    blocks = exchange.rooms.blocks
    require_code(is_client_id(document.client_id) is not None, RejectCode.INVALID_CLIENT_ORDER_ID)
    known = blocks.by_client_id.get((caller.account, document.client_id))
    if known is not None:
        require_code(_says_the_same(exchange, known, document), RejectCode.CLIENT_ORDER_ID_REUSED)
        return _answer(known) | {"duplicate": True}
    instrument = listed(exchange, document.symbol)
    require(document.side in SIDES, "unknown_side")
    side = SIDES[document.side]
    require_may_trade(exchange, caller.account, instrument, side)
    closes_ns = _require_window(instrument, caller.stamp_ns)
    _require_terms(exchange, instrument, document, caller.account)
    proposal = BlockProposal(
        blocks.next_id, document.client_id, instrument.id, caller.account, document.counterparty, side, document.price_ticks,
        document.quantity_lots, closes_ns, caller.stamp_ns,
    )  # fmt: skip
    require_covered(exchange, _hold(proposal))
    blocks.forget_ended_before(caller.stamp_ns - exchange.settings.retention_ns)
    blocks.add(proposal)
    take_hold(exchange, _hold(proposal))
    exchange.make_deadline_room()
    add_deadline(exchange.state, closes_ns, DeadlineKind.BLOCK_EXPIRY, proposal.id)
    _notify(exchange, proposal)
    return _answer(proposal)


def confirm(exchange: "Exchange", document: ConfirmBlock, caller: Caller) -> Result:
    """The counterparty takes the other side: the trade is posted at once. Confirming again changes nothing."""
    proposal = _asked(exchange, document.proposal, caller.account)
    if proposal.status is ProposalStatus.TRADED:
        return _answer(proposal) | {"duplicate": True}
    require(proposal.is_open, "proposal_has_ended")
    instrument = exchange.rooms.instruments.by_id[proposal.instrument]
    taker = Hold(proposal.instrument, caller.account, 1 - proposal.side, proposal.price_ticks, proposal.quantity_lots)
    require_may_trade(exchange, caller.account, instrument, taker.side)
    require_may_trade(exchange, proposal.proposer, instrument, proposal.side)
    _require_window(instrument, caller.stamp_ns)
    require_covered(exchange, taker)
    give_hold_back(exchange, _hold(proposal))
    trade_directly(exchange, ExecutionKind.BLOCK_TRADE, taker, proposal.proposer, maker_id=proposal.client_id)
    return _end(exchange, proposal, ProposalStatus.TRADED, caller.stamp_ns)


def decline(exchange: "Exchange", document: DeclineBlock, caller: Caller) -> Result:
    """The counterparty says no."""
    return _end_untraded(exchange, _asked(exchange, document.proposal, caller.account), ProposalStatus.DECLINED, caller.stamp_ns)


def withdraw(exchange: "Exchange", document: WithdrawBlock, caller: Caller) -> Result:
    """The proposer takes it back."""
    proposal = exchange.rooms.blocks.by_id.get(document.proposal)
    if proposal is None or proposal.proposer != caller.account:
        raise BusinessRuleError("unknown_proposal")
    return _end_untraded(exchange, proposal, ProposalStatus.WITHDRAWN, caller.stamp_ns)


def expire_proposal(exchange: "Exchange", proposal_id: int) -> None:
    """The window has ended; a proposal that ended before is left as it is."""
    proposal = exchange.rooms.blocks.by_id.get(proposal_id)
    if proposal is not None and proposal.is_open:
        _end_untraded(exchange, proposal, ProposalStatus.EXPIRED, exchange.now_ns)


def _require_window(instrument: Instrument, now_ns: int) -> int:
    """End of the window that is open now."""
    require(instrument.block_band is not None, "no_block_trades")
    window = block_window(instrument.spec.calendar, now_ns)
    if window is None or instrument.phase is not Phase.CONTINUOUS:
        raise CodedRefusalError(RejectCode.NOT_OPEN_FOR_TRADING)
    return window[1]


def _require_terms(exchange: "Exchange", instrument: Instrument, document: ProposeBlock, proposer: int) -> None:
    member(exchange, document.counterparty)
    require(exchange.rooms.participants.may_trade_with(proposer, document.counterparty), "self_dealing")
    require_may_trade(exchange, document.counterparty, instrument, 1 - SIDES[document.side])
    band = instrument.block_band
    assert band is not None  # the window asked for it
    require_code(document.price_ticks in band, RejectCode.PRICE_OUTSIDE_BAND)
    require(document.quantity_lots >= instrument.spec.block_min_lots, "below_block_size")
    require(is_quantity(instrument, document.price_ticks, document.quantity_lots), "quantity_out_of_range")


def _says_the_same(exchange: "Exchange", known: BlockProposal, document: ProposeBlock) -> bool:
    symbol = exchange.rooms.instruments.by_id[known.instrument].symbol
    terms = (symbol, known.side, known.counterparty, known.price_ticks, known.quantity_lots)
    return terms == (document.symbol, SIDES.get(document.side), document.counterparty, document.price_ticks, document.quantity_lots)


def _asked(exchange: "Exchange", proposal_id: int, account: int) -> BlockProposal:
    """A proposal to that account: unknown and foreign look the same."""
    proposal = exchange.rooms.blocks.by_id.get(proposal_id)
    if proposal is None or proposal.counterparty != account:
        raise BusinessRuleError("unknown_proposal")
    return proposal


def _end_untraded(exchange: "Exchange", proposal: BlockProposal, status: ProposalStatus, now_ns: int) -> Result:
    if proposal.status is status:
        return _answer(proposal) | {"duplicate": True}
    require(proposal.is_open, "proposal_has_ended")
    give_hold_back(exchange, _hold(proposal))
    return _end(exchange, proposal, status, now_ns)


def _end(exchange: "Exchange", proposal: BlockProposal, status: ProposalStatus, now_ns: int) -> Result:
    proposal.status, proposal.changed_ns = status, now_ns
    _notify(exchange, proposal)
    return _answer(proposal)


def _hold(proposal: BlockProposal) -> Hold:
    return Hold(proposal.instrument, proposal.proposer, proposal.side, proposal.price_ticks, proposal.quantity_lots)


def _answer(proposal: BlockProposal) -> Result:
    return {"proposal": proposal.id, "status": proposal.status.name.lower(), "expires_ns": proposal.expires_ns}


def _notify(exchange: "Exchange", proposal: BlockProposal) -> None:
    """For the two accounts alone."""
    exchange.notify("block", {"proposal": proposal.id})


HANDLERS: Final[dict[type[Document], Handler]] = {
    ProposeBlock: propose,
    ConfirmBlock: confirm,
    DeclineBlock: decline,
    WithdrawBlock: withdraw,
}
