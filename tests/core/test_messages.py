"""What a message says, in both languages, within Slack's limits whatever a run brings."""

import string
from dataclasses import replace
from typing import Any

import pytest

from app.core.messages.blocks import Message
from app.core.messages.run import of_run, outcome_of
from app.core.messages.service import of_quota, of_rollback
from app.core.messages.texts import ENGLISH, KOREAN
from app.core.messages.words import Words
from app.core.run import Run, RunOptions, State
from app.core.settings import Settings
from tests.fakes.slack import as_text, problems
from tests.runs import AFTER, BEFORE, FAILED, RESULT, SUCCEEDED

WORDS = Words("en", "Asia/Seoul", "https://games.example.com/api")
KOREAN_WORDS = replace(WORDS, language="ko")
SERVING = "Serving now: " + BEFORE


def body(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": message.blocks}


def told(run: Run, words: Words = WORDS) -> str:
    """What a run's message reads like."""
    sent = body(of_run(run, SERVING, words))
    assert problems(sent) == []
    return as_text(sent)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_gaps():
    assert ENGLISH.keys() == KOREAN.keys()
    assert {key: fields(text) for key, text in ENGLISH.items()} == {key: fields(text) for key, text in KOREAN.items()}


def test_the_settings_say_how_to_speak():
    spoken = Words.of(Settings(notify_language="ko", retrain_timezone="Asia/Seoul", public_url="https://games.example"))

    assert spoken == Words("ko", "Asia/Seoul", "https://games.example")


def test_a_run_that_was_promoted():
    assert told(SUCCEEDED).splitlines() == [
        ":white_check_mark: A new model is live",
        f"*{AFTER}* went live in place of {BEFORE}.",
        f"> It is no worse than {BEFORE}: ndcg@10 0.2140 against 0.2101, for 4812 players.",
        *("*Started by*", "the schedule"),
        *("*Took*", "12 min 24 s"),
        *("*Games*", "10,240 (+40)"),
        *("*Players*", "5,120 (+20), observed"),
        *("*Plays*", "401,233 (+2,233)"),
        *("*Catalogue*", "RAWG"),
        *("*Valid rows*", "10,240 of 10,251"),
        *("*RAWG requests left*", "18,420 of 20,000"),
        ":warning: *Drift*: metacritic (PSI 0.31)",
        ":warning: 11 rows were left out: no name.",
        "*Metrics* (change in brackets, then the 95 % interval)",
        "• ndcg@10 0.2140 (+0.0039), 0.2090 to 0.2191",
        "• recall@20 0.3310, 0.3244 to 0.3377",
        "• popularity alone: ndcg@10 0.1010 (-0.0002), 0.0972 to 0.1049",
        "• games nobody has played: recall@20 0.0800 (+0.0010), 0.0741 to 0.0862; by chance 0.0212",
        "*Gate*",
        "• against the model before: ndcg@10 +0.0039, -0.0004 to +0.0082",
        "• against popularity: ndcg@10 +0.1130, +0.1071 to +0.1189",
        "*What changed*",
        "• 52 new games: Hollow Knight: Silksong, &gt;observer\u200b_\u200b, Ratchet &amp; Clank, and 49 more",
        "• 12 games gone",
        "• 731 games changed: Hades II, and 730 more",
        "• shown more: Hades II (120 → 512)",
        "• shown less: Portal 2 (1,900 → 1,210)",
        "*Steps*: collect 10 min 2 s · validate 3.2 s · train 1 min 38 s · evaluate 38 s · publish 2.0 s",
        "20261126T040000-a1b2c3",
        "<!date^1795695145^{date_num} {time}|2026-11-26 21:12 KST>",
        "<https://games.example.com/api/retrain/20261126T040000-a1b2c3|Run>",
        f"<https://games.example.com/api/models/{AFTER}|Model>",
        "<https://games.example.com/api/docs|API>",
    ]


def test_a_run_that_was_promoted_in_korean():
    read = told(SUCCEEDED, KOREAN_WORDS)

    assert read.splitlines()[:2] == [
        ":white_check_mark: 새 모델로 교체했습니다",
        f"*{AFTER}* 버전을 서비스에 적용했습니다. (이전 버전: {BEFORE})",
    ]
    assert "*소요 시간*\n12분 24초\n*게임*\n10,240 (+40)" in read
    assert "수집 10분 2초 · 검증 3.2초" in read
    assert "• 새 게임 52개: Hollow Knight: Silksong, &gt;observer\u200b_\u200b, Ratchet &amp; Clank 외 49개" in read


def test_a_run_that_failed_names_the_step_the_reason_and_what_serves():
    sent = of_run(FAILED, SERVING, WORDS)

    assert told(FAILED).splitlines()[:4] == [
        ":x: Retraining failed",
        "It failed in the step *validate*.",
        "> 2,412 of 10,251 rows are bad (23.5 %), more than VALIDATION_MAX_BAD_SHARE allows (20 %).",
        SERVING,
    ]
    assert sent.text.splitlines() == told(FAILED).splitlines()[:4]
    assert "/models/" not in told(FAILED)


@pytest.mark.parametrize(
    ("changed", "outcome", "line"),
    [
        ({"result": {**RESULT, "forced": True}}, "forced", "The gate was overruled."),
        ({"result": {**RESULT, "promoted": False}}, "aside", f"*{AFTER}* was published but does not serve."),
        ({"result": {**RESULT, "dry_run": True}}, "dry_run", "Nothing was published, as asked."),
        ({"result": {}, "options": RunOptions(dry_run=True)}, "dry_run", "Nothing was published, as asked."),
        ({"result": {}}, "finished", ":white_check_mark: Retraining came to its end"),
        ({"result": {"promoted": True}}, "promoted", "*?* went live; it is the first."),
        ({"state": State.CANCELLED}, "cancelled", "It was stopped in the step *publish*."),
        ({"state": State.CANCELLED, "step": None}, "cancelled", "It was stopped before its first step."),
        ({"state": State.FAILED, "step": None}, "failed", "It failed before its first step."),
    ],
)
def test_each_outcome_has_its_words(changed: dict[str, Any], outcome: str, line: str):
    run = replace(SUCCEEDED, **changed)

    assert outcome_of(run) == outcome
    assert line in told(run).splitlines()
    assert (SERVING in told(run)) == (outcome not in {"promoted", "forced"})
    assert ("/models/" in told(run)) == (outcome in {"forced", "aside"})


def test_a_message_without_an_address_has_no_links():
    assert "<http" not in told(SUCCEEDED, Words())


def test_an_address_cannot_end_its_link():
    links = Words(public_url="https://games.example.com/a|b>c").links(run_id="1/2", version="v<1>")

    assert links == [
        "<https://games.example.com/a%7Cb%3Ec/retrain/1%2F2|Run>",
        "<https://games.example.com/a%7Cb%3Ec/models/v%3C1%3E|Model>",
        "<https://games.example.com/a%7Cb%3Ec/docs|API>",
    ]


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0.04, "0.0 s", "0.0초"),
        (9.94, "9.9 s", "9.9초"),
        (59.4, "59 s", "59초"),
        (60, "1 min 0 s", "1분 0초"),
        (3599.7, "1 h 0 min", "1시간 0분"),
        (90_061, "25 h 1 min", "25시간 1분"),
    ],
)
def test_durations_are_told_in_two_units(seconds: float, english: str, korean: str):
    assert (WORDS.seconds(seconds), KOREAN_WORDS.seconds(seconds)) == (english, korean)


@pytest.mark.parametrize(
    ("value", "written"),
    [(1_234_567, "1,234,567"), (0.123456, "0.123"), (True, "True"), (None, "None"), ("<b>", "&lt;b&gt;")],
)
def test_numbers_are_written_for_people(value: object, written: str):
    assert WORDS.number(value) == written


def test_many_changes_are_counted_and_few_are_named():
    games = [{"game_id": number, "name": f"Game {number}"} for number in range(3000)]
    result = {
        "changes": {
            "games": {"new": {"count": 3000, "examples": games}, "gone": {"count": 2}},
            "exposure": {"risers": [{"game_id": 9}, {"name": "A"}], "fallers": []},
            "drift": [{"name": f"feature_{number}", "psi": None, "drifted": True} for number in range(7)],
        },
        "warnings": [f"Warning {number}" for number in range(8)],
    }
    read = told(replace(SUCCEEDED, result=result))

    assert "• 3,000 new games: Game 0, Game 1, Game 2, Game 3, Game 4, and 2,995 more" in read
    assert "• 2 games gone\n• shown more: 9, A\n" in read
    assert "*Drift*: feature 0 (PSI ?), " in read
    assert ", feature 4 (PSI ?), and 2 more\n" in read
    assert ":warning: Warning 4\nand 3 more warnings\n" in read
    assert "shown less" not in read


def test_numbers_that_are_missing_are_left_out():
    result = {
        "counts": {"games": 10, "players": None},
        "before": {"counts": {"games": None}},
        "metrics": {
            "players": 5,
            "model": {"ndcg@10": {"value": 0.5}, "recall@20": {"value": None}},
            "popularity": {},
            "cold": {"recall@20": {"value": 0.25, "low": None, "high": None}},
        },
        "against_champion": None,
        "quota": None,
        "validation": {"rows": 7},
        "changes": None,
        "warnings": None,
    }
    read = told(replace(SUCCEEDED, result=result, started_at=None, ended_at=None, steps=()))

    assert read.splitlines()[1:] == [
        SERVING,
        *("*Started by*", "the schedule", "*Games*", "10"),
        "*Metrics* (change in brackets, then the 95 % interval)",
        "• ndcg@10 0.5000",
        "• games nobody has played: recall@20 0.2500",
        "20261126T040000-a1b2c3",
        "<https://games.example.com/api/retrain/20261126T040000-a1b2c3|Run>",
        "<https://games.example.com/api/docs|API>",
    ]


def test_a_rollback_names_both_versions_and_the_reason():
    watched = {"fallback_share": {"before": 0.02, "after": 0.41}, "answers": 812, "latency": {"p50": 0.004, "p99": 0.1}}
    sent = of_rollback(
        {"version": AFTER, "back_to": BEFORE, "reason": "Too many <fallbacks>.", "watched": watched}, WORDS
    )

    assert problems(body(sent)) == []
    assert as_text(body(sent)).splitlines() == [
        ":rewind: Went back to the model before",
        f"*{AFTER}* did badly in service, so *{BEFORE}* serves again.",
        "> Too many &lt;fallbacks&gt;.",
        "*What was watched*",
        "• fallback share: 0.02 → 0.41",
        "• answers: 812",
        "• latency: p50 0.004, p99 0.1",
        f"<https://games.example.com/api/models/{AFTER}|Model>",
        "<https://games.example.com/api/docs|API>",
    ]


def test_a_rollback_of_which_little_is_known_is_told_nevertheless():
    sent = of_rollback({}, Words("ko"))

    assert problems(body(sent)) == []
    assert as_text(body(sent)).splitlines()[0] == ":rewind: 이전 모델로 되돌렸습니다"


@pytest.mark.parametrize(
    ("spent", "limit", "english", "korean"),
    [
        (
            18_000,
            20_000,
            "18,000 of 20,000 requests are used in 2026-11 (90 %); 2,000 are left.",
            "2026-11 한도 20,000건 중 18,000건(90%)을 사용했습니다. 남은 요청은 2,000건입니다.",
        ),
        (
            20_001,
            20_000,
            "20,001 of 20,000 requests are used in 2026-11 (100 %); 0 are left.",
            "2026-11 한도 20,000건 중 20,001건(100%)을 사용했습니다. 남은 요청은 0건입니다.",
        ),
        (
            0,
            0,
            "0 of 0 requests are used in 2026-11 (100 %); 0 are left.",
            "2026-11 한도 0건 중 0건(100%)을 사용했습니다. 남은 요청은 0건입니다.",
        ),
    ],
)
def test_a_quota_that_runs_out_is_told_in_numbers(spent: int, limit: int, english: str, korean: str):
    notice = {"month": "2026-11", "spent": spent, "limit": limit}
    for words, line in ((WORDS, english), (Words("ko"), korean)):
        sent = of_quota(notice, words)
        assert problems(body(sent)) == []
        assert line in as_text(body(sent)).splitlines()
