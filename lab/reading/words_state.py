"""The words below `state`: where lab remembers what was done."""

from __future__ import annotations

from typing import Literal

from lab.kinds.spec import Duration, option
from lab.model.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where lab remembers what was done."""

    backend: Literal["local", "postgresql"] = option(
        "`local`: in `.lab` beside the Labfile. `postgresql`: in a database that a team shares.",
        example="local",
        default="local",
    )
    dsn: str | None = option(
        "How to reach the database; take it from a secret.",
        example="{{ secrets.state_dsn }}",
        default=None,
        secret=True,
    )
    workspace: str | None = option(
        "Whose labs these are, in a database of many: labs of one name in two workspaces never meet,"
        " and every checkout that names the same workspace shares them.",
        example="vision",
        default=None,
        pattern="[a-z0-9_]{1,40}",
    )
    lease: Duration | None = option(
        "How long a command on another machine may be silent before others take its place;"
        " 60 seconds if nothing is said.",
        example="60s",
        default=None,
        minimum=3,
    )
