// The page's words, and numbers and dates as its language writes them.

const words = JSON.parse(document.getElementById("words").textContent);

export const language = document.documentElement.lang;

export const has = (key) => Object.hasOwn(words, key);

/** The text of a key, with `{name}` replaced by `values.name`. */
export function t(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Likewise where values are nodes: a list for `append`, so that names stay nodes of their own. */
export function parts(key, values) {
  return t(key, new Proxy({}, { get: (_, name) => `\u0000${name}\u0000` }))
    .split("\u0000")
    .map((part, place) => (place % 2 ? values[part] : part));
}

export const number = (value, options = {}) => new Intl.NumberFormat(language, options).format(value);

export const percent = (fraction, digits = 0) =>
  number(fraction, { style: "percent", maximumFractionDigits: digits });

export const dateTime = (value, options = { dateStyle: "medium", timeStyle: "short" }) =>
  new Intl.DateTimeFormat(language, options).format(new Date(value));

/** Let the language switch lead to what the page shows now. */
export function keepLanguageSwitch() {
  for (const link of document.querySelectorAll("[data-language]")) {
    const query = new URLSearchParams(location.search);
    query.set("lang", link.dataset.language);
    link.search = query;
  }
}
