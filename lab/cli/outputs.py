"""The Labfile's outputs: evaluated over what the steps gave, and printed as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from lab.cli.session import Session
from lab.cli.terminal import colourful
from lab.model.frozen import dataclass
from lab.model.values import Json, Unknown
from lab.planning.digest import unknowns_in
from lab.planning.outcome import Outcome, named_scope, real
from lab.reading.scope import base_scope
from lab.reading.template import TemplateFault, leaves, references, render
from lab.report.words import number, paint


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Outputs by name; those that cannot be told yet are in ``missing``, with the reason."""

    values: Mapping[str, Any]
    missing: Mapping[str, str]

    @property
    def shown(self) -> dict[str, Json]:
        return dict(self.values)

    def print(self) -> None:
        """Prints a table of names and values on standard output."""
        if not (self.values or self.missing):
            return
        colour = colourful(sys.stdout)
        wide = max(len(name) for name in [*self.values, *self.missing])
        print()
        print(paint("Outputs", "bold", colour))
        for name, value in self.values.items():
            print(f"  {name:<{wide}}  {text(value)}")
        for name, reason in self.missing.items():
            print(f"  {name:<{wide}}  {paint(f'({reason})', 'dim', colour)}")


def evaluated(session: Session, outcomes: Mapping[str, Outcome]) -> Evaluated:
    """The outputs as far as *outcomes* tell them."""
    labfile = session.labfile
    if not labfile.outputs:
        return Evaluated({}, {})
    scope = base_scope(labfile, step=None, root=labfile.root, directory="")
    names = _steps_named(labfile.outputs)
    scope["steps"] = named_scope(labfile, names, outcomes, real)
    values: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, tree in labfile.outputs.items():
        try:
            value = render(tree, scope)
        except TemplateFault as fault:
            missing[name] = fault.summary
            continue
        if waits := unknowns_in(value):
            missing[name] = str(Unknown(waits)).strip("()")
        else:
            values[name] = value
    return Evaluated(values, missing)


def _steps_named(tree: Json) -> list[str]:
    """The steps that *tree*'s templates refer to, each once."""
    found = [
        reference.parts[1]
        for _, leaf in leaves(tree)
        for reference in references(leaf)
        if reference.parts[0] == "steps" and len(reference.parts) > 1
    ]
    return list(dict.fromkeys(found))


def text(value: object) -> str:
    """One output in a line."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False)
