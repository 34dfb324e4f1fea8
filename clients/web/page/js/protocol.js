// The socket: JSON-RPC 2.0 over /ws/v1, public data only, so there is no logon. Reconnects by itself.

const FIRST_DELAY_MS = 500;
const LAST_DELAY_MS = 8000;
const STALE_AFTER_MS = 20000;

export class Connection {
  /**
   * `onOpen()` is called after every (re)connect, `onNotification(method, params)` for each notification,
   * `onState(state)` with "live", "stale" or "offline".
   */
  constructor(url, { onOpen, onNotification, onState }) {
    this.url = url;
    this.onOpen = onOpen;
    this.onNotification = onNotification;
    this.onState = onState;
    this.waiting = new Map();
    this.nextId = 1;
    this.delayMs = FIRST_DELAY_MS;
    this.connect();
    setInterval(() => this.checkFreshness(), 2000);
  }

  connect() {
    this.socket = new WebSocket(this.url);
    this.socket.onopen = () => {
      this.delayMs = FIRST_DELAY_MS;
      this.lastFrameMs = Date.now();
      this.onState("live");
      this.onOpen();
    };
    this.socket.onmessage = (event) => this.receive(event.data);
    this.socket.onclose = () => {
      for (const { reject } of this.waiting.values()) reject(new Error("connection closed"));
      this.waiting.clear();
      this.onState("offline");
      setTimeout(() => this.connect(), this.delayMs);
      this.delayMs = Math.min(this.delayMs * 2, LAST_DELAY_MS);
    };
  }

  receive(text) {
    this.lastFrameMs = Date.now();
    this.onState("live");
    const frame = JSON.parse(text);
    if (frame.method !== undefined) {
      this.onNotification(frame.method, frame.params);
      return;
    }
    const waiter = this.waiting.get(frame.id);
    if (waiter === undefined) return;
    this.waiting.delete(frame.id);
    if (frame.error) waiter.reject(Object.assign(new Error(frame.error.message), { code: frame.error.data?.code ?? frame.error.code }));
    else waiter.resolve(frame.result);
  }

  /** Send a request; a promise of its result. */
  call(method, params = {}) {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      if (this.socket.readyState !== WebSocket.OPEN) {
        reject(new Error("not connected"));
        return;
      }
      this.waiting.set(id, { resolve, reject });
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  checkFreshness() {
    if (this.socket.readyState === WebSocket.OPEN && Date.now() - this.lastFrameMs > STALE_AFTER_MS) this.onState("stale");
  }
}

/** GET a JSON document of the REST interface; null when it is not to be had now. */
export async function getJson(path) {
  try {
    const response = await fetch(path, { cache: "no-store" });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
