// The page of a player: what is chosen stands in the address; the list, the shelf and a game's view follow it.

import { createApi, isAborted, Problem, sentenceOf } from "../api.js";
import { announce, bdi, byId, el } from "../dom.js";
import { has, keepLanguageSwitch, parts, t } from "../words.js";
import { makeActions } from "./actions.js";
import { makeCards } from "./cards.js";
import { makeChoosing } from "./choosing.js";
import { makeControls } from "./controls.js";
import { list } from "./lists.js";
import { makeShelf } from "./shelves.js";
import { addressOfState, stateOf, WITHOUT_FILTERS } from "./state.js";
import { makeWrites } from "./writes.js";

const PAGE = 12;
const MOST = 100; // of the API
const LABELS = 30; // that a filter offers; an address may name others
const SOON = 2000; // milliseconds until a model may be there

const api = createApi("read-key");
const writes = makeWrites(api);
const cards = makeCards(byId("cards"));
const mayWrite = document.body.dataset.writes === "true";
const known = new Map(); // facts of games that were seen, by id

let invented = document.body.dataset.kind === "simulated";
let state = stateOf(new URLSearchParams(location.search), invented);
let games = [];
let answer = null; // the id of the last list
let asking = new AbortController();
let retry = 0;
let waited = false; // for a first model
let left = null; // the list that was shown before a game's view, to come back to

const current = () => state;
const know = (game) => known.set(game.game_id, game);
const hrefTo = (part) => addressOfState({ ...state, ...part });
const subject = () => JSON.stringify([state.mode, state.player, state.game, state.mode === "party" && state.party]);
const controls = makeControls(change);
const choosing = makeChoosing(api, { current, change, know });
const { actions, takeBack } = makeActions(writes, cards, { current, change, know, mayWrite, load, answer: () => answer });
const shelf = makeShelf(api, { current, change, known, mayWrite, href: (game) => hrefTo({ game: game.game_id }), takeBack });

/** Choose something else: the address says so, and all that is shown follows. */
function change(part, { replace = false } = {}) {
  const before = subject();
  state = { ...state, ...part };
  history[replace ? "replaceState" : "pushState"](null, "", hrefTo({}));
  show(before !== subject());
}

function show(anew) {
  keepLanguageSwitch();
  document.body.dataset.view = state.game ? "game" : state.mode;
  for (const link of document.querySelectorAll("[data-mode]")) {
    link.href = addressOfMode(link.dataset.mode);
    if (link.dataset.mode === state.mode && !state.game) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  choosing(state, invented);
  controls.show(state);
  byId("simulated").hidden = !invented;
  tellWhom();
  if (anew) {
    games = [];
    cards.clear();
    byId("game").replaceChildren();
    for (const id of ["warnings", "nothing", "more"]) byId(id).hidden = true;
    comeBack();
  }
  load(anew);
}

/** Show the list that a game's view was opened from as it was left, until it is asked for anew. */
function comeBack() {
  if (left?.address !== hrefTo({})) return;
  games = left.games;
  showCards();
  scrollTo(0, left.scroll);
}

const NOBODY = { game: null, player: "", games: [], exclude: [], party: [] };

function addressOfMode(mode) {
  const kept = { player: state.player, games: state.games, exclude: state.exclude, party: state.party };
  const chosen = { ...NOBODY, [mode === "visitor" ? "games" : mode]: kept[mode === "visitor" ? "games" : mode] };
  return addressOfState({ ...state, ...chosen, mode });
}

/** The headline: for whom the list is. */
function tellWhom() {
  const members = state.party.map((id) => bdi(id)).flatMap((one, place) => (place ? [", ", one] : [one]));
  const title = {
    player: state.player ? parts("player.for", { player: bdi(state.player) }) : [t("player.for.nobody")],
    visitor: [t(state.games.length ? "player.for.visitor" : "player.for.new_visitor")],
    party: state.party.length > 1 ? parts("player.for.party", { players: members }).flat() : [t("player.for.new_party")],
  }[state.mode];
  byId("title").replaceChildren(...title);
  byId("subtitle").textContent = t(`player.about.${state.mode}`);
  document.title = `${byId("title").textContent} · ${t("site.name")}`;
}

/** Ask for the list, and show it in the place of the one before; `n` is as many as are shown already. */
async function load(anew = false) {
  asking.abort();
  clearTimeout(retry);
  asking = new AbortController();
  const { signal } = asking;
  const section = byId("list");
  section.setAttribute("aria-busy", "true");
  byId("problem").hidden = true;
  shelf.load(anew, signal);
  if ((state.mode === "party" && state.party.length < 2) || (state.mode === "player" && !state.player)) {
    if (!state.game) return rest();
  }
  cards.wait();
  try {
    const n = Math.min(MOST, Math.max(PAGE, games.length));
    const [found, game, view] = await Promise.all([
      list(api, state, { n, offset: 0 }, signal),
      state.game && api.call(`games/${state.game}`, { signal }),
      state.game && import("./gameview.js"),
    ]);
    if (waited) return location.reload(); // the page was made before there was a model
    if (game) showView(game, view);
    take(found, n, found.games);
    announce([t("player.shown", { count: games.length }), byId("warnings").textContent].join(" "));
  } catch (error) {
    await fail(error, load);
  } finally {
    if (!signal.aborted) section.removeAttribute("aria-busy");
  }
}

/** There is nothing to ask for yet. */
function rest() {
  games = [];
  cards.clear();
  for (const id of ["more", "warnings", "nothing"]) byId(id).hidden = true;
  byId("list").removeAttribute("aria-busy");
}

function take(found, asked, all) {
  games = all;
  answer = found.answer;
  invented = found.kind === "simulated";
  byId("simulated").hidden = !invented;
  games.forEach((game) => known.has(game.game_id) || know(game));
  showCards();
  byId("more").hidden = found.games.length < asked;
  byId("more").disabled = false;
  byId("nothing").hidden = games.length > 0;
  const told = [...new Set(found.warnings.map(({ code }) => code))].filter((code) => games.length || code !== "fewer_than_asked");
  byId("warnings").replaceChildren(...told.map((code) => el("li", { text: warning(code) })));
  byId("warnings").hidden = !told.length;
}

function showCards() {
  const mode = state.game ? "similar" : state.mode;
  cards.show(games, { mode, href: (game) => hrefTo({ game: game.game_id }), actions: actions() });
}

function warning(code) {
  const own = `player.warning.${state.mode}.${code}`;
  return t(has(own) ? own : `player.warning.${code}`);
}

async function loadMore() {
  const { signal } = asking;
  const first = games.length;
  byId("more").disabled = true;
  try {
    const found = await list(api, state, { n: PAGE, offset: first }, signal);
    const seen = new Set(games.map((game) => game.game_id));
    take(found, PAGE, [...games, ...found.games.filter((game) => !seen.has(game.game_id))]);
    if (games.length > first) cards.focusAt(first);
    announce(t("player.shown", { count: games.length }));
  } catch (error) {
    byId("more").disabled = false;
    await fail(error, loadMore);
  }
}

/** Say what went wrong, or do what mends it: wait for a model, ask for a key. */
async function fail(error, again) {
  if (isAborted(error)) return;
  if (error instanceof Problem && error.status === 401) {
    const { askForKey } = await import("./keydialog.js");
    await askForKey(api, error.sentence);
    start();
    return;
  }
  cards.clear();
  games = [];
  byId("more").hidden = true;
  const training = error instanceof Problem && error.slug === "model-not-loaded";
  waited = training;
  byId("problem-text").textContent = training ? t("player.training") : sentenceOf(error);
  byId("problem").dataset.kind = training ? "training" : "error";
  byId("problem").hidden = false;
  byId("again").hidden = training;
  byId("again").onclick = () => again();
  if (training) retry = setTimeout(load, SOON);
}

function showView(game, view) {
  know(game);
  const fresh = byId("game").dataset.game !== String(game.game_id) || !byId("game").children.length;
  byId("game").dataset.game = game.game_id;
  view.showGame(game, actions(), hrefTo({ game: null }));
  document.title = `${game.name} · ${t("site.name")}`;
  if (fresh && moved) byId("game").querySelector("h1").focus({ preventScroll: true });
}

/** Links within the page change what is chosen, without loading it anew. */
let moved = false;
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-view], a[data-mode], a[data-list]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  moved = true;
  if (!state.game) left = { address: hrefTo({}), games, scroll: scrollY };
  if (link.dataset.view && state.mode === "player" && mayWrite && state.player) {
    // Who looks at a game has opened it; that this could not be counted is nothing to be told while looking.
    writes.put(state.player, Number(link.dataset.view), "open", answer).catch(() => {});
  }
  history.pushState(null, "", link.getAttribute("href"));
  scrollTo(0, 0);
  follow();
});

function follow() {
  const before = subject();
  state = stateOf(new URLSearchParams(location.search), invented);
  show(before !== subject());
}

history.scrollRestoration = "manual"; // what is shown then is not there yet when a browser scrolls
addEventListener("popstate", () => {
  moved = true;
  follow();
});
byId("more").addEventListener("click", loadMore);
for (const id of ["filters-clear", "nothing-clear"]) byId(id).addEventListener("click", () => change(WITHOUT_FILTERS));

/** What folds on a phone is always open where there is room. */
const wide = matchMedia("(min-width: 60rem)");
const unfold = () => document.querySelectorAll("details.folds").forEach((one) => (one.open = wide.matches));
wide.addEventListener("change", unfold);
unfold();

function start() {
  show(true);
  for (const [name, path] of [["genre", "genres"], ["platform", "platforms"]]) {
    api.call(path, { query: { n: LABELS } }).then(({ labels }) => controls.offer(name, labels), () => {}); // the list says what is wrong
  }
}

start();
