// The page of whoever runs the service: nothing is here before a key is, and nothing stays when it goes.

import { createApi, Problem, sentenceOf } from "../api.js";
import { announce, byId, el } from "../dom.js";
import { keepLanguageSwitch, t } from "../words.js";
import { openActivate } from "./activate.js";
import { createCollection } from "./collection.js";
import { createDrift } from "./drift.js";
import { createModel, createWorkers } from "./model.js";
import { createRuns } from "./runs.js";
import { follow } from "./state.js";
import { createStatus } from "./status.js";
import { createTraffic } from "./traffic.js";
import { createVersions } from "./versions.js";

const SECTIONS = ["model", "traffic", "versions", "runs", "drift", "collection"];
const SENDABLE = /^[\x21-\x7e]+$/; // what a header, and so a key, may hold

const api = createApi("ops-key");
const place = byId("ops");
let leaveBoard = () => {};

/** Ask for the key; `reason` says why it is asked for again. */
function showSignIn(reason = "") {
  const field = el("input", { id: "key", class: "input", type: "password", name: "key", autocomplete: "off", required: true, spellcheck: "false", "aria-describedby": "key-hint key-problem" });
  const problem = el("p", { id: "key-problem", class: "notice bad", role: "alert", text: reason, hidden: !reason });
  const enter = el("button", { type: "submit", class: "button primary", text: t("ops.sign-in") });
  const hint = el("p", { id: "key-hint", class: "small muted", text: t("ops.sign-in.hint") });
  const form = el("form", { class: "card ops-sign-in" }, el("h1", { text: t("ops.title") }), el("p", { class: "muted", text: t("ops.sign-in.explained") }), el("div", { class: "field" }, el("label", { for: "key", text: t("ops.key") }), field), problem, enter, hint);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    enter.disabled = true;
    problem.hidden = true;
    try {
      await tryKey(field.value.trim());
      showBoard();
    } catch (error) {
      api.key.forget();
      problem.textContent = refusalOf(error);
      problem.hidden = false;
      field.setAttribute("aria-invalid", "true");
      field.select();
      enter.disabled = false;
    }
  });
  place.replaceChildren(form);
  field.focus();
}

async function tryKey(key) {
  if (!SENDABLE.test(key)) throw new Problem(401, "unauthorized", "", null);
  api.key.keep(key);
  await api.call("models", { query: { n: 1 } });
}

function refusalOf(error) {
  if (error instanceof Problem && error.status === 401) return t("ops.sign-in.wrong");
  if (error instanceof Problem && error.status === 403) return t("ops.sign-in.narrow");
  return sentenceOf(error);
}

function showBoard() {
  const status = createStatus();
  const traffic = createTraffic();
  const versions = createVersions((model) => openActivate(api, model, () => refresh("ready", "metrics", "models", "live")));
  const runs = createRuns(api, (...names) => refresh(...names));
  const panels = [status, createModel(), createWorkers(), traffic, versions, runs, createDrift(), createCollection()];
  const [, model, workers, , , , drift, collection] = panels.map(({ element }) => element);
  place.replaceChildren(
    el("h1", { class: "visually-hidden", text: t("ops.title") }),
    status.element,
    el("div", { class: "ops-columns uneven" }, model, workers),
    traffic.element,
    versions.element,
    runs.element,
    el("div", { class: "ops-columns loose" }, drift, collection),
  );
  showHeader();
  const following = follow(api, (state) => panels.forEach((panel) => panel.update(state)), () => signOut(t("ops.sign-in.again")));
  const refresh = (...names) => following.refresh(...names);
  leaveBoard = () => {
    following.stop();
    for (const panel of panels) panel.stop?.();
    document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  };
  byId("main").focus();
}

function showHeader() {
  const links = SECTIONS.map((name) => el("a", { href: `#${name}`, text: t(`ops.section.${name}`) }));
  const out = el("button", { type: "button", class: "button small", text: t("ops.sign-out"), onclick: () => signOut() });
  byId("sections").replaceChildren(...links);
  byId("session").replaceChildren(out);
}

function signOut(reason) {
  api.key.forget();
  leaveBoard();
  leaveBoard = () => {};
  byId("sections").replaceChildren();
  byId("session").replaceChildren();
  byId("toasts").replaceChildren();
  announce("");
  showSignIn(reason);
}

keepLanguageSwitch();
if (api.key.get()) showBoard();
else showSignIn();
