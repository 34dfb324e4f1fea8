"""A park-year of readings by device: parse, validate, apply, memory a reading, hash, snapshot, one read of the year.

    python -m bench.metering [--devices 100] [--days 365] [--json] [--results DIR]

Times are those of the processor of this process, so that a busy machine does not count; `rows_per_s` of each stage and `park_year_s` follow from
them. The readings are drawn from a seed: loads with weekdays, PV plants with nights, a storage in ten devices. Appends one JSON line to the results.
"""

import argparse
import datetime
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.record import RESULTS, append_result
from exchange.metering.device_readings import take
from exchange.metering.device_store import DeviceStore
from exchange.metering.devices import Devices
from exchange.metering.files.load import ReadFile, documents_of, read_file
from exchange.metering.files.rows import GRID, FileRows, Park
from exchange.metering.files.series import check_series
from exchange.metering.table import MeterTable
from exchange.metering.validation import MeterProblem
from exchange.protocol.documents import decode_document, encode_document
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.units import NS_PER_DAY, NS_PER_SECOND, PERIOD_NS

QUARTERS: Final = 96
FIRST_NS: Final = 1_767_196_800 * NS_PER_SECOND  # 2026-01-01 00:00 in Shanghai
ZONE: Final = ZoneInfo("Asia/Shanghai")
ACCOUNT_FIRST: Final = 33
CAPACITY_W: Final = 4_000_000
PARK_YEAR_ROWS: Final = 100 * 35_040
SEED: Final = 7

T = TypeVar("T")


def park_of(n_devices: int) -> Devices:
    """Loads and plants two an account, a storage in ten."""
    devices = Devices()
    for number in range(n_devices):
        kind = "storage" if number % 10 == 9 else ("load", "pv")[number % 2]
        account = ACCOUNT_FIRST + number // 2
        devices.add(RegisterDevice(account=account, name=f"{kind}{number}", kind=kind, capacity_w=CAPACITY_W, commissioned_ns=0))
    return devices


def series_of(kind: str, n: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Import and export in Wh of n quarter-hours."""
    quarter, day = np.arange(n) % QUARTERS, np.arange(n) // QUARTERS
    load = (300_000 + 200_000 * np.sin(np.pi * quarter / QUARTERS) * (day % 7 < 5) + rng.integers(0, 20_000, n)).astype(np.int64)
    sun = np.maximum(np.sin(np.pi * (quarter - 24) / 48), 0.0) * ((quarter >= 24) & (quarter < 72))
    given = (sun * rng.integers(100_000, 900_000, n)).astype(np.int64)
    none = np.zeros(n, np.int64)
    return {"load": (load, none), "pv": (rng.integers(0, 50, n), given), "storage": (load // 2, given // 2)}[kind]


def rows_of(devices: Devices, days: int) -> FileRows:
    """All devices and a grid meter that agrees with them."""
    rng, n = np.random.default_rng(SEED), days * QUARTERS
    parts = [series_of(str(device.kind), n, rng) for device in devices.by_id.values()]
    net = sum(part[0] - part[1] for part in parts)
    parts.insert(0, (np.maximum(net, 0), np.maximum(-net, 0)))
    ids = np.repeat(np.array([GRID, *devices.by_id]), n)
    total = len(ids)
    return FileRows(
        ids, np.tile(FIRST_NS + np.arange(n) * PERIOD_NS, len(parts)), np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]), np.zeros(total, np.int64), np.zeros(total, np.int8), np.arange(2, total + 2),
    )  # fmt: skip


def csv_of(rows: FileRows, devices: Devices) -> bytes:
    """The rows as a file with local times, as a utility would send it."""
    names = {GRID: "grid"} | {device.id: device.name for device in devices.by_id.values()}
    distinct = np.unique(rows.at_ns)
    texts = {ns: datetime.datetime.fromtimestamp(ns // NS_PER_SECOND, ZONE).strftime("%Y-%m-%d %H:%M") for ns in distinct.tolist()}
    lines = ["device,period_start,import_kwh,export_kwh"]
    columns = (rows.device.tolist(), rows.at_ns.tolist(), rows.import_wh.tolist(), rows.export_wh.tolist())
    lines += [f"{names[d]},{texts[at]},{i // 1000}.{i % 1000:03d},{e // 1000}.{e % 1000:03d}" for d, at, i, e in zip(*columns, strict=True)]
    return "\n".join(lines).encode() + b"\n"


def parquet_of(rows: FileRows, devices: Devices) -> bytes:
    """The same with whole Wh and instants."""
    names = {GRID: "grid"} | {device.id: device.name for device in devices.by_id.values()}
    columns = {
        "device": pa.array([names[d] for d in rows.device.tolist()]).dictionary_encode(),
        "period_start": pa.array(rows.at_ns, pa.timestamp("ns", "UTC")),
        "import_wh": rows.import_wh,
        "export_wh": rows.export_wh,
    }
    table = pa.table(columns)
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """(result, seconds of this process)."""
    begun = time.process_time()
    result = act()
    return result, time.process_time() - begun


def measure(n_devices: int, days: int) -> dict[str, Any]:
    """Figures of a park of `n_devices` over `days`."""
    devices = park_of(n_devices)
    park, rows = Park.of(devices, ZONE), rows_of(devices, days)
    n_rows, now_ns = len(rows.device), FIRST_NS + (days + 1) * NS_PER_DAY
    csv_bytes, parquet_bytes = csv_of(rows, devices), parquet_of(rows, devices)
    read, csv_s = timed(lambda: read_file(io.BytesIO(csv_bytes), "year.csv", park, now_ns))
    assert not read.findings.refusals, read.findings.shown
    parquet_s = timed(lambda: read_file(io.BytesIO(parquet_bytes), "year.parquet", park, now_ns))[1]
    _, validate_s = timed(lambda: check_series(read.rows, park, read.findings))
    table, figures = _applied(read, devices, now_ns)
    figures |= _kept(table, devices, days)
    per_s = {"csv": csv_s, "parquet": parquet_s, "validate": validate_s, "cut": figures.pop("cut_s"), "apply": figures.pop("apply_s")}
    return {
        "devices": n_devices, "days": days, "rows": n_rows, "csv_bytes": len(csv_bytes), "flagged": sum(read.findings.counts.values()),
        "rows_per_s": {name: round(n_rows / max(seconds, 1e-9)) for name, seconds in per_s.items()},
        "park_year_s": {name: round(seconds * PARK_YEAR_ROWS / n_rows, 2) for name, seconds in per_s.items()},
        **figures,
    }  # fmt: skip


def _applied(read: ReadFile, devices: Devices, now_ns: int) -> tuple[MeterTable, dict[str, Any]]:
    """The table after all documents, as a replay reads them: decoded and applied."""
    documents, cut_s = timed(lambda: [encode_document(d) for d in documents_of(read.rows, 1, "preliminary", "year.csv")])
    table = MeterTable()

    def apply() -> None:
        for sequence, data in enumerate(documents, 1):
            taken = take(table, decode_document(data), devices, now_ns, sequence)  # type: ignore[arg-type] # written above
            assert not isinstance(taken, MeterProblem), str(taken)

    _, apply_s = timed(apply)
    return table, {"documents": len(documents), "document_bytes": sum(map(len, documents)), "cut_s": cut_s, "apply_s": apply_s}


def _kept(table: MeterTable, devices: Devices, days: int) -> dict[str, Any]:
    """What the table takes, and what hashing, a snapshot and one read of everything cost."""
    store = table.devices
    canonical, hash_s = timed(store.to_hash)
    _, again_s = timed(store.to_hash)
    content, snapshot_s = timed(store.to_canonical)
    assert DeviceStore.from_canonical(content).to_hash() == canonical
    accounts = sorted({device.account for device in devices.by_id.values()})
    starts = (FIRST_NS + np.arange(days * QUARTERS) * PERIOD_NS).tolist()
    _, read_s = timed(lambda: table.read(accounts, starts))
    readings = len(devices.by_id) * days * QUARTERS
    return {
        "bytes_per_reading": round(store.memory_bytes() / readings, 2), "hash_s": round(hash_s, 4), "hash_unchanged_s": round(again_s, 6),
        "snapshot_s": round(snapshot_s, 4), "read_s": round(read_s, 3), "digest": canonical[2].hex(),
    }  # fmt: skip


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--json", action="store_true", help="one JSON object, and nothing else")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    result = measure(options.devices, options.days)
    append_result("metering", result, options.results)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
