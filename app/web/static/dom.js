// Building elements. Text is always set as text: nothing here, or anywhere, parses HTML.

import { t } from "./words.js";

const TOAST_SECONDS = 12;

/**
 * An element with attributes and children. `class`, `text`, `data: {…}`, `style: {"--x": …}` and `onclick`-like
 * listeners are what they say; an attribute that is null or false is left out, true is an empty one.
 */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A name from the data, which may be written from right to left, within a sentence. */
export const bdi = (name) => el("bdi", { text: name });

export const byId = (id) => document.getElementById(id);

/** Tell who listens to the page. */
export function announce(text) {
  byId("announcements").textContent = text;
}

/**
 * A message that goes by itself, but never while the pointer or the focus is on it. With `action` {text, run} it has a
 * button, which gets the focus when `focus` is true; `after` is called when the message is gone with the focus in it.
 */
export function toast(content, { action = null, kind = "", focus = false, after = () => {} } = {}) {
  const leave = () => {
    const focused = shown.contains(document.activeElement);
    clearTimeout(timer);
    shown.remove();
    if (focused) after();
  };
  const go = () => {
    leave();
    action.run();
  };
  const shown = el(
    "div",
    { class: `toast ${kind}`, role: kind === "bad" && "alert" },
    el("p", {}, content),
    action && el("button", { type: "button", class: "button small", text: action.text, onclick: go }),
    el("button", { type: "button", class: "button icon", "aria-label": t("site.close"), onclick: leave }, icon("close")),
  );
  let timer = 0;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(leave, TOAST_SECONDS * 1000);
  };
  const hold = () => clearTimeout(timer);
  for (const event of ["pointerenter", "focusin"]) shown.addEventListener(event, hold);
  for (const event of ["pointerleave", "focusout"]) shown.addEventListener(event, wait);
  shown.addEventListener("keydown", (event) => event.key === "Escape" && leave());
  wait();
  const toasts = byId("toasts");
  toasts.append(shown);
  while (toasts.children.length > 3) toasts.firstElementChild.remove();
  if (focus && action) shown.querySelector("button").focus();
  return leave;
}

const SHAPES = {
  close: ["M6 6l12 12", "M18 6L6 18"],
  check: ["M5 12.5l4.5 4.5L19 7"],
  block: ["M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18", "M5.7 5.7l12.6 12.6"],
  similar: ["M4 5h7v14H4z", "M15 8h5v8h-5"],
  back: ["M15 5l-7 7l7 7"],
  out: ["M10 5H5v14h14v-5", "M14 4h6v6", "M20 4l-9 9"],
};

/** A small drawing beside or instead of a text. */
export const icon = (name) =>
  svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" }, SHAPES[name].map((d) => svg("path", { d })));
