"""Gathers all that is remembered of one step, and whether its artifacts are still there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.cli.curves import read_curve
from lab.cli.recorded import Recorded
from lab.cli.standing import Standing, holding, standing
from lab.edge.files import Files
from lab.model.event import StepFailed, StepStarted
from lab.model.frozen import dataclass
from lab.model.layout import step_dir
from lab.model.state import Record
from lab.model.values import Artifact, rendered


@dataclass(frozen=True, slots=True)
class Made:
    """An artifact by the name of its output, and what became of it: `there`, `changed` or `gone`."""

    name: str
    artifact: Artifact
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One step. ``begun`` and ``failed`` are events of its newest attempt, if they are still known."""

    address: str
    standing: Standing
    record: Record | None
    begun: StepStarted | None
    failed: StepFailed | None
    made: tuple[Made, ...] = ()
    curves: Mapping[str, list[float]]
    curve_path: str

    @property
    def values(self) -> dict[str, Any]:
        """The outputs that are neither artifacts nor metrics."""
        done = self.record.done if self.record else None
        outputs = done.outputs if done else {}
        return {
            name: rendered(value)
            for name, value in outputs.items()
            if not isinstance(value, Artifact) and not _are_metrics(name, value)
        }

    @property
    def metrics(self) -> dict[str, Any]:
        """The last value of each metric, of the finished step or else of the curve so far."""
        done = self.record.done if self.record else None
        found = done.outputs.get("metrics") if done else None
        if isinstance(found, Mapping):
            return dict(found)
        return {name: values[-1] for name, values in self.curves.items()}

    @property
    def inputs(self) -> dict[str, str]:
        """Paths and hashes of what the finished step read."""
        done = self.record.done if self.record else None
        found = done.identity.get("inputs") if done else None
        return {p: str(d) for p, d in found.items()} if isinstance(found, Mapping) else {}


def facts_of(lab: Recorded, address: str, until: int | None = None) -> Facts:
    """All that is known of the step at *address*; of later runs than *until* nothing."""
    record = lab.record(address)
    row = lab.lab.row
    path = f"{step_dir(lab.root, row.name, row.overlay, address)}/curve.jsonl"
    begun: StepStarted | None = None
    failed: StepFailed | None = None
    for event in lab.lab.events(address=address):
        if until is not None and event.run > until:
            break
        match event:
            case StepStarted():
                begun, failed = event, None
            case StepFailed():
                failed = event
            case _:
                pass
    return Facts(
        address=address,
        standing=standing(record, holding(lab.lab)),
        record=record,
        begun=begun,
        failed=failed,
        made=tuple(_made(lab.root, record)),
        curves=read_curve(path),
        curve_path=path,
    )


def facts_json(facts: Facts) -> dict[str, Any]:
    """The object of `lab show STEP --json`."""
    record, begun, failed = facts.record, facts.begun, facts.failed
    done, tried = (record.done, record.tried) if record else (None, None)
    newest = tried or done
    return {
        "step": facts.address,
        "kind": record.kind if record else begun.kind if begun else "",
        "target": record.target if record else begun.target if begun else "",
        "status": facts.standing.name.lower() if record else "gone",
        "protect": record.protect if record else False,
        "needs": list(record.needs) if record else [],
        "run": newest.run if newest else None,
        "action": begun.verb if begun else None,
        "cause": begun.cause if begun else None,
        "started": newest.started if newest else None,
        "error": (tried.error if tried else "") or None,
        "detail": (failed.detail if failed else "") or None,
        "log": newest.log if newest else None,
        "done": _done_json(record),
        "outputs": facts.values,
        "artifacts": [_made_json(made) for made in facts.made],
        "metrics": facts.metrics,
        "curve": facts.curve_path if facts.curves else None,
        "inputs": facts.inputs,
    }


def _done_json(record: Record | None) -> dict[str, Any] | None:
    done = record.done if record else None
    if done is None:
        return None
    return {
        "run": done.run,
        "started": done.started,
        "finished": done.finished,
        "seconds": round(done.seconds, 3),
        "attempts": done.attempts,
        "digest": done.digest,
        "log": done.log,
    }


def _made_json(made: Made) -> dict[str, Any]:
    artifact = made.artifact
    return {
        "name": made.name,
        "path": artifact.path,
        "size": artifact.size,
        "digest": artifact.digest,
        "now": made.now,
    }


def _made(root: str, record: Record | None) -> Iterator[Made]:
    done = record.done if record else None
    named = list(_artifacts("", done.outputs)) if done else []
    if not named:
        return
    files = Files(root)
    try:
        for name, artifact in named:
            yield Made(name, artifact, _now(files, artifact))
    finally:
        files.close()


def _artifacts(name: str, value: object) -> Iterator[tuple[str, Artifact]]:
    match value:
        case Artifact():
            yield name, value
        case Mapping():
            for key, each in value.items():
                yield from _artifacts(f"{name}.{key}" if name else str(key), each)
        case list():
            for i, each in enumerate(value):
                yield from _artifacts(f"{name}[{i}]", each)
        case _:
            return


def _now(files: Files, artifact: Artifact) -> str:
    if not files.exists(artifact.path):
        return "gone"
    if not artifact.digest.startswith("sha256:"):
        return "there"  # its provider alone knows what counts in it
    return "there" if files.digest(artifact.path) == artifact.digest else "changed"


def _are_metrics(name: str, value: object) -> bool:
    return name == "metrics" and isinstance(value, Mapping)
