// What is chosen on the page, as the address has it: `?player=12&genre=RPG`, `?games=4200,13536`, `?party=12,13`,
// and `&game=4200` for one game's own view.

export const SOMEBODY = "12"; // whom the page opens with while players are invented
export const MOST_MEMBERS = 8;
const MOST_GAMES = 100;

const FILTERS = { genre: text, platform: text, from: year, to: year, rating: upTo(5), metacritic: upTo(100) };
const NOTHING = { player: "", games: [], exclude: [], party: [], game: null };

/** Read a query; without a player, games, party or game it is `SOMEBODY` while players are invented, else a visitor. */
export function stateOf(query, invented) {
  const state = { ...NOTHING, mode: "", ...filtersOf(query) };
  state.game = gameIds(query.get("game"))[0] ?? null;
  if (query.has("player")) Object.assign(state, { mode: "player", player: (query.get("player") ?? "").slice(0, 128) });
  else if (query.has("party")) Object.assign(state, { mode: "party", party: membersOf(query.getAll("party")) });
  else if (query.has("games")) Object.assign(state, { mode: "visitor", games: gameIds(query.get("games")) });
  if (!state.mode) state.mode = invented && !state.game ? "player" : "visitor";
  if (state.mode === "player" && !state.player && invented) state.player = SOMEBODY;
  if (state.mode === "visitor") state.exclude = gameIds(query.get("exclude"));
  return state;
}

/** Write it as an address beside the page. */
export function addressOfState(state) {
  const query = new URLSearchParams();
  if (state.mode === "player") query.set("player", state.player);
  // A comma in a player's name would be two members: such a party has the parameter once for each.
  if (state.mode === "party") {
    const plain = !state.party.some((member) => member.includes(","));
    for (const member of plain ? [state.party.join(",")] : [...state.party, ""]) query.append("party", member);
  }
  if (state.mode === "visitor" && (state.games.length || !state.game)) query.set("games", state.games.join(","));
  if (state.exclude.length) query.set("exclude", state.exclude.join(","));
  for (const name of Object.keys(FILTERS)) if (state[name]) query.set(name, state[name]);
  if (state.diversity) query.set("diversity", state.diversity);
  if (state.game) query.set("game", state.game);
  return `?${query.toString().replaceAll("%2C", ",")}`;
}

/** What the API calls the filters. */
export function asked(state) {
  return {
    genre: state.genre ? [state.genre] : undefined,
    platform: state.platform ? [state.platform] : undefined,
    released_after: state.from ? `${state.from}-01-01` : undefined,
    released_before: state.to ? `${state.to}-12-31` : undefined,
    min_rating: state.rating || undefined,
    min_metacritic: state.metacritic || undefined,
    diversity: state.diversity || undefined,
  };
}

export const filtersSet = (state) => Object.keys(FILTERS).filter((name) => state[name]).length + (state.diversity ? 1 : 0);

export const WITHOUT_FILTERS = { ...Object.fromEntries(Object.keys(FILTERS).map((name) => [name, ""])), diversity: 0 };

function filtersOf(query) {
  const read = Object.entries(FILTERS).map(([name, parse]) => [name, parse(query.get(name) ?? "")]);
  return { ...Object.fromEntries(read), diversity: upTo(1)(query.get("diversity") ?? "") || 0 };
}

function membersOf(values) {
  const members = values.length > 1 ? values : values[0].split(",");
  return [...new Set(members.map((member) => member.trim()).filter(Boolean))].slice(0, MOST_MEMBERS);
}

function gameIds(value) {
  const ids = (value ?? "").split(",").map(Number).filter((id) => Number.isSafeInteger(id) && id > 0);
  return [...new Set(ids)].slice(0, MOST_GAMES);
}

function text(value) {
  return value.slice(0, 100);
}

function year(value) {
  return /^[12]\d{3}$/.test(value) ? Number(value) : "";
}

function upTo(most) {
  return (value) => (Number(value) > 0 && Number(value) <= most ? Number(value) : "");
}
