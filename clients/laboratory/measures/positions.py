"""What was traded and what it was worth, by participant and period: the ground of the measures of auction theory. Arrays int64[n, P]."""

from dataclasses import dataclass

import numpy as np

from clients.laboratory.measures.figures import Integers
from clients.laboratory.run.record import RunRecord


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Net positions and what they are worth to their owners, in lots and tick x lot.

    `net_lots` is bought less sold. Its part up to what the participant wanted is `used_lots` (bought) or `given_lots` (sold); what was bought beyond
    is worth what the grid pays for it (`excess_lots`), what was sold beyond costs what the grid charges (`short_lots`). `worth_tick_lots` is the sum,
    costs negative; `paid_tick_lots` is paid less received for trades.
    """

    net_lots: Integers
    used_lots: Integers
    given_lots: Integers
    excess_lots: Integers
    short_lots: Integers
    worth_tick_lots: Integers
    paid_tick_lots: Integers

    @property
    def profit_tick_lots(self) -> Integers:
        return self.worth_tick_lots - self.paid_tick_lots


def positions_of(record: RunRecord, believed: RunRecord | None = None) -> Positions:
    """The positions of a run, against what its participants wanted in it or in `believed`, at the private limits of the same."""
    wanted = record if believed is None else believed
    net = record.bought_lots - record.sold_lots
    used = np.clip(net, 0, wanted.want_buy_lots)
    given = np.clip(-net, 0, wanted.want_sell_lots)
    excess, short = np.maximum(net, 0) - used, np.maximum(-net, 0) - given
    worth = (
        used * wanted.value_ticks + excess * record.surplus_price_ticks - given * wanted.cost_ticks - short * record.deficit_price_ticks
    )  # fmt: skip
    return Positions(net, used, given, excess, short, worth, paid_tick_lots(record))


def paid_tick_lots(record: RunRecord) -> Integers:
    """Paid less received for trades, int64[n, P]."""
    paid = np.zeros((record.n_participants, record.n_periods), np.int64)
    trades = record.trades
    np.add.at(paid, (trades["buyer"], trades["period"]), trades["buyer_price_ticks"] * trades["quantity_lots"])
    np.subtract.at(paid, (trades["seller"], trades["period"]), trades["price_ticks"] * trades["quantity_lots"])
    return paid


def kept_tick_lots(record: RunRecord) -> int:
    """What buyers pay beyond what sellers get for the same lots; negative where the mechanism adds to it."""
    trades = record.trades
    return int(((trades["buyer_price_ticks"] - trades["price_ticks"]) * trades["quantity_lots"]).sum())
