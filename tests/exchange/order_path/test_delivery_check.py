"""Certificates against the meters of who they say used the energy: faults, corrections, and a recount in plain Python over random days."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.order_path.business import settle
from exchange.order_path.business.granular import issue_granular
from exchange.order_path.carbon_queries import year_report
from exchange.order_path.claim_check import claim_breaches
from exchange.order_path.delivery_check import BeyondMeters, Side, certificates_beyond_meters
from exchange.protocol.documents import MeterReadings
from exchange.protocol.value_chain.metering import CorrectReadings, FinalizeMonth
from exchange.protocol.value_chain.units import TransferUnits, WithdrawUnits
from exchange.registry.green_output import GreenOutput, GreenUse
from exchange.registry.lifecycle import UnitState
from exchange.units import NS_PER_DAY, PERIOD_NS
from tests.exchange.order_path.business.certificate_park import CertificatePark, at
from tests.exchange.order_path.business.test_granular import NOON, quarter_ns
from tests.exchange.order_path.park import DAY_NS
from tests.exchange.order_path.settling_park import KWH, SettlingPark

JULY_NS, AUGUST_NS = at("2026-07-01T00:00"), at("2026-08-01T00:00")
PLANT, LOAD, OTHER = 33, 34, 35


def settled_park() -> SettlingPark:
    """10 kWh sold in each of two quarter-hours; the load used 11, the plant generated 15 and used 3 of them: 10 delivered, 3 its own, 2 exported."""
    park = SettlingPark()
    park.register_pv()
    for period in range(2):
        park.trade(park.load, 100, period=period)
    park.deliver()
    park.ok(park.readings({park.load: 11 * KWH, park.plant: 3 * KWH}, {park.plant: 15 * KWH}))
    assert park.settle()[0] == 0
    return park


def correct(park: SettlingPark, period: int, used_kwh: int, own_kwh: int = 3, made_kwh: int = 15) -> None:
    """July is closed and the meters of one quarter-hour are corrected: of the load, and of the plant's own use and generation."""
    if not park.exchange.rooms.meters.months.closed:
        park.tick(AUGUST_NS + NS_PER_DAY)
        park.ok(FinalizeMonth(month="2026-07", month_start_ns=JULY_NS, month_end_ns=AUGUST_NS, accept_gaps=True))
    readings = park.readings(
        {park.load: used_kwh * KWH, park.plant: own_kwh * KWH}, {park.plant: made_kwh * KWH}, starts_ns=[park.starts_ns[period]]
    )  # fmt: skip
    park.ok(CorrectReadings(reason="wrong transformer factor", **msgspec.structs.asdict(readings)))


def settled_wrongly(fault: "Fault", monkeypatch: pytest.MonkeyPatch) -> SettlingPark:
    """As `settled_park`, with what settlement hands to the registry altered on the way."""
    monkeypatch.setattr(settle, "issue_granular", lambda exchange, output: issue_granular(exchange, fault(output)))
    return settled_park()


def found(park: SettlingPark) -> list[tuple[int, int, Side, int, int, bool]]:
    """What is beyond, in kWh, by the number of its quarter-hour."""
    return [
        (one.account, park.starts_ns.index(one.start_ns), one.side, one.certified_wh // KWH, one.metered_wh // KWH, one.is_corrected)
        for one in certificates_beyond_meters(park.exchange)
    ]


def beyond_kwh(park: SettlingPark) -> tuple[int, int]:
    """Figures of the carbon report that certificates beyond the meters have."""
    account = year_report(park.exchange, 2026).park
    return account.direct_beyond_wh // KWH, account.forgone_beyond_wh // KWH


Fault = Callable[[GreenOutput], GreenOutput]


def _changed(output: GreenOutput, of: GreenUse, **values: int) -> GreenOutput:
    """Rows of a use with other values."""
    return replace(output, **{name: np.where(output.use == of, value, getattr(output, name)) for name, value in values.items()})


def handed_on(output: GreenOutput) -> GreenOutput:
    """What nobody bought goes to the load."""
    return _changed(output, GreenUse.EXPORTED, use=int(GreenUse.DELIVERED), holder=LOAD)


def own_use_sold(output: GreenOutput) -> GreenOutput:
    """What was used behind the plant's meter is certified as exported."""
    return _changed(output, GreenUse.SELF_USE, use=int(GreenUse.EXPORTED))


def export_kept(output: GreenOutput) -> GreenOutput:
    """What was exported is certified as own use."""
    return _changed(output, GreenUse.EXPORTED, use=int(GreenUse.SELF_USE))


def to_another(output: GreenOutput) -> GreenOutput:
    """Delivered to who has no meter."""
    return _changed(output, GreenUse.DELIVERED, holder=OTHER)


FAULTS: dict[str, tuple[Fault, int, Side, int, int]] = {
    "more than it withdrew": (handed_on, LOAD, Side.RECEIVED, 12, 11),
    "more than it fed in": (own_use_sold, PLANT, Side.SENT, 15, 12),
    "more than its own use": (export_kept, PLANT, Side.OWN, 5, 3),
    "to who withdrew nothing": (to_another, OTHER, Side.RECEIVED, 10, 0),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_at_settlement_is_named_in_every_quarter_hour(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No device is claimed beyond its meter, so the check of claims has nothing to say."""
    fault, account, side, certified, metered = FAULTS[case]
    park = settled_wrongly(fault, monkeypatch)
    assert (park.plant, park.load, park.other) == (PLANT, LOAD, OTHER)
    assert claim_breaches(park.exchange) == []
    assert found(park) == [(account, period, side, certified, metered, False) for period in range(2)]


def test_a_correction_after_the_settlement_is_no_fault_and_waits_for_the_registrar() -> None:
    park = settled_park()
    registrar = park.admit("R", "registrar", [], cash_cny=0)
    assert (found(park), beyond_kwh(park)) == ([], (0, 0))
    correct(park, 1, used_kwh=7)
    assert found(park) == [(park.load, 1, Side.RECEIVED, 10, 7, True)]
    assert beyond_kwh(park) == (3, 0)
    # Whose they are by now makes no difference: they say that the load used it.
    park.ok(TransferUnits(symbol="", to_account=park.other, reference="sold", quantity_lots=4 * KWH), park.load)
    assert found(park) == [(park.load, 1, Side.RECEIVED, 10, 7, True)]
    park.ok(TransferUnits(symbol="", to_account=park.load, reference="bought back", quantity_lots=4 * KWH), park.other)
    serials = [
        str(park.exchange.rooms.registry.range_of(row))
        for row in park.exchange.rooms.registry.bundles_of(park.load, 0, UnitState.ISSUED).tolist()
        if int(park.exchange.rooms.registry.rows[row]["period_start_ns"]) == park.starts_ns[1]
    ]
    park.ok(WithdrawUnits(account=park.load, symbol="", reference="corrected", ranges=serials), registrar)
    assert (found(park), beyond_kwh(park)) == ([], (0, 0))


def test_a_correction_that_is_corrected_back_leaves_nothing() -> None:
    park = settled_park()
    correct(park, 0, used_kwh=9)
    correct(park, 0, used_kwh=10)
    assert (found(park), beyond_kwh(park)) == ([], (0, 0))


def test_more_own_use_than_was_certified_leaves_less_to_send() -> None:
    """The plant used 4 behind its meter, not 3: of 12 kWh that are certified as sent 11 were fed in."""
    park = settled_park()
    correct(park, 0, used_kwh=11, own_kwh=4)
    assert found(park) == [(park.plant, 0, Side.SENT, 12, 11, True)]


def test_less_generation_than_was_certified_is_missing_where_it_was_sent() -> None:
    park = settled_park()
    correct(park, 0, used_kwh=11, made_kwh=12)
    assert found(park) == [(park.plant, 0, Side.SENT, 12, 9, True)]
    assert beyond_kwh(park) == (1, 0)


def test_a_correction_excuses_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load was given 12 while its meter showed 11: it stays a fault when the meter is corrected to less, and is none when to more."""
    park = settled_wrongly(handed_on, monkeypatch)
    correct(park, 0, used_kwh=9)
    correct(park, 1, used_kwh=12)
    assert found(park) == [(park.load, 0, Side.RECEIVED, 12, 9, False)]


def test_a_sentence_names_account_time_and_both_energies() -> None:
    sides = [str(BeyondMeters(33, DAY_NS + 40 * PERIOD_NS, side, 12_000, 9_000, False)) for side in Side]
    assert sides == [
        "account 33 at 2026-07-15T10:00+08:00: certificates say 12,000 Wh delivered to it, its meters withdrew 9,000 Wh",
        "account 33 at 2026-07-15T10:00+08:00: certificates say 12,000 Wh delivered or exported from it, its meters fed in 9,000 Wh",
        "account 33 at 2026-07-15T10:00+08:00: certificates say 12,000 Wh used behind its meter, its meters show 9,000 Wh of own use",
    ]


# Random days against a recount.

energy = st.integers(0, 6)
Energies = list[list[tuple[int, int]]]  # (used, generated) by account and quarter-hour
meters = st.lists(st.lists(st.tuples(energy, energy), min_size=2, max_size=2), min_size=3, max_size=3)
Row = tuple[int, GreenUse, int, int]  # quarter-hour, use, holder, Wh
issued = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(GreenUse), st.integers(0, 2), st.integers(1, 4)), max_size=6, unique_by=lambda one: one[:3]
)  # fmt: skip


def put(park: CertificatePark, accounts: list[int], energies: Energies, revision: int) -> None:
    """Readings of all accounts at noon and in the quarter-hour behind it; corrections from the second on."""
    cells = [cell for of_account in energies for cell in of_account]
    starts_ns = [quarter_ns(NOON), quarter_ns(NOON + 1)]
    fields: dict[str, Any] = {
        "revision": revision, "accounts": [account for account in accounts for _ in starts_ns], "period_starts_ns": starts_ns * 3,
        "consumption_wh": [used for used, _ in cells], "generation_wh": [made for _, made in cells], "soc_wh": [-1] * 6, "grid_starts_ns": [],
        "grid_import_wh": [], "grid_export_wh": [], "losses_wh": [],
    }  # fmt: skip
    park.ok(MeterReadings(**fields) if revision == 1 else CorrectReadings(reason="again", **fields))


def recounted(runs: list[tuple[list[Row], Energies]], accounts: list[int], now: Energies) -> set[tuple[int, int, Side, int, int, bool]]:
    """`runs`: what was issued and the meters as they were then, in order. The plant is the first account."""
    certified: dict[tuple[int, int, Side], int] = defaultdict(int)
    known: dict[tuple[int, int, Side], Energies] = {}
    for rows, then in runs:
        for quarter, use, holder, energy_wh in rows:
            receiving = (accounts[holder], quarter, Side.RECEIVED)
            sides = {
                GreenUse.SELF_USE: [(accounts[holder], quarter, Side.OWN)],
                GreenUse.DELIVERED: [(accounts[0], quarter, Side.SENT), receiving],
                GreenUse.EXPORTED: [(accounts[0], quarter, Side.SENT)],
            }
            for cell in sides[use]:
                certified[cell] += energy_wh
                known[cell] = then

    def metered(account: int, quarter: int, side: Side, of: Energies) -> int:
        used, made = of[accounts.index(account)][quarter]
        return {Side.RECEIVED: max(used - made, 0), Side.SENT: max(made - used, 0), Side.OWN: min(used, made)}[side]

    return {
        (*cell, energy_wh, metered(*cell, now), energy_wh <= metered(*cell, known[cell]))
        for cell, energy_wh in certified.items()
        if energy_wh > metered(*cell, now)
    }


@given(issued, issued, meters, st.lists(meters, max_size=3))
def test_any_day_is_as_recounted(first: list[Row], second: list[Row], then: Energies, later: list[Energies]) -> None:
    """Certificates of two devices of the plant: of one before all corrections, of the other behind the first one."""
    park = CertificatePark("granular")
    accounts, other = [park.plant, park.user, park.other], park.device(park.plant, "shed", "pv", "granular")
    versions = [then, *later]

    def issue(device: int, rows: list[Row]) -> None:
        issue_granular(park.exchange, park.output(*((NOON + quarter, device, use, accounts[holder], wh) for quarter, use, holder, wh in rows)))

    put(park, accounts, then, 1)
    issue(park.pv, first)
    park.tick(AUGUST_NS + NS_PER_DAY)
    park.ok(FinalizeMonth(month="2026-07", month_start_ns=JULY_NS, month_end_ns=AUGUST_NS, accept_gaps=True))
    for number, energies in enumerate(later, 1):
        put(park, accounts, energies, number + 1)
        if number == 1:
            issue(other, second)
    runs = [(first, then), (second, later[0])] if later else [(first, then)]
    told = certificates_beyond_meters(park.exchange)
    found = {(one.account, (one.start_ns - quarter_ns(NOON)) // PERIOD_NS, *one[2:]) for one in told}
    assert found == recounted(runs, accounts, versions[-1])
    assert told == sorted(told, key=lambda one: (one.start_ns, one.account, one.side))
