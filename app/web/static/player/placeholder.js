// A cover drawn from a game's name, where there is no picture: the same name always gives the same drawing.

import { svg } from "../dom.js";

const WIDTH = 320;
const HEIGHT = 180;

// Ground, two tones for the shapes, and the letters.
const INKS = [
  ["#123c45", "#1b5560", "#2f7a80", "#d9efe9"],
  ["#3a2147", "#553066", "#7d4a8c", "#f2e2f5"],
  ["#5a2a1b", "#7b3d26", "#ab5c37", "#fbe7d8"],
  ["#1f2f5c", "#2d447d", "#4867a8", "#e1e9fb"],
  ["#1f4429", "#2d5f3a", "#4a8757", "#e2f3e2"],
  ["#561d35", "#77294a", "#a3456a", "#fbe3ec"],
  ["#45380f", "#63521a", "#8f792e", "#f8f0d2"],
  ["#28303a", "#3a4552", "#5c6b7b", "#e8edf2"],
];

/** Draw it; it fills its box, whatever the box's shape. */
export function placeholder(name) {
  const chance = randomOf(name);
  const [ground, dark, light, letters] = pick(INKS, chance);
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "xMidYMid slice", class: "placeholder", "aria-hidden": "true" },
    svg("rect", { width: WIDTH, height: HEIGHT, fill: ground }),
    pick(DRAWINGS, chance)(chance, dark, light),
    svg("text", { x: 20, y: 158, fill: letters, "font-size": 60, "font-weight": 700, "letter-spacing": -2 }, initialsOf(name)),
  );
}

const DRAWINGS = [rings, bands, hills, dots, tiles, peaks];

function rings(chance, dark, light) {
  const [x, y] = [WIDTH * (0.55 + 0.4 * chance()), HEIGHT * 0.9 * chance()];
  return [170, 136, 102, 68, 34].map((radius, place) =>
    svg("circle", { cx: x, cy: y, r: radius, fill: place % 2 ? light : dark, opacity: place === 4 ? 1 : 0.75 }),
  );
}

function bands(chance, dark, light) {
  const turn = `rotate(${chance() < 0.5 ? 32 : -32} ${WIDTH / 2} ${HEIGHT / 2})`;
  let x = -60;
  const drawn = [];
  while (x < WIDTH + 60) {
    const width = 14 + 46 * chance();
    drawn.push(svg("rect", { x, y: -140, width, height: 460, fill: chance() < 0.3 ? light : dark, opacity: 0.4 + 0.6 * chance() }));
    x += width + 12 + 34 * chance();
  }
  return svg("g", { transform: turn }, drawn);
}

function hills(chance, dark, light) {
  const sun = svg("circle", { cx: 60 + 220 * chance(), cy: 45 + 25 * chance(), r: 24 + 14 * chance(), fill: light });
  const ridges = [70, 102, 134].map((top, place) => {
    const [first, second] = [top - 45 * chance(), top + 35 * chance()];
    const path = `M0 ${top} C 90 ${first}, 190 ${second}, ${WIDTH} ${top - 18 * chance()} V ${HEIGHT} H 0 Z`;
    return svg("path", { d: path, fill: dark, opacity: 0.45 + 0.25 * place });
  });
  return [sun, ridges];
}

function dots(chance, dark, light) {
  const [x, y] = [WIDTH * (0.6 + 0.4 * chance()), HEIGHT * 0.7 * chance()]; // away from the letters
  const drawn = [];
  for (let row = 0; row < 8; row += 1) {
    for (let column = 0; column < 13; column += 1) {
      const [cx, cy] = [column * 26 + (row % 2 ? 13 : 0), row * 26 + 2];
      const radius = Math.max(2, 12 - Math.hypot(cx - x, cy - y) / 17);
      drawn.push(svg("circle", { cx, cy, r: radius.toFixed(1), fill: radius > 8 ? light : dark }));
    }
  }
  return drawn;
}

function tiles(chance, dark, light) {
  const side = 60;
  const drawn = [];
  for (let x = 0; x < WIDTH; x += side) {
    for (let y = 0; y < HEIGHT; y += side) {
      const turn = `rotate(${90 * Math.floor(4 * chance())} ${x + side / 2} ${y + side / 2})`;
      const path = `M${x} ${y} H${x + side} A${side} ${side} 0 0 1 ${x} ${y + side} Z`;
      drawn.push(svg("path", { d: path, transform: turn, fill: chance() < 0.22 ? light : dark, opacity: chance() < 0.25 ? 0.3 : 0.9 }));
    }
  }
  return drawn;
}

function peaks(chance, dark, light) {
  const drawn = [];
  for (let place = 0; place < 6; place += 1) {
    const [x, height, half] = [-20 + 66 * place + 20 * chance(), 60 + 95 * chance(), 55 + 35 * chance()];
    drawn.push(svg("path", { d: `M${x - half} ${HEIGHT} L${x} ${HEIGHT - height} L${x + half} ${HEIGHT} Z`, fill: dark, opacity: 0.85 }));
    drawn.push(svg("path", { d: `M${x} ${HEIGHT - height} L${x + half} ${HEIGHT} H${x} Z`, fill: light, opacity: 0.55 }));
  }
  return drawn;
}

/** The first letters of the first two words, as people see letters. */
function initialsOf(name) {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [...new Intl.Segmenter().segment(name.trim())].slice(0, 1).map((one) => one.segment);
  return words.slice(0, 2).map((word) => String.fromCodePoint(word.codePointAt(0)).toUpperCase()).join("") || "?";
}

const pick = (list, chance) => list[Math.floor(chance() * list.length)];

/** A row of numbers from 0 to 1 that a name decides (FNV-1a, then mulberry32). */
function randomOf(name) {
  let seed = 2166136261;
  for (const letter of name) seed = Math.imul(seed ^ letter.codePointAt(0), 16777619);
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
