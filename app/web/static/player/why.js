// Why a game is there, in words and bars.

import { bdi, el } from "../dom.js";
import { parts, percent, t } from "../words.js";

const SHOWN = 2;

/** The reasons of a game in a list for `mode`; an empty list where there is nothing to tell. */
export function why(game, mode) {
  if (game.fits) return fits(game.fits);
  const reasons = [...(game.reasons ?? [])].sort((one, other) => Math.abs(other.fraction) - Math.abs(one.fraction));
  const told = reasons.filter((reason) => Math.abs(reason.fraction) >= 0.005);
  if (!told.length) return [el("p", { class: "source", text: t(`player.source.${mode === "similar" ? "similar_" : ""}${game.source}`) })];
  const rest = told.slice(SHOWN);
  return [
    el("ul", { class: "reasons" }, told.slice(0, SHOWN).map((reason) => one(reason, game.source))),
    rest.length > 0 &&
      el(
        "details",
        { class: "reasons-more" },
        el("summary", { text: t("player.reasons.more", { count: rest.length }) }),
        el("ul", { class: "reasons" }, rest.map((reason) => one(reason, game.source))),
      ),
  ];
}

function one(reason, source) {
  const against = reason.fraction < 0;
  const key = against ? "player.reason.against" : `player.reason.${source}`;
  return el(
    "li",
    {},
    bar(Math.abs(reason.fraction), against),
    el("span", {}, parts(key, { share: percent(Math.abs(reason.fraction)), game: bdi(reason.name) })),
  );
}

function fits(members) {
  return el(
    "ul",
    { class: "fits", "aria-label": t("player.fits") },
    members.map(({ user_id: member, fit }) =>
      el("li", {}, el("span", { class: "fit-member" }, bdi(member)), bar(fit, false), el("span", { class: "number", text: percent(fit) })),
    ),
  );
}

const bar = (share, bad) =>
  el("span", { class: bad ? "bar bad" : "bar", "aria-hidden": "true" }, el("span", { style: { "--share": Math.min(share, 1) } }));
