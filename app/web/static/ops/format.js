// How the page writes durations, ages, sizes and shares.

import { dateTime, language, number, percent } from "../words.js";

export const NOTHING = "–";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const JUST_NOW = 5;
const UNITS = [["day", DAY], ["hour", HOUR], ["minute", MINUTE], ["second", 1]];

const unit = (value, name, digits = 0) =>
  number(value, { style: "unit", unit: name, unitDisplay: "short", maximumFractionDigits: digits });

/** How long something took (seconds). */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds < 1) return unit(seconds * 1000, "millisecond");
  if (seconds < MINUTE) return unit(seconds, "second", 1);
  if (seconds < HOUR) return `${unit(Math.floor(seconds / MINUTE), "minute")} ${unit(Math.floor(seconds % MINUTE), "second")}`;
  return `${unit(Math.floor(seconds / HOUR), "hour")} ${unit(Math.floor((seconds % HOUR) / MINUTE), "minute")}`;
}

const largestUnit = (seconds) => UNITS.find(([, size]) => seconds >= size * (size === DAY ? 2 : 1)) ?? UNITS.at(-1);

/** How old something is (seconds), in its largest unit. */
export function age(seconds) {
  const [name, size] = largestUnit(seconds);
  return unit(Math.floor(seconds / size), name);
}

/** When something was, as seen from now. */
export function ago(time) {
  const seconds = Math.max((Date.now() - new Date(time)) / 1000, 0);
  const [name, size] = largestUnit(seconds);
  return new Intl.RelativeTimeFormat(language, { style: "short", numeric: seconds < JUST_NOW ? "auto" : "always" }).format(seconds < JUST_NOW ? 0 : -Math.floor(seconds / size), name);
}

export const secondsSince = (time) => (Date.now() - new Date(time)) / 1000;

export const clock = (time) => dateTime(time, { timeStyle: "medium" });

export const shortDate = (time) => dateTime(time, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

export const or = (value, write) => (value === null || value === undefined ? NOTHING : write(value));

export const metric = (value) => number(value, { minimumFractionDigits: 3, maximumFractionDigits: 3 });

export const interval = ({ low, high }) => `${metric(low)} – ${metric(high)}`;

export const rate = (value) => number(value, { maximumFractionDigits: value < 10 ? 1 : 0 });

export const share = (value) => percent(value, value && value < 0.1 ? 1 : 0);

export const latency = (seconds) => unit(seconds * 1000, "millisecond", seconds < 0.01 ? 1 : 0);

export const signed = (value) => number(value, { minimumFractionDigits: 3, maximumFractionDigits: 3, signDisplay: "exceptZero" });
