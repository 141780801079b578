"""The names that templates use."""

from __future__ import annotations

import pytest

from lab.reading.template import references, references_in

SCOPE = {"matrix": {"lr": 0.1}}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ vars.lr }}", ["vars.lr"]),
        ("{{ steps['a-b'].outputs.x }}", ["steps.a-b.outputs.x"]),
        ("{{ steps.t['lr=0.1'].outputs.x[0] }}", ["steps.t.lr=0.1.outputs.x.0"]),
        ("{{ a.b ~ c.d }} {{ e }}", ["a.b", "c.d", "e"]),
        ("{{ a.b | default(c.d) }}", ["a.b?", "c.d"]),
        ("{{ (a.b | int) | default(1) }}", ["a.b?"]),
        ("{{ a.b is defined and c.d is none }}", ["a.b?", "c.d?"]),
        ("{{ a.b if a.b is defined else c }}", ["a.b", "a.b?", "c"]),
        ("{{ a[b.c].d }}", ["a+", "b.c"]),
        ("{{ range(a.b) | map(attribute=c) }}", ["a.b", "c"]),
        ("{{ [a, {'k': b}] }}", ["a", "b"]),
        ("{{ x[a:b] }}", ["x", "a", "b"]),
        ("{{ 'a.b' }}{## c.d ##}", []),
    ],
)
def test_references(text: str, found: list[str]) -> None:
    def shown(text: str) -> list[str]:
        return [
            ".".join(each.parts) + ("?" if each.guarded else "") + ("+" if each.computed else "")
            for each in references(text)
        ]

    assert shown(text) == found


def test_references_say_where_they_are_written() -> None:
    found = references("a\n{{ vars.x\n  ~ steps [ 'b' ].outputs.y }}\n{{ vars.xx ~ vars.x }}")
    assert [(each.expression, each.line) for each in found] == [
        ("vars.x", 1),
        ("steps [ 'b' ].outputs.y", 2),
        ("vars.xx", 3),
        ("vars.x", 3),
    ]


def test_computed_keys_are_filled_in_from_a_scope() -> None:
    text = "{{ steps.train['lr=' ~ matrix.lr].outputs.path }}"
    assert [each.parts for each in references_in(text, SCOPE)] == [
        ("steps", "train", "lr=0.1", "outputs", "path"),
        ("matrix", "lr"),
    ]
    assert references_in(text, {})[0].computed
