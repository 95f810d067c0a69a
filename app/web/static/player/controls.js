// The filters and the diversity of a list.

import { byId, el } from "../dom.js";
import { number, percent, t } from "../words.js";
import { filtersSet } from "./state.js";

const PAUSE = 120; // milliseconds of no sliding
const FIELDS = ["genre", "platform", "from", "to", "rating", "metacritic"];

/** Let the form `filters` change the state by `change(part, {replace})`. */
export function makeControls(change) {
  const form = byId("filters");
  const slider = form.elements.diversity;
  let timer = 0;
  let sliding = false;

  for (const name of FIELDS) {
    form.elements[name].addEventListener("change", ({ target }) => {
      if (target.reportValidity()) change({ [name]: target.type === "number" ? Number(target.value) || "" : target.value });
    });
  }
  slider.addEventListener("input", () => {
    tellDiversity();
    clearTimeout(timer);
    timer = setTimeout(slide, PAUSE);
  });
  slider.addEventListener("change", () => {
    clearTimeout(timer);
    slide();
    sliding = false;
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  /** One way of the slider is one step of the browser's history. */
  function slide() {
    change({ diversity: Number(slider.value) }, { replace: sliding });
    sliding = true;
  }

  function tellDiversity() {
    const told = Number(slider.value) ? percent(Number(slider.value)) : t("player.diversity.none");
    byId("diversity-value").textContent = told;
    slider.setAttribute("aria-valuetext", told);
  }

  return {
    show(state) {
      for (const name of FIELDS) {
        const field = form.elements[name];
        if (field.tagName === "SELECT") offer(field, String(state[name]));
        field.value = state[name];
      }
      if (!sliding) slider.value = state.diversity;
      tellDiversity();
      const count = filtersSet(state);
      byId("filters-count").textContent = count ? number(count) : "";
      byId("filters-clear").hidden = !count;
    },
    /** Offer the genres or platforms that there are, those of most games first. */
    offer(name, labels) {
      const field = form.elements[name];
      for (const label of labels) if (!has(field, label.name)) field.append(option(label.name));
    },
  };
}

/** An address may ask for what the field does not offer. */
function offer(field, value) {
  if (!has(field, value)) field.append(option(value));
}

const has = (field, value) => [...field.options].some((one) => one.value === value);
const option = (value) => el("option", { value, text: value });
