"""Scope 2 by member and park, and statements of products: a table, relations that always hold, and sums that must agree."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.carbon.books import CarbonBooks
from exchange.carbon.claimed_green import Retirement
from exchange.carbon.factors import FactorKind
from exchange.carbon.flows import Flows, attribute
from exchange.carbon.product import product_statement
from exchange.carbon.product_page import product_page
from exchange.carbon.rendering import report_to_text
from exchange.carbon.report import CarbonReport, Choices, YearInput, carbon_report, report_content
from exchange.carbon.scope2 import MemberAccount, certificates_used, location_ug, market_ug
from exchange.errors import InputError
from exchange.protocol.value_chain.accounting import EmissionFactor, RecordActivity
from tests.exchange.carbon.accounts import GWH, MWH, activity, entries
from tests.exchange.carbon.test_flows import flows, periods

AVERAGE = CarbonBooks().factors_of(2026).electricity(FactorKind.AVERAGE)
RESIDUAL = CarbonBooks().factors_of(2026).electricity(FactorKind.RESIDUAL)


def report_of(
    given_flows: Flows, retirements: tuple[Retirement, ...] = (), documents: tuple[RecordActivity, ...] = (), year: int = 2026, **choices: Any
) -> CarbonReport:
    """Accounts 33 onwards; the last one is the operator's."""
    n = len(given_flows.is_storage)
    roles = ["storage" if is_storage else "enterprise" for is_storage in given_flows.is_storage]
    roles[-1] = "operator"
    books = CarbonBooks()
    for document in documents:
        books.activities.add(document, document.account, 0)
    given_year = YearInput(
        year=year, as_of_seq=7, days=1, accounts=range(33, 33 + n), names=[f"M{row}" for row in range(n)], roles=roles,
        sums=attribute(given_flows), deductible_export_wh=0, retirements=retirements,
    )  # fmt: skip
    return carbon_report(given_year, books, Choices(**choices))


def gec(account: int, mwh: int) -> Retirement:
    return Retirement(account, 2026, "gec", mwh * MWH, f"GEC-{account}")


def three(**columns: Any) -> Flows:
    """A factory of 10 GWh with 2 of its own, a plant of 3 GWh, the operator; the grid gives the rest."""
    scaled = {name: [[value * GWH // 10 for value in row] for row in rows] for name, rows in columns.items()}
    return flows([[10 * GWH], [0], [0]], [[2 * GWH], [3 * GWH], [0]], **scaled)


@pytest.mark.parametrize(
    ("columns", "retired", "location_t", "market_t", "idle_mwh"),
    [
        ({}, [], 2_653, 3_048, 0),  # 5 GWh from the grid
        ({"direct_wh": [[30], [0], [0]]}, [], 2_653, 3_048, 0),
        ({}, [gec(33, 1_000)], 2_653, Fraction("2438.4"), 0),
        ({}, [gec(33, 6_000)], 2_653, 0, 1_000),
        ({"direct_wh": [[30], [0], [0]], "forgone_wh": [[50], [0], [0]]}, [], 2_653, 6_096, 0),  # all green sold: above location-based
        ({"forgone_wh": [[20], [0], [0]]}, [gec(33, 7_000)], 2_653, 0, 0),
        ({"covered_wh": [[40], [0], [0]]}, [gec(33, 1_000)], 2_653, 0, 0),
        ({"covered_wh": [[60], [0], [0]]}, [gec(33, 1_000)], 2_653, 0, 2_000),
    ],
)
def test_a_member(columns: dict[str, Any], retired: list[Retirement], location_t: int, market_t: Any, idle_mwh: int) -> None:
    member = report_of(three(**columns), tuple(retired)).members[0]
    assert member.scope2_location_g == location_t * 10**6
    assert member.scope2_market_g == market_t * 10**6
    assert member.certificates_idle_wh == idle_mwh * MWH


def test_matched_share_by_hour_and_over_the_year() -> None:
    """Eight quarter-hours: green of the first hour does not serve the second, a GEC serves the year only."""
    given_flows = flows([[10] * 8, [0] * 8], [[20] * 4 + [0] * 4, [0] * 8])
    member = report_of(given_flows).members[0]
    assert (member.matched_share_hourly_ppm, member.matched_share_annual_ppm) == (500_000, 500_000)
    covered = report_of(given_flows, (Retirement(33, 2026, "gec", 20, "x"),)).members[0]
    assert (covered.matched_share_hourly_ppm, covered.matched_share_annual_ppm) == (500_000, 750_000)


def test_certificates_of_the_operator_cover_its_own_use_and_then_the_network() -> None:
    given_flows = flows([[100], [5]], [[0], [0]], losses=[10])
    for retired, own, network in ((3, 3, 0), (12, 5, 7), (40, 5, 10)):
        report = report_of(given_flows, (Retirement(34, 2026, "gec", retired, "x"),))
        assert (report.members[1].gec_used_wh, report.scope2.network_gec_wh) == (own, network)
        assert report.scope2.uncovered_wh == 115 - own - network
        assert (report.park.gec_used_wh, report.park.charged_wh) == (retired, 115 - retired)


retirement = st.builds(Retirement, st.integers(33, 36), st.just(2026), st.sampled_from(["gec"]), st.integers(0, 300), st.just("x"))


@given(periods(), st.lists(retirement, max_size=4))
def test_members_and_network_sum_to_the_park(given_flows: Flows, retired: list[Retirement]) -> None:
    report = report_of(given_flows, tuple(retired))
    total = report.scope2
    assert sum(m.grid_wh for m in report.members) + total.network_wh == total.import_wh
    assert sum(m.scope2_location_g for m in report.members) + total.network_location_g == total.location_g
    assert sum(m.scope2_market_g for m in report.members) + total.network_market_g == total.market_g
    for m in report.members:
        assert m.uncovered_wh >= 0
        # One kWh, one line: what had to be covered is covered by one instrument or by none.
        assert m.covered_wh + m.gec_used_wh + m.uncovered_wh == m.grid_wh + m.lost_wh + m.forgone_wh
        assert m.scope2_location_g == round(Fraction(m.grid_wh * 5306, 10_000))
        assert m.scope2_market_g == round(Fraction(m.uncovered_wh * 6096, 10_000))
        assert m.matched_share_hourly_ppm <= m.matched_share_annual_ppm <= 1_000_000
    assert total.matched_share_hourly_ppm <= total.matched_share_annual_ppm


factor = st.integers(0, 900_000).map(lambda mg: EmissionFactor(publisher="x", year=2026, region="r", kind="average", mg_per_kwh=mg))
energy = st.integers(0, 10**13)


@given(energy, energy, factor)
def test_location_is_monotone_in_import(a_wh: int, b_wh: int, average: EmissionFactor) -> None:
    low, high = sorted((a_wh, b_wh))
    assert location_ug(low, average) <= location_ug(high, average)


@given(energy, energy, energy, energy)
def test_market_against_location(import_wh: int, covered_wh: int, gec_wh: int, forgone_wh: int) -> None:
    """Without instruments market = location x residual / average; each certificate lowers it; all sold is above location; all covered is nothing."""
    granular, by_gec = certificates_used(import_wh + forgone_wh, covered_wh, gec_wh)
    market = market_ug(import_wh + forgone_wh - granular - by_gec, RESIDUAL)
    assert market_ug(import_wh, RESIDUAL) * AVERAGE.mg_per_kwh == location_ug(import_wh, AVERAGE) * RESIDUAL.mg_per_kwh
    assert 0 <= market <= market_ug(import_wh + forgone_wh, RESIDUAL)
    assert (market == 0) == (covered_wh + gec_wh >= import_wh + forgone_wh)
    more = sum(certificates_used(import_wh + forgone_wh, covered_wh, gec_wh + 1_000))
    assert more >= granular + by_gec
    if not covered_wh + gec_wh:
        assert market >= location_ug(import_wh, AVERAGE)


def test_choices_are_used_and_stated() -> None:
    park = report_of(three(), indirect="residual").park
    assert park.indirect_electricity_g == 3_048 * 10**6
    assert park.indirect_factor == "MEE 2023 national residual: 0.6096 kgCO2/kWh"
    central = report_of(three(), region="central")
    assert central.scope2.location_g == round(5 * 527.1 * 10**6)
    assert [(factor.region, factor.kind, factor.mg_per_kwh) for factor in central.factors] == [
        ("central", "average", 527_100), ("national", "residual", 609_600),
    ]  # fmt: skip
    with pytest.raises(InputError, match="for nowhere"):
        report_of(three(), publisher="nobody", region="nowhere")


def test_scope_1_of_a_member_is_its_own() -> None:
    report = report_of(three(), documents=(activity("fuel", 1_000_000), activity("process", 500, account=34)))
    assert [m.scope1_g for m in report.members] == [2_162_200, 500, 0]
    assert report.park.total_g == report.park.indirect_electricity_g + 2_162_700


def member(**changes: Any) -> MemberAccount:
    return msgspec.structs.replace(report_of(three(direct_wh=[[30], [0], [0]]), (gec(33, 1_000),)).members[0], **changes)


def test_the_only_product_carries_the_whole_account() -> None:
    documents = (activity("product_output", 2_000_000_000), activity("fuel", 1_000_000))
    found = product_statement(2026, "bearings", member(scope1_g=2_162_200), entries(*documents), [gec(33, 1_000), gec(34, 5)], ["f"], 7, final=False)
    assert (found.electricity_wh, found.direct_green_wh, found.certificate_green_wh) == (10 * GWH, 5 * GWH, GWH)
    assert (found.direct_share_ppm, found.certificate_share_ppm, found.green_share_ppm) == (500_000, 100_000, 600_000)
    # 5 GWh x 0.5306 and 4 GWh x 0.6096 over two million pieces.
    assert (found.location_mg_per_unit, found.market_mg_per_unit, found.direct_mg_per_unit) == (1_326_500, 1_219_200, 1_081)
    assert [r.account for r in found.retirements] == [33]


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.integers(0, 10**6))
def test_products_and_the_rest_sum_to_the_account(used_kwh: list[int], rest_kwh: int) -> None:
    names = [f"p{number}" for number in range(len(used_kwh))]
    documents = [activity("product_output", 1_000, subject=name) for name in names]
    documents += [activity("product_electricity", kwh * 1000, subject=name) for name, kwh in zip(names, used_kwh, strict=True)]
    whole = member(consumption_wh=(sum(used_kwh) + rest_kwh) * 1000)
    made = [product_statement(2026, name, whole, entries(*documents), [], [], 7, final=True) for name in names]
    assert [statement.electricity_wh for statement in made] == [kwh * 1000 for kwh in used_kwh]
    total = sum(statement.scope2_market_g for statement in made)
    assert total <= whole.scope2_market_g
    if not rest_kwh and sum(used_kwh):
        assert total == whole.scope2_market_g


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        ([], "no output of bearings"),
        ([activity("product_output", 0)], "no output of bearings"),
        ([activity("product_output", 1), activity("product_output", 1, subject="rings")], "no electricity of bearings"),
        ([activity("product_output", 1), activity("product_electricity", 10 * GWH + 1)], "more electricity of its products"),
    ],
)
def test_products_without_records_are_refused(documents: list[RecordActivity], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        product_statement(2026, "bearings", member(), entries(*documents), [], [], 7, final=True)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Scope 2, market-based", "1,219.200", "60.00 %", "GEC-33", "meters, not counted", "5,250.000 MWh")),
        ("zh", ("市场法", "绿电占比", "60.00 %", "（不计入）", "5,250.000 MWh")),
    ],
)
def test_the_page_of_a_product(language: str, words: tuple[str, ...]) -> None:
    documents = entries(activity("product_output", 2_000_000, unit="<b>piece"))
    enterprise = member(name="M&M", direct_beyond_wh=5_250 * MWH)
    page = product_page(product_statement(2026, "bearings", enterprise, documents, [gec(33, 1_000)], ["f"], 7, final=False), language)
    assert page.startswith(f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}">')
    assert all(word in page for word in words)
    assert "M&amp;M" in page
    assert "<b>" not in page
    assert "script" not in page


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("E_park", "2,653.000", "carbon per unit energy", "open  (no activity data)", "needs", "Retired certificates", "GEC-33")),
        ("zh", ("园区碳排放总量", "2,653.000", "单位能耗碳排放", "未知  (无活动数据)", "还需绿证", "已核销凭证")),
    ],
)
def test_the_report_as_text(language: str, words: tuple[str, ...]) -> None:
    text = report_to_text(report_of(three(), (gec(33, 100),)), language)
    assert all(word in text for word in words), text
    assert language == "zh" or text.isascii() or "国" not in text


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", (
            "direct supply beyond the meters, not counted 9,000.000",
            "sold or expired beyond the meters, not counted 4,500.000",
            "Certificates beyond the meters, not counted",
            "M0 9,000.000 4,000.000",
        )),
        ("zh", (
            "超出计量的直供凭证（不计入） 9,000.000",
            "超出计量的已售出或过期凭证（不计入） 4,500.000",
            "超出计量的凭证（不计入）",
            "M0 9,000.000 4,000.000",
        )),
    ],
)  # fmt: skip
def test_what_is_beyond_the_meters_is_shown_by_park_and_member(language: str, lines: tuple[str, ...]) -> None:
    """12 GWh were delivered to who drew 8, of 3 that were fed in; gone are certificates of 9, of 2 + 3 that it used, and of half of one exported."""
    claims: dict[str, Any] = {"direct_wh": [[12 * GWH], [0], [0]], "forgone_wh": [[9 * GWH], [0], [0]], "gone": [GWH // 2]}
    report = report_of(flows([[10 * GWH], [0], [0]], [[2 * GWH], [3 * GWH], [0]], **claims))
    text = report_to_text(report, language)
    assert set(lines) <= {" ".join(line.split()) for line in text.splitlines()}, text
    content = report_content(report)
    assert (content["park"]["direct_beyond_wh"], content["park"]["forgone_beyond_wh"]) == (9 * GWH, 4_500 * MWH)
    assert [(m["direct_beyond_wh"], m["forgone_beyond_wh"]) for m in content["members"]] == [(9 * GWH, 4 * GWH), (0, 0), (0, 0)]
    assert "Certificates beyond" not in report_to_text(report_of(three()))


def test_totals_alone_tell_nothing_of_members() -> None:
    report = report_of(three(), (gec(33, 100),))
    totals = msgspec.json.encode(report_content(report, with_members=False)).decode()
    assert "M0" not in totals
    assert "GEC-33" not in totals
    assert len(report_content(report)["members"]) == 3
    assert len(report_content(report)["claims"]) == 35


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("14,720.172", "5,118.360", "2.876", "needs 25,814 GEC more", "90.00 %", "30.94 %", "10.00 %", "gap 7,320.000 MWh")),
        ("zh", ("14,720.172", "5,118.360", "2.876", "还需绿证 25,814 个", "90.00 %", "30.94 %", "10.00 %", "缺口 7,320.000 MWh")),
    ],
)
def test_the_report_of_the_demo_park(language: str, words: tuple[str, ...]) -> None:
    """Stories 5 and 6 of the market's rules: 38.4 GWh used, 13.2 generated, 1.32 exported, 300,000 m3 of gas."""
    year = flows([[38_400 * MWH], [0], [0]], [[11_880 * MWH], [1_320 * MWH], [0]], through=[1_320 * MWH])
    text = report_to_text(report_of(year, documents=(activity("fuel", 300_000_000),)), language)
    assert all(word in text for word in words), text
