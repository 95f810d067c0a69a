// The games that a player has, or that a visitor has picked, beside the list.

import { bdi, byId, el, icon } from "../dom.js";
import { number, t } from "../words.js";
import { cover } from "./cover.js";

/** Show games: {title, empty, more, items: [{game, note, remove}]}; `more` shows the next ones, null at the end. */
export function showShelf({ title, empty, items, more }, href) {
  byId("shelf-title").textContent = title;
  byId("shelf-games").replaceChildren(...items.map((item) => row(item, href)));
  byId("shelf-empty").textContent = empty;
  byId("shelf-empty").hidden = items.length > 0;
  const button = byId("shelf-more");
  button.hidden = !more;
  button.onclick = more;
}

function row({ game, note, remove }, href) {
  return el(
    "li",
    { class: "shelf-row", data: { game: game.game_id } },
    cover(game),
    el(
      "div",
      { class: "shelf-text" },
      el("a", { href: href(game), data: { view: game.game_id } }, bdi(game.name)),
      note && el("span", { class: "muted small", text: note }),
    ),
    remove &&
      el(
        "button",
        { type: "button", class: "button quiet icon", title: t("player.remove"), "aria-label": t("player.remove.of", { game: game.name }), onclick: remove },
        icon("close"),
      ),
  );
}

/** What a player did with a game, in words: "Played 12 h · liked". */
export function noteOf({ kinds, hours, rating_given: rating }) {
  const words = kinds
    .filter((kind) => kind !== "rating" || rating !== null)
    .map((kind) => {
      if (kind === "play" && hours) return t("player.kind.hours", { hours: number(hours, { maximumFractionDigits: 1 }) });
      if (kind === "rating") return t("player.kind.rating", { rating: number(rating) });
      return t(`player.kind.${kind}`);
    });
  return words.join(" · ");
}
