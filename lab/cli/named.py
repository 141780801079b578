"""Words of a command line that name a step or an output, behind a Labfile that may be left out."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence

from lab.cli.arguments import add_variables, usage
from lab.cli.labfile import NAMES
from lab.cli.recorded import NotYetError, Recorded
from lab.model.address import matches, split
from lab.model.diagnostic import Diagnostic, LabError, did_you_mean

MOST_SHOWN = 12


def add_words(made: argparse.ArgumentParser, metavar: str, about: str, *, least: int = 1) -> None:
    """Positional words, the first of which may be a Labfile; and its overlay and variables."""
    words = metavar if least else f"[{metavar}]"
    made.usage = f"{made.prog} [options] [LABFILE] {words}"
    made.add_argument("words", nargs="+" if least else "*", metavar=metavar, help=about)
    add_variables(made)


def take_labfile(args: argparse.Namespace) -> list[str]:
    """Sets ``args.labfile`` to the word that names one, if any does; gives the other words."""
    words: list[str] = list(args.words)
    args.labfile = words.pop(0) if words and _is_labfile(words) else None
    return words


def _is_labfile(words: Sequence[str]) -> bool:
    """A step's name has no dot; a folder counts only if it holds a Labfile and a step's name follows."""
    first = words[0]
    if first.endswith((".yaml", ".yml")):
        return True
    return len(words) > 1 and any(os.path.isfile(os.path.join(first, name)) for name in NAMES)


def the_steps(recorded: Recorded, word: str) -> list[str]:
    """The addresses that *word* picks: a step, all instances of one, or a pattern.

    Raises:
        LabError: nothing is remembered of it; the message says whether there is such a step at all.
    """
    records = recorded.state.records
    if word in records:
        return [word]
    found = [address for address in records if matches(address, word)]
    if not found and recorded.lab.events(address=word):
        return [word]  # destroyed or forgotten, but not its history
    if not found:
        raise unknown_step(recorded, word)
    return found


def the_step(recorded: Recorded, word: str, verb: str) -> str:
    """The one address that *word* names.

    Raises:
        LabError: it names none, or several.
    """
    found = the_steps(recorded, word)
    if len(found) > 1:
        raise several(word, found, verb)
    return found[0]


def unknown_step(recorded: Recorded, word: str) -> LabError:
    """Why nothing is remembered of *word*."""
    name, declared = split(word)[0], recorded.declared()
    instances = [a for a in recorded.state.records if split(a)[0] == name]
    if name in declared and not instances:
        return NotYetError(
            Diagnostic(
                summary=f"`{word}` never ran",
                help=f"`lab apply --only +{name}` runs it, and what it needs",
            )
        )
    return not_known("step", word, [*recorded.state.records, *declared])


def not_known(what: str, word: str, known: Iterable[str]) -> LabError:
    """There is no *what* of that name; the nearest known one is suggested."""
    names = list(dict.fromkeys(known))
    more = ", …" if len(names) > MOST_SHOWN else ""
    shown = ", ".join(f"`{name}`" for name in names[:MOST_SHOWN]) + more
    return usage(
        f"there is no {what} `{word}`",
        did_you_mean(word, names) or (f"There are: {shown}." if names else ""),
    )


def several(word: str, found: Sequence[str], verb: str) -> LabError:
    """*word* names more than one step where one is wanted."""
    more = f" and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    return usage(
        f"`{word}` is {len(found)} steps: {', '.join(found[:MOST_SHOWN])}{more}",
        f"name one: lab {verb} '{found[0]}'",
    )
