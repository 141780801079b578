"""Tables fit their terminal, and say all where there is none."""

from __future__ import annotations

import pytest

from lab.report.tables import Cell, Column, cells, cut, table

LONG = "x" * 200


def drawn(
    *rows: list[str], width: int | None = None, columns: tuple[Column, ...] = ()
) -> list[str]:
    columns = columns or tuple(Column() for _ in rows[0])
    shown = [[Cell(text) for text in row] for row in rows]
    return table(columns, shown, colour=False, width=width).splitlines()


def test_columns_are_aligned() -> None:
    assert drawn(["a", "bb", "c"], ["aaa", "b", "c"]) == ["a    bb  c", "aaa  b   c"]


def test_a_column_without_any_text_takes_no_room() -> None:
    assert drawn(["a", "", "c"], ["b", "", "d"]) == ["a  c", "b  d"]


def test_titles_numbers_and_signs() -> None:
    columns = (Column(sign=True), Column(title="name"), Column(title="n", right=True))
    assert drawn(["+", "a", "10"], ["-", "b", "5"], columns=columns) == [
        "  name   n",
        "+ a     10",
        "- b      5",
    ]


@pytest.mark.parametrize("width", [24, 40, 80, 132])
def test_lines_fit_where_something_gives_way(width: int) -> None:
    columns = (Column(gives=True), Column(), Column(gives=True))
    lines = drawn(["step", "done", LONG], [LONG, "done", "x"], width=width, columns=columns)
    assert max(map(cells, lines)) == width
    assert all("done" in line for line in lines)


def test_nothing_is_cut_in_a_pipe_or_where_it_fits() -> None:
    columns = (Column(gives=True), Column(gives=True))
    assert LONG in drawn(["a", LONG], columns=columns)[0]
    assert drawn(["abcdefghijkl", "m"], width=15, columns=columns) == ["abcdefghijkl  m"]


def test_what_a_terminal_would_obey_is_shown() -> None:
    assert drawn(["a\x1b[31m", "b\nc"]) == ["a\\x1b[31m  b c"]


def test_wide_characters_are_two_columns() -> None:
    assert cells("日本") == 4 and cells("e\u0301") == 1
    assert cut("日本語", 5) == "日本…" and cut("日本語", 6) == "日本語"
    assert drawn(["日本", "x"], ["a", "x"]) == ["日本  x", "a     x"]


def test_paint_takes_no_room() -> None:
    columns = (Column(), Column())
    rows = [[Cell("a", "red"), Cell("b")], [Cell("aa", "red"), Cell("b")]]
    painted = table(columns, rows, colour=True)
    assert painted == "\x1b[31ma\x1b[0m   b\n\x1b[31maa\x1b[0m  b"


def test_no_rows() -> None:
    assert table((Column(), Column()), [], colour=False, width=80) == ""
