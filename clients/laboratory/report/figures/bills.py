"""Who gains and who loses: savings of each participant under each set of rules, and the bills behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from clients.laboratory.report.figures.parts import MICRO_PER_CNY, Control, Figure, Trace, axis, colour, name_axis, plain, run_style, words
from clients.laboratory.report.markup import Text, same, table
from clients.laboratory.report.markup import words as markup_words
from clients.laboratory.report.wording import say
from clients.laboratory.run.output import RunOutput
from exchange.settlement.rendering import ROLE_NAMES, cny

SHOWN_MAX: Final = 30
_BAR_PX: Final = 22


@dataclass(frozen=True, slots=True)
class Bill:
    """What a participant pays, micro-CNY, and would pay otherwise. `stored_micro`: value of what its storage holds more at the end."""

    participant: str
    name: Text
    role: str
    retail_micro: int
    pool_micro: int
    market_micro: int
    stored_micro: int

    @property
    def saved_micro(self) -> int:
        return self.pool_micro - self.market_micro + self.stored_micro


def bills_of(run: RunOutput) -> list[Bill]:
    """Rows as in the scenario."""
    rows = run.table("participants").to_pylist()
    return [
        Bill(
            row["participant"], Text(row["name_en"], row["name_zh"]), row["role"], row["bill_retail_micro"], row["bill_pool_micro"],
            row["bill_market_micro"], row["storage_value_change_micro"],
        )
        for row in rows
    ]  # fmt: skip


def savings(runs: Sequence[tuple[Text, RunOutput]]) -> Figure:
    """Bars by participant, the one that saves most under the first rules on top; of many participants those with the largest savings and losses."""
    by_run = [{bill.participant: bill for bill in bills_of(run)} for _, run in runs]
    everybody = list(dict.fromkeys(name for bills in by_run for name in bills))
    size = {name: max(abs(bills[name].saved_micro) for bills in by_run if name in bills) for name in everybody}
    shown = sorted(everybody, key=lambda name: -size[name])[:SHOWN_MAX]
    shown.sort(key=lambda name: by_run[0][name].saved_micro if name in by_run[0] else 0)
    names = [next(bills[name].name for bills in by_run if name in bills) for name in shown]
    traces: list[Trace] = []
    for index, (label, _) in enumerate(runs):
        shade = run_style(index)[0]
        named = {"name": words(label), "showlegend": len(runs) > 1}
        where = {"y": list(range(len(shown))), "customdata": [words(name) for name in names]}
        traces.append({"type": "bar", "orientation": "h", **named, **where, "marker": {"color": colour(shade)}})
    layout: dict[str, Any] = {
        "barmode": "group", "bargap": 0.25, "xaxis": axis("axis_saving", zeroline=True, zerolinewidth=2),
        "yaxis": name_axis(names),
    }  # fmt: skip
    share_axis = {"xaxis": axis("axis_saving_percent", zeroline=True, zerolinewidth=2)}
    views: dict[str, dict[str, Any]] = {
        "0": {"traces": [_saved(bills, shown) for bills in by_run]},
        "1": {"traces": [_share(bills, shown) for bills in by_run], "layout": share_axis},
    }
    controls = (Control(say("shown"), [say("axis_saving"), say("axis_saving_percent")]),)
    height = 120 + _BAR_PX * len(shown) + 8 * len(shown) * (len(runs) - 1)
    return Figure("savings", say("saving_title"), say("saving_note"), traces, layout, height, controls, views)


def _saved(bills: dict[str, Bill], shown: list[str]) -> Trace:
    values = [bills[name].saved_micro / MICRO_PER_CNY if name in bills else float("nan") for name in shown]
    return {"x": plain(values), "hovertemplate": "%{customdata}: %{x:,.2f} CNY"}


def _share(bills: dict[str, Bill], shown: list[str]) -> Trace:
    """Of the size of the pool bill, which is an income for a generator."""
    values = [
        100 * bills[name].saved_micro / abs(bills[name].pool_micro) if name in bills and bills[name].pool_micro else float("nan") for name in shown
    ]
    return {"x": plain(values, 4), "hovertemplate": "%{customdata}: %{x:.2f} %"}


def bills_table(label: Text, run: RunOutput) -> str:
    """HTML of all bills of a run, who loses first, and their sums; folded, as there is one for each set of rules."""
    bills = sorted(bills_of(run), key=lambda bill: bill.saved_micro)
    head = [say(key) for key in ("participant", "role", "retail", "pool", "market", "stored", "saving", "saving_percent")]
    rows: list[list[Text | str]] = [[bill.name, _role(bill.role), *_amounts(bill)] for bill in bills]
    sums = [sum(getattr(bill, name) for bill in bills) for name in ("retail_micro", "pool_micro", "market_micro", "stored_micro")]
    rows.append([say("all_participants"), "", *_amounts(Bill("", same(""), "", *sums))])
    content = table(head, rows, n_names=2)
    return f"<details><summary>{markup_words(say('bills_caption', run=label))}</summary>{content}</details>"


def _amounts(bill: Bill) -> list[str]:
    share = f"{100 * bill.saved_micro / abs(bill.pool_micro):,.1f}" if bill.pool_micro else "–"
    return [cny(bill.retail_micro), cny(bill.pool_micro), cny(bill.market_micro), cny(bill.stored_micro), cny(bill.saved_micro), share]


def _role(role: str) -> Text:
    return Text(*ROLE_NAMES[role]) if role in ROLE_NAMES else same(role)
