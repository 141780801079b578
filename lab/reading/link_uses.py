"""Every name that a step's templates use, and every step that its keys name, with the place of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum

from lab.model.frozen import dataclass
from lab.model.labfile import Step
from lab.model.tree import Json, Path
from lab.reading.link_secrets import require_whole
from lab.reading.link_wiring import Wiring, spot_at
from lab.reading.template import (
    OUTPUTS,
    Reference,
    TemplateFault,
    is_sole,
    is_template,
    leaves,
    references,
)


class Place(Enum):
    """Where a template stands: this decides which names it may use."""

    SPEC = "spec"
    ENV = "env"
    INPUTS = "inputs"
    TARGET = "target"
    WHEN = "when"
    REQUIRE = "require"
    OUTPUTS = "outputs"  # of the Labfile


@dataclass(frozen=True, slots=True)
class Leaf:
    """One template: ``key`` is the step's key, ``inner`` the way from its value to the text."""

    place: Place
    key: str
    inner: Path
    text: str
    secret: bool = False  # secrets may be used here


@dataclass(frozen=True, slots=True)
class Use:
    """One name in a template."""

    leaf: Leaf
    reference: Reference


@dataclass(frozen=True, slots=True)
class Naming:
    """A key whose value is a step's name; it must be of one of these kinds, if there are any."""

    key: str
    inner: Path
    name: str
    of_kind: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uses:
    """All that a step refers to. All instances of a matrix have the same."""

    leaves: tuple[Leaf, ...]
    names: tuple[Use, ...]
    namings: tuple[Naming, ...]


Tell = Callable[[Leaf, TemplateFault], None]


def uses_of(step: Step, wiring: Wiring, tell: Tell) -> Uses:
    """What *step* refers to; texts that are no right templates are told."""
    found = tuple(_leaves(step, wiring))
    names: list[Use] = []
    for leaf in found:
        names += used_in(leaf, tell)
    return Uses(found, tuple(names), tuple(_namings(step.spec, wiring)))


def used_in(leaf: Leaf, tell: Tell) -> list[Use]:
    """The names in one template; if it is not a right one that is told."""
    try:
        if leaf.place in (Place.WHEN, Place.REQUIRE) and not is_sole(leaf.text):
            raise _mixed(leaf)
        if leaf.secret and "secrets" in leaf.text:
            require_whole(leaf.text)
        return [Use(leaf, each) for each in references(leaf.text)]
    except TemplateFault as fault:
        tell(leaf, fault)
        return []


def braced(expression: str) -> str:
    """An expression as a template, whether or not it was written with braces."""
    return expression if is_template(expression) else "{{ " + expression + " }}"


def _mixed(leaf: Leaf) -> TemplateFault:
    return TemplateFault(
        f"`{leaf.key}` is one expression, and this is a text with an expression inside",
        help=f'write all of it inside the braces: {leaf.key}: "{{{{ a == b }}}}"',
    )


def _leaves(step: Step, wiring: Wiring) -> Iterator[Leaf]:
    for key, value in step.spec.items():
        for inner, text in leaves(value):
            secret = "secrets" in text and _may_be_secret(step, wiring, (key, *inner))
            yield Leaf(Place.SPEC, key, inner, text, secret)
    for name, value in step.env.items():
        for inner, text in leaves(value):
            yield Leaf(Place.ENV, "env", (name, *inner), text, secret=True)
    for inner, text in leaves(list(step.inputs)):
        yield Leaf(Place.INPUTS, "inputs", inner, text)
    for inner, text in leaves(step.target.fields):
        yield Leaf(Place.TARGET, "target", inner, text)
    if isinstance(step.when, str):
        yield Leaf(Place.WHEN, "when", (), braced(step.when))
    for index, each in enumerate(step.require):
        if isinstance(each, str):
            yield Leaf(Place.REQUIRE, "require", (index,), braced(each))


def _may_be_secret(step: Step, wiring: Wiring, path: Path) -> bool:
    return spot_at(wiring.record, step.spec, path).secret


def _namings(spec: Mapping[str, Json], wiring: Wiring) -> Iterator[Naming]:
    for path, name in _named(spec, ()):
        known = spot_at(wiring.record, spec, path)
        yield Naming(str(path[0]), path[1:], name, known.of_kind)


def _named(tree: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(tree, dict | Mapping):
        name = tree.get(OUTPUTS)
        if isinstance(name, str) and path:
            yield path, name
            return
        for key, each in tree.items():
            if isinstance(each, dict | list | Mapping):
                yield from _named(each, (*path, key))
    elif isinstance(tree, list):
        for index, each in enumerate(tree):
            if isinstance(each, dict | list | Mapping):
                yield from _named(each, (*path, index))
