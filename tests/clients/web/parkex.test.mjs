// The JavaScript client in Node, against the exchange at PARKEX_URL. `python -m pytest tests/clients/web` starts one and runs this.
//
// PARKEX_KEY is the private key of member e02 (base64), who buys power; PARKEX_OTHER_KEY that of pv02, who sells it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Book, Client, ConnectionLost, LogonRefused, OutcomeUnknown, Pacer, Refused, connect, crc32, parseExact, signerOf, stringifyExact } from "../../../clients/web/page/parkex.js";

const { PARKEX_URL, PARKEX_KEY, PARKEX_OTHER_KEY } = process.env;
const POWER = "GP-20260715-1000";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition, what) {
  for (let i = 0; i < 500; i += 1) {
    if (await condition()) return;
    await sleep(10);
  }
  throw new Error(`${what}: it did not come to that`);
}

describe("JSON", () => {
  const SAME = ['{"a":[1,-2,3.5,1e3,true,false,null,""],"b":{"c":"\\u00e9\\n\\"\\\\/"},"":0}', "[]", "{}", ' [ 1 , {"x" : [ ] } ] ', '"x"', "-0", "0.5"];
  for (const text of SAME) test(`as JSON.parse: ${text}`, () => assert.deepEqual(parseExact(text), JSON.parse(text)));

  const EXACT = [
    ['{"now_ns":1784044800123456789}', { now_ns: 1784044800123456789n }],
    ['{"balance_micro":5}', { balance_micro: 5n }],
    ['{"balance_micro":-9223372036854775808}', { balance_micro: -9223372036854775808n }],
    ['{"seq":9007199254740991,"id":9007199254740993}', { seq: 9007199254740991, id: 9007199254740993n }],
    ['{"per_s":0.25,"price":"0.4100","stamps_ns":[1,2]}', { per_s: 0.25, price: "0.4100", stamps_ns: [1n, 2n] }],
  ];
  for (const [text, value] of EXACT) {
    test(`exact, there and back: ${text}`, () => {
      assert.deepEqual(parseExact(text), value);
      assert.equal(stringifyExact(value), text);
    });
  }

  const WRONG = ["", "{", "[1,]", '{"a":1,}', "01", "1.", '{"a" 1}', '"\u0001"', "nul", "[1] 2", "+1", "{1:2}", "]", '{"a":}', "[".repeat(100) + "]".repeat(100)];
  for (const text of WRONG) test(`refused: ${text.slice(0, 12)}`, () => assert.throws(() => parseExact(text), SyntaxError));

  test("a member named __proto__ is a member", () => assert.equal(Object.keys(parseExact('{"__proto__":{"x":1}}'))[0], "__proto__"));
  test("random values as JSON.parse reads them", () => {
    let state = 7;
    const draw = (n) => (state = (state * 1103515245 + 12345) % 2147483648) % n;
    const make = (depth) => [
      () => draw(1e9) - 5e8, () => draw(1000) / 8, () => `é"\\\n${draw(99)}`, () => null, () => draw(2) === 1,
      () => Array.from({ length: draw(4) }, () => make(depth + 1)),
      () => Object.fromEntries(Array.from({ length: draw(4) }, (_, i) => [`k${i}`, make(depth + 1)])),
    ][draw(depth > 5 ? 5 : 7)]();
    for (let i = 0; i < 500; i += 1) {
      const text = JSON.stringify(make(0));
      assert.deepEqual(parseExact(text), JSON.parse(text));
      assert.equal(stringifyExact(parseExact(text)), text);
    }
  });
  for (const value of [2 ** 53, -(2 ** 60), NaN, Infinity]) test(`not sent: ${value}`, () => assert.throws(() => stringifyExact({ x: value }), TypeError));
});

describe("books", () => {
  test("levels are sorted as numbers, gaps are found, repeats change nothing", () => {
    const book = new Book("X");
    assert.equal(book.ready, false);
    book.applySnapshot({ seq: 7, bids: [["9.5", "1", 1], ["10.0", "2", 1]], asks: [["100.0", "3", 1], ["11.0", "2", 1]] });
    assert.deepEqual(book.bids.map(([price]) => price), ["10.0", "9.5"]);
    assert.deepEqual(book.asks.map(([price]) => price), ["11.0", "100.0"]);
    assert.equal(book.applyDelta({ seq: 9, prev_seq: 7, bids: [["10.0", "0.0", 0]], asks: [] }), true);
    assert.equal(book.applyDelta({ seq: 9, prev_seq: 7, bids: [["10.0", "8.0", 1]], asks: [] }), true);
    assert.deepEqual(book.bids, [["9.5", "1", 1]]);
    assert.equal(book.applyDelta({ seq: 12, prev_seq: 11, bids: [], asks: [] }), false);
    assert.equal(book.ready, false);
  });
});

describe("checksums", () => {
  // Values of zlib's crc32 in Python.
  const KNOWN = [["", 0], [";", 0x630906a9], ["123456789", 0xcbf43926], ["0.4000:12.5,0.3900:1.0;0.4200:8.0", 0xab2613cd]];
  test("are those of zlib", () => {
    for (const [text, value] of KNOWN) assert.equal(crc32(text), value, text);
  });
  test("find a book that is another", () => {
    const book = new Book("X");
    book.applySnapshot({ seq: 1, bids: [["0.3900", "1.0", 1]], asks: [["0.4200", "8.0", 2]] });
    const change = { seq: 2, prev_seq: 1, bids: [["0.4000", "12.5", 1]], asks: [] };
    assert.equal(book.applyDelta({ ...change, checksum: crc32("0.4000:12.5,0.3900:1.0;0.4200:8.0") }), true);
    assert.equal(book.applyDelta({ ...change, seq: 3, prev_seq: 2, checksum: 1 }), false);
    assert.equal(book.ready, false);
  });
});

describe("pace", () => {
  const told = { bucket: "key", tokens: 0.5, burst: 10, per_s: 2 };
  const WAITS = [[undefined, 0, 100, 100], [told, 0, 250, 0], [told, 250, 0, 0], [{ ...told, per_s: 0 }, 0, 100, 100], [{ ...told, tokens: 0, burst: 0.5 }, 0, 250, 125]];
  for (const [data, laterMs, place, cancel] of WAITS) {
    test(`${JSON.stringify(data)} after ${laterMs} ms`, () => {
      const pacer = new Pacer();
      assert.equal(pacer.waitMs("order.place", {}, 0), 0);
      pacer.refused(data, 1000);
      assert.equal(pacer.waitMs("order.place", {}, 1000 + laterMs), place);
      assert.equal(pacer.waitMs("order.cancel", {}, 1000 + laterMs), cancel);
    });
  }
});

/** Sockets that can be cut, made deaf, or made to lose what they receive. */
function flakySockets() {
  const state = { opened: 0, swallow: () => false, mute: false, refuse: 0, last: null };
  class FlakySocket {
    constructor(url) {
      state.opened += 1;
      state.last = this;
      const number = state.opened;
      this.socket = new WebSocket(state.refuse > 0 ? "ws://127.0.0.1:1" : url);
      state.refuse -= 1;
      this.socket.onmessage = (event) => state.swallow(event.data, number) || this.onmessage(event);
      this.socket.onclose = (event) => this.onclose(event);
      this.socket.onerror = (event) => this.onerror(event);
    }
    send(text) {
      if (!state.mute) this.socket.send(text);
    }
    close(code) {
      this.socket.close(code);
    }
  }
  return Object.assign(state, { FlakySocket });
}

const opened = []; // all are closed at the end, so that a test that fails does not keep Node waiting

async function open(options) {
  const park = await connect(PARKEX_URL, options);
  opened.push(park);
  return park;
}

const buyer = (options = {}) => open({ keyId: "e02", privateKey: PARKEX_KEY, firstDelayMs: 2, ...options });
const seller = () => open({ keyId: "pv02", privateKey: PARKEX_OTHER_KEY });
const buy = (price, quantity = "1.0", more = {}) => ({ instrument: POWER, side: "buy", price, quantity, ...more });
const sell = (price, quantity = "1.0") => ({ instrument: POWER, side: "sell", price, quantity });

describe("against an exchange", () => {
  let other;
  before(async () => {
    other = await seller();
  });
  after(() => opened.forEach((park) => park.close()));

  test("logs on, places, amends, cancels; money and times are exact", async () => {
    const park = await buyer();
    const events = [];
    park.on("execution", (event) => events.push(event));
    await park.subscribe("executions");
    assert.equal(park.logon.name, "E02");
    assert.equal(typeof park.logon.now_ns, "bigint");
    const order = await park.place(buy("0.4000", "5.0"));
    assert.deepEqual([order.status, order.remaining], ["resting", "5.0"]);
    const amended = await park.amend({ instrument: POWER, order_id: order.order_id, revision: order.revision, quantity: "4.0" });
    assert.deepEqual([amended.remaining, amended.revision], ["4.0", 2]);
    assert.equal((await park.request("balances")).balance_micro, 1_000_000_000_000n);
    assert.equal((await park.cancel(order.order_id)).status, "cancelled");
    assert.deepEqual(events.map(({ kind }) => kind), ["rested", "reduced", "cancelled"]);
    await assert.rejects(park.cancel(order.order_id), (error) => error instanceof Refused && error.code === 3006);
    await assert.rejects(park.place({ ...buy("0.4"), price: 0.4 }), (error) => error.code === 1012);
    await assert.rejects(park.request("no.such.method"), (error) => error.code === 1010);
    park.close();
    await assert.rejects(park.request("balances"), ConnectionLost);
  });

  test("a book is followed, and trades are told", async () => {
    const park = await open({});
    const trades = [];
    park.on("trade", ({ trades: some }) => trades.push(...some));
    await park.subscribe(`trades:${POWER}`);
    const book = await park.subscribeBook(POWER);
    const order = await other.place(sell("0.5000", "2.0"));
    await until(() => book.asks.length === 1, "the offer");
    assert.deepEqual(book.asks, [["0.5000", "2.0", 1]]);
    const taker = await buyer();
    await taker.place(buy("0.5000", "0.5", { time_in_force: "ioc" }));
    await until(() => book.asks[0][1] === "1.5" && trades.length === 1, "the trade");
    assert.equal(typeof trades[0].at_ns, "bigint");
    await other.cancel(order.order_id);
    await until(() => book.asks.length === 0, "an empty book");
    await assert.rejects(park.subscribeBook("GP-NONE"), Refused);
    assert.equal(park.book("GP-NONE"), undefined);
    taker.close();
    park.close();
  });

  test("an unanswered order is sent again and exists once; executions are replayed; books come back", async () => {
    const line = flakySockets();
    const park = await buyer({ WebSocket: line.FlakySocket });
    const seqs = [];
    park.on("execution", ({ seq }) => seqs.push(seq));
    await park.subscribe("executions");
    const book = await park.subscribeBook(POWER);
    line.swallow = (text, number) => number === 1 && (text.includes('"result"') || text.includes("execution"));
    const placing = park.place(buy("0.4000", "3.0"));
    const watcher = await buyer();
    await until(async () => (await watcher.request("orders.open")).orders.length === 1, "the order");
    line.refuse = 2;
    line.last.close();
    await other.place({ ...sell("0.4000"), time_in_force: "ioc" });
    const order = await placing;
    assert.equal(order.duplicate, true);
    const { orders } = await watcher.request("orders.open");
    assert.deepEqual(orders.map(({ remaining }) => remaining), ["2.0"]);
    await until(() => seqs.length === 2 && book.ready && book.bids[0]?.[1] === "2.0", "what was missed");
    assert.equal(seqs[1], seqs[0] + 1);
    assert.equal((await park.massCancel({ instrument: POWER })).cancelled_orders, 1);
    watcher.close();
    park.close();
  });

  test("a gap of executions is found and mended", async () => {
    const line = flakySockets();
    const park = await buyer({ WebSocket: line.FlakySocket });
    const kinds = [];
    park.on("execution", ({ kind }) => kinds.push(kind));
    await park.subscribe("executions");
    line.swallow = (text) => text.includes('"kind":"rested"');
    const order = await park.place(buy("0.4000"));
    line.swallow = () => false;
    await park.cancel(order.order_id);
    await until(() => kinds.length === 2, "both");
    assert.deepEqual(kinds, ["rested", "cancelled"]);
    park.close();
  });

  test("a line that is dead but open is left", async () => {
    const line = flakySockets();
    const park = await buyer({ WebSocket: line.FlakySocket, silenceMs: 150 });
    const states = [];
    park.on("state", ({ state }) => states.push(state));
    line.swallow = (_, number) => number === 1;
    assert.equal(typeof (await park.request("balances")).held_micro, "bigint");
    assert.deepEqual([states, line.opened], [["offline", "live"], 2]);
    park.close();
  });

  test("what was turned away twice is not called refused", async () => {
    const line = flakySockets();
    const park = await buyer({ WebSocket: line.FlakySocket });
    line.swallow = (text, number) => number === 1 && text.includes('"result"');
    const placing = park.place(buy("0.4000"));
    placing.catch(() => {});
    await sleep(50);
    line.swallow = (text, number) => {
      const found = /"id":(\d+),"result":\{"sequence"/.exec(text);
      if (number === 1 || found === null) return false;
      line.swallow = () => false;
      line.last.onmessage({ data: `{"id":${found[1]},"error":{"code":5010,"message":"the exchange does not accept commands now"},"jsonrpc":"2.0"}` });
      return true;
    };
    line.last.close();
    await assert.rejects(placing, (error) => error instanceof OutcomeUnknown && error instanceof ConnectionLost && error.code === 5010);
    await park.massCancel();
    park.close();
  });

  test("limits: refused with a time without the option, waited for with it, cancels first", async () => {
    const plain = await buyer();
    const results = await Promise.allSettled(Array.from({ length: 60 }, () => plain.place(buy("0.3000", "0.1"))));
    const refused = results.filter(({ status }) => status === "rejected");
    assert.ok(refused.length > 0 && refused.every(({ reason }) => reason.code === 5007 && reason.retryAfterMs > 0));
    plain.close();
    const park = await buyer({ waitForLimits: true });
    await park.massCancel();
    const waiting = Array.from({ length: 60 }, () => park.place(buy("0.3000", "0.1")));
    const settled = Promise.allSettled(waiting);
    const first = await waiting[0];
    await park.cancel(first.order_id);
    const { orders } = await park.request("orders.open");
    assert.ok(orders.length < 59, "the cancel passed those that waited");
    await park.massCancel();
    const left = (await settled).filter(({ status }) => status === "rejected");
    assert.ok(left.length > 0 && left.every(({ reason }) => reason.message.includes("taken back")));
    assert.equal((await park.request("orders.open")).orders.length, 0);
    park.close();
  });

  test("who may not come in hears why", async () => {
    await assert.rejects(buyer({ keyId: "nobody" }), (error) => error instanceof LogonRefused && error.code === 5005);
    await assert.rejects(buyer({ privateKey: "AAAA" }), LogonRefused);
    await assert.rejects(connect("ws://127.0.0.1:1"), ConnectionLost);
    assert.throws(() => new Client("http://127.0.0.1:1"), TypeError);
    const { WebSocket: global } = globalThis;
    delete globalThis.WebSocket;
    assert.throws(() => new Client(PARKEX_URL), /Node has it from 22/);
    globalThis.WebSocket = global;
  });

  test("a sign function may take the place of the key", async () => {
    const park = await buyer({ privateKey: undefined, sign: await signerOf(PARKEX_KEY) });
    assert.equal(park.logon.name, "E02");
    park.close();
  });

  test("a clock that is an hour off keeps nobody out", async () => {
    const { now } = Date;
    Date.now = () => now() - 3600_000;
    try {
      (await buyer()).close();
    } finally {
      Date.now = now;
    }
  });
});
