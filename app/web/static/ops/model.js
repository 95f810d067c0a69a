// The live model, and who answers from it.

import { el } from "../dom.js";
import { dateTime, number, t } from "../words.js";
import { age, clock } from "./format.js";
import { badge, card, facts, muted, onChange, redraw, table } from "./panel.js";

// So that the card is not drawn anew at every look.
const inMinutes = (seconds) => (seconds < 60 ? seconds : Math.floor(seconds / 60) * 60);

/** What answers now. */
export function createModel() {
  const { element, body } = card("model", t("ops.model"));
  const update = onChange(
    ({ ready, live }) => ({ ready: ready && { ...ready, model_age_seconds: inMinutes(ready.model_age_seconds), worker: 0 }, live }),
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
