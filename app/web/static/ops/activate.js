// The dialog before another version answers: what would change.

import { sentenceOf } from "../api.js";
import { bdi, el, toast } from "../dom.js";
import { number, t } from "../words.js";
import { interval, metric, or, share, signed } from "./format.js";
import { facts, muted, openDialog, table } from "./panel.js";

const UNUSABLE = new Set(["model-unusable", "version-not-found"]);
const ACTIVATION_SECONDS = 2.5; // until all workers have it

/** Show what a version would change and, where that is wanted, let it answer; `activated` is called then. */
export async function openActivate(api, model, activated) {
  const { version } = model;
  const problem = el("p", { class: "notice bad", role: "alert", hidden: true });
  const place = el("div", { class: "stack", "aria-busy": "true" }, muted(t("ops.diff.comparing")), el("div", { class: "skeleton ops-wait" }));
  const sure = el("button", { type: "submit", class: "button primary", disabled: true, text: t("ops.activate") });
  const stay = el("button", { type: "button", class: "button", text: t("ops.close"), onclick: () => dialog.close() });
  const form = el("form", { class: "ops-sure" }, problem, el("div", { class: "dialog-actions" }, stay, sure));
  const dialog = openDialog("activate", t("ops.activate.title", { version }), "large", warningOf(model), place, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    sure.disabled = true;
    try {
      await api.call(`models/${encodeURIComponent(version)}/activate`, { method: "POST" });
      dialog.close();
      toast(t("ops.activate.done", { version }));
      activated();
      setTimeout(activated, ACTIVATION_SECONDS * 1000);
    } catch (error) {
      tell(problem, error);
      sure.disabled = false;
    }
  });
  try {
    place.replaceChildren(...diffOf(await api.call(`models/${encodeURIComponent(version)}/compare`)));
    sure.disabled = false;
  } catch (error) {
    place.replaceChildren(muted(t("ops.diff.none")));
    tell(problem, error);
    sure.disabled = UNUSABLE.has(error.slug);
  }
  place.removeAttribute("aria-busy");
}

function tell(place, error) {
  place.textContent = sentenceOf(error);
  place.hidden = false;
}

const warningOf = ({ rejected }) => (rejected ? el("p", { class: "notice warn", text: t("ops.activate.rejected", { reason: rejected.reason }) }) : null);

function diffOf(diff) {
  return [
    el("p", { class: "small muted", text: t("ops.diff.of", { before: diff.with, after: diff.version }) }),
    diff.same ? el("p", { class: "notice", text: t("ops.diff.same") }) : null,
    diff.note ? el("p", { class: "notice warn", text: diff.note }) : null,
    el("div", { class: "ops-diff-top" }, sizesOf(diff), metricsOf(diff.metrics)),
    el("div", { class: "ops-columns" }, movedOf("risers", diff.risers), movedOf("fallers", diff.fallers)),
    samplesOf(diff.samples),
  ].filter(Boolean);
}

function metricsOf(metrics) {
  const numbers = ["before", "after"].map((name) => ({ title: t(`ops.diff.${name}`), class: "number" }));
  const columns = [{ title: t("ops.diff.metric") }, ...numbers, { title: t("ops.diff.change"), class: "number" }];
  const rows = metrics.map(({ name, before, after }) => [name, estimateOf(before), estimateOf(after), before && after ? signed(after.value - before.value) : "–"]);
  return el("div", {}, el("h3", { text: t("ops.diff.metrics") }), table(t("ops.diff.metrics"), columns, rows), muted(t("ops.diff.own")));
}

const estimateOf = (estimate) => (estimate ? [el("span", { text: metric(estimate.value) }), el("span", { class: "ops-interval", text: interval(estimate) })] : "–");

const sizesOf = ({ games, players, kept }) =>
  facts([
    [t("ops.diff.kept"), or(kept, share)],
    [t("ops.games"), t("ops.diff.from-to", { before: number(games.before), after: number(games.after) })],
    [t("ops.players"), t("ops.diff.from-to", { before: number(players.before), after: number(players.after) })],
  ]);

function movedOf(name, moved) {
  const items = moved.map((game) => el("li", {}, bdi(game.name), el("span", { class: "small muted number", text: t("ops.diff.from-to", { before: share(game.before), after: share(game.after) }) })));
  const list = items.length ? el("ul", { class: "ops-moved" }, items) : muted(t("ops.diff.nothing"));
  return el("section", {}, el("h3", { text: t(`ops.diff.${name}`) }), muted(t(`ops.diff.${name}.explained`)), list);
}

function samplesOf(samples) {
  if (!samples.length) return null;
  const listed = (names, others, mark) =>
    names.length
      ? el("ol", { class: "ops-names" }, names.map((name) => el("li", { class: others.includes(name) ? null : mark }, bdi(name))))
      : muted(t("ops.diff.nothing"));
  const players = samples.map(({ user_id: user, before, after }) =>
    el(
      "article",
      { class: "ops-sample" },
      el("h4", {}, `${t("ops.diff.player")} `, bdi(user)),
      el("div", { class: "ops-columns" }, el("div", {}, muted(t("ops.diff.before")), listed(before, after, "gone")), el("div", {}, muted(t("ops.diff.after")), listed(after, before, "new"))),
    ),
  );
  return el("section", { class: "stack" }, el("h3", { text: t("ops.diff.samples") }), el("div", { class: "ops-samples" }, players));
}
