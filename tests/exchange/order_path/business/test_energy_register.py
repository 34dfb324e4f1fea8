"""One register for projects and certificates: within the meter, within what is free, and never two claims on a Wh."""

import pytest

from exchange.metering.generation import periods_between_ns
from exchange.order_path.business.energy_register import EnergyRegister
from exchange.order_path.check import check_exchange
from exchange.protocol.documents import MeterReadings
from exchange.protocol.instrument_class import InstrumentClass
from exchange.protocol.value_chain.metering import RegisterDevice
from exchange.registry.claims import ClaimScheme
from exchange.units import PERIOD_NS
from tests.exchange.order_path.park import DAY_NS, Park

HOURS = periods_between_ns(DAY_NS, DAY_NS + 4 * PERIOD_NS)
END_NS = DAY_NS + 4 * PERIOD_NS
GENERATED_WH = [100, 0, 300, 50]


@pytest.fixture
def park() -> Park:
    """Devices 1 (no scheme), 2 (granular) and 3 (no scheme, never metered), each of its own account."""
    park = Park()
    for name, scheme in (("A", "none"), ("B", "granular"), ("C", "none")):
        account = park.admit(name, "generator", [], 0, 0, 0)
        device = RegisterDevice(account=account, name="pv", kind="pv", capacity_w=10_000, commissioned_ns=0, scheme=scheme)
        assert park.document(device)[0] == 0
    park.now_ns = END_NS
    first = park.exchange.rooms.devices.by_id[1].account
    readings = MeterReadings(
        revision=1, accounts=[first] * 4, period_starts_ns=HOURS.tolist(), consumption_wh=[0] * 4, generation_wh=GENERATED_WH, soc_wh=[-1] * 4,
        grid_starts_ns=[], grid_import_wh=[], grid_export_wh=[], losses_wh=[],
    )  # fmt: skip
    assert park.document(readings)[0] == 0
    return park


def test_what_is_metered_bounds_what_is_credited(park: Park) -> None:
    register = EnergyRegister(park.exchange)
    assert register.may_be_credited(1, DAY_NS, END_NS, 450)
    assert not register.may_be_credited(1, DAY_NS, END_NS, 451)
    assert not register.may_be_credited(1, DAY_NS, DAY_NS + PERIOD_NS, 101)
    # Where nothing is metered the evidence of the project is all there is; beyond the end of the readings they have a gap.
    assert register.may_be_credited(3, DAY_NS, END_NS, 10**9)
    assert register.may_be_credited(1, DAY_NS, END_NS + PERIOD_NS, 451)
    assert not register.may_be_credited(2, DAY_NS, END_NS, 1)
    assert not register.may_be_credited(4, DAY_NS, END_NS, 1)


def test_a_credit_claims_its_energy_once(park: Park) -> None:
    register, claims = EnergyRegister(park.exchange), park.exchange.rooms.certificates.claims
    register.claim(InstrumentClass.PCC, 1, DAY_NS, END_NS, 250)
    assert claims.claimed_wh(HOURS * 0 + 1, HOURS, ClaimScheme.PARK_CREDIT).tolist() == [100, 0, 150, 0]
    assert register.may_be_credited(1, DAY_NS, END_NS, 200)
    assert not register.may_be_credited(1, DAY_NS, END_NS, 201)
    register.claim(InstrumentClass.CCER, 1, DAY_NS, END_NS, 200)
    assert claims.claimed_wh(HOURS * 0 + 1, HOURS).tolist() == GENERATED_WH
    assert not register.may_be_credited(1, DAY_NS, END_NS, 1)
    register.claim(InstrumentClass.PCC, 3, DAY_NS, END_NS, 10)  # not metered here: nothing to enter
    assert claims.total_wh(ClaimScheme.PARK_CREDIT) == 250
    check_exchange(park.exchange)
