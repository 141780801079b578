"""`lab state`: looks after what is remembered; only `import`, `push` and `join` need a Labfile."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from lab.cli.state_care import check, unlock
from lab.cli.state_change import compact, mv, rm
from lab.cli.state_copy import join, pull, push
from lab.cli.state_list import list_, show
from lab.cli.verbs import Verbs, run


def _import(words: Sequence[str]) -> int:
    """`lab state import`; alone among them it reads a Labfile, which the others need not wait for."""
    code: int = import_module("lab.cli.state_import").main(words)
    return code


_USAGE = "COMMAND [-C DIR] [--name NAME] [-e OVERLAY] [options]"
_ABOUT = "Looks after what is remembered; only `import`, `push` and `join` need a Labfile."
VERBS: Verbs = {
    "list": (list_, "what is remembered, of every lab that has its state here"),
    "show": (show, "a step's record as JSON"),
    "rm": (rm, "forget steps without destroying what they made"),
    "mv": (mv, "remember a renamed step under its new name"),
    "import": (_import, "take over something that is there already"),
    "unlock": (unlock, "release the lock of a command that was killed"),
    "pull": (pull, "the whole state of a lab as JSON"),
    "push": (push, "put a state where the Labfile says that it lies"),
    "join": (join, "use a lab that others have in the database"),
    "check": (check, "read all of it, and say what is damaged"),
    "compact": (compact, "drop the history of old runs"),
}


def main(words: Sequence[str]) -> int:
    """Runs one of the verbs."""
    return run("state", VERBS, words, usage=_USAGE, about=_ABOUT)
