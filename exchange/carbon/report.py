"""The carbon report of a year: park account, indicators, tests of direct connection, Scope 2 of every member and of the park. Pure.

The members' lines and the network's sum to the park's exactly: Wh because they do, grams because the network line takes what rounding leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from exchange.carbon import claims, packaged
from exchange.carbon.activity import ActivityEntry, ActivityKind
from exchange.carbon.books import CarbonBooks
from exchange.carbon.claimed_green import Retirement, gec_wh
from exchange.carbon.direct_connection import ConnectionTest, connection_tests
from exchange.carbon.factors import NATIONAL, FactorBook, FactorKind, grams
from exchange.carbon.flows import EnergySums
from exchange.carbon.indicators import Indicator, gec_needed, park_indicators
from exchange.carbon.matching import Share
from exchange.carbon.park import FuelSums, ParkAccount, ParkElectricity, park_account, sum_activities
from exchange.carbon.scope2 import MemberAccount, certificates_used, location_ug, market_ug, member_account
from exchange.protocol.value_chain.accounting import EmissionFactor

OPERATOR: Final = "operator"
STORAGE: Final = "storage"


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What a park may choose, stated in its report. `region` of the average; `indirect`: average or residual; export gross by default."""

    publisher: str = "MEE"
    region: str = NATIONAL
    indirect: str = "average"
    deduct_export: bool = False


class ParkScope2(msgspec.Struct, frozen=True, kw_only=True):
    """Scope 2 of the whole park: the sums of its members and of the network line, which holds the losses. Wh, grams, ppm.

    GEC that an operator retires cover the network line where its own account leaves them idle.
    """

    import_wh: int
    covered_wh: int
    uncovered_wh: int
    location_g: int
    market_g: int
    network_wh: int
    network_gec_wh: int
    network_location_g: int
    network_market_g: int
    matched_share_hourly_ppm: int
    matched_share_annual_ppm: int
    factor_average: str
    factor_residual: str


class CarbonReport(msgspec.Struct, frozen=True, kw_only=True):
    """`days`: settled days it is made of. `closed`: the year is final; then `restated` is the park by what is known now, where that differs.

    `gec_needed` is None where GEC alone are not enough, or no rule held. Years before the rules have no indicators and no tests.
    """

    year: int
    as_of_seq: int
    days: int
    closed: bool
    choices: Choices
    factors: list[EmissionFactor]
    park: ParkAccount
    restated: ParkAccount | None
    gec_needed: int | None
    indicators: list[Indicator]
    direct_connection: list[ConnectionTest]
    scope2: ParkScope2
    members: list[MemberAccount]
    retirements: list[Retirement]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class YearInput:
    """Rows of `sums` are `accounts`, each with its name and role."""

    year: int
    as_of_seq: int
    days: int
    accounts: Sequence[int]
    names: Sequence[str]
    roles: Sequence[str]
    sums: EnergySums
    deductible_export_wh: int
    retirements: Sequence[Retirement]


def carbon_report(given: YearInput, books: CarbonBooks, choices: Choices, current: YearInput | None = None) -> CarbonReport:
    """The report. `current`: of a closed year, what is known now. Raises InputError for a year without factors or a choice that there is none of."""
    factors = books.factors_of(given.year)
    average = factors.electricity(FactorKind.AVERAGE, choices.region, choices.publisher)
    residual = factors.electricity(FactorKind.RESIDUAL, choices.region, choices.publisher)
    indirect = factors.electricity(FactorKind(choices.indirect), choices.region, choices.publisher)
    rules, connection = packaged.rule_of_year("indicators", given.year), packaged.rule_of_year("direct_connection", given.year)
    electricity_mg = packaged.electricity_mg_ce_per_kwh()
    entries = list(books.activities.of_year(given.year, after_closing=False))
    members = _members(given, entries, factors, average, residual)
    power = _power(given)

    def account(of: ParkElectricity, counting: Sequence[ActivityEntry]) -> ParkAccount:
        return park_account(of, sum_activities(counting, factors), indirect, electricity_mg, deduct_export=choices.deduct_export)

    park = account(power, entries)
    now = None if current is None else account(_power(current), list(books.activities.of_year(given.year)))
    products = {entry.key.subject for entry in entries if entry.key.kind == ActivityKind.PRODUCT_OUTPUT}
    norms = {product: norm for product in products if (norm := books.norm(product, given.year)) is not None}
    green_wh = power.generation_wh - power.export_wh - power.forgone_wh + park.gec_used_wh
    connected_wh = power.generation_wh, min(power.export_wh, power.generation_wh), power.used_wh
    return CarbonReport(
        year=given.year, as_of_seq=given.as_of_seq, days=given.days, closed=given.year in books.closings, choices=choices,
        factors=list({factor.label: factor for factor in (average, residual, indirect)}.values()), park=park,
        restated=None if now == park else now, gec_needed=None if rules is None else gec_needed(park, rules),
        indicators=[] if rules is None else park_indicators(park, max(green_wh, 0), entries, norms, rules, electricity_mg),
        direct_connection=[] if connection is None else connection_tests(*connected_wh, connection),
        scope2=_scope2(given, members, average, residual), members=members, retirements=list(given.retirements),
    )  # fmt: skip


def report_content(report: CarbonReport, *, with_members: bool = True) -> dict[str, Any]:
    """Plain data for JSON, with the carbon indicator spelled out and the claims matrix. Without members and their retirements: totals alone."""
    content: dict[str, Any] = msgspec.to_builtins(report)
    content["park"]["micro_t_per_tce"] = report.park.micro_t_per_tce
    content["claims"] = [cell._asdict() for cell in claims.matrix().values()]
    if not with_members:
        del content["members"], content["retirements"]
    return content


def _power(given: YearInput) -> ParkElectricity:
    import_wh, export_wh, _, _, network_lost_wh, generation_wh, _, gone_beyond_wh = (int(value) for value in given.sums.park)
    forgone_wh = int(given.sums.forgone_wh.sum() + given.sums.lost_wh.sum()) + network_lost_wh
    return ParkElectricity(
        import_wh=import_wh, export_wh=export_wh, generation_wh=generation_wh, forgone_wh=forgone_wh,
        gec_retired_wh=gec_wh(given.retirements), granular_retired_wh=int(given.sums.covered_wh.sum()),
        deductible_export_wh=given.deductible_export_wh, direct_beyond_wh=int(given.sums.direct_beyond_wh.sum()),
        forgone_beyond_wh=int(given.sums.forgone_beyond_wh.sum()) + gone_beyond_wh,
    )  # fmt: skip


def _members(
    given: YearInput, entries: Sequence[ActivityEntry], factors: FactorBook, average: EmissionFactor, residual: EmissionFactor
) -> list[MemberAccount]:
    own: dict[int, list[ActivityEntry]] = {}
    for entry in entries:
        own.setdefault(entry.key.account, []).append(entry)
    return [
        member_account(
            account, given.names[row], given.roles[row], given.sums, row, gec_wh(given.retirements, account),
            sum_activities(own.get(account, ()), factors).scope1_ug if account in own else FuelSums().scope1_ug, average, residual,
        )
        for row, account in enumerate(given.accounts)
    ]  # fmt: skip


def _scope2(given: YearInput, members: Sequence[MemberAccount], average: EmissionFactor, residual: EmissionFactor) -> ParkScope2:
    import_wh, _, _, network_wh, network_lost_wh, _, matched_wh, _ = (int(value) for value in given.sums.park)
    left_wh = sum(gec_wh(given.retirements, member.account) - member.gec_used_wh for member in members if member.role == OPERATOR)
    network_gec_wh = certificates_used(network_wh + network_lost_wh, 0, left_wh)[1]
    uncovered_wh = sum(member.uncovered_wh for member in members) + network_wh + network_lost_wh - network_gec_wh
    location_g, market_g = grams(location_ug(import_wh, average)), grams(market_ug(uncovered_wh, residual))
    load_wh = int(given.sums.load_wh.sum())
    green_wh = sum(member.green_wh for member in members if member.role != STORAGE)
    return ParkScope2(
        import_wh=import_wh, covered_wh=sum(m.covered_wh + m.gec_used_wh for m in members) + network_gec_wh, uncovered_wh=uncovered_wh,
        location_g=location_g, market_g=market_g, network_wh=network_wh, network_gec_wh=network_gec_wh,
        network_location_g=location_g - sum(m.scope2_location_g for m in members),
        network_market_g=market_g - sum(m.scope2_market_g for m in members), matched_share_hourly_ppm=Share(matched_wh, load_wh).ppm,
        matched_share_annual_ppm=Share(min(green_wh, load_wh), load_wh).ppm, factor_average=average.label, factor_residual=residual.label,
    )  # fmt: skip
