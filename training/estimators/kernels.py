"""The compiled inner loops of the estimators.

They hold no lock of the interpreter, so threads run them on all cores; compiled at the first call, and kept on disk
for the next start.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function that uses numbers and arrays alone."""
    try:
        kept = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the code nor the home folder can be written to
        kept = numba.njit(nogil=True)(function)
    return cast("_Function", kept)


class Sides(NamedTuple):
    """One user-item matrix X from both sides, as CSR arrays by item and by player.

    The values by player carry the weight w of the player besides, so that row i of the Gram matrix `X^T diag(w) X` is
    a walk from item i to its players and on to their items.
    """

    item_indptr: Int64s
    item_players: Int32s
    item_values: Float32s
    player_indptr: Int64s
    player_items: Int32s
    player_values: Float32s


@compiled
def gram_row(sides: Sides, item: int, sums: Float64s) -> int:
    """Add an item's row of the Gram matrix to `sums`, as long as there are items; returns how many products it took.

    In double precision: the rounding of a million equal products would otherwise add up.
    """
    products = 0
    for at_player in range(sides.item_indptr[item], sides.item_indptr[item + 1]):
        player, value = sides.item_players[at_player], sides.item_values[at_player]
        start, stop = sides.player_indptr[player], sides.player_indptr[player + 1]
        for at_item in range(start, stop):
            sums[sides.player_items[at_item]] += value * sides.player_values[at_item]
        products += stop - start
    return products


@compiled
def touched(sides: Sides, item: int, products: int, sums: Float64s, found: Int32s) -> int:
    """List in `found` the items that a row of the Gram matrix is not 0 at, each once; returns how many they are.

    Looks at whatever is shorter: at all items, or at the products once more.
    """
    count = 0
    if products >= len(sums):
        for other in range(len(sums)):
            if sums[other] != 0:
                found[count] = other
                count += 1
        return count
    for at_player in range(sides.item_indptr[item], sides.item_indptr[item + 1]):
        player = sides.item_players[at_player]
        for at_item in range(sides.player_indptr[player], sides.player_indptr[player + 1]):
            other = sides.player_items[at_item]
            if sums[other] > 0:
                sums[other] = -sums[other]  # found already
                found[count] = other
                count += 1
    for at in range(count):
        sums[found[at]] = -sums[found[at]]
    return count


@compiled
def clear(sides: Sides, item: int, products: int, sums: Float64s) -> None:
    """Set a row of the Gram matrix to 0 again, by whatever is shorter."""
    if products >= len(sums):
        sums[:] = 0
        return
    for at_player in range(sides.item_indptr[item], sides.item_indptr[item + 1]):
        player = sides.item_players[at_player]
        for at_item in range(sides.player_indptr[player], sides.player_indptr[player + 1]):
            sums[sides.player_items[at_item]] = 0


@compiled
def sink(values: Float32s, indices: Int32s, size: int, value: float, index: int) -> None:
    """Put an entry in place of the top of a heap, whose weakest entry is on top: the least value, the largest index."""
    place = 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and (
            values[child + 1] < values[child]
            or (values[child + 1] == values[child] and indices[child + 1] > indices[child])
        ):
            child += 1
        if value < values[child] or (value == values[child] and index > indices[child]):
            break
        values[place], indices[place] = values[child], indices[child]
        place = child
    values[place], indices[place] = value, index


@compiled
def rise(values: Float32s, indices: Int32s, size: int, value: float, index: int) -> None:
    """Add an entry to a heap of `size` entries that has room for one more."""
    place = size
    while place > 0:
        parent = (place - 1) >> 1
        if values[parent] < value or (values[parent] == value and indices[parent] > index):
            break
        values[place], indices[place] = values[parent], indices[parent]
        place = parent
    values[place], indices[place] = value, index


@compiled
def nearest(
    sides: Sides, start: int, stop: int, lengths: Float32s, shrinkage: float, indices: Int32s, values: Float32s
) -> Int64s:
    """Find the most similar items of each item from `start` to `stop`, as many as `indices` and `values` have columns.

    Strongest first, ties in the order of the indices; returns how many were found of each. The similarity of i and j
    is `gram_ij / (lengths_i * lengths_j + shrinkage)`.
    """
    items, k = len(lengths), indices.shape[1]
    sums, others = np.zeros(items, np.float64), np.empty(items, np.int32)
    found = np.zeros(stop - start, np.int64)
    for item in range(start, stop):
        heap_values, heap_indices, size = values[item - start], indices[item - start], 0
        products = gram_row(sides, item, sums)
        for at in range(touched(sides, item, products, sums, others)):
            other = others[at]
            similarity = float(np.float32(sums[other] / (lengths[item] * lengths[other] + shrinkage)))
            sums[other] = 0
            if other == item:
                continue
            if size < k:
                rise(heap_values, heap_indices, size, similarity, other)
                size += 1
            elif similarity > heap_values[0] or (similarity == heap_values[0] and other < heap_indices[0]):
                sink(heap_values, heap_indices, size, similarity, other)
        found[item - start] = size
        for last in range(size - 1, 0, -1):
            weakest_value, weakest_index = heap_values[0], heap_indices[0]
            sink(heap_values, heap_indices, last, heap_values[last], heap_indices[last])
            heap_values[last], heap_indices[last] = weakest_value, weakest_index
    return found


class Systems(NamedTuple):
    """Linear systems of many sizes: system s, of the items `items[indptr[s]:indptr[s + 1]]`.

    Of its symmetric matrix the lower triangle stands in `matrices` from `offsets[s]` on, row by row; its right side,
    and later its solution, in `sides` at the places of its items.
    """

    indptr: Int64s
    items: Int32s
    offsets: Int64s
    matrices: Float32s
    sides: Float32s


@compiled
def fill(systems: Systems, sides: Sides, rows: Int64s, uses_indptr: Int64s, uses: Int64s, places: Int64s) -> None:
    """Write rows of the Gram matrix into the systems that use them.

    Row `rows[r]` is used by the systems `uses[uses_indptr[r]:uses_indptr[r + 1]]`, in the row of their matrix that
    `places` names, or as their right side where it is -1.
    """
    sums = np.zeros(len(sides.item_indptr) - 1, np.float64)
    for r in range(len(rows)):
        products = gram_row(sides, rows[r], sums)
        for use in range(uses_indptr[r], uses_indptr[r + 1]):
            system, place = uses[use], places[use]
            first = systems.indptr[system]
            size = systems.indptr[system + 1] - first
            if place < 0:
                for column in range(size):
                    systems.sides[first + column] = sums[systems.items[first + column]]
            else:
                row = systems.offsets[system] + place * (place + 1) // 2
                for column in range(place + 1):
                    systems.matrices[row + column] = sums[systems.items[first + column]]
        clear(sides, rows[r], products, sums)


@compiled
def solve(systems: Systems, start: int, stop: int, penalties: Float32s) -> None:
    """Solve `(matrix + diag(penalties of its items)) x = side` for each system, by Cholesky; x replaces the side."""
    for system in range(start, stop):
        first = systems.indptr[system]
        size = systems.indptr[system + 1] - first
        matrix = np.zeros((size, size), np.float32)
        at = systems.offsets[system]
        for row in range(size):
            matrix[row, : row + 1] = systems.matrices[at : at + row + 1]
            matrix[row, row] += penalties[systems.items[first + row]]
            at += row + 1
        lower = np.linalg.cholesky(matrix)
        x = systems.sides[first : first + size]
        for row in range(size):
            rest = x[row]
            for column in range(row):
                rest -= lower[row, column] * x[column]
            x[row] = rest / lower[row, row]
        for row in range(size - 1, -1, -1):
            x[row] /= lower[row, row]
            for column in range(row):
                x[column] -= lower[row, column] * x[row]
