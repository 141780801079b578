"""The ``command`` kind: run a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from lab.kinds.spec import FilePath, Lifecycle, Role, StepOutputs, option
from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Runs a program: done when it exits with 0."""

    kind: ClassVar[str] = "command"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1

    command: list[str] | str = option(
        "The program and its arguments as a list; a text is run by `sh -eu`.",
        example=["python", "prepare.py", "--out", "{{ step.dir }}/data.npz"],
        role=Role.ARGV,
    )
    cwd: FilePath = option(
        "The folder to run in, relative to the Labfile's folder.",
        example="src",
        default=FilePath("."),
    )
    stdin: str | None = option(
        "Text for the program's standard input; a secret may be given this way.",
        example="{{ secrets.hub_token }}",
        default=None,
        secret=True,
    )
    environment: StepOutputs | None = option(
        "The environment step whose programs come first on PATH.",
        example="env",
        default=None,
        of_kind=("environment",),
    )
    artifacts: Mapping[str, FilePath] = option(
        "Files or folders that the program makes, by name; later steps use them as"
        " `steps.NAME.outputs.ARTIFACT`.",
        example={"model": "{{ step.dir }}/model.keras"},
        factory=dict,
        role=Role.ARTIFACTS,
    )
    destroy: str | None = option(
        "What `lab destroy` runs (by `sh -eu`) to undo the step; remembered with it.",
        example="rm -rf build",
        default=None,
    )
