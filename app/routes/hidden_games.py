"""Games taken out of all answers by whoever runs the service."""

import asyncio

from fastapi import APIRouter

from app.core.errors import DatabaseError
from app.dependencies import GameId, Hidden, N, Names, Offset, PlayersNow
from app.exception_handlers import documented
from app.interaction_schemas import HiddenGameEntry, HiddenGamePage, written_time

router = APIRouter(prefix="/games", tags=["hidden games"])


@router.get("/hidden", summary="List the hidden games", responses=documented(DatabaseError))
async def list_hidden_games(hidden: Hidden, names: Names, n: N = 10, offset: Offset = 0) -> HiddenGamePage:
    """List the games that are in no answer, ordered by id."""
    page = await asyncio.to_thread(hidden.page, n, offset)
    return HiddenGamePage(
        total=page.total,
        games=[
            HiddenGameEntry(game_id=game_id, name=names.of(game_id), hidden_at=written_time(at))
            for game_id, at in page.games
        ],
    )


@router.put("/{game_id}/hidden", status_code=204, summary="Hide a game", responses=documented(DatabaseError))
async def hide_game(game_id: GameId, hidden: Hidden, players: PlayersNow) -> None:
    """Take a game out of all answers, from the next one on: recommendations, lists, and its own page.

    A game that the catalogue does not have yet can be hidden too.
    """
    await asyncio.to_thread(hidden.hide, game_id)
    await players.refresh()


@router.delete(
    "/{game_id}/hidden", status_code=204, summary="Let a game be seen again", responses=documented(DatabaseError)
)
async def unhide_game(game_id: GameId, hidden: Hidden, players: PlayersNow) -> None:
    """Put a game back into all answers, from the next one on; one that is not hidden stays as it is."""
    await asyncio.to_thread(hidden.unhide, game_id)
    await players.refresh()
