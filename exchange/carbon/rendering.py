"""The carbon report, the claims matrix and the factors as text, in English or Chinese."""

from collections.abc import Iterable
from typing import Final

from exchange.carbon import claims
from exchange.carbon.indicators import Indicator
from exchange.carbon.park import ParkAccount
from exchange.carbon.report import CarbonReport
from exchange.carbon.scope2 import MemberAccount
from exchange.carbon.wording import COLUMN, Language, mwh, name, pad, percent, ratio, tonnes
from exchange.protocol.value_chain.accounting import EmissionFactor, FuelFactor

_LABEL_CELLS: Final = 54
_NUMBER_CELLS: Final = 18
_MARKS: Final[dict[Language, tuple[str, str]]] = {"en": ("refused", "allowed"), "zh": ("不允许", "允许")}
_PARK_LINES: Final = (
    ("fuel_g", "fuels burnt", "化石燃料燃烧"),
    ("conversion_g", "fuels converted to power and heat", "能源加工转换"),
    ("indirect_electricity_g", "received electricity", "净受入电力"),
    ("indirect_heat_g", "received heat", "净受入热力"),
    ("process_g", "industrial processes", "工业生产过程"),
    ("total_g", "E_park", "园区碳排放总量"),
    ("bunker_g", "bunker fuel, beside the total", "国际航运航空燃料（另列）"),
)
_POWER_LINES: Final = (
    ("import_wh", "imported", "网购电量"),
    ("generation_wh", "generated in the park", "园区发电量"),
    ("export_wh", "exported", "上网电量"),
    ("electricity_used_wh", "used in the park", "园区用电量"),
    ("forgone_wh", "green used, its certificate sold or expired", "绿证已售出或过期的绿电"),
    ("direct_beyond_wh", "direct supply beyond the meters, not counted", "超出计量的直供凭证（不计入）"),
    ("forgone_beyond_wh", "sold or expired beyond the meters, not counted", "超出计量的已售出或过期凭证（不计入）"),
    ("gec_used_wh", "covered by retired GEC", "已核销绿证抵扣"),
    ("gec_idle_wh", "retired GEC beyond the import", "超出网购电量的绿证"),
    ("export_deducted_wh", "export deducted", "扣除的上网电量"),
    ("charged_wh", "at the factor", "按因子计入电量"),
)


def report_to_text(report: CarbonReport, language: Language = "en") -> str:
    """The whole report as lines."""
    zh = language == "zh"
    state = ("已封账" if zh else "final") if report.closed else ("初步" if zh else "preliminary")
    days = f"{report.days} 个已结算日" if zh else f"{report.days} settled days"
    lines = [f"{'碳核算报告' if zh else 'Carbon report'} {report.year}  ({state}, {days}, as_of_seq {report.as_of_seq})"]
    lines += [f"  {factor.label}  {factor.source}" for factor in report.factors]
    lines += _park(report.park, "园区核算，t CO2" if zh else "Park account, t CO2", language)
    if report.restated is not None:
        lines += _park(report.restated, "按封账后最新数据的园区核算，t CO2" if zh else "Park account by what is known now, t CO2", language)
    if report.indicators:
        lines += _indicators(report, language)
    if report.direct_connection:
        lines += _connection(report, language)
    lines += _scope2(report, language)
    lines += _beyond_meters(report, language)
    lines += _retirements(report, language)
    lines += ["", "权益抵扣规则" if zh else "Which claim lowers which account", *_matrix_table(language)]
    return "\n".join(lines) + "\n"


def matrix_to_text(language: Language = "en") -> str:
    """The claims matrix as a table, then the reason and source of every cell."""
    column = COLUMN[language]
    lines = [*_matrix_table(language), ""]
    for (instrument, account), cell in claims.matrix().items():
        reason = cell.reason_zh if language == "zh" else cell.reason_en
        head = f"{claims.NAMES[instrument][column]} / {claims.NAMES[account][column]}: {_MARKS[language][cell.allowed]}"
        lines.append(f"{head}: {reason} [{cell.source}]")
    return "\n".join(lines) + "\n"


def _matrix_table(language: Language) -> list[str]:
    column, accounts = COLUMN[language], list(claims.CarbonAccount)
    lines = [pad("", 24) + "".join(pad(claims.NAMES[account][column], 20) for account in accounts)]
    for instrument in claims.Instrument:
        cells = (_MARKS[language][claims.is_allowed(instrument, account)] for account in accounts)
        lines.append(pad(claims.NAMES[instrument][column], 24) + "".join(pad(cell, 20) for cell in cells))
    return [line.rstrip() for line in lines]


def factors_to_text(grid: Iterable[EmissionFactor], fuels: Iterable[FuelFactor]) -> str:
    """One line a factor with its source."""
    lines = [f"{factor.label}  {factor.source}" for factor in grid]
    lines += [f"{fuel.publisher} {fuel.year} {fuel.region} {fuel.fuel}: {_content(fuel)}  {fuel.source}" for fuel in fuels]
    return "\n".join(lines) + "\n"


def _content(fuel: FuelFactor) -> str:
    coal = f"{fuel.mg_ce_per_unit / 1e6:g} kgce/{fuel.unit}"
    if fuel.mg_co2_per_unit:
        return f"{fuel.mg_co2_per_unit / 1e6:g} kgCO2/{fuel.unit}, {coal}"
    return (
        f"{fuel.ncv_kj_per_unit / 1000:g} MJ/{fuel.unit} x {fuel.carbon_ug_per_kj / 1000:g} kgC/GJ x {fuel.oxidation_ppm / 1e6:g} x 44/12, {coal}"
    )


def _park(park: ParkAccount, title: str, language: Language) -> list[str]:
    column = COLUMN[language]
    lines = ["", title]
    lines += [_row(line[1 + column], tonnes(getattr(park, line[0]))) for line in _PARK_LINES]
    lines += [_row("综合能源消费量，tce" if column else "comprehensive energy use, tce", tonnes(park.energy_gce))]
    lines += ["", "电量，MWh" if column else "Electricity, MWh"]
    return lines + [_row(line[1 + column], mwh(getattr(park, line[0]))) for line in _POWER_LINES]


def _verdict(passed: bool | None, language: Language) -> str:
    if passed is None:
        return "未知" if language == "zh" else "open"
    return (("达标" if passed else "未达标") if language == "zh" else ("holds" if passed else "fails"))


def _indicators(report: CarbonReport, language: Language) -> list[str]:
    zh = language == "zh"
    lines = ["", "零碳园区指标" if zh else "Indicators of zero-carbon parks"]
    lines += [_indicator(indicator, language) for indicator in report.indicators]
    if report.gec_needed is None:
        lines.append("  仅靠绿证无法达到核心指标" if zh else "  GEC alone cannot bring the core indicator to its band")
    elif report.gec_needed:
        needed = f"{report.gec_needed:,}"
        lines.append(f"  达到核心指标还需绿证 {needed} 个" if zh else f"  the core indicator needs {needed} GEC more")
    return lines


def _indicator(indicator: Indicator, language: Language) -> str:
    is_core = indicator.name == "carbon_per_energy"
    show = ratio if is_core else percent
    limit = f"{'<=' if is_core else '>='} {show(indicator.threshold_ppm)}"
    note = f"  ({name(indicator.note, language)})" if indicator.note else ""
    return _row(name(indicator.name, language), show(indicator.value_ppm)) + f"  {limit}  {_verdict(indicator.passed, language)}{note}"


def _connection(report: CarbonReport, language: Language) -> list[str]:
    zh = language == "zh"
    lines = ["", "绿电直连检验" if zh else "Tests of green direct connection"]
    for test in report.direct_connection:
        limit = f"{'>=' if test.is_minimum else '<='} {percent(test.threshold_ppm)}"
        gap = f"  {'缺口' if zh else 'gap'} {mwh(test.gap_wh)} MWh" if test.gap_wh else ""
        shown = percent(test.value_ppm) if test.passed is not None else "-"
        lines.append(_row(name(test.name, language), shown) + f"  {limit}  {_verdict(test.passed, language)}{gap}")
    return lines


def _scope2(report: CarbonReport, language: Language) -> list[str]:
    zh = language == "zh"
    heads = (
        ("成员", "用电 MWh", "网购 MWh", "凭证抵扣 MWh", "位置法 t", "市场法 t", "小时匹配", "年度匹配") if zh
        else ("member", "used MWh", "grid MWh", "covered MWh", "location t", "market t", "hourly", "annual")
    )  # fmt: skip
    lines = ["", "范围二" if zh else "Scope 2", _cells(*heads)]
    lines += [_member(member) for member in report.members if member.consumption_wh or member.generation_wh or member.certificates_idle_wh]
    total = report.scope2
    lines.append(_cells(
        "网损" if zh else "network", "", mwh(total.network_wh), mwh(total.network_gec_wh), tonnes(total.network_location_g),
        tonnes(total.network_market_g), "", "",
    ))  # fmt: skip
    lines.append(_cells(
        "园区" if zh else "park", mwh(report.park.electricity_used_wh), mwh(total.import_wh), mwh(total.covered_wh), tonnes(total.location_g),
        tonnes(total.market_g), percent(total.matched_share_hourly_ppm), percent(total.matched_share_annual_ppm),
    ))  # fmt: skip
    return lines


def _member(member: MemberAccount) -> str:
    return _cells(
        member.name, mwh(member.consumption_wh), mwh(member.grid_wh), mwh(member.covered_wh + member.gec_used_wh),
        tonnes(member.scope2_location_g), tonnes(member.scope2_market_g), percent(member.matched_share_hourly_ppm),
        percent(member.matched_share_annual_ppm),
    )  # fmt: skip


def _beyond_meters(report: CarbonReport, language: Language) -> list[str]:
    members = [member for member in report.members if member.direct_beyond_wh or member.forgone_beyond_wh]
    if not members:
        return []
    zh = language == "zh"
    heads = ("成员", "直供 MWh", "售出或过期 MWh") if zh else ("member", "direct MWh", "gone MWh")
    lines = ["", "超出计量的凭证（不计入）" if zh else "Certificates beyond the meters, not counted", _cells(*heads)]
    return lines + [_cells(member.name, mwh(member.direct_beyond_wh), mwh(member.forgone_beyond_wh)) for member in members]


def _retirements(report: CarbonReport, language: Language) -> list[str]:
    if not report.retirements:
        return []
    lines = ["", "已核销凭证" if language == "zh" else "Retired certificates"]
    return lines + [f"  {r.account}  {name(r.scheme, language)}  {mwh(r.energy_wh)} MWh  {r.reference}" for r in report.retirements]


def _row(label: str, number: str) -> str:
    return "  " + pad(label, _LABEL_CELLS) + pad(number, _NUMBER_CELLS, right=True)


def _cells(first: str, *others: str) -> str:
    return ("  " + pad(first, 26) + "".join(pad(text, 15, right=True) for text in others)).rstrip()
