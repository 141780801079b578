"""What all steps that run a program share: its words, its surroundings, its end, what it made."""

from __future__ import annotations

import os
import posixpath
import signal
from collections.abc import Mapping

from lab.provider import Artifact, Completed, Io, Json, Refused, StepOutputs, Value

_HINTS = {
    126: "The shell found the program but may not execute it.",
    127: "The shell found no such program; is it in the step's `environment`, or on PATH?",
    137: "SIGKILL mostly comes from a machine that ran out of memory.",
}


def words(command: list[str] | str) -> list[str]:
    """A command's argv; a text is the shell's."""
    return ["sh", "-eu", "-c", command] if isinstance(command, str) else list(command)


def folder(root: str, cwd: str) -> str:
    """The absolute folder that ``cwd`` means."""
    return posixpath.normpath(posixpath.join(root, cwd))


def surroundings(
    environment: StepOutputs | None, env: Mapping[str, str], ambient: Mapping[str, str]
) -> dict[str, str]:
    """The variables that put an environment step's programs first; nothing without one."""
    if environment is None:
        return {}
    return activated(programs_of(environment), env.get("PATH", ambient.get("PATH", os.defpath)))


def programs_of(environment: StepOutputs) -> str:
    """The folder with an environment step's programs.

    Raises:
        Refused: the step's outputs name none.
    """
    where = environment.outputs.get("bin")
    if not isinstance(where, str):
        raise Refused(
            f"the step `{environment.step}` is no environment that programs can run in here",
            "Its outputs have no `bin`. Name an `environment` step that was made on this target.",
        )
    return where


def activated(programs: str, path: str) -> dict[str, str]:
    """What activating the environment whose programs lie in *programs* sets."""
    # An empty PYTHONHOME is as good as none, and io.run cannot take a variable away.
    return {
        "PATH": f"{programs}{os.pathsep}{path}",
        "VIRTUAL_ENV": posixpath.dirname(programs),
        "PYTHONHOME": "",
    }


def resolved(argv: list[str], environment: StepOutputs | None) -> list[str]:
    """*argv* with a bare program name replaced by the environment's program, if it has one."""
    if environment is None or not argv or "/" in argv[0]:
        return argv
    own = f"{programs_of(environment)}/{argv[0]}"
    return [own, *argv[1:]] if os.path.exists(own) else argv


def require_success(completed: Completed, what: str = "") -> None:
    """Returns if the program ended with 0.

    Raises:
        Refused: the summary says how it ended; the reason is ``exit:N``, where a signal counts as
            the 128 + its number that shells report.
    """
    code = completed.code
    if code == 0:
        return
    lead = f"{what}: " if what else ""
    if code > 0:
        raise Refused(f"{lead}exit {code}", _HINTS.get(code, ""), reason=f"exit:{code}")
    shown, status = _signal_name(-code), 128 - code
    raise Refused(f"{lead}killed by {shown}", _HINTS.get(status, ""), reason=f"exit:{status}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def collect(
    artifacts: Mapping[str, str], values: Mapping[str, Json], io: Io, taken: Mapping[str, Value]
) -> dict[str, Value]:
    """A step's outputs: what lab computed (*taken*), its artifacts, and the values that it wrote.

    Raises:
        Refused: an artifact is not there, or one name means two things.
    """
    outputs: dict[str, Value] = dict(taken)
    for name, path in artifacts.items():
        _require_free(name, outputs)
        outputs[name] = _artifact(name, path, io)
    for name, value in values.items():
        _require_free(name, outputs)
        outputs[name] = value
    return outputs


def _require_free(name: str, outputs: Mapping[str, Value]) -> None:
    if name in outputs:
        raise Refused(
            f"the output `{name}` is given twice",
            "Values written to $LAB_OUTPUT, artifacts and lab's own outputs need different names.",
        )


def _artifact(name: str, path: str, io: Io) -> Artifact:
    try:
        return io.artifact(path)
    except Refused as error:
        raise Refused(f"artifact `{name}` was not made: {error.summary}", error.detail) from None
