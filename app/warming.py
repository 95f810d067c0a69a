"""The first answers of a model, given before anybody asks, so that nobody pays for first touches."""

from app.core.answer import Query
from app.core.artifact import Rest
from app.core.browsing import Listing, browse
from app.core.filters import Filters
from app.core.histories import PlayWeights
from app.core.recommender import Recommender
from app.core.tastes import Slot, Taste

_PLAYERS = _GAMES = 2


def warm(recommender: Recommender, weights: PlayWeights, rest: Rest) -> None:
    """Answer some of a model's own players, and for some of its games, in all the ways that there are.

    What a model cannot do is found out here, while the one before it serves. `rest` is called after each answer.
    """
    users = recommender.histories.users
    tastes = [recommender.taste_of(users[row].decode()) for row in range(min(len(users), _PLAYERS))]
    games = recommender.catalogue.game_ids[recommender.popular[:_GAMES]].tolist()
    tastes += [Taste(), *(Taste.of([(game_id, Slot.PLAY, 1.0, None)], weights) for game_id in games)]
    filters = _filters(recommender)
    for taste in tastes:
        for question in (Query(), Query(explain=True), Query(diversity=0.5), Query(filters=filters)):
            recommender.recommend(taste, question)
            rest()
    for game_id in games:
        recommender.similar(game_id)
        rest()
    for game_id in games[:1]:  # a search is one long piece of work
        browse(recommender, Listing(recommender.game(game_id)["name"], filters), 10, 0)


def _filters(recommender: Recommender) -> Filters:
    """Ask for the first genre and the first platform that there are."""
    genres, platforms = recommender.facets.genre, recommender.facets.platform
    return Filters(
        tuple(genres.name(label) for label in range(min(len(genres), 1))),
        tuple(platforms.name(label) for label in range(min(len(platforms), 1))),
    )
