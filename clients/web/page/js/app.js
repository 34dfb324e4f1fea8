// Puts the page together: the socket feeds the market, a slow timer draws it.

import { BookView, TapeView } from "./book.js";
import { Charts } from "./charts.js";
import { ContractsView } from "./contracts.js";
import { setTimeZone } from "./format.js";
import { switchLanguage, t, writeWords } from "./i18n.js";
import { Market } from "./market.js";
import { NumbersView } from "./numbers.js";
import { Client } from "../parkex.js";

const DRAW_EVERY_MS = 250;
const CHARTS_EVERY_MS = 1000;
const POLL_EVERY_MS = 1000;
const SILENCE_MS = 20000;
const FIRST_DELAY_MS = 1000;
const CHANNELS = ["ticker", "trades:*", "phases", "auctions", "clock"];

const market = new Market();
// Public data only, so there is no logon; times are shown to the minute, so doubles do.
const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
const park = new Client(address, { keepTrying: true, exact: false, silenceMs: SILENCE_MS, firstDelayMs: FIRST_DELAY_MS });
const book = new BookView(market, park);
const tape = new TapeView(market);
const charts = new Charts(market);
const numbers = new NumbersView(market);
const contracts = new ContractsView(market, (symbol) => choose(symbol, false));

let selected = null;
let following = true;

park.on("*", (method, params) => market.apply(method, params));
park.on("open", () => refresh().catch(() => {})); // a lost connection comes here again

/** What no channel tells from its beginning. */
async function refresh() {
  const { instruments } = await park.request("instruments");
  market.setInstruments(instruments);
  contracts.rebuild();
  market.tape = (await getJson("/v1/trades?limit=80"))?.trades ?? [];
}

async function start() {
  await park.open();
  await refresh();
  await Promise.all(CHANNELS.map((channel) => park.subscribe(channel)));
  const wanted = selected ?? market.nextGate()?.symbol ?? market.power[0]?.symbol;
  if (wanted) choose(wanted, following);
}

/** Something was listed after the page was opened: the phases channel tells of it. */
async function refreshInstruments() {
  if (!market.listIsOld) return;
  const { instruments } = await park.request("instruments");
  market.setInstruments(instruments);
  contracts.rebuild();
}

function choose(symbol, automatic) {
  if (!automatic) setFollowing(false);
  if (symbol === selected) return;
  watchBook(selected, symbol);
  selected = symbol;
  contracts.select(symbol, automatic);
  book.update(selected);
}

function watchBook(previous, next) {
  if (previous !== null) park.unsubscribe(`book:${previous}`).catch(() => {});
  park.subscribeBook(next).catch(() => {});
}

function setFollowing(on) {
  following = on;
  document.getElementById("follow").setAttribute("aria-pressed", String(on));
}

function follow() {
  const next = market.nextGate();
  if (following && next && next.symbol !== selected) choose(next.symbol, true);
}

/** GET a JSON document of the REST interface; null when it is not to be had now. */
async function getJson(path) {
  try {
    const response = await fetch(path, { cache: "no-store" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

async function poll() {
  const [summary, energy] = await Promise.all([getJson("/v1/summary"), getJson("/v1/energy")]);
  if (summary !== null) {
    market.summary = summary;
    if (summary.time_zone) setTimeZone(summary.time_zone);
    if (summary.now_ns) market.nowNs = Math.max(market.nowNs, summary.now_ns);
    numbers.sample();
  }
  if (energy !== null) market.energy = energy.periods;
  await refreshInstruments().catch(() => {});
}

function drawTables() {
  follow();
  contracts.update();
  book.update(selected);
  tape.update();
  numbers.update();
  const shown = park.state === "live" && market.lastTurn ? "ended" : park.state;
  const element = document.getElementById("connection");
  element.dataset.state = shown;
  element.textContent = t(shown);
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function writeButtons() {
  document.getElementById("language").textContent = t("language_switch");
  document.getElementById("theme").textContent = t(isDark() ? "theme_light" : "theme_dark");
}

document.getElementById("language").addEventListener("click", () => {
  switchLanguage();
  writeButtons();
  contracts.rebuild();
  numbers.rebuild();
  tape.drawn = null;
  drawTables();
  charts.update(true);
});

document.getElementById("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("parkex.theme", document.documentElement.dataset.theme);
  writeButtons();
  charts.update(true);
});

document.getElementById("follow").addEventListener("click", () => {
  setFollowing(true);
  contracts.showTab("power");
  follow();
});

writeWords();
writeButtons();
numbers.rebuild();
contracts.rebuild();
start();
poll();
setInterval(drawTables, DRAW_EVERY_MS);
setInterval(() => charts.update(), CHARTS_EVERY_MS);
setInterval(poll, POLL_EVERY_MS);
