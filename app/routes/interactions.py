"""What players did: written one by one or many at once, read, and forgotten."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Body, HTTPException, Path
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app import security
from app.core.errors import DatabaseError, InteractionNotFoundError
from app.core.interactions import Interaction, Kind
from app.dependencies import Counted, GameId, Interactions, N, Names, Offset, PlayersNow, UserId
from app.exception_handlers import documented
from app.interaction_schemas import (
    MAX_WRITTEN,
    InteractionPage,
    KeptInteraction,
    KeptKind,
    OneOrMany,
    RejectedRow,
    WriteSummary,
    one_written,
    row_reason,
)
from app.tally import By

router = APIRouter(tags=["players"])

_MOST_REASONS = 10  # of one row are told


class _Checked(NamedTuple):
    valid: list[Interaction]
    rejected: list[RejectedRow]


@router.post(
    "/interactions",
    dependencies=[security.WRITES],
    status_code=201,
    summary="Write what players did",
    responses=documented(DatabaseError),
)
async def write_interactions(
    body: Annotated[OneOrMany, Body()], interactions: Interactions, names: Names, tally: Counted
) -> WriteSummary:
    """Store one interaction, or a list of up to 1,000; the next answer to the player follows from it.

    Every valid one of a list is stored, and the others come back with their index and the reason; where not one is
    valid the answer is 422. For each player, game and kind the last one written counts; a dislike takes the place of a
    like. When this answers, what was stored outlives a crash.
    """
    rows: Sequence[object] = body if isinstance(body, list) else [body]
    if not 1 <= len(rows) <= MAX_WRITTEN:
        raise _invalid([(("body",), f"must be one interaction, or a list of 1 to {MAX_WRITTEN}")])
    valid, rejected = _check(rows, time.time())
    if not valid:
        places = [("body", row.index) if isinstance(body, list) else ("body",) for row in rejected]
        raise _invalid(
            [
                ((*place, row.field) if row.field else place, row.reason)
                for place, row in zip(places, rejected, strict=True)
            ]
        )
    fresh = await asyncio.to_thread(interactions.write, valid)
    stored = sum(fresh)
    tally.wrote(Counter(one.kind for one, is_new in zip(valid, fresh, strict=True) if is_new), By.API)
    return WriteSummary(
        stored=stored,
        repeated=len(fresh) - stored,
        unknown_games=names.unknown({one.game_id for one in valid}),
        rejected=rejected,
    )


@router.get(
    "/users/{user_id:path}/interactions",
    dependencies=[security.WRITES],
    summary="List what a player did",
    responses=documented(DatabaseError),
)
async def list_interactions(
    user_id: UserId, interactions: Interactions, names: Names, n: N = 10, offset: Offset = 0
) -> InteractionPage:
    """List what is kept of a player, ordered by game; a player nobody knows has an empty list."""
    page = await asyncio.to_thread(interactions.page, user_id, n, offset)
    return InteractionPage(
        user_id=user_id,
        total=page.total,
        interactions=[KeptInteraction.of(one, names.of(one.game_id)) for one in page.interactions],
    )


@router.delete(
    "/users/{user_id:path}/interactions/{game_id}/{kind}",
    dependencies=[security.WRITES],
    status_code=204,
    summary="Take back one interaction",
    responses=documented(DatabaseError, InteractionNotFoundError),
)
async def delete_interaction(
    user_id: UserId, game_id: GameId, kind: Annotated[KeptKind, Path()], interactions: Interactions
) -> None:
    """Forget one interaction, as if it had never been written; the same `event_id` may be sent again."""
    if not await asyncio.to_thread(interactions.remove, user_id, game_id, Kind(kind)):
        raise InteractionNotFoundError(user_id, game_id, kind)


@router.delete("/users/{user_id:path}/interactions", include_in_schema=False)
async def delete_all_interactions(user_id: UserId) -> None:  # noqa: ARG001  # the path has it
    """Refuse what would else be taken for the erasure of a player of such a name; to erase one is what is wanted."""
    raise HTTPException(405)


@router.delete(
    "/users/{user_id:path}",
    dependencies=[security.ADMINISTERS],
    status_code=204,
    summary="Erase a player",
    responses=documented(DatabaseError),
)
async def erase_player(user_id: UserId, interactions: Interactions, players: PlayersNow) -> None:
    """Forget a player for good: nothing is left in the database, in the next answer, or in the next model.

    Erasing somebody twice, or somebody nobody knows, does no harm. What stays is a digest of the name, so that a
    model trained before does not answer for the player.
    """
    await asyncio.to_thread(interactions.erase, user_id)
    await players.refresh()


def _check(rows: Sequence[object], now: float) -> _Checked:
    checked = _Checked([], [])
    for index, row in enumerate(rows):
        try:
            checked.valid.append(one_written.validate_python(row).interaction(now))
        except ValidationError as wrong:
            checked.rejected.append(_rejected(index, wrong))
    return checked


def _rejected(index: int, wrong: ValidationError) -> RejectedRow:
    found = [row_reason(error) for error in wrong.errors(include_url=False, include_input=False)[:_MOST_REASONS]]
    field, reason = found[0]
    others = "".join(f"; {other}: {why}" for other, why in found[1:])
    return RejectedRow(index=index, field=field, reason=reason + others)


def _invalid(found: Sequence[tuple[tuple[Any, ...], str]]) -> RequestValidationError:
    return RequestValidationError([{"loc": place, "msg": reason} for place, reason in found])
