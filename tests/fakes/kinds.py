"""Two kinds made for tests: `job` is work, `service` is infrastructure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lab.kinds.catalog import Catalog
from lab.kinds.spec import FilePath, Lifecycle, Role, StepOutputs, option
from lab.model.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work whose output `value` is its key `value`, and which writes its artifacts."""

    kind: ClassVar[str] = "job"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1

    value: Json = option("What comes out.", example=1, default=None)
    run: list[str] | str | None = option("A command.", example="x", default=None, role=Role.ARGV)
    script: FilePath | None = option("A script.", example="x.py", default=None, role=Role.FILE)
    module: str | None = option("A module.", example="x", default=None, role=Role.MODULE)
    cwd: FilePath = option("A folder.", example="src", default=FilePath("."))
    retries_left: int = option("Not part of identity.", example=1, default=0, identity=False)
    token: str | None = option("A secret.", example="x", default=None, secret=True)
    base: StepOutputs | None = option("A step.", example="a", default=None, of_kind=("job",))
    parameters: Mapping[str, Json] = option(
        "Parameters.", example={"lr": 1}, factory=dict, role=Role.PARAMETERS
    )
    artifacts: Mapping[str, FilePath] = option(
        "Files that it makes.", example={"a": "b"}, factory=dict, role=Role.ARTIFACTS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Infrastructure: changing its `region` means to make it anew."""

    kind: ClassVar[str] = "service"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.INFRASTRUCTURE
    version: ClassVar[int] = 1

    value: Json = option("What comes out.", example=1, default=None)
    region: Json = option("Where it is.", example="eu", default="eu", replaces=True)
    artifacts: Mapping[str, FilePath] = option(
        "Files that it makes.", example={"a": "b"}, factory=dict, role=Role.ARTIFACTS
    )


SPECS: dict[str, type[Any]] = {"job": Job, "service": Service}
CATALOG = Catalog(specs=SPECS, places=dict.fromkeys(SPECS, ("local", "remote")))
