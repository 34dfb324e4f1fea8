"""Meters through the order path: devices, substitution, closing a month, corrections; a row for every refusal, and the same state after a restart."""

from typing import Any

import numpy as np
import pytest

from exchange.order_path import canonical
from exchange.order_path.flows import FlowValue
from exchange.order_path.path import BatchResult, Exchange
from exchange.protocol.value_chain.metering import CorrectReadings, DeviceReadings, FinalizeMonth, RegisterDevice, SubstituteReadings
from exchange.units import NS_PER_DAY, NS_PER_HOUR, PERIOD_NS
from tests.exchange.order_path.park import DAY_NS, GENESIS, Park

DAYS = 31
MONTH_NS = DAY_NS - 14 * NS_PER_DAY  # 1 July 2026, 00:00 in Shanghai
END_NS = MONTH_NS + DAYS * NS_PER_DAY
WEEK_NS = 7 * NS_PER_DAY


class Metered(Park):
    """An enterprise with a load and a PV plant and a storage with its battery, read for July except where `holes` (device, quarter-hours) are."""

    def __init__(self, holes: dict[int, range] | None = None) -> None:
        super().__init__()
        self.notices: list[Any] = []
        self.factory = self.admit("E01", "enterprise", ["power_buy"], high=1_000)
        self.battery = self.admit("S01", "storage", ["power_buy", "power_sell"], low=-1_000, high=1_000)
        self.storage(self.battery)
        for account, kind in ((self.factory, "load"), (self.factory, "pv"), (self.battery, "storage")):
            self.must(RegisterDevice(account=account, name=kind, kind=kind, capacity_w=4_000_000, commissioned_ns=0))
        self.tick(END_NS + NS_PER_HOUR)
        hour = np.arange(DAYS * 96) % 96 // 4
        day = np.arange(DAYS * 96) // 96
        load, pv = 1_000 + 10 * hour + day, np.where((hour >= 6) & (hour < 18), 700 + hour + day, 0)
        for device, taken, given in ((1, load, 0 * load), (2, 0 * pv, pv), (3, pv // 2, load // 3)):
            self.read(device, taken, given, (holes or {}).get(device, range(0)))

    def send(self, records: np.ndarray, documents: bytes = b"") -> BatchResult:
        batch = super().send(records, documents)
        self.notices = batch.notices
        return batch

    def must(self, document: Any) -> dict[str, Any]:
        code, answer = self.document(document)
        assert code == 0, answer
        return answer

    def rule(self, document: Any) -> str:
        """The rule that refuses it; the state stays as it was."""
        before = canonical.content(self.exchange)
        code, answer = self.document(document)
        assert code != 0, answer
        after = canonical.content(self.exchange)
        assert {k: v for k, v in after.items() if k != "counters"} == {k: v for k, v in before.items() if k != "counters"}
        return str(answer["rule"])

    def read(self, device: int, taken: np.ndarray, given: np.ndarray, hole: range) -> None:
        for first, last in ((0, hole.start), (hole.stop, len(taken))) if hole else ((0, len(taken)),):
            if last > first:
                self.must(
                    DeviceReadings(
                        revision=1, devices=[device], first_starts_ns=[at(first)], counts=[last - first], qualities=["measured"],
                        import_wh=taken[first:last].tolist(), export_wh=given[first:last].tolist(),
                    )
                )  # fmt: skip

    def cell(self, device: int, period: int) -> tuple[int, int, int]:
        cells = self.exchange.rooms.meters.devices.find(np.array([device]), np.array([at(period)]))
        return int(cells.import_wh[0]), int(cells.export_wh[0]), int(cells.quality[0])


def at(period: int) -> int:
    return MONTH_NS + period * PERIOD_NS


def close(**changes: Any) -> FinalizeMonth:
    return FinalizeMonth(**({"month": "2026-07", "month_start_ns": MONTH_NS, "month_end_ns": END_NS} | changes))


def fill(device: int, method: str, first: int, count: int, **changes: Any) -> SubstituteReadings:
    fields = {"device": device, "method": method, "first_start_ns": at(first), "count": count, "revision": 2}
    return SubstituteReadings(**(fields | changes))


def correction(**changes: Any) -> CorrectReadings:
    fields: dict[str, Any] = {
        "revision": 9, "reason": "wrong factor", "accounts": [], "period_starts_ns": [], "consumption_wh": [], "generation_wh": [], "soc_wh": [],
        "grid_starts_ns": [at(3)], "grid_import_wh": [5], "grid_export_wh": [0], "losses_wh": [0],
    }  # fmt: skip
    return CorrectReadings(**(fields | changes))


def empty(**changes: Any) -> DeviceReadings:
    fields: dict[str, Any] = {name: [] for name in ("devices", "first_starts_ns", "counts", "qualities", "import_wh", "export_wh")}
    return DeviceReadings(**(fields | {"revision": 1} | changes))


NOON, NIGHT = 14 * 96 + 48, 14 * 96 + 8  # on the 15th


@pytest.fixture(scope="module")
def park() -> Metered:
    """Holes of five quarter-hours at noon of the 15th in the load, and at night in the PV plant. Refusals leave it as it is."""
    return Metered({1: range(NOON, NOON + 5), 2: range(NIGHT, NIGHT + 5)})


REFUSED: list[tuple[str, Any]] = [
    ("unknown_device", fill(9, "zero", NIGHT, 5)),
    ("unknown_method", fill(2, "guess", NIGHT, 5)),
    ("unknown_version", fill(2, "zero", NIGHT, 5, version="last")),
    ("revision_out_of_range", fill(2, "zero", NIGHT, 5, revision=2**31)),
    ("reason_too_long", fill(2, "zero", NIGHT, 5, reason="x" * 201)),
    ("period_count_out_of_range", fill(2, "zero", NIGHT, 0)),
    ("period_count_out_of_range", fill(2, "zero", NIGHT, 2977)),
    ("period_off_grid", fill(2, "zero", NIGHT, 5, first_start_ns=at(NIGHT) + 1)),
    ("gap_too_long_to_interpolate", fill(1, "interpolate", NOON, 9)),
    ("no_reading_beside_the_gap", fill(1, "interpolate", NOON, 4)),
    ("no_earlier_week_to_follow", fill(1, "profile", 3 * 96, 1)),
    ("days_around_do_not_show_zero", fill(2, "zero", NOON, 1)),
    ("days_around_do_not_show_zero", fill(2, "zero", NIGHT + 40 * 96, 1)),
    ("period_not_over", fill(1, "profile", DAYS * 96, 5)),
    ("device_revision_not_higher at row 0", fill(1, "interpolate", NOON + 8, 2, revision=1)),
    ("device_month_not_closed at row 0", fill(1, "interpolate", NOON, 5, version="correction")),
    ("month_malformed", close(month="")),
    ("month_malformed", close(month_start_ns=MONTH_NS + 1)),
    ("month_malformed", close(month_end_ns=MONTH_NS + 27 * NS_PER_DAY)),
    ("month_malformed", close(month_end_ns=MONTH_NS + 32 * NS_PER_DAY)),
    ("month_not_over", close(month_start_ns=MONTH_NS + NS_PER_DAY, month_end_ns=END_NS + NS_PER_DAY)),
    ("month_has_gaps", close()),
    ("reason_missing", correction(reason="")),
    ("meter_month_not_closed at grid row 0", correction()),
    ("source_too_long", empty(source="x" * 201)),
    ("device_document_empty", empty()),
]


@pytest.mark.parametrize(("rule", "document"), REFUSED, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(REFUSED)])
def test_a_refusal_is_named_and_changes_nothing(park: Metered, rule: str, document: Any) -> None:
    assert park.rule(document) == rule


def test_what_substitution_puts() -> None:
    park = Metered({1: range(NOON, NOON + 5), 2: range(NIGHT, NIGHT + 5)})
    before, behind = park.cell(1, NOON - 1)[0], park.cell(1, NOON + 5)[0]
    assert (before, behind) == (1_124, 1_144)
    assert park.must(fill(1, "interpolate", NOON, 5)) == {"rows": 5, "replaced": 0, "import_wh": 5_670, "export_wh": 0}
    # 1124 + 20 i / 6 for i in 1..5, half-even: 1127.33, 1130.67, 1134, 1137.33, 1140.67
    assert [park.cell(1, NOON + i) for i in range(5)] == [(wh, 0, 2) for wh in (1_127, 1_131, 1_134, 1_137, 1_141)]
    park.must(fill(2, "zero", NIGHT, 5))
    assert {park.cell(2, NIGHT + i) for i in range(5)} == {(0, 0, 2)}
    # Of the same weekday days 0 and 7 lie in the month: the means are 1123.5 at noon and 1133.5 at one, half-even.
    assert park.must(fill(1, "profile", NOON, 5, revision=3)) == {"rows": 5, "replaced": 5, "import_wh": 4 * 1_124 + 1_134, "export_wh": 0}
    assert park.cell(1, NOON) == (1_124, 0, 2)
    day = park.exchange.rooms.meters.read([park.factory], [at(NOON - 1), at(NOON)])
    assert day.replaced.tolist() == [[False, True]]


def test_a_closed_month_takes_corrections_alone_and_what_was_known_stays_readable() -> None:
    park = Metered()
    assert park.must(close()) == {"month": "2026-07", "complete": True}
    flows = [notice.data for notice in park.notices if notice.kind == "flow"]
    exported = sum(park.cell(2, i)[1] for i in range(DAYS * 96))
    values = [FlowValue(subject, "metered_output", MONTH_NS, exported, "Wh") for subject in ("park", "device:2")]
    assert flows == [{"flow": "project", "values": values}]
    assert park.rule(close()) == "month_is_closed"
    assert park.rule(close(month="other")) == "month_is_closed"
    settled = park.exchange.last_sequence
    reading = DeviceReadings(
        revision=2, devices=[1], first_starts_ns=[at(5)], counts=[1], qualities=["measured"], import_wh=[77], export_wh=[0], version="final"
    )
    assert park.rule(reading) == "device_month_closed at row 0"
    assert park.rule(fill(1, "interpolate", 5, 1)) == "device_month_closed at row 0"
    old = park.cell(1, 5)[0]
    park.must(DeviceReadings(**{name: getattr(reading, name) for name in reading.__struct_fields__ if name != "version"}, version="correction"))
    assert park.must(correction()) == {"rows": 1}
    read = park.exchange.rooms.meters.read
    assert [int(read([park.factory], [at(5)], s).consumption_wh[0, 0]) for s in (settled, None)] == [old, 77]
    assert [int(read([], [at(3)], s).grid_import_wh[0]) for s in (settled, None)] == [0, 5]


def test_a_month_with_gaps_is_closed_only_by_who_accepts_them(park: Metered) -> None:
    del park
    gappy = Metered({2: range(NIGHT, NIGHT + 5)})
    assert gappy.must(close(accept_gaps=True)) == {"month": "2026-07", "complete": False}


def test_a_state_of_charge_anchors_the_storage() -> None:
    park = Metered()
    reading = DeviceReadings(
        revision=2, devices=[3], first_starts_ns=[at(0)], counts=[1], qualities=["measured"], import_wh=[1], export_wh=[0], soc_devices=[3],
        soc_at_ns=[END_NS], soc_wh=[4_321],
    )  # fmt: skip
    park.must(reading)
    assert int(park.exchange.state.storages[int(park.exchange.state.accounts[park.battery].storage)].soc_wh) == 4_321


def test_only_the_operator_reads_meters(park: Metered) -> None:
    code, _ = park.document(close(), account=park.factory)
    assert code != 0


def test_a_snapshot_and_a_replay_come_to_the_same_state() -> None:
    park = Metered({1: range(NOON, NOON + 5)})
    park.must(fill(1, "interpolate", NOON, 5))
    park.must(close())
    park.must(correction())
    payload = canonical.snapshot(park.exchange)
    restored = Exchange(GENESIS)
    canonical.restore(restored, payload)
    assert canonical.state_hash(restored) == canonical.state_hash(park.exchange)
    assert canonical.snapshot(restored) == payload
    replayed = Exchange(GENESIS)
    for records, documents in park.log:
        replayed.apply(records, documents, replayed.last_sequence + 1)
    assert canonical.state_hash(replayed) == canonical.state_hash(park.exchange)
