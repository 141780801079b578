"""Whatever is written between braces ends soon, small, and without reaching anything but data."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.model.values import Unknown
from lab.reading.template import FILTERS, TESTS, TemplateFault, references, render
from lab.reading.template_limits import MAX_CHARACTERS, MAX_ELEMENTS, size

BIG = "x" * 500_000
SCOPE: dict[str, Any] = {
    "vars": {"big": BIG, "many": list(range(50_000)), "n": 3, "nested": [[1] * 100] * 100},
    "steps": {"late": {"outputs": Unknown(("late",))}, "a": {"outputs": {"x": 1}}},
}
SECONDS = 2.0


def bounded(text: str) -> Any:
    """What rendering *text* gives (None for a fault), having checked that it was quick and small."""
    begun = time.thread_time()
    try:
        found = render(text, SCOPE)
    except TemplateFault as fault:
        assert len(fault.summary) < 1000
        found = None
    assert time.thread_time() - begun < SECONDS
    characters, elements = size(found)
    assert characters <= MAX_CHARACTERS
    assert elements <= MAX_ELEMENTS
    return found


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ vars.__class__ }}",
        "{{ vars['__init__'] }}",
        "{{ vars.keys }}",
        "{{ vars.n.__class__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ lipsum() }}",
        "{{ joiner() }}",
        "{{ namespace() }}",
        "{{ dict() }}",
        "{{ self.__init__ }}",
        "{{ range.__globals__ }}",
        "{{ (1).real }}",
        "{{ 'a'.upper }}",
        "{{ 'a'.upper() }}",
        "{{ ['a'] | map(attribute='__class__') }}",
        "{{ ['a'] | map('attr', '__class__') }}",
        "{{ ['a'] | sort(attribute='__class__.__name__') }}",
        "{{ 'a' | attr('__class__') }}",
        "{{ [1] | map('map', 'map') }}",
        "{{ '%(a)s' % {'a': 1} }}",
        "{{ [] | map('__class__') }}{{ [] | first }}",
    ],
)
def test_nothing_but_data_is_reached(text: str) -> None:
    with pytest.raises(TemplateFault):
        render(text, SCOPE)


@pytest.mark.parametrize(
    "text",
    [
        "{{ range(10**9) | list }}",
        "{{ range(10**30) }}",
        "{{ range(0, 10**18, 3) }}",
        "{{ 'x' * 10**9 }}",
        "{{ 10**9 * 'x' }}",
        "{{ vars.big * 100 }}",
        "{{ 10**10**10 * 0 + 10**10000 }}",
        "{{ 2 ** (10 ** 100) }}",
        "{{ (10 ** 1000) ** 1000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%.1000000000f' % 1 }}",
        "{{ '%9999d' * 1000 % 1 }}",
        "{{ '%*d' % 1 }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ [0] * 10**9 }}",
        "{{ [[0] * 1000] * 1000 }}",
        "{{ [[[0] * 400] * 400] * 400 }}",
        "{{ 'a' | center(10**9) }}",
        "{{ 'a' | indent(10**9) }}",
        "{{ ('\\n' * 100000) | indent(200) }}",
        "{{ {'a': 1} | tojson(indent=10**9) }}",
        "{{ 'x' | replace('', 'x' * 1000) | replace('x', 'x' * 1000) | replace('x', 'x' * 1000) }}",
        "{{ vars.big | replace('', vars.big) }}",
        "{{ vars.many | join(vars.big) }}",
        "{{ vars.big ~ vars.big ~ vars.big }}",
        "{{ [" + "vars.big," * 800 + "] }}",
        "{{ [" + "(vars.big | upper) and 1," * 300 + "] }}",
        "{{ vars.many | select('in', vars.many) }}",
        "{{ vars.many | map('in', vars.many) }}",
        "{{ vars.big | list | sort | unique | reverse }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
        "{{ " + "(" * 4000 + " }}",
        "{{ " + "[" * 300 + "]" * 300 + " }}",
        "{{ " + "{'a':" * 300 + "1" + "}" * 300 + " }}",
        "{{ " + "not " * 2000 + "1 }}",
        "{{ " + "-" * 8000 + "1 }}",
        "{{ " + "1+" * 4000 + "1 }}",
        "{{ " + "1 if 1 else " * 600 + "1 }}",
        "{{ 1" + "|string" * 1000 + " }}",
        "{{ a" + ".a" * 4000 + " }}",
        "{{ a" + "[a" * 1000 + "]" * 1000 + " }}",
        "{{ " + "9" * 8000 + " }}",
        "{{ " + "x" * 100_000 + " }}",
        "{{ 1 }}" * 100_000,
        "{{ vars.n + 1 }}" * 60_000,
        "{{ vars.big }}" * 1000,
        "{" * 1_000_000,
        "{{" * 500_000,
        "{##" * 300_000,
        "{{ '" + "\\" * 100_001,
        "{{ '" * 200_000,
        "{{ ('[' * 100000) | fromjson }}",
        "{{ ('[' * 400 ~ ']' * 400) | fromjson | tojson | length + 'a' }}",
        "{{ ('1' * 5000) | fromjson }}",
        "{{ ('1' * 5000) | int }}",
        "{{ '1e400' | float | int }}",
        "{{ vars.nested * 100 }}",
        "{{ vars.nested | sum }}",
        "{{ -1 | abs | round(10**9) }}",
        "{{ 'x' | split('') }}",
        "{{ (1e308 * 1e308) | int }}",
        "{{ 1e400 | int }}",
        "{{ [vars.many] | map('join', vars.big) }}",
    ],
    ids=lambda text: text[:40],
)
def test_what_costs_too_much_is_refused(text: str) -> None:
    assert bounded(text) is None


def test_much_is_possible() -> None:
    assert len(bounded("{{ vars.big }}")) == len(BIG)
    assert bounded("{{ vars.many | map('string') | sort | first }}") == "0"
    assert bounded("{{ vars.many | sum }}") == sum(range(50_000))
    assert len(bounded("{{ 'ab' | replace('a', vars.big) }}")) == len(BIG) + 1
    assert bounded("{{ " + "(" * 12 + "1" + ")" * 12 + " }}") == 1
    assert bounded("{{ 1 }}" * 1000) == "1" * 1000
    assert bounded("{{ " + "'a' ~ " * 1000 + "'a' }}") == "a" * 1001


WORDS = """
vars steps n big many nested late outputs a x true none 1 2.5 10 1e3 'a' "b" '' ''.a lambda loop
self ( ) [ ] { } , : . | ~ + - * ** / // % < > == != = and or not in is if else range( ) __class__
10**9 .x ['x'] [0] [1:] |length |first (1) ('a') {{ }} {% %} $ {## ##} ' " é
"""
words = st.sampled_from([*WORDS.split(), *FILTERS, *TESTS, "\n", "\\", "\x00"])


@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(words, max_size=25).map(" ".join))
def test_words_in_any_order_end_in_a_value_or_a_fault(text: str) -> None:
    bounded("{{ " + text + " }}")


@settings(suppress_health_check=list(HealthCheck))
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_ends_in_a_value_or_a_fault(before: str, inside: str) -> None:
    bounded(before)
    bounded(f"{before}{{{{ {inside} }}}}")
    try:
        references(f"{before}{{{{ {inside} }}}}")
    except TemplateFault:
        return


@given(st.text(max_size=80).filter(lambda text: "{" not in text))
def test_text_without_braces_is_itself(text: str) -> None:
    assert render(text, {}) == text


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain, st.sampled_from(sorted(FILTERS)), st.lists(plain, max_size=2))
def test_filters_take_any_value(value: Any, name: str, args: list[Any]) -> None:
    names = ", ".join(f"a.args[{i}]" for i in range(len(args)))
    text = "{{ a.value | " + name + (f"({names})" if args else "") + " }}"
    try:
        render(text, {"a": {"value": value, "args": args}})
    except TemplateFault:
        return
