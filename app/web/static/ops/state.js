// What the page knows of the service: read again and again while somebody looks, each part by itself.

import { isAborted, Problem } from "../api.js";
import { ratesBetween } from "./rates.js";
import { Reading } from "./metrics.js";

const TICK_SECONDS = 5;
const READINGS_KEPT = 121; // ten minutes
const WINDOW_READINGS = 12; // a minute
const RUNS_SHOWN = 20;
const VERSIONS_SHOWN = 50;

// How often each part is read, in seconds, and how.
const FEEDS = {
  ready: { every: TICK_SECONDS, ask: (api, signal) => api.call("health/ready", { signal }) },
  metrics: { every: TICK_SECONDS, ask: async (api, signal) => (await api.fetched("metrics", { signal })).text() },
  runs: { every: TICK_SECONDS, ask: (api, signal) => api.call("retrain", { query: { n: RUNS_SHOWN }, signal }) },
  models: { every: 30, ask: (api, signal) => api.call("models", { query: { n: VERSIONS_SHOWN }, signal }) },
  live: { every: 30, ask: liveDetail },
  collection: { every: 60, ask: (api, signal) => api.call("collection", { signal }) },
};

async function liveDetail(api, signal, state) {
  const version = state.ready?.model_version;
  return version ? api.call(`models/${encodeURIComponent(version)}`, { signal }) : null;
}

const isAway = (error) => error instanceof Problem && (error.status === 0 || error.slug.startsWith("http-5"));

/**
 * Read everything with `api`, at once and then every 5 seconds while the page is visible, and `show` it each time;
 * `refused` is called when the key is none any more.
 *
 * The state: a value by feed (undefined before the first), `problems` by feed, `readings`, `rates` (one for each step),
 * `minute` (the rates of the last minute) and `awaySince` (a date while the service cannot be reached).
 */
export function follow(api, show, refused) {
  const state = { problems: {}, readings: [], rates: [], minute: null, awaySince: null };
  const due = Object.fromEntries(Object.keys(FEEDS).map((name) => [name, 0]));
  const stopping = new AbortController();
  let timer = 0;
  let going = null;

  async function tick() {
    clearTimeout(timer);
    const before = state.ready?.model_version;
    const now = Date.now();
    const names = Object.keys(FEEDS).filter((name) => due[name] <= now);
    const first = names.filter((name) => name !== "live");
    const errors = await Promise.all(first.map(read));
    if (names.includes("live") || state.ready?.model_version !== before) errors.push(await read("live"));
    if (state.ready?.model_version !== before) due.models = 0;
    if (stopping.signal.aborted) return;
    if (errors.some((error) => error?.status === 401)) return refused();
    judge(errors);
    show(state);
    if (!document.hidden) timer = setTimeout(run, TICK_SECONDS * 1000);
  }

  async function read(name) {
    due[name] = Date.now() + FEEDS[name].every * 1000 - 500;
    try {
      const value = await FEEDS[name].ask(api, stopping.signal, state);
      if (name === "metrics") add(value);
      else state[name] = value;
      delete state.problems[name];
      return null;
    } catch (error) {
      if (!isAborted(error)) state.problems[name] = error;
      due[name] = 0;
      return error;
    }
  }

  function add(text) {
    const reading = new Reading(text, performance.now() / 1000);
    const last = state.readings.at(-1);
    state.readings = [...state.readings, reading].slice(-READINGS_KEPT);
    if (!last) return;
    state.rates = [...state.rates, { ...ratesBetween(last, reading), time: Date.now() / 1000 }].slice(-READINGS_KEPT);
    state.minute = ratesBetween(state.readings.at(-1 - WINDOW_READINGS) ?? state.readings[0], reading);
  }

  function judge(errors) {
    const away = errors.length > 0 && errors.every(isAway);
    state.awaySince = away ? (state.awaySince ?? new Date()) : null;
    if (!state.awaySince && state.problems.ready?.slug === "model-not-loaded") state.ready = null;
  }

  /** One round at a time; a second one follows where it was asked for meanwhile. */
  function run() {
    going = (going ?? Promise.resolve()).then(tick, tick);
    return going;
  }

  const seen = () => !document.hidden && run();
  document.addEventListener("visibilitychange", seen);
  run();

  return {
    /** Read these feeds anew, now. */
    refresh(...names) {
      for (const name of names) due[name] = 0;
      return run();
    },
    stop() {
      stopping.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    },
  };
}
