"""What an account holds for a trade that is not in an order book: units or cash, as an open order of the same terms would."""

from typing import NamedTuple


class Hold(NamedTuple):
    """`side` is the holder's (matching.records.Side), `instrument` the id."""

    instrument: int
    account: int
    side: int
    price_ticks: int
    quantity_lots: int
