// Whom the games are for: a player's id, the games of a visitor, the members of a party.

import { bdi, byId, el, icon } from "../dom.js";
import { sentenceOf } from "../api.js";
import { t } from "../words.js";
import { cover } from "./cover.js";
import { MOST_MEMBERS } from "./state.js";

const INVENTED = 100; // players of a first run: 1 to 100
const SUGGESTIONS = 8;

const somebody = (but = []) => {
  const others = Array.from({ length: INVENTED }, (_, place) => String(place + 1)).filter((one) => !but.includes(one));
  return others[Math.floor(Math.random() * others.length)];
};

/** Wire the three choosers: `current()` is the state, `change` changes it, `know(game)` remembers a game's facts. */
export function makeChoosing(api, { current, change, know }) {
  const player = byId("player-form");
  player.addEventListener("submit", (event) => {
    event.preventDefault();
    const id = player.elements.player.value.trim();
    if (id) change({ player: id });
  });
  byId("surprise").addEventListener("click", () => change({ player: somebody([current().player]) }));

  const party = byId("party-form");
  const join = (id) => {
    const members = current().party;
    if (id && !members.includes(id) && members.length < MOST_MEMBERS) change({ party: [...members, id] });
  };
  party.addEventListener("submit", (event) => {
    event.preventDefault();
    join(party.elements.member.value.trim());
    party.elements.member.value = "";
    party.elements.member.focus();
  });
  byId("surprise-member").addEventListener("click", () => join(somebody(current().party)));

  let searches = false;

  /** The search is for visitors alone, and loaded when the first comes. */
  async function search() {
    searches = true;
    const { combobox } = await import("./combobox.js");
    const status = byId("search-status");
    combobox(byId("search"), byId("suggestions"), {
      find: async (q, signal) => (await api.call("games", { query: { q, n: SUGGESTIONS }, signal })).games,
      show: suggestion,
      choose(game) {
        know(game);
        const { games, exclude } = current();
        change({ games: [...new Set([...games, game.game_id])], exclude: exclude.filter((id) => id !== game.game_id) });
      },
      tell: (count) => (status.textContent = count ? t("player.search.found", { count }) : t("player.search.none")),
      fail: (error) => (status.textContent = sentenceOf(error)),
    });
    byId("search").addEventListener("input", () => (status.textContent = ""));
  }

  return function show(state, invented) {
    if (state.mode === "visitor" && !searches) search();
    player.hidden = state.mode !== "player";
    byId("picker").hidden = state.mode !== "visitor";
    party.hidden = state.mode !== "party";
    for (const id of ["surprise", "surprise-member"]) byId(id).hidden = !invented;
    player.elements.player.value = state.player;
    const full = state.party.length >= MOST_MEMBERS;
    for (const one of [party.elements.member, byId("join"), byId("surprise-member")]) one.disabled = full;
    byId("members").replaceChildren(
      ...state.party.map((id) => chip(id, () => {
        change({ party: current().party.filter((one) => one !== id) });
        party.elements.member.focus();
      })),
    );
  };
}

const suggestion = (game) => [
  cover(game),
  el("span", { class: "suggestion-text" }, bdi(game.name), el("span", { class: "muted small", text: [game.released?.slice(0, 4), game.genres[0]].filter(Boolean).join(" · ") })),
];

const chip = (id, remove) =>
  el(
    "li",
    { class: "chip" },
    bdi(id),
    el("button", { type: "button", "aria-label": t("player.party.remove", { player: id }), onclick: remove }, icon("close")),
  );
