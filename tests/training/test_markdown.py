import pytest

from training.markdown import plain, table


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Portal 2", "Portal 2"),
        ("a | b", r"a \| b"),
        ("<b>*x*_y_</b>", r"\<b\>\*x\*\_y\_\</b\>"),
        ("[x](https://rawg.io) `y`", r"\[x\](https://rawg.io) \`y\`"),
        ("two\nlines\\", r"two lines\\"),
        ("Ori & Co. &amp; &#38;", r"Ori & Co. \&amp; \&#38;"),
        ("$1~~2~~", r"\$1\~\~2\~\~"),
    ],
)
def test_what_others_chose_means_nothing(text: str, written: str):
    assert plain(text) == written


def test_a_table_has_rows_or_is_none():
    assert table(["a", "b"], [["1", "2"]]) == ["| a | b |", "|---|---|", "| 1 | 2 |", ""]
    assert table(["a"], []) == []
