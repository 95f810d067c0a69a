// The run that goes on, followed by server-sent events.

import { isAborted, sentenceOf } from "../api.js";
import { announce, el } from "../dom.js";
import { t } from "../words.js";
import { eventsOf } from "./events.js";
import { duration } from "./format.js";
import { redraw } from "./panel.js";
import { logOf, optionsOf, progressOf, stateBadge, stepProgress, tookOf } from "./run_parts.js";

/**
 * A panel {element, update, stop}: while a run goes on or waits it shows how far that is. `cancel` is called with the
 * run that is to stop, `ended` when one has ended.
 */
export function createWatch(api, cancel, ended) {
  const element = el("div", { class: "ops-watch", hidden: true });
  let followed = null;
  let said = null;

  function draw(run) {
    const now = run.state === "running" ? t(`ops.step.${run.step ?? "collect"}`) : t(`ops.state.${run.state}`);
    if (now !== said) announce(t("ops.run.is-at", { step: now }));
    said = now;
    element.hidden = false;
    redraw(
      element,
      el(
        "div",
        { class: "ops-head" },
        el("div", { class: "row" }, el("h3", { text: t("ops.run.live") }), stateBadge(run), el("span", { class: "small muted number", text: duration(tookOf(run)) })),
        run.cancel_at
          ? el("span", { class: "small muted", text: t("ops.cancel.asked") })
          : el("button", { type: "button", class: "button small danger", "data-key": "cancel", text: t("ops.cancel"), onclick: () => cancel(run) }),
      ),
      el("p", { class: "small muted" }, `${t(`ops.trigger.${run.trigger}`)} · ${optionsOf(run)} · `, el("code", { class: "mono", text: run.run_id })),
      progressOf(run),
      stepProgress(run),
      run.log_tail === undefined ? null : logOf(run.log_tail),
    );
  }

  async function watch(runId, signal) {
    let run = null;
    try {
      const answer = await api.fetched(`retrain/${encodeURIComponent(runId)}/events`, { signal });
      for await (const { event, data } of eventsOf(answer.body)) {
        if (event !== "run") continue;
        run = JSON.parse(data);
        draw(run);
      }
    } catch (error) {
      // The list of runs is read all the while: it opens the stream again, or says what is wrong.
      if (isAborted(error) || signal.aborted) return;
      element.append(el("p", { class: "small muted", text: sentenceOf(error) }));
    }
    followed = null;
    if (run?.ended_at) leave(run);
  }

  function leave(run) {
    element.hidden = true;
    said = null;
    ended(run); // which says so
  }

  return {
    element,
    update({ runs, awaySince }) {
      const going = runs?.runs.filter((run) => !run.ended_at).at(-1); // the oldest goes first
      if (!going && !followed) element.hidden = true;
      if (!going || followed || awaySince) return;
      if (element.hidden) draw(going);
      followed = new AbortController();
      watch(going.run_id, followed.signal);
    },
    stop: () => followed?.abort(),
  };
}
