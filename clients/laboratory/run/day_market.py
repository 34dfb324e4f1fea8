"""The books of one day in the hands of its participants: rounds become commands, answers become what everybody knows."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.interface import MEMORY, NO_QUOTE
from clients.laboratory.market.deciding import decide
from clients.laboratory.market.hearing import hear, note_outcomes, read_net_lots, write_quotes
from clients.laboratory.market.one_shot import Pair, clear_round, rules_of
from clients.laboratory.market.table import ORIGIN, RULES, WORKING, MarketTable, new_history, new_views, records
from clients.laboratory.run.calendar import RoundsAt
from clients.laboratory.run.record import DEPTH_TICKS, QUOTE, TRADE
from clients.laboratory.run.strategies import UserStrategies
from clients.laboratory.run.virtual_exchange import VirtualExchange
from clients.laboratory.scenario.model import CONTINUOUS, MarketRules
from clients.laboratory.world.day import WorldDay
from exchange.journal.record import COMMAND, RECORD_VERSION, CommandFlag, CommandKind
from exchange.order_path.path import BatchResult
from exchange.order_path.records import ExecutionKind
from exchange.order_path.state import COMMAND_WORDS, PathState
from exchange.units import PERIOD_NS, POWER_MULTIPLIER_MICRO
from matching.mechanisms import SEALED_ORDER
from matching.records import Reason, SelfTrade, Side, TimeInForce

Integers = NDArray[np.int64]

QUARTERS_OF_THE_CLOCK: Final = 100  # of the longest day
_AUCTION: Final = 255
_TRADE: Final = int(ExecutionKind.TRADE)
_SHOWS_QUOTES: Final = ("full", "top")
_SHOWS_TRADES: Final = ("full", "top", "trades")
_DIGITS: Final = 12
# Of a fill that enters the exchange: the offer, the order that takes it, the withdrawal of what is left of the offer.
_STEPS_OF_A_PAIR: Final = 3


@dataclass(slots=True, eq=False)
class Minds:
    """What agents keep over the days: traits, and memories by quarter-hour of the clock. `quote_lots`, `net_limits`: see MarketTable.

    Two days are open at a time, so each has memories of its own and begins with those of the day before, as they are when its books are listed.
    """

    traits: Any
    quote_lots: Integers
    net_limits: Integers
    memory: Any = field(init=False)
    history: Any = field(init=False)
    n_shouts: Any = field(init=False)
    learns: bool = True

    def __post_init__(self) -> None:
        self.memory = records((2 * len(self.traits), QUARTERS_OF_THE_CLOCK), MEMORY)
        self.history, self.n_shouts = new_history(QUARTERS_OF_THE_CLOCK)

    def next_day(self) -> None:
        """Go on with copies; who holds the arrays of a day keeps them."""
        if self.learns:
            self.memory, self.history, self.n_shouts = self.memory.copy(), self.history.copy(), self.n_shouts.copy()


@dataclass(slots=True, eq=False)
class Tally:
    """What all days add to: trades and quotes in order, orders sent, rows of participants whose orders were refused (one an order)."""

    trades: list[NDArray[np.void]] = field(default_factory=list)
    quotes: list[NDArray[np.void]] = field(default_factory=list)
    orders: int = 0
    refused: list[Integers] = field(default_factory=list)
    next_number: int = 1


class DayMarket:
    """`payments_micro` [n] and `operator_micro` are what the mechanism moved beside the exchange, paid positive; `first_period` counts from the
    start of the run.
    """

    def __init__(
        self, link: VirtualExchange, market: MarketRules, day: WorldDay, instruments: list[int], accounts: list[int], minds: Minds, seed: int,
        tally: Tally, first_period: int,
    ) -> None:  # fmt: skip
        n, periods = len(accounts), day.n_periods
        self.day = day
        self._link, self._market, self._tally, self._seed, self.first_period = link, market, tally, seed, first_period
        self._learns = minds.learns
        minds.next_day()
        slots = [link.exchange.rooms.instruments.by_id[instrument].slot for instrument in instruments]
        self.table = MarketTable(
            rules=_rules(market, seed, learns=minds.learns), accounts=np.array(accounts, np.int64), traits=minds.traits, memory=minds.memory,
            clock=np.arange(periods, dtype=np.int64), number=day.start_ns // PERIOD_NS, instruments=np.array(instruments, np.int64),
            slots=np.array(slots, np.int64), views=_views(market, day), history=minds.history, n_shouts=minds.n_shouts,
            working=records((2 * n, periods), WORKING), limits=_limits(day), wanted=np.zeros((2 * n, periods), np.int64),
            lacking=np.zeros((2 * n, periods), np.int64),
            quote_lots=minds.quote_lots, net_limits=minds.net_limits, reported=np.full((n, periods), -1, np.int64),
            forced=np.full((2 * n, periods), NO_QUOTE, np.int64), sequence=np.zeros(n, np.int64),
        )  # fmt: skip
        self._round = np.zeros(periods, np.int64)  # the last that was held of each book
        self.payments_micro = np.zeros(n, np.int64)
        self.operator_micro = 0
        self._commands = np.zeros(2 * n * periods, COMMAND)
        self._words = self._commands.view(COMMAND_WORDS).view(np.recarray)
        self._sealed = records(2 * n * periods, SEALED_ORDER)
        self._origins = records(2 * n * periods, ORIGIN)

    @property
    def state(self) -> PathState:
        """State of the exchange."""
        return self._link.exchange.state

    @property
    def shows_trades(self) -> bool:
        """Whether the rule of transparency shows prices of trades."""
        return self._market.transparency in _SHOWS_TRADES

    @property
    def last_ticks(self) -> Integers:
        """Price of the last trade of each quarter-hour, [T]; -1: none."""
        ticks: Integers = np.asarray(self._link.exchange.state.instruments)["last_price_ticks"][self.table.slots].astype(np.int64)
        return ticks

    @property
    def net_lots(self) -> Integers:
        """What each participant has bought less sold, [n, T]."""
        net_lots = np.empty(self.table.reported.shape, np.int64)
        read_net_lots(self._link.exchange.state, self.table, net_lots)
        return net_lots

    def let_time_pass(self) -> None:
        """Let what is due by a round happen before it."""
        self.note_trades(self._link.tick())

    def hold(self, at: RoundsAt, targets: Integers, strategies: UserStrategies) -> None:
        """One round of some books. `targets` int64[n, m]: the net lots that each participant wants to end with."""
        state = self._link.exchange.state
        if strategies:
            strategies.ask(state, self.table, at.periods, at.rounds, targets, self.net_lots[:, at.periods])
        self._round[at.periods] = at.rounds
        n = decide(
            state, self.table, self._words, self._sealed, self._origins, at.periods, at.rounds, targets, at.at_ns, self._tally.next_number
        )
        self._tally.orders += n
        if self._market.mechanism == CONTINUOUS:
            self._send_orders(n, at)
        else:
            self._clear(n, at)
        quotes = records(len(at.periods), QUOTE)
        write_quotes(self._link.exchange.state, self.table, quotes, at.periods, at.rounds, self.first_period, DEPTH_TICKS)
        quotes["stamp_ns"] = at.at_ns
        self._tally.quotes.append(quotes)

    def _send_orders(self, n: int, at: RoundsAt) -> None:
        if not n:
            return
        self._tally.next_number += n
        before = self.table.n_shouts.copy() if self._learns else None
        result = self._link.trade(self._commands[:n])
        if note_outcomes(self.table, self._words, self._origins, result.outcomes.view(np.recarray), n):
            self._note_refused(self._commands[:n], result)
        self.note_trades(result)
        if before is not None:
            for period in at.periods.tolist():
                hear(self.table, period, before[self.table.clock[period]])

    def _note_refused(self, commands: NDArray[np.void], result: BatchResult) -> None:
        accounts = commands["account"][result.outcomes["code"] != 0].astype(np.int64)
        self._tally.refused.append(np.searchsorted(self.table.accounts, accounts))

    def note_trades(self, result: BatchResult) -> None:
        """Trades of a batch in the books of this day as TRADE rows, at the last round of each book; the taker of an auction's trade is the buyer."""
        happened = result.executions
        if not len(happened):
            return
        # Contracts of a day are listed by one document, so their ids follow each other.
        first, last = np.uint64(self.table.instruments[0]), np.uint64(self.table.instruments[-1])
        ours = (happened["kind"] == _TRADE) & (happened["instrument"] >= first) & (happened["instrument"] <= last)
        if not ours.any():
            return
        executions = happened[ours]
        trades = np.zeros(len(executions), TRADE)
        periods = np.searchsorted(self.table.instruments, executions["instrument"].astype(np.int64))  # listed in order of time
        taker = np.searchsorted(self.table.accounts, executions["account"].astype(np.int64))
        maker = np.searchsorted(self.table.accounts, executions["counter_account"].astype(np.int64))
        buys = executions["side"] == Side.BUY
        trades["stamp_ns"], trades["period"] = executions["stamp_ns"], self.first_period + periods
        trades["round"] = self._round[periods]
        trades["taker_side"] = np.where(executions["reason"] == int(Reason.AUCTION), _AUCTION, executions["side"])
        trades["buyer"], trades["seller"] = np.where(buys, taker, maker), np.where(buys, maker, taker)
        trades["price_ticks"] = trades["buyer_price_ticks"] = executions["price_ticks"]
        trades["quantity_lots"] = executions["quantity_lots"]
        self._tally.trades.append(trades)

    # One-shot mechanisms

    def _clear(self, n: int, at: RoundsAt) -> None:
        sealed, origins = np.asarray(self._sealed[:n]), np.asarray(self._origins[:n])
        for period, round_index in zip(at.periods.tolist(), at.rounds.tolist(), strict=True):
            orders = sealed[origins["period"] == period].copy()
            if not len(orders):
                continue
            orders["order_id"] = np.arange(1, len(orders) + 1)
            deficit, surplus = int(self.day.deficit_price_ticks[period]), int(self.day.surplus_price_ticks[period])
            rules = rules_of(self._market, self._seed, int(self.table.number[period]), round_index, deficit, surplus)
            outcome = clear_round(self._market.mechanism, orders, rules, len(self.table.accounts))
            self.payments_micro += outcome.extra_tick_lots * POWER_MULTIPLIER_MICRO
            self.operator_micro += outcome.surplus_tick_lots * POWER_MULTIPLIER_MICRO
            self._enter(outcome.pairs, period, at.at_ns)

    def _enter(self, pairs: tuple[Pair, ...], period: int, at_ns: int) -> None:
        """Fills of a mechanism as orders that meet: the seller's rests, the buyer's takes it. Where the exchange refuses one, the other leaves."""
        pairs = tuple(pair for pair in pairs if pair.buyer != pair.seller)
        if not pairs:
            return
        commands = np.zeros(_STEPS_OF_A_PAIR * len(pairs), COMMAND)
        offers, takes, ends = (commands[step::_STEPS_OF_A_PAIR] for step in range(_STEPS_OF_A_PAIR))
        commands["version"], commands["stamp_ns"], commands["instrument"] = RECORD_VERSION, at_ns, self.table.instruments[period]
        commands["client_order_id"] = _client_order_ids(self._tally.next_number, len(commands))
        for orders, side, agents in ((offers, Side.SELL, "seller"), (takes, Side.BUY, "buyer")):
            orders["kind"], orders["side"] = CommandKind.PLACE, side
            orders["account"] = self.table.accounts[[getattr(pair, agents) for pair in pairs]]
            orders["price_ticks"], orders["quantity_lots"] = [pair.price_ticks for pair in pairs], [pair.lots for pair in pairs]
        offers["time_in_force"], takes["time_in_force"] = TimeInForce.GTC, TimeInForce.IOC
        ends["kind"], ends["account"], ends["flags"] = CommandKind.MASS_CANCEL, offers["account"], CommandFlag.ALL_SIDES | CommandFlag.ALL_LABELS
        self._tally.next_number += len(commands)
        result = self._link.trade(commands)
        self._note_refused(commands, result)
        done = (result.outcomes["filled_lots"][1::_STEPS_OF_A_PAIR] > 0).tolist()
        first = len(self._tally.trades)
        self.note_trades(result)
        for trades in self._tally.trades[first:]:
            trades["taker_side"] = _AUCTION
            trades["buyer_price_ticks"] = [pair.buyer_price_ticks for pair, is_done in zip(pairs, done, strict=True) if is_done]
        for pair, is_done in zip(pairs, done, strict=True):
            if not is_done:
                self._take_back(pair)

    def _take_back(self, pair: Pair) -> None:
        """What a buyer would have paid beyond the price of a fill that the exchange refused."""
        extra_micro = (pair.buyer_price_ticks - pair.price_ticks) * pair.lots * POWER_MULTIPLIER_MICRO
        self.payments_micro[pair.buyer] -= extra_micro
        self.operator_micro -= extra_micro


def _client_order_ids(first: int, n: int) -> NDArray[Any]:
    digits = (first + np.arange(n))[:, None] // 10 ** np.arange(_DIGITS - 1, -1, -1) % 10
    return (digits + ord("0")).astype(np.uint8).view(f"S{_DIGITS}").reshape(n)


def _rules(market: MarketRules, seed: int, *, learns: bool) -> Any:
    rules = records(1, RULES)
    rules["seed"] = seed
    rules["low_ticks"], rules["high_ticks"], rules["max_order_lots"] = market.min_price_ticks, market.max_price_ticks, market.max_order_lots
    rules["tick_step"], rules["lot_step"], rules["n_rounds"] = market.tick_step, market.lot_step, market.n_rounds
    rules["self_trade"] = int(SelfTrade[market.self_trade.upper()])
    rules["shows_quotes"], rules["shows_trades"] = market.transparency in _SHOWS_QUOTES, market.transparency in _SHOWS_TRADES
    rules["is_sealed"], rules["learns"] = market.mechanism != CONTINUOUS, learns
    return rules


def _views(market: MarketRules, day: WorldDay) -> Any:
    views = new_views(day.n_periods)
    views["low_ticks"], views["high_ticks"], views["tick_step"] = market.min_price_ticks, market.max_price_ticks, market.tick_step
    views["anchor_low_ticks"], views["anchor_high_ticks"] = day.surplus_price_ticks, day.deficit_price_ticks
    return views


def _limits(day: WorldDay) -> Integers:
    limits = np.empty((2 * len(day.value_ticks), day.n_periods), np.int64)
    limits[0::2], limits[1::2] = day.value_ticks, day.cost_ticks
    return limits
