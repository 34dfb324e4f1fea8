"""Block proposals and one-way auctions as the wire shows them."""

from exchange.gateway.executions import SIDE_NAMES
from exchange.market.block_proposals import BlockProposal
from exchange.market.one_way_auctions import OneWayAuction, SealedBid
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.messages import BlockProposalResult, OneWayAuctionResult, OneWayBidResult
from matching.mechanisms import TieRule


def proposal_result(proposal: BlockProposal, spec: InstrumentSpec, account: int) -> BlockProposalResult:
    """A proposal as one of its sides sees it."""
    return BlockProposalResult(
        proposal=proposal.id, instrument=spec.symbol, side=SIDE_NAMES[proposal.side], proposer=proposal.proposer, counterparty=proposal.counterparty,
        price=format_decimal(proposal.price_ticks, spec.price_decimals), quantity=format_decimal(proposal.quantity_lots, spec.quantity_decimals),
        status=proposal.status.name.lower(), expires_at_ns=proposal.expires_ns, client_id=proposal.client_id if account == proposal.proposer else "",
    )  # fmt: skip


def bid_result(auction_id: int, bid: SealedBid, spec: InstrumentSpec) -> OneWayBidResult:
    """A bid as its bidder sees it."""
    return OneWayBidResult(
        auction=auction_id, bid=bid.id, client_id=bid.client_id, price=format_decimal(bid.price_ticks, spec.price_decimals),
        quantity=format_decimal(bid.quantity_lots, spec.quantity_decimals), revision=bid.revision, status=bid.status.name.lower(),
        allotted=format_decimal(bid.allotted_lots, spec.quantity_decimals),
    )  # fmt: skip


def auction_result(auction: OneWayAuction, spec: InstrumentSpec) -> OneWayAuctionResult:
    """An auction as everybody sees it: no bid, and not how many there are."""
    return OneWayAuctionResult(
        auction=auction.id, reference=auction.reference, instrument=spec.symbol, applicant=auction.applicant, side=SIDE_NAMES[auction.side],
        quantity=format_decimal(auction.quantity_lots, spec.quantity_decimals),
        reserve_price=format_decimal(auction.reserve_price_ticks, spec.price_decimals), tie=TieRule(auction.tie).name.lower(), seed=str(auction.seed),
        fails_if_undersubscribed=auction.fails_if_undersubscribed, opens_at_ns=auction.opens_ns, closes_at_ns=auction.closes_ns,
        status=auction.status.name.lower(), traded=format_decimal(auction.traded_lots, spec.quantity_decimals),
        price=format_decimal(auction.price_ticks, spec.price_decimals) if auction.price_ticks >= 0 else None,
    )  # fmt: skip
