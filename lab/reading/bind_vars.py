"""Settles variables: what the command line gives, what overlays say, and what is made of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.kinds.shape_fault import Fault, bad_name
from lab.kinds.shape_words import listed
from lab.model.address import is_name
from lab.model.diagnostic import did_you_mean
from lab.model.tree import Json, Path
from lab.reading.bind_findings import Findings
from lab.reading.bind_static import render_static
from lab.reading.template import TemplateFault, has_template, leaves, references

PATH: Path = ("vars",)


def settle_vars(
    declared: Mapping[str, Json],
    given: Mapping[str, Json],
    around: Mapping[str, Any],
    findings: Findings,
) -> dict[str, Any]:
    """Return every variable's value; *around* has `env` and `lab`. What is given is no template."""
    findings.add(bad_name(name, (*PATH, name)) for name in declared if not is_name(name))
    findings.add(_undeclared(name, declared) for name in given if name not in declared)
    values: dict[str, Any] = {name: given.get(name, value) for name, value in declared.items()}
    made = [name for name in declared if name not in given and has_template(declared[name])]
    if not made:
        return values
    needs = {name: _needs(declared[name], declared, set(made)) for name in made}
    scope = {**around, "vars": values}
    for name in _ordered(needs, findings):
        path = (*PATH, name)
        values[name] = render_static(declared[name], scope, path, findings, owner="a variable")
    return values


def _undeclared(name: str, declared: Mapping[str, Json]) -> Fault:
    known = f"the variables are {listed(declared)}" if declared else "the Labfile has no `vars`"
    return Fault(
        path=(),
        summary=f"no variable is called '{name}'",
        detail="`--var`, `--var-file` and LAB_VAR_… change variables that `vars` declares.",
        help=did_you_mean(name, declared) or f"{known}; to have a new one add vars: {{{name}: …}}",
    )


def _needs(tree: Json, declared: Mapping[str, Json], made: set[str]) -> list[str]:
    """Find the made variables that a variable's tree uses."""
    found: dict[str, None] = {}
    for _, text in leaves(tree):
        try:
            used = references(text)
        except TemplateFault:
            continue  # it is told when the variable is rendered
        for each in used:
            if each.parts[0] == "vars":
                found.update(dict.fromkeys(each.parts[1:2] or declared))
    return [each for each in found if each in made]


def _ordered(needs: Mapping[str, list[str]], findings: Findings) -> Iterator[str]:
    """Yield variables after those that they are made of; of a cycle, tell its path once."""
    done: set[str] = set()
    for start in needs:
        trail: dict[str, Iterator[str]] = {}
        stack = [start] if start not in done else []
        while stack:
            name = stack[-1]
            following = next(trail.setdefault(name, iter(needs[name])), None)
            if following is None:
                stack.pop()
                if name not in done:
                    done.add(name)
                    yield name
            elif following in stack:
                findings.add([_cycle([*stack[stack.index(following) :], following])])
            elif following not in done:
                stack.append(following)


def _cycle(path: list[str]) -> Fault:
    if len(path) == 2:
        summary = f"the variable '{path[0]}' is made of itself"
    else:
        summary = f"variables are made of each other: {' -> '.join(path)}"
    return Fault(
        path=(*PATH, path[0]),
        summary=summary,
        detail="A variable can only be made of variables that are known without it.",
        help="give one of them a plain value",
    )
