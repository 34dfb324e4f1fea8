"""A national market and a park scheme to test with: a covered entity, its counterparties, two verifiers, a registrar."""

from typing import Any

from exchange.journal.record import CommandKind
from exchange.order_path.path import Exchange
from exchange.protocol.documents import Document
from exchange.protocol.value_chain.allowances import (
    AllocateAllowances,
    OutputLine,
    RegisterComplianceEntity,
    ReportEmissions,
    SurrenderAllowances,
    SurrenderLine,
    VerifyEmissions,
)
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.protocol.value_chain.projects import (
    ConfirmCreditOwner,
    EmissionFactor,
    EnergyRow,
    IssueCredits,
    ProposeProject,
    RegisterProject,
    RoutineVariable,
    SubmitMonitoring,
    ValidateProject,
    VerifyReductions,
)
from exchange.units import WH_PER_MWH
from tests.exchange.order_path.national import PERMISSIONS, allowance, at
from tests.exchange.order_path.park import Park, units_spec

T = 1_000_000  # g
REPORT = b"r" * 32
OPINION = b"o" * 32
CONTRACT = b"c" * 32
DESIGN = b"d" * 32
DATA = b"m" * 32
AVERAGE_2023 = EmissionFactor(publisher="MEE", year=2023, region="CN", kind="average", mg_per_kwh=530_600)
RESIDUAL_2023 = EmissionFactor(publisher="MEE", year=2023, region="CN", kind="residual", mg_per_kwh=609_600)


def offset(symbol: str = "CCER", **changes: Any) -> Any:
    """CCER with the trading days of allowances: previous close 67.56."""
    terms: dict[str, Any] = {
        "instrument_class": "ccer", "previous_close_ticks": 6_756, "band_low_ticks": 6_081, "band_high_ticks": 7_431,
    }  # fmt: skip
    return allowance(symbol, **(terms | changes))


def park_credit(symbol: str = "PCC-2026", **changes: Any) -> Any:
    return units_spec(symbol, instrument_class="pcc", venue="internal", resale="free", **changes)


class CarbonMarket(Park):
    """From the evening of 2 March 2026 on. `entity` is covered; `trader` has 500,000 CEA25 and 10,000 CCER; nobody else has any."""

    def __init__(self, exchange: Exchange | None = None) -> None:
        super().__init__(exchange)
        self.now_ns = at("20:00", "2026-03-02")
        self.entity = self.admit("E07", "enterprise", PERMISSIONS, cash_cny=1_000_000)
        self.trader = self.admit("T01", "enterprise", PERMISSIONS, cash_cny=50_000_000)
        self.esco = self.admit("ESCO1", "esco", ["pcc_sell"], cash_cny=0)
        self.host = self.admit("E11", "enterprise", PERMISSIONS, cash_cny=100_000)
        self.verifier = self.admit("V01", "verifier", [], cash_cny=0)
        self.second_verifier = self.admit("V02", "verifier", [], cash_cny=0)
        self.registrar = self.admit("REG", "registrar", [], cash_cny=0)
        symbols = self.list(allowance("CEA24"), allowance("CEA25"), allowance("CEA26"), offset(), park_credit())
        self.cea24, self.cea, self.cea26, self.ccer, self.pcc = symbols
        self.issue(self.trader, "CEA25", 500_000)
        self.issue(self.trader, "CCER", 10_000)
        self.ok(
            RegisterComplianceEntity(
                account=self.entity, sector="power", sources=["boiler-1"], boundary="plant 1", boundary_projects=["CCER-77"]
            )
        )  # fmt: skip

    def ok(self, document: Document, account: int = 32) -> dict[str, Any]:
        """The answer of a document that has to be taken."""
        code, answer = self.document(document, account)
        assert code == 0, answer
        return answer

    def refused(self, document: Document, account: int = 32) -> Any:
        """The rule that refuses a document."""
        code, answer = self.document(document, account)
        assert code != 0
        return answer.get("rule", code)

    def go(self, time: str, day: str) -> Any:
        return self.tick(at(time, day))

    def lots(self, account: int, instrument: int) -> int:
        return int(self.exchange.state.positions[self.exchange.instrument_by_id(instrument).slot, account].net_lots)

    # The national scheme

    def pre_allocate(self, base_t: int = 50_000, year: int = 2025) -> dict[str, Any]:
        symbol = f"CEA{year - 2000}"
        return self.ok(AllocateAllowances(account=self.entity, year=year, symbol=symbol, stage="pre", base_emissions_g=base_t * T))

    def final(self, allowances_t: int, year: int = 2025) -> AllocateAllowances:
        """So many t by output and benchmark: electricity at 0.8 t/MWh, with a factor of 1.25."""
        output = OutputLine(product="electricity", output_units=allowances_t, benchmark_g_per_unit=800_000, factors_ppm=[1_250_000])
        return AllocateAllowances(account=self.entity, year=year, symbol=f"CEA{year - 2000}", stage="final", outputs=[output])

    def report(self, emissions_t: int = 52_000, year: int = 2025) -> dict[str, Any]:
        return self.ok(ReportEmissions(year=year, emissions_g=emissions_t * T, report_sha256=REPORT), self.entity)

    def verification(self, emissions_t: int = 52_000, year: int = 2025) -> VerifyEmissions:
        return VerifyEmissions(account=self.entity, year=year, emissions_g=emissions_t * T, report_sha256=REPORT)

    def verified(self, emissions_t: int = 52_000, year: int = 2025) -> dict[str, Any]:
        self.report(emissions_t, year)
        return self.ok(self.verification(emissions_t, year), self.verifier)

    def surrender(self, *units: tuple[Any, ...], year: int = 2025) -> SurrenderAllowances:
        """(symbol, lots) or (symbol, lots, origin) a line."""
        lines = [SurrenderLine(symbol=row[0], quantity_lots=row[1], origin=row[2] if len(row) > 2 else "") for row in units]
        return SurrenderAllowances(year=year, units=lines)

    # Projects

    def retrofit(self, **changes: Any) -> ProposeProject:
        """Story 10: the ESCO's measure at the host, who owns the credits; the baseline has a constant and one variable."""
        terms: dict[str, Any] = {
            "name": "compressors", "kind": "retrofit", "host": self.host, "symbol": "PCC-2026", "credit_owner": self.host,
            "contract_sha256": CONTRACT, "design_sha256": DESIGN, "factor": AVERAGE_2023, "starts_ns": at("00:00", "2025-01-01"),
            "measure": "compressed air", "baseline_wh": 1_000 * WH_PER_MWH, "variables": [RoutineVariable(name="tons", wh_per_unit=40_000)],
        }  # fmt: skip
        return ProposeProject(**(terms | changes))

    def photovoltaics(self, *, scheme: str = "none", ets_source: bool = False, name: str = "roof", kind: str = "pv") -> int:
        """A device at the host."""
        document = RegisterDevice(
            account=self.host, name=name, kind=kind, capacity_w=12_000_000, commissioned_ns=at("00:00", "2024-01-01"), scheme=scheme,
            ets_source=ets_source,
        )  # fmt: skip
        return int(self.ok(document)["device"])

    def solar(self, *devices: int, **changes: Any) -> ProposeProject:
        """The host's own photovoltaics, used behind its meter."""
        terms: dict[str, Any] = {"name": "roof", "kind": "pv_self_use", "devices": [*devices], "measure": "", "baseline_wh": 0, "variables": []}
        return self.retrofit(**(terms | changes))

    def registered(self, document: ProposeProject, developer: int, buffer_ppm: int = 0, number: str = "P-1") -> int:
        """A project on its way up to its registration."""
        project = int(self.ok(document, developer)["project"])
        if developer != document.host:
            self.ok(ConfirmCreditOwner(project=project, credit_owner=document.credit_owner, contract_sha256=CONTRACT), document.host)
        self.ok(ValidateProject(project=project, is_positive=True, is_additional=True, opinion_sha256=OPINION), self.second_verifier)
        period = {"credits_from_ns": at("00:00", "2025-01-01"), "credits_to_ns": at("00:00", "2030-01-01")}
        self.ok(RegisterProject(project=project, number=number, buffer_ppm=buffer_ppm, **period), self.registrar)
        return project

    def monitoring(self, project: int, **changes: Any) -> SubmitMonitoring:
        """The year 2025. A retrofit: baseline 1,000 MWh + 40 kWh x 50,000, minus 1,200 MWh metered: 1,800 MWh saved."""
        terms: dict[str, Any] = {
            "period_start_ns": at("00:00", "2025-01-01"), "period_end_ns": at("00:00", "2026-01-01"), "data_sha256": DATA,
            "metered_wh": 1_200 * WH_PER_MWH, "variables_milli": [50_000_000],
        }  # fmt: skip
        return SubmitMonitoring(project=project, **(terms | changes))

    def generation(self, project: int, device: int, energy_wh: int, **changes: Any) -> SubmitMonitoring:
        """Self-used energy of 2025 as one row."""
        terms: dict[str, Any] = {"metered_wh": 0, "variables_milli": []}
        start_ns = changes.get("period_start_ns", at("00:00", "2025-01-01"))
        end_ns = changes.get("period_end_ns", at("00:00", "2026-01-01"))
        terms["energy"] = [EnergyRow(device=device, start_ns=start_ns, end_ns=end_ns, energy_wh=energy_wh)]
        return self.monitoring(project, **(terms | changes))

    def verification_of(self, project: int, answer: dict[str, Any], **changes: Any) -> VerifyReductions:
        terms: dict[str, Any] = {
            "monitoring_sha256": bytes.fromhex(answer["sha256"]), "verified_wh": answer["energy_wh"], "uncertainty_ppm": 0, "opinion_sha256": OPINION,
        }  # fmt: skip
        return VerifyReductions(project=project, **(terms | changes))

    def credited(self, project: int, document: SubmitMonitoring, sender: int, quantity_lots: int, **changes: Any) -> dict[str, Any]:
        """Monitored, verified and issued."""
        answer = self.ok(document, sender)
        self.ok(self.verification_of(project, answer, **changes), self.verifier)
        return self.ok(IssueCredits(project=project, quantity_lots=quantity_lots), self.registrar)

    def void(self) -> Any:
        """A command that moves nothing but time."""
        return self.send(self.record(CommandKind.TICK, 0))
