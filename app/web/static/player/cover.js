// A cover: a box of a fixed shape with a drawing, over which the picture is laid once it is there.

import { el } from "../dom.js";
import { placeholder } from "./placeholder.js";

const MEDIA = "https://media.rawg.io/media/";

/** Show a game's picture: RAWG's smaller one, else the whole one, else the drawing stays. */
export function cover(game, { eager = false } = {}) {
  const box = el("div", { class: "cover" }, placeholder(game.name));
  const addresses = addressesOf(game.background_image);
  if (!addresses.length) return box;
  const picture = el("img", { alt: "", referrerpolicy: "no-referrer", decoding: "async", loading: eager ? "eager" : "lazy" });
  picture.addEventListener("load", () => picture.classList.add("there"));
  picture.addEventListener("error", () => {
    if (addresses.length) picture.src = addresses.shift();
    else picture.remove();
  });
  picture.src = addresses.shift();
  box.append(picture);
  return box;
}

function addressesOf(address) {
  if (!address?.startsWith("https://")) return [];
  const smaller = address.replace(/^https:\/\/media\.rawg\.io\/media\/(?!crop\/|resize\/)/, `${MEDIA}crop/600/400/`);
  return [...new Set([smaller, address])];
}
