"""Plays strategies against an exchange in this process, turn by turn, without a wire: the market of a test in a second or two."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec
import numpy as np

from clients.bots.actions import Action, Place, Schedule, Withdraw
from clients.bots.catalogue import build_strategies
from clients.bots.market import Contract, MarketView, OwnOrder, Quote, Trade, contracts_by_symbol
from clients.bots.strategy import Strategy
from clients.scenarios.model import Member, Park
from clients.simulator.listing import account_documents, admit_document, contract_documents, instrument_documents
from clients.simulator.member_files import member_file
from exchange.gateway.queries import instruments_result
from exchange.journal.interface import Genesis
from exchange.journal.record import COMMAND, CommandFlag, CommandKind
from exchange.market.phases import Phase
from exchange.order_path.path import Exchange
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import Document, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.units import NS_PER_MINUTE
from matching.records import Side, TimeInForce

TURN_NS = 5 * NS_PER_MINUTE
_OPERATOR = 32


@dataclass(slots=True)
class Player:
    """One account and its strategies."""

    member: Member
    account: int
    strategies: list[Strategy]
    sellable: dict[str, int]
    net_lots: dict[str, int]
    orders: dict[int, tuple[str, OwnOrder]] = field(default_factory=dict)
    trades_seen: int = 0

    def fill(self, symbol: str, side: str, lots: int) -> None:
        self.net_lots[symbol] = self.net_lots.get(symbol, 0) + (lots if side == "buy" else -lots)
        if side == "sell" and symbol in self.sellable:
            self.sellable[symbol] -= lots


@dataclass
class Loopback:
    """A park's exchange with its players. `play` runs one turn."""

    park: Park
    orders: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    placed: list[tuple[str, Place, MarketView]] = field(default_factory=list)
    schedules: dict[str, dict[int, int]] = field(default_factory=dict)
    keep_orders: bool = False

    def __post_init__(self) -> None:
        self.now_ns = self.park.opens_ns - NS_PER_MINUTE
        self.exchange = Exchange(Genesis(park_id="test", hash_key=b"k" * 16, engine_version="0", operator_keys=(b"o" * 32,)))
        self.trades: list[tuple[str, Trade]] = []
        self.trade_parties: list[tuple[int, int]] = []
        self._client_order = 0
        self._submit(CommandKind.NODE_STARTED, quantity_lots=1)
        accounts = {}
        for index, member in enumerate(self.park.members):
            accounts[member.id] = self.send(admit_document(member, bytes([index + 1]) * 32))["account"]
        for document in instrument_documents(self.park):
            self.send(document)
        for document in (*account_documents(self.park, accounts), *contract_documents(self.park, accounts)):
            self.send(document)
        self.contracts: dict[str, Contract] = contracts_by_symbol(instruments_result(self.exchange.instruments(), None).instruments)
        self.players = []
        for m in self.park.members:
            file = member_file(self.park, m, b"")
            net_lots = {**file.contract_lots, **m.holdings_lots}
            self.players.append(Player(m, accounts[m.id], build_strategies(file), dict(m.holdings_lots), net_lots))
        self._by_account = {player.account: player for player in self.players}

    def send(self, document: Document) -> dict:
        """A business document of the operator; fails the test when it is refused."""
        data = encode_document(document)
        result = self._apply(self._record(CommandKind.DOCUMENT, account=_OPERATOR, document_length=len(data)), data)
        assert result.outcomes[0]["code"] == 0, (RejectCode(int(result.outcomes[0]["code"])), result.results, msgspec.to_builtins(document))
        return result.results[0]

    def play(self, now_ns: int) -> None:
        """One turn of everybody, in an order that rotates with time."""
        self.now_ns = now_ns
        self._submit(CommandKind.TICK)
        quotes = {symbol: self._quote(symbol) for symbol in self.contracts}
        units = frozenset(i.symbol for i in self.exchange.instruments() if not i.is_power and i.phase is Phase.CONTINUOUS)
        shift = (now_ns // TURN_NS) % len(self.players)
        for player in self.players[shift:] + self.players[:shift]:
            trades: dict[str, list[Trade]] = {}
            for symbol, trade in self.trades[player.trades_seen :]:
                trades.setdefault(symbol, []).append(trade)
            player.trades_seen = len(self.trades)
            view = MarketView(now_ns, self.contracts, quotes=quotes, trades=trades, open_units=units)
            for strategy in player.strategies:
                self._refresh(player, view)
                for action in strategy.withdrawals(view):
                    self._carry_out(player, action, view)
                self._refresh(player, view)
                for action in strategy.on_turn(view):
                    self._carry_out(player, action, view)

    def _refresh(self, player: Player, view: MarketView) -> None:
        view.net_lots = player.net_lots
        view.sellable_lots = player.sellable
        view.orders = {}
        for order_id, (symbol, order) in player.orders.items():
            view.orders.setdefault(symbol, []).append(order._replace(order_id=order_id))

    def _fold(self, execution: np.void) -> None:
        """Own orders and positions from executions, as a client keeps them."""
        symbol = self.exchange.instrument_by_id(int(execution["instrument"])).symbol
        side = "buy" if execution["side"] == Side.BUY else "sell"
        player, order_id, left = self._by_account[int(execution["account"])], int(execution["order_id"]), int(execution["remaining_lots"])
        kind = int(execution["kind"])
        if kind == ExecutionKind.RESTED:
            player.orders[order_id] = (symbol, OwnOrder(order_id, side, int(execution["price_ticks"]), left, self._label))
        elif kind == ExecutionKind.CANCELLED:
            player.orders.pop(order_id, None)
        elif kind == ExecutionKind.TRADE:
            maker, lots = self._by_account[int(execution["counter_account"])], int(execution["quantity_lots"])
            self.trades.append((symbol, Trade(int(execution["price_ticks"]), lots, side)))
            self.trade_parties.append((player.account, maker.account))
            player.fill(symbol, side, lots)
            maker.fill(symbol, "sell" if side == "buy" else "buy", lots)
            counter_id, counter_left = int(execution["counter_order_id"]), int(execution["counter_remaining_lots"])
            if counter_left:
                maker.orders[counter_id] = (symbol, maker.orders[counter_id][1]._replace(remaining_lots=counter_left))
            else:
                maker.orders.pop(counter_id)

    def _carry_out(self, player: Player, action: Action, view: MarketView) -> None:
        if isinstance(action, Schedule):
            self.schedules.setdefault(player.member.id, {})[action.delivery_start_ns] = action.injection_wh
            return
        instrument = self.exchange.instrument(action.symbol)
        assert instrument is not None
        if isinstance(action, Withdraw):
            self._submit(
                CommandKind.MASS_CANCEL, account=player.account, instrument=instrument.id, label=action.label, flags=int(CommandFlag.ALL_SIDES)
            )
            return
        if self.keep_orders:
            self.placed.append((player.member.id, action, view))
        code = self._submit(
            CommandKind.PLACE,
            account=player.account,
            instrument=instrument.id,
            side=int(Side.BUY if action.side == "buy" else Side.SELL),
            price_ticks=action.price_ticks,
            quantity_lots=action.quantity_lots,
            label=action.label,
            time_in_force=int(TimeInForce[action.time_in_force.upper()]),
        )
        self.orders += code == 0
        if code:
            self.rejects[f"{player.member.id}:{RejectCode(code).name}"] += 1

    def _submit(self, kind: CommandKind, **fields: int) -> int:
        self._client_order += 1
        record = self._record(kind, **fields)
        record["client_order_id"] = str(self._client_order).encode()
        self._label = fields.get("label", 0)
        result = self._apply(record)
        for execution in result.executions:
            self._fold(execution)
        return int(result.outcomes[0]["code"])

    def _record(self, kind: CommandKind, **fields: int) -> np.ndarray:
        record = np.zeros(1, COMMAND)
        record["kind"], record["version"], record["stamp_ns"] = kind, 1, self.now_ns
        for name, value in fields.items():
            record[name] = value
        return record

    def _apply(self, record: np.ndarray, documents: bytes = b""):
        return self.exchange.apply(record, documents, self.exchange.last_sequence + 1)

    def _quote(self, symbol: str) -> Quote:
        if self.exchange.instrument(symbol).slot < 0:
            return Quote()
        bids, asks = (self.exchange.depth(symbol, int(side), 1) for side in (Side.BUY, Side.SELL))
        bid = (int(bids[0]["price_ticks"]), int(bids[0]["quantity_lots"])) if len(bids) else (None, 0)
        ask = (int(asks[0]["price_ticks"]), int(asks[0]["quantity_lots"])) if len(asks) else (None, 0)
        return Quote(*bid, *ask, self.exchange.last_price(symbol))
