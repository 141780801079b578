"""A forked process becomes the program that is run: what tells it from its siblings, and its end."""

from __future__ import annotations

import contextlib
import importlib.machinery
import os
import random
import sys
import types
from typing import Any, NoReturn


def become(
    folder: str,
    argv: list[str],
    env: dict[bytes, bytes],
    python: list[str],
    before: dict[bytes, bytes],
) -> None:
    """Puts on all that makes the process another one than its siblings.

    *python* is the interpreter with its options, *before* the variables before anything was imported.
    """
    words = [*python, *argv]
    _show(words, env)
    # What the imports themselves have set stays, as it would after them.
    for name in before.keys() - env.keys():
        os.environb.pop(name, None)
    for name, value in env.items():
        if before.get(name) != value:
            os.environb[name] = value
    sys.orig_argv = words
    process = sys.modules.get("multiprocessing.process")
    if process is not None:
        process.ORIGINAL_DIR = folder  # type: ignore[attr-defined]
        process.current_process().authkey = os.urandom(32)


def randomize(state: tuple[Any, ...] | None) -> None:
    """Goes on from the *state* that a seed has led to; without one no two are to draw the same."""
    numpy = sys.modules.get("numpy.random")
    if state is not None:
        random.setstate(state)
    elif numpy is not None:
        numpy.seed()  # Python's own generator does so by itself when it is forked


def _show(words: list[str], own: dict[bytes, bytes]) -> None:
    """Writes the run's words and marks where others look for them: in its /proc/PID/cmdline and environ."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    argv, argv_end, env, env_end = (int(fields[i]) for i in (45, 46, 47, 48))
    with open("/proc/self/environ", "rb") as file:
        block = file.read()
    memory = os.open("/proc/self/mem", os.O_WRONLY)
    for old, new in ((b"LAB_MARK", b"LAB_MARK"), (b"LAB_WARM", b"LAB_STEP_DIR")):
        at = (b"\0" + block).find(b"\0" + old + b"=")
        room = block.find(b"\0", at) - at
        text = new + b"=" + own.get(new, b"")
        if at >= 0 and len(text) <= room and env + at + room < env_end:
            os.pwrite(memory, text.ljust(room, b"\0"), env + at)
    room = argv_end - argv - 1
    os.pwrite(memory, b"\0".join(map(os.fsencode, words))[:room].ljust(room, b"\0"), argv)
    os.close(memory)


def run(argv: list[str]) -> NoReturn:
    """Runs the program as the interpreter would; the interpreter's own end follows."""
    caught: BaseException | None = None
    try:
        _execute(argv)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - told as the interpreter tells it
        caught = error
    if caught is None:
        sys.exit(0)
    _tell(caught)
    if isinstance(caught, KeyboardInterrupt):
        sys.excepthook = lambda *_: None
        raise caught  # the interpreter then ends by the signal
    sys.exit(1)


def _execute(argv: list[str]) -> None:
    word, *rest = argv
    old, new = sys.modules["__main__"], types.ModuleType("__main__")
    for name, module in list(sys.modules.items()):  # multiprocessing has another name for it
        if module is old:
            sys.modules[name] = new
    names = new.__dict__
    names["__builtins__"] = sys.modules["builtins"]
    names["__loader__"] = importlib.machinery.BuiltinImporter
    if sys.version_info < (3, 14):
        names["__annotations__"] = {}
    safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    if word == "-m":
        from runpy import _run_module_as_main as main_module  # type: ignore[attr-defined]

        sys.argv, place = ["-m", *rest[1:]], os.getcwd()
        sys.path[:0] = [] if safe else [place]
        main_module(rest[0])
        return
    if word == "-c":
        sys.argv, place = ["-c", *rest[1:]], ""
        source: Any = rest[0]
        path = "<string>"
    else:
        sys.argv, place = list(argv), os.path.dirname(os.path.realpath(word))
        path = os.path.join(os.getcwd(), word)
        names.update(__file__=path, __cached__=None)
        names["__loader__"] = importlib.machinery.SourceFileLoader("__main__", path)
        with open(path, "rb") as file:
            source = file.read()
    sys.path[:0] = [] if safe else [place]
    try:
        exec(compile(source, path, "exec", dont_inherit=True), names)
    finally:
        if word != "-c":
            _flush()  # before an exception is told, or an exit's text


def _flush() -> None:
    for stream in (sys.stderr, sys.stdout):
        with contextlib.suppress(Exception):
            stream.flush()


def _tell(error: BaseException) -> None:
    trace = _own(error)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    try:
        sys.excepthook(type(error), error, trace)
    except SystemExit:
        raise
    except BaseException as fault:  # noqa: BLE001 - the program's own hook
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(fault), fault, _own(fault))
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, trace)


def _own(error: BaseException) -> types.TracebackType | None:
    """The error's trace from the program's first frame on."""
    trace = error.__traceback__
    here = os.path.dirname(os.path.abspath(__file__))
    while trace is not None and os.path.dirname(trace.tb_frame.f_code.co_filename) == here:
        trace = trace.tb_next
    error.__traceback__ = trace
    return trace
