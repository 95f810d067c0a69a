"""Recommendations: to a player, to somebody without an id, to many at once, to a party; and why."""

from fastapi import APIRouter, Response

from app import bounds
from app.core.errors import GameNotFoundError, ModelNotLoadedError
from app.dependencies import GameId, Recommend, UserId
from app.exception_handlers import documented
from app.query_parameters import BatchQuery, ConditionsQuery, GroupQuery, VisitorQuery, WishesQuery
from app.recommendation_schemas import Batch, FitsMember, GroupGame, GroupList, KeptOutBy, WhyGame
from app.recommending import as_rows
from app.schemas import AnswerWarning, GameDetail, RecommendationList, ScoredGame, ShareOfScore

router = APIRouter(prefix="/recommend", tags=["recommend"])

_WITH_BODY = documented(*bounds.REFUSALS, ModelNotLoadedError)


@router.post("", summary="Recommend games to a visitor", responses=_WITH_BODY, response_model=RecommendationList)
async def recommend_to_visitor(asked: VisitorQuery, recommending: Recommend) -> Response:
    """Answer somebody without an id, from the games told in the body, which are not kept."""
    rows = as_rows([(played.game_id, played.hours, played.rating) for played in asked.played])
    return _json(await recommending.for_visitor(rows, asked.wishes()))


@router.post("/batch", summary="Recommend games to many players", responses=_WITH_BODY, response_model=Batch)
async def recommend_to_many(asked: BatchQuery, recommending: Recommend) -> Response:
    """Answer for up to 500 players at once; each has an answer of its own, from one and the same model."""
    return _json(await recommending.for_batch(asked.user_ids, asked.wishes()))


@router.post("/group", summary="Recommend games to a party", responses=_WITH_BODY)
async def recommend_to_group(asked: GroupQuery, recommending: Recommend) -> GroupList:
    """Answer with games for two to eight players together.

    A game's score is the mean of how well it fits the players of whom anything is known, each fit being the player's
    own score of the game as a part of that player's best. What anyone has, dislikes or has hidden is left out; popular
    games, which fit nobody in particular, fill up.
    """
    recommendation_id, found, model = await recommending.for_group(asked.user_ids, asked.question())
    return GroupList(
        recommendation_id=recommendation_id,
        user_ids=asked.user_ids,
        model_version=model.manifest.version,
        data_kind=model.manifest.data_kind,
        warnings=[AnswerWarning.of(warned) for warned in found.answer.warnings],
        games=[
            GroupGame(
                **ScoredGame.of(scored).model_dump(),
                fits=[FitsMember(**fit._asdict()) for fit in fits],
            )
            for scored, fits in zip(found.answer.games, found.fits, strict=True)
        ],
    )


@router.get(
    "/{user_id:path}/why/{game_id}",
    summary="Tell why a player is recommended a game, or is not",
    responses=documented(ModelNotLoadedError, GameNotFoundError),
)
async def why(user_id: UserId, game_id: GameId, question: ConditionsQuery, recommending: Recommend) -> WhyGame:
    """Account for one game: what each game of the player adds to its score, its rank, or what keeps it out."""
    found, model, warnings = await recommending.why(user_id, game_id, question)
    return WhyGame(
        user_id=user_id,
        model_version=model.manifest.version,
        data_kind=model.manifest.data_kind,
        warnings=[AnswerWarning.of(warned) for warned in warnings],
        game=GameDetail.of(found.game),
        score=found.score,
        rank=found.rank,
        source=found.source,
        reasons=[ShareOfScore.of(reason, found.score) for reason in found.reasons],
        kept_out_by=[KeptOutBy(**obstacle._asdict()) for obstacle in found.kept_out_by],
    )


# The path convertor lets a player's name hold a slash, so this stands last.
@router.get(
    "/{user_id:path}",
    summary="Recommend games to a player",
    responses=documented(ModelNotLoadedError),
    response_model=RecommendationList,
)
async def recommend(user_id: UserId, wishes: WishesQuery, recommending: Recommend) -> Response:
    """Answer with the `n` best games that the player does not have.

    What follows from the player's own plays comes first; popular games fill up the rest, and the answer says so in
    `source` and `warnings`. A player nobody knows gets the most popular games. Filters are applied before the cut to
    `n`: there are `n` games wherever `n` pass them.
    """
    return _json(await recommending.for_player(user_id, wishes))


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")
