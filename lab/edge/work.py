"""The folders in which steps work and log, and the removal of what steps made."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType

from lab.durable import sync_above, sync_tree
from lab.edge.hashing import SKIPPED
from lab.edge.objects import Objects
from lab.edge.private import make_private, private
from lab.model import layout
from lab.model.diagnostic import Diagnostic, LabError
from lab.model.layout import FOLDER
from lab.model.values import Artifact
from lab.ports import Files, Redactor, Sink

LARGEST_INPUT = 16 * 2**20  # bytes; a larger file is data, which is not copied for each version


class Work:
    """Implements ports.Work for the lab (*name*, *overlay*) in the folder *root*."""

    def __init__(self, root: str, name: str, overlay: str, files: Files) -> None:
        self._root, self._name, self._overlay = root, name, overlay
        self._files = files
        self._objects = Objects(root)
        self._synced: dict[str, int] = {}  # folders, and when they had changed last

    def step_dir(self, address: str) -> str:
        return layout.step_dir(self._root, self._name, self._overlay, address)

    def log_path(self, run: int, address: str) -> str:
        return layout.log_path(self._root, self._name, self._overlay, run, address)

    def open_log(self, run: int, address: str) -> AbstractContextManager[Sink]:
        return Log(self.log_path(run, address))

    def prepare(self, address: str) -> str:
        path = self.step_dir(address)
        with _explained(path):
            try:
                os.mkdir(path, 0o700)
            except (FileExistsError, FileNotFoundError):
                _refuse_link(path)
                make_private(path)
        return path

    def forget(self, address: str) -> None:
        path = self.step_dir(address)
        with _explained(path):
            if os.path.islink(path):
                os.unlink(path)
            elif os.path.lexists(path):
                _remove_whole(path)

    def settle(self, artifact: Artifact) -> None:
        """Makes an artifact durable. One that its provider vouches for is its provider's to sync.

        Raises:
            OSError: it could not be written, or is gone.
        """
        if artifact.digest.startswith("sha256:"):
            sync_tree(artifact.path)
            sync_above(artifact.path, self._root, self._synced)

    def keep(self, artifact: Artifact) -> None:
        self._objects.keep(artifact.path, artifact.digest)

    def keep_input(self, path: str, digest: str) -> None:
        self._objects.keep(os.path.join(self._root, path), digest, LARGEST_INPUT)

    def keep_curve(self, run: int, address: str, redactor: Redactor | None) -> None:
        curve = f"{self.step_dir(address)}/curve.jsonl"
        to = layout.curve_path(self._root, self._name, self._overlay, run, address)
        with contextlib.suppress(OSError):  # a picture that cannot be kept is no reason to fail
            with open(curve, "rb") as file:
                data = file.read()
            if redactor is not None:  # a program may call a metric anything
                data = redactor.feed(data) + redactor.flush()
            make_private(os.path.dirname(to))
            with open(to, "wb", opener=private) as file:
                file.write(data)

    def remove_artifact(self, artifact: Artifact) -> bool:
        """Deletes an artifact if its bytes are still the recorded ones; False if they are not.

        What lies outside the lab's folder is never deleted; in a folder, only what counts as its
        content goes. An artifact that is gone already is deleted. One that its provider vouches for
        with a word of its own (no ``sha256:``) is its provider's to delete.

        Raises:
            LabError: it may not be deleted.
        """
        path = artifact.path
        if not artifact.digest.startswith("sha256:") or not os.path.lexists(path):
            return True
        if not self._is_ours(path) or self._files.digest(path) != artifact.digest:
            return False
        with _explained(path):
            if os.path.isdir(path) and not os.path.islink(path):
                _remove_tree(path)
            else:
                os.unlink(path)
        return True

    def _is_ours(self, path: str) -> bool:
        """Whether *path* lies below the lab's folder, and not among what lab or git live on."""
        root = os.path.realpath(self._root)
        parent = os.path.realpath(os.path.dirname(path))
        if parent != root and not parent.startswith(root + os.sep):
            return False
        parts = os.path.relpath(os.path.join(parent, os.path.basename(path)), root).split(os.sep)
        if parts[0] == FOLDER:
            return len(parts) > 2 and parts[1] == "work"
        return ".git" not in parts and parts[0] not in (".", "..")


def clear_outputs(root: str, name: str, overlay: str) -> None:
    """Removes what steps wrote to $LAB_OUTPUT before lab was killed: nobody has looked whether a secret is in it.

    Only for whoever holds the lock, when no step runs.
    """
    for step in _folders(f"{layout.work_dir(root, name, overlay)}/steps"):
        for folder in (step, *_folders(f"{step}/replicas")):
            with contextlib.suppress(OSError):
                os.unlink(f"{folder}/{layout.OUTPUT_FILE}")


def _folders(path: str) -> list[str]:
    """The folders in the folder *path*; links lead elsewhere."""
    with contextlib.suppress(OSError), os.scandir(path) as found:
        return [each.path for each in found if each.is_dir(follow_symlinks=False)]
    return []


class Log:
    """A step's log, for its owner's eyes; what cannot be written is counted, and never stops a step.

    It is made when there is something to write: most small steps say nothing.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle = -1
        self._lost = 0

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        if self._handle < 0:
            self._handle = _opened(self._path)
        if self._lost:
            data = f"\n[{self._lost} bytes of the log were lost here]\n".encode() + data
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._handle, view) :]
            self._lost = 0
        except OSError:  # no space: the journal will say so, where it matters
            self._lost += len(view)

    def close(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def _opened(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    _refuse_link(os.path.dirname(path))
    with _explained(path):
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            make_private(os.path.dirname(path))
            return os.open(path, flags, 0o600)


def _refuse_link(folder: str) -> None:
    """Somebody else's `.lab` may bring links to elsewhere."""
    if os.path.islink(folder):
        raise LabError(
            Diagnostic(
                summary=f"{folder} is a symbolic link",
                detail="lab follows no links there: it would write elsewhere.",
                help="Delete the link.",
            )
        )


def _remove_whole(folder: str) -> None:
    import shutil  # it imports every way to compress

    shutil.rmtree(folder)


def _remove_tree(folder: str) -> None:
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if not os.path.isdir(path) or os.path.islink(path):
            os.unlink(path)
        elif name == "__pycache__":
            _remove_whole(path)
        elif name not in SKIPPED:
            _remove_tree(path)
    # A repository or a lab inside was not hashed, so that it may hold anything: it stays.
    with contextlib.suppress(OSError):
        os.rmdir(folder)


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LabError(
            Diagnostic(
                summary=f"cannot write below {path}: {error.strerror or error}",
                detail=f"It happened at {error.filename}." if error.filename else "",
                help="See who owns that folder (`ls -la`) and whether the disk is full (`df`).",
            )
        ) from error
