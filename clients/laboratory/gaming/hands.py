"""What a manipulator does in a round, beside what the same participants do in the honest run. docs/gaming.md explains each."""

from collections.abc import Callable
from typing import Final

from clients.laboratory.gaming.cast import Cast
from clients.laboratory.run.open_round import OpenRound
from exchange.units import POWER_TICK_MICRO_PER_KWH, PPM

Hand = Callable[[OpenRound], None]

WASH_LOTS: Final = 200  # 20 kWh there and back
MARK_LOTS: Final = 10
SQUEEZE_LOTS: Final = 1_000  # 100 kWh of each quarter-hour
OVERSOLD_PPM: Final = 1_300_000
WITHHELD_PPM: Final = 700_000
# The squeeze buys in the first and sells in the last rounds of a book.
SQUEEZE_ROUNDS: Final = 3


def wash_pairs(cast: Cast) -> Hand:
    """Two accounts trade with each other near the top of the spread, in one round there, in the next back, where the plant sells."""

    def act(opened: OpenRound) -> None:
        for place, left in enumerate(opened.rounds_left.tolist()):
            if opened.targets[cast.plant, place] < 0:
                lots = WASH_LOTS if left % 2 == 0 else 0
                _trade_with_oneself(cast, opened, place, lots)

    return act


def marking_the_close(cast: Cast) -> Hand:
    """One trade of two accounts in the last round, near the top of the spread, in the quarter-hours in which the plant does not sell."""

    def act(opened: OpenRound) -> None:
        for place, left in enumerate(opened.rounds_left.tolist()):
            if left == 1 and opened.targets[cast.plant, place] >= 0:
                _trade_with_oneself(cast, opened, place, MARK_LOTS)

    return act


def squeeze(cast: Cast) -> Hand:
    """One account buys up to the middle of the grid's prices while books are young, and asks for the most that buyers can pay before they close."""
    rules = cast.scenario.market
    fee_ticks = (rules.park_fee_micro_per_kwh + rules.taker_fee_micro_per_kwh) // POWER_TICK_MICRO_PER_KWH

    def act(opened: OpenRound) -> None:
        net = opened.net_lots
        for place, left in enumerate(opened.rounds_left.tolist()):
            view = opened.view(place)
            low, high = int(view.anchor_low_ticks), int(view.anchor_high_ticks) - fee_ticks
            if left > rules.n_rounds - SQUEEZE_ROUNDS:
                opened.quote(cast.buyer, place, SQUEEZE_LOTS, _on_step(rules.tick_step, (low + high) // 2))
            elif left <= SQUEEZE_ROUNDS:
                opened.quote(cast.buyer, place, 0, _on_step(rules.tick_step, low + (high - low) * left // SQUEEZE_ROUNDS))
            else:
                opened.targets[cast.buyer, place] = net[cast.buyer, place]

    return act


def selling_share(cast: Cast, share_ppm: int) -> Hand:
    """The plant brings another share of its energy to the market, at prices of its own agent."""

    def act(opened: OpenRound) -> None:
        targets = opened.targets[cast.plant]
        sells = targets < 0
        targets[sells] = -(-targets[sells] * share_ppm // PPM)

    return act


def beyond_the_limit(cast: Cast) -> Hand:
    """The plant tries to sell twice what its connection can carry."""
    least = cast.scenario.participants[cast.plant].min_net_power_lots

    def act(opened: OpenRound) -> None:
        opened.targets[cast.plant] = 2 * least

    return act


def grey_as_green(cast: Cast) -> Hand:
    """A wind plant buys what the storage discharges, in every second round, and sells it again under its own name."""

    def act(opened: OpenRound) -> None:
        assert cast.storage is not None
        net = opened.net_lots
        for place, left in enumerate(opened.rounds_left.tolist()):
            to_sell = int(net[cast.storage, place] - opened.targets[cast.storage, place])
            if to_sell <= 0 or left == 1:
                continue
            lots = min(to_sell, max(0, -int(net[cast.wind, place])))
            price = price_inside(opened, place) if left % 2 else None
            opened.targets[cast.storage, place] = net[cast.storage, place]
            if price is not None and lots:
                opened.quote(cast.storage, place, int(net[cast.storage, place]) - lots, price)
                opened.quote(cast.wind, place, int(net[cast.wind, place]) + lots, price)

    return act


def price_inside(opened: OpenRound, place: int) -> int | None:
    """One step below the best offer, or the grid's price where there is none: the dearest price at which two orders of one round meet each other.
    None where a bid stands there.
    """
    view = opened.view(place)
    step = int(view.tick_step)
    high = int(view.anchor_high_ticks) if view.ask_ticks < 0 else min(int(view.ask_ticks) - step, int(view.anchor_high_ticks))
    price = _on_step(step, high)
    return None if price <= max(int(view.bid_ticks), int(view.low_ticks)) else price


def _trade_with_oneself(cast: Cast, opened: OpenRound, place: int, lots: int) -> None:
    """Bring the two accounts to a position of `lots`, long and short, by a trade with each other; silent where the spread leaves no room."""
    price = price_inside(opened, place)
    net = opened.net_lots
    for row, target in ((cast.buyer, lots), (cast.seller, -lots)):
        if price is None:
            opened.targets[row, place] = net[row, place]
        else:
            opened.quote(row, place, target, price)


def _on_step(step: int, price_ticks: int) -> int:
    return price_ticks // step * step
