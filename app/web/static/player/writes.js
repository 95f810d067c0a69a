// What a player says of a game, written through the session of the page, and taken back.

import { Problem } from "../api.js";

/** Kinds of interactions that a page may write, and so take back. */
export const KINDS = ["play", "like", "dislike", "wishlist", "hide"];

export function makeWrites(api) {
  /** The session of a page ends after a day: opening the page anew, unseen, begins another. */
  async function inSession(write) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof Problem) || error.slug !== "no-page-session") throw error;
      await fetch(new URL(".", location.href), { cache: "no-store" });
      return write();
    }
  }

  return {
    put: (player, game, kind, answer) =>
      inSession(() =>
        api.call("page/interactions", {
          method: "POST",
          body: { user_id: player, game_id: game, kind, recommendation_id: answer },
        }),
      ),
    takeBack: (player, game, kind) =>
      inSession(() =>
        api.call(`page/users/${encodeURIComponent(player)}/interactions/${game}/${kind}`, { method: "DELETE" }),
      ),
  };
}
