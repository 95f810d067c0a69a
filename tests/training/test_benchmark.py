import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from tests.training.conftest import Command
from training import benchmark, memory, peers, trial
from training.memory import Rise
from training.peers import METHODS

# implicit warns of what it does itself.
pytestmark = pytest.mark.filterwarnings("ignore:Method expects CSR input")

INF = np.inf


def matrix(rows: list[list[float]]) -> sp.csr_array:
    return sp.csr_array(np.array(rows, dtype=np.float32))


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int32)


# Of games 0, 1, 2: {a, b} play 0, all play 1, {b, c} play 2. Cosines on 0/1: 2/sqrt(6), 1/2, 2/sqrt(6).
TRIO = matrix([[1, 1, 0], [1, 1, 1], [0, 1, 1]])


def two_camps() -> sp.csr_array:
    """Sixteen players of games 0 to 3, sixteen of games 4 to 7; the first of each camp lacks its last game."""
    camp = np.ones((16, 4), dtype=np.float32)
    camp[0, 3] = 0
    return sp.csr_array(np.kron(np.eye(2, dtype=np.float32), camp))


def test_the_best_games_come_first_without_the_players_own_and_ties_by_index():
    scores = np.array([[1, 3, 3, 2, 3], [9, -1, -INF, -INF, 0]], dtype=np.float32)
    own = matrix([[0, 1, 0, 0, 0], [1, 0, 0, 0, 0]])

    assert trial.top(scores.copy(), own, 2).tolist() == [[2, 4], [4, 1]]
    assert trial.top(scores.copy(), own, 7).tolist() == [[2, 4, 3, 0, -1, -1, -1], [4, 1, -1, -1, -1, -1, -1]]


def test_a_game_rated_0_is_not_recommended_again():
    rated = sp.csr_array((np.array([1, 0], dtype=np.float32), ([0, 0], [0, 1])), shape=(1, 3))

    assert trial.top(np.ones((1, 3), dtype=np.float32), rated, 2).tolist() == [[2, -1]]


def test_ease_is_steck_s_formula():
    # X^T X + I = [[3, 1], [1, 2]], its inverse [[2, -1], [-1, 3]] / 5, and B_ij = -P_ij / P_jj.
    weights = peers.ease(matrix([[1, 1], [1, 0]]), l2=1)

    np.testing.assert_allclose(weights, [[0, 1 / 3], [1 / 2, 0]], rtol=1e-6)


def test_ease_in_parts_is_the_dense_formula(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(peers, "_ROWS", 3)
    played = sp.csr_array((np.random.default_rng(0).random((30, 10)) < 0.3).astype(np.float32))
    inverse = np.linalg.inv(played.toarray().T @ played.toarray() + 5 * np.eye(10))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)

    np.testing.assert_allclose(peers.ease(played, l2=5), expected, rtol=1e-4, atol=1e-6)


def test_ease_says_when_it_cannot_be_computed():
    with pytest.raises(ValueError, match="The matrix of 2 items cannot be inverted in single precision"):
        peers.ease(matrix([[1, 1]]), l2=-1)


def test_popularity_counts_players_and_not_those_who_rated_a_game_0():
    train = sp.csr_array((np.array([5, 1, 0], dtype=np.float32), ([0, 1, 1], [0, 0, 1])), shape=(2, 3))

    assert METHODS["popularity"].fit(train)(rows(1, 0)).tolist() == [[2, -INF, -INF]] * 2


def test_implicit_adds_up_cosines():
    scores = METHODS["implicit_cosine"].fit(TRIO)(rows(0))

    assert scores[0, 2] == pytest.approx(2 / 6**0.5 + 1 / 2)


def test_lenskit_adds_up_cosines_of_0_and_1():
    scorer = METHODS["lenskit_item_knn"].fit(TRIO * np.float32(3))

    assert scorer(rows(0))[0, 2] == pytest.approx(2 / 6**0.5 + 1 / 2)
    lonely = matrix([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    assert METHODS["lenskit_item_knn"].fit(lonely)(rows(0))[0, 2] == -INF


@pytest.mark.parametrize("name", METHODS)
def test_every_method_finds_the_game_that_all_others_of_a_camp_play(name: str):
    lists, cost = trial.run(METHODS[name], two_camps(), rows(0, 16))

    # By popularity alone, all games that a player lacks stand in one order: six of them tie at 16, two at 15.
    first = [4, 0] if name == "popularity" else [3, 7]
    assert lists[:, 0].tolist() == first
    assert not set(lists[0].tolist()) & {0, 1, 2}
    assert cost["train_seconds"] > 0 < cost["recommend_seconds"]


@pytest.fixture
def plays() -> Path:
    """Ten players of games 1 to 9 each, and two who begin with one of them."""
    path = Path("plays.csv")
    played = [f"p{player},{game},{player}" for player in range(10) for game in range(1, 10)]
    path.write_text("\n".join(["user_id,game_id,hours", *played, "x,1,1", "y,2,1"]))
    return path


@pytest.mark.untraced
def test_the_command_compares_ours_with_what_needs_no_package(command: Command, plays: Path):
    only = [part for name in ("cosine", "neighbour_ridge", "popularity") for part in ("--only", name)]
    code, out, err = command("benchmark", "--train", str(plays), *only)

    assert code == 0
    assert "Trained on (plays.csv): 72 plays of 12 players and 9 games." in out
    assert "20 plays of 10 players." in out
    # Two games are left to recommend to each player, and both are to be found.
    perfect = r"1\.0000 \[1\.0000, 1\.0000\] +"
    for name in ("neighbour_ridge", "cosine", "popularity"):
        assert re.search(rf"^{name} +{perfect * 3}\d+\.\d +\d+ +\d+\.\d *$", out, re.MULTILINE), out
    assert "Benchmark: 3 of 3 methods" in err


def test_the_command_answers_for_machines_with_a_split_of_two_files(command: Command):
    Path("train.txt").write_text("1 1 2\n2 1 2\n3 1\n")
    Path("test.txt").write_text("3 2 4\n")

    code, out, _ = command("benchmark", "--train", "train.txt", "--test", "test.txt", "--only", "ease", "--json")

    assert code == 0
    [ease] = json.loads(out)["methods"]
    # The one game of two is found at the first place: 1 / (1 + 1 / log2(3)).
    assert ease["ndcg@10"]["value"] == pytest.approx(0.6131, abs=1e-4)
    assert ease["recall@20"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert {"method", "settings", "train_seconds", "recommend_seconds", "memory_mb"} < ease.keys()


def test_what_cannot_be_tried_is_listed_with_the_reason(command: Command, plays: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(benchmark, "find_spec", lambda _name: None)

    arguments = ["--only", "implicit_als", "--only", "lenskit_item_knn", "--only", "ease", "--memory", "0"]
    code, out, _ = command("benchmark", "--train", str(plays), *arguments)

    assert code == 0
    for name in ("implicit_als", "lenskit_item_knn"):
        assert f"{name}: not installed: uv sync --group benchmark." in out
    assert "ease: left out: its dense matrix of 9 x 9 games takes 0.0 GB, --memory allows 0 GB." in out
    assert all(
        "trouble" in row
        for row in json.loads(command("benchmark", "--train", str(plays), *arguments, "--json").out)["methods"]
    )


def test_dense_ease_on_gowalla_is_refused_by_default():
    refusal = benchmark._obstacle("ease", 40_981, 6.0)

    assert refusal == "left out: its dense matrix of 40,981 x 40,981 games takes 6.8 GB, --memory allows 6 GB"
    assert benchmark._obstacle("ease", 40_981, 7.0) is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo first >&2; echo MemoryError >&2; exit 1", "failed: MemoryError"),
        ("exit 3", "failed: exit code 3"),
        ("kill -9 $$", "failed: killed by SIGKILL; memory may have run out"),
        ("kill -11 $$", "failed: killed by SIGSEGV"),
    ],
)
def test_a_method_that_fails_is_a_line_and_not_the_end(
    command: Command, plays: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
):
    broken = Path("python").absolute()
    broken.write_text(f"#!/bin/sh\n{script}\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))

    code, out, _ = command("benchmark", "--train", str(plays), "--only", "cosine", "--only", "popularity")

    assert code == 0
    assert f"cosine: {why}.\npopularity: {why}.\n" in out


def test_a_wrong_file_is_one_clear_line_and_a_wrong_name_wrong_usage(command: Command, plays: Path):
    code, out, err = command("benchmark", "--train", "nowhere.csv")
    assert (code, out, err) == (1, "", "error: nowhere.csv cannot be read: No such file or directory.\n")

    code, _, err = command("benchmark", "--train", str(plays), "--only", "magic")
    assert code == 2
    assert "There is no method magic; there are neighbour_ridge, cosine" in " ".join(err.replace("│", " ").split())


def test_memory_that_the_system_does_not_tell_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(memory, "_PROCESS", tmp_path / "nowhere")

    assert Rise().megabytes() is None


def test_memory_is_told_at_its_peak():
    rise = Rise()
    block = np.ones(10_000_000)
    del block

    assert 79 < (rise.megabytes() or 0) < 100
