"""Random streams of commands, drawn along the oracle so that most of them meet something.

A command is a list of entries: one, or the legs of a basket. A stream is made of its seed and its profile alone.
"""

import random
from typing import NamedTuple

from matching.records import ORDER_ID_STEP_MAX, OWNER_MAX, BookPhase, EntryFlag, EntryKind, MassCancel, SelfTrade, Side, TimeInForce, UncrossFlag
from matching.reference import ReferenceBooks, ReferenceEntry, ReferenceOrder

POST_ONLY, REPRICE, ICEBERG, MINIMUM, ALL_OR_NONE, STOP = (flag for flag in EntryFlag if flag)
PLAIN_FLAGS = (0, POST_ONLY, POST_ONLY | REPRICE, ICEBERG, MINIMUM, ALL_OR_NONE, STOP)
FLAG_SETS = (*PLAIN_FLAGS, STOP | ICEBERG, STOP | MINIMUM, STOP | ALL_OR_NONE, ICEBERG | POST_ONLY)
PRICE_STEPS = (1, 1, 1, 1, 1, 63, 64, 4096, 2**18, 2**29)
TICKS_MIN, TICKS_MAX = -(2**31), 2**31 - 1
K_CHOICES = (0, 1, 250_000, 500_000, 500_000, 999_999, 1_000_000, 1_000_001)  # the last is refused
EXTREMES = {
    "kind": (0, 10, 255),
    "order_id": (0, -1, 2**63 - 1, -(2**63)),
    "book": (-1, 2**31 - 1, -(2**31)),
    "owner": (-1, OWNER_MAX + 1, 2**31 - 1, -(2**31)),
    "side": (2, 255),
    "price_ticks": (TICKS_MIN, TICKS_MAX, 0),
    "quantity_lots": (0, 2**32 - 1),
    "time_in_force": (6, 255),
    "self_trade": (5, 255),
    "flags": (64, 2**16 - 1),
    "legs": (1, 101, 2**16 - 1),
    "label": (0, 2**32 - 1),
    "display_lots": (0, 2**32 - 1),
    "min_lots": (0, 2**32 - 1),
    "stop_ticks": (TICKS_MIN, TICKS_MAX),
}


class Profile(NamedTuple):
    """What a stream is made of. Weights are relative."""

    place: int = 60
    cancel: int = 8
    amend: int = 14
    expire: int = 2
    basket: int = 4
    mass_cancel: int = 1
    set_phase: int = 1
    uncross: int = 1
    set_band: int = 1
    flags: tuple[int, ...] = (40, 3, 3, 8, 8, 6, 8, 1, 1, 1, 1)  # by FLAG_SETS
    times: tuple[int, ...] = (10, 1, 1, 4, 3, 1)  # by TimeInForce
    self_trades: tuple[int, ...] = (3, 3, 2, 4, 2)  # by SelfTrade
    owners: int = 4
    prices: int = 8
    lots_max: int = 10
    wide: float = 0.05  # share of prices spread over all of int32
    odd: float = 0.02  # share of entries with a field at an extreme
    orders_max: int = 40  # of a book; above it cancels and sweeps come first
    back: float = 0.35  # how soon a book that is not continuous becomes so again
    waiting_sides: tuple[int, ...] = (0, 1)  # sides that may have a minimum
    by_k: float = 0.5  # share of the auctions whose price is that of the k rule


PROFILES = {
    "mixed": Profile(),
    "plain": Profile(flags=(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), set_phase=0, uncross=0, set_band=0, basket=0, odd=0.0),
    "wide": Profile(wide=0.6, prices=6),
    "icebergs meet their owner": Profile(flags=(10, 1, 1, 40, 4, 2, 2, 2, 0, 0, 2), self_trades=(1, 2, 1, 10, 2), owners=2, prices=3, set_band=0),
    "minimums": Profile(flags=(30, 1, 1, 4, 25, 25, 2, 0, 2, 2, 0), prices=4, owners=3, orders_max=30),
    "stops": Profile(flags=(30, 1, 1, 2, 4, 2, 40, 4, 4, 4, 0), prices=10, owners=6),
    "bands": Profile(flags=(30, 1, 1, 4, 8, 6, 24, 2, 2, 2, 0), set_band=6, prices=12, owners=6),
    "auctions": Profile(set_phase=4, uncross=4, back=0.1, flags=(30, 1, 1, 20, 4, 4, 6, 2, 1, 1, 1), owners=6),
    "baskets": Profile(basket=30, owners=5, orders_max=60),
    "mass cancels": Profile(mass_cancel=10, owners=3),
    "amends": Profile(amend=60, cancel=2, set_phase=2),
    "bad input": Profile(odd=0.5),
}


class StreamDrawer:
    """Draws the next command for what the oracle holds now. Somebody else applies it."""

    def __init__(self, reference: ReferenceBooks, rng: random.Random, profile: Profile) -> None:
        self.reference = reference
        self._rng = rng
        self._profile = profile
        self._books = sorted(reference.open_books)
        self._last_id = -1

    def draw(self) -> list[ReferenceEntry]:
        rng, profile = self._rng, self._profile
        book = rng.choice(self._books)
        kind = self._draw_kind(book)
        command = self._draw_basket() if kind == EntryKind.BASKET else [self._draw_single(kind, book)]
        if rng.random() < profile.odd:
            index = rng.randrange(len(command))
            command[index] = self._spoil(command[index])
        new = [entry.order_id for entry in command if entry.kind in (EntryKind.PLACE, EntryKind.BASKET)]
        if not self.reference.callers_ids:
            self._last_id = max([self._last_id, *(order_id for order_id in new if order_id <= self._last_id + ORDER_ID_STEP_MAX)])
        return command

    def _draw_kind(self, book: int) -> EntryKind:
        rng, profile = self._rng, self._profile
        phase = self.reference.phase(book)
        if phase != BookPhase.CONTINUOUS and rng.random() < profile.back:
            return EntryKind.UNCROSS if phase == BookPhase.AUCTION and self._is_crossed(book) else EntryKind.SET_PHASE
        if len(self.reference.orders(book)) > profile.orders_max and rng.random() < 0.6:
            return EntryKind.CANCEL
        weights = profile[: len(EntryKind)]
        kinds = (
            EntryKind.PLACE,
            EntryKind.CANCEL,
            EntryKind.AMEND,
            EntryKind.EXPIRE,
            EntryKind.BASKET,
            EntryKind.MASS_CANCEL,
            EntryKind.SET_PHASE,
            EntryKind.UNCROSS,
            EntryKind.SET_BAND,
        )
        return rng.choices(kinds, weights)[0]

    def _is_crossed(self, book: int) -> bool:
        ladder = [order for order in self.reference.orders(book) if order.shown_lots]
        bids, asks = ([order.price_ticks for order in ladder if order.side == side] for side in Side)
        return max(bids, default=TICKS_MIN - 1) >= min(asks, default=TICKS_MAX + 1)

    def _draw_single(self, kind: EntryKind, book: int) -> ReferenceEntry:
        rng, profile = self._rng, self._profile
        if kind == EntryKind.PLACE:
            return self._draw_place(book)
        if kind in (EntryKind.CANCEL, EntryKind.EXPIRE, EntryKind.AMEND):
            return self._draw_change(kind, book)
        if kind == EntryKind.MASS_CANCEL:
            flags = rng.choice((0, MassCancel.BY_BOOK, rng.randrange(8), rng.randrange(8)))
            return ReferenceEntry(kind, 0, book, rng.randrange(profile.owners), rng.randrange(2), flags=flags, label=rng.randrange(3))
        if kind == EntryKind.SET_PHASE:
            back = self.reference.phase(book) != BookPhase.CONTINUOUS and rng.random() < 0.8
            ahead = BookPhase.AUCTION if self._is_crossed(book) else BookPhase.CONTINUOUS
            return ReferenceEntry(kind, 0, book, quantity_lots=ahead if back else rng.randrange(3))
        if kind == EntryKind.UNCROSS:
            terms = {"flags": UncrossFlag.K_PRICE, "quantity_lots": rng.choice(K_CHOICES)} if rng.random() < profile.by_k else {}
            return ReferenceEntry(kind, 0, book, price_ticks=self._price(), **terms)
        low = self._price()
        width = rng.choice((-1, profile.prices // 2, profile.prices))
        return ReferenceEntry(kind, 0, book, price_ticks=low, stop_ticks=_in_range(low + width))

    def _draw_place(self, book: int) -> ReferenceEntry:
        rng, profile = self._rng, self._profile
        side = rng.randrange(2)
        flags = rng.choices(FLAG_SETS, profile.flags)[0]
        if flags & (MINIMUM | ALL_OR_NONE) and side not in profile.waiting_sides:
            flags = 0
        time = rng.choices(list(TimeInForce), profile.times)[0]
        if flags & (POST_ONLY | ICEBERG) and time in (TimeInForce.IOC, TimeInForce.FOK):
            time = TimeInForce.GTC
        if flags & (MINIMUM | ALL_OR_NONE) and time == TimeInForce.FOK:
            time = TimeInForce.IOC
        lots = rng.randrange(1, profile.lots_max + 1) * (rng.random() < 0.1) * 4 or rng.randrange(1, profile.lots_max + 1)
        return ReferenceEntry(
            EntryKind.PLACE,
            self._new_id(),
            book,
            rng.randrange(profile.owners),
            side,
            self._price(),
            lots,
            time,
            rng.choices(list(SelfTrade), profile.self_trades)[0],
            flags,
            label=rng.randrange(3),
            display_lots=rng.randrange(1, min(lots, 4) + 1),
            min_lots=rng.randrange(1, lots + 1),
            stop_ticks=self._price(),
        )

    def _draw_change(self, kind: EntryKind, book: int) -> ReferenceEntry:
        rng = self._rng
        orders = self.reference.orders(book)
        if not orders or rng.random() < 0.02:
            return ReferenceEntry(kind, rng.randrange(-1, max(self._last_id, 60) + 3), price_ticks=self._price(), quantity_lots=1)
        order: ReferenceOrder = rng.choice(orders)
        same_price = rng.random() < 0.5
        lots = rng.choice((order.remaining_lots, max(order.remaining_lots - rng.randrange(4), 1), order.remaining_lots + rng.randrange(6)))
        return ReferenceEntry(
            kind,
            order.order_id,
            price_ticks=order.price_ticks if same_price else self._price(),
            quantity_lots=min(lots, 2**32 - 1),
            self_trade=rng.choices(list(SelfTrade), self._profile.self_trades)[0],
            flags=rng.choice((0, 0, 0, 0, POST_ONLY, POST_ONLY | REPRICE)),
        )

    def _draw_basket(self) -> list[ReferenceEntry]:
        rng = self._rng
        books = rng.sample(self._books, rng.randrange(1, len(self._books) + 1))
        owner = rng.randrange(self._profile.owners)
        legs = [
            self._draw_place(book)._replace(
                kind=EntryKind.BASKET,
                order_id=self._new_id() if self.reference.callers_ids else self._last_id + 1 + index,
                owner=owner,
                time_in_force=TimeInForce.FOK,
                flags=0,
                legs=0 if index else len(books),
                quantity_lots=rng.randrange(1, 4),
            )
            for index, book in enumerate(books)
        ]
        generous = 2 if rng.random() < 0.7 else 0
        return [leg._replace(price_ticks=_in_range(leg.price_ticks + (generous if leg.side == Side.BUY else -generous))) for leg in legs]

    def _new_id(self) -> int:
        """Ascending with gaps; a caller's own come from few or from all 64 bits, some of orders that ended or live."""
        rng = self._rng
        if not self.reference.callers_ids:
            return self._last_id + rng.choice((1, 1, 1, 1, 1, 1, 1, 4097))
        return rng.choice((rng.randrange(-60, 60), rng.randrange(-60, 60) << 32, rng.randrange(-(2**63), 2**63)))

    def _price(self) -> int:
        rng, profile = self._rng, self._profile
        price = rng.randrange(profile.prices)
        if rng.random() < profile.wide:
            price = (price - 3) * rng.choice(PRICE_STEPS) + rng.choice((0, 0, TICKS_MAX, TICKS_MIN))
        return _in_range(price)

    def _spoil(self, entry: ReferenceEntry) -> ReferenceEntry:
        name = self._rng.choice(list(EXTREMES))
        value = self._rng.choice(EXTREMES[name])
        if name == "quantity_lots" and value and (entry.flags & ICEBERG or entry.kind == EntryKind.AMEND):
            value = 0  # billions of peaks would trade one by one
        return entry._replace(**{name: value})


def _in_range(price_ticks: int) -> int:
    return max(TICKS_MIN, min(TICKS_MAX, price_ticks))


def draw_stream(seed: int, n: int, profile: Profile = PROFILES["mixed"], n_books: int = 3) -> list[list[ReferenceEntry]]:
    """`n` commands, drawn along an oracle that applies them."""
    reference = ReferenceBooks(n_books)
    drawer = StreamDrawer(reference, random.Random(seed), profile)
    commands = []
    for _ in range(n):
        command = drawer.draw()
        reference.apply_batch(command)
        commands.append(command)
    return commands
