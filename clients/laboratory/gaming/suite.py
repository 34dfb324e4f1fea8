"""The table of manipulations: who gains, what is done, and by what it is known that it was done at all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from clients.laboratory.gaming import hands
from clients.laboratory.gaming.cast import Cast
from clients.laboratory.run.record import RunRecord
from exchange.units import POWER_LOT_WH

# What of a manipulation came about: (cast, honest run, manipulated run) -> lots.
Extent = Callable[[Cast, RunRecord, RunRecord], int]


@dataclass(frozen=True, slots=True)
class Manipulation:
    """`group`: fields of Cast whose bills count. `hand`: None where only the accounts differ. `extent` counts lots of what came about; `is_of_green`:
    these are lots of certificates. `is_split`: the plant is two accounts; `is_declared`: the exchange knows that the accounts have one owner and
    does not let it trade with itself.
    """

    name: str
    what: str
    group: tuple[str, ...]
    hand: Callable[[Cast], hands.Hand] | None
    extent: Extent
    is_of_green: bool = False
    needs_storage: bool = False
    is_split: bool = False
    is_declared: bool = False


def traded_with_oneself(cast: Cast, _honest: RunRecord, played: RunRecord) -> int:
    """Lots that the two accounts traded with each other."""
    trades, own = played.trades, [cast.buyer, cast.seller]
    both = np.isin(trades["buyer"], own) & np.isin(trades["seller"], own)
    return int(trades["quantity_lots"][both].sum())


def sold_beyond_generation(cast: Cast, honest: RunRecord, played: RunRecord) -> int:
    """Lots of the plant that it sold and did not generate, beyond those of the honest run."""
    return max(0, _short_lots(played, cast.plant) - _short_lots(honest, cast.plant))


def sold_beyond_limit(cast: Cast, _honest: RunRecord, played: RunRecord) -> int:
    least = cast.scenario.participants[cast.plant].min_net_power_lots
    net = played.bought_lots[cast.plant] - played.sold_lots[cast.plant]
    return int(np.maximum(least - net, 0).sum())


def not_sold(cast: Cast, honest: RunRecord, played: RunRecord) -> int:
    """Lots that the plant sold in the honest run and not in this one."""
    return max(0, int(honest.sold_lots[cast.plant].sum() - played.sold_lots[cast.plant].sum()))


def sold_by_second(cast: Cast, _honest: RunRecord, played: RunRecord) -> int:
    return int(played.sold_lots[cast.second].sum())


def bought_by_buyer(cast: Cast, _honest: RunRecord, played: RunRecord) -> int:
    return int(played.bought_lots[cast.buyer].sum())


def wrongly_certified(_cast: Cast, _honest: RunRecord, played: RunRecord) -> int:
    """In lots, a part of one counting whole."""
    return -(-wrongly_certified_wh(played) // POWER_LOT_WH)


def wrongly_certified_wh(record: RunRecord) -> int:
    """Wh of certificates behind which nothing green was generated: issued beyond the run's, matched beyond a quarter-hour's; each second claim as
    one.
    """
    beyond = int(record.issued_wh.sum()) - int(record.generation_wh.sum())
    matched = record.matched_wh.sum(axis=0) - record.generation_wh.sum(axis=0)
    return max(0, beyond) + int(np.maximum(matched, 0).sum()) + record.double_claims


def _short_lots(record: RunRecord, row: int) -> int:
    net_sold = record.sold_lots[row] - record.bought_lots[row]
    return int(np.maximum(net_sold - record.generation_wh[row] // POWER_LOT_WH, 0).sum())


_OWNER: Final = ("plant", "buyer", "seller")

SUITE: Final = {
    entry.name: entry
    for entry in (
        Manipulation(
            "wash-pairs", "two accounts of the seller's owner trade to and fro at high prices", _OWNER, hands.wash_pairs, traded_with_oneself
        ),
        Manipulation(
            "wash-pairs-declared", "the same where the owner of the accounts is declared and may not trade with itself", _OWNER, hands.wash_pairs,
            traded_with_oneself, is_declared=True,
        ),
        Manipulation(
            "split-accounts", "the seller comes as two accounts, each with half of the plant", ("plant", "second"), None, sold_by_second,
            is_split=True,
        ),
        Manipulation(
            "over-selling", "the seller sells 1.3 times what it expects to generate", ("plant",),
            lambda cast: hands.selling_share(cast, hands.OVERSOLD_PPM), sold_beyond_generation,
        ),
        Manipulation(
            "over-selling-limit", "the seller tries to sell twice what its connection carries", ("plant",), hands.beyond_the_limit,
            sold_beyond_limit,
        ),
        Manipulation(
            "withholding", "the seller keeps three tenths of its energy from the market", ("plant",),
            lambda cast: hands.selling_share(cast, hands.WITHHELD_PPM), not_sold,
        ),
        Manipulation("squeeze", "an account buys early and sells dear before the gate", ("buyer",), hands.squeeze, bought_by_buyer),
        Manipulation(
            "marking-the-close", "two accounts make the last price high where the seller has nothing to sell", _OWNER, hands.marking_the_close,
            traded_with_oneself,
        ),
        Manipulation(
            "grey-as-green", "a wind plant buys what a storage discharges and sells it as its own", ("storage", "wind"), hands.grey_as_green,
            wrongly_certified, is_of_green=True, needs_storage=True,
        ),
    )
}  # fmt: skip
