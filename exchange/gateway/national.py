"""Methods of block trades and one-way auctions: decimal strings to documents, and what the account may read. Writes nothing but documents."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from exchange.gateway.national_results import auction_result, bid_result, proposal_result
from exchange.gateway.submit import identity_of, submit_document
from exchange.protocol import messages as m
from exchange.protocol.decimals import MALFORMED, TOO_LARGE, TOO_MANY_DECIMALS, parse_decimal
from exchange.protocol.documents import AmendBid, ConfirmBlock, DeclineBlock, InstrumentSpec, PlaceBid, ProposeBlock, WithdrawBid, WithdrawBlock
from exchange.protocol.reject_codes import RejectCode

if TYPE_CHECKING:
    from exchange.gateway.connection import Connection


def propose(connection: "Connection", request: m.BlockPropose) -> None:
    params = request.params
    instrument = connection.hub.exchange.instrument(params.instrument)
    if instrument is None:
        connection.session.refuse(request, RejectCode.UNKNOWN_INSTRUMENT)
        return
    terms = read_terms(params.price, params.quantity, instrument.spec)
    if isinstance(terms, RejectCode):
        connection.session.refuse(request, terms)
        return
    document = ProposeBlock(
        client_id=params.client_id, symbol=params.instrument, side=params.side, counterparty=params.counterparty, price_ticks=terms[0],
        quantity_lots=terms[1],
    )  # fmt: skip
    submit_document(connection, request, document, "")


def confirm(connection: "Connection", request: m.BlockConfirm) -> None:
    submit_document(connection, request, ConfirmBlock(proposal=request.params.proposal), "")


def decline(connection: "Connection", request: m.BlockDecline) -> None:
    submit_document(connection, request, DeclineBlock(proposal=request.params.proposal), "")


def withdraw(connection: "Connection", request: m.BlockWithdraw) -> None:
    submit_document(connection, request, WithdrawBlock(proposal=request.params.proposal), "")


def proposals(connection: "Connection", request: m.BlockProposals) -> None:
    """Proposals of the account and to it."""
    exchange, account = connection.hub.exchange, identity_of(connection).account
    found = [proposal_result(p, exchange.instrument_by_id(p.instrument).spec, account) for p in exchange.block_proposals(account)]
    connection.session.answer(request, m.BlockProposalsResult(proposals=found))


def bid(connection: "Connection", request: m.OneWayBid) -> None:
    params = request.params
    terms = _bid_terms(connection, params)
    if isinstance(terms, RejectCode):
        connection.session.refuse(request, terms)
        return
    submit_document(
        connection, request, PlaceBid(auction=params.auction, client_id=params.client_id, price_ticks=terms[0], quantity_lots=terms[1]), ""
    )


def amend(connection: "Connection", request: m.OneWayAmend) -> None:
    params = request.params
    terms = _bid_terms(connection, params)
    if isinstance(terms, RejectCode):
        connection.session.refuse(request, terms)
        return
    document = AmendBid(
        auction=params.auction, client_id=params.client_id, revision=params.revision, price_ticks=terms[0], quantity_lots=terms[1]
    )
    submit_document(connection, request, document, "")


def withdraw_bid(connection: "Connection", request: m.OneWayWithdraw) -> None:
    submit_document(connection, request, WithdrawBid(auction=request.params.auction, client_id=request.params.client_id), "")


def own_bids(connection: "Connection", request: m.OneWayBids) -> None:
    """Bids of the account; nobody can ask for another's."""
    exchange = connection.hub.exchange
    found = []
    for auction_id, sealed in exchange.own_bids(identity_of(connection).account):
        auction = exchange.one_way_auction(auction_id)
        assert auction is not None  # auctions stay
        found.append(bid_result(auction_id, sealed, exchange.instrument_by_id(auction.instrument).spec))
    connection.session.answer(request, m.OneWayBidsResult(bids=found))


def auctions(connection: "Connection", request: m.OneWayAuctions) -> None:
    exchange = connection.hub.exchange
    found = [auction_result(auction, exchange.instrument_by_id(auction.instrument).spec) for auction in exchange.one_way_auctions()]
    connection.session.answer(request, m.OneWayAuctionsResult(auctions=found))


def read_terms(price: str, quantity: str, spec: InstrumentSpec) -> tuple[int, int] | RejectCode:
    """(price in ticks, quantity in lots), or the lowest code that applies to their form; bands and sizes are the fold's business."""
    price_ticks, lots = parse_decimal(price, spec.price_decimals), parse_decimal(quantity, spec.quantity_decimals)
    if MALFORMED in (price_ticks, lots):
        return RejectCode.INVALID_DECIMAL
    for value, off, beyond in (
        (price_ticks, RejectCode.PRICE_OFF_TICK, RejectCode.PRICE_OUT_OF_RANGE),
        (lots, RejectCode.QUANTITY_OFF_LOT, RejectCode.QUANTITY_OUT_OF_RANGE),
    ):
        if value == TOO_MANY_DECIMALS:
            return off
        if value == TOO_LARGE:
            return beyond
    return price_ticks, lots


def _bid_terms(connection: "Connection", params: m.OneWayBidParams | m.OneWayAmendParams) -> tuple[int, int] | RejectCode:
    """The auction gives the decimals; one that is unknown is refused by the fold, with whatever these are."""
    exchange = connection.hub.exchange
    auction = exchange.one_way_auction(params.auction)
    if auction is None:
        return 0, 0
    return read_terms(params.price, params.quantity, exchange.instrument_by_id(auction.instrument).spec)


HANDLERS: Final[dict[type[m.Request], Callable[["Connection", Any], None]]] = {
    m.BlockPropose: propose,
    m.BlockConfirm: confirm,
    m.BlockDecline: decline,
    m.BlockWithdraw: withdraw,
    m.BlockProposals: proposals,
    m.OneWayBid: bid,
    m.OneWayAmend: amend,
    m.OneWayWithdraw: withdraw_bid,
    m.OneWayBids: own_bids,
    m.OneWayAuctions: auctions,
}
