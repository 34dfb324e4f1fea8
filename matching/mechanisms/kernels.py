"""Compiled loops over ranked sides: bids from the highest price, asks from the lowest, as contiguous int64 columns."""

import numpy as np

from matching.compile import kernel


@kernel
def gather_levels(bid_prices, bid_lots, ask_prices, ask_lots, levels):
    """Write the distinct prices of both sides to `levels` (PRICE_LEVEL, ascending) and return how many there are."""
    bid = bid_prices.shape[0] - 1
    ask = np.int64(0)
    n_levels = np.int64(0)
    while bid >= 0 or ask < ask_prices.shape[0]:
        if ask == ask_prices.shape[0] or (bid >= 0 and bid_prices[bid] <= ask_prices[ask]):
            price = bid_prices[bid]
        else:
            price = ask_prices[ask]
        level = levels[n_levels]
        level.price_ticks = price
        level.bid_lots = 0
        level.ask_lots = 0
        while bid >= 0 and bid_prices[bid] == price:
            level.bid_lots += bid_lots[bid]
            bid -= 1
        while ask < ask_prices.shape[0] and ask_prices[ask] == price:
            level.ask_lots += ask_lots[ask]
            ask += 1
        n_levels += 1
    return n_levels


@kernel
def welfare_without(bid_prices, bid_lots, bid_owners, ask_prices, ask_lots, ask_owners, owner):
    """Largest gains from trade of all orders but those of `owner`, in tick x lot; an owner that does not exist leaves all in."""
    welfare = np.int64(0)
    bid = np.int64(0)
    ask = np.int64(0)
    bid_left = np.int64(0)
    ask_left = np.int64(0)
    while True:
        while bid_left == 0 and bid < bid_prices.shape[0]:
            bid_left = np.int64(0) if bid_owners[bid] == owner else bid_lots[bid]
            bid += 1
        while ask_left == 0 and ask < ask_prices.shape[0]:
            ask_left = np.int64(0) if ask_owners[ask] == owner else ask_lots[ask]
            ask += 1
        if bid_left == 0 or ask_left == 0:
            return welfare
        gain = bid_prices[bid - 1] - ask_prices[ask - 1]
        if gain <= 0:
            return welfare
        lots = min(bid_left, ask_left)
        welfare += gain * lots
        bid_left -= lots
        ask_left -= lots
