// Words of the page. Terms of the trade are those of docs/glossary.md; a test compares them.

export const WORDS = {
  en: {
    park: "green power of a park",
    contracts: "Contracts",
    power: "Power",
    units: "Certificates and credits",
    bid: "Bid",
    ask: "Ask",
    last: "Last",
    price: "Price",
    quantity: "Quantity",
    orders_column: "Orders",
    time: "Time",
    contract: "Contract",
    trades: "Trades",
    book: "Order book",
    follow: "Follow gate",
    price_curve: "Prices of the day by delivery period",
    price_unit: "CNY/kWh",
    energy: "Energy by delivery period",
    energy_unit: "kWh per quarter-hour",
    delivery: "Delivery",
    instrument: "Instrument",
    language_switch: "中文",
    theme_light: "Light",
    theme_dark: "Dark",
    connecting: "connecting",
    live: "live",
    stale: "no news",
    offline: "reconnecting",
    ended: "day ended",
    gate_closes: "gate of {period} closes in {minutes} min",
    gate_none: "no contract is open",
    n_orders: "Orders",
    n_orders_rate: "Orders a second",
    n_trades: "Trades",
    n_energy: "Energy traded, kWh",
    n_open: "Open contracts",
    n_participants: "Participants",
    spread: "spread {spread}",
    no_book: "no orders",
    no_asks: "nobody sells",
    no_bids: "nobody buys",
    bids_price: "best bid",
    asks_price: "best ask",
    last_price: "last trade",
    deficit_price: "retail",
    surplus_price: "feed-in",
    generation: "generation",
    consumption: "consumption",
    grid_import: "grid import",
    grid_export: "grid export",
    no_energy: "No period is metered yet",
    no_chart: "Charts need /static/plotly.min.js",
    closes_at: "gate closure {time}",
    retail: "retail {price}",
    feed_in: "feed-in {price}",
    pre_open: "pre-open",
    continuous: "open",
    gate_closed: "gate closed",
    delivered: "delivered",
    settled: "settled",
    paused: "paused",
    halted: "halted",
    park_venue: "park",
    national_simulated: "model",
    internal: "internal",
    national_note: "Instruments marked “model” follow the rules of a national venue (CEA, CCER, GEC). Trading them here transfers nothing in law.",
    foot: "A simulated market. CEA, CCER and GEC are models of national venues, without legal transfer; park credits are internal to the park. Times are the park's.",
  },
  zh: {
    park: "园区绿电",
    contracts: "合约",
    power: "绿电",
    units: "环境权益",
    bid: "买价",
    ask: "卖价",
    last: "最新价",
    price: "价格",
    quantity: "数量",
    orders_column: "订单数",
    time: "时间",
    contract: "合约",
    trades: "成交",
    book: "订单簿",
    follow: "跟随关闸",
    price_curve: "全天各交割时段价格",
    price_unit: "元/千瓦时",
    energy: "各交割时段电量",
    energy_unit: "千瓦时/15分钟",
    delivery: "交割时段",
    instrument: "品种",
    language_switch: "English",
    theme_light: "浅色",
    theme_dark: "深色",
    connecting: "连接中",
    live: "实时",
    stale: "暂无消息",
    offline: "重新连接中",
    ended: "当日结束",
    gate_closes: "{period} 合约 {minutes} 分钟后关闸",
    gate_none: "当前无可交易合约",
    n_orders: "订单",
    n_orders_rate: "每秒订单",
    n_trades: "成交",
    n_energy: "成交电量(千瓦时)",
    n_open: "可交易合约",
    n_participants: "市场成员",
    spread: "价差 {spread}",
    no_book: "暂无订单",
    no_asks: "暂无卖单",
    no_bids: "暂无买单",
    bids_price: "最优买价",
    asks_price: "最优卖价",
    last_price: "最新成交",
    deficit_price: "零售电价",
    surplus_price: "上网电价",
    generation: "发电",
    consumption: "用电",
    grid_import: "下网电量",
    grid_export: "上网电量",
    no_energy: "尚无计量时段",
    no_chart: "图表需要 /static/plotly.min.js",
    closes_at: "关闸 {time}",
    retail: "零售 {price}",
    feed_in: "上网 {price}",
    pre_open: "未开市",
    continuous: "连续交易",
    gate_closed: "已关闸",
    delivered: "已交割",
    settled: "已结算",
    paused: "休市",
    halted: "暂停交易",
    park_venue: "园区",
    national_simulated: "模拟",
    internal: "园区内部",
    national_note: "标注“模拟”的品种仿照全国市场规则(CEA、CCER、绿证),在此交易不产生任何法律上的权属转移。",
    foot: "模拟市场。CEA、CCER、绿证均为全国市场的模型,不产生法律上的权属转移;园区碳积分仅限园区内部使用。时间为园区当地时间。",
  },
};

let language = localStorage.getItem("parkex.language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
if (!(language in WORDS)) language = "en";

/** Language of the page: "en" or "zh". */
export function currentLanguage() {
  return language;
}

/** The words for a key, with {name} replaced by values.name. */
export function t(key, values = {}) {
  const text = WORDS[language][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Switch to the other language and write every element that has data-i18n. */
export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  localStorage.setItem("parkex.language", language);
  writeWords();
}

/** Write the words into all elements that name their key in data-i18n. */
export function writeWords() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-i18n]")) element.textContent = t(element.dataset.i18n);
}
