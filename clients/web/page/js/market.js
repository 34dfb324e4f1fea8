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

  /** Apply one notification of the server; books are the client's. */
  apply(method, params) {
    this.version += 1;
    switch (method) {
      case "ticker":
        for (const [symbol, bid, bidQuantity, ask, askQuantity, last] of params.quotes) {
          this.quotes.set(symbol, { bid, bidQuantity, ask, askQuantity, last });
          this.changedQuotes.add(symbol);
        }
        return;
      case "trade":
        this.tape = [...params.trades.slice(-TAPE_LENGTH).reverse(), ...this.tape].slice(0, TAPE_LENGTH);
        return;
      case "phase": {
        const instrument = this.instruments.get(params.instrument);
        if (instrument === undefined) {
          this.listIsOld = true;
          return;
        }
        instrument.phase = params.phase;
        instrument.phase_end_ns = params.end_ns ?? 0;
        if (!CALL_PHASES.has(params.phase)) this.indications.delete(params.instrument);
        this.changedQuotes.add(params.instrument);
        return;
      }
      case "indication":
        for (const indication of params.indications) this.indications.set(indication.instrument, indication);
        return;
      case "auction":
        this.indications.delete(params.instrument);
        return;
      case "turn":
        this.nowNs = params.now_ns;
        this.lastTurn = params.last ?? false;
        return;
      case "heartbeat":
        this.nowNs = Math.max(this.nowNs, params.now_ns);
        return;
      default:
    }
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
