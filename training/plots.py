"""The pictures of a report, as PNG files."""

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.core.recommender import Recommender
from training.evaluate import MODEL, POPULARITY, RANDOM, Counts, Evaluation
from training.metrics import CUT, FloatArray

# Told apart without seeing colours, too (Okabe and Ito 2008).
_COLOURS = {MODEL: "#0072B2", POPULARITY: "#E69F00", RANDOM: "#999999"}


def metrics(evaluation: Evaluation) -> bytes:
    """Draw a bar with its interval for each ranker and each metric that goes from 0 to 1."""
    figure, axes = _page()
    names = [name for name in evaluation.metrics[MODEL] if not name.startswith("novelty")]
    width = 0.8 / len(evaluation.metrics)
    for place, (ranker, found) in enumerate(evaluation.metrics.items()):
        values = np.array([found[name] for name in names])
        errors = np.abs(values[:, 1:].T - values[:, 0])
        at = np.arange(len(names)) + (place - 1) * width
        axes.bar(at, values[:, 0], width, yerr=errors, capsize=3, label=ranker, color=_COLOURS[ranker])
    axes.set_xticks(np.arange(len(names)), names, fontsize="small")
    axes.set_title(f"{evaluation.players} players, 95 % intervals")
    axes.legend(frameon=False)
    return _png(figure)


def popularity(evaluation: Evaluation) -> bytes:
    """Draw which share of the plays, and of the games recommended, goes to the most popular games."""
    figure, axes = _page()
    games = len(evaluation.known)
    order = np.argsort(-evaluation.known, kind="stable")
    everyone = np.ones(evaluation.players, dtype=np.int64)
    share = np.arange(1, games + 1) / games
    axes.plot(share, _cumulated(evaluation.known[order]), color="black", linestyle=":", label="plays")
    for ranker, ranked in evaluation.ranked.items():
        shown = ranked.shown(games, everyone)[order]
        axes.plot(share, _cumulated(shown), color=_COLOURS[ranker], label=f"top {CUT} by {ranker}")
    axes.set_xscale("log")
    axes.set_xlabel("share of the games, the most popular first")
    axes.set_ylabel("share of what they get")
    axes.set_title("Popularity bias")
    axes.legend(frameon=False)
    return _png(figure)


def neighbours(recommender: Recommender) -> bytes:
    """Draw how strong the links between games are that plays and likeness give."""
    figure, axes = _page()
    weights = {
        f"by plays: {len(recommender.collaborative.weights)}": recommender.collaborative.weights,
        f"by likeness: {len(recommender.cold.weights)}": recommender.cold.weights,
    }
    every = np.concatenate([found[found > 0] for found in weights.values()])
    if len(every):
        bins = np.geomspace(every.min(), every.max() * 1.001, 80).tolist()
        axes.hist(list(weights.values()), bins, histtype="step", color=list(_COLOURS.values())[:2], label=list(weights))
        axes.legend(frameon=False)
    axes.set_xscale("log")
    axes.set_xlabel("weight of a neighbour")
    axes.set_ylabel("neighbours")
    axes.set_title("Scores of the neighbours")
    return _png(figure)


def _cumulated(counts: Counts | FloatArray) -> FloatArray:
    cumulated: FloatArray = np.cumsum(counts) / max(counts.sum(), 1)
    return cumulated


def _page() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(8, 4.5))
    axes = figure.add_axes((0.1, 0.13, 0.87, 0.77))
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return file.getvalue()
