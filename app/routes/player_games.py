"""The games that a player has, as games."""

from fastapi import APIRouter, HTTPException

from app.core.answer import Warned
from app.core.errors import ModelNotLoadedError
from app.core.player_games import player_games
from app.dependencies import Model, N, Offset, PlayersNow, UserId
from app.exception_handlers import documented
from app.player_schemas import GameOfPlayer, PlayerGamePage
from app.schemas import AnswerWarning

router = APIRouter(tags=["players"])


@router.get("/users/{user_id:path}/games", summary="List a player's games", responses=documented(ModelNotLoadedError))
async def list_player_games(
    user_id: UserId, model: Model, players: PlayersNow, n: N = 10, offset: Offset = 0
) -> PlayerGamePage:
    """List the games that a player played, rated, liked, disliked, wished for or hid, the latest first.

    Those of which no time is known follow, the one that counts most first. Of an invented player it is what was
    invented and what was written since; a player nobody knows has an empty list.
    """
    rows, trained_on, warnings = await players.history(user_id, model)
    found = player_games(rows, trained_on, model.weights)
    catalogue = model.recommender.catalogue
    indices = catalogue.indices_of([one.game_id for one in found]).tolist()
    known = [(one, index) for one, index in zip(found, indices, strict=True) if index >= 0]
    if unknown := len(found) - len(known):
        told = f"{unknown} of the player's games are not in the catalogue, and are left out."
        warnings = (*warnings, Warned("unknown_games", told))
    return PlayerGamePage(
        user_id=user_id,
        total=len(known),
        data_kind=model.manifest.data_kind,
        model_version=model.manifest.version,
        warnings=[AnswerWarning.of(warned) for warned in warnings],
        games=[
            GameOfPlayer.of(one, catalogue.game(index), invented=model.is_simulated and not one.kept)
            for one, index in known[offset : offset + n]
        ],
    )


@router.delete("/users/{user_id:path}/games", include_in_schema=False)
async def delete_all_games(user_id: UserId) -> None:  # noqa: ARG001  # the path has it
    """Refuse what would else be taken for the erasure of a player of such a name."""
    raise HTTPException(405)
