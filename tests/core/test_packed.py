import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.packed import PackedStrings


def test_strings_come_back_as_they_went_in():
    packed = PackedStrings.pack([b"one", b"", b"three"])

    assert list(packed) == [b"one", b"", b"three"]
    assert len(packed) == 3
    assert packed[2] == b"three"


@pytest.mark.parametrize("position", [-1, 3])
def test_there_is_nothing_outside(position: int):
    with pytest.raises(IndexError):
        PackedStrings.pack([b"a", b"b", b"c"])[position]


@given(st.sets(st.binary(max_size=6)), st.binary(max_size=6))
def test_find_sorted_finds_what_is_there_and_nothing_else(strings: set[bytes], other: bytes):
    ordered = sorted(strings)
    packed = PackedStrings.pack(ordered)

    assert [packed.find_sorted(string) for string in ordered] == list(range(len(ordered)))
    assert packed.find_sorted(other) == (ordered.index(other) if other in strings else None)
