"""The public channel of call auctions: what each would come to now while orders gather, and what it came to.

Indications are conflated, results are never left out.
"""

from typing import Any

from msgspec import UnsetType

from exchange.gateway.conflated import ConflatedChannel
from exchange.gateway.outbox import Outbox
from exchange.gateway.ports import ExchangeView
from exchange.market.instruments import Instrument
from exchange.protocol.decimals import format_decimal
from exchange.protocol.documents import InstrumentSpec
from exchange.protocol.encoding import SharedNotification
from exchange.protocol.messages import AuctionHeld, Indication, Indications


def indication_of(exchange: ExchangeView, instrument: Instrument) -> Indication | None:
    """What the auction of an instrument would come to now; None outside call phases."""
    found = exchange.indication(instrument.symbol)
    if found is None:
        return None
    price, volume = _in_words(instrument.spec, found.price_ticks, found.volume_lots)
    return Indication(instrument=instrument.symbol, phase=instrument.phase.name.lower(), end_ns=found.end_ns, volume=volume, price=price)


def auction_held(instrument: Instrument, data: dict[str, Any], at_ns: int) -> AuctionHeld:
    """The result of an auction from the fold's notice of it."""
    price, volume = _in_words(instrument.spec, data["price_ticks"], data["volume_lots"])
    return AuctionHeld(instrument=instrument.symbol, phase=data["phase"], at_ns=at_ns, volume=volume, price=price)


def _in_words(spec: InstrumentSpec, price_ticks: int | None, volume_lots: int) -> tuple[str | None, str]:
    price = None if price_ticks is None else format_decimal(price_ticks, spec.price_decimals)
    return price, format_decimal(volume_lots, spec.quantity_decimals)


class AuctionChannel(ConflatedChannel[Indication]):
    """Indications of all instruments in a call phase. Nothing is computed before a flush, and nothing without subscribers."""

    @property
    def pending(self) -> bool:
        return bool(self._subscribers) and super().pending

    def touch(self, symbol: str) -> None:
        """The book or the phase of an instrument may have changed."""
        if self._subscribers:
            super().touch(symbol)

    def subscribe(self, outbox: Outbox) -> None:
        if not self._subscribers:
            self.touch_all()
        super().subscribe(outbox)

    def unsubscribe(self, outbox: Outbox) -> None:
        super().unsubscribe(outbox)
        if not self._subscribers:
            self._values.clear()
            self._dirty.clear()

    def _read(self, symbol: str) -> Indication | None:
        instrument = self._exchange.instrument(symbol)
        return None if instrument is None else indication_of(self._exchange, instrument)

    def _frame(self, values: list[Indication], seq: int, prev_seq: int | UnsetType, epoch: int | UnsetType) -> SharedNotification:
        return SharedNotification("indication", Indications(indications=values, seq=seq, prev_seq=prev_seq, epoch=epoch))

    def publish_result(self, held: AuctionHeld) -> None:
        """An auction was held: few, so they are never left out."""
        frame = SharedNotification("auction", held)
        for outbox in self._subscribers:
            outbox.put_private(frame.encoded(outbox.encoding))
