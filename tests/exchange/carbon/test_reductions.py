"""Reductions, credits, buffers and the park's scheme: golden numbers, properties, and a table of states."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.carbon.energy_claims import EnergyClaims, SchemesOfDevices
from exchange.carbon.kinds import ProjectKind, kind_problem
from exchange.carbon.park_scheme import balance
from exchange.carbon.project_states import ProjectEvent, ProjectState, next_state
from exchange.carbon.reductions import UG_PER_G, UG_PER_T, adjusted_baseline_wh, earned, reductions_ug, reversal
from exchange.metering.devices import Devices
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.protocol.value_chain.park_scheme import ProductOutput
from exchange.units import WH_PER_MWH

MWH = WH_PER_MWH


@pytest.mark.parametrize(
    ("energy_wh", "mg_per_kwh", "credits_t"),
    [(11_880 * MWH, 530_600, 6_303), (11_880 * MWH, 609_600, 7_242), (1_800 * MWH, 530_600, 955)],
)
def test_golden_reductions(energy_wh: int, mg_per_kwh: int, credits_t: int) -> None:
    assert earned(reductions_ug(energy_wh, mg_per_kwh, 0, 0), 0, 0).credits_t == credits_t


def test_the_retrofit_carries_its_0_08_t() -> None:
    found = earned(reductions_ug(1_800 * MWH, 530_600, 0, 0), 0, 0)
    assert (found.credits_t, found.carry_ug) == (955, 8 * UG_PER_T // 100)
    # Thirteen such years bring the fourteenth ton of 0.08 t each to the full.
    carry, total = 0, 0
    for _ in range(13):
        year = earned(reductions_ug(1_800 * MWH, 530_600, 0, 0), 0, 0, carry)
        carry, total = year.carry_ug, total + year.credits_t
    assert (total, carry) == (13 * 955 + 1, 4 * UG_PER_T // 100)


def test_project_emissions_and_leakage_are_deducted() -> None:
    assert reductions_ug(1_000, 500_000, 200, 100) == 200 * UG_PER_G
    assert reductions_ug(1_000, 500_000, 400, 200) == -100 * UG_PER_G
    assert earned(-1, 0, 0, carry_ug=5) == (0, 5, 0, 0)


@given(
    st.lists(st.integers(-(10**18), 5 * 10**18), min_size=1, max_size=6), st.integers(0, 1_000_000), st.integers(0, 999_999),
)  # fmt: skip
def test_credits_are_the_floor_of_what_is_certain(amounts_ug: list[int], uncertainty_ppm: int, buffer_ppm: int) -> None:
    """Against exact fractions: owner and buffer together never have more than was verified, and lose less than a microgram a time each."""
    carry = buffer_carry = own = buffer = 0
    exact_own, exact_buffer = Fraction(0), Fraction(0)
    for amount in amounts_ug:
        found = earned(amount, uncertainty_ppm, buffer_ppm, carry, buffer_carry)
        carry, buffer_carry = found.carry_ug, found.buffer_carry_ug
        own, buffer = own + found.credits_t, buffer + found.buffer_t
        certain = max(0, amount) * (1 - Fraction(uncertainty_ppm, 10**6))
        exact_own += certain * (1 - Fraction(buffer_ppm, 10**6))
        exact_buffer += certain * Fraction(buffer_ppm, 10**6)
        assert 0 <= carry < UG_PER_T
        assert 0 <= buffer_carry < UG_PER_T
    assert 0 <= exact_own - (own * UG_PER_T + carry) < len(amounts_ug)
    assert 0 <= exact_buffer - (buffer * UG_PER_T + buffer_carry) < len(amounts_ug)


@pytest.mark.parametrize(
    ("constant", "per_unit", "values", "non_routine", "expected"),
    [
        (1_000, [], [], 0, 1_000),
        (1_000, [40], [50_000], 0, 3_000),
        (1_000, [40, -10], [50_000, 1_000], -200, 2_790),
        (0, [1], [999], 0, 0),  # rounded down
        (0, [-1], [1], 0, -1),  # never towards a saving
    ],
)
def test_adjusted_baseline(constant: int, per_unit: list[int], values: list[int], non_routine: int, expected: int) -> None:
    assert adjusted_baseline_wh(constant, per_unit, values, non_routine) == expected


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_reversal_takes_from_the_buffer_first(quantity: int, buffer: int, free: int) -> None:
    parts = reversal(quantity, buffer, free)
    assert sum(parts) == quantity
    assert parts.buffer_t == min(quantity, buffer)
    assert parts.debt_t == max(0, quantity - buffer - free)


S, E = ProjectState, ProjectEvent
ALLOWED = {
    (S.PROPOSED, E.VALIDATE, S.VALIDATED), (S.PROPOSED, E.REJECT, S.REJECTED), (S.VALIDATED, E.REGISTER, S.REGISTERED),
    (S.REGISTERED, E.MONITOR, S.MONITORING), (S.ISSUED, E.MONITOR, S.MONITORING), (S.MONITORING, E.VERIFY, S.VERIFIED),
    (S.MONITORING, E.SEND_BACK, S.REGISTERED), (S.VERIFIED, E.ISSUE, S.ISSUED),
}  # fmt: skip


def test_states_of_a_project() -> None:
    found = {(state, event, after) for state in S for event in E if (after := next_state(state, event)) is not None}
    assert found == ALLOWED


CCER, PCC = InstrumentClass.CCER, InstrumentClass.PCC


@pytest.mark.parametrize(
    ("kind", "units", "problem"),
    [
        ("pv_self_use", PCC, None), ("retrofit", PCC, None), ("offshore_wind", CCER, None), ("csp", CCER, None),
        ("pv_self_use", CCER, "kind_earns_no_ccer"), ("pv", CCER, "kind_earns_no_ccer"), ("onshore_wind", CCER, "kind_earns_no_ccer"),
        ("retrofit", CCER, "kind_earns_no_ccer"), ("pv", PCC, "kind_earns_no_credits"), ("onshore_wind", PCC, "kind_earns_no_credits"),
        ("offshore_wind", PCC, "kind_earns_other_credits"), ("pv_self_use", InstrumentClass.CEA, "kind_earns_other_credits"),
        ("dam", PCC, "unknown_project_kind"),
    ],
)  # fmt: skip
def test_what_a_kind_may_earn(kind: str, units: InstrumentClass, problem: str | None) -> None:
    assert kind_problem(kind, units) == problem


def test_only_offshore_wind_and_csp_may_choose_ccer() -> None:
    assert {kind for kind in ProjectKind if kind_problem(str(kind), CCER) is None} == {ProjectKind.OFFSHORE_WIND, ProjectKind.CSP}


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 30), st.integers(1, 6)), max_size=20))
def test_claims_are_disjoint(asked: list[tuple[int, int, int]]) -> None:
    """Against a set of hours."""
    claims, hours = EnergyClaims(), set()
    for device, start, length in asked:
        wanted = {(device, hour) for hour in range(start, start + length)}
        assert claims.is_claimed(device, start, start + length) is bool(wanted & hours)
        if not wanted & hours:
            claims.claim(device, start, start + length, 1, 1)
            hours |= wanted
    assert EnergyClaims.from_canonical(claims.to_canonical()) == claims


def test_a_device_with_a_scheme_has_certificates() -> None:
    devices = Devices()
    for scheme in ("none", "granular", "gec"):
        devices.add(RegisterDevice(account=33, name=scheme, kind="pv", capacity_w=1, commissioned_ns=0, scheme=scheme))
    register = SchemesOfDevices(devices)
    assert [register.may_be_credited(device, 0, 1, 1) for device in (1, 2, 3, 4)] == [True, False, False, False]


def output(product: str, units: int, emissions_g: int) -> ProductOutput:
    return ProductOutput(product=product, output_units=units, emissions_g=emissions_g)


@pytest.mark.parametrize(
    ("rows", "added_g", "credits_t", "obligation_t"),
    [
        ([output("a", 100, 90_000_000)], 0, 10, 0),
        ([output("a", 100, 110_000_001)], 0, 0, 11),
        ([output("a", 100, 90_000_001)], 0, 9, 0),
        ([output("a", 100, 90_000_000), output("b", 100, 210_000_000)], 0, 0, 0),  # one product pays for the other
        ([output("a", 100, 90_000_000)], 4_000_000, 6, 0),  # what projects have credits for is no second credit
        ([output("a", 100, 90_000_000)], 14_000_000, 0, 4),
    ],
)
def test_balance_of_a_member(rows: list[ProductOutput], added_g: int, credits_t: int, obligation_t: int) -> None:
    found = balance(rows, {"a": 1_000_000, "b": 2_000_000}, added_g)
    assert (found.credits_t, found.obligation_t) == (credits_t, obligation_t)
