"""The options that several commands share, and what they mean."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence

from lab.cli.terminal import no_colour
from lab.model.diagnostic import Diagnostic, LabfileError
from lab.planning.select import Selection

DESCRIBE = "\0describe"
"""The one word with which completion asks a command for its parser."""


class Described(Exception):
    """Raised instead of parsing, with the parser that was asked for."""

    def __init__(self, made: argparse.ArgumentParser) -> None:
        super().__init__(made.prog)
        self.parser = made


def parser(verb: str, about: str, epilog: str = "") -> argparse.ArgumentParser:
    """A command's parser with what every command takes."""
    made = argparse.ArgumentParser(
        prog=f"lab {verb}",
        description=about,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("-C", dest="folder", metavar="DIR", help="work as if started in DIR")
    made.add_argument("--no-color", action="store_true", help="no colours (NO_COLOR does the same)")
    return made


def parse(made: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parses the words after the verb and does what `-C` and `--no-color` say."""
    if list(words) == [DESCRIBE]:
        raise Described(made)
    args = made.parse_intermixed_args(list(words))
    if args.no_color:
        no_colour()
    if args.folder:
        try:
            os.chdir(args.folder)
        except OSError as error:
            raise usage(f"-C {args.folder}: {error.strerror}") from None
    return args


def usage(summary: str, help: str = "") -> LabfileError:
    """A command line that cannot be meant, as an error with exit code 2."""
    return LabfileError(Diagnostic(summary=summary, help=help))


def add_labfile(made: argparse.ArgumentParser, *, plan_file: bool = False) -> None:
    """The Labfile, its overlay and its variables."""
    about = "the Labfile, or its folder; default: Labfile.yaml here or in a folder above"
    if plan_file:
        about += "; or a plan that `lab plan --out` saved"
    made.add_argument("labfile", nargs="?", help=about)
    add_variables(made)


def add_variables(made: argparse.ArgumentParser) -> None:
    """The overlay and the variables of a Labfile that is named some other way."""
    made.add_argument("-e", "--overlay", default="", help="merge Labfile.OVERLAY.yaml over it")
    made.add_argument(
        "--var", action="append", default=[], metavar="NAME=VALUE", help="set a variable"
    )
    made.add_argument(
        "--var-file",
        action="append",
        default=[],
        metavar="FILE",
        help="set variables from a YAML map",
    )


def add_trials(made: argparse.ArgumentParser) -> None:
    """Whether the trials of sweeps are listed one by one."""
    made.add_argument(
        "--trials", action="store_true", help="list the trials of sweeps, too, and not their count"
    )


def add_selection(made: argparse.ArgumentParser, *, replace: bool = True) -> None:
    """Which steps the command is about."""
    made.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STEP",
        help="only these steps; globs; +STEP adds what it needs, STEP+ what needs it",
    )
    made.add_argument(
        "--exclude", action="append", default=[], metavar="STEP", help="all but these"
    )
    made.add_argument("--tags", action="append", default=[], metavar="TAG", help="steps with a tag")
    if replace:
        made.add_argument(
            "--replace", action="append", default=[], metavar="STEP", help="make these anew"
        )


def add_running(made: argparse.ArgumentParser, *, resources: bool = True) -> None:
    """How a run goes; *resources* are shared out only among steps that are made."""
    made.add_argument(
        "-j", "--jobs", type=positive, metavar="N", help="steps at once (default: cores)"
    )
    if resources:
        made.add_argument(
            "--cpu", type=float, metavar="N", help="cores to share out (default: all)"
        )
        made.add_argument("--gpu", type=int, metavar="N", help="GPUs to share out (default: all)")
    made.add_argument(
        "--fail-fast", action="store_true", help="stop everything at the first failure"
    )
    made.add_argument("--yes", "-y", action="store_true", help="destroy and replace without asking")
    add_lock(made)
    add_output(made)


def add_lock(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--lock-timeout",
        type=seconds,
        default=600.0,
        metavar="TIME",
        help="how long to wait for another lab (default: 10m; 0 does not wait)",
    )


def add_refresh(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--refresh",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="ask whether what was made is still there (the default); artifacts are checked in any case",
    )


def add_commands(made: argparse.ArgumentParser) -> None:
    """Whether secrets that are commands may be read by what only looks: to compare them, or to reach the state."""
    made.add_argument(
        "--allow-commands",
        action="store_true",
        help="let secrets that are commands be run, to compare them or to reach the state",
    )


def add_output(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", action="store_true", help="for machines")
    made.add_argument("-v", "--verbose", action="count", default=0, help="say more")
    made.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")


def selection(args: argparse.Namespace) -> Selection:
    """The selection that the options say; commas separate too."""
    return Selection(
        only=_split("--only", args.only),
        exclude=_split("--exclude", args.exclude),
        tags=_split("--tags", args.tags),
        replace=_split("--replace", getattr(args, "replace", [])),
    )


def _split(flag: str, values: list[str]) -> tuple[str, ...]:
    """Patterns separated by commas, except commas inside a matrix key's brackets."""
    found: list[str] = []
    for value in values:
        depth, word = 0, ""
        for char in value:
            depth += {"[": 1, "]": -1}.get(char, 0)
            if char == "," and depth == 0:
                found.append(word)
                word = ""
            else:
                word += char
        found.append(word)
    words = tuple(word.strip() for word in found if word.strip())
    if values and not words:  # an empty shell variable must not mean every step
        raise usage(f"{flag} is empty: it names nothing", "leave it out to mean every step")
    return words


def positive(text: str) -> int:
    """A count of one or more."""
    return int(_checked(text, int, lambda n: n >= 1, "a whole number from 1 on"))


def seconds(text: str) -> float:
    """A duration: 90s, 5m, 2h, or a number of seconds."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    factor = units.get(text[-1:], 0.0)
    number = text[:-1] if factor else text
    return _checked(number, float, lambda n: n >= 0, "a time such as 90s, 5m or 2h") * (
        factor or 1.0
    )


def _checked(
    text: str, make: Callable[[str], float], holds: Callable[[float], bool], what: str
) -> float:
    try:
        value = make(text)
    except ValueError:
        value = None
    if value is None or not holds(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value
