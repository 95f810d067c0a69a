// The JSON API: a call with the key that is kept for this tab, and problems as sentences.

import { has, t } from "./words.js";

export class Problem extends Error {
  constructor(status, slug, detail, retryAfter) {
    super(detail);
    this.status = status;
    this.slug = slug;
    this.retryAfter = retryAfter; // seconds
  }

  /** What to tell people. */
  get sentence() {
    return has(`problem.${this.slug}`) ? t(`problem.${this.slug}`) : t("problem.other", { detail: this.message });
  }
}

/** `sentence` of whatever was thrown. */
export const sentenceOf = (error) => (error instanceof Problem ? error.sentence : t("problem.bug", { detail: error.message }));

export const isAborted = (error) => error.name === "AbortError";

/** A caller of the API whose key lives in the session of this tab under `name`, and nowhere else. */
export function createApi(name) {
  const key = {
    get: () => sessionStorage.getItem(name),
    keep: (value) => sessionStorage.setItem(name, value),
    forget: () => sessionStorage.removeItem(name),
  };

  /** Ask, and return the answer as the server sends it; throws `Problem`, or the abort of `signal`. */
  async function fetched(path, { method = "GET", query = {}, body, signal } = {}) {
    const headers = { Accept: "application/json, text/event-stream, text/plain" };
    if (key.get()) headers["X-API-Key"] = key.get();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(addressOf(path, query), { method, headers, signal, body: JSON.stringify(body), cache: "no-store" });
    } catch (error) {
      if (isAborted(error)) throw error;
      throw new Problem(0, "unreachable", error.message, null);
    }
    if (!answer.ok) throw await problemOf(answer);
    return answer;
  }

  /** The answer as JSON; null where there is none. */
  async function call(path, options) {
    const answer = await fetched(path, options);
    return answer.status === 204 ? null : answer.json();
  }

  return { key, call, fetched };
}

/** The address of a route, beside the page; what is undefined or null is not asked, lists repeat the parameter. */
export function addressOf(path, query = {}) {
  const address = new URL(path.replace(/^\//, ""), new URL(".", location.href));
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== "") address.searchParams.append(name, one);
  }
  return address;
}

async function problemOf(answer) {
  let told = {};
  try {
    told = await answer.json();
  } catch {
    // Whatever stands between us and the service answers in its own words.
  }
  const slug = String(told.type ?? "").replace("urn:problem:", "") || `http-${answer.status}`;
  return new Problem(answer.status, slug, told.detail ?? answer.statusText, Number(answer.headers.get("Retry-After")) || null);
}
