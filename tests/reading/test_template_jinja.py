"""What templates share with Jinja2 means the same in both."""

from __future__ import annotations

from typing import Any

import jinja2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2.nativetypes import NativeEnvironment

from lab.reading.template import TemplateFault, render

SCOPE: dict[str, Any] = {
    "a": {"n": 3, "x": 0.5, "t": "b c", "l": [3, 1, 2], "m": {"k": "v"}, "yes": True},
}
THEIRS = NativeEnvironment(undefined=jinja2.StrictUndefined)

ATOMS = """
1 2.5 'b' "C d" true a.n a.x a.t a['t'] a.l[0] a.m.k a.yes [1,2] {'k':1} a.l a.m a.nix none range(3)|list
"""
atoms = st.sampled_from(["'b c'", *ATOMS.split()])
SHAPES = (
    *("{} + {}", "{} - {}", "{} * {}", "{} / {}", "{} // {}", "{} % {}", "{} ** {}"),
    *("{} == {}", "{} != {}", "{} < {}", "{} <= {}", "{} > {}", "{} >= {}", "{} in {}"),
    *("{} and {}", "{} or {}", "({}, {})[1]", "[{}, {}]", "{} not in {}", "{} is eq({})"),
    *("{} if {} else 1", "{} | default({})", "({}) | default({})"),
)
SINGLE = (
    *("not {}", "-{}", "({})", "{} is defined", "{} is none", "{} is number", "{} is string"),
    *("{} | length", "{} | upper", "{} | lower", "{} | first", "{} | last", "{} | sum", "{} | max"),
    *(
        "{} | min",
        "{} | sort",
        "{} | unique | list",
        "{} | reverse | list",
        "{} | abs",
        "{} | trim",
    ),
    *("{} | list", "{} | round(1)", "{} | replace('b', 'x')", "{}[1:]", "{} | capitalize"),
    *("{} | select('odd') | list", "{} | map('upper') | list", "{} is mapping", "{} | title"),
)
expressions = st.recursive(
    atoms,
    lambda inner: (
        st.builds(str.format, st.sampled_from(SHAPES), inner, inner)
        | st.builds(str.format, st.sampled_from(SINGLE), inner)
    ),
    max_leaves=5,
)


def theirs(text: str) -> Any:
    """Jinja2's value, undefined ones as errors, tuples and lazy results as lists."""
    found = THEIRS.compile_expression(text, undefined_to_none=False)(**SCOPE)
    if isinstance(found, jinja2.Undefined):
        raise jinja2.UndefinedError
    return listed(found)


def listed(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [listed(each) for each in value]
    if isinstance(value, dict):
        return {key: listed(each) for key, each in value.items()}
    return value


@settings(suppress_health_check=list(HealthCheck))
@given(expressions)
def test_where_both_give_a_value_it_is_the_same(text: str) -> None:
    try:
        ours = render("{{ " + text + " }}", SCOPE)
        other = theirs(text)
    except (TemplateFault, SyntaxError):
        return  # ours is stricter: no text from lists, no arithmetic with booleans, …
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, AttributeError):
        # theirs refuses: then it must be about what is missing or null, which we treat alike
        assert "default" in text or "none" in text or "nix" in text, text
        return
    if any(word in str(other).lower() for word in ("true", "false", "none")):
        return  # these have another text here: JSON's
    assert ours == other, text
    assert type(ours) is type(other), text
