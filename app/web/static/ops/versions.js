// The versions: how good each was, and which one may answer.

import { el } from "../dom.js";
import { number, t } from "../words.js";
import { history } from "./charts.js";
import { ago, interval, metric, shortDate } from "./format.js";
import { badge, card, minuteNow, muted, onChange, redraw } from "./panel.js";

const METRICS = ["ndcg@10", "recall@20"];
const FIRST_SHOWN = 8;

export function markOf(model) {
  if (model.rejected) return "rejected";
  if (model.is_current) return "live";
  return model.gate && !model.gate.promoted ? "kept-back" : "";
}

/** Chart and table of the versions; `activate` is called with the version that somebody wants. */
export function createVersions(activate) {
  const { element, body } = card("versions", t("ops.versions"));
  const chart = createHistory();
  const list = el("div", {});
  const none = muted(t("ops.versions.none"));
  let showsAll = false;
  let last = [];
  const draw = (models) => {
    last = models;
    const shown = showsAll ? models : models.slice(0, FIRST_SHOWN);
    redraw(list, tableOf(shown, activate), models.length > shown.length && more());
    chart.update(models);
    none.hidden = models.length > 0;
    list.hidden = !models.length;
  };
  const more = () =>
    el("button", {
      type: "button",
      class: "button small",
      "data-key": "all-versions",
      text: t("ops.versions.all", { n: number(last.length) }),
      onclick: () => {
        showsAll = true;
        draw(last);
      },
    });
  none.hidden = list.hidden = chart.element.hidden = true;
  body.append(none, chart.element, list);
  const update = onChange(
    ({ models }) => ({ models, minute: minuteNow() }),
    ({ models }) => models && draw(models.models),
  );
  return { element, update, stop: chart.stop };
}

function createHistory() {
  let name = METRICS[0];
  let models = [];
  let points = [];
  const said = el("p", { class: "small muted number ops-said" });
  const say = (place) => {
    const point = points[place ?? points.length - 1];
    said.textContent = point ? t("ops.versions.point", { version: point.version, metric: name, value: metric(point.estimate.value), interval: interval(point.estimate) }) : "";
  };
  const plot = history(t("ops.versions.chart"), () => points, say);
  const choices = METRICS.map((choice) => el("button", { type: "button", class: "button small", text: choice, onclick: () => choose(choice) }));
  const legend = ["live", "kept-back", "rejected"].map((mark) => el("span", { class: "ops-legend" }, el("span", { class: `ops-mark ${mark}`, "aria-hidden": "true" }), t(`ops.standing.${mark}`)));
  const element = el("div", { class: "stack ops-history" }, el("div", { class: "row", role: "group", "aria-label": t("ops.versions.metric") }, choices, el("span", { class: "row small muted ops-legends" }, legend)), plot.element, said);

  function choose(choice) {
    name = choice;
    choices.forEach((button) => button.setAttribute("aria-pressed", String(button.textContent === name)));
    points = models
      .filter((model) => model.headline?.[name])
      .map((model) => ({ version: model.version, created_at: model.created_at, mark: markOf(model), estimate: model.headline[name] }))
      .reverse();
    element.hidden = !points.length;
    if (points.length) plot.set([points.map((_, place) => place), ...["value", "low", "high"].map((part) => points.map(({ estimate }) => estimate[part]))]);
    say(null);
  }

  return {
    element,
    stop: plot.stop,
    update(found) {
      models = found;
      choose(name);
    },
  };
}

const COLUMNS = () => [
  { title: t("ops.version") },
  { title: t("ops.model.trained"), class: "wide-only" },
  { title: t("ops.games"), class: "number wide-only" },
  { title: t("ops.players"), class: "number wide-only" },
  ...METRICS.map((name) => ({ title: name, class: "number wide-only" })),
  { title: t("ops.standing") },
  { title: "" },
];

function tableOf(models, activate) {
  const columns = COLUMNS();
  const rows = models.map((model) => {
    const cells = [
      el("code", { class: "mono", text: model.version }),
      model.created_at ? el("span", { title: shortDate(model.created_at), text: ago(model.created_at) }) : "–",
      model.counts ? number(model.counts.games) : "–",
      model.counts ? number(model.counts.players) : "–",
      ...METRICS.map((name) => estimateOf(model.headline?.[name])),
      standingOf(model),
      model.is_current ? "" : activateButton(model, activate),
    ];
    return el("tr", {}, cells.map((cell, place) => el(place ? "td" : "th", { scope: place ? null : "row", class: columns[place].class ?? null }, cell)));
  });
  return el(
    "div",
    { class: "table-scroll" },
    el(
      "table",
      { class: "table" },
      el("caption", { class: "visually-hidden", text: t("ops.versions") }),
      el("thead", {}, el("tr", {}, columns.map(({ title, class: kind }) => el("th", { scope: "col", class: kind ?? null, text: title })))),
      el("tbody", {}, rows),
    ),
  );
}

const estimateOf = (estimate) => (estimate ? [el("span", { text: metric(estimate.value) }), el("span", { class: "ops-interval", text: interval(estimate) })] : "–");

function standingOf(model) {
  const told = [];
  if (model.is_current) told.push(badge(t("ops.standing.live"), "good"));
  if (model.is_predecessor) told.push(badge(t("ops.standing.before")));
  if (model.rejected) told.push(badge(t("ops.standing.rejected"), "bad"), muted(model.rejected.reason));
  if (model.problem) told.push(badge(t("ops.standing.broken"), "bad"), muted(model.problem));
  if (markOf(model) === "kept-back") told.push(badge(t("ops.standing.kept-back"), "warn"), muted(model.gate.reason));
  if (model.data_kind === "simulated") told.push(el("span", { class: "badge wide-only", text: t("ops.kind.simulated") }));
  return el("div", { class: "ops-standing" }, told);
}

const activateButton = (model, activate) =>
  el("button", {
    type: "button",
    class: "button small",
    "data-key": `activate-${model.version}`,
    "aria-label": t("ops.activate.of", { version: model.version }),
    text: t("ops.activate"),
    onclick: () => activate(model),
  });
