"""A record as tables for other programs: whole numbers in the units of `exchange.units`, names of columns with the unit last (docs/run-output.md)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clients.laboratory.run.daily import price_position_ppm, traded_lots
from clients.laboratory.run.record import RunRecord
from exchange.units import NS_PER_SECOND, POWER_MULTIPLIER_MICRO, energy_cost_micro
from matching.records import Side

SIDES: Final = {int(Side.BUY): "buy", int(Side.SELL): "sell", 255: "auction"}
# Arrays of a record with a row for each participant and a column for each quarter-hour, day, or none.
BY_PERIOD: Final = (
    "load_wh", "generation_wh", "charge_wh", "discharge_wh", "curtailed_wh", "soc_wh", "deficit_wh", "surplus_wh", "matched_wh", "value_ticks",
    "cost_ticks", "limit_reported_ticks", "want_buy_lots", "want_sell_lots", "bought_lots", "sold_lots",
)  # fmt: skip
BY_DAY: Final = ("bill_retail_micro", "bill_pool_micro", "bill_market_micro", "fee_micro", "imbalance_micro", "trade_micro")
CERTIFICATES: Final = ("issued_wh", "claimed_wh", "expired_wh")
_SUMMED: Final = tuple(name for name in BY_PERIOD if name.endswith(("_wh", "bought_lots", "sold_lots")) and name != "soc_wh")
_OF_THE_PARK: Final = ("load_wh", "generation_wh", "charge_wh", "discharge_wh", "curtailed_wh", "deficit_wh", "surplus_wh", "matched_wh")
PART_ROWS: Final = 262_144
_HIDDEN_WHERE_NEGATIVE: Final = frozenset({"limit_reported_ticks", "bid_ticks", "ask_ticks"})


@dataclass(frozen=True, slots=True)
class Source:
    """A table that is made in parts: a year's tables have more rows than memory should hold. `part` gives rows of what is counted by `n`."""

    n: int
    step: int
    rows_of_each: int
    part: Callable[[slice], pa.Table]

    @property
    def n_rows(self) -> int:
        return self.n * self.rows_of_each

    def parts(self) -> Iterator[pa.Table]:
        """At least one, so that an empty table has its columns."""
        for first in range(0, max(self.n, 1), self.step):
            yield self.part(slice(first, min(first + self.step, self.n)))


def tables(record: RunRecord) -> dict[str, Source]:
    """Name of each table of a record -> what makes it."""
    n = record.n_participants
    made = {
        "participants": _whole(n, lambda: participants(record)),
        "days": _whole(len(record.operator_micro), lambda: days(record)),
        "participant_days": _whole(record.bill_market_micro.size, lambda: participant_days(record)),
        "periods": _whole(record.n_periods, lambda: periods(record)),
        "participant_periods": Source(record.n_periods, max(PART_ROWS // max(n, 1), 1), n, lambda where: participant_periods(record, where)),
        "trades": Source(len(record.trades), PART_ROWS, 1, lambda where: trades(record, where)),
        "quotes": Source(len(record.quotes), PART_ROWS, 1, lambda where: quotes(record, where)),
    }
    if any(getattr(record, name).any() for name in CERTIFICATES):
        made["certificates"] = _whole(n, lambda: certificates(record))
    return made


def _whole(n_rows: int, make: Callable[[], pa.Table]) -> Source:
    return Source(n_rows, max(n_rows, 1), 1, lambda _: make())


def participants(record: RunRecord) -> pa.Table:
    """A row for each participant: who it is, and sums over the run."""
    rows = record.scenario.participants
    who = {
        "participant": [row.id for row in rows],
        "name_en": [row.name_en for row in rows],
        "name_zh": [row.name_zh for row in rows],
        "role": [row.role for row in rows],
        "population": [row.agent.name for row in rows],
    }
    # Energy that a participant used in the quarter-hour in which it gave it never passed its meter.
    own_use_wh = np.minimum(record.load_wh + record.charge_wh, record.generation_wh + record.discharge_wh).sum(axis=1)
    sums = {name: getattr(record, name).sum(axis=1) for name in (*_SUMMED, *BY_DAY)}
    return pa.table({**who, **sums, "own_use_wh": own_use_wh, "storage_value_change_micro": _storage_value_change_micro(record)})


def days(record: RunRecord) -> pa.Table:
    """A row for each day of delivery."""
    position = price_position_ppm(record)
    prices = {"traded_lots": traded_lots(record), "price_position_ppm": pa.array(np.rint(position), from_pandas=True).cast(pa.int64())}
    return pa.table({**_days(record), "operator_micro": record.operator_micro, "netting_micro": record.netting_micro, **prices})


def participant_days(record: RunRecord) -> pa.Table:
    """A row for each participant and day, by day."""
    n, n_days = record.bill_market_micro.shape
    day = {name: np.repeat(np.asarray(column), n) for name, column in _days(record).items()}
    return pa.table({**day, "participant": _ids(record, np.tile(np.arange(n), n_days)), **_by_row(record, BY_DAY)})


def periods(record: RunRecord) -> pa.Table:
    """A row for each quarter-hour: prices of the grid, energy of the park, what was traded."""
    n = record.n_periods
    period, lots = record.trades["period"], record.trades["quantity_lots"]
    columns: dict[str, object] = {
        "period": np.arange(n),
        "start_ns": record.start_ns,
        "start_local": [_local(record, start).isoformat(timespec="minutes") for start in record.start_ns],
        "day": record.day_of_period,
        "deficit_price_ticks": record.deficit_price_ticks,
        "surplus_price_ticks": record.surplus_price_ticks,
        **{name: getattr(record, name).sum(axis=0) for name in _OF_THE_PARK},
        **{name: getattr(record, name) for name in ("import_wh", "export_wh", "loss_wh")},
        "trades": np.bincount(period, minlength=n),
        "traded_lots": _sum_by_period(period, lots, n),
        "traded_micro": _sum_by_period(period, lots * record.trades["price_ticks"], n) * POWER_MULTIPLIER_MICRO,
    }
    return pa.table(columns)


def participant_periods(record: RunRecord, where: slice) -> pa.Table:
    """A row for each participant and quarter-hour of `where`, by quarter-hour."""
    n, chosen = record.n_participants, np.arange(record.n_periods)[where]
    who = {"period": np.repeat(chosen, n), "participant": _ids(record, np.tile(np.arange(n), len(chosen)))}
    return pa.table({**who, **_by_row(record, BY_PERIOD, where)})


def trades(record: RunRecord, where: slice) -> pa.Table:
    """A row for each trade of `where`, in the order in which they happened."""
    kept = record.trades[where]
    side = pa.DictionaryArray.from_arrays(_side_codes(kept["taker_side"]), list(SIDES.values()))
    return pa.table(
        {
            "stamp_ns": _plain(kept["stamp_ns"]),
            "period": _plain(kept["period"]),
            "round": _plain(kept["round"]),
            "taker_side": side,
            "buyer": _ids(record, kept["buyer"]),
            "seller": _ids(record, kept["seller"]),
            **{name: _plain(kept[name]) for name in ("price_ticks", "buyer_price_ticks", "quantity_lots")},
        }
    )


def quotes(record: RunRecord, where: slice) -> pa.Table:
    """A row for each quarter-hour and round of `where`: the book after it."""
    kept = record.quotes[where]
    return pa.table({name: _seen(name, _plain(kept[name])) for name in kept.dtype.names or ()})


def certificates(record: RunRecord) -> pa.Table:
    """A row for each participant: what became of its certificates."""
    return pa.table({"participant": [row.id for row in record.scenario.participants], **{name: getattr(record, name) for name in CERTIFICATES}})


def _storage_value_change_micro(record: RunRecord) -> list[int]:
    """What each storage holds more at the end than at the beginning, priced by the scenario."""
    value = record.scenario.soc_value_micro_per_kwh
    storages = [row.storage for row in record.scenario.participants]
    held_wh = [0 if storage is None else int(record.soc_wh[at, -1]) - storage.soc_initial_wh for at, storage in enumerate(storages)]
    return [energy_cost_micro(energy_wh, value) for energy_wh in held_wh]


def _days(record: RunRecord) -> Mapping[str, object]:
    firsts = np.searchsorted(record.day_of_period, np.arange(record.bill_market_micro.shape[1]))
    return {"day": np.arange(len(firsts)), "date": [_local(record, record.start_ns[first]).date().isoformat() for first in firsts]}


def _by_row(record: RunRecord, names: tuple[str, ...], where: slice = slice(None)) -> dict[str, pa.Array]:
    return {name: _seen(name, np.ascontiguousarray(getattr(record, name)[:, where].T).reshape(-1)) for name in names}


def _seen(name: str, values: NDArray[np.int64]) -> pa.Array:
    """An empty cell where a record says -1: nothing there."""
    return pa.array(values, mask=values < 0) if name in _HIDDEN_WHERE_NEGATIVE else pa.array(values)


def _plain(column: NDArray[np.generic]) -> NDArray[np.int64]:
    """A field of a record array as a contiguous column."""
    return np.ascontiguousarray(column, dtype=np.int64)


def _ids(record: RunRecord, rows: NDArray[np.integer]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.ascontiguousarray(rows, dtype=np.int32), [row.id for row in record.scenario.participants])


def _side_codes(sides: NDArray[np.uint8]) -> NDArray[np.int8]:
    code_of = np.full(256, -1, dtype=np.int8)
    code_of[list(SIDES)] = np.arange(len(SIDES))
    return code_of[sides]


def _sum_by_period(period: NDArray[np.int32], values: NDArray[np.int64], n_periods: int) -> NDArray[np.int64]:
    """Exact: np.bincount with weights would add doubles."""
    total = np.zeros(n_periods, dtype=np.int64)
    np.add.at(total, period, values)
    return total


def _local(record: RunRecord, start_ns: np.int64) -> datetime:
    return datetime.fromtimestamp(int(start_ns) // NS_PER_SECOND, record.scenario.zone)
