// Whether the live model's data is spread as that of the version before.

import { el } from "../dom.js";
import { number, t } from "../words.js";
import { badge, card, minuteNow, muted, onChange, redraw, table } from "./panel.js";

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
