"""The ``environment`` kind: a Python environment from a hash-pinned lock."""

from __future__ import annotations

from typing import ClassVar, Literal

from lab.kinds.spec import FilePath, Lifecycle, Role, option
from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A Python environment, resolved once into a lock with hashes beside the Labfile."""

    kind: ClassVar[str] = "environment"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1

    python: str | None = option(
        "The interpreter's version, or its path; lab's own version if absent.",
        example="3.11",
        default=None,
    )
    requirements: list[str] | FilePath = option(
        "Requirements as a list, or the name of a file of them (requirements.txt, pyproject.toml).",
        example="requirements.txt",
        role=Role.FILE,
    )
    lock: FilePath | None = option(
        "The lock file; `STEP.lock` beside the Labfile if absent. Commit it.",
        example="requirements.lock",
        default=None,
    )
    accelerator: Literal["auto", "cpu", "gpu"] = option(
        "Which builds of TensorFlow and PyTorch to take; `auto` looks for an NVIDIA GPU.",
        example="cpu",
        default="auto",
    )
