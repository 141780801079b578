"""What git says of a folder: its commit, and how it differs from that."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lab.model.frozen import dataclass

LARGEST = 4 * 2**20  # bytes of a difference that is kept
_PATIENCE = 20.0
# What a repository's own settings could have git run is left out.
_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True, slots=True)
class Commit:
    """Where a folder's repository stands. ``diff`` is against the commit; None: too large to keep."""

    commit: str
    dirty: bool
    diff: str | None


def commit_of(folder: str, environ: Mapping[str, str]) -> Commit | None:
    """None where there is no repository, no commit, no git, or no answer in time."""
    if not _in_repository(folder):
        return None
    import subprocess  # it takes as long to import as a small plan to make

    try:
        commit = _git(folder, environ, "rev-parse", "HEAD").decode().strip()
        words = ("diff", "HEAD", "--no-ext-diff", "--no-textconv", "--binary")
        diff = _git(folder, environ, *words)
        status = _git(folder, environ, "status", "--porcelain", "--untracked-files=normal")
    except (OSError, subprocess.SubprocessError):
        return None
    shown = diff.decode("utf-8", "replace") if len(diff) <= LARGEST else None
    return Commit(commit, bool(status.strip()), shown)


def _in_repository(folder: str) -> bool:
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
    return True


def _git(folder: str, environ: Mapping[str, str], *words: str) -> bytes:
    import subprocess  # likewise

    return subprocess.run(
        ["git", *_QUIET, "-C", folder, *words],
        env={**environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_PATIENCE,
        check=True,
    ).stdout
