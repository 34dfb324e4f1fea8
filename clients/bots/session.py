"""Runs the strategies of one member over one session of the SDK: asks them each turn, carries out what they say, reports the turn done."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from clients.bots.account import OwnAccount
from clients.bots.actions import Action, Basket, Place, Schedule, Withdraw
from clients.bots.market import MarketView
from clients.bots.public_feed import PublicFeed
from clients.bots.strategy import Strategy
from clients.sdk import Order, ParkClient, RequestRefused
from exchange.protocol import messages
from exchange.protocol.decimals import format_decimal
from exchange.protocol.reject_codes import RejectCode
from exchange.units import WH_PER_KWH

# Commands of one session on the way at once.
WINDOW: Final = 8
_KWH_DECIMALS: Final = 3


class Pace:
    """Shared by all bots of a process, so that a burst of one is not the queue of all: at most `batches` batches of WINDOW commands on the way.

    `thinking` lets one strategy at a time decide. Who waits for it gets it in the next turn of the event loop, so answers are read between two
    decisions and do not wait for all of them.
    """

    def __init__(self, batches: int) -> None:
        self.thinking = asyncio.Lock()
        self._semaphore = asyncio.Semaphore(batches)

    async def __aenter__(self) -> None:
        await self._semaphore.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._semaphore.release()


@dataclass(slots=True)
class Tally:
    """What became of the commands of a bot. `orders` are accepted new orders, `rejects` by name of the code."""

    orders: int = 0
    withdrawals: int = 0
    turns: int = 0
    rejects: Counter[str] = field(default_factory=Counter)


class BotSession:
    """One member's strategies on one connection. `on_schedule` tells the member's own battery what was scheduled."""

    def __init__(
        self,
        park: ParkClient,
        feed: PublicFeed,
        account: OwnAccount,
        strategies: Sequence[Strategy],
        pace: Pace,
        on_schedule: Callable[[Schedule], None] | None = None,
    ) -> None:
        self.tally = Tally()
        self._park = park
        self._feed = feed
        self._account = account
        self._strategies = strategies
        self._pace = pace
        self._on_schedule = on_schedule
        self._trades_seen = 0

    async def run(self) -> None:
        """Play every turn up to the last. Raises ConnectionLost when the exchange is gone for good."""
        async for turn in self._park.turns():
            await self.play(turn.now_ns)
            await turn.done()

    async def run_every(self, seconds: float) -> None:
        """Decide every so many seconds of wall time, for an exchange without turns; ends only by an exception or a cancel."""
        while True:
            await self.play((await self._park.status()).now_ns)
            await asyncio.sleep(seconds)

    async def play(self, now_ns: int) -> None:
        """One turn of all strategies, one after the other."""
        async with self._pace.thinking:
            view = self._view(now_ns)
        for strategy in self._strategies:
            async with self._pace.thinking:
                view.orders = self._account.resting()
                withdrawals = strategy.withdrawals(view)
            await self._withdraw(withdrawals)
            async with self._pace.thinking:
                view.orders = self._account.resting()
                actions = strategy.on_turn(view)
            await self._carry_out(actions)
        self.tally.turns += 1

    def _view(self, now_ns: int) -> MarketView:
        trades = self._feed.trades_since(self._trades_seen) if any("trades:*" in s.CHANNELS for s in self._strategies) else {}
        self._trades_seen = self._feed.trade_count
        return MarketView(
            now_ns,
            self._feed.contracts,
            quotes=self._feed.quotes,
            net_lots=self._account.net_lots,
            sellable_lots=self._account.sellable_lots,
            trades=trades,
            open_units=self._feed.open_units(),
        )

    async def _withdraw(self, withdrawals: Sequence[Withdraw]) -> None:
        for i in range(0, len(withdrawals), WINDOW):
            async with self._pace:
                cancels = [self._park.mass_cancel(instrument=w.symbol, label=w.label) for w in withdrawals[i : i + WINDOW]]
                results = await asyncio.gather(*cancels, return_exceptions=True)
            self._count(results)
            self.tally.withdrawals += len(results)

    async def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Schedule):
                await self._schedule(action)
            elif isinstance(action, Basket):
                await self._place_basket(action)
        places = [action for action in actions if isinstance(action, Place)]
        for i in range(0, len(places), WINDOW):
            async with self._pace:
                results = await self._park.place_many([self._params(place) for place in places[i : i + WINDOW]])
            self._count(results)
            self.tally.orders += sum(isinstance(result, Order) for result in results)

    async def _place_basket(self, basket: Basket) -> None:
        legs = []
        for leg in basket.legs:
            contract = self._feed.contracts[leg.symbol]
            price = format_decimal(leg.price_ticks, contract.price_decimals)
            quantity = format_decimal(leg.quantity_lots, contract.quantity_decimals)
            legs.append(self._park.basket_leg(leg.symbol, leg.side, price=price, quantity=quantity, label=leg.label))
        async with self._pace:
            try:
                self.tally.orders += len(await self._park.place_basket(legs))
            except RequestRefused as refusal:
                self._count([refusal])

    def _params(self, place: Place) -> messages.PlaceParams:
        contract = self._feed.contracts[place.symbol]
        return self._park.order_params(
            place.symbol,
            place.side,
            price=format_decimal(place.price_ticks, contract.price_decimals),
            quantity=format_decimal(place.quantity_lots, contract.quantity_decimals),
            time_in_force=place.time_in_force,
            post_only=place.post_only,
            label=place.label,
        )

    async def _schedule(self, schedule: Schedule) -> None:
        """Tell the battery first: what it does is physics, the nomination is paper."""
        if self._on_schedule is not None:
            self._on_schedule(schedule)
        try:
            await self._park.nominate(schedule.symbol, format_decimal(schedule.injection_wh, _KWH_DECIMALS))
        except RequestRefused as refusal:
            self._count([refusal])

    def count_refusal(self, refusal: RequestRefused) -> None:
        """Count what was refused outside a turn."""
        self._count([refusal])

    def _count(self, results: Sequence[object]) -> None:
        """Count refusals; what is neither an answer nor a refusal goes up."""
        for result in results:
            if isinstance(result, RequestRefused):
                self.tally.rejects[result.code.name if isinstance(result.code, RejectCode) else str(result.code)] += 1
            elif isinstance(result, BaseException):
                raise result


assert WH_PER_KWH == 10**_KWH_DECIMALS
