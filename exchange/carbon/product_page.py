"""The product statement as a page of its own to hand on: no script, no outside reference, English or Chinese."""

from html import escape
from typing import Final

from exchange.carbon.product import ProductStatement
from exchange.carbon.wording import Language, kilograms_per_unit, mwh, name, percent, quantity, tonnes

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}caption{text-align:left;font-weight:600;padding:.5rem 0}"
    "th,td{border-bottom:1px solid #ccc;padding:.35rem .5rem;text-align:left;font-weight:400}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "thead th{font-weight:600}code{overflow-wrap:anywhere}"
)


def product_page(statement: ProductStatement, language: Language = "en") -> str:
    """A complete HTML document. Everything that came from a member is escaped."""
    zh = language == "zh"
    subject = f"{statement.year} 年绿色电力与碳排放声明" if zh else f"green power and carbon in {statement.year}"
    title = f"{statement.product}: {subject}"
    state = ("已封账" if zh else "final") if statement.final else ("初步，年度核算尚未封账" if zh else "preliminary: the year is not closed")
    by = f"{statement.member}（账户 {statement.account}）" if zh else f"{statement.member} (account {statement.account})"
    record = f"交易所记录截至序号 {statement.as_of_seq}" if zh else f"from the exchange's record as of sequence {statement.as_of_seq}"
    notes = "".join(f"<li>{escape(factor)}</li>" for factor in statement.factors)
    return (
        f'<!doctype html><html lang="{"zh-CN" if zh else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{escape(by)}, {state}, {record}.</p>"
        + _table("用电" if zh else "Electricity", _energy(statement, zh))
        + _table("单位产品排放" if zh else "Emissions a unit of output", _emissions(statement, zh))
        + _retirements(statement, language)
        + f"<h2>{'排放因子' if zh else 'Emission factors'}</h2><ul>{notes}</ul>"
        + f"<p>{_method(zh)}</p></body></html>\n"
    )


def _energy(statement: ProductStatement, zh: bool) -> list[tuple[str, str]]:
    return [
        ("产量" if zh else "output", f"{quantity(statement.output_milli)} {statement.unit}"),
        ("用电量" if zh else "electricity used", f"{mwh(statement.electricity_wh)} MWh"),
        ("绿电占比" if zh else "green share", percent(statement.green_share_ppm)),
        ("其中自用与直供" if zh else "of which own use and direct supply", percent(statement.direct_share_ppm)),
        ("其中已核销凭证" if zh else "of which retired certificates", percent(statement.certificate_share_ppm)),
        ("超出计量的直供凭证（不计入）" if zh else "direct supply beyond the meters, not counted", f"{mwh(statement.direct_beyond_wh)} MWh"),
    ]


def _emissions(statement: ProductStatement, zh: bool) -> list[tuple[str, str]]:
    rows = [
        ("范围一（燃料与过程）" if zh else "Scope 1 (fuels and processes)", statement.direct_mg_per_unit, statement.scope1_g),
        ("范围二，位置法" if zh else "Scope 2, location-based", statement.location_mg_per_unit, statement.scope2_location_g),
        ("范围二，市场法" if zh else "Scope 2, market-based", statement.market_mg_per_unit, statement.scope2_market_g),
    ]
    unit = escape(statement.unit)
    return [(label, f"{kilograms_per_unit(per_unit)} kg CO2/{unit} ({tonnes(total)} t)") for label, per_unit, total in rows]


def _table(caption: str, rows: list[tuple[str, str]]) -> str:
    body = "".join(f'<tr><th scope="row">{escape(label)}</th><td class="n">{escape(value, quote=False)}</td></tr>' for label, value in rows)
    return f"<table><caption>{escape(caption)}</caption><tbody>{body}</tbody></table>"


def _retirements(statement: ProductStatement, language: Language) -> str:
    zh = language == "zh"
    caption = "企业当年核销的凭证" if zh else "Certificates the enterprise retired for the year"
    if not statement.retirements:
        return f"<p>{'当年未核销凭证。' if zh else 'No certificates were retired for the year.'}</p>"
    heads = ("类型", "编号", "电量 MWh") if zh else ("kind", "reference", "energy MWh")
    rows = "".join(
        f'<tr><td>{name(r.scheme, language)}</td><td><code>{escape(r.reference)}</code></td><td class="n">{mwh(r.energy_wh)}</td></tr>'
        for r in statement.retirements
    )
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _method(zh: bool) -> str:
    if zh:
        return (
            "位置法：网购电量乘以平均因子。市场法：无有效凭证的电量乘以剩余因子。"
            "绿证按企业核算，并按各产品用电量分摊；抵销（CCER、园区碳积分、碳配额）不计入。"
        )
    return (
        "Location-based: imported energy at the average factor. Market-based: energy without a valid instrument at the residual factor. "
        "Certificates are the enterprise's, split over its products by their electricity; offsets (CCER, park credits, allowances) are not counted."
    )
