"""Templates that are wrong: every message says what to write, and none shows a value."""

from __future__ import annotations

import pytest

from lab.reading.template import TemplateFault, references, render

SCOPE = {
    "vars": {
        "lr": 0.1,
        "n": 3,
        "nothing": None,
        "layers": [64, 32],
        "team": {"lead": "ann"},
        "name": "x/y",
        "my-var": 1,
    },
    "env": {"HOME": "/h"},
    "matrix": {},
    "steps": {
        "data": {"outputs": {"path": "/data"}},
        "my-step": {"outputs": {"x": 1}},
        "train": {"outputs": {"path": ["/1"]}, "lr=0.1": {"outputs": {"path": "/1"}}},
    },
    "secrets": {"token": "hunter2", "json": '{"inner": 1}'},
}


def fault_of(text: str) -> TemplateFault:
    with pytest.raises(TemplateFault) as caught:
        render(text, SCOPE)
    return caught.value


@pytest.mark.parametrize(
    ("text", "summary", "help", "expression"),
    [
        ("{{ var.lr }}", "`var` is not known here", "did you mean `vars`?", "var"),
        ("{{ lr }}", "`lr` is not known here", "there are: env, matrix, ", "lr"),
        ("{{ vars.lrr }}", "`vars` has no `lrr`", "did you mean `lr`?", "vars.lrr"),
        ("{{ vars['l r'] }}", "`vars` has no `l r`", "lr", "vars['l r']"),
        ("{{ vars.team.led }}", "`vars.team` has no `led`", "`lead`", "vars.team.led"),
        ("{{ matrix.lr }}", "`matrix` has no `lr`", "it has none at all", "matrix.lr"),
        ("{{ env.HOEM }}", "`HOEM` is not set", "did you mean `HOME`?", "env.HOEM"),
        ("{{ steps.data.path }}", "has no `path`", "write `steps.data.outputs.path`", "steps.data.path"),
        ("{{ steps.data.outputs.pth }}", "the step `data` has no output `pth`", "`path`", "steps.data.outputs.pth"),
        ("{{ steps.dta.outputs.path }}", "`steps` has no `dta`", "`data`", "steps.dta"),
        ("{{ steps.my-step.outputs.x }}", "read as a subtraction", "write `steps['my-step']`", "steps.my-step"),
        ("{{ 1 + vars.my-var }}", "read as a subtraction", "write `vars['my-var']`", "vars.my-var"),
        ("{{ steps.train.outputs.path.x }}", "list, it has no `x`", "path[0]`", "steps.train.outputs.path.x"),
        ("{{ vars.layers[2] }}", "has 2 elements, the last is [1]", "the first one is [0]", "vars.layers[2]"),
        ("{{ vars.n.x }}", "`vars.n` is a number, it has no `x`", "", "vars.n.x"),
        ("{{ vars.nothing.x }}", "`vars.nothing` is null", "default('')", "vars.nothing.x"),
        ("a {{ vars.nothing }}", "`vars.nothing` is null, and stands in the middle", "default('')", "vars.nothing"),
        ("{{ 'a' ~ vars.nothing }}", "null has no text", "default('')", "'a' ~ vars.nothing"),
        ("{{ vars.nothing + 1 }}", "between null and a number", "default(0)", "vars.nothing + 1"),
        ("{% if vars.x %}a{% endif %}", "`{% if %}` is not allowed", "{{ a if condition else b }}", "{% if vars.x"),
        ("a\n{%- for x in y %}", "`{% for %}` is not allowed", "`matrix`", "{%- for x in y"),
        ("{% set x = 1 %}{{ x }}", "`{% set %}` is not allowed", "`vars`", "{% set x = 1"),
        ("${{ vars.lr }}", "another tool's spelling", "write `{{ … }}` without the dollar", "${{"),
        ("{{ vars.lr", "`{{` is not closed by `}}`", "write {{ '{{' }}", "{{ vars.lr"),
        ("{{ vars.lr }", "`{{` is not closed by `}}`", "close the expression", "{{ vars.lr }"),
        ("{{ 'abc }}", "a second ' is missing", "quote texts", "'abc"),
        ("{{ (1 }}", "the bracket `(` in the expression was never closed", "", "(1"),
        ("{{ 1) }}", "the bracket `)` in the expression was never opened", "", "1)"),
        ("{{ [1) }}", "the bracket `)` in the expression was never opened", "", "[1)"),
        ("{{ {'a': 1 }}", "`{{` is not closed", "", "{{ {'a': 1 }}"),
        ("{## note", "a comment that begins with `{##` is not closed", "`##}`", "{##"),
        ("{{ }}", "the expression is empty", "", ""),
        ("{{ .Names }}", "not an expression", "{{ '{{…}}' }}", ".Names"),
        ("{{ a && b }}", "`&` does not fit there", "write `and`", "a && b"),
        ("{{ a || b }}", "not an expression", "write `or`", "a || b"),
        ("{{ !a }}", "`!` does not fit there", "write `not`", "!a"),
        ("{{ a ? 1 : 2 }}", "`?` does not fit there", "`a if condition else b`", "a ? 1 : 2"),
        ("{{ a = 1 }}", "`=` does not fit there", "write `==`", "a = 1"),
        ("{{ $x }}", "`$` does not fit there", "no dollar sign", "$x"),
        ("{{ 1, 2 }}", "`,` does not fit there", "[a, b]", "1, 2"),
        ("{{ a b }}", "`b` does not fit there", "operator between them", "a b"),
        ("{{ a + }}", "something is missing at its end", "", "a +"),
        ("{{ vars.lr. }}", "not an expression", "after a dot", "vars.lr."),
        ("{{ [x for x in y] }}", "not an expression", "`map`", "[x for x in y]"),
        ("{{ 'a' if vars.n }}", "has no `else`", "{{ a if condition else b }}", "'a' if vars.n"),
        ("{{ f(*a) }}", "`*` and `**` before arguments", "", "f(*a)"),
        ("{{ vars.lr | rund(2) }}", "there is no filter `rund`", "did you mean `round`?", "rund"),
        ("{{ vars.lr | to_json }}", "there is no filter `to_json`", "write `tojson`", "to_json"),
        ("{{ vars.lr | zzzzz }}", "there is no filter `zzzzz`", "there are: abs, ", "zzzzz"),
        ("{{ [1] | map('uppr') }}", "there is no filter `uppr`", "`upper`", "uppr"),
        ("{{ [1] | select('od') }}", "there is no test `od`", "`odd`", "od"),
        ("{{ [1] | selectattr('a', 'eqq', 1) }}", "there is no test `eqq`", "`eq`", "eqq"),
        ("{{ 1 is prime }}", "there is no test `prime`", "there are: boolean", "prime"),
        ("{{ lookup('env', 'X') }}", "there is no function `lookup`", "`vars`", "lookup"),
        ("{{ upper('x') }}", "there is no function `upper`", "write {{ x | upper }}", "upper"),
        ("{{ vars.name.split('/') }}", "`.split()` cannot be called", "{{ x | split(…) }}", "vars.name.split"),
        ("{{ vars.team.items() }}", "`.items()` cannot be called", "{{ x | items }}", "vars.team.items"),
        ("{{ 'a'.format(1) }}", "`.format()` cannot be called", "'%s' | format(x)", "format"),
        ("{{ 1 | round(1, 2, 3) }}", "`round` does not take these arguments", "| round(2)", "1 | round(1, 2, 3)"),
        ("{{ vars.lr | default }}", "`default` does not take these arguments", "", "vars.lr | default"),
        ("{{ vars.lr | round(wrong=1) }}", "does not take these arguments", "", "vars.lr | round(wrong=1)"),
        ("{{ 'a' + 1 }}", "`+` does not work between a text and a number", "`~`", "'a' + 1"),
        ("{{ '2' > 1 }}", "`>` does not work between a text and a number", "| int", "'2' > 1"),
        ("{{ [2] > 1 }}", "`>` does not work between a list and a number", "", "[2] > 1"),
        ("{{ 1 / 0 }}", "`/` by zero", "", "1 / 0"),
        ("{{ 1 in 2 }}", "a number cannot be looked for in a number", "", "1 in 2"),
        ("{{ 'x' | int }}", "`int` cannot make a number", "| int(0)", "'x' | int"),
        ("{{ [1] | int }}", "it is a list", "", "[1] | int"),
        ("{{ [] | first }}", "`first` of nothing", "default", "[] | first"),
        ("{{ [1, 'a'] | sort }}", "a number and a text into an order", "", "[1, 'a'] | sort"),
        ("{{ [{'a': 1}] | map(attribute='b') }}", "an element has no `b`", "", "[{'a': 1}] | map(attribute='b')"),
        ("{{ '%d' % 'a' }}", "`%d` formats a number, and this is a text", "", "'%d' % 'a'"),
        ("{{ '%q' % 1 }}", "a directive that does not exist", "'%.3f' % x", "'%q' % 1"),
        ("{{ vars.layers | basename }}", "needs a text, and this is a list", "map('…')", "vars.layers | basename"),
        ("{{ 'x' | fromjson }}", "`fromjson` needs a JSON text", "", "'x' | fromjson"),
        ("{{ {1: 2} }}", "the key of a map is a text, and this is a number", "quote it", "{1: 2}"),
    ],
)  # fmt: skip
def test_faults_teach(text: str, summary: str, help: str, expression: str) -> None:
    fault = fault_of(text)
    assert summary in fault.summary
    assert help in fault.help
    assert fault.expression == expression


@pytest.mark.parametrize(
    "text",
    [
        "{{ a b }}",
        "{{ a | nix }}",
        "{{ a is nix }}",
        "{{ nix() }}",
        "{{ a.b() }}",
        "{{ a | round(1, 2, 3) }}",
        "{% if a %}",
        "${{ a }}",
        "{{ a",
    ],
)
def test_what_is_wrong_in_itself_is_found_without_values(text: str) -> None:
    with pytest.raises(TemplateFault):
        references(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ vars[[secrets.token]] }}",
        "{{ vars[{'a': secrets.token}] }}",
        "{{ secrets.token | int }}",
        "{{ secrets.token | fromjson }}",
        "{{ secrets.token.x }}",
        "{{ secrets.token + 1 }}",
        "{{ vars[secrets.token] }}",
        "{{ '%d' % secrets.token }}",
        "{{ secrets.token | round }}",
        "{{ {'a': 1}[secrets.token] }}",
        "{{ [1] | map(secrets.token) }}",
        "{{ secrets.token | b64decode }}",
        "{{ (secrets.token | list)[99] }}",
    ],
)
def test_no_fault_shows_a_secrets_value(text: str) -> None:
    fault = fault_of(text)
    assert "hunter2" not in f"{fault.summary} {fault.help} {fault.expression} {fault}"


def test_places_of_faults_in_texts_of_several_lines() -> None:
    fault = fault_of("one\n{{ vars.lr }}\n  {{ vars.lr\n  ~ vars.nix }}")
    assert (fault.line, fault.expression) == (3, "vars.nix")
