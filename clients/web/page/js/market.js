// The market as this page knows it: the fold of what the public channels say. Views read it and never write it.

const TAPE_LENGTH = 80;
const LONGER_THAN_A_QUARTER_NS = 16 * 60 * 1e9; // doubles: no exact comparison with 15 minutes

export class Market {
  constructor() {
    this.instruments = new Map(); // symbol -> instrument
    this.listIsOld = false; // something was listed since setInstruments
    this.power = []; // quarter-hours by delivery
    this.blocks = []; // power over several quarter-hours
    this.others = []; // certificates, allowances, credits
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
    this.power = power.filter((i) => i.delivery_end_ns - i.delivery_start_ns < LONGER_THAN_A_QUARTER_NS);
    this.blocks = power.filter((i) => i.delivery_end_ns - i.delivery_start_ns >= LONGER_THAN_A_QUARTER_NS);
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
        this.changedQuotes.add(params.instrument);
        return true;
      }
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
    return this.power.find((i) => i.phase === "continuous");
  }

  openCount() {
    let open = 0;
    for (const instrument of this.instruments.values()) if (instrument.phase === "continuous") open += 1;
    return open;
  }
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
