"""Public data of one exchange, shared by all bots of a process over one connection without a key: quotes, trades, phases."""

from collections.abc import Iterator, Mapping

from clients.bots.market import Contract, Quote, Side, Trade, contracts_by_symbol
from clients.sdk import ParkClient
from exchange.protocol import messages
from exchange.protocol.decimals import parse_decimal


class PublicFeed:
    """What everybody may see. Wire strings are parsed when somebody asks."""

    def __init__(self, park: ParkClient, contracts: dict[str, Contract], phases: dict[str, str]) -> None:
        self.contracts = contracts
        self._park = park
        self._phases = phases
        self._trades: list[messages.PublicTrade] = []
        self.quotes: Mapping[str, Quote] = _LiveQuotes(park, contracts)
        park.on("trade", lambda params: self._trades.extend(params.trades))

    @classmethod
    async def subscribe(cls, park: ParkClient) -> "PublicFeed":
        """Learn the instruments and follow their public data."""
        instruments = await park.instruments()
        feed = cls(park, contracts_by_symbol(instruments), {i.symbol: i.phase for i in instruments})
        await park.subscribe_ticker()
        await park.subscribe_trades()
        await park.subscribe_phases()
        return feed

    @property
    def trade_count(self) -> int:
        return len(self._trades)

    def trades_since(self, count: int) -> dict[str, list[Trade]]:
        """Trades after the first `count`, by symbol, oldest first."""
        found: dict[str, list[Trade]] = {}
        for trade in self._trades[count:]:
            contract = self.contracts[trade.instrument]
            taker: Side | None = None if trade.mode == "auction" else "buy" if trade.side == "buy" else "sell"
            found.setdefault(trade.instrument, []).append(
                Trade(parse_decimal(trade.price, contract.price_decimals), parse_decimal(trade.quantity, contract.quantity_decimals), taker)
            )
        return found

    def open_units(self) -> frozenset[str]:
        """Certificates and credits in session now."""
        phases = {**self._phases, **self._park.phases}
        return frozenset(c.symbol for c in self.contracts.values() if not (c.is_power or c.is_block) and phases.get(c.symbol) == "continuous")


class _LiveQuotes(Mapping[str, Quote]):
    """Best prices as they are when asked for."""

    def __init__(self, park: ParkClient, contracts: Mapping[str, Contract]) -> None:
        self._park = park
        self._contracts = contracts

    def __getitem__(self, symbol: str) -> Quote:
        wire = self._park.ticker[symbol]
        contract = self._contracts[symbol]

        def ticks(text: str | None) -> int | None:
            return None if text is None else parse_decimal(text, contract.price_decimals)

        def lots(text: str | None) -> int:
            return 0 if text is None else parse_decimal(text, contract.quantity_decimals)

        return Quote(ticks(wire.bid), lots(wire.bid_quantity), ticks(wire.ask), lots(wire.ask_quantity), ticks(wire.last))

    def __iter__(self) -> Iterator[str]:
        return iter(self._park.ticker)

    def __len__(self) -> int:
        return len(self._park.ticker)
