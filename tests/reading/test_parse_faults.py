"""What a person reads who made a mistake: where it is, what it is, how the line should be."""

from collections.abc import Iterator

import pytest
import yaml

from lab.model.diagnostic import Diagnostic, LabfileError, render
from lab.reading.parse import parse


def faults(text: str | bytes) -> tuple[Diagnostic, ...]:
    with pytest.raises(LabfileError) as caught:
        parse("L", text if isinstance(text, bytes) else text.encode())
    return caught.value.diagnostics


def brief(d: Diagnostic) -> tuple[str, str, str]:
    assert d.span is not None
    return f"{d.span.line}:{d.span.column}", d.summary, d.help


TEMPLATE = "a value that starts with `{{` must be quoted"
COLON = "a colon inside a value that is not quoted"
FIT = "the indentation of this line fits no line above it"
SIGN = "a value that starts with `%s` must be quoted"
MISTAKES = [
    ("a: {{ x }}\n", "1:4", TEMPLATE, 'write `a: "{{ x }}"`'),
    ("a: {{ x }}-foo # c\nb: 1\n", "1:4", TEMPLATE, 'write `a: "{{ x }}-foo"`'),
    ("a:\n  - {{ x }}/y\n", "2:5", TEMPLATE, 'write `- "{{ x }}/y"`'),
    ("c: [py, {{ x }}, b]\n", "1:9", TEMPLATE, 'write `c: [py, "{{ x }}", b]`'),
    ("c: [py, {{ x }}/a, b]\n", "1:9", TEMPLATE, 'write `c: [py, "{{ x }}/a", b]`'),
    ('a: {{ x["y"] }}\n', "1:4", TEMPLATE, "write `a: '{{ x[\"y\"] }}'`"),
    ("a: {{ x\n", "1:4", TEMPLATE, 'write `a: "{{ x }}"`'),
    (
        "a: {% if x %}b{% endif %}\n",
        "1:4",
        "`{% … %}` is not part of the language",
        'write an expression: `"{{ a if x else b }}"`',
    ),
    ("a: 1\nb:2\nc: 3\n", "2:2", "a space is missing after `b:`", "write `b: 2`"),
    ("s:\n  kind:x\n  needs: y\n", "2:7", "a space is missing after `kind:`", "write `kind: x`"),
    ("s:\n  a: 1\n  kind:x\n", "3:7", "a space is missing after `kind:`", "write `kind: x`"),
    ("v:{b: 1, c: 2}\n", "1:2", "a space is missing after `v:`", "write `v: {b: 1, c: 2}`"),
    ("a: {b:1, c: 2}\n", "1:5", "a space is missing after `b:`", "write `b: 1`"),
    ("s:\n  - \"y\"\n  -'x'\n", "3:3", "a space is missing after `-`", "write `- 'x'`"),
    ("v {b: 1, c: 2}\n", "1:2", "a colon is missing after `v`", "write `v: {b: 1, c: 2}`"),
    ("a: 1\nfoo\nb: 2\n", "2:1", "expected `key: value`", "write `foo: …`"),
    ("name = x\nb: 2\n", "1:1", "expected `key: value`", "write `name: x`"),
    ("a: note: this # c\n", "1:8", COLON, 'write `a: "note: this"`'),
    ("a: echo x:\n", "1:10", COLON, 'write `a: "echo x:"`'),
    ("s:\n  - a: b: c\n", "2:9", COLON, 'write `- a: "b: c"`'),
    ('a: "x": y\n', "1:7", COLON, "write `a: '\"x\": y'`"),
    (
        "a: {b: 1 c: 2}\n",
        "1:11",
        "a second colon in one item",
        "put a comma before `c`, or quote the value",
    ),
    ("a: x\n  b: y\n", "2:3", "this line is indented too far", "start it with no spaces, as `a` does"),
    ("a:\n    b: 1\n  c: 2\n", "3:3", FIT, "indent it exactly as its neighbours"),
    ("  a: 1\nb: 2\n", "1:1", "the first line is indented further than the ones below it",
     "start the keys of the top level in the first column"),
    ("l:\n  - a\n  b: 1\n", "3:3", "a key among the items of a list",
     "start the line with `- `, or indent it as the key that it belongs to"),
    ("l:\n  b: 1\n  - a\n", "3:3", "a list item among keys",
     "give the list a key of its own, or indent it below the key that it belongs to"),
    ("a: - b\n", "1:4", "a list cannot start on the line of its key",
     "start it on the next line:\n  a:\n    - b"),
    ('a: "foo\nb: 1\n', "1:4", 'this quote (`"`) is never closed', 'write `a: "foo"`'),
    ('a: "foo\nb: "bar"\n', "1:4", 'this quote (`"`) is never closed', 'write `a: "foo"`'),
    ("a: 'foo\nb: 'bar'\n", "1:4", "this quote (`'`) is never closed", "write `a: 'foo'`"),
    ('a: "x""\n', "1:7", 'a quote (`"`) too many', "remove it"),
    ("a: 'it's here'\n", "1:8", "text after the closing quote", 'write `a: "it\'s here"`'),
    ('a: "x" y # c\n', "1:8", "text after the closing quote", "write `a: '\"x\" y'`"),
    ("a: [x] y\n", "1:8", "text after the closing bracket", 'write `a: "[x] y"`'),
    ('a: "C:\\path"\n', "1:7", "`\\p` in double quotes means nothing",
     "use single quotes, in which a backslash is just itself, or double it: `\\\\`"),
    ("a: [1, 2\nb: 3\n", "1:4", "this bracket (`[`) is never closed", "put a `]` after the last value"),
    ("a: {b: 1\nc: 3\n", "1:4", "this bracket (`{`) is never closed", "put a `}` after the last value"),
    ("s:\n  a: [x,\n    y\n  b: {z: 1}\n", "2:6", "this bracket (`[`) is never closed",
     "put a `]` after the last value"),
    ("a: [1, 2", "1:4", "this bracket (`[`) is never closed", "put a `]` after the last value"),
    ("a: [1, 2}\n", "1:9", "`[` is closed by `}`", "write `]` here"),
    ("a: [1, 2]]\n", "1:10", "`]` closes nothing", "remove it, or quote the value if it starts with `]`"),
    ("a: [1,,2]\n", "1:7", "a value is missing here", "remove the extra comma"),
    ('a: ["x" "y"]\n', "1:9", "a comma is missing before this", "put a comma between the two values"),
    ("a: @foo\n", "1:4", SIGN % "@", 'write `a: "@foo"`'),
    ("a: `foo`\n", "1:4", "a value that starts with a backtick must be quoted",
     'write:\n  a: "`foo`"'),
    ("a: %foo\n", "1:4", SIGN % "%", 'write `a: "%foo"`'),
    ("a: *.txt\n", "1:4", SIGN % "*", 'write `a: "*.txt"`'),
    ("a: [b, **/*.py, c]\n", "1:8", SIGN % "*", 'write `a: [b, "**/*.py", c]`'),
    ("a: && b\n", "1:4", SIGN % "&", 'write `a: "&& b"`'),
    ("a:\n  - >= 0.9\n", "2:5", SIGN % ">", 'write `- ">= 0.9"`'),
    ("a: |foo\n", "1:4", SIGN % "|", 'write `a: "|foo"`'),
    ("a: !e!x b\n", "1:4", SIGN % "!", 'write `a: "!e!x b"`'),
    ("a:\n\tb: 1\n", "2:1", "a tab in the indentation", "replace each tab by two spaces"),
    ("a:\n  b: 1\n  \tc: 2\n", "3:3", "a tab in the indentation", "replace each tab by two spaces"),
    ("a: b\n\tc: d\n", "2:1", "a tab in the indentation", "replace each tab by two spaces"),
    ("a: !foo b\n", "1:4", "tags such as `!foo` are not part of the language",
     'remove the tag; to have a text, quote the value: `"3.10"`'),
    ("a: &x !!python/object:os.system b\n", "1:7",
     "tags such as `!!python/object:os.system` are not part of the language",
     'remove the tag; to have a text, quote the value: `"3.10"`'),
    ("a: *foo\n", "1:4", "nothing above is marked `&foo`",
     'if a pattern is meant, quote it: `"*foo"`'),
    ("a: &x [1, *x]\n", "1:11", "`*x` stands inside what it repeats",
     "take the alias out, or write the value in full"),
    ("a: &a {k: v}\nb:\n  <<: *a\n", "3:3", "merge keys (`<<`) are not part of the language",
     "in a step write `like: other-step`, and beside it the keys that differ"),
    ("? [a]\n: b\n", "1:3", "a map or a list cannot be a key",
     "write a plain word before the `:`, or quote the key"),
    (": b\n", "1:1", "a key is missing before `:`",
     'write `key: value`; a value that starts with a colon is quoted: `":value"`'),
    ("a: 1\n---\nb: 2\n", "2:1", "a second document starts here",
     "remove the `---`, or move what follows to a file of its own"),
    ("", "1:1", "the file is empty", "write `key: value` lines; a map without keys is written `{}`"),
    ("# only this\n\n", "1:1", "the file is empty",
     "write `key: value` lines; a map without keys is written `{}`"),
    ("labfile:1\n", "1:1", "the file must be a map of `key: value` lines",
     "put a space after each key's colon: `name: mnist`"),
    ("# c\n- name: train\n  hosts: all\n", "2:1",
     "the file must be a map of `key: value` lines, not a list",
     "write each step under its name:\n  steps:\n    train:\n      command: [python, train.py]"),
    ("- a\n", "1:1", "the file must be a map of `key: value` lines, not a list",
     "start each line of the top level with a key"),
]  # fmt: skip


@pytest.fixture(params=["libyaml", "python"])
def back_end(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader")
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    yield


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize(("text", "place", "summary", "advice"), MISTAKES)
def test_a_mistake_is_named(text: str, place: str, summary: str, advice: str) -> None:
    assert [brief(each) for each in faults(text)] == [(place, summary, advice)]


@pytest.mark.parametrize(("text", "place", "summary", "advice"), MISTAKES)
def test_the_advice_is_right(text: str, place: str, summary: str, advice: str) -> None:
    """A line that a help shows in full can be put in place of the wrong one."""
    shown = advice.removeprefix("write `").removesuffix("`")
    if not advice.startswith("write `") or "…" in shown or "`" in shown or "{" in text[:1]:
        return
    lines = text.splitlines()
    number = int(place.partition(":")[0]) - 1
    if shown in ("]", "b: 1"):
        # Only a part of the line.
        return
    lines[number] = " " * (len(lines[number]) - len(lines[number].lstrip())) + shown
    parse("L", "\n".join(lines).encode())


def test_a_fault_in_full() -> None:
    text = "steps:\n  train:\n    kind: training\n  eval: {}\n  train:\n    kind: command\n"
    (fault,) = faults(text)
    assert render(fault, lambda _: text, color=False) == (
        "L:5:3: error: `train` is given twice\n"
        "  |\n"
        "5 |   train:\n"
        "  |   ^^^^^\n"
        "  |\n"
        " ::: L:2:3: first given here\n"
        "  |\n"
        "2 |   train:\n"
        "  |   -----\n"
        "  |\n"
        "  = A map holds a key once; of two, one would be lost silently.\n"
        "  = help: remove or rename one of them"
    )


def test_keys_that_read_alike_are_the_same_key() -> None:
    (fault,) = faults("1: a\n'1': b\n")
    assert brief(fault)[:2] == ("2:1", "`1` is given twice")


def test_all_faults_at_once() -> None:
    text = """\
labfile: 1
name: {{ vars.name }}
vars:
  a: 1
  a: 2
  glob: *.py
steps:
  one:
    kind:command
    command: echo note: this
  two: {like: *one}
  three:
    <<: {a: 1}
    require: >= 0.9
    when: !expr x
    command: [python, {{ vars.a }}/x.py, @me]
"""
    assert [(brief(each)[0], each.summary) for each in faults(text)] == [
        ("2:7", TEMPLATE),
        ("5:3", "`a` is given twice"),
        ("6:9", SIGN % "*"),
        ("9:9", "a space is missing after `kind:`"),
        ("10:23", COLON),
        ("11:15", "nothing above is marked `&one`"),
        ("13:5", "merge keys (`<<`) are not part of the language"),
        ("14:14", SIGN % ">"),
        ("15:11", "tags such as `!expr` are not part of the language"),
        ("16:23", TEMPLATE),
        ("16:42", SIGN % "@"),
    ]


def test_tabs_are_one_fault_and_hide_no_other() -> None:
    found = faults("a:\n\tb: 1\n\tb: 2\n\tc: @x\n")
    assert [brief(each)[0] for each in found] == ["2:1", "3:2", "4:5"]
    assert "2 more lines" in found[0].detail


def test_a_fault_does_not_bring_others_that_are_not() -> None:
    found = faults("steps:\n  note\n    kind: a\n  other:\n    kind: a\n")
    assert [brief(each)[:2] for each in found] == [("2:3", "expected `key: value`")]


def test_faults_are_bounded() -> None:
    assert 20 <= len(faults("x: @y\n" * 1000)) <= 50
    assert len(faults("a: 1\n" * 5000)) <= 50
    assert len(faults("".join(f"k{n}: !x y\n" for n in range(5000)))) <= 50


@pytest.mark.usefixtures("back_end")
def test_bombs_are_defused() -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    (fault,) = faults(laughs)
    assert brief(fault)[1] == "the file unfolds into more than lab reads"
    long = "a: &a " + "x" * 100_000 + "\nb: [" + "*a, " * 1000 + "]\n"
    assert faults(long)[0].summary == "the file unfolds into more than lab reads"
    nested = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 120))
    assert faults(nested)[0].summary == "nested more than 100 levels deep"


@pytest.mark.usefixtures("back_end")
@pytest.mark.parametrize("text", ["x: " + "[" * 3000, "x: " + "{a: " * 3000, "- " * 3000])
def test_depth_is_bounded(text: str) -> None:
    assert any("levels deep" in each.summary for each in faults(text))


def test_a_second_document_is_refused_after_anything() -> None:
    assert "second document" in faults("--- {}\n--- [}\n")[0].summary
