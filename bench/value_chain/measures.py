"""The measures of the park-year one by one. What has its own memory to show, or must not have that of others, runs in a process of its own."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.checks import ResultMismatchError
from bench.value_chain.park_year import OPERATOR, genesis
from bench.value_chain.run import YearRun
from exchange.journal.record import COMMAND, CommandKind
from exchange.journal.segments import JournalReader
from exchange.journal.walk import load_layout
from exchange.order_path.business import settle
from exchange.order_path.path import Exchange
from exchange.order_path.records import ExecutionKind
from exchange.protocol.documents import Admit, Deposit, Document, InstrumentSpec, IssueUnits, ListInstruments, encode_document
from exchange.readmodel.projector import Projector
from exchange.registry.serials import UnitScheme, parse_serial
from exchange.units import NS_PER_HOUR
from matching.records import Side, TimeInForce

JOURNAL: Final = "journal"
READ_MODEL: Final = "readmodel.sqlite"
QUERIES: Final = 2_000
_START_NS: Final = 1_784_016_000_000_000_000
_HOLDERS: Final = 100


def measure_year(directory: Path, days: int, say: Callable[[int], None]) -> tuple[dict[str, Any], Exchange]:
    """(seconds by part, trades, certificates, peak memory of this process; the exchange at the year's end)."""
    timed = _Timed(settle.issue_granular)
    settle.issue_granular = timed  # type: ignore[assignment]
    try:
        run = YearRun(directory / JOURNAL)
        run.play(days, say)
        run.close()
    finally:
        settle.issue_granular = timed.function
    seconds = run.times.seconds
    rows = run.exchange.rooms.registry.rows
    granular = rows[rows["scheme"] == int(UnitScheme.GC)]
    certified_wh = int((granular["serial_to"] - granular["serial_from"] + 1)[granular["parent"] < 0].sum())
    if certified_wh != run.generated_wh:
        raise ResultMismatchError(f"certificates for {certified_wh} Wh, the meters of green devices say {run.generated_wh} Wh")
    return {
        "settle_s": round(seconds["settle"] - timed.seconds, 3),
        "issue_s": round(timed.seconds, 3),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "trades": run.times.trades,
        "certificates": len(granular),
        **{f"{name}_s": round(seconds[name], 3) for name in ("list", "trade", "deliver", "meter")},
    }, run.exchange


class _Timed:
    """A function with the seconds that its calls took."""

    def __init__(self, function: Callable[..., int]) -> None:
        self.function = function
        self.seconds = 0.0

    def __call__(self, *arguments: Any) -> int:
        began = time.perf_counter()
        try:
            return self.function(*arguments)
        finally:
            self.seconds += time.perf_counter() - began


def measure_serials(exchange: Exchange) -> float:
    """Median microseconds from the text of one serial number to its bundle with its owner and state."""
    registry = exchange.rooms.registry
    rng = np.random.Generator(np.random.PCG64(2))
    texts = []
    for row in rng.integers(0, len(registry), QUERIES).tolist():
        found = registry.range_of(row)
        serial = int(rng.integers(found.serial_from, found.serial_to + 1))
        texts.append(str(found._replace(serial_from=serial, serial_to=serial)))
    times = []
    for text in texts:
        began = time.perf_counter_ns()
        wanted = parse_serial(text)
        row = registry.find(wanted.issuance, wanted.serial_from)
        bundle = None if row is None else registry.rows[row]
        state = None if bundle is None else (int(bundle["account"]), int(bundle["state"]))
        times.append(time.perf_counter_ns() - began)
        if state is None:
            raise ResultMismatchError(f"{text} is not found")
    return round(statistics.median(times) / 1000, 2)


def fill_read_model(directory: Path) -> dict[str, float]:
    """Write the read model beside the journal, as a follower does while the exchange runs."""
    reader = JournalReader.open(directory / JOURNAL)
    exchange = Exchange(genesis())
    root = load_layout(directory / JOURNAL, None).genesis_hash.hex()
    projector = Projector.open(f"sqlite:///{directory / READ_MODEL}", root, exchange.settlement)
    began = time.perf_counter()
    for group in reader.groups():
        projector.apply(exchange.apply(group.records, group.documents, group.first_sequence), group.chain_hash)
    projector.close()
    return {"read_model_s": round(time.perf_counter() - began, 3)}


def verify_seconds(directory: Path, *, with_read_model: bool) -> tuple[float, float]:
    """(seconds, seconds of CPU) of `parkex verify` in a process of its own, start included, and of the one that it starts for the read model.

    Raises ResultMismatchError when it finds a breach.
    """
    path = directory if with_read_model else directory / JOURNAL
    cpu_before, began = _cpu_of_children(), time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "clients.cli", "verify", str(path)], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ResultMismatchError(f"verify: {done.stdout.splitlines()[-1:]} {done.stderr.splitlines()[-1:]}")
    return round(time.perf_counter() - began, 3), round(_cpu_of_children() - cpu_before, 3)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_transfers(n: int) -> float:
    """Trades of units a second through the whole order path, each of which moves a range of serial numbers to another account."""
    exchange = Exchange(genesis())

    def send(document: Document) -> dict[str, Any]:
        data = encode_document(document)
        record = np.zeros(1, COMMAND)
        record["kind"], record["version"], record["account"], record["stamp_ns"] = CommandKind.DOCUMENT, 1, OPERATOR, _START_NS
        record["document_length"] = len(data)
        result = exchange.apply(record, data, exchange.last_sequence + 1)
        if result.outcomes[0]["code"]:
            raise ResultMismatchError(f"{document.SCHEMA}: {result.results[0]}")
        return result.results[0]

    accounts = [
        send(Admit(name=f"H{i:03}", role="enterprise", permissions=["cea_buy", "cea_sell"]))["account"] for i in range(_HOLDERS)
    ]
    instrument = send(ListInstruments(instruments=[_allowance()]))["instruments"]["CEA25"]
    for account in accounts:
        send(Deposit(account=account, amount_micro=2**49, reference="opening"))
        send(IssueUnits(account=account, symbol="CEA25", quantity_lots=n, reference="opening"))
    rng = np.random.Generator(np.random.PCG64(3))
    sellers = rng.integers(0, _HOLDERS, n)
    buyers = (sellers + rng.integers(1, _HOLDERS, n)) % _HOLDERS
    records = np.zeros(2 * n, COMMAND)
    records["kind"], records["version"], records["stamp_ns"], records["instrument"] = CommandKind.PLACE, 1, _START_NS, instrument
    records["price_ticks"], records["quantity_lots"] = 6_200, np.repeat(rng.integers(1, 50, n), 2)
    records["account"][0::2], records["account"][1::2] = np.array(accounts)[sellers], np.array(accounts)[buyers]
    records["side"][0::2], records["side"][1::2] = int(Side.SELL), int(Side.BUY)
    records["time_in_force"] = int(TimeInForce.GTC)
    records["client_order_id"] = [f"{i:012}".encode() for i in range(2 * n)]
    trades, batch = 0, 4096
    began = time.perf_counter()
    for first in range(0, len(records), batch):
        result = exchange.apply(records[first : first + batch], b"", exchange.last_sequence + 1)
        trades += int(np.count_nonzero(result.executions["kind"] == int(ExecutionKind.TRADE)))
    seconds = time.perf_counter() - began
    if trades != n:
        raise ResultMismatchError(f"{trades} trades instead of {n}")
    return round(n / seconds)


def _allowance() -> InstrumentSpec:
    return InstrumentSpec(
        symbol="CEA25", instrument_class="cea", venue="national_simulated", calendar="continuous", price_decimals=2, quantity_decimals=0,
        multiplier_micro=10_000, unit="t", min_price_ticks=1, max_price_ticks=100_000, band_low_ticks=1, band_high_ticks=100_000,
        max_order_lots=100_000, open_ns=_START_NS - NS_PER_HOUR,
    )  # fmt: skip
