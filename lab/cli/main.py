"""The command line: finds the verb, runs it, and turns whatever goes wrong into a message and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from types import ModuleType

from lab import __version__

VERBS: dict[str, str] = {
    "init": "write a Labfile for the code in this folder",
    "validate": "check a Labfile, every fault at once",
    "plan": "show what would change, and why",
    "apply": "make it so, in parallel, and remember it",
    "destroy": "undo what was made, the last first",
    "status": "how each step stands, without looking at the world",
    "output": "print the outputs",
    "logs": "print a step's log, or follow it",
    "show": "all that is remembered of a step or a run",
    "runs": "the runs so far",
    "compare": "trainings of several runs side by side",
    "artifacts": "what runs made: list it, get it back",
    "reproduce": "make what a run made again, and say whether it came out the same",
    "explain": "why a step would run or not, and what counts for it",
    "drift": "look at what was made: what is not as it was",
    "graph": "draw the steps: text, dot or mermaid",
    "doctor": "check what a Labfile needs of this machine",
    "import": "write a Labfile from a Katib Experiment",
    "export": "print a sweep as a Katib Experiment",
    "gc": "delete what nothing refers to any more",
    "schema": "print the JSON Schema of Labfiles",
    "state": "list, show, move, remove or unlock what is remembered",
    "completion": "print a completion script for a shell",
    "version": "print the version",
}

EXIT_UNWRITTEN, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit code (the table is in the README)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _streams().fill()
    _make_printable()
    try:
        code = _run(words)
        sys.stdout.flush()
    except OSError as error:
        return _unwritten(error)
    return code


def _make_printable() -> None:
    """Whatever bytes a file's name has, and whatever a terminal can show: printing never fails for it."""
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, TextIOWrapper):
            continue
        if stream.encoding.lower() == "utf-8":
            stream.reconfigure(errors="backslashreplace")
        else:
            _streams().make_legible(stream)


def _run(words: list[str]) -> int:
    if words in (["version"], ["--version"], ["-V"]):
        print(f"lab {__version__}")
        return 0
    ahead, words = leading(words)
    verb = words[0] if words else "--help"
    if verb in ("--help", "-h", "help"):
        print(_help())
        return 0
    if verb not in VERBS:
        return _unknown(verb)
    end = words.index("--") if "--" in words else len(words)
    return _guarded(verb, [*words[1:end], *ahead, *words[end:]])


def leading(words: list[str]) -> tuple[list[str], list[str]]:
    """The options before the command, and the rest: `lab -C DIR plan` means `lab plan -C DIR`."""
    at = 0
    while at < len(words) and (words[at] == "--no-color" or words[at].startswith("-C")):
        at += 2 if words[at] == "-C" else 1
    return words[:at], words[at:]


def _guarded(verb: str, words: list[str]) -> int:
    """Runs a verb; nothing that a user can do wrong gets past here as a traceback."""
    from lab.model.diagnostic import LabError  # not needed by `lab --help`

    # Nearly all that a command makes lives to its end; looking for cycles in it takes long.
    gc.set_threshold(100_000, 20, 20)

    try:
        code: int = import_module(f"lab.cli.{verb}").main(words)
        return code
    except LabError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        _streams().note("interrupted")
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a bug is reported, never shown raw
        if isinstance(error, OSError) and _streams().fails(error):
            return _unwritten(error)
        reported: int = import_module("lab.cli.crash").report(error, verb, words)
        return reported


def complain(error: Exception) -> None:
    """Prints an error's diagnostics on standard error, if anybody hears it."""
    try:
        import_module("lab.cli.complain").complain(error)
    except OSError:  # not with contextlib: importing it takes as long as all of this module
        return


def _unwritten(error: OSError) -> int:
    """What was to be printed could not be; a reader who has enough (`lab logs | head`) is no fault."""
    _streams().mute()
    if isinstance(error, BrokenPipeError):
        return 0
    _streams().note(f"lab: its output cannot be written: {error.strerror}")
    return EXIT_UNWRITTEN


def _streams() -> ModuleType:
    return import_module("lab.cli.streams")  # seldom needed, and starting up is a budget


def _unknown(verb: str) -> int:
    from lab.model.diagnostic import did_you_mean

    if verb.startswith("-"):
        print(f"lab: `{verb}` comes behind the command: lab COMMAND {verb} …", file=sys.stderr)
    else:
        hint = did_you_mean(verb, VERBS)
        print(f"lab: there is no command `{verb}`{': ' + hint if hint else ''}", file=sys.stderr)
    print("`lab --help` lists them all.", file=sys.stderr)
    return EXIT_USAGE


def _help() -> str:
    rows = "\n".join(f"  {verb:<11} {text}" for verb, text in VERBS.items())
    return f"""lab {__version__}: one YAML file declares a whole machine-learning lab

usage: lab [-C DIR] COMMAND [Labfile.yaml] [options]

{rows}

`lab COMMAND --help` says more. A first lab: `lab init`, then `lab apply`."""


def program() -> None:
    """The program `lab`: as main, and the process ends without taking everything down piece by piece.

    Every verb has closed what it opened by then; what is left is memory, which the system takes back at
    once where the interpreter needs as long as a tenth of a plan.
    """
    code = main()
    _flush(sys.stdout)
    _flush(sys.stderr)
    os._exit(code)


def _flush(stream: object) -> None:
    try:
        print(end="", file=stream, flush=True)  # type: ignore[call-overload]
    except (OSError, ValueError):
        return  # closed, or its reader is gone; main has told what there is to tell


if __name__ == "__main__":
    program()
