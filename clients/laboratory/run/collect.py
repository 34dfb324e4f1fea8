"""Days as they are played, put together to the record of the run."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clients.laboratory.planning.physical import Delivery
from clients.laboratory.run.bills import DayBills
from clients.laboratory.run.day_market import DayMarket, Tally
from clients.laboratory.run.record import QUOTE, TRADE, UNIT_TRADE, RunRecord
from clients.laboratory.run.unit_market import UnitMarket
from clients.laboratory.run.virtual_exchange import VirtualExchange
from clients.laboratory.scenario.model import Scenario
from clients.laboratory.world.day import WorldDay
from exchange.order_path import canonical
from exchange.order_path.claim_check import claim_breaches
from exchange.registry.green_output import GreenUse
from exchange.registry.lifecycle import UnitState
from exchange.registry.serials import UnitScheme
from exchange.units import PERIOD_NS, POWER_LOT_WH

Integers = NDArray[np.int64]

_BY_PERIOD: Final = (
    "load_wh", "generation_wh", "charge_wh", "discharge_wh", "curtailed_wh", "soc_wh", "value_ticks", "cost_ticks", "limit_reported_ticks",
    "want_buy_lots", "want_sell_lots", "bought_lots", "sold_lots", "deficit_wh", "surplus_wh",
)  # fmt: skip
_OF_DELIVERY: Final = (
    "load_wh", "generation_wh", "charge_wh", "discharge_wh", "curtailed_wh", "soc_wh", "import_wh", "export_wh", "loss_wh",
)  # fmt: skip
_OF_DAY: Final = ("start_ns", "deficit_price_ticks", "surplus_price_ticks")
_OF_PARK: Final = ("start_ns", "deficit_price_ticks", "surplus_price_ticks", "import_wh", "export_wh", "loss_wh")
_BY_DAY: Final = ("bill_retail_micro", "bill_pool_micro", "bill_market_micro", "fee_micro", "imbalance_micro", "trade_micro")


@dataclass(slots=True, eq=False)
class Collector:
    """Columns of the record, a day at a time."""

    scenario: Scenario
    seed: int
    accounts: list[int]
    columns: dict[str, list[Integers]] = field(default_factory=dict)
    day_of_period: list[Integers] = field(default_factory=list)
    operator_micro: list[int] = field(default_factory=list)
    netting_micro: list[int] = field(default_factory=list)

    def add_day(
        self, day: WorldDay, market: DayMarket, delivery: Delivery, bought_lots: Integers, sold_lots: Integers, bills: DayBills, netting_micro: int
    ) -> None:
        """A settled day; lots are [n, T]."""
        net_wh = delivery.generation_wh + delivery.discharge_wh - delivery.load_wh - delivery.charge_wh
        imbalance_wh = net_wh + (bought_lots - sold_lots) * POWER_LOT_WH
        values: dict[str, Integers] = {name: getattr(delivery, name) for name in _OF_DELIVERY}
        values |= {name: getattr(day, name) for name in _OF_DAY}
        values |= {f"bill_{name}": getattr(bills, name) for name in ("retail_micro", "pool_micro", "market_micro")}
        values |= {name: getattr(bills, name) for name in ("fee_micro", "imbalance_micro", "trade_micro")}
        values |= {
            "value_ticks": market.table.limits[0::2], "cost_ticks": market.table.limits[1::2], "limit_reported_ticks": market.table.reported,
            "want_buy_lots": market.table.wanted[0::2], "want_sell_lots": market.table.wanted[1::2], "bought_lots": bought_lots,
            "sold_lots": sold_lots, "deficit_wh": np.maximum(-imbalance_wh, 0), "surplus_wh": np.maximum(imbalance_wh, 0),
        }  # fmt: skip
        for name, column in values.items():
            self.columns.setdefault(name, []).append(column)
        self.day_of_period.append(np.full(day.n_periods, day.index, np.int64))
        self.operator_micro.append(market.operator_micro)
        self.netting_micro.append(netting_micro)

    def record(self, link: VirtualExchange, tally: Tally, units: UnitMarket, seconds: dict[str, float]) -> RunRecord:
        """The record of all days; the exchange is asked for its certificates and hashes."""
        start_ns = np.concatenate(self.columns["start_ns"])
        certificates = _certificates(link, self.accounts, start_ns)
        return RunRecord(
            scenario=self.scenario,
            seed=self.seed,
            day_of_period=np.concatenate(self.day_of_period),
            **{name: np.concatenate(self.columns[name], axis=1) for name in _BY_PERIOD},
            **{name: np.concatenate(self.columns[name]) for name in _OF_PARK},
            **{name: np.stack(self.columns[name], axis=1) for name in _BY_DAY},
            operator_micro=np.array(self.operator_micro, np.int64),
            netting_micro=np.array(self.netting_micro, np.int64),
            **certificates,
            double_claims=len(claim_breaches(link.exchange)),
            trades=np.concatenate(tally.trades) if tally.trades else np.zeros(0, TRADE),
            quotes=np.concatenate(tally.quotes) if tally.quotes else np.zeros(0, QUOTE),
            orders=tally.orders,
            state_hash=canonical.state_hash(link.exchange).hex(),
            event_hash=link.exchange.event_hash,
            journal_hash=link.journal.chain_hash,
            seconds=seconds,
            unit_trades=np.concatenate(units.trades) if units.trades else np.zeros(0, UNIT_TRADE),
            refused_orders=np.bincount(np.concatenate([*tally.refused, np.zeros(0, np.int64)]), minlength=len(self.accounts)),
        )


def _certificates(link: VirtualExchange, accounts: list[int], start_ns: Integers) -> dict[str, Integers]:
    """Granular certificates from the registry: issued to and matched by each participant. Wh."""
    rows = link.exchange.rooms.registry.rows
    issued = rows[(rows["scheme"] == int(UnitScheme.GC)) & (rows["parent"] < 0)]
    n, periods = len(accounts), len(start_ns)
    energy_wh = (issued["serial_to"] - issued["serial_from"] + 1).astype(np.int64)
    row_of = np.full(max(accounts) + 1, -1, np.int64)
    row_of[accounts] = np.arange(n)
    holder = row_of[issued["account"].astype(np.int64)]
    period = (issued["period_start_ns"].astype(np.int64) - int(start_ns[0])) // PERIOD_NS
    used = issued["use"] != int(GreenUse.EXPORTED)
    matched = np.zeros((n, periods), np.int64)
    np.add.at(matched, (holder[used], period[used]), energy_wh[used])
    found = {"matched_wh": matched, "issued_wh": _sums(holder, energy_wh, n), "claimed_wh": matched.sum(axis=1)}
    live = rows[(rows["scheme"] == int(UnitScheme.GC)) & (rows["state"] == int(UnitState.EXPIRED))]
    return found | {"expired_wh": _sums(row_of[live["account"].astype(np.int64)], live["serial_to"] - live["serial_from"] + 1, n)}


def _sums(rows: Integers, values: Any, n: int) -> Integers:
    total = np.zeros(n, np.int64)
    np.add.at(total, rows, values.astype(np.int64))
    return total
