// The strip of figures and the clock.

import { calendarDay, clockTime, count, periodName } from "./format.js";
import { t } from "./i18n.js";
import { inCallPhase } from "./market.js";

const NAMES = ["orders", "orders_rate", "trades", "energy", "open", "participants"];

export class NumbersView {
  constructor(market) {
    this.market = market;
    this.cells = {};
    this.list = document.getElementById("numbers");
    this.samples = []; // [wall ms, orders], a few seconds of them
  }

  /** Make the strip anew: at the start and after a change of language. */
  rebuild() {
    this.list.replaceChildren();
    for (const name of NAMES) {
      const group = document.createElement("div");
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = t(`n_${name}`);
      value.id = `n-${name.replace("_", "-")}`;
      group.append(term, value);
      this.list.append(group);
      this.cells[name] = value;
    }
    this.update();
  }

  /** Remember a new summary for the rate of orders. */
  sample() {
    const orders = this.market.summary?.orders;
    if (orders === undefined) return;
    this.samples.push([performance.now(), orders]);
    if (this.samples.length > 5) this.samples.shift();
  }

  rate() {
    if (this.samples.length < 2) return undefined;
    const [firstMs, firstOrders] = this.samples[0];
    const [lastMs, lastOrders] = this.samples[this.samples.length - 1];
    return Math.max(0, ((lastOrders - firstOrders) * 1000) / (lastMs - firstMs));
  }

  update() {
    const { market } = this;
    const summary = market.summary ?? {};
    this.cells.orders.textContent = count(summary.orders);
    this.cells.orders_rate.textContent = count(this.rate());
    this.cells.trades.textContent = count(summary.trades);
    this.cells.energy.textContent = count(summary.energy_traded_wh === undefined ? undefined : summary.energy_traded_wh / 1000);
    this.cells.open.textContent = count(market.openCount());
    this.cells.participants.textContent = count(summary.participants);
    this.writeClock();
  }

  writeClock() {
    const { nowNs } = this.market;
    if (!nowNs) return;
    document.getElementById("clock").textContent = clockTime(nowNs);
    document.getElementById("clock-day").textContent = calendarDay(nowNs);
    const next = this.market.nextGate();
    const gate = document.getElementById("gate");
    if (next === undefined) gate.textContent = t("gate_none");
    else if (inCallPhase(next) && next.phase_end_ns) gate.textContent = t("call_phase", { phase: t(next.phase), time: clockTime(next.phase_end_ns) });
    else gate.textContent = t("gate_closes", { period: periodName(next), left: timeLeft(next.close_ns - nowNs) });
  }
}

/** "15 min", "7 h 45 min". */
function timeLeft(ns) {
  const minutes = Math.max(0, Math.round(ns / 60e9));
  return minutes < 60 ? t("minutes", { minutes }) : t("hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}
