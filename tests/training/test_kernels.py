from collections.abc import Callable
from typing import Any

import pytest

from training.estimators import kernels


def test_where_nothing_can_be_kept_the_kernels_are_compiled_at_each_start(monkeypatch: pytest.MonkeyPatch):
    """numba refuses to keep code where neither the code's folder nor the home folder can be written to."""

    def njit(*, nogil: bool, cache: bool = False) -> Callable[[Any], Any]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: (function, nogil)

    monkeypatch.setattr("numba.njit", njit)

    compiled: object = kernels.compiled(abs)

    assert compiled == (abs, True)
