"""Scope 2 of a member and of the park, by location and by market (docs/rules.md, "Scope 2"), in micrograms: energy times factor, exact.

    location = grid x EF_average
    market   = (grid + forgone + lost - covered - GEC) x EF_residual

forgone: own or direct green whose certificate was sold or has expired. lost: the same of generation in the park that was delivered to nobody.
"""

import msgspec

from exchange.carbon.claims import CarbonAccount, Instrument, counting_wh
from exchange.carbon.factors import electricity_ug, grams
from exchange.carbon.flows import EnergySums
from exchange.carbon.matching import Share
from exchange.protocol.value_chain.accounting import EmissionFactor


class MemberAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The year of one account: Wh, grams, and emissions of its own fuels and processes (Scope 1).

    consumption = self_use + direct + grid + undelivered + discharge, but for a storage, which uses none of its generation; `lost_wh` is the part of
    `undelivered_wh` whose certificate is gone. `gec_used_wh` and
    `covered_wh` are what certificates covered, `certificates_idle_wh` what was retired beyond the energy they could cover (an
    operator's: before the network line takes its part). `direct_beyond_wh` and `forgone_beyond_wh` are in no other figure: direct supply, and green
    whose certificate is gone, that certificates say and the meters do not bear out. Shares are ppm.
    """

    account: int
    name: str
    role: str
    consumption_wh: int
    generation_wh: int
    self_use_wh: int
    direct_wh: int
    grid_wh: int
    undelivered_wh: int
    discharge_wh: int
    forgone_wh: int
    direct_beyond_wh: int
    forgone_beyond_wh: int
    lost_wh: int
    covered_wh: int
    gec_used_wh: int
    certificates_idle_wh: int
    scope1_g: int
    scope2_location_g: int
    scope2_market_g: int
    matched_share_hourly_ppm: int
    matched_share_annual_ppm: int

    @property
    def uncovered_wh(self) -> int:
        """Energy at the residual factor."""
        return self.grid_wh + self.lost_wh + self.forgone_wh - self.covered_wh - self.gec_used_wh

    @property
    def green_wh(self) -> int:
        """Energy with a live claim: own, direct, granular, GEC."""
        return self.self_use_wh + self.direct_wh - self.forgone_wh + self.covered_wh + self.gec_used_wh


def location_ug(grid_wh: int, average: EmissionFactor) -> int:
    """What own or direct green lowers it has lowered already: it was not imported. No instrument does."""
    return electricity_ug(grid_wh, average)


def market_ug(uncovered_wh: int, residual: EmissionFactor) -> int:
    return electricity_ug(uncovered_wh, residual)


def certificates_used(base_wh: int, covered_wh: int, gec_wh: int) -> tuple[int, int]:
    """(by granular certificates, by GEC): what covers a base of received energy, each Wh once. The matrix says what counts at all."""
    granular = min(counting_wh({Instrument.GRANULAR: covered_wh}, CarbonAccount.SCOPE2_MARKET), base_wh)
    gec = min(counting_wh({Instrument.GEC: gec_wh}, CarbonAccount.SCOPE2_MARKET), base_wh - granular)
    return granular, gec


def member_account(
    account: int, name: str, role: str, sums: EnergySums, row: int, gec_wh: int, scope1_ug: int, average: EmissionFactor, residual: EmissionFactor
) -> MemberAccount:
    """The account of one row of the sums. `gec_wh`: GEC it retired for the year."""
    base_wh = int(sums.received_wh[row] + sums.forgone_wh[row])
    granular, gec = certificates_used(base_wh, int(sums.covered_wh[row]), gec_wh)
    load, self_use, direct, forgone = (int(getattr(sums, name)[row]) for name in ("load_wh", "self_use_wh", "direct_wh", "forgone_wh"))
    green = self_use + direct - forgone + granular + gec
    return MemberAccount(
        account=account, name=name, role=role, consumption_wh=int(sums.consumption_wh[row]), generation_wh=int(sums.generation_wh[row]),
        self_use_wh=self_use, direct_wh=direct, grid_wh=int(sums.grid_wh[row]), undelivered_wh=int(sums.undelivered_wh[row]),
        discharge_wh=int(sums.discharge_wh[row]), forgone_wh=forgone, direct_beyond_wh=int(sums.direct_beyond_wh[row]),
        forgone_beyond_wh=int(sums.forgone_beyond_wh[row]), lost_wh=int(sums.lost_wh[row]), covered_wh=granular, gec_used_wh=gec,
        certificates_idle_wh=int(sums.idle_wh[row]) + int(sums.covered_wh[row]) - granular + gec_wh - gec, scope1_g=grams(scope1_ug),
        scope2_location_g=grams(location_ug(int(sums.grid_wh[row]), average)),
        scope2_market_g=grams(market_ug(base_wh - granular - gec, residual)),
        matched_share_hourly_ppm=Share(int(sums.matched_wh[row]), load).ppm, matched_share_annual_ppm=Share(min(green, load), load).ppm,
    )  # fmt: skip
