"""Words of a report's charts and of the tables beside them, in English and Chinese."""

from typing import Final

CHART_WORDS: Final[dict[str, tuple[str, str]]] = {
    "axis_delivery": ("quarter-hour of delivery, local time", "交割时段（当地时间）"),
    "axis_date": ("day of delivery", "交割日"),
    "axis_price": ("CNY/kWh", "元/千瓦时"),
    "axis_volume": ("kWh traded", "成交电量，千瓦时"),
    "axis_volume_day": ("kWh", "千瓦时"),
    "axis_saving_day": ("CNY saved", "节省，元"),
    "axis_quantity": ("kWh in the quarter-hour", "时段电量，千瓦时"),
    "axis_round": ("round of the market", "交易轮次"),
    "axis_kwh": ("kWh", "千瓦时"),
    "axis_kw": ("kW, mean of the quarter-hour", "千瓦（时段平均）"),
    "axis_saving": ("saved against the pool, CNY", "较资源池节省，元"),
    "axis_saving_percent": ("saved against the pool, % of its bill there", "较资源池节省，占资源池账单百分比"),
    "run": ("Rules", "规则"),
    "this_run": ("this run", "本次运行"),
    "day": ("Day", "日期"),
    "period": ("Quarter-hour", "时段"),
    "shown": ("Shown", "显示"),
    "measure": ("Measure", "指标"),
    "day_median": ("{date}, median volume", "{date}，成交量居中"),
    "day_least": ("{date}, least volume", "{date}，成交量最小"),
    "day_most": ("{date}, most volume", "{date}，成交量最大"),
    "prices_title": ("Price and volume through the day", "日内价格与成交量"),
    "prices_note": (
        "Average price of what was traded for each quarter-hour, between what the grid charges and what it pays. A gap: nothing was traded.",
        "各交割时段的成交均价，位于电网售价与上网电价之间。断开处为无成交。",
    ),
    "grid_charges": ("grid charges", "电网售价"),
    "grid_pays": ("grid pays", "上网电价"),
    "average_price": ("average price of trades", "成交均价"),
    "volume": ("volume", "成交量"),
    "volume_of": ("volume, {run}", "成交量，{run}"),
    "days_title": ("Day by day", "逐日情况"),
    "days_note": (
        "Average price, traded energy, and what all participants together pay less than in the pool.",
        "成交均价、成交电量，以及全体参与者较资源池少付的金额。",
    ),
    "curves_title": ("Supply and demand of a quarter-hour", "单个时段的供需曲线"),
    "curves_note": (
        (
            "What participants wanted at the last round before the gate, at their private limits with fees taken off. Where the curves cross is the "
            "competitive equilibrium."
        ),
        "关闸前最后一轮各方意愿电量与私有限价（已扣费用）。两线交点为竞争均衡。",
    ),
    "curves_note_coupled": (
        (
            "What participants wanted at the last round before the gate, at their private limits with fees taken off. Storage, vehicles or shifted "
            "load tie quarter-hours together here: the crossing describes this one alone and is no benchmark."
        ),
        "关闸前最后一轮各方意愿电量与私有限价（已扣费用）。此处储能、车辆或可移负荷使各时段相互关联：交点仅描述本时段，不作为基准。",
    ),
    "demand": ("demand", "需求"),
    "supply": ("supply", "供给"),
    "crossing": ("crossing", "交点"),
    "traded": ("traded, at its average price", "成交（均价）"),
    "curves_cross": ("The curves cross at {kwh} kWh and {price} CNY/kWh; {traded}", "两线交于 {kwh} 千瓦时、{price} 元/千瓦时；{traded}"),
    "range": ("{low} to {high}", "{low} 至 {high}"),
    "curves_apart": ("The curves do not cross: no buyer pays what a seller asks; {traded}", "两线不相交：买方出价均低于卖方要价；{traded}"),
    "curves_traded": ("{kwh} kWh were traded at {price} CNY/kWh on average.", "实际成交 {kwh} 千瓦时，均价 {price} 元/千瓦时。"),
    "curves_no_trade": ("nothing was traded.", "无成交。"),
    "book_title": ("Map of the order book", "订单簿热图"),
    "book_note": (
        "The book of each quarter-hour after each round, the last round on top. Empty: a side of the book was empty.",
        "各时段订单簿在每轮之后的状态，最后一轮在上。空白：订单簿某一侧无订单。",
    ),
    "spread": ("spread, CNY/kWh", "买卖价差，元/千瓦时"),
    "bid_depth": ("bids near the best, kWh", "最优价附近买单，千瓦时"),
    "ask_depth": ("asks near the best, kWh", "最优价附近卖单，千瓦时"),
    "bid_price": ("best bid, CNY/kWh", "最优买价，元/千瓦时"),
    "ask_price": ("best ask, CNY/kWh", "最优卖价，元/千瓦时"),
    "round_day_ahead": ("{number}: day ahead", "{number}：日前"),
    "round_minutes": ("{number}: {minutes} min before", "{number}：前 {minutes} 分钟"),
    "round_hours": ("{number}: {hours} h before", "{number}：前 {hours} 小时"),
    "round_both": ("{number}: {hours} h {minutes} min before", "{number}：前 {hours} 小时 {minutes} 分"),
    "flows_title": ("Where the energy came from and went", "能量流向"),
    "flows_note": (
        (
            "Sums over the run. Own use: what a participant used in the quarter-hour in which it generated it; everything else passes the lines of "
            "the park."
        ),
        "全程合计。自用：参与者在发电当时段自行使用的电量；其余经园区线路。",
    ),
    "grid_import": ("grid import", "网购电量"),
    "grid_export": ("grid export", "上网电量"),
    "losses": ("losses", "线损"),
    "own_use": ("own use", "自用"),
    "park_lines": ("park lines", "园区线路"),
    "others": ("{count} others", "其余 {count} 家"),
    "saving_title": ("What each participant saves", "各参与者节省"),
    "saving_note": (
        (
            "Against the pool, where all share one grid meter without a market: to the right pays less, to the left pays more. Whoever loses is "
            "shown first in the table."
        ),
        "与共用一个关口、不设市场的资源池相比：右侧少付，左侧多付。下表中受损者在前。",
    ),
    "bills_caption": ("Bills of “{run}”, CNY, paid positive", "“{run}”的账单，元，支出为正"),
    "stored": ("left in storage", "储能余值"),
    "participant": ("participant", "参与者"),
    "role": ("role", "角色"),
    "retail": ("retail alone", "单独零售"),
    "pool": ("pool", "资源池"),
    "market": ("market", "市场"),
    "saving": ("saved", "节省"),
    "saving_percent": ("saved, %", "节省，%"),
    "all_participants": ("all", "合计"),
    "carbon_title": ("Green energy through the day", "日内绿电匹配"),
    "carbon_note": (
        "Energy used in each quarter-hour, and the part of it that green energy of the same quarter-hour covers.",
        "各时段用电量，以及同一时段绿电所覆盖的部分。",
    ),
    "matched": ("covered by green energy", "绿电覆盖"),
    "unmatched": ("not covered", "未覆盖"),
    "generated": ("generated", "发电"),
    "certificates_title": ("Certificates", "绿证"),
    "certificates_note": ("What became of the certificates of each participant over the run.", "各参与者绿证在全程中的去向。"),
    "issued": ("issued", "核发"),
    "claimed": ("claimed for own use", "用于自身核销"),
    "expired": ("expired", "过期"),
    "seeds_title": ("How the results scatter over seeds", "各随机种子下的分布"),
    "seeds_note": (
        "Every point is one run, the bar is the mean of its rules. The same seed has the same weather, loads and values under all rules.",
        "每点为一次运行，横线为该规则的均值。同一种子在各规则下的天气、负荷与估值相同。",
    ),
    "mean": ("mean", "均值"),
    "seed": ("seed", "种子"),
}
