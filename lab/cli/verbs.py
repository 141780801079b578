"""A verb with verbs of its own, such as `lab state list`: finds the one that was named, and lists them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from lab.cli import arguments
from lab.model.diagnostic import did_you_mean

Verbs: TypeAlias = "Mapping[str, tuple[Callable[[Sequence[str]], int], str]]"
"""By name: what runs it, and what it is for in a few words."""


def run(verb: str, verbs: Verbs, words: Sequence[str], *, usage: str, about: str = "") -> int:
    """Runs that of *verbs* which *words* begin with.

    Args:
        usage: the words after `lab VERB` in the first line of its help.
        about: a paragraph for its help.

    Raises:
        UsageError: there is none of that name.
    """
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help(verb, verbs, usage, about), file=sys.stdout if words else sys.stderr)
        return 0 if words else 2
    if words[0] not in verbs:
        named = next((word for word in words if not word.startswith("-")), "")
        raise arguments.usage(
            f"there is no command `lab {verb} {named or words[0]}`",
            did_you_mean(named, verbs) or f"There are: {', '.join(verbs)}.",
        )
    return verbs[words[0]][0](words[1:])


def _help(verb: str, verbs: Verbs, usage: str, about: str) -> str:
    rows = "\n".join(f"  {name:<8} {text}" for name, (_, text) in verbs.items())
    parts = [f"usage: lab {verb} {usage}", about, rows]
    name = usage.split()[0]
    return "\n\n".join([*filter(None, parts), f"`lab {verb} {name} --help` says more."])
