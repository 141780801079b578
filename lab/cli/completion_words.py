"""What may stand for the last word of an unfinished command line."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from lab.cli import arguments
from lab.cli.completion_names import overlays, step_names, tags, target_names, variable_names
from lab.cli.main import VERBS, leading

FILES, FOLDERS = ":files", ":folders"
"""Lines that ask the shell to complete file names itself."""


def candidates(words: Sequence[str]) -> list[str]:
    """Lines for the last of *words*, those behind `lab`: each a word, or a word, a tab and what it means.

    What cannot be completed gives no lines; nothing here is an error.
    """
    before, current = _joined(words or [""])
    ahead, before = leading(before)
    try:
        if ahead[-1:] == ["-C"]:
            return [FOLDERS]
        for option, value in itertools.pairwise(ahead):
            if option == "-C":
                os.chdir(os.path.expanduser(value))
        if not before:
            return _matching(current, VERBS.items())
        return list(_of_verb(before[0], before[1:], current))
    except (OSError, SystemExit):
        return []


def _joined(words: Sequence[str]) -> tuple[list[str], str]:
    """The words, and the last one, where bash makes three words of `--name=value`."""
    *before, current = words
    if current == "=":
        return before, ""
    return [word for word in before if word != "="], current


def _matching(current: str, known: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{word}\t{about}" for word, about in known if word.startswith(current)]


def _of_verb(verb: str, before: Sequence[str], current: str) -> Iterator[str]:
    if verb not in VERBS:
        return
    module = import_module(f"lab.cli.{verb}")
    branches: Mapping[str, Any] = getattr(module, "VERBS", {})
    if branches and not before:
        yield from (name for name in branches if name.startswith(current))
        return
    parser = _parser(module.main, [*(before[:1] if branches else []), arguments.DESCRIBE])
    if parser is not None:
        yield from _of_parser(parser, before[1:] if branches else before, current)


def _parser(main: Any, words: list[str]) -> argparse.ArgumentParser | None:
    try:
        with open(os.devnull, "w", encoding="utf-8") as away, contextlib.redirect_stderr(away):
            main(words)
    except arguments.Described as described:
        return described.parser
    except Exception:  # noqa: BLE001 - no completion is better than an error in the middle of a line
        return None
    return None


def _of_parser(
    parser: argparse.ArgumentParser, before: Sequence[str], current: str
) -> Iterator[str]:
    options = {name: each for each in parser._actions for name in each.option_strings}  # noqa: SLF001
    given, positional = _given(options, before)
    folder = given.get("folder")
    if folder is not None:
        os.chdir(os.path.expanduser(folder))
    labfile = next((word for word in positional if word.endswith((".yaml", ".yml"))), None)
    labfile = labfile or next((word for word in positional if os.path.isdir(word)), None)
    asked = options.get(before[-1]) if before else None
    name, equals, value = current.partition("=")
    if asked is not None and asked.nargs != 0:
        yield from _values(asked, current, labfile)
    elif equals and name in options:
        found = _values(options[name], value, labfile)
        yield from (each if each[0] == ":" else f"{name}={each}" for each in found)
    elif current.startswith("-"):
        yield from _options(parser, current)
    else:
        yield from _positional(parser, len(positional), current, labfile)


def _given(
    options: Mapping[str, argparse.Action], before: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """The options' values by what they are stored as, and the words that belong to none."""
    values: dict[str, str] = {}
    positional, takes = [], None
    for word in before:
        name, equals, value = word.partition("=")
        if takes is not None:
            values[takes.dest], takes = word, None
        elif name in options:
            action = options[name]
            values.update({action.dest: value} if equals else {})
            takes = action if action.nargs != 0 and not equals else None
        elif not word.startswith("-"):
            positional.append(word)
    return values, positional


def _options(parser: argparse.ArgumentParser, current: str) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to list what it knows
        long = [name for name in action.option_strings if name.startswith("--")]
        shown = long if not current or current.startswith("--") or long else action.option_strings
        about = action.help if action.help not in (None, argparse.SUPPRESS) else ""
        for name in shown or action.option_strings:
            if name.startswith(current):
                yield f"{name}\t{' '.join((about or '').split())}"


def _positional(
    parser: argparse.ArgumentParser, index: int, current: str, labfile: str | None
) -> Iterator[str]:
    actions = [each for each in parser._actions if not each.option_strings]  # noqa: SLF001
    if not actions:
        return
    action = actions[min(index, len(actions) - 1)]
    if index >= len(actions) and action.nargs not in ("*", "+"):
        return
    yield from _values(action, current, labfile)


def _values(action: argparse.Action, current: str, labfile: str | None) -> Iterator[str]:
    """Values for an option or a positional word, by what it is called."""
    called = str(action.metavar or action.dest).upper()
    if action.choices is not None:
        yield from (str(each) for each in action.choices if str(each).startswith(current))
    elif "STEP" in called or "ADDRESS" in called:
        yield from _listed(step_names(labfile), current)
        if "words" in action.dest and ("." in current or "/" in current):
            yield FILES
    elif called == "TAG":
        yield from _listed(tags(labfile), current)
    elif called == "TARGET":
        yield from _listed(target_names(labfile), current)
    elif called == "OVERLAY":
        yield from (name for name in overlays(labfile) if name.startswith(current))
    elif called == "NAME=VALUE":
        yield from (f"{n}=" for n in variable_names(labfile) if n.startswith(current))
    elif called in ("DIR", "FOLDER"):
        yield FOLDERS
    elif called in ("FILE", "PATH", "LABFILE"):
        yield FILES


def _listed(names: Iterable[str], current: str) -> Iterator[str]:
    """Names for the last of several that commas separate; `+` before one is a sign of its own."""
    done, comma, last = current.rpartition(",")
    sign = "+" if last.startswith("+") else ""
    word = last.removeprefix("+")
    yield from (f"{done}{comma}{sign}{name}" for name in names if name.startswith(word))
