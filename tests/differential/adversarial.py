"""Streams that aim at one weakness each: lists of entries, without a random choice that a reader could not follow."""

import random
from collections.abc import Iterator

from matching.records import BookPhase, EntryFlag, EntryKind, SelfTrade, Side, TimeInForce
from matching.reference import ReferenceEntry

TICKS_MIN, TICKS_MAX = -(2**31), 2**31 - 1


class _Writer:
    """Numbers the orders of a stream."""

    def __init__(self) -> None:
        self.entries: list[ReferenceEntry] = []
        self.last_id = -1

    def place(self, owner: int, side: int, price: int, lots: int, **terms: int) -> int:
        self.last_id += 1
        self.entries.append(ReferenceEntry(EntryKind.PLACE, self.last_id, 0, owner, side, price, lots, **terms))
        return self.last_id

    def change(self, kind: EntryKind, order_id: int, price: int = 0, lots: int = 0, **terms: int) -> None:
        self.entries.append(ReferenceEntry(kind, order_id, price_ticks=price, quantity_lots=lots, **terms))


def all_at_one_price(n: int) -> list[ReferenceEntry]:
    """Both sides at one price: what does not trade queues."""
    writer = _Writer()
    for index in range(n):
        writer.place(index % 7, index // 5 % 2, 100, 1 + index % 9, self_trade=index % 5)
    return writer.entries


def one_tick_apart(n: int) -> list[ReferenceEntry]:
    """A full ladder on every tick, then bids and asks that move it by one tick."""
    writer = _Writer()
    for index in range(n // 2):
        writer.place(0, Side.BUY, 1000 - index % 200, 3)
        writer.place(1, Side.SELL, 1001 + index % 200, 3)
    for index in range(n // 4):
        writer.place(2, Side.BUY, 1001 + index % 50, 4)
        writer.place(3, Side.SELL, 1000 + index % 50, 4)
    return writer.entries


def alternating_sides(n: int) -> list[ReferenceEntry]:
    """Each order takes the one before it, with a lot more."""
    writer = _Writer()
    for index in range(n):
        writer.place(index % 3, index % 2, 100, 1 + index % 13)
    return writer.entries


def sweeps_of_single_lots(n: int) -> list[ReferenceEntry]:
    """Many orders of one lot over many prices, then one order that takes them all."""
    writer = _Writer()
    for index in range(n):
        writer.place(index % 5, Side.SELL, index % 97, 1)
    writer.place(9, Side.BUY, 200, n - 3)
    writer.place(9, Side.BUY, 200, 10)
    for index in range(n):
        writer.place(index % 5, Side.BUY, -(index % 97), 1)
    writer.place(9, Side.SELL, TICKS_MIN, n, time_in_force=TimeInForce.IOC)
    return writer.entries


def far_prices(n: int) -> list[ReferenceEntry]:
    """The ends of int32, in turn with the middle, so that the ladder grows and shrinks by its whole height."""
    writer = _Writer()
    prices = (TICKS_MIN, TICKS_MAX, 0, TICKS_MIN + 63, TICKS_MAX - 64, -1, 2**18, -(2**18), 2**24 + 5, TICKS_MIN + 2**30)
    for index in range(n):
        price = prices[index * 7 % len(prices)]
        order_id = writer.place(index % 4, Side.BUY if price < 0 else Side.SELL, price, 2)
        if index % 3 == 0:
            writer.change(EntryKind.CANCEL, order_id)
        if index % 11 == 0:
            writer.place(5, index % 2, TICKS_MAX if index % 2 == Side.BUY else TICKS_MIN, 3)
    return writer.entries


def amends_into_a_cross(n: int) -> list[ReferenceEntry]:
    """Resting orders are moved through the other side and back."""
    writer = _Writer()
    for index in range(n):
        bid = writer.place(index % 3, Side.BUY, 90 - index % 5, 4)
        writer.place(3 + index % 3, Side.SELL, 100 + index % 5, 3)
        writer.change(EntryKind.AMEND, bid, 100 + index % 7, 6, self_trade=index % 5)
        writer.change(EntryKind.AMEND, bid, 80, 5)
    return writer.entries


def deep_queue_with_scattered_cancels(n: int) -> list[ReferenceEntry]:
    """One long queue, thinned out everywhere, then traded from its head."""
    writer = _Writer()
    ids = [writer.place(index % 11, Side.SELL, 100, 2) for index in range(n)]
    random.Random(n).shuffle(ids)
    for order_id in ids[: n // 2]:
        writer.change(EntryKind.CANCEL, order_id)
    for order_id in ids[n // 2 : n // 2 + n // 8]:
        writer.change(EntryKind.AMEND, order_id, 100, 1)
    for index in range(n // 8):
        writer.place(20, Side.BUY, 100, 1 + index % 7)
    return writer.entries


def icebergs_in_turn(n: int) -> list[ReferenceEntry]:
    """Icebergs with a peak of one lot at one price, swept again and again, also by an owner among them."""
    writer = _Writer()
    for index in range(n // 8):
        writer.place(index % 4, Side.SELL, 100, 9, flags=EntryFlag.ICEBERG, display_lots=1 + index % 3)
    for index in range(n // 8):
        writer.place(index % 5, Side.BUY, 100, 17, self_trade=index % 5, time_in_force=TimeInForce.IOC)
    return writer.entries


def stop_cascade(n: int) -> list[ReferenceEntry]:
    """A stop on every tick, each of whose trades triggers the next; then the same downwards."""
    writer = _Writer()
    for index in range(n):
        writer.place(index % 7, Side.SELL, 100 + index, 2)
        writer.place(7, Side.BUY, 101 + index, 2, flags=EntryFlag.STOP, stop_ticks=100 + index, time_in_force=TimeInForce.IOC)
    writer.place(8, Side.BUY, 100, 1)
    for index in range(n):
        writer.place(9, Side.BUY, 50 - index, 2)
        writer.place(10, Side.SELL, 49 - index, 2, flags=EntryFlag.STOP, stop_ticks=50 - index)
    writer.place(8, Side.SELL, 50, 1)
    return writer.entries


def pile_of_minimums(n: int) -> list[ReferenceEntry]:
    """Orders that wait on both sides, completed lot by lot."""
    writer = _Writer()
    for index in range(n // 10):
        writer.place(index % 3, Side.BUY, 100 - index % 4, 5 + index % 11, flags=EntryFlag.ALL_OR_NONE)
        writer.place(3 + index % 3, Side.SELL, 100 + index % 4, 5 + index % 7, flags=EntryFlag.MINIMUM, min_lots=4 + index % 2)
    for index in range(n // 2):
        writer.place(index % 8, index % 2, 98 + index * 3 % 7, 1 + index % 3, self_trade=index % 5)
    return writer.entries


def phases_in_turn(n: int) -> list[ReferenceEntry]:
    """Auction, its price, continuous trading in a narrow band until it interrupts, halt, and again."""
    writer = _Writer()
    for index in range(n // 40):
        writer.entries.append(ReferenceEntry(EntryKind.SET_BAND, price_ticks=98, stop_ticks=102))
        writer.entries.append(ReferenceEntry(EntryKind.SET_PHASE, quantity_lots=BookPhase.AUCTION))
        for place in range(16):
            flags = EntryFlag.ICEBERG if place % 3 == 0 else EntryFlag.NONE
            writer.place(place % 5, place % 2, 96 + place * index % 9, 1 + place, flags=flags, display_lots=1)
        writer.entries.append(ReferenceEntry(EntryKind.UNCROSS, price_ticks=100))
        writer.entries.append(ReferenceEntry(EntryKind.SET_PHASE, quantity_lots=BookPhase.CONTINUOUS))
        for place in range(16):
            writer.place(place % 5, place % 2, 95 + place * 7 % 11, 2, self_trade=SelfTrade.CANCEL_OLDEST)
        writer.entries.append(ReferenceEntry(EntryKind.SET_PHASE, quantity_lots=BookPhase.HALTED))
        writer.change(EntryKind.CANCEL, writer.last_id)
    return writer.entries


STREAMS = (
    all_at_one_price,
    one_tick_apart,
    alternating_sides,
    sweeps_of_single_lots,
    far_prices,
    amends_into_a_cross,
    deep_queue_with_scattered_cancels,
    icebergs_in_turn,
    stop_cascade,
    pile_of_minimums,
    phases_in_turn,
)


def reused_ids(n: int) -> Iterator[ReferenceEntry]:
    """For a core with the caller's own ids: few ids, far apart, each used again as soon as its order has ended, and before."""
    ids = [(index * 0x9E3779B97F4A7C15 % 2**64) - 2**63 for index in range(9)]
    for index in range(n):
        order_id = ids[index * 5 % 9]
        yield ReferenceEntry(EntryKind.PLACE, order_id, 0, index % 3, index // 2 % 2, 100 + index % 3, 1 + index % 4)
        if index % 3 == 0:
            yield ReferenceEntry(EntryKind.CANCEL, ids[index % 9])
