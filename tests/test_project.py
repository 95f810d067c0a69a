"""The files around the code say what is true."""

import re
import tomllib
from pathlib import Path

from app.core import __version__

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_version_is_the_same_everywhere():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_continuous_integration_finds_the_test_command_of_the_readme():
    pattern = re.search(r"grep -m 1 '(.+)' README\.md", (ROOT / ".ci" / "tests").read_text())

    assert pattern
    assert len(re.findall(pattern[1], README, re.MULTILINE)) == 1


def test_the_readme_links_to_files_that_are_there():
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)

    assert links
    assert all((ROOT / link).exists() for link in links)


def test_the_readme_names_every_command():
    commands = re.findall(
        r"^@app\.command\(\"?(\w*)\"?\)\ndef (\w+)", (ROOT / "training/__main__.py").read_text(), re.MULTILINE
    )

    assert len(commands) >= 5
    for renamed, function in commands:
        assert re.search(rf"^\| `{renamed or function}\b", README, re.MULTILINE)
