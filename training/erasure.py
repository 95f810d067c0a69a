"""Players who ask to be forgotten while a run is going on are not in what it publishes."""

from collections.abc import Collection, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from app.core.histories import Histories, Play
from app.core.interactions import digest_of
from app.core.packed import PackedStrings
from training.hold_out import HeldOut


def never_again(plays: Iterable[Play], erased: Collection[bytes]) -> Iterator[Play]:
    """Leave out the plays of erased players, named by their digests."""
    return (play for play in plays if not erased or digest_of(play.user_id) not in erased)


def forget(histories: Histories, held_out: HeldOut, erased: Collection[bytes]) -> tuple[Histories, HeldOut]:
    """Take erased players, named by their digests, out of histories and of what was held out of them."""
    users = list(histories.users)
    kept = np.array([not erased or digest_of(user.decode()) not in erased for user in users], dtype=bool)
    if kept.all():
        return histories, held_out
    rows = np.repeat(kept, np.diff(histories.indptr))
    left = Histories(
        users=PackedStrings.pack(user for user, stays in zip(users, kept, strict=True) if stays),
        indptr=_shortened(histories.indptr, kept),
        indices=histories.indices[rows],
        weights=histories.weights[rows],
    )
    tested = kept[held_out.players]
    moved = np.cumsum(kept) - 1  # from the old position of a player to the new
    return left, HeldOut(
        players=moved[held_out.players[tested]].astype(np.int32),
        indptr=_shortened(held_out.indptr, tested),
        indices=held_out.indices[np.repeat(tested, np.diff(held_out.indptr))],
    )


def _shortened(indptr: npt.NDArray[np.int64], kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.diff(indptr)[kept])]).astype(np.int64)
