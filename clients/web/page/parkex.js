// A client of a parkex exchange for pages and for Node, in this one file: no dependencies, no build step.
//
//   import { connect } from "./parkex.js"; // every exchange with a page serves it at /parkex.js
//
//   const park = await connect("ws://127.0.0.1:8765", { keyId: "plant-7", privateKey: BASE64 });
//   park.on("execution", (event) => console.log(event.kind, event.price, event.remaining));
//   await park.subscribe("executions");
//   const order = await park.place({ instrument: "GP-20260715-1015", side: "buy", price: "0.4100", quantity: "12.5" });
//   await park.cancel(order.order_id);
//
// Prices and quantities are decimal strings and stay strings. Times in ns and money in micro-CNY (members that end in _ns or _micro) are BigInt, as is
// every other integer that a double cannot hold; all others are numbers. docs/protocol.md has the methods and the channels.

const PATH = "/ws/v1";
const LAST_DELAY_MS = 5000;
const LOGON_TIMEOUT_MS = 10000;
const TRUSTED_CLOCK_NS = 10_000_000_000n;
const BREATHER_MS = 100;

// Tokens of a command, as under "Limits" in docs/protocol.md; what is not here costs its frame only.
const COSTS = {
  "order.place": 1, "basket.place": 1, "order.amend": 1, "order.cancel": 0.25, "order.mass_cancel": 1,
  "session.cancel_after": 1, nominate: 1,
  "block.propose": 1, "block.confirm": 1, "block.decline": 0.25, "block.withdraw": 0.25,
  "one_way.bid": 1, "one_way.amend": 1, "one_way.withdraw": 0.25, "operator.submit": 10, "document.submit": 10,
};
const FIRST = new Set(["order.cancel", "order.mass_cancel", "block.decline", "block.withdraw", "one_way.withdraw"]);
// Each of these carries a client_order_id, by which the exchange knows it again.
const KEYED = new Set(["order.place", "order.amend", "order.cancel", "order.mass_cancel", "nominate"]);
// Done twice these would be two; everything else may be sent again after a lost connection.
const NEVER_AGAIN = new Set(["operator.submit", "document.submit"]);
const PASSING = new Set([5007, 5008]);
const FINAL_LOGON = new Set([5003, 5004, 5005, 5006, 5033, 5034]);

/** The exchange refused a request: `code` is one of docs/reject-codes.md, `data` says more. */
export class Refused extends Error {
  constructor({ code, message, data = {} }) {
    super(`${code} ${message}`);
    this.name = "Refused";
    this.code = code;
    this.data = data;
  }

  /** When a rate limit lets the same command through; undefined for every other refusal. */
  get retryAfterMs() {
    return this.data?.retry_after_ms;
  }
}

/** The connection ended; a command that was on its way may or may not have been carried out. */
export class ConnectionLost extends Error {
  name = "ConnectionLost";
}

/** Sent again after a lost connection and turned away (`code`) before anyone looked up what became of the first copy. */
export class OutcomeUnknown extends ConnectionLost {
  name = "OutcomeUnknown";
  constructor(error) {
    super(`sent again after a lost connection and turned away: ${error.message}`);
    this.code = error.code;
  }
}

/** The key, the clock or the host does not fit. `final`: trying again is of no use. */
export class LogonRefused extends Error {
  name = "LogonRefused";
  constructor(message, code = 0, final = true) {
    super(message);
    this.code = code;
    this.final = final;
  }
}

// JSON without floats for integers

const TOKEN = /[ \t\n\r]*(?:("(?:[^"\\\u0000-\u001f]|\\.)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([{}[\],:]))/y;
const MAX_DEPTH = 64;
const EXACT = /_(ns|micro)$/;

/** As JSON.parse, but integers stay exact: BigInt where the member's name ends in _ns or _micro, and where a double cannot hold it. */
export function parseExact(text) {
  let at = 0;
  let token;

  function next() {
    TOKEN.lastIndex = at;
    token = TOKEN.exec(text);
    if (token === null) throw new SyntaxError(`JSON: nothing that can be read at ${at}`);
    at = TOKEN.lastIndex;
  }

  function expect(mark) {
    next();
    if (token[4] !== mark) throw new SyntaxError(`JSON: expected ${mark} before ${at}`);
  }

  function value(name, depth) {
    if (depth > MAX_DEPTH) throw new SyntaxError("JSON: nested too deeply");
    if (token[1] !== undefined) return string(token[1]);
    if (token[2] !== undefined) return number(token[2], name);
    if (token[3] !== undefined) return token[3] === "null" ? null : token[3] === "true";
    if (token[4] === "[") return list(name, depth);
    if (token[4] === "{") return object(depth);
    throw new SyntaxError(`JSON: no value before ${at}`);
  }

  function list(name, depth) {
    const items = [];
    next();
    if (token[4] === "]") return items;
    for (;;) {
      items.push(value(name, depth + 1));
      next();
      if (token[4] === "]") return items;
      if (token[4] !== ",") throw new SyntaxError(`JSON: expected , or ] before ${at}`);
      next();
    }
  }

  function object(depth) {
    const members = {};
    next();
    if (token[4] === "}") return members;
    for (;;) {
      if (token[1] === undefined) throw new SyntaxError(`JSON: expected a name before ${at}`);
      const name = string(token[1]);
      expect(":");
      next();
      const member = value(name, depth + 1);
      // Assigning to __proto__ would not make a member.
      if (name === "__proto__") Object.defineProperty(members, name, { value: member, enumerable: true });
      else members[name] = member;
      next();
      if (token[4] === "}") return members;
      if (token[4] !== ",") throw new SyntaxError(`JSON: expected , or } before ${at}`);
      next();
    }
  }

  next();
  const result = value("", 0);
  if (text.slice(at).trim() !== "") throw new SyntaxError(`JSON: more than one value, from ${at} on`);
  return result;
}

function string(source) {
  return source.includes("\\") ? JSON.parse(source) : source.slice(1, -1);
}

function number(source, name) {
  if (/[.eE]/.test(source)) return Number(source);
  const exact = EXACT.test(name);
  const value = Number(source);
  return exact || !Number.isSafeInteger(value) ? BigInt(source) : value;
}

/** As JSON.stringify, with BigInt as integers. A number that is no longer the one that was written is refused: TypeError. */
export function stringifyExact(value) {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      throw new TypeError("integers beyond 2**53 and what is no number cannot be sent exactly: use BigInt");
    }
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => stringifyExact(item ?? null)).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${stringifyExact(member)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

// Signing

/** A function that signs bytes with an Ed25519 private key: its 32 bytes, their base64, or a CryptoKey. */
export async function signerOf(privateKey) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) throw new LogonRefused("signing needs WebCrypto, which a page has over https or on localhost only; or pass a sign function");
  let key = privateKey;
  if (typeof key === "string") key = Uint8Array.from(atob(key.trim()), (character) => character.charCodeAt(0));
  if (key instanceof Uint8Array) {
    if (key.length !== 32) throw new LogonRefused("a private key is 32 bytes, or their base64");
    // The head of every PKCS #8 document (RFC 8410) with an Ed25519 key.
    const head = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    try {
      key = await subtle.importKey("pkcs8", new Uint8Array([...head, ...key]), { name: "Ed25519" }, false, ["sign"]);
    } catch (error) {
      if (error.name !== "NotSupportedError") throw error;
      throw new LogonRefused("WebCrypto has no Ed25519 here: it came with Chrome 137, Firefox 129, Safari 17 and Node 18.4; or pass a sign function");
    }
  }
  return async (bytes) => new Uint8Array(await subtle.sign("Ed25519", key, bytes));
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

// Books

/** One book. `ready`: its levels are those of the exchange at `seq`. */
export class Book {
  #bids = new Map();
  #asks = new Map();
  seq = -1;

  constructor(symbol) {
    this.symbol = symbol;
  }

  get ready() {
    return this.seq >= 0;
  }

  /** Levels [price, quantity, orders], best first; prices and quantities as the exchange wrote them. */
  get bids() {
    return sorted(this.#bids, true);
  }

  get asks() {
    return sorted(this.#asks, false);
  }

  /** CRC-32 of the best ten levels: `price:quantity` joined by commas, the bids, a semicolon, the asks. */
  get checksum() {
    const text = (levels) => levels.slice(0, 10).map(([price, quantity]) => `${price}:${quantity}`).join(",");
    return crc32(`${text(this.bids)};${text(this.asks)}`);
  }

  applySnapshot({ seq, bids, asks }) {
    this.#bids = new Map(bids.map((level) => [level[0], level]));
    this.#asks = new Map(asks.map((level) => [level[0], level]));
    this.seq = seq;
  }

  /**
   * False when deltas are missing, or where the exchange sends a checksum and it is another: the book is then not ready until the next snapshot. A delta that
   * came before changes nothing.
   */
  applyDelta({ seq, prev_seq: previous, bids, asks, checksum }) {
    if (!this.ready || seq <= this.seq) return true;
    const follows = previous === this.seq;
    if (follows) {
      merge(this.#bids, bids);
      merge(this.#asks, asks);
    }
    const holds = follows && (checksum === undefined || checksum === this.checksum);
    this.seq = holds ? seq : -1;
    return holds;
  }
}

/** That of zlib, unsigned, over ASCII. */
export function crc32(text) {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i += 1) {
    crc ^= text.charCodeAt(i);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function merge(side, changes) {
  for (const level of changes) {
    if (level[2] === 0) side.delete(level[0]);
    else side.set(level[0], level);
  }
}

function sorted(side, descending) {
  // Prices of one book have the same number of decimals, so the longer one is the higher.
  const order = (a, b) => a[0].length - b[0].length || (a[0] < b[0] ? -1 : 1);
  return [...side.values()].sort(descending ? (a, b) => order(b, a) : order);
}

// Pace

/** Token buckets as the exchange's refusals tell them; before the first one nothing waits. Times in monotonic ms. */
export class Pacer {
  #buckets = new Map();
  #breatherUntilMs = 0;

  newConnection() {
    this.#buckets.delete("connection");
  }

  waitMs(method, params, nowMs) {
    let waitMs = Math.max(0, this.#breatherUntilMs - nowMs);
    for (const [name, bucket] of this.#buckets) {
      bucket.tokens = Math.min(bucket.burst, bucket.tokens + (Math.max(0, nowMs - bucket.updatedMs) * bucket.per_s) / 1000);
      bucket.updatedMs = nowMs;
      const cost = name === "connection" ? 1 : costOf(method, params);
      waitMs = Math.max(waitMs, ((Math.min(cost, bucket.burst) - bucket.tokens) / bucket.per_s) * 1000);
    }
    return Math.min(waitMs, 60000);
  }

  sent(method, params) {
    for (const [name, bucket] of this.#buckets) bucket.tokens -= name === "connection" ? 1 : costOf(method, params);
  }

  refused(data, nowMs) {
    const { bucket, tokens, burst, per_s } = data ?? {};
    if (typeof bucket === "string" && per_s > 0 && burst > 0 && Number.isFinite(tokens)) {
      this.#buckets.set(bucket, { tokens, burst, per_s, updatedMs: nowMs });
    } else this.#breatherUntilMs = nowMs + BREATHER_MS;
  }
}

function costOf(method, params) {
  return (COSTS[method] ?? 0) * (method === "basket.place" ? params.legs.length : 1);
}

/** A logged-on client (without a key: of public data). Options as of `Client`. Rejects with LogonRefused or ConnectionLost. */
export async function connect(url, options = {}) {
  return new Client(url, options).open();
}

/**
 * One session. Options: `keyId` with `privateKey` or `sign`; `cancelOnDisconnect`; `waitForLimits`: commands beyond the rate limits wait instead of
 * being refused; `resumeForMs` (60000), `silenceMs` (30000) and `firstDelayMs` (50) as they say; `keepTrying`: also the first connection, and for ever;
 * `exact: false`: integers as doubles; `WebSocket`: a class to use instead of the global one.
 */
export class Client {
  #options;
  #sign = null;
  #WebSocket;
  #socket = null;
  #ready = false;
  #hasWorked = false;
  #closed = null;
  #resuming = false;
  #nextId = 1;
  #nextNumber = 0;
  #sent = new Map(); // id -> call
  #waiting = []; // calls that have not left, or have to leave again
  #pacer = new Pacer();
  #timer = null;
  #watch = null;
  #heardMs = 0;
  #challenge = null;
  #channels = new Map(); // channel -> further params of its subscription
  #books = new Map();
  #toldSeqs = {};
  #executionSeq = -1;
  #mending = false;
  #callbacks = new Map();
  #idPrefix = [...crypto.getRandomValues(new Uint8Array(5))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  #idNumber = 0;

  /** What the logon told: session, account, name, role, scopes, epoch, now_ns; null without a key. */
  logon = null;
  /** "connecting", "live", "offline" (being resumed) or "closed". */
  state = "connecting";

  constructor(url, options = {}) {
    const parsed = new URL(url);
    if (!["ws:", "wss:"].includes(parsed.protocol)) throw new TypeError("the exchange's address is ws://host:port or wss://host");
    if (parsed.pathname === "/") parsed.pathname = PATH;
    this.url = parsed.href;
    this.host = parsed.host;
    this.#options = { resumeForMs: 60000, silenceMs: 30000, firstDelayMs: 50, exact: true, ...options };
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (this.#WebSocket === undefined) {
      throw new TypeError("there is no WebSocket here: Node has it from 22 on, and 20.10 with --experimental-websocket; or pass one as an option");
    }
  }

  // What one asks for

  /** Send a request; a promise of its result. While the connection is down it waits. */
  request(method, params = {}) {
    const named = KEYED.has(method) && params.client_order_id === undefined ? { client_order_id: this.newClientOrderId(), ...params } : params;
    return this.#call(method, named);
  }

  place(order) {
    return this.request("order.place", order);
  }

  /** Legs that fill whole together, or of which nothing happens. */
  placeBasket(legs) {
    return this.request("basket.place", { legs: legs.map((leg) => ({ client_order_id: this.newClientOrderId(), ...leg })) });
  }

  /** {instrument, order_id, revision, price, quantity}. */
  amend(change) {
    return this.request("order.amend", change);
  }

  cancel(orderId) {
    return this.request("order.cancel", { order_id: orderId });
  }

  /** Also takes back placements that fit and have not left: those reject. */
  massCancel(filter = {}) {
    const fits = ({ method, params, sends }) =>
      method === "order.place" && sends === 0 && ["instrument", "side"].every((name) => (filter[name] ?? params[name]) === params[name]) &&
      (filter.label ?? params.label ?? 0) === (params.label ?? 0);
    const taken = this.#waiting.filter(fits);
    this.#waiting = this.#waiting.filter((call) => !taken.includes(call));
    for (const call of taken) call.reject(new Error("taken back by a mass cancel before it was sent"));
    return this.request("order.mass_cancel", filter);
  }

  newClientOrderId() {
    this.#idNumber += 1;
    return `${this.#idPrefix}-${this.#idNumber}`;
  }

  /**
   * Join a channel now and after every resume. `params` may be {turns: true} for the clock. Executions come once each and in order, also over a lost
   * connection; what cannot be had any more is told as "missed" {first_seq, last_seq}: ask orders.open then.
   */
  async subscribe(channel, params = {}) {
    if (channel === "executions") await this.#joinExecutions(false);
    else await this.#call("subscribe", { channels: [channel], ...params });
    this.#channels.set(channel, params);
  }

  /** Follow a book; resolves with it once its first snapshot is there. `params` go with the subscription. */
  async subscribeBook(symbol, params = {}) {
    const channel = `book:${symbol}`;
    const book = this.#books.get(symbol) ?? new Book(symbol);
    this.#books.set(symbol, book);
    try {
      await this.subscribe(channel, params);
    } catch (error) {
      if (!this.#channels.has(channel)) this.#books.delete(symbol);
      throw error;
    }
    while (!book.ready) await this.#once("book", "state");
    return book;
  }

  /** The live book of a symbol, or undefined before subscribeBook. */
  book(symbol) {
    return this.#books.get(symbol);
  }

  async unsubscribe(channel) {
    this.#channels.delete(channel);
    this.#books.delete(channel.replace(/^book:/, ""));
    await this.#call("unsubscribe", { channels: [channel] });
  }

  /**
   * Call `callback` with the params of every notification of a method (execution, trade, ticker, ...), after the client has applied it. The client's own:
   * "state" {state, reason}, "open" after every logon, "book" with the Book that changed, "missed", and "*" with (method, params) of all notifications.
   * Returns a function that ends it.
   */
  on(method, callback) {
    const callbacks = this.#callbacks.get(method) ?? new Set();
    this.#callbacks.set(method, callbacks.add(callback));
    return () => callbacks.delete(callback);
  }

  // Opening, resuming, closing

  /** The first connection. `connect` does this. */
  async open() {
    let delayMs = this.#options.firstDelayMs;
    for (;;) {
      try {
        await this.#connect();
        return this;
      } catch (error) {
        this.#drop()?.close();
        if (!this.#options.keepTrying || error.final || this.#closed) {
          this.close(error);
          throw error;
        }
        await sleep(delayMs);
        delayMs = Math.min(2 * delayMs, LAST_DELAY_MS);
      }
    }
  }

  /** End the client; what has no answer rejects with ConnectionLost. */
  close(error = new ConnectionLost("the client was closed")) {
    if (this.#closed) return;
    this.#closed = error;
    const socket = this.#drop();
    for (const call of [...this.#sent.values(), ...this.#waiting]) call.reject(error);
    this.#sent.clear();
    this.#waiting = [];
    socket?.close(1000);
    this.#setState("closed", error.message);
  }

  async #connect() {
    const socket = new this.#WebSocket(this.url);
    this.#socket = socket;
    const challenge = new Promise((resolve) => {
      this.#challenge = resolve;
    });
    let timeout;
    const lost = new Promise((_, reject) => {
      const end = (reason) => {
        reject(new ConnectionLost(reason));
        this.#lost(socket, reason);
      };
      socket.onclose = (event) => end(event.reason || `the connection ended (${event.code})`);
      socket.onerror = () => end("the connection failed"); // a close may follow, but not everywhere, and it tells no more
      timeout = setTimeout(() => end("the exchange did not answer the logon"), LOGON_TIMEOUT_MS);
    });
    lost.catch(() => {});
    socket.onmessage = (event) => this.#receive(socket, event.data);
    try {
      await Promise.race([lost, this.#begin(await Promise.race([lost, challenge]))]);
    } finally {
      clearTimeout(timeout);
    }
    if (socket !== this.#socket) throw new ConnectionLost("the connection ended during the logon");
    this.#ready = this.#hasWorked = true;
    this.#watchSilence(socket);
    this.#setState("live", "");
    this.#tell("open", this.logon);
    this.#pacer.newConnection();
    this.#pump();
  }

  async #begin(challenge) {
    if (this.#options.keyId !== undefined) await this.#logOn(challenge);
    for (const book of this.#books.values()) book.seq = -1;
    this.#toldSeqs = {};
    if (this.#channels.has("executions")) await this.#joinExecutions(true);
    const channels = [...this.#channels.keys()].filter((channel) => channel !== "executions");
    for (const channel of channels) {
      // One by one: where one is refused (its instrument is gone) the others are joined all the same.
      await this.#call("subscribe", { channels: [channel], ...this.#channels.get(channel) }, true).catch((error) => {
        if (!(error instanceof Refused)) throw error;
        this.#channels.delete(channel);
      });
    }
  }

  async #logOn({ nonce, epoch, server_time_ns: serverTimeNs, host }) {
    const { keyId, privateKey, sign, cancelOnDisconnect = false } = this.#options;
    if (host !== this.host) throw new LogonRefused(`asked for ${this.host}, but the server answers to ${host}`);
    this.#sign ??= sign ?? (await signerOf(privateKey));
    // Where this machine's clock is far off the exchange's own time is signed: what makes a logon good for one connection only is the nonce.
    const ownNs = BigInt(Date.now()) * 1_000_000n;
    const offsetNs = BigInt(serverTimeNs) - ownNs;
    const timestampNs = offsetNs > TRUSTED_CLOCK_NS || offsetNs < -TRUSTED_CLOCK_NS ? BigInt(serverTimeNs) : ownNs;
    const signature = base64(await this.#sign(new TextEncoder().encode(`${nonce}|${epoch}|${timestampNs}|${keyId}|${host}`)));
    const params = { key_id: keyId, timestamp_ns: timestampNs, signature, cancel_on_disconnect: cancelOnDisconnect };
    try {
      this.logon = await this.#call("logon", params, true);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      throw new LogonRefused(error.message, error.code, FINAL_LOGON.has(error.code));
    }
  }

  /** Leave the socket to itself: nothing that it still says counts. */
  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    this.#timer = null;
    return socket;
  }

  #lost(socket, reason) {
    if (socket !== this.#socket) return;
    const wasReady = this.#ready;
    this.#drop();
    const sent = [...this.#sent.values()];
    this.#sent.clear();
    for (const call of sent) {
      if (call.atOnce || NEVER_AGAIN.has(call.method)) call.reject(new ConnectionLost(`the connection ended before ${call.method} was answered`));
      else this.#queue(call);
    }
    socket.close();
    if (wasReady) this.#setState("offline", reason);
    if (this.#hasWorked && !this.#closed && !this.#resuming) this.#resume();
  }

  async #resume() {
    this.#resuming = true;
    const giveUpAtMs = performance.now() + (this.#options.keepTrying ? Infinity : this.#options.resumeForMs);
    for (let delayMs = this.#options.firstDelayMs; !this.#closed; delayMs = Math.min(2 * delayMs, LAST_DELAY_MS)) {
      await sleep(delayMs * (0.5 + Math.random() / 2)); // never all clients of an exchange at once
      if (this.#closed) break;
      try {
        await this.#connect();
        break;
      } catch (error) {
        this.#drop()?.close();
        if (error.final) this.close(error);
        else if (performance.now() >= giveUpAtMs) this.close(new ConnectionLost(`could not resume: ${error.message}`));
      }
    }
    this.#resuming = false;
  }

  /** The exchange sends heartbeats: a connection on which nothing is heard is dead, whatever its socket says. */
  #watchSilence(socket) {
    const quietMs = performance.now() - this.#heardMs;
    if (quietMs >= this.#options.silenceMs) this.#lost(socket, `nothing was heard for ${this.#options.silenceMs} ms`);
    else this.#watch = setTimeout(() => this.#watchSilence(socket), this.#options.silenceMs - quietMs);
  }

  // Calls

  #call(method, params, atOnce = false) {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed);
        return;
      }
      this.#nextNumber += 1;
      // Written now, so that what cannot be sent is the caller's error.
      const call = { method, params, text: stringifyExact(params), atOnce, resolve, reject, number: this.#nextNumber, sends: 0 };
      if (atOnce) this.#send(call);
      else {
        this.#queue(call);
        this.#pump();
      }
    });
  }

  /** Cancels and questions before commands that cost, each in the order of their calls. */
  #queue(call) {
    const isLate = ({ method }) => method in COSTS && !FIRST.has(method);
    const goesBefore = (a, b) => isLate(a) - isLate(b) || a.number - b.number;
    let place = this.#waiting.length;
    while (place > 0 && goesBefore(call, this.#waiting[place - 1]) < 0) place -= 1;
    this.#waiting.splice(place, 0, call);
  }

  #pump() {
    clearTimeout(this.#timer);
    this.#timer = null;
    while (this.#ready && this.#waiting.length > 0) {
      const call = this.#waiting[0];
      const paced = this.#options.waitForLimits || call.sends > 0;
      const waitMs = paced ? this.#pacer.waitMs(call.method, call.params, performance.now()) : 0;
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      this.#waiting.shift();
      this.#pacer.sent(call.method, call.params);
      this.#send(call);
    }
  }

  #send(call) {
    if (this.#socket === null) {
      call.reject(new ConnectionLost(`the connection ended before ${call.method} was sent`));
      return;
    }
    const id = this.#nextId;
    this.#nextId += 1;
    call.sends += 1;
    this.#sent.set(id, call);
    this.#socket.send(`{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(call.method)},"params":${call.text}}`);
  }

  #receive(socket, text) {
    if (socket !== this.#socket) return;
    this.#heardMs = performance.now();
    let frame;
    try {
      frame = this.#options.exact ? parseExact(text) : JSON.parse(text);
    } catch {
      this.close(new Error("the server does not speak this protocol"));
      return;
    }
    if (frame.method !== undefined) {
      this.#notified(frame.method, frame.params);
      return;
    }
    const call = this.#sent.get(frame.id);
    if (call === undefined) return; // answered before
    this.#sent.delete(frame.id);
    if (frame.error === undefined) call.resolve(frame.result);
    else this.#failed(call, new Refused(bandError(frame.error)));
  }

  #failed(call, error) {
    const passes = PASSING.has(error.code) && !call.atOnce && !NEVER_AGAIN.has(call.method);
    if (passes) this.#pacer.refused(error.data, performance.now());
    if (passes && (this.#options.waitForLimits || call.sends > 1)) {
      if (call.sends === 1) call.sends = 0; // so nothing of it was done, as if it had never left
      this.#queue(call);
      this.#timer ??= setTimeout(() => this.#pump());
      return;
    }
    // 5xxx refuses a command before its id is looked up. Of one that was sent twice it says nothing about the first.
    call.reject(call.sends > 1 && call.method in COSTS && error.code >= 5000 ? new OutcomeUnknown(error) : error);
  }

  // Notifications

  #notified(method, params) {
    switch (method) {
      case "challenge":
        this.#challenge(params);
        return;
      case "execution":
        if (!this.#applyExecution(params)) return;
        break;
      case "book.snapshot":
      case "book.delta":
        this.#applyBook(method, params);
        break;
      case "heartbeat":
        this.#applyHeartbeat(params);
        break;
      default:
    }
    this.#tell(method, params);
    this.#tell("*", method, params);
  }

  #applyExecution(event) {
    if (event.seq <= this.#executionSeq) return false;
    if (event.prev_seq !== this.#executionSeq) {
      this.#mendExecutions();
      return false;
    }
    this.#executionSeq = event.seq;
    return true;
  }

  #mendExecutions() {
    if (!this.#mending) this.#joinExecutions(false).catch(() => {}); // what fails is tried again at the next sign of the gap
  }

  /** From where they stopped; the replay follows the answer. */
  async #joinExecutions(atOnce) {
    const known = this.#executionSeq;
    this.#mending = true;
    try {
      const params = { channels: ["executions"], ...(known < 0 ? {} : { from_seq: known + 1 }) };
      const { execution_seq: last, replay_from: oldest } = await this.#call("subscribe", params, atOnce);
      if (known < 0 || last < known) this.#executionSeq = last;
      if (known >= 0 && last < known) this.#tell("missed", { first_seq: 0, last_seq: last }); // another history: nothing known holds
      else if (known >= 0 && known + 1 < oldest) {
        this.#executionSeq = oldest - 1;
        this.#tell("missed", { first_seq: known + 1, last_seq: oldest - 1 });
      }
    } finally {
      this.#mending = false;
    }
  }

  #applyBook(method, params) {
    const book = this.#books.get(params.instrument);
    if (book === undefined) return;
    if (method === "book.snapshot") book.applySnapshot(params);
    else if (!book.applyDelta(params)) this.#mendBook(book);
    this.#tell("book", book);
  }

  #mendBook(book) {
    book.seq = -1;
    const channel = `book:${book.symbol}`;
    this.#call("subscribe", { channels: [channel], ...this.#channels.get(channel) }).catch(() => {}); // the book stays unready
  }

  #applyHeartbeat({ seqs }) {
    if (seqs.executions > this.#executionSeq && this.#executionSeq >= 0) this.#mendExecutions();
    const told = this.#toldSeqs;
    this.#toldSeqs = seqs;
    for (const book of this.#books.values()) {
      // One heartbeat may be ahead of a book that lags; of what was told a heartbeat ago nothing is on its way any more.
      if (book.ready && book.seq < told[`book:${book.symbol}`]) this.#mendBook(book);
    }
  }

  #tell(method, ...args) {
    for (const callback of this.#callbacks.get(method) ?? []) callback(...args);
  }

  #setState(state, reason) {
    this.state = state;
    this.#tell("state", { state, reason });
  }

  /** The next of some events; rejects when the client has ended. */
  #once(...methods) {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed);
        return;
      }
      const ends = methods.map((method) =>
        this.on(method, () => {
          for (const end of ends) end();
          resolve();
        }),
      );
    });
  }
}

/** Errors of JSON-RPC's own (-32xxx) carry the code of the exchange in their data. */
function bandError(error) {
  return error.code < 0 && Number.isInteger(error.data?.code) ? { ...error, code: error.data.code } : error;
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
