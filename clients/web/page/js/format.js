// Times and numbers as people read them. Times arrive as ns since the epoch; a double keeps them to a fraction of a millisecond.

let zone = "Asia/Shanghai";
let timeFormat;
let dayFormat;

/** Show times in this IANA time zone: the park's. */
export function setTimeZone(name) {
  zone = name;
  timeFormat = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  dayFormat = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
}
setTimeZone(zone);

/** "10:15" in the park's time zone. */
export function clockTime(ns) {
  return timeFormat.format(ns / 1e6);
}

/** "2026-07-15" in the park's time zone. */
export function calendarDay(ns) {
  return dayFormat.format(ns / 1e6);
}

/** "10:15–10:30" of a delivery period. */
export function periodName(instrument) {
  return `${clockTime(instrument.delivery_start_ns)}–${clockTime(instrument.delivery_end_ns)}`;
}

/** Quarter-hours of delivery of a power contract: 1, of a block more. Doubles hold times to a fraction of a microsecond. */
export function periodCount(instrument) {
  return Math.round((instrument.delivery_end_ns - instrument.delivery_start_ns) / (15 * 60e9));
}

/** What a list shows for an instrument: the period of a power contract, the symbol of anything else. */
export function shortName(instrument) {
  return instrument.instrument_class === "power" ? periodName(instrument) : instrument.symbol;
}

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** An integer with thousands separators; a dash when unknown. */
export function count(value) {
  return value === undefined || value === null ? "–" : whole.format(value);
}

/** Local time as a plotly date string, so that axes need no time zone. */
export function plotTime(ns) {
  return `${calendarDay(ns)} ${clockTime(ns)}:${String(Math.floor(ns / 1e9) % 60).padStart(2, "0")}`;
}
