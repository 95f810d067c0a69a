// What is done with a game of a list: said by a player, or chosen by a visitor; each with a way back.

import { sentenceOf } from "../api.js";
import { announce, bdi, toast } from "../dom.js";
import { parts, t } from "../words.js";

/**
 * Acts on the state that `current()` tells, by `change` or by writing; after a write `load` asks for everything anew.
 * `answer()` names the list that is shown.
 */
export function makeActions(writes, cards, { current, change, know, mayWrite, load, answer }) {
  /** What can be done with a game here. */
  function actions() {
    const state = current();
    if (state.mode === "player" && mayWrite && state.player) {
      return [
        { name: "play", icon: "check", text: t("player.played"), run: (game, event) => write("play", game, event) },
        { name: "hide", icon: "block", text: t("player.hide"), run: (game, event) => write("hide", game, event) },
      ];
    }
    if (state.mode !== "visitor") return [];
    return [
      { name: "play", icon: "check", text: t("player.played"), run: (game, event) => pick("games", game, event) },
      { name: "hide", icon: "block", text: t("player.hide"), run: (game, event) => pick("exclude", game, event) },
    ];
  }

  /** A visitor's choices stand in the address, and nowhere else. */
  function pick(where, game, event) {
    know(game);
    const { games, exclude } = current();
    const place = cards.placeOf(game.game_id);
    change({ [where]: [...new Set([...current()[where], game.game_id])] });
    tellDone(where === "games" ? "player.done.picked" : "player.done.hide", game, event, place, () => change({ games, exclude }));
  }

  async function write(kind, game, event) {
    const [{ player, game: viewed }, place, button] = [current(), cards.placeOf(game.game_id), event.currentTarget];
    button.disabled = true;
    try {
      await writes.put(player, game.game_id, kind, viewed ? undefined : answer());
      tellDone(`player.done.${kind}`, game, event, place, () => undo(player, game, [kind]));
      await load();
    } catch (error) {
      button.disabled = false;
      button.focus();
      toast(sentenceOf(error), { kind: "bad" });
    }
  }

  /** Where the keyboard was used the focus goes to the way back, and then to what took the game's place. */
  function tellDone(key, game, event, place, run) {
    const byKeyboard = event.detail === 0;
    toast(parts(key, { game: bdi(game.name) }), {
      action: { text: t("player.undo"), run },
      focus: byKeyboard,
      after: () => cards.focusAt(Math.max(place, 0)),
    });
  }

  async function undo(player, game, kinds) {
    try {
      for (const kind of kinds) await writes.takeBack(player, game.game_id, kind);
      announce(t("player.undone"));
      await load();
    } catch (error) {
      toast(sentenceOf(error), { kind: "bad" });
    }
  }

  /** From the player's own games; with a way back as well. */
  async function takeBack(game, kinds) {
    const { player } = current();
    await undo(player, game, kinds);
    toast(parts("player.done.removed", { game: bdi(game.name) }), {
      action: {
        text: t("player.undo"),
        run: async () => {
          try {
            for (const kind of kinds) await writes.put(player, game.game_id, kind);
            await load();
          } catch (error) {
            toast(sentenceOf(error), { kind: "bad" });
          }
        },
      },
    });
  }

  return { actions, takeBack };
}
