// A search field with suggestions, as WAI-ARIA describes a combobox with a list.

import { el } from "../dom.js";
import { isAborted } from "../api.js";

const PAUSE = 50; // milliseconds of no typing: with the answer well below a tenth of a second

/**
 * Let `input` suggest into `list`. `find(text, signal)` gives what is found, `show(found)` the content of one
 * suggestion, `choose(found)` takes it; `tell(count)` says how many there are, `fail(error)` what went wrong.
 */
export function combobox(input, list, { find, show, choose, tell, fail }) {
  let options = [];
  let active = -1;
  let timer = 0;
  let asking = new AbortController();

  function close() {
    clearTimeout(timer);
    asking.abort();
    options = [];
    offer([]);
  }

  function offer(found) {
    options = found;
    list.replaceChildren(
      ...found.map((one, place) =>
        el("li", { role: "option", id: `${list.id}-${place}`, "aria-selected": "false", data: { place } }, show(one)),
      ),
    );
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    move(-1);
  }

  function move(to) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = to;
    const option = list.children[active];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(place) {
    const chosen = options[place];
    input.value = "";
    close();
    choose(chosen);
    input.focus();
  }

  async function search() {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const found = await find(input.value.trim(), signal);
      offer(found);
      tell(found.length);
    } catch (error) {
      if (!isAborted(error)) fail(error);
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim()) timer = setTimeout(search, PAUSE);
    else close();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // an input method, as for Korean, takes these keys itself
    const last = options.length - 1;
    const acts = {
      ArrowDown: () => move(active === last ? 0 : active + 1),
      ArrowUp: () => move(active <= 0 ? last : active - 1),
      Enter: () => take(Math.max(active, 0)),
      Escape: close,
    };
    if (!options.length || !acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  });
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(Number(option.dataset.place));
  });
}
