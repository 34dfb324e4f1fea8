"""The comparison of the three bills as text, in English and Chinese."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final

from exchange.settlement.rendering import Language, cny, pad
from exchange.units import MICRO_PER_CNY, POWER_TICK_MICRO_PER_KWH

if TYPE_CHECKING:
    from clients.simulator.comparison_result import BillLine, Comparison, NoGainPeriod

_TEXT: Final[dict[str, tuple[str, str]]] = {
    "title": ("Three bills on the same meters, CNY, paid positive; gain = pool - market, who loses first",
              "同一计量下的三种账单（元，支出为正）；收益 = 资源池 - 市场，受损者在前"),
    "name": ("participant", "成员"),
    "kind": ("kind", "类别"),
    "retail": ("retail", "单独零售"),
    "pool": ("pool", "资源池"),
    "market": ("market", "市场"),
    "gain": ("gain", "收益"),
    "member": ("member", "企业"),
    "storage": ("storage", "储能"),
    "operator": ("operator", "园区运营方"),
    "participants": ("members and storage", "成员与储能合计"),
    "everybody": ("with the operator", "含运营方合计"),
    "losers": ("{count} of {total} lose against the pool", "{total} 方中有 {count} 方不如资源池"),
    "soc": ("The storage's state of charge at the end of the day is valued in its market bill, at {price} CNY/kWh: {value}.",
            "储能日末荷电量的变化已按 {price} 元/千瓦时计入其市场账单：{value}。"),
    "why": (
        "A pool with one grid meter that knows the day ahead is the best total: all together gain what the storage did better or worse.",
        "预知全日并以同一关口计量的资源池总额最优：合计收益只反映储能调度的差距，其余为各方之间的分配。",
    ),
    "none": ("Every period had gain from trade.", "所有时段均存在交易收益。"),
    "periods": ("Periods without gain from trade:", "无交易收益的时段："),
    "limit_not_above_feed_in": ("buyer's limit (retail less fees) is not above feed-in", "买方限价（零售价减费用）不高于上网电价"),
    "no_seller": ("nobody injects", "无上网电量"),
    "no_buyer": ("nobody withdraws", "无下网电量"),
}
_NAME_CELLS: Final = 24
_KIND_CELLS: Final = 12
_NUMBER_CELLS: Final = 15


def describe_comparison(comparison: "Comparison", language: Language = "en") -> str:
    """A table of all lines, the totals, what they mean, and the periods without gain from trade."""
    def say(key: str) -> str:
        return _TEXT[key][1 if language == "zh" else 0]

    lines = [say("title"), _row(say("name"), say("kind"), [say(key) for key in ("retail", "pool", "market", "gain")])]
    lines.extend(_row(_name(line, say("operator")), say(line.kind), _amounts(line)) for line in comparison.lines)
    people = comparison.participants
    lines.append(_row(say("participants"), "", _total(people)))
    lines.append(_row(say("everybody"), "", _total(comparison.lines)))
    lines.append(say("losers").format(count=len(comparison.losers), total=len(comparison.lines)))
    soc_value_micro = sum(line.soc_value_micro for line in people)
    if soc_value_micro:
        lines.append(say("soc").format(price=_price(comparison.soc_value_ticks), value=cny(soc_value_micro)))
    lines.append(say("why"))
    if comparison.no_gain_periods:
        lines.append(say("periods"))
        lines.extend(f"  {span}  {say(reason)}" for span, reason in _spans(comparison.no_gain_periods))
    else:
        lines.append(say("none"))
    return "\n".join(lines) + "\n"


def _price(ticks: int) -> str:
    """CNY/kWh."""
    return f"{ticks * POWER_TICK_MICRO_PER_KWH / MICRO_PER_CNY:.4f}"


def _name(line: "BillLine", operator: str) -> str:
    return operator if line.kind == "operator" else line.name


def _amounts(line: "BillLine") -> list[str]:
    return [cny(amount) for amount in (line.retail_micro, line.pool_micro, line.market_micro, line.gain_micro)]


def _total(lines: "tuple[BillLine, ...]") -> list[str]:
    columns = zip(*((line.retail_micro, line.pool_micro, line.market_micro, line.gain_micro) for line in lines), strict=True)
    return [cny(sum(column)) for column in columns]


def _row(name: str, kind: str, numbers: list[str]) -> str:
    return pad(name, _NAME_CELLS) + pad(kind, _KIND_CELLS) + "".join(pad(number, _NUMBER_CELLS, right=True) for number in numbers)


def _spans(periods: "tuple[NoGainPeriod, ...]") -> Iterator[tuple[str, str]]:
    """Runs of named periods with the same reason, as first .. last (count)."""
    for reason, group in groupby(periods, key=lambda period: period.reason):
        symbols = [period.symbol for period in group]
        yield (symbols[0] if len(symbols) == 1 else f"{symbols[0]} .. {symbols[-1]} ({len(symbols)})"), str(reason)
