// What became of the records collected last, and what is left of RAWG's month.

import { el } from "../dom.js";
import { number, t } from "../words.js";
import { ago } from "./format.js";
import { card, facts, minuteNow, muted, onChange, redraw, table } from "./panel.js";

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
