// The two charts: prices over the day's contracts, energy of the metered periods. Drawn by plotly, in the colours of the style sheet.

import { plotTime } from "./format.js";
import { t } from "./i18n.js";

const HALF_PERIOD_NS = 450e9;
const BAR_MS = 780e3;
const OPTIONS = { displayModeBar: false, responsive: true };

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function layout(extra) {
  const grid = colour("--line");
  return {
    margin: { l: 48, r: 12, t: 6, b: 28 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 11, color: colour("--soft") },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11 }, itemwidth: 30 },
    hovermode: "x unified",
    hoverlabel: { bgcolor: colour("--panel"), bordercolor: grid, font: { color: colour("--text") } },
    xaxis: { type: "date", gridcolor: grid, linecolor: grid, tickformat: "%H:%M", zeroline: false, fixedrange: true },
    yaxis: { gridcolor: grid, zerolinecolor: grid, fixedrange: true, rangemode: "tozero" },
    ...extra,
  };
}

function nowLine(nowNs) {
  if (!nowNs) return [];
  const x = plotTime(nowNs);
  return [{ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line: { color: colour("--accent"), width: 1, dash: "dot" } }];
}

export class Charts {
  constructor(market) {
    this.market = market;
    this.curve = document.getElementById("curve");
    this.energy = document.getElementById("energy");
  }

  /** Draw what has changed; all of it when `anew` (another language or theme). */
  update(anew = false) {
    const state = `${this.market.version} ${this.market.nowNs} ${this.market.energy.length}`;
    if (document.hidden || (state === this.drawn && !anew)) return;
    this.drawn = state;
    if (window.Plotly === undefined) {
      this.curve.textContent = t("no_chart");
      this.energy.textContent = "";
      return;
    }
    this.drawCurve();
    this.drawEnergy();
  }

  drawCurve() {
    const { power, quotes, nowNs } = this.market;
    if (power.length === 0) return;
    const ends = plotTime(power[power.length - 1].delivery_end_ns);
    const starts = [...power.map((i) => plotTime(i.delivery_start_ns)), ends];
    const x = power.map((i) => plotTime(i.delivery_start_ns + HALF_PERIOD_NS));
    const price = (field) => power.map((i) => quotes.get(i.symbol)?.[field] ?? null);
    const step = (field, name, dash) => ({
      x: starts, y: [...power, power[power.length - 1]].map((i) => i[field]), name, mode: "lines",
      line: { shape: "hv", color: colour("--soft"), width: 1.2, dash }, hoverinfo: "skip",
    });
    const line = (y, name, shade) => ({ x, y, name, mode: "lines", connectgaps: false, line: { color: shade, width: 1.2 }, hovertemplate: "%{y}" });
    const traces = [
      step("deficit_price", t("deficit_price"), "dot"),
      step("surplus_price", t("surplus_price"), "dash"),
      line(price("ask"), t("asks_price"), colour("--ask")),
      line(price("bid"), t("bids_price"), colour("--bid")),
      { x, y: price("last"), name: t("last_price"), mode: "markers", marker: { color: colour("--text"), size: 4 }, hovertemplate: "%{y}" },
    ];
    const range = [starts[0], ends];
    const base = layout({ shapes: nowLine(inRange(nowNs, power)) });
    window.Plotly.react(this.curve, traces, { ...base, xaxis: { ...base.xaxis, range } }, OPTIONS);
  }

  drawEnergy() {
    const { power, nowNs, energy } = this.market;
    if (power.length === 0) return;
    const x = energy.map((e) => plotTime(e.start_ns + HALF_PERIOD_NS)); // bars stand in the middle of their quarter-hour
    const kwh = (field, sign = 1) => energy.map((e) => (sign * e[field]) / 1000);
    const bars = (y, name, shade) => ({ x, y, name, type: "bar", width: BAR_MS, marker: { color: shade }, hovertemplate: "%{y:,.0f}" });
    const traces = [
      bars(kwh("generation_wh"), t("generation"), colour("--green")),
      bars(kwh("grid_import_wh"), t("grid_import"), colour("--grid")),
      bars(kwh("grid_export_wh", -1), t("grid_export"), colour("--export")),
      { x, y: kwh("consumption_wh"), name: t("consumption"), mode: "lines", line: { color: colour("--text"), width: 1.6 }, hovertemplate: "%{y:,.0f}" },
    ];
    const range = [plotTime(power[0].delivery_start_ns), plotTime(power[power.length - 1].delivery_end_ns)];
    const empty = { text: t("no_energy"), xref: "paper", yref: "paper", x: 0.5, y: 0.5, showarrow: false };
    const base = layout({ barmode: "relative", shapes: nowLine(inRange(nowNs, power)), annotations: energy.length === 0 ? [empty] : [] });
    window.Plotly.react(this.energy, traces, { ...base, xaxis: { ...base.xaxis, range } }, OPTIONS);
  }
}

function inRange(nowNs, power) {
  return nowNs >= power[0].delivery_start_ns && nowNs <= power[power.length - 1].delivery_end_ns ? nowNs : 0;
}
