"""The ``command`` kind on this machine: a child process."""

from __future__ import annotations

from collections.abc import Mapping

from lab.kinds.command import Command as Spec
from lab.provider import Completed, Io, Json, Record, Refused, Task, Value, unobservable

from ._outputs import given_outputs, output_file, take_outputs
from ._program import (
    activated,
    collect,
    folder,
    programs_of,
    require_success,
    resolved,
    surroundings,
    words,
)

__all__ = ["Spec", "adopt", "apply", "destroy", "observe"]

observe = unobservable  # lab itself looks after the artifacts


def apply(task: Task[Spec], io: Io) -> Mapping[str, Value]:
    """Runs the program; what it wrote to $LAB_OUTPUT and its artifacts are the outputs."""
    spec = task.spec
    undo = _undo(spec)
    if undo != task.memory:  # it costs a disk write, and most commands have nothing to undo
        io.remember(undo)
    with output_file(task.directory) as output:
        completed = io.run(
            resolved(words(spec.command), spec.environment),
            cwd=folder(task.root, spec.cwd),
            env={**surroundings(spec.environment, task.env, io.ambient), "LAB_OUTPUT": output},
            stdin=spec.stdin,
        )
        require_success(completed)
        values = take_outputs(output)
    return collect(spec.artifacts, values, io, {})


def adopt(task: Task[Spec], id: str, io: Io) -> Mapping[str, Value]:
    """Takes artifacts that are there for the command's, with the values in the file *id* (``-``: none)."""
    spec = task.spec
    values = given_outputs(folder(task.root, id)) if id != "-" else {}
    if not spec.artifacts and not values:
        raise Refused(
            "nothing shows that this command was run",
            "It declares no artifacts, and no file with its values was named.",
        )
    undo = _undo(spec)
    if undo is not None:
        io.remember(undo)
    return collect(spec.artifacts, values, io, {})


def destroy(record: Record, io: Io) -> None:
    """Runs the remembered ``destroy`` text; the artifacts are lab's to remove."""
    match record.memory:
        case {"destroy": str(text), "cwd": str(cwd), "bin": str(programs)}:
            env = activated(programs, io.ambient.get("PATH", "")) if programs else {}
            _require_undone(io.run(words(text), cwd=cwd, env=env), record.address)
        case _:
            pass


def _require_undone(completed: Completed, step: str) -> None:
    try:
        require_success(completed, "`destroy`")
    except Refused as refused:
        detail = (
            "This is the text as it was when the step ran: mend it and `lab apply`, then destroy again;"
            f" or `lab state rm '{step}'` forgets the step as it is."
        )
        whole = f"{refused.detail}\n{detail}".strip()
        raise Refused(refused.summary, whole, reason=refused.reason) from None


def _undo(spec: Spec) -> Json:
    """What destroying needs, since the step may be gone from the Labfile by then."""
    if spec.destroy is None:
        return None
    programs = programs_of(spec.environment) if spec.environment else ""
    return {"destroy": spec.destroy, "cwd": spec.cwd, "bin": programs}
