"""Measures for people: name and meaning in English and Chinese, unit from the end of the key. Formulas and sources are in docs/measures.md."""

from typing import Final

from clients.laboratory.report.markup import Text

# Longest ending first. Unit in both languages, and decimals.
_UNITS: Final[tuple[tuple[str, Text, int], ...]] = (
    ("_cny_per_kwh_per_mwh", Text("CNY/kWh per MWh", "元/千瓦时每兆瓦时"), 4),
    ("_cny_per_kwh", Text("CNY/kWh", "元/千瓦时"), 4),
    ("_cny_per_year", Text("CNY a year", "元/年"), 0),
    ("_percent", Text("%", "%"), 2),
    ("_years", Text("years", "年"), 1),
    ("_days", Text("days", "天"), 0),
    ("_cny", Text("CNY", "元"), 0),
    ("_kwh", Text("kWh", "千瓦时"), 0),
    ("_kw", Text("kW", "千瓦"), 0),
    ("_t", Text("t CO2", "吨二氧化碳"), 3),
)
# Counts are whole, other bare numbers shown to four places.
COUNTS: Final = frozenset({"orders", "trades", "participants_losing", "fairness_participants", "assets", "irr_count", "is_coupled"})

# Key: English name, Chinese name, English meaning, Chinese meaning; families as in docs/measures.md.
FAMILIES: Final[dict[tuple[str, str], dict[str, tuple[str, str, str, str]]]] = {
    ("Auction theory", "拍卖理论"): {
        "surplus_realised_cny": (
            "gain from trade realised", "已实现交易收益",
            "buyers' values less sellers' costs of what was traded", "成交部分买方估值减卖方成本",
        ),
        "surplus_maximal_cny": (
            "gain from trade possible", "可得交易收益",
            "the same for the best allocation of each quarter-hour", "各时段最优配置下的交易收益",
        ),
        "allocative_efficiency_percent": (
            "allocative efficiency", "配置效率",
            "gain realised as a share of the gain possible", "已实现收益占可得收益的比例",
        ),
        "loss_intramarginal_cny": (
            "loss, intramarginal", "效率损失（边际内）",
            "gain lost because somebody who should trade did not", "应成交者未成交所损失的收益",
        ),
        "loss_extramarginal_cny": (
            "loss, extramarginal", "效率损失（边际外）",
            "gain lost because somebody who should not trade did", "不应成交者成交所损失的收益",
        ),
        "loss_intramarginal_buyers_cny": ("loss, intramarginal buyers", "效率损失（边际内买方）", "the buyers' part of it", "其中买方部分"),
        "loss_intramarginal_sellers_cny": ("loss, intramarginal sellers", "效率损失（边际内卖方）", "the sellers' part of it", "其中卖方部分"),
        "loss_extramarginal_buyers_cny": ("loss, extramarginal buyers", "效率损失（边际外买方）", "the buyers' part of it", "其中买方部分"),
        "loss_extramarginal_sellers_cny": ("loss, extramarginal sellers", "效率损失（边际外卖方）", "the sellers' part of it", "其中卖方部分"),
        "volume_equilibrium_kwh": ("equilibrium volume", "均衡成交量", "energy traded in the competitive equilibrium", "竞争均衡下的成交电量"),
        "volume_against_equilibrium_percent": (
            "volume against equilibrium", "成交量与均衡之比",
            "energy traded as a share of that", "成交电量占均衡成交量的比例",
        ),
        "price_equilibrium_cny_per_kwh": ("equilibrium price", "均衡价格", "mean competitive price by volume", "按电量加权的竞争均衡价"),
        "price_above_equilibrium_cny_per_kwh": (
            "price above equilibrium", "价格高于均衡",
            "mean price of trades less the competitive one", "成交均价减竞争均衡价",
        ),
        "smith_alpha_percent": (
            "Smith's alpha", "史密斯 α",
            "root mean square distance of prices from equilibrium, as a share of it", "成交价相对均衡价的均方根偏离",
        ),
        "profit_dispersion_cny": (
            "profit dispersion", "利润离散度",
            "root mean square distance of profits from those in equilibrium", "利润相对均衡利润的均方根偏离",
        ),
        "buyers_surplus_percent": (
            "buyers' share of the gain", "买方收益占比",
            "what those who bought on balance have of the gain", "净买方所得占交易收益的比例",
        ),
        "sellers_surplus_percent": (
            "sellers' share of the gain", "卖方收益占比",
            "what those who sold on balance have of the gain", "净卖方所得占交易收益的比例",
        ),
        "resellers_surplus_percent": (
            "resellers' share of the gain", "转卖方收益占比",
            "what those who bought and sold alike have of the gain", "买卖相抵者所得占交易收益的比例",
        ),
        "operator_surplus_percent": (
            "operator's share of the gain", "运营方收益占比",
            "what the mechanism keeps of the gain", "机制留存占交易收益的比例",
        ),
        "operator_budget_surplus_cny": (
            "operator's budget surplus", "运营方预算盈余",
            "what buyers pay to the mechanism less what it pays to sellers", "买方付给机制减机制付给卖方的金额",
        ),
        "is_coupled": (
            "quarter-hours are coupled", "时段相互关联",
            "1 where storage, vehicles or shifted load tie quarter-hours together", "储能、车辆或可移负荷使时段关联时为 1",
        ),
    },
    ("Welfare over all periods", "全时段福利"): {
        "welfare_perfect_cny": (
            "welfare, perfect foresight", "福利（完全预见）",
            "best of the linear program that knows everything", "全知线性规划的最优值",
        ),
        "welfare_rolling_cny": (
            "welfare, rolling forecasts", "福利（滚动预测）",
            "best on what participants believed at the time", "按当时预测滚动优化的结果",
        ),
        "welfare_pool_cny": ("welfare, pool", "福利（资源池）", "everything netted, nobody asked", "全部互抵、不看报价的结果"),
        "welfare_no_trade_cny": ("welfare, no trade", "福利（无交易）", "each alone with the grid", "各自只与电网交易"),
        "welfare_realised_cny": ("welfare realised", "已实现福利", "the run in the same terms", "本次运行按同一口径"),
        "welfare_efficiency_percent": (
            "welfare efficiency", "福利效率",
            "gain over no trade as a share of the gain possible", "较无交易的增益占最大增益的比例",
        ),
        "welfare_loss_cny": ("welfare loss", "福利损失", "perfect foresight less realised", "完全预见减已实现"),
        "forecast_loss_cny": ("loss by forecasts", "预测损失", "perfect foresight less rolling", "完全预见减滚动预测"),
        "mechanism_loss_cny": ("loss by mechanism", "机制损失", "rolling less a truthful run", "滚动预测减如实申报的运行"),
        "strategy_loss_cny": ("loss by strategy", "策略损失", "truthful run less realised", "如实申报的运行减已实现"),
        "market_loss_cny": ("loss by mechanism and strategy", "机制与策略损失", "rolling less realised", "滚动预测减已实现"),
        "price_competitive_cny_per_kwh": ("competitive price", "竞争价格", "mean dual price by volume", "按电量加权的对偶价格"),
        "price_above_competitive_cny_per_kwh": (
            "price above competitive", "价格高于竞争价",
            "mean price of trades less the dual price", "成交均价减对偶价格",
        ),
        "competitive_alpha_percent": (
            "Smith's alpha to dual prices", "史密斯 α（对偶价格）",
            "root mean square distance from dual prices", "成交价相对对偶价格的均方根偏离",
        ),
        "volume_competitive_kwh": ("competitive volume", "竞争成交量", "energy traded under perfect foresight", "完全预见下的成交电量"),
        "volume_against_competitive_percent": (
            "volume against competitive", "成交量与竞争量之比",
            "net energy traded as a share of that", "净成交电量占其比例",
        ),
    },
    ("Market quality", "市场质量"): {
        "orders": ("orders", "订单数", "orders placed", "已提交订单数"),
        "trades": ("trades", "成交笔数", "trades made", "成交笔数"),
        "traded_kwh": ("traded energy", "成交电量", "energy of all trades", "全部成交的电量"),
        "churn": ("churn", "换手率", "energy traded over energy that changed hands in the end", "成交电量与最终净转移电量之比"),
        "price_mean_cny_per_kwh": ("mean price", "成交均价", "price of trades, weighted by volume", "按电量加权的成交价"),
        "spread_cny_per_kwh": (
            "spread", "买卖价差",
            "best ask less best bid, mean of the quotes with both", "最优卖价减最优买价（双边报价时的均值）",
        ),
        "depth_bid_kwh": ("depth, bids", "买方深度", "energy bid near the best price", "最优价附近的买单电量"),
        "depth_ask_kwh": ("depth, asks", "卖方深度", "energy asked near the best price", "最优价附近的卖单电量"),
        "two_sided_percent": ("two-sided books", "双边报价比例", "share of quotes with a bid and an ask", "同时有买卖报价的比例"),
        "fill_rate_percent": ("fill rate", "成交率", "energy filled as a share of the energy wanted", "成交电量占意愿电量的比例"),
        "warm_up_days": ("warm-up", "预热期", "days before traders who learn have settled", "学习型交易者趋于稳定之前的天数"),
        "price_deviation_cny_per_kwh": (
            "price deviation", "价格偏差",
            "standard deviation of prices within a quarter-hour's book", "同一时段内成交价的标准差",
        ),
        "price_change_cny_per_kwh": ("price change", "价格变动", "standard deviation of changes from trade to trade", "逐笔价格变动的标准差"),
        "price_change_autocorrelation": ("autocorrelation of price changes", "价格变动自相关", "of a change and the next", "相邻两次变动的相关"),
        "hhi_buyers": ("concentration of buyers", "买方集中度", "sum of squared shares (HHI), up to 10,000", "份额平方和（HHI），最大 10,000"),
        "hhi_sellers": ("concentration of sellers", "卖方集中度", "sum of squared shares (HHI), up to 10,000", "份额平方和（HHI），最大 10,000"),
        "price_impact_cny_per_kwh_per_mwh": (
            "price impact", "价格冲击",
            "how far the middle of the book moves with what a taker takes", "吃单量引起的中间价移动",
        ),
    },
    ("Energy", "能源"): {
        "load_kwh": ("use", "用电量", "energy used, storage apart", "用电量（不含储能）"),
        "generation_kwh": ("generation", "发电量", "energy generated", "发电量"),
        "import_kwh": ("grid import", "网购电量", "energy taken from the grid", "从电网取用的电量"),
        "export_kwh": ("grid export", "上网电量", "energy fed into the grid", "送入电网的电量"),
        "loss_kwh": ("losses", "线损", "losses of the park's lines", "园区线路损耗"),
        "discharge_kwh": ("storage discharge", "储能放电", "energy that storage gave back", "储能放出的电量"),
        "self_sufficiency_percent": (
            "self-sufficiency", "自给率",
            "use covered by the park's own generation, grid-charged discharge apart", "本园区发电覆盖的用电比例（不含网充放电）",
        ),
        "self_consumption_percent": ("self-consumption", "自用率", "generation used in the park", "园区内使用的发电比例"),
        "peak_import_kw": ("peak import", "网购峰值", "largest mean import of a quarter-hour", "时段平均网购功率最大值"),
        "peak_export_kw": ("peak export", "上网峰值", "largest mean export of a quarter-hour", "时段平均上网功率最大值"),
        "import_over_limit_kwh": (
            "import over the limit", "超限网购电量",
            "imports beyond what the connection lets through", "超出关口容量的网购电量",
        ),
        "deficit_kwh": ("deficits", "不足偏差", "energy used beyond what was bought", "超出购入的用电量"),
        "surplus_kwh": ("surpluses", "剩余偏差", "energy given beyond what was sold", "超出售出的电量"),
        "imbalance_kwh": ("imbalance", "偏差电量", "deficits and surpluses together", "不足与剩余合计"),
        "imbalance_cost_cny": ("imbalance cost", "偏差费用", "what deficits cost less what surpluses earn", "不足费用减剩余收入"),
        "curtailed_kwh": ("curtailed energy", "弃电量", "generation that was cut off", "被限制的发电量"),
        "curtailed_percent": ("curtailment", "弃电率", "share of the generation that was cut off", "被限制的发电比例"),
    },
    ("Bills", "账单"): {
        "bill_retail_cny": ("bills at retail", "零售账单", "what participants would pay each alone", "各自零售时的账单合计"),
        "bill_pool_cny": (
            "bills in the pool", "资源池账单",
            "what they would pay behind one meter without a market", "共用关口、无市场时的账单合计",
        ),
        "bill_market_cny": ("bills", "账单合计", "what participants pay with the market, all fees in", "市场下参与者支付合计（含费用）"),
        "storage_value_change_cny": (
            "value left in storage", "储能余值变化",
            "value of what storage holds more at the end", "期末储能多存电量的价值",
        ),
        "saving_against_pool_cny": ("saved against the pool", "较资源池节省", "pool bills less market bills", "资源池账单减市场账单"),
        "saving_against_pool_percent": (
            "saved against the pool, share", "较资源池节省比例",
            "the same as a share of the pool bills", "占资源池账单的比例",
        ),
        "saving_against_retail_cny": ("saved against retail", "较零售节省", "retail bills less market bills", "零售账单减市场账单"),
        "saving_lowest_cny": ("lowest saving", "最低节省", "of the participant that saves least", "节省最少者的金额"),
        "saving_highest_cny": ("highest saving", "最高节省", "of the participant that saves most", "节省最多者的金额"),
        "participants_losing": ("participants that lose", "受损者数", "participants that pay more than in the pool", "较资源池多付的参与者数"),
        "fees_cny": ("fees", "费用", "trading and park fees", "交易手续费与园区网费"),
        "imbalance_netting_cny": ("imbalance netting", "偏差互抵", "what netting of imbalances gives back", "偏差互抵的返还金额"),
    },
    ("Carbon", "碳"): {
        "matched_hourly_percent": (
            "green share, matched by quarter-hour", "分时绿电匹配率",
            "use covered by green energy of the same quarter-hour", "同一时段绿电覆盖的用电比例",
        ),
        "matched_annual_percent": (
            "green share, matched over the run", "全程绿电匹配率",
            "use covered by green energy of the whole run", "全程绿电覆盖的用电比例",
        ),
        "certificates_issued_kwh": ("certificates issued", "绿证核发", "energy of certificates issued", "核发绿证对应电量"),
        "certificates_claimed_kwh": ("certificates claimed", "绿证核销", "energy of certificates used for own use", "用于自身用电的绿证电量"),
        "certificates_expired_kwh": ("certificates expired", "绿证过期", "energy of certificates that expired", "过期绿证对应电量"),
        "double_claims": ("claimed twice", "重复声明", "claims beyond one a Wh; must be 0", "对已被声明电量的重复声明数，应为 0"),
        "emissions_location_t": ("emissions by location", "排放（位置法）", "imports at the grid's average factor", "网购电量按电网平均因子"),
        "emissions_market_t": ("emissions by market", "排放（市场法）", "use without certificates at the residual factor", "无绿证用电按剩余因子"),
    },
    ("Fairness and sharing", "公平与分享"): {
        "gini": (
            "Gini of savings", "节省的基尼系数",
            "0 all save alike, 1 one has all; undefined where somebody loses", "0 为均等，1 为独占；有人受损时无定义",
        ),
        "jain": ("Jain of savings", "节省的 Jain 指数", "1 all save alike; undefined where somebody loses", "1 为均等；有人受损时无定义"),
        "fairness_participants": ("participants counted", "计入者数", "participants that the two indices count", "两项指数计入的参与者数"),
        "sharing_gain_cny": ("gain to share", "可分享收益", "what all together pay less than in the pool", "全体较资源池少付的金额"),
        "sharing_operator_cny": ("operator's part", "运营方所得", "what the operator has of it", "运营方分得金额"),
        "sharing_lowest_cny": ("lowest part", "最低所得", "of the participant that has least of it", "分得最少者的金额"),
        "sharing_highest_cny": ("highest part", "最高所得", "of the participant that has most of it", "分得最多者的金额"),
        "sharing_standard_error_cny": (
            "error of sampled parts", "抽样误差",
            "largest standard error of sampled Shapley values", "抽样夏普利值的最大标准误",
        ),
        "sharing_core_excess_cny": ("excess over the core", "核心超额", "most that a coalition would gain by leaving", "联盟脱离的最大所得"),
    },
    ("Financing", "融资"): {
        "assets": ("assets", "资产数", "plants and storages with an investment", "有投资数据的电站与储能数"),
        "capex_cny": ("investment", "投资额", "what the assets cost", "资产造价"),
        "asset_revenue_cny_per_year": ("revenue of assets", "资产年收入", "revenue of the run, scaled to a year", "运行期收入折算为年"),
        "cash_flow_available_cny_per_year": (
            "cash flow available", "可用于偿债现金流",
            "revenue less operation in the first year", "首年收入减运维",
        ),
        "debt_service_cny_per_year": ("debt service", "年还本付息", "what lenders get in the first year", "首年偿还本息"),
        "dscr_min": (
            "lowest debt service cover", "最低偿债备付率",
            "cash flow over debt service in the worst year", "最差年份的现金流与还本付息之比",
        ),
        "npv_cny": ("net present value", "净现值", "of investment and cash flows", "投资与现金流的现值"),
        "irr_percent": ("internal rate of return", "内部收益率", "rate at which the present value is zero", "使净现值为零的折现率"),
        "irr_count": ("rates of return found", "收益率个数", "a rate is shown only where it is the only one", "仅有一个时才显示"),
        "equity_irr_percent": ("return on equity", "资本金收益率", "the same for the owners' money", "按资本金计算"),
        "payback_years": ("payback", "回收期", "until the flows add to zero", "现金流累计归零所需时间"),
        "lcoe_cny_per_kwh": ("levelised cost of energy", "平准化度电成本", "present cost over present energy", "成本现值与电量现值之比"),
    },
}  # fmt: skip
NAMES: Final = {key: row for family in FAMILIES.values() for key, row in family.items()}


def measure_name(key: str) -> Text:
    """What a measure is called; a key without a name stays a key."""
    return Text(NAMES[key][0], NAMES[key][1]) if key in NAMES else Text(key, key)


def meaning(key: str) -> Text:
    return Text(NAMES[key][2], NAMES[key][3]) if key in NAMES else Text("", "")


def unit(key: str) -> Text:
    return next((name for ending, name, _ in _UNITS if key.endswith(ending)), Text("", ""))


def format_value(key: str, value: float) -> str:
    """Thousands apart, decimals by the unit, more of them for a small amount."""
    if key in COUNTS:
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    decimals = next((places for ending, _, places in _UNITS if key.endswith(ending)), 4)
    if 0 < abs(value) < 100 and decimals == 0:
        decimals = 2
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text


def with_unit(key: str, text: str) -> Text:
    """A number and its unit; percent of a share are points where they are added."""
    own = unit(key)
    return Text(f"{text} {own.en}".strip(), f"{text} {own.zh}".strip())
