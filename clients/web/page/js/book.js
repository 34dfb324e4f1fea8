// The order book of the selected instrument as a ladder, and the tape of trades.

import { clockTime, periodCount, shortName } from "./format.js";
import { t } from "./i18n.js";

const LEVELS = 7;

export class BookView {
  constructor(market, park) {
    this.market = market;
    this.park = park;
    this.asks = document.getElementById("asks");
    this.bids = document.getElementById("bids");
    this.spread = document.getElementById("spread");
    this.symbol = document.getElementById("book-symbol");
    this.meta = document.getElementById("book-meta");
  }

  /** Draw the book of `symbol`; empty until its snapshot has come. */
  update(symbol) {
    const instrument = this.market.instruments.get(symbol);
    this.symbol.textContent = instrument ? shortName(instrument) : "";
    this.meta.textContent = instrument ? this.describe(instrument) : "";
    const book = this.park.book(symbol);
    const bids = book?.ready ? book.bids.slice(0, LEVELS) : [];
    const asks = book?.ready ? book.asks.slice(0, LEVELS) : [];
    const largest = Math.max(1e-9, ...[...bids, ...asks].map((level) => Number(level[1])));
    this.asks.replaceChildren(...asks.reverse().map((level) => ladderRow(level, largest)));
    this.bids.replaceChildren(...bids.map((level) => ladderRow(level, largest)));
    this.spread.textContent = this.spreadText(bids, asks, instrument);
  }

  describe(instrument) {
    const parts = [instrument.symbol, t(instrument.phase)];
    if (instrument.phase_end_ns) parts.push(t("call_ends", { time: clockTime(instrument.phase_end_ns) }));
    if (instrument.instrument_class === "power") {
      parts.push(t("closes_at", { time: clockTime(instrument.close_ns) }));
      if (periodCount(instrument) > 1) parts.push(t("block_of", { periods: periodCount(instrument) }));
      // A block has the prices of its quarter-hours, none of its own.
      if (Number(instrument.deficit_price) > 0) {
        parts.push(t("retail", { price: instrument.deficit_price }), t("feed_in", { price: instrument.surplus_price }));
      }
    } else {
      parts.push(t(instrument.venue === "park" ? "park_venue" : instrument.venue), instrument.unit);
    }
    return parts.join(" · ");
  }

  spreadText(bids, asks, instrument) {
    const indication = this.market.indications.get(instrument?.symbol);
    if (indication?.price) return t("indication", { price: indication.price, volume: indication.volume });
    if (indication) return t("indication_none");
    if (bids.length === 0 && asks.length === 0) return t("no_book");
    if (bids.length === 0) return t("no_bids");
    if (asks.length === 0) return t("no_asks");
    const bestAsk = Number(asks[asks.length - 1][0]);
    return t("spread", { spread: (bestAsk - Number(bids[0][0])).toFixed(instrument?.price_decimals ?? 4) });
  }
}

function ladderRow([price, quantity, orders], largest) {
  const row = document.createElement("tr");
  for (const text of [orders, quantity, price]) {
    const cell = row.insertCell();
    cell.className = "num";
    cell.textContent = text;
  }
  row.style.setProperty("--share", (Number(quantity) / largest).toFixed(3));
  return row;
}

export class TapeView {
  constructor(market) {
    this.market = market;
    this.body = document.getElementById("tape-body");
  }

  update() {
    if (this.drawn === this.market.tape) return;
    this.drawn = this.market.tape;
    this.body.replaceChildren(...this.drawn.map((trade) => this.makeRow(trade)));
  }

  makeRow(trade) {
    const instrument = this.market.instruments.get(trade.instrument);
    const row = document.createElement("tr");
    // A listed trade has the colour of the side that took; in the other modes neither side did.
    const { mode = "listed", side } = trade;
    row.className = mode === "listed" ? side : mode;
    if (mode !== "listed") row.title = t(`${mode}_trade`);
    const texts = [clockTime(trade.at_ns), instrument ? shortName(instrument) : trade.instrument, trade.quantity, trade.price];
    texts.forEach((text, i) => {
      const cell = row.insertCell();
      cell.textContent = text;
      if (i > 1) cell.className = "num";
    });
    return row;
  }
}
