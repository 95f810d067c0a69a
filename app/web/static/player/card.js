// One game of a list.

import { el, icon } from "../dom.js";
import { number, t } from "../words.js";
import { cover } from "./cover.js";
import { why } from "./why.js";

/**
 * A card. `context` has the list's `mode`, `href(game)` of a game's own view, and `actions`: what can be done with a
 * game, as [{name, icon, text, run(game, event)}].
 */
export function makeCard(game, context, eager) {
  const reasons = el("div", { class: "why" });
  const buttons = el("div", { class: "card-actions" });
  const element = el(
    "li",
    { class: "card game-card", data: { game: game.game_id } },
    el("a", { class: "cover-link", href: context.href(game), data: { view: game.game_id }, tabindex: "-1", "aria-hidden": "true" }, cover(game, { eager })),
    el(
      "div",
      { class: "game-card-body" },
      el("h3", {}, el("a", { href: context.href(game), data: { view: game.game_id }, dir: "auto", text: game.name })),
      facts(game),
      reasons,
      buttons,
    ),
  );
  let told = "";
  let offered = null;
  const card = {
    element,
    /** Take what a new answer says of the same game; what is the same stays, and with it the focus. */
    update(found, now) {
      const reason = JSON.stringify([found.reasons, found.fits, found.source, now.mode]);
      if (reason !== told) reasons.replaceChildren(...[why(found, now.mode)].flat(Infinity).filter(Boolean));
      told = reason;
      const names = now.actions.map(({ name }) => name).join();
      if (names !== offered) buttons.replaceChildren(...buttonsOf(found, now));
      offered = names;
      for (const link of element.querySelectorAll("[data-view]")) link.href = now.href(found);
    },
  };
  card.update(game, context);
  return card;
}

const buttonsOf = (game, context) => [
  ...context.actions.map((action) => actionButton(action, game)),
  el(
    "a",
    { class: "button quiet small", href: context.href(game), data: { view: game.game_id }, "aria-label": t("player.similar.of", { game: game.name }) },
    icon("similar"),
    t("player.similar"),
  ),
  rawgLink(game),
];

export function actionButton(action, game) {
  return el(
    "button",
    { type: "button", class: "button small", data: { action: action.name }, "aria-label": `${action.text}: ${game.name}`, onclick: (event) => action.run(game, event) },
    icon(action.icon),
    action.text,
  );
}

export const rawgLink = (game) =>
  el(
    "a",
    { class: "rawg", href: game.rawg_url, target: "_blank", rel: "noopener noreferrer", referrerpolicy: "no-referrer", "aria-label": t("player.rawg.of", { game: game.name }) },
    "RAWG",
    icon("out"),
  );

/** Year, genres, platforms and ratings. */
export function facts(game) {
  const year = game.released?.slice(0, 4);
  return el(
    "div",
    { class: "facts" },
    el("p", { class: "muted" }, [year, game.genres.join(", ")].filter(Boolean).join(" · ") || t("player.unknown")),
    game.platforms.length > 0 && el("p", { class: "muted platforms", title: game.platforms.join(", "), text: game.platforms.join(", ") }),
    el(
      "p",
      { class: "ratings" },
      game.rating > 0 && el("span", { class: "rating", role: "img", "aria-label": t("player.rating.of", { rating: number(game.rating) }) }, `★ ${number(game.rating, { maximumFractionDigits: 1, minimumFractionDigits: 1 })}`),
      game.metacritic !== null && el("span", { class: `badge ${metacriticKind(game.metacritic)}`, text: t("player.metacritic.of", { score: game.metacritic }) }),
    ),
  );
}

function metacriticKind(score) {
  if (score >= 75) return "good";
  return score >= 50 ? "warn" : "bad";
}
