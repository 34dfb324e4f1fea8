"""What the shell says, in English and Chinese."""

from typing import Any, Final, Literal

Language = Literal["en", "zh"]

HELP: Final[dict[str, tuple[str, str, str]]] = {
    # command: form, English, Chinese
    "help": ("help [COMMAND]", "this list, or one command with its terms", "本列表，或某一命令的说明"),
    "instruments": ("instruments [CLASS]", "what can be traded: power, gec, cea, ccer, pcc", "可交易品种：power、gec、cea、ccer、pcc"),
    "quotes": ("quotes [TEXT]", "best prices of the instruments whose symbol holds TEXT", "代码含 TEXT 的品种的最优报价"),
    "book": ("book SYMBOL [LEVELS]", "order book, the best 10 levels or as many as you say", "订单簿，默认最优 10 档"),
    "orders": ("orders [SYMBOL]", "own open orders", "本账户未完成订单"),
    "balances": ("balances", "own money", "本账户资金"),
    "positions": ("positions [SYMBOL]", "own positions and units", "本账户持仓与权益"),
    "auctions": ("auctions [SYMBOL]", "call phases that are on, and what their auction would come to now", "进行中的集合竞价及其模拟匹配结果"),
    "statement": ("statement DAY", "own statement of a settled day, as 2026-07-15", "某结算日的结算单，如 2026-07-15"),
    "status": ("status", "exchange, market time, session", "交易所、市场时间与会话状态"),
    "buy": ("buy SYMBOL QUANTITY PRICE [TERMS]", "place a buy order; PRICE is a decimal or market", "买入；PRICE 为价格或 market(市价)"),
    "sell": ("sell SYMBOL QUANTITY PRICE [TERMS]", "place a sell order", "卖出"),
    "basket": ("basket buy SYMBOL QUANTITY PRICE + sell ...", "orders that fill whole together, or none of them", "组合委托：全部成交或全不成交"),
    "amend": ("amend ORDER [price=P] [quantity=Q]", "change an open order; quantity is what remains of it", "改单；quantity 为新的剩余数量"),
    "cancel": ("cancel ORDER ... | cancel all [SYMBOL] [buy|sell] [label=N]", "withdraw orders, or all that fit", "撤单，或撤销所有符合条件的订单"),
    "nominate": ("nominate SYMBOL KWH", "storage schedule of a period, injection positive", "储能某时段的申报电量，注入为正"),
    "watch": ("watch [book SYMBOL | executions | trades [SYMBOL] | phases | auctions]", "show events as they come", "实时显示事件"),
    "unwatch": ("unwatch book SYMBOL | executions | trades | phases | auctions", "end that", "停止显示"),
    "wait": ("wait SECONDS", "let events come; for scripts", "等待若干秒(脚本用)"),
    "lang": ("lang en|zh", "language", "语言"),
    "quit": ("quit", "leave (also Ctrl-D); orders stay, unless --cancel-on-exit", "退出(亦可 Ctrl-D)；订单保留，除非使用 --cancel-on-exit"),
}  # fmt: skip

TERMS: Final = (
    ("Terms: ioc fok gtc session gate · post (never trades on entry) · reprice · aon (all or none) · reduce (reduce-only) · display=Q (iceberg) · "
    "min=Q · stop=P · label=N · self=cancel_newest|cancel_oldest|cancel_both|decrement"),
    ("附加条件：ioc fok gtc session gate · post(只做挂单) · reprice(自动退价) · aon(全部或不成交) · reduce(只减仓) · display=数量(冰山) · "
    "min=最小成交量 · stop=触发价 · label=标签 · self=cancel_newest|cancel_oldest|cancel_both|decrement"),
)

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "welcome": (
        "{name} · account {account} · {url} · help lists the commands, Tab completes",
        "{name} · 账户 {account} · {url} · help 列出命令，Tab 补全",
    ),
    "welcome_public": ("{url} · public data only: no key was given · help lists the commands", "{url} · 未提供密钥，仅公开数据 · help 列出命令"),
    "unknown_command": ("unknown command {word}; help lists them", "未知命令 {word}；help 列出全部命令"),
    "unknown_term": ("unknown term {word}; help buy lists them", "未知条件 {word}；help buy 列出全部条件"),
    "unknown_symbol": ("unknown instrument {word}{near}", "未知品种 {word}{near}"),
    "near": ("; did you mean {symbols}?", "；是否为 {symbols}？"),
    "unknown_order": ("no open order {word} of this account; orders lists them", "本账户没有未完成订单 {word}；orders 列出全部"),
    "usage": ("usage: {form}", "用法：{form}"),
    "open_quote": ("a quotation mark is not closed", "引号未闭合"),
    "basket_terms": ("legs of a basket are fill-or-kill; label=N is their only term", "组合中的委托均为全部成交或撤销，只能附加 label=N"),
    "not_a_decimal": ("{word} is not a decimal such as 12.5", "{word} 不是小数，例如 12.5"),
    "not_a_number": ("{word} is not a whole number", "{word} 不是整数"),
    "bad_answer": ("nothing was sent", "未发送"),
    "confirm": (
        "{side} {quantity} {symbol} at the market, about {cost} CNY. Send it? [y/N] ",
        "市价{side} {symbol} {quantity}，约 {cost} 元。确认发送？[y/N] ",
    ),
    "confirm_script": (
        "a market order of about {cost} CNY needs --yes in a script (over {limit} CNY)",
        "脚本中约 {cost} 元的市价单需要 --yes(超过 {limit} 元)",
    ),
    "buy": ("buy", "买入"),
    "sell": ("sell", "卖出"),
    "resting": ("resting", "挂单中"),
    "waiting": ("waiting", "待触发"),
    "filled": ("filled", "全部成交"),
    "cancelled": ("cancelled", "已撤销"),
    "ended": ("ended, how is not known", "已结束(详情未知)"),
    "pending": ("pending", "待确认"),
    "order": ("order {id} {status} · filled {filled} · remaining {remaining}", "订单 {id} {status} · 已成交 {filled} · 剩余 {remaining}"),
    "order_average": (" · average {price}", " · 均价 {price}"),
    "amended": ("order {id} is now {remaining} @ {price}", "订单 {id} 现为 {remaining} @ {price}"),
    "cancelled_order": ("order {id} cancelled", "订单 {id} 已撤销"),
    "cancelled_count": ("{count} orders cancelled", "已撤销 {count} 笔订单"),
    "nominated": ("nominated, command {sequence}", "已申报，指令 {sequence}"),
    "refused": ("refused: {code} {message}", "被拒绝：{code} {message}"),
    "rule": (" (rule {rule})", "(规则 {rule})"),
    "leg": (" (leg {leg})", "(第 {leg} 笔)"),
    "retry": (" · again in {seconds} s", " · {seconds} 秒后可重试"),
    "lost": (
        "connection lost: {reason}; it is being resumed, and what you type is sent then",
        "连接中断：{reason}；正在恢复，其间输入的命令恢复后发送",
    ),
    "back": ("connected again", "连接已恢复"),
    "closed": ("the connection is gone for good: {reason}", "连接已终止：{reason}"),
    "unknown_outcome": ("not known whether it was carried out: {reason}; look at orders", "无法确定是否已执行：{reason}；请查看 orders"),
    "given_up": ("not waited for any longer; it may still be carried out, look at orders", "不再等待；指令仍可能被执行，请查看 orders"),
    "missed": ("executions {first} to {last} are lost; orders are right", "成交回报 {first} 至 {last} 已无法取得；订单状态已更新"),
    "none": ("none", "无"),
    "no_statement": ("{day} is not settled", "{day} 尚未结算"),
    "watching": ("watching: {what}", "正在关注：{what}"),
    "no_account": ("this needs a key: start the shell with --key", "此命令需要密钥：请用 --key 启动"),
    "live": ("live", "实时"),
    "offline": ("resuming", "恢复中"),
    "trade": ("traded", "成交"),
    "rested": ("resting", "挂单"),
    "refilled": ("refilled", "补单"),
    "triggered": ("triggered", "已触发"),
    "reduced": ("reduced", "减量"),
    "repriced": ("repriced", "改价"),
    "block_trade": ("block trade", "大宗成交"),
    "allotted": ("allotted", "竞价配售"),
    # columns
    "symbol": ("symbol", "代码"),
    "phase": ("phase", "阶段"),
    "price": ("price", "价格"),
    "quantity": ("quantity", "数量"),
    "orders_column": ("orders", "订单数"),
    "bid": ("bid", "买价"),
    "ask": ("ask", "卖价"),
    "bid_quantity": ("bid qty", "买量"),
    "ask_quantity": ("ask qty", "卖量"),
    "last": ("last", "最新价"),
    "unit": ("unit", "单位"),
    "band": ("band", "价格带"),
    "closes": ("closes", "关闸"),
    "order_id": ("order", "订单"),
    "side": ("side", "方向"),
    "remaining": ("remaining", "剩余"),
    "filled_column": ("filled", "已成交"),
    "status": ("status", "状态"),
    "label": ("label", "标签"),
    "net": ("net", "净持仓"),
    "contract": ("contract", "合同"),
    "open_buy": ("open buy", "买单"),
    "open_sell": ("open sell", "卖单"),
    "locked": ("locked", "锁定"),
    "held": ("held CNY", "冻结(元)"),
    "balance": ("balance CNY", "余额(元)"),
    "available": ("available CNY", "可用(元)"),
    "until": ("until", "截止"),
    "volume": ("volume", "匹配量"),
    "item": ("item", "项目"),
    "energy": ("energy kWh", "电量(千瓦时)"),
    "amount": ("amount CNY", "金额(元)"),
    "total": ("total", "合计"),
    "time": ("market time", "市场时间"),
    "epoch": ("epoch", "纪元"),
    "sequence": ("sequence", "指令序号"),
    "sessions": ("sessions", "会话数"),
    "accepting": ("accepting", "接受指令"),
    "clock": ("clock ahead s", "时钟差(秒)"),
}  # fmt: skip


def say(language: Language, key: str, **values: Any) -> str:
    """The text of a key with its values; a word that has no text is itself."""
    english, chinese = TEXTS.get(key, (key, key))
    return (chinese if language == "zh" else english).format(**values)


def help_line(language: Language, command: str) -> tuple[str, str]:
    """Form and meaning of a command."""
    form, english, chinese = HELP[command]
    return form, chinese if language == "zh" else english
