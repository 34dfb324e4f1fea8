"""Block trades and one-way auctions of a client: `park.blocks` and `park.one_way`.

    proposal = await seller.blocks.propose("CEA25", "sell", counterparty=34, price="63.00", quantity="100000")
    await buyer.blocks.confirm(proposal)
    await bidder.one_way.bid(1, price="70.00", quantity="1500")

Sending again is safe: proposals and bids carry ids of their own. Methods raise RequestRefused or ConnectionLost.
"""

from collections.abc import Callable
from typing import Final

from clients.sdk.feeds import Feeds
from clients.sdk.link import Link
from clients.sdk.results import BidOutcome, ProposalOutcome, typed
from exchange.protocol import messages as m
from exchange.protocol.encoding import result_decoder

_decode_submit: Final = result_decoder(m.SubmitResult)
_decode_proposals: Final = result_decoder(m.BlockProposalsResult)
_decode_bids: Final = result_decoder(m.OneWayBidsResult)
_decode_auctions: Final = result_decoder(m.OneWayAuctionsResult)


class Blocks:
    """Block trades: proposed to one counterparty, confirmed by it."""

    def __init__(self, link: Link, feeds: Feeds, new_id: Callable[[], str]) -> None:
        self._link = link
        self._feeds = feeds
        self._new_id = new_id

    async def propose(self, instrument: str, side: m.SideName, *, counterparty: int, price: str, quantity: str, client_id: str | None = None) -> int:
        """Propose a trade; returns the proposal's id. It holds the own units or cash until it ends."""
        params = m.BlockProposeParams(
            client_id=client_id or self._new_id(), instrument=instrument, side=side, counterparty=counterparty, price=price, quantity=quantity
        )
        return (await self._command("block.propose", params)).proposal

    async def confirm(self, proposal: int) -> ProposalOutcome:
        """Trade as proposed."""
        return await self._command("block.confirm", m.BlockParams(proposal=proposal))

    async def decline(self, proposal: int) -> ProposalOutcome:
        """Refuse what was proposed to this account."""
        return await self._command("block.decline", m.BlockParams(proposal=proposal))

    async def withdraw(self, proposal: int) -> ProposalOutcome:
        """Take an own proposal back."""
        return await self._command("block.withdraw", m.BlockParams(proposal=proposal))

    async def proposals(self) -> list[m.BlockProposalResult]:
        """Proposals of the account and to it, oldest first."""
        return (await self._link.call("block.proposals", m.NoParams(), _decode_proposals)).proposals

    async def subscribe(self) -> None:
        """Be told of every change of them; see `ParkClient.on("block", ...)`."""
        await self._feeds.subscribe("blocks")

    async def _command(self, method: str, params: m.Params) -> ProposalOutcome:
        return typed((await self._link.call(method, params, _decode_submit)).result, ProposalOutcome)


class OneWay:
    """One-way auctions: sealed bids for what one applicant offers."""

    def __init__(self, link: Link, feeds: Feeds, new_id: Callable[[], str]) -> None:
        self._link = link
        self._feeds = feeds
        self._new_id = new_id

    async def bid(self, auction: int, *, price: str, quantity: str, client_id: str | None = None) -> str:
        """Bid under seal; returns the client id by which the bid can be amended and withdrawn."""
        params = m.OneWayBidParams(auction=auction, client_id=client_id or self._new_id(), price=price, quantity=quantity)
        await self._link.call("one_way.bid", params, _decode_submit)
        return params.client_id

    async def amend(self, auction: int, client_id: str, *, revision: int, price: str, quantity: str) -> int:
        """Change a bid; returns its new revision."""
        params = m.OneWayAmendParams(auction=auction, client_id=client_id, revision=revision, price=price, quantity=quantity)
        return typed((await self._link.call("one_way.amend", params, _decode_submit)).result, BidOutcome).revision

    async def withdraw(self, auction: int, client_id: str) -> None:
        """Take a bid back."""
        await self._link.call("one_way.withdraw", m.OneWayWithdrawParams(auction=auction, client_id=client_id), _decode_submit)

    async def bids(self) -> list[m.OneWayBidResult]:
        """Own bids with what they got."""
        return (await self._link.call("one_way.bids", m.NoParams(), _decode_bids)).bids

    async def auctions(self) -> list[m.OneWayAuctionResult]:
        """All auctions; their bids are told to nobody else."""
        return (await self._link.call("one_way.auctions", m.NoParams(), _decode_auctions)).auctions

    async def subscribe(self) -> None:
        """Be told when an auction opens and ends; see `ParkClient.on("one_way", ...)`."""
        await self._feeds.subscribe("one_way")
