"""What a fault looks like to a person."""

import pytest

from lab.model.diagnostic import (
    Diagnostic,
    LabError,
    LabfileError,
    PlanError,
    Severity,
    Span,
    StateError,
    did_you_mean,
    render,
)

TEXT = "labfile: 1\nsteps:\n  train:\n    kind: trainning\n"


def show(d: Diagnostic, text: str | None = TEXT, width: int = 100) -> str:
    return render(d, lambda name: text if name == "L" else None, color=False, width=width)


def test_a_fault_shows_its_place_its_line_why_and_what_to_do() -> None:
    fault = Diagnostic(
        summary="unknown kind 'trainning'",
        detail="A kind says what a step is.",
        help="did you mean `training`?",
        span=Span("L", 4, 11, 4, 20),
        notes=(("the step starts here", Span("L", 3, 3, 3, 8)),),
    )
    assert show(fault) == (
        "L:4:11: error: unknown kind 'trainning'\n"
        "  |\n"
        "4 |     kind: trainning\n"
        "  |           ^^^^^^^^^\n"
        "  |\n"
        " ::: L:3:3: the step starts here\n"
        "  |\n"
        "3 |   train:\n"
        "  |   -----\n"
        "  |\n"
        "  = A kind says what a step is.\n"
        "  = help: did you mean `training`?"
    )


def test_without_a_place_or_a_text_the_words_remain() -> None:
    bare = Diagnostic(summary="no lock", help="wait", severity=Severity.WARNING)
    assert show(bare) == "warning: no lock\n  = help: wait"
    placed = Diagnostic(summary="s", span=Span("L", 9, 1, 9, 2))
    assert show(placed, None) == show(placed) == "L:9:1: error: s"


def test_several_digits_share_one_gutter() -> None:
    text = "\n" * 11 + "key: value"
    fault = Diagnostic(
        summary="s", span=Span("L", 12, 6, 12, 11), notes=(("n", Span("L", 1, 1, 1, 2)),)
    )
    lines = show(fault, text).splitlines()
    assert "12 | key: value" in lines
    assert "   |      ^^^^^" in lines
    assert " 1 |" in lines


def test_a_long_line_is_shown_around_the_fault() -> None:
    line = "x" * 500 + " HERE " + "y" * 500
    shown = show(Diagnostic(summary="s", span=Span("L", 1, 502, 1, 506)), line, width=80)
    _, _, source, marks, _ = shown.splitlines()
    assert len(source) <= 80
    assert source.startswith("1 | …x")
    assert source.endswith("y…")
    assert source.index("HERE") == marks.index("^^^^")
    assert marks.count("^") == 4


@pytest.mark.parametrize(
    ("line", "column", "shown", "blanks"),
    [
        ("\tkey", 2, "    key", 4),
        ("漢字: x", 5, "漢字: x", 6),
        ("e\u0301: x", 5, "e\u0301: x", 3),
        ("\x1b[31m: x", 8, "\\x1b[31m: x", 10),
        ("\u202ea: x", 5, "\\u202ea: x", 9),
        ("\U000e0041: x", 4, "\\U000e0041: x", 12),
    ],
)
def test_marks_stand_below_what_they_mark(line: str, column: int, shown: str, blanks: int) -> None:
    out = show(Diagnostic(summary="s", span=Span("L", 1, column, 1, column + 1)), line)
    assert out.splitlines()[2] == f"1 | {shown}"
    assert out.splitlines()[3] == f"  | {' ' * blanks}^"


def test_a_file_cannot_speak_to_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x9b2J\u202e\x08"
    fault = Diagnostic(
        summary=evil,
        detail=evil,
        help=evil,
        span=Span(evil, 1, 1, 1, 99),
        notes=((evil, None), (evil, Span(evil, 1, 1, 1, 1))),
    )
    out = render(fault, lambda _: evil, color=False)
    assert all(char.isprintable() or char == "\n" for char in out)
    assert all(char.isprintable() for char in str(LabError(fault)).replace("\n", ""))


def test_color_adds_nothing_but_color() -> None:
    fault = Diagnostic(summary="s", detail="d", help="h", span=Span("L", 4, 11, 4, 20))
    colored = render(fault, lambda _: TEXT, color=True)
    assert colored.startswith("L:4:11: \x1b[31;1merror\x1b[0m: ")
    plain = ""
    for piece in colored.split("\x1b["):
        plain += piece.partition("m")[2] if plain or piece[:1].isdigit() else piece
    assert plain == show(fault)


def test_a_span_of_several_lines_is_marked_to_the_end_of_its_first() -> None:
    out = show(Diagnostic(summary="s", span=Span("L", 2, 1, 4, 3)))
    assert out.splitlines()[2:4] == ["2 | steps:", "  | ^^^^^^"]


def test_paragraphs_wrap_and_examples_do_not() -> None:
    long = "word " * 40
    example = "  " + "x" * 150
    out = show(Diagnostic(summary="s", detail=long + "\n" + example, help=long), width=60)
    lines = out.splitlines()
    assert sum(len(line) > 60 for line in lines) == 1
    assert any(line.endswith("x" * 150) for line in lines)
    assert sum(line.startswith("  = ") for line in lines) == 2


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("trainning", ["training", "terraform"], "training"),
        ("comand", ["command", "compose"], "command"),
        ("mathod", ["method"], "method"),
        ("teh", ["the"], "the"),
        ("KIND", ["kind", "king"], "kind"),
        ("environ", ["env", "environment", "outputs"], "environment"),
        ("ab", ["ac", "aa"], "aa"),
        ("kind", ["kubernetes"], ""),
        ("", ["a"], ""),
        ("x" * 5000, ["x" * 4999], ""),
        ("a", [], ""),
    ],
)
def test_did_you_mean(word: str, known: list[str], found: str) -> None:
    expected = f"did you mean `{found}`?" if found else ""
    assert did_you_mean(word, known) == expected
    assert did_you_mean(word, reversed(known)) == expected


def test_each_error_knows_its_exit_code() -> None:
    assert [e.exit_code for e in (LabError, LabfileError, PlanError, StateError)] == [2, 2, 3, 4]
    error = LabfileError(
        Diagnostic(summary="a"), Diagnostic(summary="b", span=Span("L", 1, 2, 1, 3))
    )
    assert [each.summary for each in error.diagnostics] == ["a", "b"]
    assert str(error) == "error: a\nL:1:2: error: b"
