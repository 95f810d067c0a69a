// Where reading needs a key: asking for it.

import { byId } from "../dom.js";

/** Ask for a key until there is one; the dialog cannot be left, as there is nothing to see without. */
export function askForKey(api, sentence) {
  const dialog = byId("key-dialog");
  const form = dialog.querySelector("form");
  byId("key-problem").textContent = api.key.get() ? sentence : "";
  api.key.forget();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      api.key.keep(form.elements.key.value.trim());
      form.reset();
      dialog.close();
      resolve();
    };
    dialog.oncancel = (event) => event.preventDefault();
    if (!dialog.open) dialog.showModal();
  });
}
