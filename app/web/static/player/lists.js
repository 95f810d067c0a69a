// Asking the API for the list that a state stands for.

import { asked } from "./state.js";

/** The games of a state's list: {games, warnings, kind, answer}; `answer` names it for what is then done. */
export async function list(api, state, { n, offset }, signal) {
  const found = await ask(api, state, { n, offset }, signal);
  return { games: found.games, warnings: found.warnings, kind: found.data_kind, answer: found.recommendation_id };
}

function ask(api, state, page, signal) {
  const wishes = { ...page, ...asked(state) };
  const post = (path, body) => api.call(path, { method: "POST", body: { ...wishes, ...body }, signal });
  if (state.game) return api.call(`games/${state.game}/similar`, { query: page, signal });
  if (state.mode === "visitor") {
    const played = state.games.map((id) => ({ game_id: id }));
    return post("recommend", { played, exclude: state.exclude, explain: true });
  }
  if (state.mode === "party") return post("recommend/group", { user_ids: state.party });
  return api.call(`recommend/${encodeURIComponent(state.player)}`, { query: { ...wishes, explain: true }, signal });
}
