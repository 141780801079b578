"""What is asked of the warden so that a program starts where its imports are done already."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence

import lab
from lab.edge.warden_tree import MARK
from lab.edge.warden_wire import Message
from lab.provider import Warm

_SERVER = os.path.join(os.path.dirname(os.path.abspath(lab.__file__)), "inject", "lab_warm.py")
_OWN = "LAB_"  # what tells one step from another, and no import reads
_READ = "LAB_SEED"  # but for what seeds modules as they are imported
_ROOM = 4096  # bytes for LAB_STEP_DIR, which a forked process cannot have in its first variables


def request(
    warm: Warm, argv: Sequence[str], cwd: str, env: Mapping[str, str], mark: str
) -> Message:
    """The part of an order that says from which process to fork, and how that one starts.

    Equal interpreters, options, modules, folders and variables (lab's own apart) share one process.
    """
    own = env.get("LAB_STEP_DIR", "")
    inside = own and f"{cwd}/".startswith(f"{own}/")
    home = env.get("LAB_ROOT", "/") if inside else cwd
    first = 1 + warm.options
    shared = {n: str(v) for n, v in env.items() if n == _READ or not n.startswith(_OWN)}
    server = [*map(str, argv[:first]), _SERVER, "3", *warm.modules]
    text = repr((server, home, sorted(shared.items())))
    return {
        "key": hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest(),
        "argv": server,
        "words": [str(word) for word in argv[first:]],
        "cwd": home,
        "env": {**shared, MARK: mark, "LAB_WARM": "-" * _ROOM},
    }
