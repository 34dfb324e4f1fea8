"""One-way auctions (单向竞价): opened by the operator for one applicant, bid for under seal, cleared at their deadline (docs/rules.md, "Auctions").

    opened -> bids, amends, withdrawals within the window -> cleared, failed or cancelled

The applicant's units (or cash) are held from the opening, a bidder's cash (or units) at its limit from the bid. A bid is told to its bidder alone:
no notice, no execution and no posting is made of it before the auction ends. Each function checks everything first; a refusal changes nothing.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from exchange.market.holds import Hold
from exchange.market.instruments import Instrument
from exchange.market.one_way_auctions import AuctionStatus, BidStatus, OneWayAuction, SealedBid
from exchange.market.phases import Phase
from exchange.order_path.business.block_trades import SIDES, is_client_id
from exchange.order_path.business.direct_trades import (
    give_hold_back,
    is_quantity,
    needed_micro,
    require_covered,
    require_may_trade,
    take_hold,
    trade_directly,
)
from exchange.order_path.business.rules import BusinessRuleError, Caller, Handler, Result, listed, member, require, require_code
from exchange.order_path.deadlines import add_deadline
from exchange.order_path.records import ExecutionKind
from exchange.order_path.state import DeadlineKind
from exchange.protocol.documents import AmendBid, CancelOneWayAuction, Document, OpenOneWayAuction, PlaceBid, WithdrawBid
from exchange.protocol.reject_codes import RejectCode
from exchange.units import INT64_MAX
from matching.mechanisms import ONE_WAY, SEALED_ORDER, Rules, TieRule
from matching.records import QUANTITY_LOTS_MAX, Side

if TYPE_CHECKING:
    from exchange.order_path.path import Exchange

TIES: Final = {"time": int(TieRule.TIME), "pro_rata": int(TieRule.PRO_RATA), "lot": int(TieRule.LOT)}
BIDS_OF_AN_ACCOUNT_MAX: Final = 100
# All lots of an auction at the highest price of its instrument; the mechanism computes exact amounts up to twice as much.
_AMOUNT_MAX: Final = 2**61
_OFFER_ID: Final = 0  # among the sealed orders; bids count from 1


# Commands of the operator


def open_auction(exchange: "Exchange", document: OpenOneWayAuction, caller: Caller) -> Result:
    """Publish an auction and hold what the applicant offers. The same auction opened again has no second effect."""
    auctions = exchange.rooms.one_way
    require(is_client_id(document.reference) is not None, "reference_malformed")
    known = auctions.by_reference.get(document.reference)
    if known is not None:
        require(_says_the_same(exchange, known, document), "reference_used_with_other_content")
        return _answer(known) | {"duplicate": True}
    instrument = _auctioned(exchange, document)
    side = SIDES[document.side]
    member(exchange, document.applicant)
    require_may_trade(exchange, document.applicant, instrument, side)
    auction = OneWayAuction(
        auctions.next_id, document.reference, instrument.id, document.applicant, side, document.quantity_lots, document.reserve_price_ticks,
        TIES[document.tie], document.seed, document.fails_if_undersubscribed, document.opens_ns, document.closes_ns,
    )  # fmt: skip
    require(caller.stamp_ns <= document.opens_ns < document.closes_ns <= INT64_MAX, "window_out_of_order")
    require_covered(exchange, auction.offer)
    auctions.forget_bids_before(caller.stamp_ns - exchange.settings.retention_ns)
    auctions.add(auction)
    take_hold(exchange, auction.offer)
    exchange.make_deadline_room()
    add_deadline(exchange.state, auction.closes_ns, DeadlineKind.AUCTION_END, auction.id)
    _notify(exchange, auction)
    return _answer(auction)


def cancel_auction(exchange: "Exchange", document: CancelOneWayAuction, _caller: Caller) -> Result:
    """End an auction without trades before its deadline."""
    auction = _auction(exchange, document.auction)
    if auction.status is AuctionStatus.CANCELLED:
        return _answer(auction) | {"duplicate": True}
    require(auction.is_open, "auction_has_ended")
    cancel(exchange, auction)
    return _answer(auction)


def cancel(exchange: "Exchange", auction: OneWayAuction) -> None:
    """End an open auction without trades."""
    _release_all(exchange, auction)
    _end(exchange, auction, AuctionStatus.CANCELLED, exchange.now_ns)


def _auctioned(exchange: "Exchange", document: OpenOneWayAuction) -> Instrument:
    """The instrument of an auction whose terms may stand."""
    instrument = listed(exchange, document.symbol)
    spec = instrument.spec
    require(not instrument.is_power, "power_is_not_auctioned")
    require(document.side in SIDES, "unknown_side")
    require(document.tie in TIES, "unknown_tie_rule")
    require(0 <= document.seed < 2**64, "seed_out_of_range")
    require(spec.min_price_ticks <= document.reserve_price_ticks <= spec.max_price_ticks, "reserve_out_of_range")
    require(_is_whole(instrument, document.reserve_price_ticks, document.quantity_lots), "quantity_out_of_range")
    return instrument


def _is_whole(instrument: Instrument, price_ticks: int, quantity_lots: int) -> bool:
    return quantity_lots <= QUANTITY_LOTS_MAX and is_quantity(instrument, price_ticks, quantity_lots)


# Commands of bidders


def place_bid(exchange: "Exchange", document: PlaceBid, caller: Caller) -> Result:
    """A sealed bid. The same bid sent again is answered with what it has become; an account may have several, each under its own id."""
    auction = _auction(exchange, document.auction)
    known = auction.bids.get((caller.account, document.client_id))
    if known is not None:
        require_code(known.placed_as == (document.price_ticks, document.quantity_lots), RejectCode.CLIENT_ORDER_ID_REUSED)
        return _bid_answer(known) | {"duplicate": True}
    require_code(is_client_id(document.client_id) is not None, RejectCode.INVALID_CLIENT_ORDER_ID)
    _require_window(exchange, auction, caller)
    require(sum(1 for account, _ in auction.bids if account == caller.account) < BIDS_OF_AN_ACCOUNT_MAX, "too_many_bids")
    terms = document.price_ticks, document.quantity_lots
    bid = SealedBid(exchange.rooms.one_way.next_bid_id, document.client_id, caller.account, *terms, auction.next_arrival, terms)
    _require_bid(exchange, auction, bid, 0)
    require_covered(exchange, auction.hold_of(bid))
    bid.id, bid.arrival = exchange.rooms.one_way.take_bid_id(), auction.arrive()
    auction.bids[bid.account, bid.client_id] = bid
    take_hold(exchange, auction.hold_of(bid))
    return _bid_answer(bid)


def amend_bid(exchange: "Exchange", document: AmendBid, caller: Caller) -> Result:
    """Another price or quantity; keeps its place in time when nothing but the quantity falls."""
    auction = _auction(exchange, document.auction)
    bid = _own_bid(auction, caller.account, document.client_id)
    terms = document.price_ticks, document.quantity_lots
    if document.revision == bid.revision - 1 and terms == (bid.price_ticks, bid.quantity_lots):
        return _bid_answer(bid) | {"duplicate": True}
    require(bid.status is BidStatus.SEALED, "bid_has_ended")
    require_code(document.revision == bid.revision, RejectCode.REVISION_MISMATCH)
    _require_window(exchange, auction, caller)
    amended = SealedBid(bid.id, bid.client_id, bid.account, *terms, bid.arrival, bid.placed_as)
    _require_bid(exchange, auction, amended, bid.quantity_lots)
    before = auction.hold_of(bid)
    give_hold_back(exchange, before)
    try:
        require_covered(exchange, auction.hold_of(amended))
    except BusinessRuleError:
        take_hold(exchange, before)
        raise
    if amended.price_ticks != bid.price_ticks or amended.quantity_lots > bid.quantity_lots:
        bid.arrival = auction.arrive()
    bid.price_ticks, bid.quantity_lots = terms
    bid.revision += 1
    take_hold(exchange, auction.hold_of(bid))
    return _bid_answer(bid)


def withdraw_bid(exchange: "Exchange", document: WithdrawBid, caller: Caller) -> Result:
    """Take a bid back within the window; its id stays used."""
    auction = _auction(exchange, document.auction)
    bid = _own_bid(auction, caller.account, document.client_id)
    if bid.status is BidStatus.WITHDRAWN:
        return _bid_answer(bid) | {"duplicate": True}
    require(bid.status is BidStatus.SEALED, "bid_has_ended")
    give_hold_back(exchange, auction.hold_of(bid))
    bid.status = BidStatus.WITHDRAWN
    return _bid_answer(bid)


def _require_window(exchange: "Exchange", auction: OneWayAuction, caller: Caller) -> None:
    """The auction takes bids of that account now. At the deadline it has ended already."""
    instrument = exchange.rooms.instruments.by_id[auction.instrument]
    require(exchange.rooms.participants.may_trade_with(caller.account, auction.applicant), "self_dealing")
    require_may_trade(exchange, caller.account, instrument, 1 - auction.side)
    require(auction.is_open, "auction_has_ended")
    require_code(caller.stamp_ns >= auction.opens_ns and instrument.phase is not Phase.HALTED, RejectCode.NOT_OPEN_FOR_TRADING)


def _require_bid(exchange: "Exchange", auction: OneWayAuction, bid: SealedBid, replaced_lots: int) -> None:
    """Price and quantity of a new or amended bid. Other bids only count for the range of exact amounts, which no real auction comes near."""
    instrument = exchange.rooms.instruments.by_id[auction.instrument]
    spec = instrument.spec
    require_code(spec.min_price_ticks <= bid.price_ticks <= spec.max_price_ticks, RejectCode.PRICE_OUT_OF_RANGE)
    require_code(0 < bid.quantity_lots <= auction.quantity_lots, RejectCode.QUANTITY_OUT_OF_RANGE)
    require_code(_is_whole(instrument, bid.price_ticks, bid.quantity_lots), RejectCode.NOTIONAL_OVERFLOW)
    total_lots = auction.quantity_lots + auction.sealed_lots - replaced_lots + bid.quantity_lots
    require(total_lots * spec.max_price_ticks < _AMOUNT_MAX, "auction_is_full")


# The end


def end_auction(exchange: "Exchange", auction_id: int) -> None:
    """The deadline: clear what was bid, post it as delivery versus payment, release every hold. One that was cancelled is left as it is."""
    auction = exchange.rooms.one_way.by_id[auction_id]
    if not auction.is_open:
        return
    bids = auction.sealed()
    halted = exchange.rooms.instruments.by_id[auction.instrument].phase is Phase.HALTED
    _release_all(exchange, auction)
    allotted, price_ticks = ({}, -1) if halted else clear(auction, bids)
    for bid in bids:
        lots = allotted.get(bid.id, 0)
        if lots:
            bid.allotted_lots = lots
            taker = Hold(auction.instrument, bid.account, 1 - auction.side, price_ticks, lots)
            trade_directly(
                exchange, ExecutionKind.ALLOTTED, taker, auction.applicant, taker_id=bid.client_id, maker_id=auction.reference
            )
    if allotted:
        auction.price_ticks, auction.traded_lots = price_ticks, sum(allotted.values())
    _end(exchange, auction, AuctionStatus.CLEARED if allotted else AuctionStatus.FAILED, exchange.now_ns)


def clear(auction: OneWayAuction, bids: list[SealedBid]) -> tuple[dict[int, int], int]:
    """(lots by bid id, price in ticks) by the mechanism; ({}, -1) where nothing trades."""
    rules = Rules(
        tie=TieRule(auction.tie), seed=auction.seed, auctioned_side=Side(auction.side), reserve_price_ticks=auction.reserve_price_ticks,
        fails_if_undersubscribed=auction.fails_if_undersubscribed,
    )  # fmt: skip
    clearing = ONE_WAY.clear(sealed_orders(auction, bids), rules)
    if not clearing.prices:
        return {}, -1
    fills = clearing.fills[clearing.fills["order_id"] != _OFFER_ID]
    return dict(zip(fills["order_id"].tolist(), fills["quantity_lots"].tolist(), strict=True)), int(clearing.prices[0].buy_ticks)


def sealed_orders(auction: OneWayAuction, bids: list[SealedBid]) -> NDArray[np.void]:
    """The offer and the bids as SEALED_ORDER, in the order of arrival."""
    orders = np.zeros(1 + len(bids), SEALED_ORDER)
    orders[0] = (_OFFER_ID, auction.quantity_lots, auction.reserve_price_ticks, auction.applicant, auction.side)
    for place, bid in enumerate(bids, 1):
        orders[place] = (bid.id, bid.quantity_lots, bid.price_ticks, bid.account, 1 - auction.side)
    return orders


def _release_all(exchange: "Exchange", auction: OneWayAuction) -> None:
    give_hold_back(exchange, auction.offer)
    for bid in auction.sealed():
        give_hold_back(exchange, auction.hold_of(bid))
        bid.status = BidStatus.ENDED


def _end(exchange: "Exchange", auction: OneWayAuction, status: AuctionStatus, now_ns: int) -> None:
    auction.status, auction.ended_ns = status, now_ns
    _notify(exchange, auction)


# What is told


def sealed_micro(exchange: "Exchange", account: int) -> int:
    """Cash that the sealed bids of an account hold."""
    total_micro = 0
    for auction in exchange.rooms.one_way.by_id.values():
        if auction.is_open:
            slot = exchange.rooms.instruments.by_id[auction.instrument].slot
            holds = [auction.hold_of(bid) for bid in auction.sealed() if bid.account == account]
            total_micro += sum(int(needed_micro(exchange.state, slot, hold.side, hold.price_ticks, hold.quantity_lots)) for hold in holds)
    return total_micro


def _auction(exchange: "Exchange", auction_id: int) -> OneWayAuction:
    auction = exchange.rooms.one_way.by_id.get(auction_id)
    if auction is None:
        raise BusinessRuleError("unknown_auction")
    return auction


def _own_bid(auction: OneWayAuction, account: int, client_id: str) -> SealedBid:
    bid = auction.bids.get((account, client_id))
    if bid is None:
        raise BusinessRuleError("unknown_bid")
    return bid


def _says_the_same(exchange: "Exchange", known: OneWayAuction, document: OpenOneWayAuction) -> bool:
    symbol = exchange.rooms.instruments.by_id[known.instrument].symbol
    terms = (
        symbol, known.applicant, known.side, known.quantity_lots, known.reserve_price_ticks, known.tie, known.seed, known.fails_if_undersubscribed,
        known.opens_ns, known.closes_ns,
    )  # fmt: skip
    return terms == (
        document.symbol, document.applicant, SIDES.get(document.side), document.quantity_lots, document.reserve_price_ticks,
        TIES.get(document.tie), document.seed, document.fails_if_undersubscribed, document.opens_ns, document.closes_ns,
    )  # fmt: skip


def _answer(auction: OneWayAuction) -> Result:
    return {"auction": auction.id, "status": auction.status.name.lower()}


def _bid_answer(bid: SealedBid) -> Result:
    return {"bid": bid.id, "revision": bid.revision, "status": bid.status.name.lower(), "allotted_lots": bid.allotted_lots}


def _notify(exchange: "Exchange", auction: OneWayAuction) -> None:
    """For everybody: an auction was opened or has ended."""
    exchange.notify("one_way", {"auction": auction.id})


BIDDING: Final[dict[type[Document], Handler]] = {PlaceBid: place_bid, AmendBid: amend_bid, WithdrawBid: withdraw_bid}
OPERATING: Final[dict[type[Document], Handler]] = {OpenOneWayAuction: open_auction, CancelOneWayAuction: cancel_auction}
