"""What GitHub is told to do: what no linter says of it. The linters are in `.ci/delivery`."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = {path.stem: path.read_text() for path in (GITHUB / "workflows").iterdir()}
JOBS: dict[str, dict[str, Any]] = {name: yaml.safe_load(text)["jobs"] for name, text in WORKFLOWS.items()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_action_is_named_by_one_commit_and_its_version():
    used = [line.strip() for text in WORKFLOWS.values() for line in text.splitlines() if " uses: " in line]
    actions = [line.split("uses: ")[1] for line in used if "uses: ./" not in line]

    assert len(actions) >= 10
    wrong = [action for action in actions if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)]
    assert wrong == []
    repositories = {tuple(action.split("@")[0].split("/")[:2]) for action in actions}
    assert len({action.split("@")[1] for action in actions}) == len(repositories)


def test_a_change_is_tested_on_every_python_that_the_project_names():
    named = [entry.rsplit(" ", 1)[1] for entry in PROJECT["classifiers"] if "Python ::" in entry]

    assert JOBS["ci"]["tests"]["strategy"]["matrix"]["python"] == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_the_steps_call_scripts_that_are_there():
    called = set(re.findall(r"(?<![\w/])(?:\.ci|scripts)/[\w.-]+", "".join(WORKFLOWS.values())))

    assert {".ci/checks", ".ci/tests", ".ci/version", "scripts/smoke.sh"} <= called
    scripts = [*called, *(f".ci/{name}" for name in ("run", "packages", "delivery"))]
    assert [script for script in scripts if not os.access(ROOT / script, os.X_OK)] == []


def test_only_what_has_passed_everything_and_was_approved_is_published():
    release = JOBS["release"]

    assert {*release["images"]["needs"]} == {"version", "ci", "security"}
    assert release["page"]["needs"] == "images"
    secret = {name for jobs in JOBS.values() for name, job in jobs.items() if "secrets." in str(job)}
    assert secret == {"images"}
    assert release["images"]["environment"] == "docker-hub"
    assert "cache@" not in WORKFLOWS["release"]


def test_a_called_workflow_is_given_what_its_jobs_ask_for():
    for called in ("ci", "security"):
        asked: dict[str, str] = {}
        for job in JOBS[called].values():
            asked |= job["permissions"]
        assert JOBS["release"][called]["permissions"] == asked


def test_updates_are_proposed_for_all_that_is_pinned():
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    watched = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }

    def folders(pattern: str) -> set[str]:
        names = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "--", pattern).split()
        return {"/" + str(Path(name).parent).removeprefix(".") for name in names}

    assert {("uv", folder) for folder in folders("*uv.lock")} <= watched
    assert {("docker", folder) for folder in folders("*Dockerfile")} <= watched
    assert {("docker-compose", folder) for folder in folders("*docker-compose.yml")} <= watched


@pytest.fixture
def tagged(tmp_path: Path) -> Path:
    """A clone of a project that has nothing but this one's version, in one commit."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    (origin / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "version", origin / ".ci")
    shutil.copy(ROOT / "pyproject.toml", origin)
    git(origin, "init", "--initial-branch=main")
    git(origin, "add", ".")
    git(origin, "commit", "--message=one")
    git(origin, "clone", ".", str(clone))
    return clone


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular, whatever the machine has set."""
    nobody = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    command = ["/usr/bin/env", "git", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **nobody}, capture_output=True, text=True, check=True
    ).stdout


def version(clone: Path, tag: str) -> tuple[int, str, str]:
    ran = subprocess.run([clone / ".ci" / "version", tag], capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout, ran.stderr


def test_a_tag_releases_the_version_of_the_project(tagged: Path):
    assert version(tagged, f"v{PROJECT['version']}") == (0, f"{PROJECT['version']}\n", "")


def test_a_tag_of_another_version_releases_nothing(tagged: Path):
    code, printed, told = version(tagged, "v0.0.0")

    assert (code, printed) == (1, "")
    assert f"The tag is v0.0.0, and the project's version is {PROJECT['version']}" in told


def test_a_commit_beside_main_is_not_released(tagged: Path):
    git(tagged, "commit", "--allow-empty", "--message=two")

    code, printed, told = version(tagged, f"v{PROJECT['version']}")

    assert (code, printed) == (1, "")
    assert "is no commit of main" in told
