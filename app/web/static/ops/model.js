// The live model, and who answers from it.

import { el } from "../dom.js";
import { dateTime, number, t } from "../words.js";
import { age, ago, clock } from "./format.js";
import { badge, card, facts, minuteNow, muted, onChange, redraw, table } from "./panel.js";

/** What answers now. */
export function createModel() {
  const { element, body } = card("model", t("ops.model"));
  const update = onChange(
    ({ ready, live }) => ({ ready: ready && { ...ready, model_age_seconds: Math.floor(ready.model_age_seconds / 60) * 60, worker: 0 }, live }),
    ({ ready, live }) => {
      if (ready === undefined) return;
      redraw(body, ready ? drawn(ready, live) : muted(t("ops.model.none")));
    },
  );
  return { element, update };
}

function drawn(ready, live) {
  const known = live?.version === ready.model_version ? live : null;
  return [
    el("div", { class: "row" }, el("code", { class: "ops-version", text: ready.model_version }), kindOf(ready.data_kind)),
    facts([
      [t("ops.model.age"), age(ready.model_age_seconds)],
      known && [t("ops.model.trained"), dateTime(known.created_at)],
      [t("ops.games"), number(ready.games)],
      [t("ops.players"), number(ready.players)],
      known && [t("ops.plays"), number(known.counts.plays)],
      known && [t("ops.model.neighbours"), number(known.counts.neighbours)],
      known && [t("ops.model.source"), t(`ops.source.${known.catalogue_source}`)],
    ]),
    ready.data_kind === "simulated" && el("p", { class: "notice warn", text: t("ops.model.simulated") }),
    known && el("p", { class: "small" }, gateOf(known.gate), " ", known.gate.reason ?? ""),
    known?.probation && el("p", { class: "small muted", text: watched(known.probation) }),
  ];
}

export const kindOf = (kind) => badge(t(`ops.kind.${kind}`), kind === "simulated" ? "warn" : "good");

const gateOf = (gate) =>
  gate.forced ? badge(t("ops.gate.forced"), "warn") : gate.promoted ? badge(t("ops.gate.promoted"), "good") : badge(t("ops.gate.kept-back"), "warn");

const watched = ({ until, answers, answers_before: before }) =>
  t("ops.model.probation", { until: clock(until), n: number(answers), before: number(before) });

/** Which worker answers from which version. */
export function createWorkers() {
  const { element, body } = card("workers", t("ops.workers"));
  const update = onChange(
    ({ readings, ready }) => ({ workers: readings.at(-1)?.workers(), live: ready?.model_version }),
    ({ workers, live }) => {
      if (!workers) return;
      redraw(body, workers.length ? [told(workers), listed(workers, live)] : muted(t("ops.workers.none")));
    },
  );
  return { element, update };
}

function told(workers) {
  const versions = new Set(workers.map(({ version }) => version)).size;
  const key = versions > 1 ? "ops.workers.differ" : workers.length > 1 ? "ops.workers.agree" : "ops.workers.one";
  return el("p", { class: "small muted", text: t(key, { n: number(workers.length), versions: number(versions) }) });
}

const listed = (workers, live) =>
  table(
    t("ops.workers"),
    [{ title: t("ops.workers.process") }, { title: t("ops.version") }, { title: "" }],
    workers.map(({ worker, version }) => [
      worker,
      el("code", { class: "mono", text: version }),
      version === live ? badge(t("ops.standing.live"), "good") : badge(t("ops.workers.other"), "warn"),
    ]),
  );

/** How the drift of the live model's data is. */
export function createDrift() {
  const { element, body } = card("drift", t("ops.drift"));
  const update = onChange(
    ({ live, ready }) => ({ live, ready: ready === null, minute: minuteNow() }),
    ({ live, ready }) => {
      if (live === undefined && !ready) return;
      redraw(body, live?.changes ? drifted(live.changes) : muted(t("ops.drift.none")));
    },
  );
  return { element, update };
}

function drifted(changes) {
  const warning = changes.drift_warning;
  return [
    muted(t("ops.drift.since", { version: changes.before })),
    changes.drift.length > 0 &&
      table(
        t("ops.drift"),
        [{ title: t("ops.drift.feature") }, { title: t("ops.drift.psi"), class: "number" }, { title: t("ops.drift.threshold"), class: "number" }, { title: t("ops.drift.moved"), class: "wide-only" }, { title: "" }],
        changes.drift.map((feature) => [
          t(`ops.feature.${feature.name}`),
          short(feature.psi),
          short(Math.max(warning ?? 0, feature.by_chance)),
          t("ops.drift.moved.from", { what: feature.moved.what, before: inPercent(feature.moved.before), after: inPercent(feature.moved.after) }),
          feature.drifted ? badge(t("ops.drift.drifted"), "warn") : badge(t("ops.drift.steady"), "good"),
        ]),
      ),
    muted(warning ? t("ops.drift.explained", { warning: number(warning) }) : t("ops.drift.explained.chance")),
    (changes.notes ?? []).map((note) => el("p", { class: "small", text: note })),
  ];
}

const short = (value) => number(value, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
const inPercent = (value) => number(value, { style: "percent", maximumFractionDigits: 1 });

/** What the last collection was worth, and how much of RAWG's month is left. */
export function createCollection() {
  const { element, body } = card("collection", t("ops.collection"));
  const update = onChange(
    ({ collection, problems }) => ({ collection, problem: problems.collection?.sentence, minute: minuteNow() }),
    ({ collection, problem }) => {
      if (collection === undefined && !problem) return;
      redraw(body, collection ? [quotaOf(collection.quota), ...reported(collection)] : el("p", { class: "notice warn", text: problem ?? "" }));
    },
  );
  return { element, update };
}

function quotaOf(quota) {
  if (!quota) return muted(t("ops.quota.none"));
  const left = quota.limit ? quota.remaining / quota.limit : 0;
  const said = t("ops.quota.left", { remaining: number(quota.remaining), limit: number(quota.limit), month: quota.month });
  return el("div", { class: "ops-quota" }, el("p", { class: "small", text: said }), el("span", { class: `bar ${left < 0.1 ? "bad" : ""}`, "aria-hidden": "true" }, el("span", { style: { "--share": left } })));
}

function reported(report) {
  if (!report.validated_at) return [muted(t("ops.collection.none"))];
  return [
    muted(t("ops.collection.when", { when: ago(report.validated_at) })),
    report.stopped_because && el("p", { class: "notice bad", text: report.stopped_because }),
    facts([
      [t("ops.collection.rows"), number(report.rows)],
      [t("ops.collection.valid"), number(report.valid)],
      [t("ops.collection.repeated"), number(report.repeated)],
      [t("ops.collection.bad"), number(report.bad)],
    ]),
    report.reasons.length > 0 && reasonsOf(report.reasons),
    report.set_aside.length > 0 ? disclosedRows(report) : muted(t("ops.collection.nothing-aside")),
  ];
}

const reasonsOf = (reasons) =>
  table(
    t("ops.collection.reasons"),
    [{ title: t("ops.reason") }, { title: t("ops.collection.examples") }, { title: t("ops.collection.rows"), class: "number" }],
    reasons.map(({ reason, rows, examples }) => [reason, el("bdi", { class: "mono-wrap", text: examples.join(", ") }), number(rows)]),
  );

function disclosedRows({ set_aside: rows, bad }) {
  const columns = ["row", "game", "name"].map((name) => ({ title: t(`ops.collection.${name}`) }));
  const told = rows.map(({ row, game_id: id, name, reason }) => [number(row), id, el("bdi", { text: name }), reason]);
  return el(
    "details",
    { class: "ops-more" },
    el("summary", { class: "small", "data-key": "set-aside", text: t("ops.collection.aside", { n: number(rows.length), all: number(bad) }) }),
    table(t("ops.collection.aside-title"), [...columns, { title: t("ops.reason") }], told),
  );
}
