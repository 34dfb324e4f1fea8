"""A market of one good with induced values, as in the experiments that populations were published with.

Each trader is a buyer or a seller and may trade its units one after the other, the best first; a unit has a value or a cost. In each turn a trader
who has a unit left, drawn at random, says a price. It trades at once with the best quote of the other side, at that quote's price, if it meets it;
otherwise it becomes the best quote of its own side if it improves it. The book is these two quotes. (V. L. Smith, "An experimental study of
competitive market behavior", Journal of Political Economy 70 (1962), section II; Gode and Sunder 1993, section II.)

Prices come from the same kernels as in a park.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.agents.grid import BUY, SELL
from clients.laboratory.agents.interface import MEMORY, NO_QUOTE, SHOUT, SHOUTS_KEPT, TRAIT, VIEW
from clients.laboratory.agents.kernels import begin_market, hear_shout, quote_price
from clients.laboratory.draws import EVERYBODY, Purpose, below, bits
from matching.compile import kernel
from matching.state import make_records

Integers = NDArray[np.int64]

# Rules of the experiment, and its two quotes with who made them (-1: nobody).
BOOK: Final = np.dtype(
    [
        ("is_cleared", "i8"), ("is_open", "i8"), ("n_shouts", "i8"), ("n_trades", "i8"), ("bid_ticks", "i8"), ("ask_ticks", "i8"), ("bidder", "i8"),
        ("asker", "i8"),
    ]
)  # fmt: skip

# One trade of one unit; `*_limit_ticks`: value of the buyer's and cost of the seller's unit.
DEAL: Final = np.dtype(
    [
        ("day", "i8"), ("turn", "i8"), ("buyer", "i8"), ("seller", "i8"), ("price_ticks", "i8"), ("taker_side", "i8"), ("buyer_limit_ticks", "i8"),
        ("seller_limit_ticks", "i8"),
    ]
)  # fmt: skip

_BEGIN: Final = int(Purpose.BEGIN)
_PRICE: Final = int(Purpose.PRICE)
_HEAR: Final = int(Purpose.HEAR)
_SEQUENCE: Final = int(Purpose.SEQUENCE)


@kernel(internal=True)
def _speaker(done: Any, n_units: Any, raw: Any) -> Any:
    """A trader with units left, each with the same chance; -1 where a side has none."""
    buyers, sellers = 0, 0
    for trader in range(done.shape[0]):
        if done[trader, 0] < n_units[trader]:
            if done[trader, 1] == BUY:
                buyers += 1
            else:
                sellers += 1
    if buyers == 0 or sellers == 0:
        return -1
    number = below(raw, buyers + sellers)
    for trader in range(done.shape[0]):
        if done[trader, 0] < n_units[trader]:
            if number == 0:
                return trader
            number -= 1
    return -1


@kernel(internal=True)
def _tell(traits: Any, memories: Any, limits: Any, done: Any, n_units: Any, history: Any, book: Any, shout: Any, seed: Any, day: Any) -> None:
    """Put a shout into the history and let everybody hear it. Modifies memories, history and book in place."""
    shout.bid_ticks, shout.ask_ticks = book.bid_ticks, book.ask_ticks
    history[book.n_shouts % SHOUTS_KEPT] = shout
    for trader in range(traits.shape[0]):
        limit = limits[trader, done[trader, 0]] if done[trader, 0] < n_units[trader] else NO_QUOTE
        hear_shout(traits[trader], memories[trader], shout, done[trader, 1], limit, bits(seed, trader, _HEAR, day, book.n_shouts))
    book.n_shouts += 1


@kernel(internal=True)
def _show(view: Any, book: Any, done: Any, trader: Any, turn: Any, n_turns: Any) -> None:
    """What the speaker sees. Modifies `view` in place."""
    view.bid_ticks, view.ask_ticks, view.n_trades = book.bid_ticks, book.ask_ticks, book.n_trades
    view.rounds_left = (n_turns - turn - 1) // done.shape[0] + 1
    view.time_left = 1.0 - turn / n_turns
    view.position_lots = done[trader, 0] if done[trader, 1] == BUY else -done[trader, 0]


@kernel(internal=True)
def _deal(limits: Any, done: Any, book: Any, deal: Any, trader: Any, side: Any, price: Any) -> None:
    """Trade a unit of the speaker with the best quote of the other side. Modifies done, book and deal in place."""
    other = book.asker if side == BUY else book.bidder
    deal.buyer, deal.seller = (trader, other) if side == BUY else (other, trader)
    deal.price_ticks, deal.taker_side = price, side
    deal.buyer_limit_ticks = limits[deal.buyer, done[deal.buyer, 0]]
    deal.seller_limit_ticks = limits[deal.seller, done[deal.seller, 0]]
    done[trader, 0] += 1
    done[other, 0] += 1
    book.n_trades += 1
    # Who has traded goes on with another unit, so that its quote is void.
    if book.is_cleared != 0 or side == SELL or book.bidder == trader:
        book.bid_ticks, book.bidder = -1, -1
    if book.is_cleared != 0 or side == BUY or book.asker == trader:
        book.ask_ticks, book.asker = -1, -1


@kernel(internal=True)
def _rest(book: Any, trader: Any, side: Any, price: Any) -> Any:
    """Make a quote the best of its side if it is. Modifies the book in place; whether it was."""
    if side == BUY and (book.bid_ticks < 0 or price > book.bid_ticks):
        book.bid_ticks, book.bidder = price, trader
        return True
    if side == SELL and (book.ask_ticks < 0 or price < book.ask_ticks):
        book.ask_ticks, book.asker = price, trader
        return True
    return False


@kernel
def trade_day(
    traits: Any, memories: Any, limits: Any, done: Any, n_units: Any, view: Any, history: Any, book: Any, shout: Any, deals: Any, seed: Any, day: Any,
    n_turns: Any,
) -> Any:  # fmt: skip
    """One day of so many turns; how many deals there were. Modifies memories, done, view, history, book, shout and deals in place."""
    book.bid_ticks, book.ask_ticks, book.bidder, book.asker, book.n_trades = -1, -1, -1, -1, 0
    for trader in range(traits.shape[0]):
        done[trader, 0] = 0
        begin_market(traits[trader], memories[trader], done[trader, 1], limits[trader, 0], bits(seed, trader, _BEGIN, day, 0))
    for turn in range(n_turns):
        trader = _speaker(done, n_units, bits(seed, EVERYBODY, _SEQUENCE, day, turn))
        if trader < 0:
            break
        side, limit = done[trader, 1], limits[trader, done[trader, 0]]
        _show(view, book, done, trader, turn, n_turns)
        price = quote_price(traits[trader], memories[trader], view, history, book.n_shouts, side, limit, bits(seed, trader, _PRICE, day, turn))
        if price == NO_QUOTE:
            continue
        shout.side, shout.traded, shout.quantity_lots, shout.price_ticks = side, 0, 1, price
        best = book.ask_ticks if side == BUY else book.bid_ticks
        if best >= 0 and (price >= best if side == BUY else price <= best):
            deals[book.n_trades].day, deals[book.n_trades].turn = day, turn
            shout.traded, shout.price_ticks, view.last_ticks = 1, best, best
            _deal(limits, done, book, deals[book.n_trades], trader, side, best)
        elif not _rest(book, trader, side, price) and book.is_open == 0:
            continue
        _tell(traits, memories, limits, done, n_units, history, book, shout, seed, day)
    return book.n_trades


@dataclass(frozen=True, slots=True, eq=False)
class Induced:
    """Values and costs. `sides`: int64 [n] of matching.records.Side; `limits_ticks`: int64 [n, units], the best unit first; `n_units`: int64 [n]."""

    sides: Integers
    limits_ticks: Integers
    n_units: Integers

    @classmethod
    def of(cls, values: list[list[int]], costs: list[list[int]]) -> "Induced":
        """One list for each buyer and for each seller, in this sequence. Raises ValueError for a trader without units."""
        rows = [sorted(row, reverse=True) for row in values] + [sorted(row) for row in costs]
        if not all(rows):
            raise ValueError("each trader has a unit")
        limits = np.zeros((len(rows), max(map(len, rows))), np.int64)
        for number, row in enumerate(rows):
            limits[number, : len(row)] = row
        sides = np.array([BUY] * len(values) + [SELL] * len(costs), np.int64)
        return cls(sides, limits, np.array([len(row) for row in rows], np.int64))


class Experiment:
    """Traders who meet day after day, and remember.

    `is_cleared`: the book is emptied after each trade; `is_open`: quotes that do not improve are heard. `low_ticks` and `high_ticks`: the band, not
    below 0. Prices are whole ticks.
    """

    def __init__(
        self, traits: NDArray[np.void], seed: int, low_ticks: int, high_ticks: int, n_turns: int, *, is_cleared: bool = True, is_open: bool = True
    ) -> None:
        self._traits = make_records(TRAIT, len(traits))
        self._traits[:] = traits
        self._memories = make_records(MEMORY, len(traits))
        self._view, self._book, self._shout = make_records(VIEW, 1), make_records(BOOK, 1), make_records(SHOUT, 1)
        self._history = make_records(SHOUT, SHOUTS_KEPT)
        self._seed, self._n_turns, self._day = np.uint64(seed), n_turns, 0
        for name, value in {"low_ticks": low_ticks, "high_ticks": high_ticks, "anchor_low_ticks": low_ticks, "anchor_high_ticks": high_ticks}.items():
            self._view[name] = value
        self._view["tick_step"], self._view["last_ticks"] = 1, -1
        self._book["is_cleared"], self._book["is_open"] = is_cleared, is_open

    def trade(self, induced: Induced) -> NDArray[np.void]:
        """One more day with these values and costs: its deals as an array of DEAL."""
        done = np.zeros((len(self._traits), 2), np.int64)
        done[:, 1] = induced.sides
        deals = make_records(DEAL, int(induced.n_units.sum()))
        count = trade_day(
            self._traits, self._memories, induced.limits_ticks, done, induced.n_units, self._view[0], self._history, self._book[0], self._shout[0],
            deals, self._seed, self._day, self._n_turns,
        )  # fmt: skip
        self._day += 1
        return deals[: int(count)]
