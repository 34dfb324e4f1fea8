"""A retirement as a page for anybody: a certificate to print, its serial numbers, and how to check it. English and Chinese, one file, no script."""

from html import escape
from typing import Final, Literal

from exchange.registry.retirements import Retirement, RetirementKind, local_time
from exchange.registry.serials import UnitScheme

Language = Literal["en", "zh"]

# More serial ranges than anybody prints; the text has all of them.
RANGES_SHOWN: Final = 200

_UNIT_NAMES: Final[dict[UnitScheme, tuple[str, str]]] = {
    UnitScheme.GEC: ("green electricity certificates of 1 MWh", "张绿证（每张 1 兆瓦时）"),
    UnitScheme.GC: ("granular certificates of 1 Wh", "份分时绿证（每份 1 瓦时）"),
    UnitScheme.SDGC: ("granular certificates of storage discharge of 1 Wh", "份储能放电分时绿证（每份 1 瓦时）"),
    UnitScheme.CEA: ("carbon emission allowances of 1 tCO2e", "份碳排放配额（每份 1 吨二氧化碳当量）"),
    UnitScheme.CCER: ("certified emission reductions of 1 tCO2e", "份核证自愿减排量（每份 1 吨二氧化碳当量）"),
    UnitScheme.PCC: ("park credits of 1 tCO2e", "份园区碳积分（每份 1 吨二氧化碳当量）"),
}
_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Retirement certificate", "核销证书"),
    "number": ("No.", "编号"),
    "claim": (
        "The units below were retired for the consumption of the beneficiary. They can be neither used nor traded again.",
        "下列权益已为受益人的用能核销，不可再次使用或交易。",
    ),
    "storage": (
        "The units below were cancelled for energy that went into a storage. They cover no consumption.",
        "下列权益已为储能充电电量注销，不对应任何用能。",
    ),
    "beneficiary": ("Beneficiary", "受益人"),
    "quantity": ("Quantity", "数量"),
    "series": ("Series", "品种"),
    "purpose": ("Purpose", "用途"),
    "generated": ("Generated in", "发电时间"),
    "consumption": ("Period of consumption", "用能期间"),
    "until": ("until", "至"),
    "retired": ("Retired at", "核销时间"),
    "account": ("Retired by account", "核销账户"),
    "serials": ("Serial numbers", "序列号"),
    "more": ("and {n} more ranges, all of them in the text", "另有 {n} 段，见全文"),
    "digest": ("Digest (SHA-256)", "摘要（SHA-256）"),
    "verify": ("How to verify", "如何核验"),
    "verify_text": (
        "The digest is the SHA-256 of the text of this retirement, which ends with the digest of the retirement before it. Compute it yourself:",
        "摘要为本核销记录全文的 SHA-256，全文末行为上一条核销记录的摘要。可自行计算：",
    ),
    "verify_serial": (
        "What became of a serial number is told by /v1/certificates/ and the number; this retirement as JSON:",
        "任一序列号的状态可在 /v1/certificates/ 加序列号查询；本核销记录的 JSON：",
    ),
    "other": ("中文", "English"),
    "note": (
        "Internal register of the park; models of national instruments have no legal effect.",
        "园区内部登记；对全国性品种的模拟不具法律效力。",
    ),
}
_STYLE: Final = """
:root{color-scheme:light dark}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;background:#eef3ef;color:#14241b}
main{max-width:46rem;margin:0 auto;padding:1rem}
article{background:#fff;border:2px solid #1d6b43;border-radius:.5rem;padding:1.25rem}
h1{margin:0;font-size:1.5rem;color:#1d6b43}
h2{font-size:1.1rem;margin:1.5rem 0 .5rem}
dl{display:grid;grid-template-columns:minmax(7rem,auto) 1fr;gap:.35rem 1rem;margin:1rem 0}
dt{color:#4c6155}
dd{margin:0;overflow-wrap:anywhere}
.quantity{font-size:1.35rem;font-weight:600}
ol,code,.mono{font-family:ui-monospace,Consolas,monospace;font-size:.85rem;overflow-wrap:anywhere}
ol{padding-left:2.5rem}
nav{text-align:right;margin-bottom:.5rem}
a{color:#1d6b43}
@media(max-width:30rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}}
@media(prefers-color-scheme:dark){body{background:#0f1713;color:#dfe9e2}article{background:#17211b}h1,a{color:#74c99a}dt{color:#9db3a6}}
@media print{body{background:#fff;color:#000}nav{display:none}main{max-width:none;padding:0}
article{border-width:3px;background:#fff;break-inside:avoid}}
"""


def retirement_page(retirement: Retirement, language: Language) -> str:
    """The page: HTML with everything in it, readable on a telephone and on paper. Nothing in it is taken from the request."""
    column = 1 if language == "zh" else 0
    text = {name: pair[column] for name, pair in _TEXTS.items()}
    other = "en" if language == "zh" else "zh"
    claim = text["claim" if retirement.kind is RetirementKind.CLAIM else "storage"]
    shown = [str(serial) for _, serial in zip(range(RANGES_SHOWN), retirement.ranges, strict=False)]
    hidden = len(retirement.serials) - len(shown)
    more = f"<p>{escape(text['more'].format(n=hidden))}</p>" if hidden else ""
    title = f"{text['title']} {text['number']} {retirement.number}"
    path = f"/v1/retirements/{retirement.number}"
    return f"""<!DOCTYPE html>
<html lang="{'zh-CN' if language == 'zh' else 'en'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<nav><a href="?lang={other}">{text['other']}</a></nav>
<article>
<h1>{escape(title)}</h1>
<p>{escape(claim)}</p>
<dl>
{_facts(retirement, text, column)}
</dl>
<h2>{escape(text['serials'])}</h2>
<ol>
{"".join(f"<li>{escape(serial)}</li>" for serial in shown)}
</ol>
{more}
<h2>{escape(text['digest'])}</h2>
<p class="mono">{retirement.digest}</p>
</article>
<h2>{escape(text['verify'])}</h2>
<p>{escape(text['verify_text'])}</p>
<p><code>curl -s HOST<a href="{path}/text">{path}/text</a> | sha256sum</code></p>
<p>{escape(text['verify_serial'])} <a href="{path}">{path}</a></p>
<p>{escape(text['note'])}</p>
</main>
</body>
</html>
"""


def _facts(retirement: Retirement, text: dict[str, str], column: int) -> str:
    scheme = UnitScheme(int(retirement.serials[0, 0]))
    consumption = f"{_shown(retirement.consumed_from_ns)} {text['until']} {_shown(retirement.consumed_to_ns)}"
    rows = [
        (text["beneficiary"], f"{retirement.beneficiary_name} ({retirement.beneficiary})", ""),
        (text["quantity"], f"{retirement.quantity:,} {_UNIT_NAMES[scheme][column]}", "quantity"),
        (text["series"], retirement.series, ""),
        (text["purpose"], retirement.purpose, ""),
        (text["generated"], ", ".join(_vintages(retirement)), ""),
        (text["consumption"], consumption, ""),
        (text["retired"], _shown(retirement.retired_ns), ""),
        (text["account"], str(retirement.account), ""),
    ]
    return "\n".join(f'<dt>{escape(name)}</dt><dd class="{style}">{escape(value)}</dd>' for name, value, style in rows)


def _vintages(retirement: Retirement) -> list[str]:
    """Months of generation, or years where units have no month, in order."""
    found = sorted({serial.vintage for serial in retirement.ranges})
    return [f"{vintage // 100}-{vintage % 100:02}" if vintage % 100 else str(vintage // 100) for vintage in found if vintage] or ["-"]


def _shown(time_ns: int) -> str:
    """A time as 2026-08-01 10:00 (UTC+08:00)."""
    local = local_time(time_ns)
    return f"{local[:10]} {local[11:16]} (UTC{local[-6:]})"
