"""Templates: what they give, and what is said when they give nothing."""

from __future__ import annotations

import pytest

from lab.model.tree import TextFloat
from lab.model.values import Unknown
from lab.reading import template_parse
from lab.reading.template import (
    FILTERS,
    FUNCTIONS,
    TESTS,
    Missing,
    TemplateFault,
    has_template,
    is_template,
    leaves,
    render,
)
from lab.reading.template_parse import parse_expression

SCOPE = {
    "vars": {
        "lr": 0.1,
        "version": TextFloat(3.1, "3.10"),
        "n": 3,
        "name": "a b",
        "nothing": None,
        "yes": True,
        "team": {"lead": "ann", "size": 2},
        "layers": [64, 32],
        "people": [{"name": "ann", "age": 3}, {"name": "bob"}],
    },
    "env": {"HOME": "/home/ann"},
    "matrix": {"lr": 0.1},
    "steps": {
        "data": {"outputs": {"path": "/data", "rows": 10, "files": ["a", "b"]}},
        "my-step": {"outputs": {"x": 1}},
        "skipped": {"outputs": None},
        "train": {
            "outputs": {"path": ["/1", "/2"]},
            "lr=0.1": {"outputs": {"path": "/1"}},
            "lr=0.2": {"outputs": {"path": Unknown(("train[lr=0.2]",))}},
        },
        "late": {"outputs": Unknown(("late",))},
        "later": {"outputs": {"a": [1, Unknown(("later",))], "b": 2}},
    },
    "secrets": {"token": "hunter2", "json": '{"inner": 1}'},
    "lab": {"name": "mnist", "root": "/lab", "overlay": ""},
}


def fault_of(text: object) -> TemplateFault:
    with pytest.raises(TemplateFault) as caught:
        render(text, SCOPE)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("{{ vars.lr }}", 0.1),
        ("{{vars.lr}}", 0.1),
        ("{{ vars['lr'] }}", 0.1),
        ('{{ vars["lr"] }}', 0.1),
        ("{{ '1' }}", "1"),
        ("{{ '[1, 2]' }}", "[1, 2]"),
        ("{{ vars.yes }}", True),
        ("{{ vars.nothing }}", None),
        ("{{ vars.team }}", {"lead": "ann", "size": 2}),
        ("{{ vars.layers[0] }}", 64),
        ("{{ vars.layers[-1] }}", 32),
        ("{{ vars.layers[0:1] }}", [64]),
        ("{{ true }}{{ false }}", "truefalse"),
        ("--lr={{ vars.lr }}", "--lr=0.1"),
        ("python{{ vars.version }}", "python3.10"),
        ("{{ vars.version ~ '' }}", "3.10"),
        ("{{ vars.n }}-{{ vars.yes }}", "3-true"),
        ("x={{ vars.layers }} {{ vars.team }}", 'x=[64,32] {"lead":"ann","size":2}'),
        ("{{ vars.n + 1 }}", 4),
        ("{{ vars.n * 2.0 }}", 6.0),
        ("{{ 7 // 2 }} {{ 7 % 2 }} {{ 2 ** 10 }}", "3 1 1024"),
        ("{{ 'a' if vars.n > 2 else 'b' }}", "a"),
        ("{{ vars.n > 2 and vars.lr < 1 }}", True),
        ("{{ not vars.yes }}", False),
        ("{{ 1 < 2 < 3 }}", True),
        ("{{ 64 in vars.layers and 'lead' in vars.team and 'a' not in 'b' }}", True),
        ("{{ 'a' ~ 1 ~ true }}", "a1true"),
        ("{{ {'a': [1, {'b': 2}]}['a'][1].b }}", 2),
        ("{{ '}}' ~ '{{' }}", "}}{{"),
        ("docker ps --format {{ '{{.Names}}' }}", "docker ps --format {{.Names}}"),
        ('{"a": {{ vars.n }}}', '{"a": 3}'),
        ("{{ null }}", None),
        ("{{ none }}", None),
        ("a {## note {{ x }} ##}b", "a b"),
        ("${#a} {# x #} {%s} %} }} {", "${#a} {# x #} {%s} %} }} {"),
        ("${##} {{ 1 }}", "${##} 1"),
        ("{{ vars.missing | default('x') }}", "x"),
        ("{{ vars.nothing | default('x') }}", "x"),
        ("{{ nowhere.at.all | default('x') }}", "x"),
        ("{{ (vars.nothing | round(1)) | default('x') }}", "x"),
        ("{{ ([] | first) | default('x') }}", "x"),
        ("{{ vars.missing is defined }}", False),
        ("{{ vars.missing is undefined }}", True),
        ("{{ vars.nothing is none }}", True),
        ("{{ vars.n is not none }}", True),
        ("{{ steps.skipped.outputs.x }}", None),
        ("{{ steps.skipped.outputs.x | default(1) }}", 1),
        ("{{ steps['my-step'].outputs.x }}", 1),
        ("{{ steps.train['lr=0.1'].outputs.path }}", "/1"),
        ("{{ steps.train['lr=' ~ matrix.lr].outputs.path }}", "/1"),
        ("{{ vars.people | map(attribute='name') | join(', ') }}", "ann, bob"),
        ("{{ vars.people | selectattr('age', 'defined') | length }}", 1),
        ("{{ vars.people | map(attribute='age', default=0) | sum }}", 3),
        ("{{ range(1, 4) | map('string') | list }}", ["1", "2", "3"]),
        ("{{ secrets.json | fromjson }}", {"inner": 1}),
    ],
)
def test_gives(text: str, value: object) -> None:
    found = render(text, SCOPE)
    assert found == value
    assert type(found) is type(value)


def test_a_sole_expression_keeps_the_text_of_a_number() -> None:
    found = render("{{ vars.version }}", SCOPE)
    assert isinstance(found, TextFloat)
    assert found.text == "3.10"


def test_white_space_control_takes_the_neighbours_white_space() -> None:
    assert render("a  {{- ' b ' -}}\n c", SCOPE) == "a b c"
    assert render("{{ -1 }}", SCOPE) == -1
    assert render("{{-1}}", SCOPE) == -1


@pytest.mark.parametrize(
    ("sort", "name", "entry"),
    [
        (sort, name, entry)
        for sort, table in (("filter", FILTERS), ("test", TESTS), ("function", FUNCTIONS))
        for name, entry in table.items()
    ],
)
def test_every_documented_example_gives_what_it_says(sort: str, name: str, entry: object) -> None:
    assert render("{{ " + entry.example + " }}", {}) == entry.gives  # type: ignore[attr-defined]
    assert entry.doc.endswith(".")  # type: ignore[attr-defined]
    assert name in entry.example or sort == "test"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ 'a b'|quote }} {{ \"it's\" | quote }}", "'a b' 'it'\"'\"'s'"),
        ("{{ '3.9' | int }}", 3),
        ("{{ 'x' | int(0) }}", 0),
        ("{{ 'x' | float(0.5) }}", 0.5),
        ("{{ 2.345 | round(1, 'ceil') }}", 2.4),
        ("{{ 2.345 | round(1, 'floor') }}", 2.3),
        ("{{ ['b', 'A'] | sort }}", ["A", "b"]),
        ("{{ ['b', 'A', 'C'] | sort(reverse=true) }}", ["C", "b", "A"]),
        (
            "{{ vars.people | selectattr('age', 'defined') | sort(attribute='age') | map(attribute='name') | first }}",
            "ann",
        ),
        ("{{ ['a', 'A', 'b'] | unique }}", ["a", "b"]),
        ("{{ ['a', 'A'] | unique(case_sensitive=true) }}", ["a", "A"]),
        ("{{ [{'a': 1}, {'a': 1}] | unique }}", [{"a": 1}]),
        ("{{ 'aaa' | replace('a', 'b', 2) }}", "bba"),
        ("{{ 'a  b' | split }}", ["a", "b"]),
        ("{{ '%5.1f|%-3s|%03d%%' | format(1.25, 'a', 7) }}", "  1.2|a  |007%"),
        ("{{ '%.2e' % 0.0001 }}", "1.00e-04"),
        ("{{ {'b': 1, 'a': [true, none]} | tojson }}", '{"a":[true,null],"b":1}'),
        ("{{ {'a': 1} | tojson(indent=2) }}", '{\n  "a": 1\n}'),
        ("{{ [1, 'a', none] | select('number') }}", [1]),
        ("{{ [0, 1, ''] | select }}", [1]),
        ("{{ [3, 1, 2] | reject('gt', 2) }}", [1, 2]),
        ("{{ '/a/b/' | basename }} {{ '/a/b/' | dirname }}", "b /a"),
        ("{{ 'abc' | reverse }} {{ 'ab' * 2 }} {{ 'abc'[1:] }}", "cba abab bc"),
    ],
)
def test_filters_give(text: str, value: object) -> None:
    assert render(text, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("{{ steps.late.outputs.x }}", ("late",)),
        ("a {{ steps.late.outputs.x }} b", ("late",)),
        ("{{ steps.late.outputs.x | default(1) }}", ("late",)),
        ("{{ steps.late.outputs.x is defined }}", ("late",)),
        ("{{ steps.later.outputs.a }}", ("later",)),
        ("{{ steps.later.outputs }}", ("later",)),
        ("{{ steps.later.outputs.a | length }}", ("later",)),
        ("{{ steps.later.outputs.a ~ steps.late.outputs.x }}", ("later", "late")),
        ("{{ steps.late.outputs.x }} {{ steps.later.outputs.a }}", ("late", "later")),
        ("{{ steps.late.outputs.x + 'wrong' }}", ("late",)),
        ("{{ 1 if steps.late.outputs.x else steps.later.outputs.a }}", ("late", "later")),
        ("{{ steps.train['lr=0.2'].outputs.path }}", ("train[lr=0.2]",)),
        ("{{ vars[steps.late.outputs.x] }}", ("late",)),
    ],
)
def test_what_is_not_known_yet_makes_the_whole_text_unknown(
    text: str, after: tuple[str, ...]
) -> None:
    assert render(text, SCOPE) == Unknown(after)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ vars.n > 5 and steps.late.outputs.x }}", False),
        ("{{ vars.n if vars.yes else steps.late.outputs.x }}", 3),
        ("{{ steps.later.outputs.b }}", 2),
    ],
)
def test_what_does_not_matter_may_be_unknown(text: str, value: object) -> None:
    assert render(text, SCOPE) == value


def test_trees_keep_their_keys_and_plain_values() -> None:
    tree = {"{{ vars.n }}": ["{{ vars.n }}", 1, None, {"a": "{{ vars.lr }}!"}], "t": ("x",)}
    assert render(tree, SCOPE) == {"{{ vars.n }}": [3, 1, None, {"a": "0.1!"}], "t": ["x"]}
    assert has_template(tree)
    assert list(leaves(tree)) == [
        (("{{ vars.n }}", 0), "{{ vars.n }}"),
        (("{{ vars.n }}", 3, "a"), "{{ vars.lr }}!"),
    ]


def test_a_trees_fault_tells_its_path() -> None:
    fault = fault_of({"a": [1, {"b": "x\n {{ vars.nix }}"}]})
    assert fault.path == ("a", 1, "b")
    assert fault.line == 1
    assert fault.expression == "vars.nix"


def test_outputs_of_a_named_step() -> None:
    assert render({"environment": {"$outputs": "data"}}, SCOPE) == {
        "environment": {"$outputs": "data", "values": SCOPE["steps"]["data"]["outputs"]}  # type: ignore[index]
    }
    assert render({"$outputs": "late"}, SCOPE) == Unknown(("late",))
    assert render({"$outputs": "train[lr=0.1]"}, SCOPE) == {
        "$outputs": "train[lr=0.1]",
        "values": {"path": "/1"},
    }
    assert render({"$outputs": "skipped"}, SCOPE) == {"$outputs": "skipped", "values": None}
    assert isinstance(fault_of({"$outputs": "nowhere"}), Missing)
    assert has_template({"$outputs": "data"})


@pytest.mark.parametrize(
    ("text", "whether"),
    [
        ("{{ x }}", True),
        ("a{{x}}b", True),
        ("{## note ##}", True),
        ("{% if x %}", True),
        ("{%- for x in y %}", True),
        ("{%s}", False),
        ("${x%%.*} ${#x} ${##} {x} }} {#", False),
        ("", False),
    ],
)
def test_is_template(text: str, whether: object) -> None:
    assert is_template(text) is whether


def test_plain_names_need_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: str) -> None:
        raise AssertionError(f"parsed {source}")

    monkeypatch.setattr(template_parse, "_parse", refuse)
    parse_expression.cache_clear()
    for source in ("a", " a.b ", "a['b c'][\"d\"][0].e"):
        parse_expression(source)
    with pytest.raises(AssertionError):
        parse_expression("a + b")
