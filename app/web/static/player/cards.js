// The grid of cards: a new answer changes what changed, and leaves the rest where it is.

import { el } from "../dom.js";
import { makeCard } from "./card.js";

const EAGER = 4; // pictures that are surely in sight

export function makeCards(list) {
  let shown = new Map();

  return {
    get size() {
      return shown.size;
    },
    /** Show games in this order; `context` as a card takes it. */
    show(games, context) {
      const cards = new Map();
      games.forEach((game, place) => {
        const known = shown.get(game.game_id);
        if (known) known.update(game, context);
        cards.set(game.game_id, known ?? makeCard(game, context, place < EAGER));
      });
      const left = [...list.children].findIndex((element) => element.contains(document.activeElement));
      for (const [id, card] of shown) if (!cards.has(id)) card.element.remove();
      const lost = left >= 0 && document.activeElement === document.body;
      for (const one of list.querySelectorAll(".waiting")) one.remove();
      [...cards.values()].forEach(({ element }, place) => {
        if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
      });
      shown = cards;
      if (lost) this.focusAt(left); // never to nowhere, for who uses the keyboard
    },
    clear() {
      shown = new Map();
      list.replaceChildren();
    },
    /** Focus what stands where a card was. */
    focusAt(place) {
      const element = list.children[Math.min(place, list.children.length - 1)];
      element?.querySelector("h3 a").focus();
    },
    placeOf: (id) => [...shown.keys()].indexOf(id),
    wait() {
      if (shown.size) return;
      list.replaceChildren(...Array.from({ length: 8 }, waiting));
    },
  };
}

const waiting = () =>
  el("li", { class: "card game-card waiting", "aria-hidden": "true" }, el("div", { class: "cover skeleton" }), el("div", { class: "game-card-body" }, el("div", { class: "skeleton line" }), el("div", { class: "skeleton line short" })));
