"""Imports what many runs of one program import, once, and becomes each of them by forking; needs nothing of lab."""

# Its parent, lab's warden, asks over a socket: one byte, and with it a socket of the run's own and the
# run's handles. On that socket come the words, the folder and the variables; back goes `P` and the
# process's number (it then waits for a byte to go on), `R` and why this run must start afresh, or `N`
# and why all must. Each run is forked twice, so that the warden adopts it: whoever dies, it is waited
# for and ended as if the warden had started it.

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import importlib.util
import os
import random
import socket
import sys
import threading
import time
import types
import warnings
from typing import Any

import lab_become  # type: ignore[import-not-found]

_OUTPUT, _INPUT = 1, 2  # what the byte says of the handles that come with it
_NOT_SAFE = "children of a process with threads may hang"


class _Unfit(Exception):
    """Why a run starts afresh."""


class _Start:
    """One run: its socket, its handles (by the number that they are to have), and what it is."""

    def __init__(self, talk: socket.socket, standard: dict[int, int]) -> None:
        self.talk, self.standard = talk, standard
        size = int.from_bytes(self._read(4), "big")
        folder, count, *words = self._read(size).split(b"\0")
        self.folder = os.fsdecode(folder)
        self.argv = [os.fsdecode(word) for word in words[: int(count)]]
        self.env = dict(each.split(b"=", 1) for each in words[int(count) :])

    def answer(self, what: bytes, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody wants to know any more
            self.talk.sendall(what + text.encode(errors="replace"))

    def close(self) -> None:
        self.talk.close()
        for handle in self.standard.values():
            os.close(handle)

    def wear(self) -> None:
        """Puts its handles where a program looks for them."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for to, source in ((0, 0), (1, 1), (2, 1)):
            os.dup2(self.standard.get(source, nothing), to)
        os.close(nothing)
        self.close()

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.talk.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


def main(at_start: frozenset[str]) -> None:
    """Imports, then serves until it is one of the runs itself, which it then is to the end."""
    link, modules = socket.socket(fileno=int(sys.argv[1])), sys.argv[2:]
    if sys.path[:1] == [os.path.dirname(os.path.abspath(__file__))]:
        del sys.path[0]  # where this file lies; some options of Python's leave it out
    python = getattr(sys, "orig_argv", [sys.executable, *sys.argv])[: -len(sys.argv)]
    sys.argv = [""]
    with open("/proc/self/environ", "rb") as file:  # the interpreter may have added to it since
        before = dict(each.split(b"=", 1) for each in file.read().split(b"\0") if b"=" in each)
    fault = _prepare(modules)
    # Being forked, Python's generator forgets its seed, and NumPy's keeps what nobody gave it.
    seeded = "LAB_SEED" in os.environ and any(type(f).__name__ == "_Finder" for f in sys.meta_path)
    state = random.getstate() if seeded else None
    start = _serve(link, fault, at_start)
    link.close()
    start.wear()
    lab_become.become(start.folder, start.argv, start.env, python, before)
    lab_become.randomize(state)
    lab_become.run(start.argv)


# --- what is imported -------------------------------------------------------------------------


def _prepare(modules: list[str]) -> str:
    """Imports; gives what speaks against forking now."""
    name = ""
    try:
        for name in modules:
            _import(name)
    except BaseException as error:  # noqa: BLE001 - whatever a module does, its runs can start afresh
        return f"{name} cannot be imported: {type(error).__name__}: {error}"
    gc.collect()
    gc.freeze()  # the collector would write to all pages that are shared
    return _unforkable()


def _import(name: str) -> None:
    """A name with `?` was found in the program: it counts where it is installed, and may lead to no module."""
    top = name.strip("?").split(".")[0]
    if name.endswith("?") and not _installed(top):
        return
    found: Any = importlib.import_module(top)
    at = top
    for part in name.strip("?").split(".")[1:]:
        at = f"{at}.{part}"
        if not hasattr(found, part):
            try:
                importlib.import_module(at)
            except ModuleNotFoundError:
                if not name.endswith("?"):
                    raise
                return
        found = getattr(found, part, None)
        if not isinstance(found, types.ModuleType):
            return


def _installed(name: str) -> bool:
    """Whether a module is one of the environment's, and not one of the lab's own that may change."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return False
    places = [spec.origin, *(spec.submodule_search_locations or ())]
    ours = tuple(os.path.realpath(each) + os.sep for each in (sys.prefix, sys.base_prefix))
    return spec.origin in ("built-in", "frozen") or any(
        each is not None and os.path.realpath(each).startswith(ours) for each in places
    )


def _unforkable() -> str:
    if threading.active_count() > 1:
        names = ", ".join(t.name for t in threading.enumerate()[1:])
        return f"importing started threads of Python ({names}): {_NOT_SAFE}"
    context = sys.modules.get("tensorflow.python.eager.context")
    if getattr(getattr(context, "_context", None), "_initialized", False):
        return f"importing ran an operation of TensorFlow: {_NOT_SAFE}"
    extra = len(os.listdir("/proc/self/task")) - 1 - _of_openblas()
    return (
        f"importing started {extra} threads of a native library: {_NOT_SAFE}" if extra > 0 else ""
    )


def _of_openblas() -> int:
    """How many threads OpenBLAS may have, which ends its own before a fork and starts them again after it."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        paths = {line.rsplit(None, 1)[-1] for line in file if "openblas" in line}
    copies = {path for path in paths if "openblas" in os.path.basename(path)}
    return len(copies) * (len(os.sched_getaffinity(0)) - 1)


# --- becoming a run ---------------------------------------------------------------------------


def _serve(link: socket.socket, fault: str, at_start: frozenset[str]) -> _Start:
    """Forks for each that asks. Returns in the run's own process alone."""
    while True:
        start = _next(link)
        if start is None:
            continue
        try:
            if fault:
                start.answer(b"N", fault)
            elif _forked(start, at_start):
                return start
        except (_Unfit, OSError) as error:
            start.answer(b"R", str(error))
        start.close()


def _next(link: socket.socket) -> _Start | None:
    data, extra, _, _ = link.recvmsg(1, socket.CMSG_SPACE(64))
    if not data:
        os._exit(0)  # the warden is gone, or needs no more
    numbers = array.array("i")
    for _, _, payload in extra:
        numbers.frombytes(payload[: len(payload) - len(payload) % numbers.itemsize])
    handles = list(numbers)
    if not handles:
        return None
    standard = {}
    talk = socket.socket(fileno=handles.pop(0))
    for what, to in ((_INPUT, 0), (_OUTPUT, 1)):
        if data[0] & what and handles:
            standard[to] = handles.pop(0)
    try:
        return _Start(talk, standard)
    except (EOFError, OSError, ValueError):
        talk.close()
        for handle in standard.values():
            os.close(handle)
        return None


def _forked(start: _Start, at_start: frozenset[str]) -> bool:
    """Whether this is the run's process now."""
    _require_fit(start, at_start)
    middle = _fork()
    if middle:
        os.waitpid(middle, 0)
        return False
    middle = os.getpid()
    try:
        if _fork():
            os._exit(0)
        os.setsid()
        while os.getppid() == middle:
            time.sleep(0.0002)  # it is ending, and whoever comes next sees the warden as the parent
        os.chdir(start.folder)
        start.answer(b"P", str(os.getpid()))
        if start.talk.recv(1) != b"G":
            os._exit(0)  # it is not wanted any more
    except OSError as error:
        start.answer(b"R", str(error))
        os._exit(0)
    return True


def _fork() -> int:
    with warnings.catch_warnings():  # of OpenBLAS's threads, which are known and looked at
        warnings.simplefilter("ignore")
        return os.fork()


def _require_fit(start: _Start, at_start: frozenset[str]) -> None:
    word = start.argv[0]
    folder = start.folder
    if word not in ("-m", "-c"):
        path = os.path.realpath(os.path.join(folder, word))
        if not os.path.isfile(path) or not path.endswith(".py"):
            raise _Unfit(f"{word} is no Python file")
        folder = os.path.dirname(path)
    hidden = _names_in(folder) & {name for name in sys.modules if "." not in name} - at_start
    if hidden:
        raise _Unfit(
            f"files in {folder} hide modules of the same name: {', '.join(sorted(hidden))}"
        )


def _names_in(folder: str) -> set[str]:
    """The modules and packages that a program in *folder* would find there first."""
    found = set()
    for each in os.scandir(folder):
        stem, _, ending = each.name.partition(".")
        if ending in ("py", "pyc") or ending.endswith("so"):
            found.add(stem)
        elif os.path.exists(os.path.join(each.path, "__init__.py")):
            found.add(each.name)
    return found
