"""What a bot knows of its own account, kept from its own executions: positions, sellable units, resting orders."""

from collections.abc import Iterator, Mapping

from clients.bots.market import Contract, OwnOrder, Side
from clients.sdk import Order, ParkClient
from exchange.protocol import messages
from exchange.protocol.decimals import parse_decimal, parse_signed_decimal


class OwnAccount:
    """Positions in lots, contracts included. Units bought today are not counted as sellable."""

    def __init__(self, park: ParkClient, contracts: Mapping[str, Contract], contract_lots: Mapping[str, int]) -> None:
        self._park = park
        self._contracts = contracts
        self.net_lots: dict[str, int] = dict(contract_lots)
        self.sellable_lots: dict[str, int] = {}
        park.on("execution", self._apply)

    @classmethod
    async def load(cls, park: ParkClient, contracts: Mapping[str, Contract], contract_lots: Mapping[str, int]) -> "OwnAccount":
        """Ask for the positions once; from then on executions tell what changes."""
        account = cls(park, contracts, contract_lots)
        for position in await park.positions():
            contract = contracts[position.instrument]
            net = parse_signed_decimal(position.net, contract.quantity_decimals) or 0
            account.net_lots[position.instrument] = account.net_lots.get(position.instrument, 0) + net
            if not (contract.is_power or contract.is_block):
                account.sellable_lots[position.instrument] = net - parse_decimal(position.locked, contract.quantity_decimals)
        return account

    def resting(self) -> Mapping[str, list[OwnOrder]]:
        """Own open orders by symbol, parsed when somebody asks."""
        by_symbol: dict[str, list[Order]] = {}
        for order in self._park.open_orders.values():
            by_symbol.setdefault(order.instrument, []).append(order)
        return _RestingOrders(by_symbol, self._contracts)

    def _apply(self, event: messages.Execution) -> None:
        if event.kind != "trade":
            return
        contract = self._contracts[event.instrument]
        lots = parse_decimal(event.quantity, contract.quantity_decimals)
        sold = event.side == "sell"
        for symbol in self._positions_of(contract):
            self.net_lots[symbol] = self.net_lots.get(symbol, 0) + (-lots if sold else lots)
        if sold and event.instrument in self.sellable_lots:
            self.sellable_lots[event.instrument] -= lots


    def _positions_of(self, contract: Contract) -> list[str]:
        """Symbols in which a trade of the contract is a position: its own, or those of the quarter-hours that a block covers."""
        return [other.symbol for other in self._contracts.values() if contract.covers(other)] if contract.is_block else [contract.symbol]


class _RestingOrders(Mapping[str, list[OwnOrder]]):
    def __init__(self, by_symbol: dict[str, list[Order]], contracts: Mapping[str, Contract]) -> None:
        self._by_symbol = by_symbol
        self._contracts = contracts

    def __getitem__(self, symbol: str) -> list[OwnOrder]:
        contract = self._contracts[symbol]
        return [_own_order(order, contract) for order in self._by_symbol[symbol]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_symbol)

    def __len__(self) -> int:
        return len(self._by_symbol)


def _own_order(order: Order, contract: Contract) -> OwnOrder:
    side: Side = "buy" if order.side == "buy" else "sell"
    price = parse_decimal(order.price or "0", contract.price_decimals)
    return OwnOrder(order.order_id, side, price, parse_decimal(order.remaining, contract.quantity_decimals), order.label)
