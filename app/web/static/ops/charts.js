// Charts: uPlot in the page's colours, as wide as its place; what a canvas shows is always in a table too.

import { el } from "../dom.js";
import { metric, shortDate } from "./format.js";

const FONT = "12px system-ui, sans-serif";
const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (name) => () => colourOf(name);

const dark = matchMedia("(prefers-color-scheme: dark)");

/** A chart in an element of its own; `label` is what is said of it. Returns {element, set(data), stop()}. */
function chart(label, height, options) {
  const element = el("div", { class: "ops-chart", role: "img", "aria-label": label, style: { "--height": `${height}px` } });
  let plot = null;
  let data = null;
  const place = new ResizeObserver(() => {
    if (!element.clientWidth || !data) return;
    if (plot) plot.setSize({ width: element.clientWidth, height });
    else plot = new window.uPlot({ width: element.clientWidth, height, legend: { show: false }, ...options }, data, element);
  });
  const redraw = () => plot?.redraw(false);
  dark.addEventListener("change", redraw);
  place.observe(element);
  return {
    element,
    set(found) {
      data = found;
      if (plot) plot.setData(data);
      else if (element.clientWidth) plot = new window.uPlot({ width: element.clientWidth, height, legend: { show: false }, ...options }, data, element);
    },
    stop() {
      place.disconnect();
      dark.removeEventListener("change", redraw);
      plot?.destroy();
    },
  };
}

/** Lines over the last minutes, without axes but from 0 on; `colours` are CSS variables, `most` what the axis reaches at least. */
export function sparkline(label, colours, most) {
  return chart(label, 56, {
    padding: [4, 0, 2, 0],
    cursor: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, most) * 1.05] } },
    series: [{}, ...colours.map((name, place) => ({ stroke: colour(name), width: place ? 1.25 : 2, spanGaps: true, points: { show: false } }))],
  });
}

const axis = (options) => ({
  stroke: colour("--muted"),
  font: FONT,
  grid: { stroke: colour("--line"), width: 1 },
  ticks: { show: false },
  ...options,
});

/**
 * One metric over versions: a line with its 95 % intervals. `marks()` tells how each is marked: "live", "rejected",
 * "kept-back" or "". `pointed(place)` is told what the pointer is at, or null.
 */
export function history(label, versions, pointed) {
  const dates = (u, places) => places.map((place) => (Number.isInteger(place) && versions()[place] ? shortDate(versions()[place].created_at) : ""));
  return chart(label, 240, {
    padding: [12, 16, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: false, range: (_, low, high) => [low - 0.5, high + 0.5] }, y: { range: spread } },
    axes: [axis({ values: dates, incrs: [1, 2, 5, 10, 20], space: 160, size: 32 }), axis({ values: (_, values) => values.map(metric), size: 56 })],
    series: [{}, { stroke: colour("--accent"), width: 1.5, points: { show: false } }, { show: true, stroke: null, points: { show: false } }, { stroke: null, points: { show: false } }],
    hooks: { draw: [(u) => drawIntervals(u, versions())], setCursor: [(u) => pointed(u.cursor.idx ?? null)] },
  });
}

const spread = (_, low, high) => {
  const margin = Math.max((high - low) * 0.12, 0.005);
  return [Math.max(low - margin, 0), high + margin];
};

function drawIntervals(u, versions) {
  const pixel = window.devicePixelRatio;
  u.ctx.save();
  versions.forEach(({ mark, estimate }, place) => {
    const x = Math.round(u.valToPos(place, "x", true));
    const [y, low, high] = [estimate.value, estimate.low, estimate.high].map((value) => Math.round(u.valToPos(value, "y", true)));
    drawWhisker(u.ctx, { x, low, high, pixel });
    drawMark(u.ctx, { x, y, mark, pixel });
  });
  u.ctx.restore();
}

function drawWhisker(context, { x, low, high, pixel }) {
  context.strokeStyle = colourOf("--line-strong");
  context.lineWidth = pixel;
  context.beginPath();
  context.moveTo(x, low);
  context.lineTo(x, high);
  for (const y of [low, high]) {
    context.moveTo(x - 4 * pixel, y);
    context.lineTo(x + 4 * pixel, y);
  }
  context.stroke();
}

/** The live one is full and ringed, one that was taken back a cross, one that the gate kept back hollow. */
function drawMark(context, { x, y, mark, pixel }) {
  const size = (mark === "live" ? 6 : 4) * pixel;
  context.lineWidth = 2 * pixel;
  context.strokeStyle = colourOf(mark === "rejected" ? "--bad" : "--accent");
  context.fillStyle = colourOf(mark === "kept-back" ? "--surface" : "--accent");
  context.beginPath();
  if (mark === "rejected") {
    for (const slope of [1, -1]) {
      context.moveTo(x - size, y - slope * size);
      context.lineTo(x + size, y + slope * size);
    }
  } else {
    context.arc(x, y, size, 0, 2 * Math.PI);
    context.fill();
  }
  context.stroke();
  if (mark !== "live") return;
  context.beginPath();
  context.arc(x, y, size + 4 * pixel, 0, 2 * Math.PI);
  context.stroke();
}
