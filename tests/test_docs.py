"""What the pages in `docs/` name is there."""

import re
from pathlib import Path

import pytest

from app.core.artifact import ARRAYS
from app.core.settings import Settings
from app.core.tables import metadata
from tests.markdown import anchor, sections

ROOT = Path(__file__).parents[1]
DECISIONS = ROOT / "docs" / "decisions"
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "dags" / "README.md"])
EACH_DECISION = sorted(DECISIONS.glob("0*.md"))


def anchors(page: Path) -> set[str]:
    return {anchor(section.title) for section in sections(page.read_text())}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_are_there(page):
    links = [link for section in sections(page.read_text()) for link in section.links if "://" not in link]

    for link in links:
        path, _, heading = link.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), f"{page.name} links to {link}, which is not there"
        assert not heading or heading in anchors(to), f"{page.name} links to {link}, where there is no such heading"


def test_the_index_of_decisions_has_each_of_them_in_order():
    linked = re.findall(r"^\| (\d+) \| \[[^]]+\]\((.+)\)", (DECISIONS / "README.md").read_text(), re.MULTILINE)

    assert [name for _, name in linked] == [page.name for page in EACH_DECISION]
    assert [int(number) for number, _ in linked] == list(range(1, len(EACH_DECISION) + 1))


@pytest.mark.parametrize("page", EACH_DECISION, ids=lambda page: page.stem)
def test_a_decision_says_what_each_of_them_says(page):
    _, title, *others = sections(page.read_text())

    assert title.title.startswith(f"{int(page.name[:4])}. ")
    assert any(line.startswith("**Status:**") for line in title.prose)
    expected = ["Context", "Decision", "Consequences", "What would make us change it"]
    assert [section.title for section in others] == expected


def test_the_architecture_names_every_table():
    (rows,) = (section.rows[2:] for section in sections(ARCHITECTURE) if section.title == "What lies where")

    assert sorted(row.split("`")[1] for row in rows) == sorted(metadata.tables)


def test_the_parts_of_the_code_that_the_architecture_names_are_there():
    parts = re.findall(r"`((?:app|training)/[\w/.]+)`", ARCHITECTURE)

    assert parts
    assert [part for part in parts if not (ROOT / part).exists()] == []


def test_the_architecture_counts_the_arrays_of_a_version():
    assert f"{len(ARRAYS)} arrays (.npy)" in ARCHITECTURE


@pytest.mark.parametrize("page", [ROOT / "docs" / "architecture.md", *EACH_DECISION], ids=lambda page: page.stem)
def test_settings_that_are_named_are_there(page):
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", page.read_text())) - {"RUN_ID"}

    assert named <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_semicolon_cuts_a_diagram_short(page):
    blocks = [block for section in sections(page.read_text()) for block in section.blocks]

    assert not [line for block in blocks if block.language == "mermaid" for line in block.lines if ";" in line]
