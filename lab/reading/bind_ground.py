"""What all steps of a Labfile are bound on: its targets, defaults, kinds, and static names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from lab.kinds.catalog import Catalog
from lab.kinds.shape_scalar import Settling
from lab.model.frozen import dataclass
from lab.model.labfile import Target
from lab.model.layout import step_dir
from lab.model.tree import Json
from lab.reading.bind_findings import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The parts of a Labfile that its steps stand on.

    ``static`` has the names vars, env and lab; ``names`` are those of all steps.
    """

    findings: Findings
    catalog: Catalog
    static: Mapping[str, Any]
    root: str
    name: str
    overlay: str
    targets: Mapping[str, Target] = field(default_factory=dict)
    names: Sequence[str] = ()
    defaults: Mapping[str, Json] = field(default_factory=dict)

    def settling(self) -> Settling:
        """Begin a pass over a tree as it was written."""
        return Settling(templates=True, text_at=self.findings.document.text_at)

    def static_scope(self, step: str, address: str, matrix: Mapping[str, Json]) -> dict[str, Any]:
        """Return the names that are known of one instance of a step before anything runs."""
        directory = step_dir(self.root, self.name, self.overlay, address)
        return {**self.static, "matrix": matrix, "step": {"name": step, "dir": directory}}
