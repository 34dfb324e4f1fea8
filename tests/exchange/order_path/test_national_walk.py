"""A random national market: listed orders, block trades and one-way auctions over several days, with every invariant after each command, the same
hashes when it is cut, interrupted and replayed, and money and units that are the fold of the postings.
"""

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.journal.record import CommandFlag, CommandKind
from exchange.market.calendar import block_window, next_transition
from exchange.order_path import canonical
from exchange.order_path.check import check_exchange
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import (
    AmendBid,
    CancelOneWayAuction,
    ConfirmBlock,
    DeclineBlock,
    Document,
    OpenOneWayAuction,
    PlaceBid,
    ProposeBlock,
    SetPhase,
    WithdrawBid,
    WithdrawBlock,
    encode_document,
)
from exchange.units import NS_PER_MINUTE
from tests.exchange.order_path.national import National, allowance
from tests.exchange.order_path.park import OPERATOR, units_spec
from tests.exchange.order_path.replay import replayed_in_pieces
from tests.exchange.order_path.test_conditional_walk import small

WAITS = (1, 1, 1, 2, 5, 10)
SMALL_BLOCKS = {"block_min_lots": 40, "max_order_lots": 39}


class Walk(National):
    """Blocks from 40 t on, so that members of ordinary means can trade them."""

    def __init__(self, rng: Any) -> None:
        park_credits = units_spec("PCC-2026", instrument_class="pcc", venue="internal", resale="free", maker_fee_lot_micro=7)
        super().__init__(None, allowance(**SMALL_BLOCKS), park_credits)
        self.random = rng
        self.members = [self.seller, self.buyer, self.third]
        for account in self.members:
            for symbol in ("CEA25", "PCC-2026"):
                self.issue(account, symbol, 200)
        self.go("09:30")
        self.prepared = len(self.log)
        self.seen: Counter[str] = Counter()
        self.postings: Counter[tuple[int, int]] = Counter()
        self.started = self.balances()

    def balances(self) -> dict[tuple[int, int], int]:
        """(asset, account) -> balance."""
        state = self.exchange.state
        found = {(0, account): int(state.accounts[account].balance_micro) for account in (*self.members, 4)}
        for instrument in self.exchange.instruments():
            found |= {(instrument.id, account): int(state.positions[instrument.slot, account].net_lots) for account in self.members}
        return found

    def step(self) -> None:
        """One random command, and what must hold after it."""
        rng = self.random
        if rng.random() < 0.2:
            self.now_ns = self._later()
            result = self.send(self.record(CommandKind.TICK, 0))
        elif rng.random() < 0.45:
            result = self.send(self._order())
        else:
            document, account = self._business()
            data = encode_document(document)
            result = self.send(self.record(CommandKind.DOCUMENT, account, document_length=len(data)), data)
            answer = "taken" if result.outcomes[0]["code"] == 0 else "refused"
            self.seen[f"{document.SCHEMA} {answer}"] += 1
        check_exchange(self.exchange)
        self._follow(result)

    def _later(self) -> int:
        """Some minutes, or from outside the window of block trades into the next one, which is a day or a weekend away."""
        window = block_window("cea", self.now_ns)
        if window is None and self.random.random() < 0.7:
            transition = next_transition("cea", self.now_ns)
            while transition is not None and block_window("cea", transition[0]) is None:
                transition = next_transition("cea", transition[0])
            assert transition is not None
            return transition[0]
        return self.now_ns + self.random.choice(WAITS) * NS_PER_MINUTE

    def _follow(self, result: BatchResult) -> None:
        for posting in result.postings:
            self.postings[int(posting["asset"]), int(posting["debit"])] -= int(posting["amount"])
            self.postings[int(posting["asset"]), int(posting["credit"])] += int(posting["amount"])
        for row in result.executions:
            self.seen[ExecutionKind(int(row["kind"])).name] += 1
        for notice in result.notices:
            self.seen[notice.kind] += 1
        moved = {key: balance - self.started[key] for key, balance in self.balances().items()}
        assert moved == {key: self.postings[key] for key in moved}

    def _order(self) -> np.ndarray:
        rng = self.random
        account = rng.choice(self.members)
        mine = self.exchange.open_orders(account)
        if mine and rng.random() < 0.2:
            return self.record(CommandKind.CANCEL, account, order_id=rng.choice(mine).order_id)
        cea = rng.random() < 0.7
        low, high = self.band()
        price = rng.randint(low, high) if rng.random() < 0.5 else (low + high) // 2 + rng.randint(-3, 3)
        return self.record(
            CommandKind.PLACE, account, instrument=self.instruments[0 if cea else 1], side=rng.randint(0, 1), price_ticks=price,
            quantity_lots=rng.randint(1, 39), flags=rng.choice((0, 0, 0, int(CommandFlag.POST_ONLY))),
        )  # fmt: skip

    def _business(self) -> tuple[Document, int]:
        rng = self.random
        account = rng.choice(self.members)
        choice = rng.random()
        if choice < 0.15:
            proposal = ProposeBlock(
                client_id=f"b{rng.randint(1, 30)}", symbol="CEA25", side=rng.choice(("buy", "sell")), counterparty=rng.choice(self.members),
                price_ticks=rng.randint(4_300, 8_100), quantity_lots=rng.randint(38, 90),
            )  # fmt: skip
            return proposal, account
        if choice < 0.33:
            return self._answer(account)
        auctions = [auction.id for auction in self.exchange.one_way_auctions() if auction.status.name == "OPEN"]
        if choice < 0.4 or not auctions:
            opens_ns = self.now_ns + rng.choice((0, 0, 3)) * NS_PER_MINUTE
            return OpenOneWayAuction(
                reference=f"a{rng.randint(1, 40)}", symbol=rng.choice(("CEA25", "PCC-2026")), applicant=account, side=rng.choice(("buy", "sell")),
                quantity_lots=rng.randint(20, 80), reserve_price_ticks=rng.randint(5_000, 7_000), tie=rng.choice(("time", "pro_rata", "lot")),
                seed=rng.randint(0, 2**64 - 1), fails_if_undersubscribed=rng.random() < 0.3, opens_ns=opens_ns,
                closes_ns=opens_ns + rng.choice((10, 45, 90)) * NS_PER_MINUTE,
            ), OPERATOR  # fmt: skip
        auction = rng.choice(auctions)
        if choice < 0.42:
            return SetPhase(symbol=rng.choice(("CEA25", "PCC-2026")), phase=rng.choice(("halted", "resume", "resume")), reason="walk"), OPERATOR
        if choice < 0.43:
            return CancelOneWayAuction(auction=auction, reason="walk"), OPERATOR
        client_id, price_ticks, lots = f"x{rng.randint(1, 4)}", rng.randint(4_900, 7_100), rng.randint(1, 25)
        if choice < 0.8:
            return PlaceBid(auction=auction, client_id=client_id, price_ticks=price_ticks, quantity_lots=lots), account
        own = [(account, at_auction, bid) for account in self.members for at_auction, bid in self.exchange.own_bids(account)]
        sealed = [entry for entry in own if entry[2].status.name == "SEALED"]
        revision = 1
        if sealed:
            account, auction, bid = rng.choice(sealed)
            client_id, revision = bid.client_id, bid.revision
        if choice < 0.92:
            return AmendBid(auction=auction, client_id=client_id, revision=revision, price_ticks=price_ticks, quantity_lots=lots), account
        return WithdrawBid(auction=auction, client_id=client_id), account

    def _answer(self, account: int) -> tuple[Document, int]:
        """To an open proposal, mostly by the side that may give it."""
        rng = self.random
        proposals = [p for member in self.members for p in self.exchange.block_proposals(member) if p.status.name == "OPEN"]
        if not proposals:
            return ConfirmBlock(proposal=1), account
        proposal = rng.choice(proposals)
        kind: Any = rng.choice((ConfirmBlock, ConfirmBlock, DeclineBlock, WithdrawBlock))
        right = proposal.proposer if kind is WithdrawBlock else proposal.counterparty
        return kind(proposal=proposal.id), right if rng.random() < 0.9 else account


def replay_in_pieces(walk: Walk, rng: random.Random) -> None:
    """The same commands in other batches, in memory that is too small, with snapshots in between: in auctions, with proposals open."""
    other = replayed_in_pieces(walk.log, small, rng, snapshot_share=0.3)
    assert other.event_hash == walk.exchange.event_hash
    assert canonical.state_hash(other) == canonical.state_hash(walk.exchange)


WANTED = (
    "BLOCK_TRADE", "ALLOTTED", "TRADE", "close", "block", "one_way", "propose_block taken", "confirm_block taken", "decline_block taken",
    "withdraw_block taken", "open_one_way_auction taken", "place_bid taken", "amend_bid taken", "withdraw_bid taken",
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_a_long_walk_meets_everything(seed: int) -> None:
    walk = Walk(random.Random(seed))
    for _ in range(300):
        walk.step()
    assert {name: walk.seen[name] for name in WANTED if not walk.seen[name]} == {}
    replay_in_pieces(walk, random.Random(seed))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_short_walks_and_their_replays(rng: Any, steps: int) -> None:
    walk = Walk(rng)
    walk.go("13:05")
    for _ in range(steps):
        walk.step()
    replay_in_pieces(walk, rng)
