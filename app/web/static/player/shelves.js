// What the shelf shows: a player's own games, or the games that a visitor picked and set aside.

import { isAborted, sentenceOf } from "../api.js";
import { byId } from "../dom.js";
import { number, t } from "../words.js";
import { noteOf, showShelf } from "./shelf.js";
import { KINDS } from "./writes.js";

const PAGE = 8;
const MOST = 100; // of the API

export function makeShelf(api, { current, change, known, mayWrite, href, takeBack }) {
  let asked = PAGE;

  async function ofPlayer(player, signal) {
    const found = await api.call(`users/${encodeURIComponent(player)}/games`, { query: { n: asked }, signal });
    const more = () => {
      asked = MOST;
      return load(false, signal);
    };
    const removal = (game) => {
      const kinds = game.kinds.filter((kind) => KINDS.includes(kind));
      return mayWrite && !game.invented && kinds.length ? () => takeBack(game, kinds) : null;
    };
    showShelf(
      {
        title: t("player.shelf.player", { count: number(found.total) }),
        empty: t("player.shelf.empty"),
        items: found.games.map((game) => ({ game, note: noteOf(game), remove: removal(game) })),
        more: found.games.length < found.total && asked < MOST ? more : null,
      },
      href,
    );
  }

  async function ofVisitor(state, signal) {
    const ids = [...state.games, ...state.exclude].filter((id) => !known.has(id));
    await Promise.all(
      ids.map(async (id) => {
        try {
          known.set(id, await api.call(`games/${id}`, { signal }));
        } catch (error) {
          if (isAborted(error)) throw error; // a game that is not there is not shown, and the list's warning says so
        }
      }),
    );
    const item = (where, note) => (id) => ({
      game: known.get(id),
      note,
      remove: () => change({ [where]: current()[where].filter((one) => one !== id) }),
    });
    const there = (id) => known.has(id);
    showShelf(
      {
        title: t("player.shelf.visitor", { count: state.games.length }),
        empty: t("player.shelf.visitor_empty"),
        items: [...state.games.filter(there).map(item("games", "")), ...state.exclude.filter(there).map(item("exclude", t("player.kind.hide")))],
        more: null,
      },
      href,
    );
  }

  /** Show it for what is chosen; `anew` where that is somebody else. */
  async function load(anew, signal) {
    const state = current();
    const shown = !state.game && ((state.mode === "player" && state.player) || state.mode === "visitor");
    byId("shelf").hidden = !shown;
    if (!shown) return;
    if (anew) {
      asked = PAGE;
      showShelf({ title: "\u00a0", empty: "", items: [], more: null }, href);
    }
    try {
      await (state.mode === "player" ? ofPlayer(state.player, signal) : ofVisitor(state, signal));
    } catch (error) {
      if (isAborted(error)) return;
      // What the list cannot do either is said there.
      showShelf({ title: t("player.shelf"), empty: sentenceOf(error), items: [], more: null }, href);
    }
  }

  return { load };
}
