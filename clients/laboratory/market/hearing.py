"""Compiled: what a round came to. Working orders, the history of a book, and what every agent hears of it."""

from typing import Any

import numpy as np

from clients.laboratory.agents.interface import NO_QUOTE, SHOUTS_KEPT
from clients.laboratory.agents.kernels import hear_shout
from clients.laboratory.draws import Purpose, bits
from exchange.journal.record import CommandKind
from exchange.protocol.reject_codes import RejectCode
from exchange.units import POWER_MULTIPLIER_MICRO
from matching.compile import kernel
from matching.ladder import level_price, next_level
from matching.records import Side
from matching.state import LADDERS


@kernel(internal=True)
def note_working(table: Any, command: Any, origin: Any, outcome: Any) -> None:
    """What an agent knows of its order after the exchange's answer."""
    working = table.working[2 * origin.agent + origin.side, origin.period]
    if outcome.code != RejectCode.ACCEPTED or outcome.remaining_lots == 0 or command.kind == CommandKind.CANCEL:
        if command.kind != CommandKind.AMEND or outcome.code == RejectCode.ACCEPTED:
            working.order_id = 0
        return
    working.order_id = outcome.order_id
    working.price_ticks = command.price_ticks
    working.revision = outcome.revision


@kernel(internal=True)
def keep_shout(table: Any, command: Any, origin: Any, outcome: Any, side: Any) -> None:
    """The shout of a command, at the end of its book's ring. The price of several fills is their mean, rounded down."""
    clock = table.clock[origin.period]
    shout = table.history[clock, table.n_shouts[clock] % SHOUTS_KEPT]
    table.n_shouts[clock] += 1
    view = table.views[origin.period]
    shout.side = side
    shout.bid_ticks = view.bid_ticks
    shout.ask_ticks = view.ask_ticks
    shout.traded = 1 if outcome.filled_lots > 0 else 0
    shout.quantity_lots = outcome.filled_lots if shout.traded else command.quantity_lots
    shout.price_ticks = command.price_ticks
    if shout.traded:
        shout.price_ticks = outcome.notional_micro // (outcome.filled_lots * POWER_MULTIPLIER_MICRO)


@kernel(internal=True)
def is_heard(rules: Any, outcome: Any) -> Any:
    """Whether anybody listens, and the rule of transparency lets others hear of an order: of quotes, or of trades only."""
    return rules.learns != 0 and (rules.shows_quotes != 0 or (rules.shows_trades != 0 and outcome.filled_lots > 0))


@kernel
def note_outcomes(table: Any, commands: Any, origins: Any, outcomes: Any, n: Any) -> Any:
    """Take over the answers to the first `n` commands of a round (OUTCOME records). Returns how many were refused."""
    refused = np.int64(0)
    for i in range(n):
        command, origin, outcome = commands[i], origins[i], outcomes[i]
        note_working(table, command, origin, outcome)
        if outcome.code != RejectCode.ACCEPTED:
            refused += 1
        elif command.kind != CommandKind.CANCEL and is_heard(table.rules[0], outcome):
            keep_shout(table, command, origin, outcome, np.int64(origin.side))
    return refused


@kernel
def hear(table: Any, period: Any, first_shout: Any) -> None:
    """Let every agent that has looked at a book hear its shouts from `first_shout` on, in their sequence. Modifies memories.

    Who lacked nothing on a side when it last looked at the book is inactive there (Cliff 1997), and hears without a limit.
    """
    clock, number = table.clock[period], table.number[period]
    last = table.n_shouts[clock]
    for at in range(max(first_shout, last - SHOUTS_KEPT), last):
        shout = table.history[clock, at % SHOUTS_KEPT]
        for row in range(table.memory.shape[0]):
            memory = table.memory[row, clock]
            if memory.is_begun == number:
                agent, side = row // 2, row % 2
                limit = table.limits[row, period] if table.lacking[row, period] > 0 else np.int64(NO_QUOTE)
                raw = bits(table.rules[0].seed, agent, Purpose.HEAR, number, (at << 1) + side)
                hear_shout(table.traits[agent], memory, shout, side, limit, raw)


@kernel
def read_net_lots(state: Any, table: Any, net_lots: Any) -> None:
    """What each participant has bought less sold in each book of the table, into int64[n, T]."""
    for period in range(net_lots.shape[1]):
        for agent in range(net_lots.shape[0]):
            net_lots[agent, period] = state.positions[table.slots[period], table.accounts[agent]].net_lots


@kernel(internal=True)
def depth_lots(state: Any, book: Any, side: Any, depth_ticks: Any) -> Any:
    """Lots within `depth_ticks` of the best price of a side."""
    best = state.books.sides[LADDERS * book + side]
    level, total = np.int64(best.best_level), np.int64(0)
    while level >= 0 and abs(level_price(state.books, level) - best.best_ticks) <= depth_ticks:
        total += state.books.levels[level].quantity_lots
        level = next_level(state.books, side, level)
    return total


@kernel
def write_quotes(state: Any, table: Any, quotes: Any, periods: Any, rounds: Any, first_period: Any, depth_ticks: Any) -> None:
    """QUOTE records (int64[m] of them, but for their stamp) of the books after a round; depth counts up to `depth_ticks` behind the best price."""
    for at in range(periods.shape[0]):
        period = periods[at]
        instrument = state.instruments[table.slots[period]]
        book = np.int64(instrument.book)
        bids, asks = state.books.sides[LADDERS * book + Side.BUY], state.books.sides[LADDERS * book + Side.SELL]
        quote = quotes[at]
        quote.period = first_period + period
        quote.round = rounds[at]
        quote.bid_ticks = bids.best_ticks if bids.best_level >= 0 else -1
        quote.ask_ticks = asks.best_ticks if asks.best_level >= 0 else -1
        quote.bid_lots = depth_lots(state, book, np.int64(Side.BUY), depth_ticks)
        quote.ask_lots = depth_lots(state, book, np.int64(Side.SELL), depth_ticks)
        quote.orders = instrument.open_orders
