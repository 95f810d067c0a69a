"""What a visitor of the page writes, without a key: one interaction at a time, and taking it back."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Path

from app import security
from app.core.errors import InteractionNotFoundError, PageWritesOffError
from app.core.interactions import Interaction, InteractionStore, Kind
from app.dependencies import Counted, GameId, Interactions, UserId
from app.interaction_schemas import KeptKind, WrittenOnPage
from app.page_session import Visit
from app.tally import By

# The page is part of the service, and calls this alone: nothing of it is in the document.
router = APIRouter(prefix="/page", include_in_schema=False, dependencies=[security.READS])


@router.post("/interactions", status_code=201)
async def write_on_page(
    body: WrittenOnPage, visit: Visit, interactions: Interactions, tally: Counted
) -> dict[str, int]:
    """Store what a visitor did; while the players are invented, only for one who is tried out."""
    one = body.interaction(time.time())
    await asyncio.to_thread(_write, interactions, one, tries_out=visit.tries_out)
    tally.wrote({one.kind: 1}, By.PAGE)
    return {"stored": 1}


@router.delete("/users/{user_id:path}/interactions/{game_id}/{kind}", status_code=204)
async def take_back_on_page(
    user_id: UserId, game_id: GameId, kind: Annotated[KeptKind, Path()], visit: Visit, interactions: Interactions
) -> None:
    """Forget what a visitor did, likewise."""
    if not await asyncio.to_thread(interactions.remove, user_id, game_id, Kind(kind), tried_out=visit.tries_out):
        raise InteractionNotFoundError(user_id, game_id, kind)


def _write(interactions: InteractionStore, one: Interaction, *, tries_out: bool) -> None:
    if not tries_out:
        interactions.write([one])
    elif not interactions.try_out(one):
        raise PageWritesOffError(
            f"What the player {one.user_id!r} does comes by the API, so nothing is tried out for that player here."
        )
