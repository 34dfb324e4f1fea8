// The market as this page knows it: the fold of what the public channels say. Views read it and never write it.

import { periodCount } from "./format.js";

const TAPE_LENGTH = 80;
const CALL_PHASES = new Set(["opening_auction", "closing_auction", "interrupted"]);

export class Market {
  constructor() {
    this.instruments = new Map(); // symbol -> instrument
    this.listIsOld = false; // something was listed since setInstruments
    this.power = []; // quarter-hours by delivery
    this.blocks = []; // power over several quarter-hours
    this.others = []; // certificates, allowances, credits
    this.indications = new Map(); // symbol -> what the auction of its call phase would come to
    this.quotes = new Map(); // symbol -> {bid, bidQuantity, ask, askQuantity, last}
    this.tape = []; // newest first
    this.book = null; // {symbol, seq, bids: Map price -> [price, quantity, orders], asks}
    this.nowNs = 0;
    this.lastTurn = false;
    this.summary = null;
    this.energy = [];
    this.changedQuotes = new Set();
    this.version = 0; // counts what was applied, so that views can tell whether there is anything to draw
  }

  setInstruments(list) {
    this.listIsOld = false;
    this.instruments = new Map(list.map((instrument) => [instrument.symbol, instrument]));
    const power = list.filter((i) => i.instrument_class === "power").sort((a, b) => a.delivery_start_ns - b.delivery_start_ns);
    this.power = power.filter((i) => periodCount(i) === 1);
    this.blocks = power.filter((i) => periodCount(i) > 1);
    this.others = list.filter((i) => i.instrument_class !== "power").sort((a, b) => a.symbol.localeCompare(b.symbol));
  }

  /** Apply one notification of the server. Returns false when the book has a gap and must be subscribed again. */
  apply(method, params) {
    this.version += 1;
    switch (method) {
      case "ticker":
        for (const [symbol, bid, bidQuantity, ask, askQuantity, last] of params.quotes) {
          this.quotes.set(symbol, { bid, bidQuantity, ask, askQuantity, last });
          this.changedQuotes.add(symbol);
        }
        return true;
      case "trade":
        this.tape = [...params.trades.slice(-TAPE_LENGTH).reverse(), ...this.tape].slice(0, TAPE_LENGTH);
        return true;
      case "book.snapshot":
        this.book = { symbol: params.instrument, seq: params.seq, bids: levels(params.bids), asks: levels(params.asks) };
        return true;
      case "book.delta":
        return this.applyDelta(params);
      case "phase": {
        const instrument = this.instruments.get(params.instrument);
        if (instrument === undefined) {
          this.listIsOld = true;
          return true;
        }
        instrument.phase = params.phase;
        instrument.phase_end_ns = params.end_ns ?? 0;
        if (!CALL_PHASES.has(params.phase)) this.indications.delete(params.instrument);
        this.changedQuotes.add(params.instrument);
        return true;
      }
      case "indication":
        for (const indication of params.indications) this.indications.set(indication.instrument, indication);
        return true;
      case "auction":
        this.indications.delete(params.instrument);
        return true;
      case "turn":
        this.nowNs = params.now_ns;
        this.lastTurn = params.last ?? false;
        return true;
      case "heartbeat":
        this.nowNs = Math.max(this.nowNs, params.now_ns);
        return true;
      default:
        return true;
    }
  }

  applyDelta({ instrument, seq, prev_seq: previous, bids, asks }) {
    const book = this.book;
    if (book === null || book.symbol !== instrument) return true;
    if (seq <= book.seq) return true;
    if (previous !== book.seq) return false;
    merge(book.bids, bids);
    merge(book.asks, asks);
    book.seq = seq;
    return true;
  }

  /** The open power contract whose gate closes next, or undefined. */
  nextGate() {
    return this.power.find((i) => takesOrders(i));
  }

  openCount() {
    let open = 0;
    for (const instrument of this.instruments.values()) if (takesOrders(instrument)) open += 1;
    return open;
  }
}

/** Whether orders may be placed: in continuous trading and in call phases. */
function takesOrders(instrument) {
  return instrument.phase === "continuous" || inCallPhase(instrument);
}

/** Whether orders of the instrument gather for an auction. */
export function inCallPhase(instrument) {
  return CALL_PHASES.has(instrument.phase);
}

function levels(list) {
  return new Map(list.map((level) => [level[0], level]));
}

function merge(side, changes) {
  for (const level of changes) {
    if (Number(level[1]) === 0) side.delete(level[0]);
    else side.set(level[0], level);
  }
}
