"""What the operator's page reads, as the modules that read it understand it."""

from typing import Any

import pytest

from tests.web.conftest import OpenPage

pytestmark = pytest.mark.untraced


def test_what_metrics_and_events_say_is_read_as_it_is_written(open_page: OpenPage):
    page = open_page("/ops")
    assert page.evaluate(
        """async () => {
          const modules = document.querySelector("script[type=module]").src;
          const { parse, Reading } = await import(new URL("metrics.js", modules));
          const { quantile, ratesBetween } = await import(new URL("rates.js", modules));
          const { eventsOf } = await import(new URL("events.js", modules));
          const at = (answers, time) => new Reading(
            `game_recommender_answers_total{source="popularity"} ${answers}\\n` +
            `game_recommender_answers_total{source="collaborative"} ${3 * answers}`, time);
          const asked = (times, failed, time) => new Reading([
            `game_recommender_requests_total{route="/recommend/{user_id}",method="GET",status="200"} ${times - failed}`,
            `game_recommender_requests_total{route="/recommend/{user_id}",method="GET",status="503"} ${failed}`,
            `game_recommender_requests_total{route="/metrics",method="GET",status="200"} ${100 * times}`,
            `game_recommender_request_seconds_bucket{route="/recommend/{user_id}",le="0.01"} ${times}`,
            `game_recommender_request_seconds_bucket{route="/recommend/{user_id}",le="+Inf"} ${times}`,
            `game_recommender_request_seconds_bucket{route="/metrics",le="+Inf"} ${100 * times}`].join("\\n"), time);
          const { requests, p99, errors } = ratesBetween(asked(10, 0, 0), asked(30, 5, 5));
          const events = [];
          const text = ": beat\\n\\nevent: run\\ndata: {\\"a\\":\\ndata: 1}\\n\\nevent: lost\\ndata: x";
          for await (const event of eventsOf(new Blob([text]).stream())) events.push(event);
          return {
            samples: parse('# HELP a b\\na{x="1\\\\"2",y="\\\\n"} +Inf\\nb 2e-3\\n\\nno sample'),
            infinite: parse("a +Inf")[0].value === Infinity,
            median: quantile(new Map([[1, 0], [2, 10], [Infinity, 10]]), 0.5),
            beyond: quantile(new Map([[1, 0], [Infinity, 10]]), 0.99),
            nothing: quantile(new Map(), 0.5),
            fallback: ratesBetween(at(5, 0), at(10, 5)).fallback,
            afresh: ratesBetween(at(50, 0), at(10, 5)).answers,
            unknown: ratesBetween(at(5, 0), at(5, 5)).requests,
            traffic: [requests, p99, errors],
            events,
          };
        }"""
    ) == {
        "samples": [{"name": "a", "labels": {"x": '1"2', "y": "\n"}, "value": float("inf")}, _sample("b", 0.002)],
        "infinite": True,
        "median": 1.5,
        "beyond": 1,
        "nothing": None,
        "fallback": 0.25,
        "afresh": 40,
        "unknown": None,
        "traffic": [4, pytest.approx(0.0099), 0.25],
        "events": [{"event": "run", "data": '{"a":\n1}'}],
    }


def _sample(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "labels": {}, "value": value}
