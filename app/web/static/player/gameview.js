// A game's own view: what is known of it. The games that go with it are the list below.

import { byId, el, icon } from "../dom.js";
import { dateTime, number, t } from "../words.js";
import { actionButton, facts, rawgLink } from "./card.js";
import { cover } from "./cover.js";

/** Show a game, and a way back to the list. */
export function showGame(game, actions, back) {
  byId("game").replaceChildren(
    el("a", { class: "back", href: back, data: { list: "" } }, icon("back"), t("player.back")),
    el(
      "div",
      { class: "game-hero" },
      cover(game, { eager: true }),
      el(
        "div",
        { class: "game-text" },
        el("h1", { tabindex: "-1", dir: "auto", text: game.name }),
        facts(game),
        el("dl", { class: "known" }, known(game).map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value })))),
        el("div", { class: "row" }, actions.map((action) => actionButton(action, game)), rawgLink(game)),
      ),
    ),
    el("h2", { text: t("player.similar.title") }),
  );
}

function known(game) {
  return [
    [t("player.released"), game.released && dateTime(`${game.released}T00:00:00Z`, { dateStyle: "long", timeZone: "UTC" })],
    [t("player.playtime"), game.playtime > 0 && t("player.hours", { hours: number(game.playtime) })],
    [t("player.age"), game.esrb_rating],
    [t("player.tags"), game.tags.slice(0, 8).join(", ")],
  ].filter(([, value]) => value);
}
