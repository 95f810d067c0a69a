// The answer to "is the loop healthy?", in words: what is wrong first.

import { announce, el } from "../dom.js";
import { number, t } from "../words.js";
import { age, ago, clock, duration, secondsSince, share } from "./format.js";
import { minuteNow, onChange, redraw } from "./panel.js";

// Seconds and shares, those of the alerts of the same names in deploy/prometheus/alerts.yml.
const LIMITS = {
  ModelTooOld: 7 * 86400,
  NoRunSucceeded: 36 * 3600,
  ErrorRatioHigh: 0.02,
  FallbacksFrequent: 0.2,
  QuotaNearlySpent: 0.1,
};
const FEWEST_ANSWERS = 20; // of which a share says something

const bad = (key, values) => ({ kind: "bad", text: t(`ops.issue.${key}`, values) });
const warn = (key, values) => ({ kind: "warn", text: t(`ops.issue.${key}`, values) });

export const lastEnded = (state) => state.runs?.runs.find((run) => run.ended_at && run.state !== "cancelled");

/** Everything that is wrong, the worst first. */
export function issuesOf(state) {
  const found = [...ofModel(state), ...ofRuns(state), ...ofTraffic(state), ...ofData(state)];
  return found.sort((one, other) => (one.kind === other.kind ? 0 : one.kind === "bad" ? -1 : 1));
}

function* ofModel({ ready, readings, models, problems }) {
  if (ready === null) yield bad("no-model");
  if (problems.runs?.slug === "database-unavailable") yield bad("database");
  if (ready && ready.model_age_seconds > LIMITS.ModelTooOld) yield warn("old-model", { age: age(ready.model_age_seconds) });
  const versions = new Set(readings.slice(-3).map((reading) => reading.workers()).flat().map(({ version }) => version));
  const last = new Set(readings.at(-1)?.workers().map(({ version }) => version));
  if (last.size > 1 && readings.length > 2) yield warn("versions-differ", { n: number(versions.size) });
  const [newest] = models?.models ?? [];
  if (newest?.rejected) yield warn("rejected", { version: newest.version, reason: newest.rejected.reason });
  if (newest?.problem) yield warn("broken", { version: newest.version, reason: newest.problem });
}

function* ofRuns(state) {
  const ended = lastEnded(state);
  if (ended?.state === "failed") {
    const step = ended.step ? t(`ops.step.${ended.step}`) : "";
    yield bad(ended.step ? "run-failed-in" : "run-failed", { step, when: ago(ended.ended_at), reason: ended.error ?? "" });
  } else if (ended && secondsSince(ended.ended_at) > LIMITS.NoRunSucceeded) yield warn("no-run-lately", { when: ago(ended.ended_at) });
}

function* ofTraffic({ minute }) {
  if (!minute) return;
  if (minute.errors > LIMITS.ErrorRatioHigh) yield bad("errors", { share: share(minute.errors) });
  if (minute.fallback > LIMITS.FallbacksFrequent && minute.answers > FEWEST_ANSWERS) yield warn("fallbacks", { share: share(minute.fallback) });
}

function* ofData({ collection, live }) {
  const drifted = (live?.changes?.drift ?? []).filter((feature) => feature.drifted);
  if (drifted.length) yield warn("drift", { n: number(drifted.length) });
  const quota = collection?.quota;
  if (quota && quota.remaining < LIMITS.QuotaNearlySpent * quota.limit) yield warn("quota", { n: number(quota.remaining) });
}

/** One sentence when all is well. */
function sentence({ ready, readings, ...state }) {
  const workers = readings.at(-1)?.workers() ?? [];
  const onIt = workers.filter(({ version }) => version === ready.model_version).length;
  const ended = lastEnded(state);
  const going = state.runs?.runs.find((run) => run.state === "running");
  return [
    t("ops.status.model", { version: ready.model_version, age: age(ready.model_age_seconds) }),
    workers.length ? t(onIt === 1 ? "ops.status.worker" : "ops.status.workers", { n: number(onIt) }) : null,
    ended ? t("ops.status.run", { when: ago(ended.ended_at), took: duration(took(ended)) }) : t("ops.status.no-run"),
    going ? t("ops.status.going", { step: t(`ops.step.${going.step ?? "collect"}`) }) : null,
  ].filter(Boolean);
}

const took = (run) => (run.started_at ? (new Date(run.ended_at) - new Date(run.started_at)) / 1000 : null);

function picked(state) {
  if (state.awaySince) return { kind: "bad", title: t("ops.status.away", { time: clock(state.awaySince) }), lines: [t("ops.status.retrying")] };
  if (state.ready === undefined) return { kind: "", title: t("ops.status.loading"), lines: [] };
  const issues = issuesOf(state);
  const fine = state.ready && state.runs ? sentence(state) : [];
  const hasFailed = issues.some(({ kind }) => kind === "bad");
  if (!issues.length) return { kind: "good", title: t("ops.status.healthy"), lines: [fine.join(" ")] };
  const title = t(hasFailed ? "ops.status.unhealthy" : "ops.status.attention");
  return { kind: hasFailed ? "bad" : "warn", title, issues, lines: hasFailed ? [] : [fine.join(" ")] };
}

/** The line at the top. */
export function createStatus() {
  const element = el("section", { class: "ops-status", "aria-label": t("ops.status") });
  const draw = onChange(
    (state) => ({ ...picked(state), minute: minuteNow() }),
    ({ kind, title, lines, issues = [] }) => {
      if (element.dataset.kind !== kind) announce(title);
      element.dataset.kind = kind;
      redraw(
        element,
        el("span", { class: "ops-light", "aria-hidden": "true" }),
        el(
          "div",
          { class: "ops-status-text" },
          el("p", { class: "ops-status-title", text: title }),
          issues.length > 0 && el("ul", {}, issues.map((issue) => el("li", { class: `ops-issue ${issue.kind}`, text: issue.text }))),
          lines.filter(Boolean).map((line) => el("p", { class: "muted", text: line })),
        ),
      );
    },
  );
  return { element, update: draw };
}
