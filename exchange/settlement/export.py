"""Statements to take away: CSV with the source of every line, and a page in English or Chinese that needs nothing but itself.

The page prints on one sheet, reads on a telephone, and names for every line what it comes from: trades, readings, the posting, the rules' version.
"""

import csv
import html
import io
from typing import Final

from exchange.settlement.lines import LineItem
from exchange.settlement.rendering import LINE_NAMES, STATUS_NOTES, Language, cny, holder, kwh, remarks
from exchange.settlement.statement import Line, LineStatus, Statement, fen

CSV_COLUMNS: Final = (
    "day", "account", "run", "item", "name_en", "name_zh", "status", "energy_wh", "amount_micro", "amount_fen", "adjustment_micro", "source",
)  # fmt: skip
# Lines whose money moved with the trades themselves, and those that come from documents of the month.
_OF_TRADES: Final = frozenset({LineItem.ENERGY_BOUGHT, LineItem.ENERGY_SOLD, LineItem.BLOCK_BOUGHT, LineItem.BLOCK_SOLD, LineItem.TRADING_FEE})


def source_of(statement: Statement, index: int, language: Language = "en") -> str:
    """What a line comes from: trades in its periods, or readings of its periods, with the posting (sequence, index) that moved the money."""
    source, line, zh = statement.source, statement.lines[index], language == "zh"
    span = source.first_period if source.first_period == source.last_period else f"{source.first_period} … {source.last_period}"
    if not source.first_period:
        span = f"{statement.day}，{source.periods} 日" if zh else f"{statement.day}, {source.periods} days"
    what = ("成交" if zh else "trades") if line.item in _OF_TRADES else ("计量" if zh else "readings")
    parts = [f"{what} {span}"]
    posting = source.postings[index] if index < len(source.postings) else -1
    if posting >= 0:
        parts.append(f"{'记账' if zh else 'posting'} ({source.sequence}, {posting})")
    if source.rules_version:
        parts.append(f"{'规则第' if zh else 'rules version'} {source.rules_version}{' 版' if zh else ''}")
    return "; ".join(parts) if line.status is not LineStatus.EXCLUDED else ""


def statement_to_csv(statement: Statement) -> str:
    """One row a line and one for the total, comma-separated, with a head."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    key = (statement.day, statement.account, statement.run)
    for index, line in enumerate(statement.lines):
        changed = statement.adjustments_micro[index] if statement.adjustments_micro else ""
        amounts = (line.energy_wh, line.amount_micro, fen(line.amount_micro), changed)
        writer.writerow([*key, str(line.item), *LINE_NAMES[line.item], str(line.status), *amounts, source_of(statement, index)])
    total = statement.total_micro
    changed = sum(statement.adjustments_micro) if statement.adjustments_micro else ""
    writer.writerow([*key, "total", "Total", "合计", "charged", "", total, fen(total), changed, ""])
    return out.getvalue()


_STYLE: Final = """
body{font:16px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0 auto;max-width:62rem;padding:1rem;color:#14202b}
h1{font-size:1.35rem;margin:0}p{margin:.3rem 0}table{border-collapse:collapse;width:100%;margin:1rem 0}
th,td{padding:.35rem .5rem;border-bottom:1px solid #cfd8df;text-align:left;vertical-align:top}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}tfoot td{font-weight:600;border-top:2px solid #14202b}
.s{color:#51606c;font-size:.8rem}.i td{color:#51606c}
@media(max-width:40rem){thead{position:absolute;left:-99rem}tr{display:block;border-bottom:1px solid #cfd8df;padding:.3rem 0}
td{display:block;border:0;padding:.1rem 0}.n{text-align:left}.n[data-h]:not(:empty)::before{content:attr(data-h) " "}}
@media print{body{max-width:none;padding:0;font-size:10pt}a{color:inherit}}
"""


def statement_to_html(statement: Statement, language: Language = "en", chain_head: str = "") -> str:
    """A page of its own. Text is escaped; nothing is loaded from anywhere."""
    zh = language == "zh"
    title = f"{'结算单' if zh else 'Statement'} {statement.day}"
    heads = ("项目", "电量 kWh", "金额 元", "较上次 元", "来源") if zh else ("Line", "energy kWh", "amount CNY", "changed CNY", "source")
    with_changes = bool(statement.adjustments_micro)
    shown = [head for place, head in enumerate(heads) if place != 3 or with_changes]
    run = (f"第 {statement.run} 次结算" if zh else f"run {statement.run}") if statement.run > 1 else ""
    who = " · ".join(filter(None, (holder(statement, language), run)))
    total = [cny(statement.total_micro)] + ([cny(sum(statement.adjustments_micro))] if with_changes else [])
    notes = remarks(statement, zh) + ([f"{'日志链头' if zh else 'journal head'} {chain_head}"] if chain_head else [])
    parts = [
        f'<!doctype html><html lang="{"zh-CN" if zh else "en"}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{html.escape(title)}</h1><p>{html.escape(who)}</p>",
        f'<p class="s">{"收入为正，支出为负" if zh else "received positive, paid negative"}</p><table><thead><tr>',
        "".join(f'<th scope="col"{_class(0 < place < len(shown) - 1)}>{html.escape(head)}</th>' for place, head in enumerate(shown)),
        "</tr></thead><tbody>",
        *(_row(statement, index, line, language, heads) for index, line in enumerate(statement.lines)),
        f'</tbody><tfoot><tr><td>{"合计" if zh else "Total"}</td><td></td>',
        "".join(f'<td class="n">{amount}</td>' for amount in total),
        "<td></td></tr></tfoot></table>",
        *(f'<p class="s">{html.escape(note)}</p>' for note in notes),
        "</body></html>\n",
    ]
    return "".join(parts)


def _class(number: bool) -> str:
    return ' class="n"' if number else ""


def _row(statement: Statement, index: int, line: Line, language: Language, heads: tuple[str, ...]) -> str:
    column = 1 if language == "zh" else 0
    has_amount = line.status in {LineStatus.CHARGED, LineStatus.INFORMATION}
    note = STATUS_NOTES[line.status][column]
    name = html.escape(LINE_NAMES[line.item][column]) + (f' <span class="s">{html.escape(note)}</span>' if note else "")
    changed = f'<td class="n" data-h="{heads[3]}">{cny(statement.adjustments_micro[index])}</td>' if statement.adjustments_micro else ""
    return (
        f"<tr{'' if line.status is LineStatus.CHARGED else ' class=i'}><td>{name}</td>"
        f'<td class="n" data-h="{heads[1]}">{kwh(line.energy_wh) if line.energy_wh else ""}</td>'
        f'<td class="n" data-h="{heads[2]}">{cny(line.amount_micro) if has_amount else "-"}</td>{changed}'
        f'<td class="s">{html.escape(source_of(statement, index, language))}</td></tr>'
    )
