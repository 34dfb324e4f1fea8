// The list of contracts: one row an instrument, the selected one and the next gate marked.

import { periodCount, periodName } from "./format.js";
import { t } from "./i18n.js";

export class ContractsView {
  /** `onSelect(symbol)` when a row is chosen by hand. */
  constructor(market, onSelect) {
    this.market = market;
    this.onSelect = onSelect;
    this.tab = "power";
    this.rows = new Map(); // symbol -> cells
    this.body = document.getElementById("contracts-body");
    this.scroll = document.getElementById("contracts-scroll");
    this.tabs = { power: document.getElementById("tab-power"), blocks: document.getElementById("tab-blocks"), units: document.getElementById("tab-units") };
    for (const [name, button] of Object.entries(this.tabs)) button.addEventListener("click", () => this.showTab(name));
  }

  showTab(name) {
    this.tab = name;
    for (const [key, button] of Object.entries(this.tabs)) button.setAttribute("aria-selected", String(key === name));
    document.getElementById("units-note").hidden = name !== "units";
    this.rebuild();
  }

  /** Make all rows anew: after a change of the list, of the tab or of the language. */
  rebuild() {
    const listed = { power: this.market.power, blocks: this.market.blocks, units: this.market.others }[this.tab];
    this.tabs.blocks.hidden = this.market.blocks.length === 0;
    document.getElementById("contracts-first").textContent = t(this.tab === "units" ? "instrument" : "delivery");
    this.rows.clear();
    this.body.replaceChildren(...listed.map((instrument) => this.makeRow(instrument)));
    for (const instrument of listed) this.writeRow(instrument.symbol);
    this.mark();
  }

  makeRow(instrument) {
    const row = document.createElement("tr");
    const cells = [0, 1, 2, 3].map(() => row.insertCell());
    const button = document.createElement("button");
    button.type = "button";
    button.className = "row-name";
    button.append(instrument.instrument_class === "power" ? periodName(instrument) : instrument.symbol);
    cells[0].append(button);
    const mark = markOf(instrument);
    if (mark) {
      const element = document.createElement("span");
      element.className = "mark";
      element.textContent = mark;
      cells[0].append(" ", element);
    }
    for (const cell of cells.slice(1)) cell.className = "num";
    cells[1].classList.add("bid");
    cells[2].classList.add("ask");
    row.addEventListener("click", () => this.onSelect(instrument.symbol));
    this.rows.set(instrument.symbol, { row, button, cells });
    return row;
  }

  writeRow(symbol) {
    const entry = this.rows.get(symbol);
    if (!entry) return;
    const { row, button, cells } = entry;
    const quote = this.market.quotes.get(symbol);
    const values = [quote?.bid, quote?.ask, quote?.last];
    values.forEach((value, i) => {
      const text = value ?? "·";
      if (cells[i + 1].textContent !== text) cells[i + 1].textContent = text;
    });
    const { phase } = this.market.instruments.get(symbol);
    row.dataset.phase = phase;
    button.title = `${symbol}: ${t(phase)}`;
  }

  /** Write the rows whose quotes or phases changed. */
  update() {
    for (const symbol of this.market.changedQuotes) this.writeRow(symbol);
    this.market.changedQuotes.clear();
    this.mark();
  }

  mark() {
    const next = this.market.nextGate()?.symbol;
    for (const [symbol, { row, button }] of this.rows) {
      row.classList.toggle("selected", symbol === this.selected);
      row.classList.toggle("next", symbol === next);
      button.setAttribute("aria-pressed", String(symbol === this.selected));
    }
  }

  /** Mark a row as selected and, when the page chose it by itself, bring it into view. */
  select(symbol, bringIntoView) {
    this.selected = symbol;
    this.mark();
    const entry = this.rows.get(symbol);
    if (entry && bringIntoView && !this.scroll.matches(":hover, :focus-within")) {
      this.scroll.scrollTop = entry.row.offsetTop - this.scroll.clientHeight / 3;
    }
  }
}

/** What stands beside the name: the venue of units, the name of a block (PEAK of GP-20260715-PEAK), nothing beside a quarter-hour. */
function markOf(instrument) {
  if (instrument.instrument_class !== "power") return t(instrument.venue === "park" ? "park_venue" : instrument.venue);
  return periodCount(instrument) > 1 ? instrument.symbol.split("-").pop() : "";
}
