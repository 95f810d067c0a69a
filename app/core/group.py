"""Games for several players at once."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from app.core.answer import Query, Recommendations
from app.core.ranking import Best, Question, Voices
from app.core.recommender import Recommender
from app.core.tastes import Taste

_NOBODY = Voices(np.zeros(0, dtype=np.intp), np.zeros(0))


class Fit(NamedTuple):
    """How well a game fits one member: its score as a part of that member's best, above 0 and up to 1."""

    user_id: str
    fit: float


class GroupAnswer(NamedTuple):
    """An answer for a group, and for each game of it whom it fits, the best fit first."""

    answer: Recommendations
    fits: tuple[tuple[Fit, ...], ...]


def recommend(recommender: Recommender, members: Mapping[str, Taste], query: Query) -> GroupAnswer:
    """Recommend to a group, given by name.

    A member's score of a game counts as a part of that member's best score, so that each has the same say; a game's
    score is the mean over the members of whom anything is known (the average strategy of Masthoff 2011, "Group
    recommender systems"). What any member has, dislikes or has hidden is left out, and popular games fill up.
    """
    questions: list[Question] = []
    fits: dict[int, list[Fit]] = {}
    alike: dict[int, bool] = {}
    for name, taste in members.items():
        voices, question = recommender.translate(taste, query)
        questions.append(question)
        best = recommender.ranker.best(voices, question, len(recommender.catalogue))
        for index, score, by_likeness in zip(*best, strict=True):
            fits.setdefault(index, []).append(Fit(name, score / best.scores[0]))
            alike[index] = alike.get(index, True) and by_likeness
    barred = np.concatenate([question.barred for question in questions])
    known = sum(taste.known for taste in members.values())
    means = {index: sum(fit for _, fit in of) / known for index, of in fits.items()}
    games = sorted(means.keys() - set(barred.tolist()), key=lambda index: (-means[index], index))
    ranked = recommender.mixed(Best(games, [means[index] for index in games], [alike[index] for index in games]), query)
    ranking = recommender.ranker.page(ranked, _NOBODY, Question(barred, questions[0].allowed), query.n, query.offset)
    answer = recommender.describe(ranking, query, known=known > 0)
    return GroupAnswer(
        answer,
        tuple(
            tuple(sorted(fits.get(index, ()), key=lambda fit: (-fit.fit, fit.user_id)))
            for index in (*ranking.scored, *ranking.others)
        ),
    )
