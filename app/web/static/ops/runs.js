// What was run, what goes on, and the buttons for it.

import { sentenceOf } from "../api.js";
import { el, toast } from "../dom.js";
import { dateTime, number, t } from "../words.js";
import { ago, duration, interval, metric } from "./format.js";
import { badge, card, facts, minuteNow, muted, onChange, openDialog, redraw } from "./panel.js";
import { openRetrain } from "./retrain.js";
import { logOf, optionsOf, outcomeOf, progressOf, stateBadge, stepBar, stepLegend, tookOf } from "./run_parts.js";
import { createWatch } from "./run_watch.js";

/** The runs; `refresh` is called with the names of what has changed. */
export function createRuns(api, refresh) {
  const retrain = el("button", { type: "button", class: "button primary small", "data-key": "retrain", text: t("ops.retrain"), onclick: () => openRetrain(api, () => refresh("runs")) });
  const { element, body } = card("runs", t("ops.runs"), retrain);
  const watch = createWatch(api, (run) => openCancel(api, run, refresh), (run) => {
    toast(t("ops.run.has-ended", { state: t(`ops.state.${run.state}`) }), { kind: run.state === "failed" ? "bad" : "" });
    refresh("runs", "ready", "models", "live", "collection");
  });
  const list = el("div", { class: "stack" });
  body.append(watch.element, list);
  const draw = onChange(
    ({ runs, problems }) => ({ runs: runs?.runs.filter((run) => run.ended_at), problem: problems.runs && sentenceOf(problems.runs), going: runs?.runs.some((run) => !run.ended_at), minute: minuteNow() }),
    ({ runs, problem, going }) => {
      retrain.disabled = Boolean(going);
      redraw(list, problem && el("p", { class: "notice warn", text: problem }), runs && (runs.length ? [listed(runs, (run) => openRun(api, run)), stepLegend()] : !going && muted(t("ops.runs.none"))));
    },
  );
  const update = (state) => {
    watch.update(state);
    draw(state);
  };
  return { element, update, stop: watch.stop };
}

function listed(runs, open) {
  const columns = [["state"], ["when"], ["trigger", "wide-only"], ["took", "number"], ["steps", "wide-only"], ["outcome", "wide-only"], ["details", "visually-hidden"]];
  const cells = (run) => [
    stateBadge(run),
    el("span", { title: dateTime(run.ended_at), text: ago(run.ended_at) }),
    t(`ops.trigger.${run.trigger}`),
    duration(tookOf(run)),
    stepBar(run),
    el("div", { class: `ops-outcome ${run.error ? "bad" : ""}` }, outcomeOf(run)),
    el("button", { type: "button", class: "button small", "data-key": `run-${run.run_id}`, "aria-label": t("ops.run.details-of", { run: run.run_id }), text: t("ops.run.details"), onclick: () => open(run) }),
  ];
  const shown = (kind) => (kind === "visually-hidden" ? null : (kind ?? null));
  return el(
    "div",
    { class: "table-scroll" },
    el(
      "table",
      { class: "table ops-runs" },
      el("caption", { class: "visually-hidden", text: t("ops.runs") }),
      el("thead", {}, el("tr", {}, columns.map(([name, kind]) => el("th", { scope: "col", class: shown(kind) }, el("span", { class: kind === "visually-hidden" ? kind : null, text: t(`ops.run.${name}`) }))))),
      el("tbody", {}, runs.map((run) => el("tr", {}, cells(run).map((cell, place) => el("td", { class: shown(columns[place][1]) }, cell))))),
    ),
  );
}

/** Everything that is known of one run. */
async function openRun(api, summary) {
  const close = () => dialog.close();
  const place = el("div", { class: "stack" }, el("div", { class: "skeleton ops-wait" }));
  const dialog = openDialog("run", t("ops.run.title", { run: summary.run_id }), "large", place, el("div", { class: "dialog-actions" }, el("button", { type: "button", class: "button", text: t("site.close"), onclick: close })));
  try {
    place.replaceChildren(...described(await api.call(`retrain/${encodeURIComponent(summary.run_id)}`)));
  } catch (error) {
    place.replaceChildren(el("p", { class: "notice bad", text: sentenceOf(error) }));
  }
}

function described(run) {
  const ends = [["queued", run.queued_at], ["started", run.started_at], ["ended", run.ended_at], ["cancel-asked", run.cancel_at]];
  const metrics = Object.entries(run.result.metrics?.model ?? {}).slice(0, 2);
  return [
    el("div", { class: "row" }, stateBadge(run), badge(t(`ops.trigger.${run.trigger}`))),
    run.error && el("p", { class: "notice bad", text: run.error }),
    !run.error && el("p", {}, outcomeOf(run)),
    progressOf(run),
    facts([
      ...ends.map(([name, time]) => time && [t(`ops.run.${name}`), dateTime(time, { dateStyle: "medium", timeStyle: "medium" })]),
      [t("ops.run.took"), duration(tookOf(run))],
      [t("ops.run.options"), optionsOf(run)],
      run.runner && [t("ops.run.runner"), el("code", { class: "mono", text: run.runner })],
      ...countsOf(run.result.counts),
      ...metrics.map(([name, estimate]) => [name, `${metric(estimate.value)} (${interval(estimate)})`]),
    ]),
    el("h3", { text: t("ops.run.log") }),
    logOf(run.log_tail),
  ].filter(Boolean);
}

const countsOf = (counts) =>
  counts
    ? [
        [t("ops.games"), number(counts.games)],
        [t("ops.players"), number(counts.players)],
        [t("ops.plays"), number(counts.plays)],
      ]
    : [];

/** Ask before a run is stopped. */
function openCancel(api, run, refresh) {
  const problem = el("p", { class: "notice bad", role: "alert", hidden: true });
  const stop = el("button", { type: "submit", class: "button danger", text: t("ops.cancel") });
  const stay = el("button", { type: "button", class: "button", text: t("ops.cancel.no"), onclick: () => dialog.close() });
  const form = el("form", { class: "stack" }, el("p", { text: t("ops.cancel.explained") }), problem, el("div", { class: "dialog-actions" }, stay, stop));
  const dialog = openDialog("cancel", t("ops.cancel.title"), "", form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    stop.disabled = true;
    try {
      await api.call(`retrain/${encodeURIComponent(run.run_id)}/cancel`, { method: "POST" });
      dialog.close();
      toast(t("ops.cancel.asked"));
    } catch (error) {
      problem.textContent = sentenceOf(error);
      problem.hidden = false;
      stop.disabled = false;
    }
    refresh("runs");
  });
}
