"""How a report says things in English and Chinese: texts by key, names of rules. Measures are in `measure_names`."""

from typing import Final

from clients.laboratory.report.chart_words import CHART_WORDS
from clients.laboratory.report.markup import Text
from clients.laboratory.report.page_words import PAGE_WORDS

NO_UNIT: Final = Text("", "")
MINUTES: Final = Text("min", "分钟")
CNY_PER_KWH: Final = Text("CNY/kWh", "元/千瓦时")

WORDS: Final = {**PAGE_WORDS, **CHART_WORDS}

# Short names and units of rules for labels; any other key is shown as the scenario writes it.
RULES: Final[dict[str, tuple[Text, Text]]] = {
    "experiment.days": (Text("days", "天数"), NO_UNIT),
    "market.mechanism": (Text("mechanism", "机制"), NO_UNIT),
    "market.gate_closure_minutes": (Text("gate closure", "关闸提前"), MINUTES),
    "market.opens": (Text("books open the day before", "前一日开市"), NO_UNIT),
    "market.opening_auction_minutes": (Text("opening auction", "开盘集合竞价"), MINUTES),
    "market.day_ahead_rounds": (Text("day-ahead rounds", "日前轮次"), NO_UNIT),
    "market.rounds_before_gate_minutes": (Text("rounds before the gate", "关闸前轮次"), MINUTES),
    "market.tick_cny_per_kwh": (Text("tick", "最小变动价位"), CNY_PER_KWH),
    "market.lot_kwh": (Text("lot", "最小申报数量"), Text("kWh", "千瓦时")),
    "market.min_price_cny_per_kwh": (Text("lowest price", "最低价"), CNY_PER_KWH),
    "market.max_price_cny_per_kwh": (Text("highest price", "最高价"), CNY_PER_KWH),
    "market.maker_fee_cny_per_kwh": (Text("maker fee", "挂单费"), CNY_PER_KWH),
    "market.taker_fee_cny_per_kwh": (Text("taker fee", "吃单费"), CNY_PER_KWH),
    "market.park_fee_cny_per_kwh": (Text("park fee", "园区网费"), CNY_PER_KWH),
    "market.environment_cny_per_kwh": (Text("environmental attribute", "环境权益"), CNY_PER_KWH),
    "market.self_trade": (Text("self-trade prevention", "自成交防范"), NO_UNIT),
    "market.transparency": (Text("transparency", "透明度"), NO_UNIT),
    "imbalance.rule": (Text("imbalance price", "偏差价格"), NO_UNIT),
    "forecast.error_permille": (Text("forecast error, of its size", "预测误差，占设定值"), Text("‰", "‰")),
    "carbon.scheme": (Text("certificates", "绿证制度"), NO_UNIT),
    "sharing.rule": (Text("sharing of the gain", "收益分享"), NO_UNIT),
    "population.default": (Text("population", "代理群体"), NO_UNIT),
}


def rule_name(key: str) -> Text:
    """What a key of the scenario is called, with its unit."""
    if key not in RULES:
        return Text(key, key)
    name, unit = RULES[key]
    return Text(f"{name.en}, {unit.en}", f"{name.zh}，{unit.zh}") if unit.en else name


def rule_and_value(key: str, value: str) -> Text:
    """A label of a set of rules, as "gate closure 15 min"."""
    name, unit = RULES.get(key, (Text(key, key), NO_UNIT))
    shown = Text(value, value) if value else say("not_set")
    return Text(f"{name.en} {shown.en} {unit.en}".rstrip(), f"{name.zh} {shown.zh} {unit.zh}".rstrip())


def say(key: str, **values: object) -> Text:
    """A text with its values filled in; a value that is a Text goes into each language in that language."""
    return Text(*(pattern.format(**{name: _in(value, column) for name, value in values.items()}) for column, pattern in enumerate(WORDS[key])))


def joined(texts: list[Text], between: tuple[str, str] = (", ", "，")) -> Text:
    return Text(between[0].join(text.en for text in texts), between[1].join(text.zh for text in texts))


def _in(value: object, column: int) -> object:
    return value[column] if isinstance(value, Text) else value
