"""Words of a report outside of its charts, in English and Chinese."""

from typing import Final

PAGE_WORDS: Final[dict[str, tuple[str, str]]] = {
    # page
    "title": ("Report of a market laboratory", "市场实验报告"),
    "title_of": ("{name}: results", "{name}：结果"),
    "language": ("中文", "English"),
    "theme": ("Light or dark", "明暗"),
    "answer": ("The answer", "结论"),
    "asked": ("What was asked", "问题"),
    "differences": ("Differences", "差异"),
    "bills": ("Bills and savings", "账单与节省"),
    "measures": ("Measures", "指标"),
    "definitions": ("Definitions", "指标定义"),
    "scenario": ("The scenario's full text", "情景全文"),
    "repeat": ("How to repeat it", "如何重复"),
    "no_script": (
        "The charts of this page need JavaScript; everything else can be read without.",
        "图表需要 JavaScript；其余内容无需脚本即可阅读。",
    ),
    "offline": (
        (
            "This file needs no network: charts, data and texts are all in it. Numbers on it are for reading; exact ones are in the tables beside "
            "each run."
        ),
        "本文件无需联网：图表、数据与文字均在其中。页面数字供阅读，精确数值见各次运行的数据表。",
    ),
    # what was asked
    "asked_one": ("What does {name} come to under its rules?", "“{name}”在其规则下结果如何？"),
    "asked_many": (
        "What do {count} sets of rules come to in {name}, and how do they differ from “{base}”?",
        "“{name}”在 {count} 组规则下结果如何？与“{base}”相比有何差异？",
    ),
    "asked_facts": (
        "{days} days of delivery from {date}, {participants} participants, {seeds}.",
        "自 {date} 起 {days} 个交割日，{participants} 个参与者，{seeds}。",
    ),
    "asked_facts_sweep": (
        "{cells} sets of rules, {seeds}, {populations}; {runs} runs in all.",
        "{cells} 组规则，{seeds}，{populations}；共 {runs} 次运行。",
    ),
    "failed_runs": ("{count} runs failed and are left out: {reason}", "{count} 次运行失败，未计入：{reason}"),
    "one_seed": ("seed {seed}", "随机种子 {seed}"),
    "many_seeds": ("{count} seeds ({list})", "{count} 个随机种子（{list}）"),
    "populations_count": ("populations: {list}", "代理群体：{list}"),
    "as_written": ("as the scenario says", "按情景设定"),
    "setting": ("rules", "规则"),
    "rule": ("rule", "规则项"),
    "value": ("value", "取值"),
    "what_differs": ("What differs between the runs", "各次运行的差别"),
    "unfinished": ("The sweep has not ended: {done} of {planned} runs are there.", "扫描尚未完成：{planned} 次运行中已有 {done} 次。"),
    "rules_in_short": ("The rules in short", "规则概要"),
    "baseline": ("baseline", "基准"),
    "not_set": ("not set", "未设"),
    "and_more": ("… and {count} more keys; the full texts are at the end of the page", "…… 另有 {count} 项，全文见页末"),
    # answers
    "one_seed_only": (
        "One seed was played, so no interval can be given: parkex sweep with --seeds 30 gives one.",
        "仅运行一个随机种子，无法给出区间；可用 parkex sweep --seeds 30 得到。",
    ),
    "interval": ("95% interval {low} to {high}, {seeds} seeds", "95% 区间 {low} 至 {high}，{seeds} 个种子"),
    "interval_together": (
        "95% interval {low} to {high}, held for all {count} comparisons together, {seeds} paired seeds",
        "95% 区间 {low} 至 {high}（{count} 项比较同时成立），{seeds} 个配对种子",
    ),
    "interval_holm": (
        "95% interval {low} to {high}, {seeds} paired seeds, p {p} after Holm's adjustment",
        "95% 区间 {low} 至 {high}，{seeds} 个配对种子，Holm 校正后 p 值 {p}",
    ),
    "interval_paired": ("95% interval {low} to {high}, {seeds} paired seeds", "95% 区间 {low} 至 {high}，{seeds} 个配对种子"),
    "single_seed": ("seed {seed} only", "仅种子 {seed}"),
    "money_one": (
        "Participants pay {bill} CNY in all ({spread}): {pool} than in the pool, and {retail} than each alone at retail.",
        "参与者合计支付 {bill} 元（{spread}）：较资源池{pool}，较各自零售{retail}。",
    ),
    "less": ("{amount} CNY less", "少付 {amount} 元"),
    "more": ("{amount} CNY more", "多付 {amount} 元"),
    "nothing_traded": ("Nothing was traded.", "没有成交。"),
    "market_one": (
        "They trade {traded} kWh with each other at {price} CNY/kWh on average ({spread}); {efficiency}.",
        "成员之间成交 {traded} 千瓦时，均价 {price} 元/千瓦时（{spread}）；{efficiency}。",
    ),
    "efficiency_known": ("the market realises {percent} of the gain that was possible", "市场实现了可得收益的 {percent}"),
    "efficiency_coupled": (
        "storage or shifted load couples the quarter-hours, so the crossing of single ones is no benchmark",
        "储能或可移负荷使各时段相互关联，单时段交点不作为基准",
    ),
    "efficiency_unknown": ("there was no gain from trade to realise", "没有可实现的交易收益"),
    "carbon_one": (
        "Green energy of the same quarter-hour covers {matched} of the use ({spread}); the grid's part emits {emissions} t CO2 by location.",
        "同一时段绿电覆盖用电量的 {matched}（{spread}）；按位置法，网购电量排放 {emissions} 吨二氧化碳。",
    ),
    "told": (
        "Against “{base}”, “{other}” {moves} {measure} by {amount} ({spread}).",
        "与“{base}”相比，“{other}”使{measure}{moves} {amount}（{spread}）。",
    ),
    "raises": ("raises", "上升"),
    "lowers": ("lowers", "下降"),
    "untold": (
        "On {measure}, “{other}” and “{base}” cannot be told apart: the difference is {amount} ({spread}).",
        "就{measure}而言，“{other}”与“{base}”无法区分：差值为 {amount}（{spread}）。",
    ),
    "untold_all": (
        (
            "On {measure}, none of the {count} other sets of rules can be told apart from “{base}”; the largest difference is {amount}, of “{other}” "
            "({spread})."
        ),
        "就{measure}而言，其余 {count} 组规则均无法与“{base}”区分；最大差值为 {amount}，出自“{other}”（{spread}）。",
    ),
    "same_everywhere": ("{measure} is the same under “{other}” as under “{base}”, seed by seed.", "{measure}：“{other}”与“{base}”逐一种子相同。"),
    "once": (
        "With the one seed in common, “{other}” has {amount} on {measure} against “{base}”; one pair cannot tell a rule from chance.",
        "仅有一个共同种子：与“{base}”相比，“{other}”的{measure}差 {amount}；一对结果无法区分规则与偶然。",
    ),
    "no_pair": (
        "On {measure}, “{other}” and “{base}” have no seed in common and cannot be compared.",
        "就{measure}而言，“{other}”与“{base}”没有共同种子，无法比较。",
    ),
    "undefined": ("{measure} is not defined in these runs.", "{measure}在这些运行中无定义。"),
    "behaviour_own": (
        "It depends on behaviour: only the scenario's own traders were played; a robust conclusion needs three populations (parkex sweep --robust).",
        "取决于行为：仅运行了情景自身的交易者，稳健结论需三种代理群体（parkex sweep --robust）。",
    ),
    "behaviour_few": (
        "It depends on behaviour: {count} of the three populations that a robust conclusion needs were played.",
        "取决于行为：稳健结论需三种代理群体，此处仅有 {count} 种。",
    ),
    "behaviour_signs": ("It depends on behaviour: the sign differs between populations ({list}).", "取决于行为：各代理群体的方向不一（{list}）。"),
    "behaviour_response": (
        "It depends on behaviour: the sign is the same for {count} populations ({list}), but not shown to hold where participants respond.",
        "取决于行为：{count} 种代理群体方向一致（{list}），但未证明参与者作最优反应时仍成立。",
    ),
    "robust": (
        "Robust: the sign holds for all populations and where participants respond.",
        "稳健：各代理群体方向一致，且参与者作最优反应时仍成立。",
    ),
    "difference_of": ("“{other}” less “{base}”, seed by seed", "“{other}”减“{base}”，逐种子相比"),
    "differences_of": ("Every set of rules less “{base}”, seed by seed", "各组规则减“{base}”，逐种子相比"),
    "by_interval": ("an interval that holds 0 cannot tell them apart", "区间含 0 即无法区分"),
    "by_holm": ("verdicts after Holm's adjustment for all that the sweep asked", "判断已按 Holm 法对全部比较作校正"),
    "difference": ("difference", "差值"),
    "p_holm": ("p (Holm)", "p 值（Holm）"),
    "detectable": ("smallest detectable", "最小可检出"),
    "regrets_caption": (
        "What one participant saves by acting otherwise while all others stay, CNY over the run",
        "其他参与者不变时，单个参与者改变行为所节省的金额，元",
    ),
    "alternative": ("acts as", "改为"),
    "gain": ("gain", "所得"),
    "interval_head": ("interval", "区间"),
    "verdict": ("verdict", "判断"),
    "v_robust": ("robust", "稳健"),
    "v_behaviour": ("depends on behaviour", "取决于行为"),
    "v_untold": ("cannot be told apart", "无法区分"),
    "v_same": ("the same", "相同"),
    "v_once": ("one seed: no verdict", "仅一个种子：无判断"),
    "v_no_pair": ("no seed in common", "无共同种子"),
    "v_undefined": ("not defined", "无定义"),
    # measures and repeating
    "measure_name": ("measure", "指标"),
    "unit": ("unit", "单位"),
    "undefined_here": ("Undefined in these runs: {list}", "在这些运行中无定义：{list}"),
    "undefined_value": ("undefined", "无定义"),
    "measures_note": (
        "Means over seeds where there are several. A name leads to its definition; formulas and sources are in docs/measures.md.",
        "多个种子时为均值。点击名称查看定义；公式与来源见 docs/measures.md。",
    ),
    "repeat_note": (
        "Each run is repeated by one command with the scenario beside it and ends in the same hash.",
        "每次运行均可用其情景文件以一条命令重复，并得到相同哈希。",
    ),
    "state_hash": ("state hash", "状态哈希"),
    "folder": ("folder", "文件夹"),
    "command": ("command", "命令"),
    "versions": ("versions", "版本"),
    "played_with": ("played with", "运行环境"),
    "scenario_of": ("Scenario of “{run}”", "“{run}”的情景"),
}
