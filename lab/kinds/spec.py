"""How a kind's keys are declared: one dataclass field each, with its documentation and its role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, field
from enum import Enum
from typing import Any, NewType

from lab.model.frozen import dataclass
from lab.model.values import Json

Duration = NewType("Duration", float)  # seconds; written as 90s, 5m, 2h, 1d, or a number of seconds
Size = NewType("Size", int)  # bytes; written as 512Mi, 2Gi, 1G, or a number of bytes
FilePath = NewType("FilePath", str)  # relative to the Labfile's folder


class Lifecycle(Enum):
    """What happens when a step is gone from the Labfile: work is forgotten, infrastructure destroyed."""

    WORK = "work"
    INFRASTRUCTURE = "infrastructure"


class Role(Enum):
    """What a field's text means beyond being text."""

    PLAIN = "plain"
    ARGV = "argv"  # a command: words that name files of the lab are inputs
    FILE = "file"  # a file of the lab: an input
    MODULE = "module"  # a Python module of the lab, dotted: an input
    ARTIFACTS = "artifacts"  # name -> path: what the step makes
    PARAMETERS = "parameters"  # name -> value: what `parameters.X` means in this step
    TRIAL = "trial"  # a step of its own, of kind training, of which this one makes many


@dataclass(frozen=True, slots=True)
class StepOutputs:
    """A field that names a step; when the step runs, it holds that step's outputs too.

    In a Labfile: ``environment: env``. The named step becomes a dependency and its outputs count.
    """

    step: str
    outputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What is known of one key of a step besides its type. ``of_kind`` restricts a StepOutputs field."""

    doc: str
    example: Json
    role: Role = Role.PLAIN
    secret: bool = False  # templates may use secrets here
    identity: bool = True  # whether it counts in the step's identity
    replaces: bool = False  # whether a change means to make the thing anew
    of_kind: tuple[str, ...] = ()
    minimum: float | None = None
    pattern: str = ""
    beside: Mapping[str, Json] = field(default_factory=dict)


def option(
    doc: str,
    *,
    example: Json,
    default: Any = MISSING,
    factory: Any = MISSING,
    role: Role = Role.PLAIN,
    secret: bool = False,
    identity: bool = True,
    replaces: bool = False,
    of_kind: tuple[str, ...] = (),
    minimum: float | None = None,
    pattern: str = "",
    beside: Mapping[str, Json] | None = None,
) -> Any:
    """A key of a step: its sentence of documentation, an example, and its default if it has one.

    Args:
        doc: one sentence or two, shown by editors and in the reference.
        example: a value that validates; tests check that it does.
        default: the value when the key is absent; a key without one is required.
        factory: makes the default anew, for mappings and lists.
        role: what the text means, see :class:`Role`.
        secret: whether ``{{ secrets.X }}`` may be used here.
        identity: whether a change makes the step run again.
        replaces: whether a change destroys and makes anew (infrastructure).
        of_kind: the kinds that a StepOutputs field may name.
        minimum: the least number allowed.
        pattern: a regular expression that the whole text must match.
        beside: other keys, with values, without which this one is refused; tests put them beside the example.
    """
    known = Option(
        doc=doc,
        example=example,
        role=role,
        secret=secret,
        identity=identity,
        replaces=replaces,
        of_kind=of_kind,
        minimum=minimum,
        pattern=pattern,
        beside=beside or {},
    )
    if factory is not MISSING:
        return field(default_factory=factory, metadata={"lab": known})
    if default is not MISSING:
        return field(default=default, metadata={"lab": known})
    return field(metadata={"lab": known})
