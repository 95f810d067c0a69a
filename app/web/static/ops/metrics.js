// What `/metrics` tells: Prometheus' text as samples, and sums over them.

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+([+-]?(?:\d|Inf|NaN)\S*)/;
const LABEL = /([a-zA-Z_]\w*)="((?:\\.|[^"\\])*)"/g;
const PREFIX = "game_recommender_";

const everything = () => true;

/** The samples of a text, each {name, labels, value}, without comments and what is no sample. */
export function parse(text) {
  return text.split("\n").flatMap((line) => {
    const found = line.startsWith("#") ? null : SAMPLE.exec(line);
    return found ? [{ name: found[1], labels: labelsOf(found[2] ?? ""), value: valueOf(found[3]) }] : [];
  });
}

const labelsOf = (text) => Object.fromEntries([...text.matchAll(LABEL)].map(([, name, value]) => [name, unescaped(value)]));

const unescaped = (value) => value.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));

const valueOf = (text) => (text.endsWith("Inf") ? Infinity * (text.startsWith("-") ? -1 : 1) : Number(text));

/** All metrics at one time; `at` is in seconds. Names are given without the service's prefix. */
export class Reading {
  constructor(text, at) {
    this.at = at;
    this.byName = Map.groupBy(parse(text), (sample) => sample.name);
  }

  samples(name) {
    return this.byName.get(PREFIX + name) ?? [];
  }

  /** The sum of the samples whose labels are wanted; null where there is none of that name. */
  sum(name, wanted = everything) {
    const found = this.samples(name);
    return found.length ? found.reduce((sum, { labels, value }) => (wanted(labels) ? sum + value : sum), 0) : null;
  }

  /** The cumulative counts of a histogram by upper bound (seconds), over all wanted labels, in their order. */
  buckets(name, wanted = everything) {
    const counts = new Map();
    for (const { labels, value } of this.samples(`${name}_bucket`)) {
      const bound = valueOf(labels.le);
      if (wanted(labels)) counts.set(bound, (counts.get(bound) ?? 0) + value);
    }
    return new Map([...counts].sort(([one], [other]) => one - other));
  }

  /** Process id and version of every worker. */
  workers() {
    return this.samples("model_created_timestamp_seconds")
      .map(({ labels }) => ({ worker: labels.pid, version: labels.version }))
      .sort((one, other) => Number(one.worker) - Number(other.worker));
  }
}
