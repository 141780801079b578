"""A lab's state in the database of its team: loaded only where a Labfile says so."""

from __future__ import annotations

from collections.abc import Mapping

from lab.edge.journal import Journal
from lab.edge.postgres import LEASE_SECONDS, reach
from lab.edge.postgres_dsn import read_dsn
from lab.kinds.quantity import seconds
from lab.model.diagnostic import Diagnostic, LabfileError
from lab.model.labfile import Labfile
from lab.model.tree import Json

SHORTEST_LEASE = 3.0


def team_journal(labfile: Labfile, fields: Mapping[str, Json]) -> Journal:
    """The journal that *fields* say how to reach: what stands below `state`, rendered.

    Raises:
        LabError: they say it wrongly, or the driver is not installed.
    """
    workspace = str(fields.get("workspace") or "")
    dsn = read_dsn(str(fields["dsn"]), workspace)
    return Journal(dsn.place, labfile.root, reach(dsn, workspace, _lease(labfile, fields)))


def _lease(labfile: Labfile, fields: Mapping[str, Json]) -> float:
    lease = fields.get("lease")
    if lease is None:
        return LEASE_SECONDS
    found = seconds(str(lease)) or _number(lease)
    if found is None or found < SHORTEST_LEASE:
        span = labfile.document.span_of(("state", "lease"))
        summary = f"the `lease` of the state must be at least {SHORTEST_LEASE:.0f}s, not {lease}"
        raise LabfileError(Diagnostic(summary=summary, help="lease: 60s", span=span))
    return found


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None
