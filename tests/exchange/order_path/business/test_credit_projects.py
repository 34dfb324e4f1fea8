"""Projects from proposal to issuance and reversal: golden numbers, and a row for every refusal, each of which leaves the state as it was."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from exchange.carbon.project_states import ProjectState
from exchange.ledger.chart import House
from exchange.order_path import canonical
from exchange.order_path.business import credit_issuance, credit_projects
from exchange.order_path.check import check_exchange
from exchange.protocol.documents import ChangeParticipant, Document, IssueUnits, encode_document
from exchange.protocol.reject_codes import RejectCode
from exchange.protocol.value_chain.allowances import RegisterComplianceEntity, SetCarbonRules
from exchange.protocol.value_chain.projects import (
    ConfirmCreditOwner,
    EnergyRow,
    IssueCredits,
    RegisterProject,
    ReverseCredits,
    SubmitMonitoring,
    ValidateProject,
    VerifyReductions,
)
from exchange.protocol.value_chain.units import FreezeUnits, LockUnits, TransferUnits, UnfreezeUnits
from exchange.units import WH_PER_MWH
from tests.exchange.order_path.carbon_market import CONTRACT, DATA, OPINION, RESIDUAL_2023, CarbonMarket
from tests.exchange.order_path.national import at

MWH = WH_PER_MWH
DAY = {"period_start_ns": at("00:00", "2026-01-01"), "period_end_ns": at("00:00", "2026-01-02")}


def test_the_retrofit_of_story_ten_earns_its_host_955_credits_and_carries_0_08() -> None:
    market = CarbonMarket()
    project = market.registered(market.retrofit(), market.esco)
    document = market.monitoring(project)
    answer = market.credited(project, document, market.esco, 955)
    assert answer == {"credits_lots": 955, "withheld_lots": 0, "buffer_lots": 0, "carry_ug": 80_000 * 1_000_000}
    assert (market.lots(market.host, market.pcc), market.lots(market.esco, market.pcc)) == (955, 0)
    (view,) = market.exchange.credit_projects(market.esco)
    (evidence,) = view.issuances
    assert (view.state, view.symbol, view.factor) == ("issued", "PCC-2026", ("MEE", 2023, "CN", "average", 530_600))
    assert (evidence.baseline_wh, evidence.energy_wh, evidence.reductions_g) == (3_000 * MWH, 1_800 * MWH, 955_080_000)
    assert evidence.monitoring_sha256 == hashlib.sha256(encode_document(document)).hexdigest()
    assert (evidence.data_sha256, evidence.verifier, view.validator) == (DATA.hex(), market.verifier, market.second_verifier)
    check_exchange(market.exchange)


@pytest.mark.parametrize(("changes", "credits_t"), [({}, 6_303), ({"factor": RESIDUAL_2023}, 7_242)])
def test_self_used_photovoltaics(changes: dict[str, Any], credits_t: int) -> None:
    market = CarbonMarket()
    device = market.photovoltaics()
    project = market.registered(market.solar(device, **changes), market.host)
    market.credited(project, market.generation(project, device, 11_880 * MWH), market.host, credits_t)
    assert market.lots(market.host, market.pcc) == credits_t
    assert market.exchange.rooms.credits.energy.total_wh() == 11_880 * MWH


def test_uncertainty_buffer_project_emissions_and_leakage() -> None:
    """(955.08 - 5 - 0.08) x 0.9 x 0.8 = 684 for the owner, x 0.9 x 0.2 = 171 for the buffer."""
    market = CarbonMarket()
    project = market.registered(market.retrofit(), market.esco, buffer_ppm=200_000)
    document = market.monitoring(project, project_emissions_g=5_000_000, leakage_g=80_000)
    answer = market.credited(project, document, market.esco, 684, uncertainty_ppm=100_000)
    assert answer == {"credits_lots": 684, "withheld_lots": 0, "buffer_lots": 171, "carry_ug": 0}
    assert (market.lots(market.host, market.pcc), market.lots(House.FROZEN, market.pcc)) == (684, 171)
    assert market.exchange.credit_buffer_t("PCC-2026") == 171
    assert market.exchange.credit_buffer_t("nothing") == 0


def test_a_verifier_may_accept_less_than_was_monitored() -> None:
    market = CarbonMarket()
    project = market.registered(market.retrofit(), market.esco)
    market.credited(project, market.monitoring(project), market.esco, 530, verified_wh=1_000 * MWH)


def test_a_site_that_used_more_than_its_baseline_earns_nothing() -> None:
    market = CarbonMarket()
    project = market.registered(market.retrofit(), market.esco)
    answer = market.credited(project, market.monitoring(project, metered_wh=3_001 * MWH), market.esco, 0)
    assert answer["credits_lots"] == 0


def test_non_routine_adjustments_move_the_baseline() -> None:
    market = CarbonMarket()
    project = market.registered(market.retrofit(), market.esco)
    answer = market.ok(market.monitoring(project, non_routine_wh=-800 * MWH), market.esco)
    assert answer["energy_wh"] == 1_000 * MWH


def test_a_carry_goes_to_the_next_issuance() -> None:
    market = CarbonMarket()
    project = market.registered(market.retrofit(variables=[], baseline_wh=1_800 * MWH), market.esco)
    terms = {"metered_wh": 0, "variables_milli": []}
    market.credited(project, market.monitoring(project, **terms), market.esco, 955)
    # 1,728 MWh are 916.8768 t, with the 0.08 carried 916.9568.
    second = market.monitoring(project, **(terms | DAY | {"metered_wh": 72 * MWH}))
    market.credited(project, second, market.esco, 916)
    assert market.exchange.rooms.credits.projects.by_id[project].carry_ug == 956_800 * 1_000_000
    check_exchange(market.exchange)


def test_a_negative_opinion_sends_the_monitoring_back() -> None:
    market = CarbonMarket()
    project = market.registered(market.retrofit(), market.esco)
    answer = market.ok(market.monitoring(project), market.esco)
    market.ok(market.verification_of(project, answer, is_positive=False), market.verifier)
    assert market.exchange.rooms.credits.projects.by_id[project].state is ProjectState.REGISTERED
    market.credited(project, market.monitoring(project), market.esco, 955)


def test_a_rejected_project_frees_its_measure() -> None:
    market = CarbonMarket()
    project = int(market.ok(market.retrofit(host=market.esco, credit_owner=market.esco), market.esco)["project"])
    opinion = ValidateProject(project=project, is_positive=False, is_additional=False, opinion_sha256=OPINION)
    assert market.ok(opinion, market.verifier) == {"state": "rejected"}
    market.registered(market.retrofit(host=market.esco, credit_owner=market.esco), market.esco)


def with_buffer(market: CarbonMarket) -> int:
    """764 credits for the host and 191 in the buffer."""
    project = market.registered(market.retrofit(), market.esco, buffer_ppm=200_000)
    market.credited(project, market.monitoring(project), market.esco, 764)
    return project


def test_what_was_issued_too_much_is_cancelled_from_the_buffer_first() -> None:
    market = CarbonMarket()
    project = with_buffer(market)
    first = market.ok(ReverseCredits(project=project, monitoring=1, quantity_lots=100, reason="meter"), market.registrar)
    assert first == {"from_buffer_lots": 100, "from_owner_lots": 0, "debt_lots": 0}
    second = market.ok(ReverseCredits(project=project, monitoring=1, quantity_lots=100, reason="meter"))
    assert second == {"from_buffer_lots": 91, "from_owner_lots": 9, "debt_lots": 0}
    assert (market.lots(market.host, market.pcc), market.lots(House.WITHDRAWN, market.pcc)) == (755, 200)
    check_exchange(market.exchange)


def test_what_the_owner_no_longer_has_is_owed_by_the_next_issuance() -> None:
    market = CarbonMarket()
    project = with_buffer(market)
    market.ok(TransferUnits(symbol="PCC-2026", to_account=market.trader, reference="gift", quantity_lots=700), market.host)
    answer = market.ok(ReverseCredits(project=project, monitoring=1, quantity_lots=955, reason="fire"))
    assert answer == {"from_buffer_lots": 191, "from_owner_lots": 64, "debt_lots": 700}
    again = market.credited(project, market.monitoring(project, **DAY), market.esco, 764)
    assert (again["withheld_lots"], market.lots(market.host, market.pcc)) == (700, 64)
    check_exchange(market.exchange)


def test_the_buffer_is_no_freeze_that_somebody_could_lift_and_its_units_are_those_of_their_issuance() -> None:
    market = CarbonMarket()
    project = with_buffer(market)
    freeze = market.ok(FreezeUnits(account=market.host, symbol="PCC-2026", reference="dispute", quantity_lots=50))["freeze"]
    market.ok(UnfreezeUnits(freeze=freeze, reference="settled"))
    assert market.lots(House.FROZEN, market.pcc) == 191
    registry = market.exchange.rooms.registry
    rows = registry.bundles_of(market.host, market.pcc)
    assert {(int(registry.rows[row].source), int(registry.rows[row].vintage)) for row in rows} == {(project, 202500)}
    market.ok(ReverseCredits(project=project, monitoring=1, quantity_lots=50, reason="meter"))
    market.ok(ReverseCredits(project=project, monitoring=1, quantity_lots=141, reason="meter"))
    assert (market.lots(House.FROZEN, market.pcc), market.lots(market.host, market.pcc)) == (0, 764)
    check_exchange(market.exchange)


class Frozen:
    """A register of certificates that notes what it is asked."""

    def __init__(self) -> None:
        self.devices: list[int] = []
        self.is_free = True

    def may_be_credited(self, device: int, start_ns: int, end_ns: int, energy_wh: int) -> bool:
        return self.is_free

    def freeze_untraded(self, devices: list[int]) -> None:
        self.devices += devices


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Frozen:
    """In place of the one of the exchange."""
    register = Frozen()
    for module in (credit_projects, credit_issuance):
        monkeypatch.setattr(module, "certificates", lambda _: register)
    return register


def test_who_chooses_ccer_has_the_untraded_certificates_frozen(register: Frozen) -> None:
    market = CarbonMarket()
    device = market.photovoltaics(kind="wind")
    project = market.registered(market.solar(device, kind="offshore_wind", symbol="CCER"), market.host)
    assert register.devices == [device]
    market.credited(project, market.generation(project, device, 1_000 * MWH), market.host, 530)
    assert market.lots(market.host, market.ccer) == 530


def test_a_project_that_earns_park_credits_freezes_nothing(register: Frozen) -> None:
    market = CarbonMarket()
    market.registered(market.solar(market.photovoltaics()), market.host)
    assert register.devices == []


def test_certificates_that_come_between_verification_and_issuance_are_seen(register: Frozen) -> None:
    market = CarbonMarket()
    device = market.photovoltaics()
    project = market.registered(market.solar(device), market.host)
    answer = market.ok(market.generation(project, device, 1_000 * MWH), market.host)
    market.ok(market.verification_of(project, answer), market.verifier)
    register.is_free = False
    assert market.refused(IssueCredits(project=project, quantity_lots=530)) == "energy_has_certificates"


# What is refused. A preparation may return a project or a device; the document is made of it.

Prepare = Callable[[CarbonMarket], Any]
Make = Callable[[CarbonMarket, Any], Document]


def nothing(_: CarbonMarket) -> Any:
    return None


def roof(**changes: Any) -> Prepare:
    return lambda market: market.photovoltaics(**changes)


def proposed(market: CarbonMarket) -> int:
    return int(market.ok(market.retrofit(), market.esco)["project"])


def confirmed(market: CarbonMarket) -> int:
    project = proposed(market)
    market.ok(ConfirmCreditOwner(project=project, credit_owner=market.host, contract_sha256=CONTRACT), market.host)
    return project


def validated(market: CarbonMarket) -> int:
    project = confirmed(market)
    market.ok(ValidateProject(project=project, is_positive=True, is_additional=True, opinion_sha256=OPINION), market.second_verifier)
    return project


def registered(market: CarbonMarket) -> int:
    return market.registered(market.retrofit(), market.esco)


def solar(market: CarbonMarket) -> int:
    """Project 1 with device 1; devices 2 and 3 stand at the host and belong to no project."""
    device = market.photovoltaics()
    market.photovoltaics(name="second")
    market.photovoltaics(name="third", scheme="gec")
    return market.registered(market.solar(device), market.host)


def monitored(market: CarbonMarket) -> int:
    project = registered(market)
    market.ok(market.monitoring(project), market.esco)
    return project


def verified(market: CarbonMarket) -> int:
    project = registered(market)
    answer = market.ok(market.monitoring(project), market.esco)
    market.ok(market.verification_of(project, answer), market.verifier)
    return project


def issued(market: CarbonMarket) -> int:
    project = registered(market)
    market.credited(project, market.monitoring(project), market.esco, 955)
    return project


def covered_host(market: CarbonMarket) -> None:
    market.ok(RegisterComplianceEntity(account=market.host, sector="steel", sources=["kiln"], boundary="works"))


def dependent(market: CarbonMarket) -> int:
    """The verifier belongs to the ESCO."""
    project = monitored(market)
    market.ok(ChangeParticipant(account=market.verifier, beneficial_owner=market.esco, reason="bought"))
    return project


def holding(market: CarbonMarket) -> int:
    project = monitored(market)
    market.ok(IssueUnits(account=market.verifier, symbol="PCC-2026", quantity_lots=1, reference="gift"))
    return project


def too_long(market: CarbonMarket) -> int:
    """One year is the most that the rules allow, and 2025 would be the second: 2026 was its validation."""
    market.ok(SetCarbonRules(from_year=2025, verifier_years_max=1, validator_may_verify=True))
    return monitored(market)


def solar_monitored(market: CarbonMarket) -> int:
    """A monitoring of the roof waits; another project of an earlier version of the table has had credits for the same energy since."""
    project = solar(market)
    answer = market.ok(market.generation(project, 1, MWH), market.host)
    market.ok(market.verification_of(project, answer), market.verifier)
    market.exchange.rooms.credits.energy.claim(1, at("00:00", "2025-06-01"), at("00:00", "2025-06-02"), MWH, 9)
    return project


def propose(**changes: Any) -> Make:
    return lambda market, _: market.retrofit(**changes)


def propose_solar(**changes: Any) -> Make:
    return lambda market, device: market.solar(device, **changes)


def monitor(**changes: Any) -> Make:
    return lambda market, project: market.monitoring(project, **changes)


def generate(device: int = 1, energy_wh: int = MWH, **changes: Any) -> Make:
    return lambda market, project: market.generation(project, device, energy_wh, **changes)


def last_digest(market: CarbonMarket, project: int) -> bytes:
    return market.exchange.rooms.credits.projects.by_id[project].monitorings[-1].digest


def verify(**changes: Any) -> Make:
    def made(market: CarbonMarket, project: int) -> VerifyReductions:
        terms: dict[str, Any] = {"verified_wh": 1_800 * MWH, "uncertainty_ppm": 0, "opinion_sha256": OPINION}
        return VerifyReductions(**({"project": project, "monitoring_sha256": last_digest(market, project)} | terms | changes))

    return made


def register_as(**changes: Any) -> Make:
    period = {"credits_from_ns": at("00:00", "2025-01-01"), "credits_to_ns": at("00:00", "2030-01-01")}
    return lambda _, project: RegisterProject(**({"project": project, "number": "P-9", "buffer_ppm": 0} | period | changes))


def opinion(**changes: Any) -> Make:
    terms: dict[str, Any] = {"is_positive": True, "is_additional": True, "opinion_sha256": OPINION}
    return lambda _, project: ValidateProject(**({"project": project} | terms | changes))


def owner(**changes: Any) -> Make:
    return lambda market, project: ConfirmCreditOwner(**({"project": project, "credit_owner": market.host, "contract_sha256": CONTRACT} | changes))


def credit(lots: int) -> Make:
    return lambda _, project: IssueCredits(project=project, quantity_lots=lots)


def reverse(**changes: Any) -> Make:
    terms: dict[str, Any] = {"monitoring": 1, "quantity_lots": 1, "reason": "meter"}
    return lambda _, project: ReverseCredits(**({"project": project} | terms | changes))


ROW = {"start_ns": at("00:00", "2025-01-01"), "end_ns": at("00:00", "2025-01-02"), "energy_wh": 1}
TWICE = [EnergyRow(device=1, **ROW), EnergyRow(device=1, **(ROW | {"start_ns": at("12:00", "2025-01-01")}))]
NO_PERMISSION = RejectCode.NO_PERMISSION

REFUSED: list[tuple[Prepare, Make, str, Any]] = [
    (nothing, propose(), "operator", NO_PERMISSION),
    (nothing, propose(), "verifier", NO_PERMISSION),
    (nothing, propose(host=999), "esco", "unknown_account"),
    (nothing, propose(symbol="nothing"), "esco", "unknown_instrument"),
    (nothing, propose(kind="dam"), "esco", "unknown_project_kind"),
    (nothing, propose(kind="pv", symbol="CCER"), "esco", "kind_earns_no_ccer"),
    (nothing, propose(kind="onshore_wind", symbol="CCER"), "esco", "kind_earns_no_ccer"),
    (nothing, propose(symbol="CCER"), "esco", "kind_earns_no_ccer"),
    (nothing, propose(name=""), "esco", "name_malformed"),
    (nothing, propose(contract_sha256=b""), "esco", "digest_malformed"),
    (nothing, propose(carrier="hope"), "esco", "unknown_carrier"),
    (nothing, propose(measure=""), "esco", "devices_or_measure"),
    (nothing, propose(devices=[1]), "esco", "devices_or_measure"),
    (nothing, propose(kind="pv_self_use"), "esco", "devices_or_measure"),
    (nothing, propose(reduces_sources=["x"] * 33), "esco", "too_many_rows"),
    (nothing, propose(baseline_wh=-1), "esco", "baseline_out_of_range"),
    (nothing, propose(starts_ns=-1), "esco", "start_out_of_range"),
    (nothing, lambda m, _: m.retrofit(credit_owner=m.trader), "esco", "credit_owner_is_no_party"),
    (nothing, lambda m, _: m.retrofit(host=m.verifier, credit_owner=m.verifier), "esco", "role_holds_no_units"),
    (proposed, lambda m, _: m.retrofit(credit_owner=m.esco), "esco", "reductions_are_claimed_already"),  # both claim it
    (proposed, lambda m, _: m.retrofit(), "host", "reductions_are_claimed_already"),
    (covered_host, propose(reduces_sources=["kiln"]), "esco", "inside_covered_source"),
    (covered_host, propose(carrier="fuel"), "esco", "inside_covered_source"),
    (roof(), propose_solar(baseline_wh=1), "host", "baseline_of_generation_is_its_energy"),
    (roof(), lambda m, device: m.solar(device, device), "host", "device_named_twice"),
    (roof(), lambda m, device: m.solar(device + 1), "host", "unknown_device"),
    (roof(), lambda m, device: m.solar(device, host=m.esco, credit_owner=m.esco), "esco", "unknown_device"),
    (roof(kind="wind"), propose_solar(), "host", "device_of_another_kind"),
    (roof(ets_source=True), propose_solar(), "host", "inside_covered_source"),
    (solar, lambda m, _: m.solar(1, 2), "host", "reductions_are_claimed_already"),
    (nothing, owner(project=9), "host", "unknown_project"),
    (proposed, owner(), "trader", "not_the_host"),
    (proposed, lambda m, project: owner(credit_owner=m.esco)(m, project), "host", "credits_are_claimed_by_both"),
    (proposed, owner(contract_sha256=b"x" * 32), "host", "other_contract"),
    (confirmed, owner(), "host", "confirmed_already"),
    (nothing, opinion(project=9), "verifier", "unknown_project"),
    (proposed, opinion(), "verifier", "credit_owner_not_confirmed"),
    (confirmed, opinion(is_additional=False), "verifier", "not_additional"),
    (confirmed, opinion(opinion_sha256=b""), "verifier", "digest_malformed"),
    (confirmed, opinion(), "registrar", NO_PERMISSION),
    (validated, opinion(), "verifier", "project_is_validated"),
    (confirmed, register_as(), "registrar", "project_is_proposed"),
    (validated, register_as(), "verifier", NO_PERMISSION),
    (validated, register_as(number=""), "registrar", "name_malformed"),
    (validated, register_as(buffer_ppm=1_000_000), "registrar", "buffer_out_of_range"),
    (validated, register_as(credits_from_ns=at("00:00", "2024-12-31")), "registrar", "crediting_period_out_of_order"),
    (validated, register_as(credits_to_ns=at("00:00", "2025-01-01")), "registrar", "crediting_period_out_of_order"),
    (registered, register_as(), "registrar", "project_is_registered"),
    (nothing, lambda m, _: m.monitoring(9), "esco", "unknown_project"),
    (validated, monitor(), "esco", "project_is_validated"),
    (registered, monitor(), "trader", "not_your_project"),
    (registered, monitor(period_end_ns=at("00:00", "2026-07-01")), "esco", "period_out_of_order"),  # of the future
    (registered, monitor(period_start_ns=at("00:00", "2026-01-01")), "esco", "period_out_of_order"),
    (registered, monitor(period_start_ns=at("00:00", "2024-12-31")), "esco", "outside_crediting_period"),
    (registered, monitor(data_sha256=b""), "esco", "digest_malformed"),
    (registered, monitor(leakage_g=-1), "esco", "emissions_out_of_range"),
    (registered, monitor(variables_milli=[]), "esco", "variables_differ_from_the_baseline"),
    (registered, monitor(variables_milli=[-1]), "esco", "variable_out_of_range"),
    (registered, monitor(metered_wh=-1), "esco", "energy_out_of_range"),
    (registered, monitor(non_routine_wh=-3_001 * MWH), "esco", "baseline_out_of_range"),
    (registered, monitor(energy=[EnergyRow(device=1, **ROW)]), "esco", "devices_or_measure"),
    (monitored, monitor(), "esco", "project_is_monitoring"),
    (issued, monitor(), "esco", "monitored_already"),
    (solar, monitor(energy=[EnergyRow(device=1, **ROW)]), "host", "baseline_of_generation_is_its_energy"),
    (solar, generate(energy=[]), "host", "too_many_rows"),
    (solar, generate(device=2), "host", "unknown_device"),
    (solar, generate(energy_wh=0), "host", "energy_above_capacity"),
    (solar, generate(energy_wh=12 * 8_760 * MWH + 1), "host", "energy_above_capacity"),
    (solar, generate(energy=TWICE), "host", "energy_twice"),
    (solar, generate(energy=[EnergyRow(device=1, **(ROW | {"end_ns": at("00:00", "2026-01-02")}))]), "host", "energy_outside_period"),
    (monitored, verify(), "esco", NO_PERMISSION),
    (registered, lambda m, project: VerifyReductions(
        project=project, monitoring_sha256=b"", verified_wh=0, uncertainty_ppm=0, opinion_sha256=OPINION), "verifier", "project_is_registered"),
    (monitored, verify(monitoring_sha256=b"x" * 32), "verifier", "other_monitoring"),
    (monitored, verify(opinion_sha256=b""), "verifier", "digest_malformed"),
    (monitored, verify(verified_wh=1_800 * MWH + 1), "verifier", "verified_above_monitored"),
    (monitored, verify(verified_wh=-1), "verifier", "verified_above_monitored"),
    (monitored, verify(uncertainty_ppm=1_000_001), "verifier", "uncertainty_out_of_range"),
    (monitored, verify(), "second_verifier", "verifier_validated_the_project"),
    (dependent, verify(), "verifier", "verifier_is_tied_to_client"),
    (holding, verify(), "verifier", "verifier_holds_units"),
    (too_long, verify(), "second_verifier", "verifier_has_the_client_too_long"),
    (verified, verify(), "verifier", "project_is_verified"),
    (monitored, credit(955), "registrar", "project_is_monitoring"),
    (verified, credit(956), "registrar", "above_verified_volume"),
    (verified, credit(954), "registrar", "below_verified_volume"),
    (verified, credit(-1), "registrar", "below_verified_volume"),
    (verified, credit(955), "verifier", NO_PERMISSION),
    (issued, credit(955), "registrar", "project_is_issued"),  # twice
    (solar_monitored, credit(0), "registrar", "energy_is_claimed_already"),
    (nothing, reverse(project=9), "registrar", "unknown_project"),
    (verified, reverse(), "registrar", "nothing_was_issued"),
    (issued, reverse(monitoring=2), "registrar", "nothing_was_issued"),
    (issued, reverse(quantity_lots=956), "registrar", "above_issued_volume"),
    (issued, reverse(quantity_lots=0), "registrar", "above_issued_volume"),
    (issued, reverse(reason=""), "registrar", "reason_malformed"),
    (issued, reverse(), "esco", NO_PERMISSION),
]  # fmt: skip


@pytest.mark.parametrize(("prepare", "document", "sender", "rule"), REFUSED)
def test_what_is_refused_changes_nothing(prepare: Prepare, document: Make, sender: str, rule: Any) -> None:
    market = CarbonMarket()
    made = document(market, prepare(market))
    before = canonical.content(market.exchange)
    assert market.refused(made, 32 if sender == "operator" else getattr(market, sender)) == rule
    after = canonical.content(market.exchange)
    # A command has been sequenced: that alone is another state.
    assert {name: value for name, value in after.items() if name != "counters"} == {
        name: value for name, value in before.items() if name != "counters"
    }


def test_a_number_is_given_once() -> None:
    market = CarbonMarket()
    market.registered(market.retrofit(), market.esco, number="P-9")
    project = int(market.ok(market.retrofit(measure="lamps", host=market.esco, credit_owner=market.esco), market.esco)["project"])
    market.ok(ValidateProject(project=project, is_positive=True, is_additional=True, opinion_sha256=OPINION), market.verifier)
    assert market.refused(register_as()(market, project), market.registrar) == "number_taken"


def test_energy_with_certificates_earns_no_credits() -> None:
    """A device of a certificate scheme may be in a project, but its energy has certificates."""
    market = CarbonMarket()
    device = market.photovoltaics(scheme="gec")
    project = market.registered(market.solar(device), market.host)
    assert market.refused(market.generation(project, device, MWH), market.host) == "energy_has_certificates"


def test_claimed_energy_is_refused_when_it_is_monitored() -> None:
    market = CarbonMarket()
    device = market.photovoltaics()
    project = market.registered(market.solar(device), market.host)
    market.exchange.rooms.credits.energy.claim(device, at("00:00", "2025-06-01"), at("00:00", "2025-06-02"), MWH, 9)
    assert market.refused(market.generation(project, device, MWH), market.host) == "energy_is_claimed_already"


def test_locked_credits_are_not_taken_from_their_owner() -> None:
    market = CarbonMarket()
    project = market.registered(market.retrofit(), market.esco)
    market.credited(project, market.monitoring(project), market.esco, 955)
    market.ok(LockUnits(symbol="PCC-2026", beneficiary=market.trader, reference="loan", quantity_lots=900), market.host)
    answer = market.ok(ReverseCredits(project=project, monitoring=1, quantity_lots=100, reason="meter"))
    assert answer == {"from_buffer_lots": 0, "from_owner_lots": 55, "debt_lots": 45}


def test_monitoring_is_of_the_project_of_its_sender() -> None:
    market = CarbonMarket()
    project = market.registered(market.retrofit(), market.esco)
    document = market.monitoring(project)
    assert isinstance(document, SubmitMonitoring)
    market.ok(document, market.host)  # who owns the credits may send it too
