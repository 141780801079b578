"""Gathers what `lab explain` tells of a step: what would happen, what counts, and whom it waits for."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from lab.cli.explain_times import Time, times_of
from lab.cli.session import Session
from lab.cli.standing import Holding, holding
from lab.kinds.spec import Option
from lab.kinds.warm import start_in, told
from lab.model.address import owner
from lab.model.frozen import dataclass
from lab.model.labfile import PLAIN, Step
from lab.model.plan import Action
from lab.model.state import Record
from lab.model.tree import format_path
from lab.model.values import Unknown
from lab.planning.digest import identity_scope
from lab.planning.imports import local_modules
from lab.planning.inputs import declared, roles_of, words_of
from lab.planning.plan import Draft
from lab.planning.select import Selection
from lab.reading.template import render


@dataclass(frozen=True, slots=True)
class Counted:
    """One leaf of the identity: its path, and its value or Unknown; ``was`` if it is not as recorded."""

    path: str
    value: Any
    changed: bool


@dataclass(frozen=True, slots=True)
class Input:
    """A file that counts: its hash (or Unknown), how it was found, whether it is not as recorded."""

    path: str
    digest: Any
    found: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """All of it. ``step`` is None for one that is only remembered; ``counted`` is empty for one that is skipped."""

    address: str
    action: Action
    step: Step | None
    record: Record | None
    held: Holding | None
    digest: str
    counted: tuple[Counted, ...] = ()
    inputs: tuple[Input, ...] = ()
    needs: Mapping[str, str]  # upstream -> how
    needed_by: tuple[str, ...] = ()
    ignored: Mapping[str, Any]
    warnings: tuple[str, ...] = ()
    times: tuple[Time, ...] = ()
    starts: str = ""  # how its program does, or each trial's


def explained(session: Session, address: str, *, refresh: bool) -> Explained:
    """What `lab apply` would do with the step at *address*, and on what grounds.

    Raises:
        LabError: no plan can be made for it.
    """
    graph, state, journal = session.graph, session.state, session.journal
    gone = [a for a in state.records if owner(a) not in graph.steps]
    first = f"+{address}" if address in graph.steps else address
    draft = session.plan(Selection(only=[first, *gone]), session.survey(refresh=refresh))
    action = next(a for a in draft.plan.actions if a.address == address)
    step = graph.steps.get(address)
    wanted = draft.wanted.get(address)
    return Explained(
        address=address,
        action=action,
        step=step,
        record=state.records.get(address),
        held=holding(journal) if journal else None,
        digest=wanted.digest if wanted else "",
        counted=tuple(_counted(wanted.identity, action)) if wanted else (),
        inputs=tuple(_inputs(session, step, draft, action)) if step else (),
        needs=_needs(session, address),
        needed_by=tuple(graph.dependents().get(address, ())),
        ignored=_ignored(session, step) if step else {},
        starts=_starts(session, step) if step else "",
        warnings=tuple(w for w in draft.plan.warnings if w.startswith((address, f"`{address}`"))),
        times=tuple(times_of(journal, address, graph.needs.get(address, ()))) if journal else (),
    )


def _starts(session: Session, step: Step) -> str:
    """How a training's program starts, or a trial's; empty for other kinds."""
    made = step.trial or step
    if made.kind != "training" or made.target.provider != "local":
        return ""
    several = step.trial is not None or "[" in step.address
    start = start_in(made.spec, session.files.read_text, several=several)
    if start is None:
        return "as its keys say once they are known"
    return f"each trial {told(start)}" if step.trial is not None else told(start)


def _counted(identity: Mapping[str, Any], action: Action) -> Iterator[Counted]:
    changed = {change.path for change in action.changes}
    for path, value in _leaves((), {k: v for k, v in identity.items() if k != "inputs"}):
        shown = format_path(path)
        yield Counted(shown, value, any(c == shown or _inside(c, shown) for c in changed))


def _leaves(path: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Maps are walked through; a list is one value, as people write it."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves((*path, str(key)), each)
    else:
        yield path, value


def _inside(path: str, parent: str) -> bool:
    return path.startswith((f"{parent}[", f"{parent}."))


def _inputs(session: Session, step: Step, draft: Draft, action: Action) -> Iterator[Input]:
    wanted = draft.wanted.get(step.address)
    found = wanted.identity.get("inputs", {}) if wanted else {}
    if not wanted or not found:
        return
    world = session.world()
    patterns = render(list(step.inputs), identity_scope(world, step, draft.outcomes))
    asked = set(declared(tuple(p for p in patterns if isinstance(p, str)), session.files))
    inside = session.graph.inside.get(step.address, {})
    words = _words(session, step, wanted.identity)
    changed = {change.path for change in action.changes}
    for path, digest in found.items():
        if path in inside:
            how = f"lies in what `{inside[path]}` makes"
        elif path in asked:
            how = "named in `inputs`"
        elif path in words:
            how = words[path]
        else:
            how = _importer(session, path, found, wanted.identity)
        yield Input(path, digest, how, f"inputs[{path}]" in changed)


def _words(session: Session, step: Step, identity: Mapping[str, Any]) -> dict[str, str]:
    """The paths that the step's own keys name, each with the key that does."""
    roles = roles_of(session.read.catalog.specs[step.kind])  # type: ignore[arg-type]
    cwd = _folder(identity)
    found: dict[str, str] = {}
    for key in (*roles.argv, *roles.file, *roles.module):
        value = identity.get(key)
        words = [value] if key in roles.file and isinstance(value, str) else words_of(value)
        if key in roles.module and isinstance(value, str):
            words = words_of(["-m", value])
        for word in words:
            path = posixpath.normpath(posixpath.join(cwd, word.rpartition("=")[2] or word))
            found.setdefault(path, f"named in `{key}`")
    return found


def _importer(
    session: Session, path: str, found: Mapping[str, Any], identity: Mapping[str, Any]
) -> str:
    for each in found:
        if each.endswith(".py") and each != path:
            modules = local_modules(each, session.files, folders=(_folder(identity),))
            if path in modules:
                return f"imported by {each}"
    return "found in the step's keys"


def _folder(identity: Mapping[str, Any]) -> str:
    cwd = identity.get("cwd", ".")
    return posixpath.normpath(cwd.removeprefix("<lab.root>/")) if isinstance(cwd, str) else "."


def _needs(session: Session, address: str) -> dict[str, str]:
    """What the step waits for, and why that is so."""
    graph = session.graph
    refs, inside = graph.refs.get(address, ()), graph.inside.get(address, {})
    found: dict[str, str] = {}
    for upstream in graph.needs.get(address, ()):
        if upstream in inside.values():
            found[upstream] = "makes files that it reads"
        elif upstream in refs:
            found[upstream] = "its outputs are used"
        else:
            found[upstream] = "order alone"
    return found


def _ignored(session: Session, step: Step) -> dict[str, Any]:
    """What the step says and what does not count."""
    spec_type = session.read.catalog.specs[step.kind]
    found: dict[str, Any] = {"when": step.when} if step.when is not True else {}
    if step.needs:
        found["needs"] = list(step.needs)
    for name in ("timeout", "protect", "tags", "mutex", "cache", "description"):
        value = getattr(step.options, name)
        if value != getattr(PLAIN, name):
            found[name] = list(value) if isinstance(value, tuple) else value
    if step.options.retries != PLAIN.retries:
        found["retries"] = step.options.retries.attempts
    if step.options.on_failure != PLAIN.on_failure:
        found["on_failure"] = step.options.on_failure.value
    resources, plain = step.options.resources, PLAIN.resources
    for name in ("cpu", "memory", "gpu"):
        if getattr(resources, name) != getattr(plain, name):
            found[f"resources.{name}"] = getattr(resources, name)
    for name, known in spec_type.__dataclass_fields__.items():
        about = known.metadata.get("lab")
        if isinstance(about, Option) and not about.identity and name in step.spec:
            found[name] = step.spec[name]
    return found


def unknown_text(value: object) -> str | None:
    """How a value that is not known yet is shown; None for one that is."""
    return str(value) if isinstance(value, Unknown) else None
