// The dialog that asks for a run.

import { sentenceOf } from "../api.js";
import { el, toast } from "../dom.js";
import { t } from "../words.js";
import { openDialog } from "./panel.js";

const CHOICES = ["collect", "full", "force", "dry_run"];
const MAX_TRIALS = 10_000;

/** Ask what the run is to do, and for the run; `asked` is called when one is queued. */
export function openRetrain(api, asked) {
  const problem = el("p", { class: "notice bad", role: "alert", hidden: true });
  const start = el("button", { type: "submit", class: "button primary", text: t("ops.retrain.start") });
  const cancel = el("button", { type: "button", class: "button", text: t("ops.close"), onclick: () => dialog.close() });
  const form = el("form", { class: "stack" }, el("p", { class: "muted", text: t("ops.retrain.explained") }), CHOICES.map(choiceOf), tuneField(), problem, el("div", { class: "dialog-actions" }, cancel, start));
  const dialog = openDialog("retrain", t("ops.retrain.title"), "", form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    start.disabled = true;
    try {
      await api.call("retrain", { method: "POST", body: bodyOf(form) });
      dialog.close();
      toast(t("ops.retrain.queued"));
      asked();
    } catch (error) {
      problem.textContent = sentenceOf(error);
      problem.hidden = false;
      start.disabled = false;
    }
  });
}

function choiceOf(name) {
  const box = el("input", { type: "checkbox", name, checked: name === "collect", "aria-describedby": `retrain-${name}` });
  return el("label", { class: "ops-choice" }, box, el("span", {}, el("span", { class: "ops-choice-name", text: t(`ops.option.${name}`) }), el("span", { id: `retrain-${name}`, class: "small muted", text: t(`ops.option.${name}.explained`) })));
}

function tuneField() {
  const field = el("input", { type: "number", name: "tune", class: "input", min: "0", max: String(MAX_TRIALS), step: "1", value: "0", required: true, "aria-describedby": "retrain-tune" });
  return el("label", { class: "field" }, el("span", { text: t("ops.option.tune") }), field, el("small", { id: "retrain-tune", class: "small muted", text: t("ops.option.tune.explained") }));
}

const bodyOf = (form) => ({ ...Object.fromEntries(CHOICES.map((name) => [name, form.elements[name].checked])), tune: Number(form.elements.tune.value) });
