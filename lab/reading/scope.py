"""What names mean inside a step's templates, before secrets and other steps' outputs are added."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lab.model.labfile import Labfile, Step
from lab.model.values import Json
from lab.reading.template import render

ROOTS = (
    "vars",
    "steps",
    "recipes",
    "secrets",
    "env",
    "matrix",
    "parameters",
    "step",
    "lab",
    "outputs",
)


class Ambient(dict[str, str]):
    """The environment as templates see it: without the variables that are ``sources`` of secrets.

    ``sources`` says which secret each of them is, for whoever looks for one in vain.
    """

    def __init__(self, environ: Mapping[str, str], sources: Mapping[str, str]) -> None:
        super().__init__({n: value for n, value in environ.items() if n not in sources})
        self.sources = sources


def ambient(environ: Mapping[str, str], declared: Mapping[str, Json]) -> Mapping[str, str]:
    """*environ* without the variables that *declared* (``secrets`` as it is written) reads."""
    sources: dict[str, str] = {}
    for name, each in declared.items():
        variable = each.get("env") if isinstance(each, Mapping) else None
        if isinstance(variable, str):
            sources[variable] = name
    return Ambient(environ, sources) if sources else environ


def base_scope(labfile: Labfile, *, step: Step | None, root: str, directory: str) -> dict[str, Any]:
    """The scope of *step*, or of the top level.

    Add ``steps``, ``secrets`` and ``outputs`` to this very dict: ``parameters`` render from it when
    asked. *root* stands for the lab's folder and *directory* for ``step.dir``; where identity is
    rendered these are marks, and paths below the lab's folder in variables are marked likewise.
    """
    moved = _Moved if root != labfile.root and labfile.root != "/" else None
    given: Mapping[str, Json] = labfile.vars
    scope: dict[str, Any] = {
        "vars": moved(given, labfile.root, root) if moved else given,
        "env": labfile.environ,
        "lab": {"name": labfile.name, "root": root, "overlay": labfile.overlay},
    }
    if step is None:
        return scope
    scope["matrix"] = moved(step.matrix, labfile.root, root) if moved else step.matrix
    scope["step"] = {"name": step.name, "dir": directory}
    parameters = step.spec.get("parameters")
    scope["parameters"] = _Parameters(parameters if isinstance(parameters, Mapping) else {}, scope)
    return scope


class _Parameters(Mapping[str, Any]):
    """A step's own parameters, each rendered when a template asks for it."""

    def __init__(self, tree: Mapping[str, Json], scope: Mapping[str, Any]) -> None:
        self._tree, self._scope = tree, scope

    def __getitem__(self, name: str) -> Any:
        # a parameter made of parameters would have no order to be rendered in
        outer = {key: each for key, each in self._scope.items() if key != "parameters"}
        return render(self._tree[name], outer)

    def __contains__(self, name: object) -> bool:
        return name in self._tree

    def __iter__(self) -> Iterator[str]:
        return iter(self._tree)

    def __len__(self) -> int:
        return len(self._tree)


class _Moved(Mapping[str, Any]):
    """Values in which a folder's path is replaced by a mark, so that its place does not count."""

    def __init__(self, tree: Mapping[str, Json], before: str, after: str) -> None:
        self._tree, self._after = tree, after
        # the folder itself or what lies in it, not its neighbour /lab2
        self._before = re.compile(re.escape(before) + r"(?![\w.-])")

    def __getitem__(self, name: str) -> Any:
        return self._moved(self._tree[name])

    def __contains__(self, name: object) -> bool:
        return name in self._tree

    def __iter__(self) -> Iterator[str]:
        return iter(self._tree)

    def __len__(self) -> int:
        return len(self._tree)

    def _moved(self, value: Json) -> Any:
        match value:
            case str():
                return self._before.sub(lambda _: self._after, value)
            case Mapping():
                return {key: self._moved(each) for key, each in value.items()}
            case list():
                return [self._moved(each) for each in value]
            case _:
                return value
