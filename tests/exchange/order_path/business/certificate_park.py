"""A park with certificates: a plant, two users, a registrar; meters read as a test says."""

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.path import Exchange
from exchange.order_path.tables import Notice
from exchange.protocol.document import Document
from exchange.protocol.documents import InstrumentSpec, MeterReadings
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.certificates import IssueMonthlyCertificates, RetireUnits
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.registry.lifecycle import UnitState
from exchange.units import NS_PER_SECOND, PERIOD_NS, WH_PER_MWH
from tests.exchange.order_path.park import GENESIS, OPERATOR, Park, units_spec

JULY, AUGUST = "GEC-202607-PV", "GEC-202608-PV"
READING_WH = 900_000_000


def at(text: str) -> int:
    """2026-08-01T00:00 in the park's time zone."""
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()) * NS_PER_SECOND


def gec_spec(symbol: str = JULY, **changes: Any) -> InstrumentSpec:
    fields: dict[str, Any] = {"unit": "MWh", "resale": "none", "band_low_ticks": 1, "band_high_ticks": 1_000, "taker_fee_tick_lot_micro": 0}
    return units_spec(symbol, instrument_class="gec", **(fields | changes))


class CertificatePark(Park):
    """`plant` has the monthly device `pv`; `user` and `other` are enterprises. It is the first of August."""

    def __init__(self, scheme: str = "gec") -> None:
        super().__init__(Exchange(GENESIS))
        self.now_ns = at("2026-07-01T00:00")
        self.plant = self.admit("PV01", "generator", ["gec_sell", "power_sell"], low=-10_000)
        self.user = self.admit("E02", "enterprise", ["gec_buy", "gec_sell", "power_buy"], high=10_000)
        self.other = self.admit("E03", "enterprise", ["gec_buy", "gec_sell", "power_buy"], high=10_000)
        self.registrar = self.admit("R", "registrar", [], cash_cny=0)
        self.pv = self.device(self.plant, "roof", "pv", scheme)
        self.list(gec_spec(JULY), gec_spec(AUGUST))
        self.tick(at("2026-08-01T00:00"))

    def device(self, account: int, name: str, kind: str, scheme: str = "none", capacity_w: int = 4_000_000_000) -> int:
        return int(self.ok(RegisterDevice(
            account=account, name=name, kind=kind, capacity_w=capacity_w, commissioned_ns=0, scheme=scheme, location="Zhengzhou"
        ))["device"])  # fmt: skip

    def ok(self, document: Document, account: int = OPERATOR) -> dict[str, Any]:
        code, answer = self.document(document, account)
        assert code == 0, (RejectCode(code), answer)
        return answer

    def refused(self, document: Document, account: int = OPERATOR) -> str:
        """The rule that refuses a document; nothing has changed."""
        before = self.content()
        code, answer = self.document(document, account)
        assert code == RejectCode.BUSINESS_RULE, (RejectCode(code), answer)
        assert self.content() == before
        return str(answer["rule"])

    def content(self) -> bytes:
        """The state but for the sequence of commands, which counts a refused one too."""
        self.exchange.drain_output()
        tables = canonical.hashed_content(self.exchange)
        return canonical._encoder.encode({name: value for name, value in tables.items() if name != "counters"})

    def meter(self, account: int, first: str, generation_wh: int, consumption_wh: int = 0, revision: int = 1) -> None:
        """Energy from a quarter-hour on, as much as a reading takes in each."""
        parts = max(-(-generation_wh // READING_WH), 1)
        starts = [at(first) + i * PERIOD_NS for i in range(parts)]
        energies = [min(READING_WH, generation_wh - i * READING_WH) for i in range(parts)]
        self.ok(MeterReadings(
            revision=revision, accounts=[account] * parts, period_starts_ns=starts, consumption_wh=[consumption_wh] + [0] * (parts - 1),
            generation_wh=energies, soc_wh=[-1] * parts, grid_starts_ns=[], grid_import_wh=[], grid_export_wh=[], losses_wh=[],
        ))  # fmt: skip

    def certify(self, month: str = "2026-07", **fields: Any) -> dict[str, Any]:
        return self.ok(IssueMonthlyCertificates(month=month, **fields), self.registrar)

    def with_certificates(self, quantity: int = 110, month: str = "2026-07") -> "CertificatePark":
        """The plant has so many tradable certificates of the month."""
        self.meter(self.plant, f"{month}-10T12:00", quantity * WH_PER_MWH)
        self.certify(month)
        return self

    def output(self, *rows: tuple[int, int, GreenUse, int, int]) -> GreenOutput:
        """(quarter-hour of 10 July, device, use, holder, Wh)."""
        table = np.array([[at("2026-07-10T00:00") + quarter * PERIOD_NS, *rest] for quarter, *rest in sorted(rows)], np.int64).reshape(-1, 5)
        return GreenOutput(*(np.ascontiguousarray(column) for column in table.T))

    def held(self, account: int, symbol: str = JULY) -> int:
        instrument = self.exchange.rooms.instruments.by_symbol[symbol]
        return int(self.exchange.state.positions[instrument.slot, account].net_lots)

    def ended(self, place: House, symbol: str = JULY) -> int:
        return self.held(int(place), symbol)

    def granular(self, account: int, state: UnitState = UnitState.ISSUED) -> int:
        """Wh of an account's granular certificates."""
        registry = self.exchange.rooms.registry
        return sum(map(registry.quantity, registry.bundles_of(account, 0, state).tolist()))

    def serials(self, account: int, state: UnitState = UnitState.ISSUED, asset: int | None = None) -> list[str]:
        registry = self.exchange.rooms.registry
        return [str(registry.range_of(row)) for row in registry.bundles_of(account, asset, state).tolist()]

    def retire(self, symbol: str = JULY, quantity: int = 0, **changes: Any) -> RetireUnits:
        """For consumption of July 2026."""
        fields: dict[str, Any] = {
            "purpose": "Scope 2, July", "consumed_from_ns": at("2026-07-01T00:00"), "consumed_to_ns": at("2026-08-01T00:00"),
        }  # fmt: skip
        return RetireUnits(symbol=symbol, quantity_lots=quantity, **(fields | changes))

    def tick_notices(self, now_ns: int) -> list[Notice]:
        """What a step of time tells."""
        return self.tick(now_ns).notices


