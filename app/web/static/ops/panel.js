// What the parts of the page have in common: a card with a title, drawn anew only where something changed.

import { el } from "../dom.js";

/** A card {element, body, actions}; `id` is where the header's links lead. */
export function card(id, title, ...actions) {
  const body = el("div", { class: "stack" });
  const heading = el("h2", { id: `${id}-title`, text: title });
  const element = el(
    "section",
    { id, class: "card padded ops-card", "aria-labelledby": `${id}-title` },
    el("div", { class: "ops-head" }, heading, el("div", { class: "row" }, actions)),
    body,
  );
  return { element, body };
}

/** Call `draw` with what `pick` takes from a state, whenever that is not as it was. */
export function onChange(pick, draw) {
  let last;
  return (state) => {
    const picked = pick(state);
    const text = JSON.stringify(picked);
    if (text !== last) draw(picked);
    last = text;
  };
}

/** Put other children into an element; what had the focus keeps it where it is there again, by its `data-key`. */
export function redraw(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

/** What changes with time alone is drawn anew every minute. */
export const minuteNow = () => Math.floor(Date.now() / 60_000);

export const badge = (text, kind = "") => el("span", { class: `badge ${kind}`, text });

export const muted = (text) => el("p", { class: "muted small", text });

/** A list of facts: pairs of what and how much, where null says nothing. */
export const facts = (pairs) =>
  el(
    "dl",
    { class: "ops-facts" },
    pairs.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", {}, value))),
  );

/** A table that scrolls by itself; `columns` are {title, class}, a row is a list of texts or nodes. */
export function table(caption, columns, rows) {
  const cells = (row) => row.map((cell, place) => el(place ? "td" : "th", { class: columns[place].class ?? null, scope: place ? null : "row" }, cell));
  return el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: "table" },
      el("caption", { class: "visually-hidden", text: caption }),
      el("thead", {}, el("tr", {}, columns.map(({ title, class: kind }) => el("th", { scope: "col", class: kind ?? null, text: title })))),
      el("tbody", {}, rows.map((row) => el("tr", {}, cells(row)))),
    ),
  );
}

/** Something more behind a disclosure. */
export const disclosure = (summary, ...children) =>
  el("details", { class: "ops-more" }, el("summary", { class: "small", "data-key": summary, text: summary }), children);

/** A dialog that is gone when it is closed, with Escape or otherwise; the focus goes back to where it was. */
export function openDialog(id, title, size, ...children) {
  const from = document.activeElement?.dataset.key;
  const heading = el("h2", { id: `${id}-title`, text: title });
  const dialog = el("dialog", { id, class: size, "aria-labelledby": `${id}-title` }, heading, children);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (from) document.querySelector(`[data-key="${CSS.escape(from)}"]`)?.focus(); // it may have been drawn anew
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
