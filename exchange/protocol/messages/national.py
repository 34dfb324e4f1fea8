"""Block trades and one-way auctions: their requests, results and rows. The rows are notifications too."""

from exchange.protocol.messages.wire import NoParams, Params, PositiveInt64, Request, SideName, UInt32


class BlockProposeParams(Params, frozen=True):
    """A block trade with the account `counterparty`; `side` is the proposer's, `client_id` its own id of the proposal."""

    client_id: str
    instrument: str
    side: SideName
    counterparty: UInt32
    price: str
    quantity: str


class BlockParams(Params, frozen=True):
    proposal: PositiveInt64


class OneWayBidParams(Params, frozen=True):
    """A sealed bid in a one-way auction, `client_id` being the bidder's own id of it within the auction."""

    auction: PositiveInt64
    client_id: str
    price: str
    quantity: str


class OneWayAmendParams(Params, frozen=True):
    """Another price and quantity for a sealed bid; `revision` is the one last told."""

    auction: PositiveInt64
    client_id: str
    revision: UInt32
    price: str
    quantity: str


class OneWayWithdrawParams(Params, frozen=True):
    auction: PositiveInt64
    client_id: str


class BlockPropose(Request, tag="block.propose"):
    params: BlockProposeParams


class BlockConfirm(Request, tag="block.confirm"):
    params: BlockParams


class BlockDecline(Request, tag="block.decline"):
    params: BlockParams


class BlockWithdraw(Request, tag="block.withdraw"):
    params: BlockParams


class BlockProposals(Request, tag="block.proposals"):
    params: NoParams = NoParams()


class OneWayBid(Request, tag="one_way.bid"):
    params: OneWayBidParams


class OneWayAmend(Request, tag="one_way.amend"):
    params: OneWayAmendParams


class OneWayWithdraw(Request, tag="one_way.withdraw"):
    params: OneWayWithdrawParams


class OneWayBids(Request, tag="one_way.bids"):
    params: NoParams = NoParams()


class OneWayAuctions(Request, tag="one_way.auctions"):
    params: NoParams = NoParams()


class BlockProposalResult(Params, frozen=True):
    """A proposed block trade. `status`: open, traded, declined, withdrawn, expired. `client_id` is told to its proposer alone."""

    proposal: int
    instrument: str
    side: str
    proposer: int
    counterparty: int
    price: str
    quantity: str
    status: str
    expires_at_ns: int
    client_id: str = ""


class BlockProposalsResult(Params, frozen=True):
    proposals: list[BlockProposalResult]


class OneWayBidResult(Params, frozen=True):
    """An own bid. `status`: sealed, ended, withdrawn. `allotted` is what it got."""

    auction: int
    bid: int
    client_id: str
    price: str
    quantity: str
    revision: int
    status: str
    allotted: str


class OneWayBidsResult(Params, frozen=True):
    bids: list[OneWayBidResult]


class OneWayAuctionResult(Params, frozen=True):
    """A one-way auction. `status`: open, cleared, failed, cancelled. `price` is null until it has cleared; `seed`, a text, draws ties by lot."""

    auction: int
    reference: str
    instrument: str
    applicant: int
    side: str
    quantity: str
    reserve_price: str
    tie: str
    seed: str
    fails_if_undersubscribed: bool
    opens_at_ns: int
    closes_at_ns: int
    status: str
    traded: str
    price: str | None = None


class OneWayAuctionsResult(Params, frozen=True):
    auctions: list[OneWayAuctionResult]
