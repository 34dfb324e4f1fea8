"""`simulate`: a scenario and a seed become a record. The exchange is the live one: what differs is who holds the clock.

Day by day: contracts are listed, participants act in rounds, energy flows and is metered, the day is settled and its certificates are issued.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents import market_maker, strategic
from clients.laboratory.agents.catalogue import is_user_strategy, traits
from clients.laboratory.agents.interface import Population
from clients.laboratory.run.bills import DayBills, bill_day
from clients.laboratory.run.calendar import Agenda, RoundsAt, Step, listed_ns, rounds_of
from clients.laboratory.run.collect import Collector
from clients.laboratory.run.day_market import DayMarket, Minds, Tally
from clients.laboratory.run.membership import list_day, open_accounts, top_up
from clients.laboratory.run.metering import readings_document
from clients.laboratory.run.open_round import OpenRound
from clients.laboratory.run.planned import Plans
from clients.laboratory.run.record import RunRecord
from clients.laboratory.run.strategies import UserStrategies
from clients.laboratory.run.unit_market import UnitMarket
from clients.laboratory.run.virtual_exchange import VirtualExchange
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world.day import WorldDay
from clients.laboratory.world.world import World
from exchange.order_path.check import check_exchange
from exchange.protocol.documents import SettleDay
from exchange.units import PERIOD_NS, PPM

Integers = NDArray[np.int64]

# They listen to what others say, or look back at it.
_LEARNERS = (Population.ZIP, Population.GDX, Population.AGGRESSIVE)

# A market maker's position in one quarter-hour, in units of its quotes.
_INVENTORY_UNITS = 2

OnDay = Callable[[int], None]
# Somebody outside who may change what is wanted in a round, and at which price, before it is held.
Hand = Callable[[OpenRound], None]
# Told the exchange and the accounts of all participants once they are open.
OnOpen = Callable[[VirtualExchange, list[int]], None]


class Days(Protocol):
    """What a run asks of its world (`world.World`)."""

    def day(self, index: int) -> WorldDay: ...


def simulate(
    scenario: Scenario, seed: int, *, days: int | None = None, journal_directory: Path | None = None, on_day: OnDay | None = None,
    check: bool = False, hands: Sequence[Hand] = (), world: Days | None = None, on_open: OnOpen | None = None,
) -> RunRecord:  # fmt: skip
    """Play `days` (default: the scenario's) from its first date. The result is a function of scenario, seed and days alone.

    `journal_directory`: keep the journal there, so that `parkex verify` and `parkex replay` can read the run; default: its running digest only.
    `on_open` may do more as the operator before the first day; `on_day` hears the number of days settled; `check` tests every invariant of the
    exchange at each moment at which something happened. `hands` are asked before every round, in their sequence; `world` replaces the scenario's own
    (rows as in the scenario). Raises InputError for a scenario that cannot be played and for a strategy that fails, CheckFailedError for a broken
    invariant.
    """
    run = Run(scenario if days is None else replace(scenario, days=days), seed, journal_directory, world, on_open)
    try:
        for opened in run.rounds(on_day, check=check):
            for hand in hands:
                hand(opened)
            opened.hold()
        return run.record()
    finally:
        run.link.close()


class Run:
    """One run at work, round by round: whoever takes its rounds holds each of them before asking for the next, and closes `link` at last.

    `bills`: of the days settled so far; `tally`: trades, quotes and orders so far.
    """

    def __init__(
        self, scenario: Scenario, seed: int, journal_directory: Path | None = None, world: Days | None = None, on_open: OnOpen | None = None
    ) -> None:
        self._scenario, self._seed = scenario, seed
        self._world = World(scenario, seed) if world is None else world
        self._agenda = Agenda()
        self._seconds = _Seconds({})
        first = self._world.day(0)
        self.link = VirtualExchange(scenario.name, listed_ns(first), journal_directory)
        self._accounts = open_accounts(self.link, scenario)
        if on_open is not None:
            on_open(self.link, self._accounts)
        self._minds = _born(scenario, seed)
        self._plans = Plans(scenario, _offered_ppm(self._minds))
        self._strategies = UserStrategies(scenario, seed)
        self._units = UnitMarket(self.link, scenario, self._accounts, seed)
        self._units.open()
        self.tally = Tally()
        self._collector = Collector(scenario, seed, self._accounts)
        self._first_period = 0
        self._markets: dict[int, DayMarket] = {}
        self._rounds: dict[int, list[RoundsAt]] = {}
        self._agenda.add_listing(first)
        self._next: WorldDay | None = first
        self.bills: list[DayBills] = []

    def rounds(self, on_day: OnDay | None = None, *, check: bool = False) -> Iterator[OpenRound]:
        """Play on from round to round; what lies between two of them (listing, delivery, settlement) is done on the way."""
        checked_ns = 0
        for due in self._agenda:
            if check and due.at_ns > checked_ns:
                check_exchange(self.link.exchange)
                checked_ns = due.at_ns
            self.link.advance(due.at_ns)
            self._fire_deadlines()
            if due.step is Step.LIST:
                self._list()
            elif due.step is Step.ROUND:
                yield self._opened(self._markets[due.day], self._rounds[due.day][due.index])
            elif due.step is Step.UNITS:
                self._units.act(due.day, due.index)
            else:
                self._settle(self._markets.pop(due.day))
                del self._rounds[due.day]
                if on_day is not None:
                    on_day(due.day + 1)
        if check:
            check_exchange(self.link.exchange)

    def record(self) -> RunRecord:
        """The record of a run whose rounds have all been held."""
        return self._collector.record(self.link, self.tally, self._units, self._seconds.by_part)

    def _fire_deadlines(self) -> None:
        """Let what is due happen before anybody acts on it: auctions end, books close."""
        at_ns = self.link.exchange.next_deadline_ns()
        if at_ns is not None and at_ns <= self.link.now_ns:
            fired = self.link.tick()
            for market in self._markets.values():
                market.note_trades(fired)

    def _list(self) -> None:
        """Open the books of the next day, and bring the one after it into sight."""
        day = self._next
        assert day is not None
        with self._seconds.of("list"):
            top_up(self.link, self._scenario, self._accounts)
            instruments = list_day(self.link, self._scenario.market, day)
        self._markets[day.index] = DayMarket(
            self.link, self._scenario.market, day, instruments, self._accounts, self._minds, self._seed, self.tally, self._first_period
        )  # fmt: skip
        self._first_period += day.n_periods
        self._rounds[day.index] = rounds_of(day)
        self._plans.begin(self._markets[day.index], self._markets.get(day.index - 1))
        self._agenda.add_day(day, self._rounds[day.index], self._units.steps_of(day.date))
        with self._seconds.of("world"):
            self._next = self._world.day(day.index + 1) if day.index + 1 < self._scenario.days else None
        if self._next is not None:
            self._agenda.add_listing(self._next)

    def _opened(self, market: DayMarket, at: RoundsAt) -> OpenRound:
        with self._seconds.of("plan"):
            targets = self._plans.targets(market, at)
        return OpenRound(market, at, targets, self._hold)

    def _hold(self, market: DayMarket, at: RoundsAt, targets: Integers) -> None:
        with self._seconds.of("trade"):
            market.hold(at, targets, self._strategies)

    def _settle(self, market: DayMarket) -> None:
        day, scenario = market.day, self._scenario
        positions = self._positions(market)
        delivery = self._plans.deliver(market, self._markets.get(day.index + 1))
        with self._seconds.of("deliver"):
            self.link.tick()
        with self._seconds.of("meter"):
            self.link.submit(readings_document(scenario, self._accounts, day.start_ns, delivery))
        name = day.date.isoformat()
        adders = {
            str(account): entry.voltage_adder_micro_per_kwh
            for account, entry in zip(self._accounts, scenario.participants, strict=True)
            if entry.voltage_adder_micro_per_kwh
        }
        with self._seconds.of("settle"):
            self.link.submit(
                SettleDay(
                    day=name, day_start_ns=int(day.start_ns[0]), day_end_ns=int(day.start_ns[-1]) + PERIOD_NS, voltage_adders_micro_per_kwh=adders
                )
            )
        record = self.link.exchange.rooms.settlements.get(name)
        assert record is not None
        with self._seconds.of("bills"):
            bills = bill_day(scenario, day, delivery, record, self._accounts, market.payments_micro)
        self.bills.append(bills)
        self._collector.add_day(day, market, delivery, *positions, bills, record.total("netting_fund_micro"))

    def _positions(self, market: DayMarket) -> tuple[Integers, Integers]:
        """(bought, sold) lots of each participant in each quarter-hour, [n, T]."""
        rows = np.asarray(self.link.exchange.state.positions)[np.ix_(market.table.slots, market.table.accounts)]
        return np.ascontiguousarray(rows["bought_lots"].T), np.ascontiguousarray(rows["sold_lots"].T)


def _born(scenario: Scenario, seed: int) -> Minds:
    """Traits of all agents; a market maker quotes one unit of inventory on each side, and never holds more than it can hope to close."""
    born = traits(scenario, seed).view(np.recarray)
    limits = np.array([[entry.min_net_power_lots, entry.max_net_power_lots] for entry in scenario.participants], np.int64)
    makers = born["kind"] == Population.MARKET_MAKER
    quote_lots = np.where(makers, born["p"][:, market_maker.UNIT_LOTS], 0).astype(np.int64)
    most = _INVENTORY_UNITS * quote_lots[makers]
    limits[makers, 0], limits[makers, 1] = np.maximum(limits[makers, 0], -most), np.minimum(limits[makers, 1], most)
    return Minds(born, quote_lots, limits, learns=_is_heard(scenario, born))


def _is_heard(scenario: Scenario, born: NDArray[np.void]) -> bool:
    """Whether anybody listens to what is said."""
    return bool(np.isin(born["kind"], _LEARNERS).any()) or any(is_user_strategy(entry.agent.name) for entry in scenario.participants)


def _offered_ppm(minds: Minds) -> Integers:
    """The share of its energy that each participant brings to the market, [n]: all, but for who withholds."""
    withheld = np.where(minds.traits["kind"] == Population.STRATEGIC, minds.traits["p"][:, strategic.WITHHELD], 0.0)
    offered_ppm: Integers = PPM - np.rint(withheld * PPM).astype(np.int64)
    return offered_ppm


@dataclass(slots=True)
class _Seconds:
    """Wall seconds by part of a run: information, no part of any result."""

    by_part: dict[str, float]

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.by_part[part] = self.by_part.get(part, 0.0) + time.perf_counter() - began


