"""No message is more than Slack takes, or holds markup that is not the product's own, whatever a run brings."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from app.core.messages.blocks import context, message, section, table
from app.core.messages.plain import cut, length, plain
from app.core.messages.run import of_run
from app.core.messages.words import Words
from app.core.run import State
from tests.fakes.slack import injections, problems, units
from tests.runs import RESULT, SUCCEEDED

WORDS = Words("en", "Asia/Seoul", "https://games.example.com/api")
FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("text", "longest", "kept"),
    [
        ("Portal", 6, "Portal"),
        ("Portal 2", 7, "Portal…"),
        ("R&amp;C", 4, "R…"),
        ("R&amp;C", 7, "R&amp;C"),
        ("R&amp;CD", 7, "R&amp;…"),
        ("A&ampersand", 6, "A&amp…"),
        (f"A{FAMILY}B", 9, "A…"),
        (f"A{FAMILY}B", 10, f"A{FAMILY}B"),
        (f"A{FAMILY}BC", 10, f"A{FAMILY}…"),
        ("🎮🎮🎮", 4, "🎮…"),
        ("👍🏽👍🏽", 6, "👍🏽…"),
        ("🇰🇷🇺🇸", 7, "🇰🇷…"),
        ("e\u0301e\u0301e", 4, "e\u0301…"),
        ("\u1112\u1161\u11ab\u1100", 3, "…"),
        ("a" + "\u0301" * 50, 10, "…"),
    ],
)
def test_a_cut_keeps_letters_and_signs_whole(text: str, longest: int, kept: str):
    assert cut(text, longest) == kept
    assert length(kept) <= longest


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<!channel> & <https://evil.example|Portal>", "&lt;!channel&gt; &amp; &lt;https://evil.example|Portal&gt;"),
        ("Two\n> lines\t\x00and\u2028more", "Two &gt; lines and more"),
        ("*bold* snake_case `code`", "\u200b*\u200bbold\u200b*\u200b snake_case \u200b`\u200bcode\u200b`\u200b"),
        ("left\u202eright\u200f", "leftright"),
        ("\ud800broken", "broken"),
    ],
)
def test_names_from_outside_are_harmless(name: str, shown: str):
    assert plain(name, 100) == shown
    assert injections(plain(name, 100)) == []


def test_lines_that_find_no_room_are_left_out_whole():
    block = section(["a" * 2000, "b" * 2000, "c"])

    assert block
    assert block["text"]["text"] == "a" * 2000
    assert section(["d" * 4000]) == section(["d" * 2999 + "…"])


def test_what_is_empty_makes_no_block_and_what_is_too_much_is_left_out():
    assert (section([]), table([]), context([])) == (None, None, None)
    many = message("x" * 9000, [table([("n" * 9000, "v")] * 12), context(["p" * 9000] * 12), *[section(["s"])] * 99])

    assert problems({"text": many.text, "blocks": many.blocks}) == []
    assert len(many.blocks) == 50


_names = st.text(max_size=20) | st.builds(
    lambda piece, times: piece * times,
    st.sampled_from(["<!here>", "&", "🎮", FAMILY, "*_~`", "한글 ", "\u0301", "🇰🇷", "a\n> "]),
    st.integers(0, 2000),
)
_numbers = st.integers(-(10**18), 10**18) | st.floats() | st.none()


def result_of(names: list[str], number: float | None, rows: int) -> dict[str, Any]:
    """What came of a run whose every text is one of some names, and every list as long as told."""
    name = names * rows
    estimates = {one: {"value": number, "low": number, "high": number} for one in name}
    games = [{"game_id": 1, "name": one, "before": number, "after": number} for one in name]
    counted = {"count": rows, "examples": games}
    return {
        **dict.fromkeys(("version", "reason", "data_kind", "catalogue_source"), names[0]),
        "promoted": rows % 2 == 0,
        "counts": dict.fromkeys(("games", "players", "plays"), number),
        "metrics": {"model": estimates, "cold": estimates, **{one: {"ndcg@10": {"value": number}} for one in name}},
        "against_champion": {"value": number},
        "before": {"version": names[-1], "counts": {"games": 1}, "metrics": {"model": estimates}},
        "validation": {"rows": number, "valid": number},
        "quota": {"limit": number, "remaining": number},
        "changes": {
            "games": dict.fromkeys(("new", "gone", "changed"), counted),
            "drift": [{"name": one, "psi": number, "drifted": True} for one in name],
            "exposure": {"risers": games, "fallers": games},
        },
        "warnings": name,
    }


@given(
    names=st.lists(_names, min_size=1, max_size=4),
    number=_numbers,
    rows=st.sampled_from([0, 1, 6, 2000]),
    missing=st.sets(st.sampled_from(sorted(RESULT))),
    words=st.sampled_from([WORDS, replace(WORDS, language="ko"), Words()]),
)
@settings(max_examples=30, deadline=None, phases=[Phase.generate])
def test_whatever_a_run_brings_slack_takes_the_message(
    names: list[str], number: float | None, rows: int, missing: set[str], words: Words
):
    result = {key: value for key, value in result_of(names, number, rows).items() if key not in missing}
    state = State.FAILED if rows == 1 else State.SUCCEEDED
    run = replace(SUCCEEDED, state=state, result=result, error=names[0], run_id=names[-1])
    told = of_run(run, "Serving now: nothing", words)
    sent = {"text": told.text, "blocks": told.blocks}

    assert problems(sent) == []
    assert injections(told.text) == []
    assert units(str(told.blocks)) < 40_000
