"""What a learning participant sees before it acts on one book: FEATURES, float32, each between LOW and HIGH.

Prices are relative: 0 is what the grid pays, 1 what it charges, clipped to -1 and 2; -1 also where there is none or it is hidden. Energies are shares
of the participant's own largest position.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.run.open_round import OpenRound
from clients.laboratory.scenario.model import Participant
from matching.records import Side

Floats = NDArray[np.float32]

FEATURES: Final = (
    "side",  # 1 wants to buy, -1 to sell, 0 nothing
    "wanted",  # what is still to be traded
    "expected_net",  # own forecast of the quarter-hour after plans, taken from the park positive
    "position",  # bought less sold so far
    "limit", "bid", "ask", "last",  # own limit; the book and its last trade
    "time_left",  # 1 at the first round of the book, 0 at the last
    "time_of_day",  # quarter-hour of delivery as a share of the day
    "grid_buys", "grid_sells",  # prices of the grid as shares of the highest price
)  # fmt: skip
LOW: Final = np.array([-1, 0, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0], np.float32)
HIGH: Final = np.array([1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1], np.float32)
# After the last decision: the day is over, and nothing is wanted.
THE_END: Final = np.array([float(name == "time_of_day") for name in FEATURES], np.float32)


def scale_lots(participant: Participant, max_order_lots: int) -> int:
    """Lots that a share of 1 stands for: the largest position a participant may hold, or the largest order where nothing limits it."""
    return max(-participant.min_net_power_lots, participant.max_net_power_lots) or max_order_lots


def observe(opened: OpenRound, row: int, lots: int) -> Floats:
    """What `row` sees of the only book of `opened`; `lots` as of `scale_lots`."""
    view, period = opened.view(0), int(opened.at.periods[0])
    target, net = int(opened.targets[row, 0]), int(opened.net_lots[row, 0])
    wanted = target - net
    side = Side.BUY if wanted > 0 else Side.SELL
    highest = max(int(view.high_ticks), 1)
    found = np.array(
        [
            np.sign(wanted), abs(wanted) / lots, target / lots, net / lots, relative(view, opened.limit_ticks(row, side, 0)),
            relative(view, view.bid_ticks), relative(view, view.ask_ticks), relative(view, view.last_ticks), view.time_left,
            period / opened.market.day.n_periods, view.anchor_low_ticks / highest, view.anchor_high_ticks / highest,
        ],
        np.float32,
    )  # fmt: skip
    return np.clip(found, LOW, HIGH)


def relative(view: Any, price_ticks: int) -> float:
    """Where a price lies between those of the grid."""
    width = int(view.anchor_high_ticks) - int(view.anchor_low_ticks)
    return (int(price_ticks) - int(view.anchor_low_ticks)) / width if price_ticks >= 0 and width > 0 else -1.0


def price_of(view: Any, share: float) -> int:
    """The price at `share` of the way from what the grid pays to what it charges, on a step inside the band."""
    low, high, step = int(view.anchor_low_ticks), int(view.anchor_high_ticks), int(view.tick_step)
    wanted = low + int((high - low) * share)
    return min(max(wanted // step * step, -(-int(view.low_ticks) // step) * step), int(view.high_ticks) // step * step)
