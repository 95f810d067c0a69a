// What is shown of a run, wherever it is shown.

import { el } from "../dom.js";
import { number, t } from "../words.js";
import { duration } from "./format.js";
import { badge } from "./panel.js";

export const STEPS = ["collect", "validate", "train", "evaluate", "publish", "track"];
const KINDS = { succeeded: "good", failed: "bad", cancelled: "warn", running: "accent", queued: "" };
const OPTIONS = { full: true, force: true, dry_run: true, collect: false };

export const stateBadge = (run) => badge(t(`ops.state.${run.state}`), KINDS[run.state]);

/** How long a run took, or has taken until now (seconds); null before it began. */
export function tookOf(run) {
  if (!run.started_at) return null;
  return ((run.ended_at ? new Date(run.ended_at) : new Date()) - new Date(run.started_at)) / 1000;
}

/** What was asked for beyond the ordinary, in words. */
export function optionsOf({ options }) {
  const told = Object.entries(OPTIONS).filter(([name, unusual]) => options[name] === unusual).map(([name]) => t(`ops.option.${name}.short`));
  if (options.tune) told.push(t("ops.option.tune.short", { n: number(options.tune) }));
  return told.join(", ") || t("ops.option.none");
}

/** The steps as parts of a bar, as long as they took; said in words to who cannot see it. */
export function stepBar(run) {
  const timed = run.steps.filter((step) => step.seconds !== null);
  const said = timed.map((step) => `${t(`ops.step.${step.name}`)} ${duration(step.seconds)}`).join(", ");
  if (!timed.length) return "–";
  const total = timed.reduce((sum, { seconds }) => sum + seconds, 0) || 1;
  const parts = timed.map(({ name, seconds }) => el("span", { class: `ops-step ${name}`, style: { "--share": Math.max(seconds / total, 0.005) } }));
  return [el("span", { class: "ops-steps", title: said, "aria-hidden": "true" }, parts), el("span", { class: "visually-hidden", text: said })];
}

/** What the colours of the bars mean. */
export const stepLegend = () =>
  el("p", { class: "row small muted", "aria-hidden": "true" }, STEPS.map((name) => el("span", { class: "ops-legend" }, el("span", { class: `ops-step ${name}` }), t(`ops.step.${name}`))));

/** What came of a run, in a few words. */
export function outcomeOf(run) {
  if (run.error) return run.error;
  const { version, promoted, reason } = run.result;
  if (run.options.dry_run && version) return t("ops.run.dry", { reason: reason ?? "" });
  if (!version) return reason ?? "";
  const told = promoted === undefined ? "" : t(promoted ? "ops.run.promoted" : "ops.run.kept-back");
  return [el("code", { class: "mono", text: version }), " ", [told, reason].filter(Boolean).join(": ")];
}

/** The end of a log, which scrolls by itself and stays at its end. */
export function logOf(text) {
  const log = el("pre", { class: "ops-log", tabindex: "0", "aria-label": t("ops.run.log"), "data-key": "log", text: text || t("ops.run.no-log") });
  queueMicrotask(() => log.scrollTo(0, log.scrollHeight));
  return log;
}

/** Where a run is: its steps in order, those done with their time, and the bar of the one that goes on. */
export function progressOf(run) {
  const taken = new Map(run.steps.map((step) => [step.name, step]));
  const items = STEPS.filter((name) => name !== "track" || taken.has(name) || !run.ended_at).map((name) => {
    const step = taken.get(name);
    const state = !step ? "todo" : step.seconds !== null ? "done" : run.ended_at ? "cut" : "now";
    return el(
      "li",
      { data: { state }, "aria-current": state === "now" ? "step" : null },
      el("span", { class: "ops-step-name", text: t(`ops.step.${name}`) }),
      el("span", { class: "small muted number", text: state === "done" ? duration(step.seconds) : t(`ops.step.state.${state}`) }),
    );
  });
  return el("ol", { class: "ops-progress" }, items);
}

/** How far the step is that goes on, where that is counted; null elsewhere. */
export function stepProgress(run) {
  const step = run.steps.at(-1);
  if (run.ended_at || !step?.total) return null;
  const said = t("ops.run.done-of", { step: t(`ops.step.${step.name}`), done: number(step.done ?? 0), total: number(step.total) });
  const share = Math.min((step.done ?? 0) / step.total, 1);
  const bar = el("span", { class: "bar", role: "progressbar", "aria-label": said, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(share * 100)) });
  bar.append(el("span", { style: { "--share": share } }));
  return el("div", {}, el("p", { class: "small muted number", text: said }), bar);
}
