"""A small exchange to test with: a few participants, a few instruments, commands by keyword."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from exchange.journal.interface import Genesis
from exchange.journal.record import COMMAND, CommandFlag, CommandKind, OrderType
from exchange.order_path.path import BatchResult, Exchange
from exchange.order_path.settings import ExchangeSettings, encode_settings
from exchange.protocol.documents import (
    Admit,
    Deposit,
    Document,
    InstrumentSpec,
    IssueUnits,
    ListInstruments,
    RegisterStorage,
    encode_document,
)
from exchange.units import MICRO_PER_CNY, NS_PER_HOUR, NS_PER_MINUTE, PERIOD_NS
from matching.records import TimeInForce

DAY_NS = 1_784_044_800_000_000_000  # 2026-07-15 00:00 in Shanghai
OPEN_NS = DAY_NS - 8 * NS_PER_HOUR
OPERATOR = 32
GENESIS = Genesis(
    park_id="test", hash_key=bytes(range(16)), engine_version="test", operator_keys=(bytes(32),), document=encode_settings(ExchangeSettings())
)


def power_spec(index: int = 40, **changes: Any) -> InstrumentSpec:
    """The contract of quarter-hour `index` of the day."""
    start_ns = DAY_NS + index * PERIOD_NS
    hour, minute = divmod(15 * index, 60)
    fields: dict[str, Any] = {
        "symbol": f"GP-20260715-{hour:02d}{minute:02d}", "instrument_class": "power", "venue": "park", "calendar": "continuous", "price_decimals": 4,
        "quantity_decimals": 1, "multiplier_micro": 10, "unit": "kWh", "min_price_ticks": 0, "max_price_ticks": 30_000, "band_low_ticks": 1_000,
        "band_high_ticks": 20_000, "max_order_lots": 1_000_000, "maker_fee_lot_micro": 20, "taker_fee_lot_micro": 50, "park_fee_lot_micro": 4_000,
        "deficit_price_ticks": 6_500, "surplus_price_ticks": 2_800, "delivery_start_ns": start_ns, "delivery_end_ns": start_ns + PERIOD_NS,
        "open_ns": OPEN_NS, "close_ns": start_ns - 5 * NS_PER_MINUTE,
    }  # fmt: skip
    return InstrumentSpec(**(fields | changes))


def block_spec(name: str = "PEAK", index: int = 40, periods: int = 4, **changes: Any) -> InstrumentSpec:
    """A block over `periods` quarter-hours of the day from `index` on, each with the terms of `power_spec`."""
    start_ns = DAY_NS + index * PERIOD_NS
    fields: dict[str, Any] = {
        "symbol": f"GP-20260715-{name}", "multiplier_micro": 10 * periods, "maker_fee_lot_micro": 20 * periods, "taker_fee_lot_micro": 50 * periods,
        "park_fee_lot_micro": 4_000 * periods, "deficit_price_ticks": 0, "surplus_price_ticks": 0, "delivery_start_ns": start_ns,
        "delivery_end_ns": start_ns + periods * PERIOD_NS, "max_order_lots": 100_000,
    }  # fmt: skip
    return power_spec(index, **(fields | changes))


def units_spec(symbol: str = "CEA25", **changes: Any) -> InstrumentSpec:
    """A certificate, allowance or credit that trades around the clock unless told otherwise."""
    fields: dict[str, Any] = {
        "symbol": symbol, "instrument_class": "cea", "venue": "national_simulated", "calendar": "continuous", "price_decimals": 2,
        "quantity_decimals": 0, "multiplier_micro": 10_000, "unit": "t", "min_price_ticks": 1, "max_price_ticks": 100_000, "band_low_ticks": 5_580,
        "band_high_ticks": 6_820, "max_order_lots": 100_000, "resale": "next_day", "taker_fee_tick_lot_micro": 5,
    }  # fmt: skip
    return InstrumentSpec(**(fields | changes))


class Park:
    """Drives one Exchange the way the node does: stamps, sequences, documents."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        self.exchange = exchange or Exchange(GENESIS)
        self.now_ns = OPEN_NS - NS_PER_HOUR
        self.log: list[tuple[np.ndarray, bytes]] = []
        self._client_orders = 0

    def record(self, kind: CommandKind, account: int, **fields: Any) -> np.ndarray:
        record = np.zeros(1, COMMAND)
        record["kind"], record["version"], record["account"], record["stamp_ns"] = kind, 1, account, self.now_ns
        if kind >= CommandKind.PLACE and kind < CommandKind.DOCUMENT and "client_order_id" not in fields:
            self._client_orders += 1
            fields["client_order_id"] = f"c{self._client_orders}"
        for name, value in fields.items():
            record[name] = value
        return record

    def send(self, records: np.ndarray, documents: bytes = b"") -> BatchResult:
        self.log.append((records.copy(), documents))
        return self.exchange.apply(records, documents, self.exchange.last_sequence + 1)

    def one(self, kind: CommandKind, account: int, **fields: Any) -> np.void:
        """Outcome of a single command."""
        return self.send(self.record(kind, account, **fields)).outcomes[0]

    def document(self, document: Document, account: int = OPERATOR) -> tuple[int, dict[str, Any]]:
        data = encode_document(document)
        result = self.send(self.record(CommandKind.DOCUMENT, account, document_length=len(data)), data)
        return int(result.outcomes[0]["code"]), result.results[0]

    def admit(self, name: str, role: str, permissions: list[str], low: int = 0, high: int = 0, cash_cny: int = 10_000) -> int:
        code, answer = self.document(
            Admit(name=name, role=role, permissions=permissions, min_net_power_lots=low, max_net_power_lots=high)
        )
        assert code == 0, answer
        account = int(answer["account"])
        if cash_cny:
            assert self.document(Deposit(account=account, amount_micro=cash_cny * MICRO_PER_CNY, reference="opening"))[0] == 0
        return account

    def list(self, *specs: InstrumentSpec) -> list[int]:
        code, answer = self.document(ListInstruments(instruments=[*specs]))
        assert code == 0, answer
        return [answer["instruments"][spec.symbol] for spec in specs]

    def issue(self, account: int, symbol: str, quantity_lots: int) -> None:
        assert self.document(IssueUnits(account=account, symbol=symbol, quantity_lots=quantity_lots, reference="opening"))[0] == 0

    def storage(self, account: int, **fields: int) -> None:
        values = {
            "soc_wh": 5_000_000, "soc_min_wh": 0, "soc_max_wh": 10_000_000, "power_w": 5_000_000, "charge_efficiency_ppm": 938_000,
            "discharge_efficiency_ppm": 938_000,
        } | fields  # fmt: skip
        assert self.document(RegisterStorage(account=account, **values))[0] == 0

    def place(self, account: int, instrument: int, side: int, price_ticks: int, quantity_lots: int, **fields: Any) -> np.void:
        fields |= {"instrument": instrument, "side": side, "price_ticks": price_ticks, "quantity_lots": quantity_lots}
        return self.one(CommandKind.PLACE, account, **fields)

    def market(self, account: int, instrument: int, side: int, quantity_lots: int, **fields: Any) -> np.void:
        return self.one(
            CommandKind.PLACE, account, instrument=instrument, side=side, quantity_lots=quantity_lots, order_type=OrderType.MARKET, **fields
        )

    def basket_records(self, account: int, *legs: tuple[int, int, int, int], **fields: Any) -> np.ndarray:
        """The records of a basket of (instrument, side, price_ticks, quantity_lots); `fields` are those of every leg."""
        records = []
        for number, (instrument, side, price_ticks, quantity_lots) in enumerate(legs):
            own = {"instrument": instrument, "side": side, "price_ticks": price_ticks, "quantity_lots": quantity_lots}
            own |= {"time_in_force": TimeInForce.FOK, "group": len(legs) if number == 0 else 0}
            records.append(self.record(CommandKind.BASKET, account, **(own | fields)))
        return np.concatenate(records)

    def basket(self, account: int, *legs: tuple[int, int, int, int], **fields: Any) -> Sequence[int]:
        """Send a basket; the codes of its legs."""
        return [int(code) for code in self.send(self.basket_records(account, *legs, **fields)).outcomes["code"]]

    def cancel(self, account: int, order_id: int, **fields: Any) -> np.void:
        return self.one(CommandKind.CANCEL, account, order_id=order_id, **fields)

    def amend(self, account: int, order_id: int, revision: int, price_ticks: int | None = None, quantity_lots: int | None = None) -> np.void:
        flags = (CommandFlag.AMEND_PRICE if price_ticks is not None else 0) | (CommandFlag.AMEND_QUANTITY if quantity_lots is not None else 0)
        change = {"price_ticks": price_ticks or 0, "quantity_lots": quantity_lots or 0}
        return self.one(CommandKind.AMEND, account, order_id=order_id, revision=revision, flags=flags, **change)

    def tick(self, now_ns: int) -> BatchResult:
        self.now_ns = now_ns
        return self.send(self.record(CommandKind.TICK, 0))
