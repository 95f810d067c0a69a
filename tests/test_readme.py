"""The README says the same in English and in Korean."""

from pathlib import Path

import pytest

from tests.readmes import NAMES, differences

ROOT = Path(__file__).parents[1]

ENGLISH = """# House

English | [한국어](README.ko.md)

It has 3 rooms, 1.5 million books, see [below](#the-rooms), and opens `DOOR` after two seconds.

## The rooms

```sh
open door   # the front one
enter
```

| room | width |
|---|---|
| hall | 4.5 m |
"""
KOREAN = """# 집

[English](README.md) | 한국어

책 150만 권과 방 3개가 있고, `DOOR`는 2초 뒤에 열립니다. [아래](#방)를 보십시오.

## 방

```sh
open door   # 앞문
enter
```

| 방 | 너비 |
|---|---|
| 거실 | 4.5 m |
"""


def test_the_readme_says_the_same_in_both_languages():
    english, korean = ((ROOT / name).read_text() for name in NAMES)

    assert "\n".join(differences(english, korean)) == ""


def test_what_is_translated_may_differ():
    assert differences(ENGLISH, KOREAN) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("open door", "open window", "in code README.md alone has open window"),
        ("open door   # the front one\nenter", "enter\nopen door", "the same code stands in another order"),
        ("](#the-rooms)", "](#the-hall)", "among the links README.md alone has nowhere (#the-hall)"),
        ("[below](#the-rooms)", "below", "among the links README.ko.md alone has heading 2"),
        ("`DOOR`", "`GATE`", "between backticks README.md alone has GATE and README.ko.md alone has DOOR"),
        ("3 rooms", "12 rooms", "among the figures README.md alone has 12 and README.ko.md alone has 3"),
        ("1.5 million", "15 million", "among the figures README.md alone has 15,000,000"),
        ("two seconds", "a while", "among the figures README.ko.md alone has 2"),
        ("4.5 m", "4.4 m", "among the figures README.md alone has 4.4"),
        ("| hall | 4.5 m |\n", "", "the tables have rows of [2, 2] and of [2, 2, 2] cells"),
    ],
)
def test_a_change_of_one_alone_is_told_with_its_section(before, after, told):
    changed = ENGLISH.replace(before, after)
    assert changed != ENGLISH

    found = differences(changed, KOREAN)

    assert [sentence for sentence in found if told in sentence]
    assert all(sentence.endswith("Change the other README as well.") for sentence in found)
    assert all('"House"' in sentence or '"The rooms" and README.ko.md "방"' in sentence for sentence in found)


def test_sections_of_one_alone_are_told():
    (added,) = differences(ENGLISH + "\n## The garden\n", KOREAN)
    (moved,) = differences(ENGLISH.replace("## The rooms", "### The rooms"), KOREAN)

    assert 'README.md has "## The garden" where README.ko.md has no more.' in added
    assert added.endswith("Give both the same sections in the same order.")
    assert 'README.md has "### The rooms" where README.ko.md has "## 방".' in moved
