// How much is asked, how fast that is answered, and what of.

import { el } from "../dom.js";
import { t } from "../words.js";
import { sparkline } from "./charts.js";
import { clock, latency, or, rate, share } from "./format.js";
import { card, disclosure, muted, redraw, table } from "./panel.js";

const LISTED = 24; // two minutes

// Each tile: its words, how its values are written, and the colours of its lines; the first value is the large one.
const TILES = [
  { name: "requests", values: ["requests"], write: rate, colours: ["--accent"], most: 1 },
  { name: "latency", values: ["p99", "p50"], write: latency, colours: ["--accent", "--line-strong"], most: 0.005 },
  { name: "fallback", values: ["fallback"], write: share, colours: ["--accent"], most: 0.1 },
  { name: "errors", values: ["errors"], write: share, colours: ["--bad"], most: 0.01 },
];

/** The traffic of the last minutes; `stop` lets the charts go. */
export function createTraffic() {
  const { element, body } = card("traffic", t("ops.traffic"));
  const tiles = TILES.map(createTile);
  const list = el("div", {});
  body.append(muted(t("ops.traffic.window")), el("div", { class: "ops-tiles" }, tiles.map((tile) => tile.element)), disclosure(t("ops.traffic.table"), list));
  const update = ({ rates, minute, awaySince }) => {
    if (!minute || awaySince) return;
    for (const tile of tiles) tile.update(rates, minute);
    redraw(list, listed(rates));
  };
  return { element, update, stop: () => tiles.forEach((tile) => tile.stop()) };
}

function createTile({ name, values, write, colours, most }) {
  const large = el("p", { class: "ops-figure number", text: "–" });
  const small = el("p", { class: "small muted number" });
  const line = sparkline(t("ops.chart.label", { title: t(`ops.traffic.${name}`) }), colours, most);
  const element = el("div", { class: "ops-tile" }, el("h3", { text: t(`ops.traffic.${name}`) }), large, small, line.element);
  return {
    element,
    stop: line.stop,
    update(rates, minute) {
      large.textContent = or(minute[values[0]], write);
      small.textContent = values[1] ? t("ops.traffic.median", { value: or(minute[values[1]], write) }) : t(`ops.traffic.${name}.hint`);
      line.set([rates.map(({ time }) => time), ...values.map((value) => rates.map((one) => one[value]))]);
    },
  };
}

function listed(rates) {
  const columns = ["time", "requests", "p50", "p99", "fallback", "errors"].map((name) => ({ title: t(`ops.traffic.column.${name}`), class: name === "time" ? "" : "number" }));
  const rows = rates.slice(-LISTED).reverse();
  return table(
    t("ops.traffic"),
    columns,
    rows.map((one) => [clock(one.time * 1000), or(one.requests, rate), or(one.p50, latency), or(one.p99, latency), or(one.fallback, share), or(one.errors, share)]),
  );
}
