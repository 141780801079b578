"""`lab state`: looks after what is remembered; only `import`, `push` and `join` need a Labfile."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from lab.cli import arguments
from lab.cli.state_care import check, unlock
from lab.cli.state_change import compact, mv, rm
from lab.cli.state_copy import join, pull, push
from lab.cli.state_list import list_, show
from lab.model.diagnostic import did_you_mean


def _import(words: Sequence[str]) -> int:
    """`lab state import`; alone among them it reads a Labfile, which the others need not wait for."""
    code: int = import_module("lab.cli.state_import").main(words)
    return code


VERBS: Mapping[str, tuple[Callable[[Sequence[str]], int], str]] = {
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
    verb = next((word for word in words if not word.startswith("-")), "")
    if words and words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if not words or words[0] not in VERBS:
        if not words:
            print(_help(), file=sys.stderr)
            return 2
        raise arguments.usage(
            f"there is no command `lab state {verb or words[0]}`",
            did_you_mean(verb, VERBS) or f"There are: {', '.join(VERBS)}.",
        )
    return VERBS[words[0]][0](words[1:])


def _help() -> str:
    rows = "\n".join(f"  {verb:<8} {text}" for verb, (_, text) in VERBS.items())
    return f"""usage: lab state COMMAND [-C DIR] [--name NAME] [-e OVERLAY] [options]

Looks after what is remembered; only `import`, `push` and `join` need a Labfile.

{rows}

`lab state COMMAND --help` says more."""
