"""Compiled: one round of some books. Each agent looks at each book once, in a sequence drawn for the book and the round, and says what it wants.

What an agent sees is the book as it was before the round: nobody sees the orders of the same round. Modifies the memories of agents, `views`,
`reported`, `wanted`, `lacking`, and writes COMMAND or SEALED_ORDER records with their origins; the books change when the exchange applies them.
"""

from typing import Any

import numpy as np

from clients.laboratory.agents.interface import NO_QUOTE, NOT_COMPILED
from clients.laboratory.agents.kernels import begin_market, quote_price
from clients.laboratory.draws import EVERYBODY, Purpose, below, bits, more
from exchange.journal.record import RECORD_VERSION, CommandFlag, CommandKind
from matching.compile import kernel
from matching.records import Side, TimeInForce
from matching.state import LADDERS

AMENDS = int(CommandFlag.AMEND_PRICE | CommandFlag.AMEND_QUANTITY)
# Rounds before the gate in which who quotes both sides closes its position, at its limits.
FLAT_ROUNDS = 3
_ZERO = np.uint64(ord("0"))
_TEN = np.uint64(10)
_BYTE = np.uint64(8)
_WORD_DIGITS = 8
_LAST_DIGITS = 4


@kernel(internal=True)
def client_order_words(number: Any) -> Any:
    """A number below 10**12 as twelve digits: the first two words of a client order id."""
    first, last = np.uint64(0), np.uint64(0)
    rest = np.uint64(number)
    for _ in range(_LAST_DIGITS):
        last = (last << _BYTE) | (_ZERO + rest % _TEN)
        rest = rest // _TEN
    for _ in range(_WORD_DIGITS):
        first = (first << _BYTE) | (_ZERO + rest % _TEN)
        rest = rest // _TEN
    return first, last


@kernel(internal=True)
def draw_sequence(table: Any, number: Any, round_index: Any) -> None:
    """Who acts when in one book, by Fisher and Yates."""
    n = table.sequence.shape[0]
    for i in range(n):
        table.sequence[i] = i
    raw = bits(table.rules[0].seed, EVERYBODY, Purpose.SEQUENCE, number, round_index)
    for i in range(n - 1, 0, -1):
        j = below(more(raw, i), i + 1)
        kept = table.sequence[i]
        table.sequence[i] = table.sequence[j]
        table.sequence[j] = kept


@kernel
def look(state: Any, table: Any, period: Any, round_index: Any) -> None:
    """Fill the public view of a book, as far as the rule of transparency shows it."""
    rules, view = table.rules[0], table.views[period]
    instrument = state.instruments[table.slots[period]]
    view.bid_ticks = -1
    view.ask_ticks = -1
    view.last_ticks = -1
    view.n_trades = 0
    if rules.shows_quotes:
        book = LADDERS * np.int64(instrument.book)
        bids, asks = state.books.sides[book + Side.BUY], state.books.sides[book + Side.SELL]
        if bids.best_level >= 0:
            view.bid_ticks = bids.best_ticks
        if asks.best_level >= 0:
            view.ask_ticks = asks.best_ticks
    if rules.shows_trades:
        view.last_ticks = instrument.last_price_ticks
        view.n_trades = instrument.trade_number
    view.rounds_left = rules.n_rounds - round_index
    view.time_left = (rules.n_rounds - 1 - round_index) / max(rules.n_rounds - 1, 1)


@kernel(internal=True)
def quotes_both(table: Any, agent: Any, round_index: Any) -> Any:
    """Whether an agent quotes both sides; in the last rounds a market maker goes back to its target, as who has no meter must."""
    return table.quote_lots[agent] > 0 and table.rules[0].n_rounds - round_index > FLAT_ROUNDS


@kernel(internal=True)
def ask_price(table: Any, agent: Any, period: Any, side: Any, round_index: Any, position_lots: Any) -> Any:
    """The price at which an agent wants to trade, on a whole step and inside the band; NO_QUOTE: it does not."""
    rules, view, trait = table.rules[0], table.views[period], table.traits[agent]
    row, limit = 2 * agent + side, table.limits[2 * agent + side, period]
    table.reported[agent, period] = limit
    if trait.kind == NOT_COMPILED or table.forced[row, period] != NO_QUOTE:
        return table.forced[row, period]
    if table.quote_lots[agent] > 0 and not quotes_both(table, agent, round_index):
        return limit
    number, clock = table.number[period], table.clock[period]
    memory = table.memory[row, clock]
    if rules.learns and (memory.is_begun != number or memory.side != side):
        begin_market(trait, memory, side, limit, bits(rules.seed, agent, Purpose.BEGIN, number, side))
        memory.is_begun = number
        memory.side = side
    view.position_lots = position_lots
    raw = bits(rules.seed, agent, Purpose.PRICE, number, 2 * round_index + side)
    return quote_price(trait, memory, view, table.history[clock], table.n_shouts[clock], side, limit, raw)


@kernel(internal=True)
def fits(rules: Any, side: Any, price_ticks: Any) -> Any:
    """A price on a whole step, rounded against who quotes it; NO_QUOTE where the band has none."""
    if price_ticks == NO_QUOTE:
        return price_ticks
    step = rules.tick_step
    down = price_ticks // step * step
    if side == Side.SELL and down < price_ticks:
        down += step
    if down < rules.low_ticks or down > rules.high_ticks:
        return np.int64(NO_QUOTE)
    return down


@kernel(internal=True)
def write_command(table: Any, commands: Any, origins: Any, n: Any, agent: Any, period: Any, side: Any, stamp_ns: Any, number: Any) -> Any:
    """The fields that every command of a round has; the memory may hold an old one."""
    command, origin = commands[n], origins[n]
    command.version = RECORD_VERSION
    command["flags"] = 0
    command.side = 0
    command.account = table.accounts[agent]
    command.instrument = table.instruments[period]
    command.stamp_ns = stamp_ns
    command.order_id = 0
    command.price_ticks = 0
    command.quantity_lots = 0
    command.revision = 0
    command.time_in_force = TimeInForce.GTC
    command.self_trade = 0
    command.cid0, command.cid1 = client_order_words(number)
    origin.agent = agent
    origin.period = period
    origin.side = side
    return command


@kernel(internal=True)
def act(
    state: Any, table: Any, commands: Any, origins: Any, n: Any, agent: Any, period: Any, side: Any, price_ticks: Any, lots: Any, stamp_ns: Any,
    number: Any
) -> Any:
    """Bring the working order of one side to `lots` at `price_ticks`: nothing, a new order, an amend or a cancel. Returns the new count of
    commands.
    """
    position = state.positions[table.slots[period], table.accounts[agent]]
    open_lots = position.open_buy_lots if side == Side.BUY else position.open_sell_lots
    working = table.working[2 * agent + side, period]
    wants = lots > 0 and price_ticks != NO_QUOTE
    if open_lots > 0 and working.order_id > 0:
        if wants and working.price_ticks == price_ticks and open_lots == lots:
            return n
        command = write_command(table, commands, origins, n, agent, period, side, stamp_ns, number + n)
        command.order_id = working.order_id
        if wants:
            command.kind = CommandKind.AMEND
            command["flags"] = AMENDS
            command.price_ticks = price_ticks
            command.quantity_lots = lots
            command.revision = working.revision
        else:
            command.kind = CommandKind.CANCEL
        return n + 1
    working.order_id = 0
    if not wants:
        return n
    command = write_command(table, commands, origins, n, agent, period, side, stamp_ns, number + n)
    command.kind = CommandKind.PLACE
    command.side = side
    command.price_ticks = price_ticks
    command.quantity_lots = lots
    command.self_trade = table.rules[0].self_trade
    return n + 1


@kernel(internal=True)
def write_sealed(orders: Any, origins: Any, n: Any, agent: Any, period: Any, side: Any, price_ticks: Any, lots: Any) -> Any:
    """A sealed order; its id is its place among those of the round. Returns the new count."""
    if lots <= 0 or price_ticks == NO_QUOTE:
        return n
    order, origin = orders[n], origins[n]
    order.order_id = n + 1
    order.quantity_lots = lots
    order.price_ticks = price_ticks
    order.owner = agent
    order.side = side
    origin.agent = agent
    origin.period = period
    origin.side = side
    return n + 1


@kernel(internal=True)
def wanted_lots(table: Any, agent: Any, side: Any, target_lots: Any, net_lots: Any, round_index: Any) -> Any:
    """Lots that an agent wants on one side beyond what it holds, on a whole step, at most what one order may hold.

    Who quotes both sides stays inside its own limits with what the order would bring.
    """
    rules = table.rules[0]
    wanted = target_lots - net_lots if side == Side.BUY else net_lots - target_lots
    if quotes_both(table, agent, round_index):
        room = table.net_limits[agent, 1] - net_lots if side == Side.BUY else net_lots - table.net_limits[agent, 0]
        wanted = min(table.quote_lots[agent], room)
    capped = min(wanted, rules.max_order_lots)
    return capped // rules.lot_step * rules.lot_step if capped > 0 else np.int64(0)


@kernel(internal=True)
def position_wanted(table: Any, agent: Any, side: Any, target_lots: Any, lots: Any, round_index: Any) -> Any:
    """Lots of the whole position that an agent wants to end with on one side, held or not; who quotes both sides wants what it quotes."""
    if quotes_both(table, agent, round_index):
        return lots
    return max(target_lots, np.int64(0)) if side == Side.BUY else max(-target_lots, np.int64(0))


@kernel
def decide(
    state: Any, table: Any, commands: Any, sealed: Any, origins: Any, periods: Any, rounds: Any, targets: Any, stamp_ns: Any, number: Any
) -> Any:
    """One round of the books `periods` (int64[m], columns of the table), which are at their rounds `rounds` (int64[m]).

    `targets` is int64[n, m]: net lots that an agent wants to end with. Writes COMMAND words into `commands` with client order ids from `number` on,
    or SEALED_ORDER records into `sealed`, and their origins, in the sequence in which they are to be carried out. Returns how many.
    """
    n = np.int64(0)
    rules = table.rules[0]
    for at in range(periods.shape[0]):
        period, round_index = periods[at], rounds[at]
        look(state, table, period, round_index)
        draw_sequence(table, table.number[period], round_index)
        for place in range(table.sequence.shape[0]):
            agent = table.sequence[place]
            net_lots = np.int64(state.positions[table.slots[period], table.accounts[agent]].net_lots)
            # What an agent no longer wants leaves first, so that it never meets itself.
            first = np.int64(Side.SELL) if targets[agent, at] > net_lots else np.int64(Side.BUY)
            for turn in range(2):
                side = first if turn == 0 else 1 - first
                lots = wanted_lots(table, agent, side, targets[agent, at], net_lots, round_index)
                table.lacking[2 * agent + side, period] = lots
                table.wanted[2 * agent + side, period] = position_wanted(table, agent, side, targets[agent, at], lots, round_index)
                price_ticks = np.int64(NO_QUOTE)
                if lots > 0:
                    price_ticks = fits(rules, side, ask_price(table, agent, period, side, round_index, net_lots))
                before = n
                if rules.is_sealed:
                    n = write_sealed(sealed, origins, n, agent, period, side, price_ticks, lots)
                else:
                    n = act(state, table, commands, origins, n, agent, period, side, price_ticks, lots, stamp_ns, number)
                if n > before:
                    origins[before].round = round_index
    return n
