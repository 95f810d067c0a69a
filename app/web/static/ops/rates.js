// What happened between two readings of the metrics.

// What this page, health checks and Prometheus ask for is not the traffic that anybody wants to see.
const OWN = /^\/(metrics|health|ops|static|models|retrain|collection)\b/;

const isTraffic = ({ route }) => !OWN.test(route ?? "");
const isFailure = (labels) => isTraffic(labels) && (labels.status ?? "").startsWith("5");
const isFallback = ({ source }) => source === "popularity"; // of players of whom something is known

/**
 * Requests a second, latencies (seconds), and shares (0 to 1) of fallbacks and failures, between two `Reading`s; what
 * cannot be told, because nothing was asked, is null.
 */
export function ratesBetween(before, after) {
  const grown = (name, wanted) => increase(before.sum(name, wanted), after.sum(name, wanted));
  const requests = grown("requests_total", isTraffic);
  const answers = grown("answers_total");
  const buckets = increases(before.buckets("request_seconds", isTraffic), after.buckets("request_seconds", isTraffic));
  const passed = after.at - before.at;
  return {
    at: after.at,
    requests: requests === null || passed <= 0 ? null : requests / passed,
    p50: quantile(buckets, 0.5),
    p99: quantile(buckets, 0.99),
    answers,
    fallback: share(grown("answers_total", isFallback), answers),
    errors: share(grown("requests_total", isFailure), requests),
  };
}

/** How much a counter has grown; one that is less than before has begun anew. */
const increase = (before, after) => (after === null ? null : after >= (before ?? 0) ? after - (before ?? 0) : after);

const increases = (before, after) => new Map([...after].map(([bound, count]) => [bound, increase(before.get(bound) ?? 0, count)]));

const share = (part, whole) => (part === null || !whole ? null : part / whole);

/** A quantile of a histogram (bound -> cumulative count), linear within a bucket, as Prometheus has it. */
export function quantile(buckets, q) {
  const total = [...buckets.values()].at(-1) ?? 0;
  if (!total) return null;
  let [low, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= q * total) return bound === Infinity ? low : low + ((bound - low) * (q * total - below)) / (count - below || 1);
    [low, below] = [bound, count];
  }
  return low;
}
