"""`lab logs`: a step's log, and what a running step still writes to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from lab.cli import arguments
from lab.cli.home import is_shared
from lab.cli.logs_find import Log, log_of
from lab.cli.logs_follow import Follow
from lab.cli.logs_read import Printer, Tail
from lab.cli.named import add_words, take_labfile, the_steps
from lab.cli.recorded import NotYetError, Recorded, recorded
from lab.cli.terminal import colourful
from lab.model.diagnostic import Diagnostic
from lab.model.event import RunStarted

ABOUT = """Print the log of a step's newest run, or of the run that --run names.

If the step has a matrix, the logs of all its instances, each line after its instance's name."""


def main(words: Sequence[str]) -> int:
    """Prints logs; with -f until the steps have ended."""
    parser = arguments.parser("logs", ABOUT)
    add_words(parser, "STEP", "a step, one instance of it, or a pattern")
    arguments.add_commands(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the step ends")
    parser.add_argument("--run", type=arguments.positive, metavar="N", help="default: its newest")
    parser.add_argument(
        "-n", "--lines", type=_count, metavar="LINES", help="only the last so many (default: all)"
    )
    parser.add_argument(
        "--replica", metavar="NAME", default="", help="only one replica of a training: worker-1"
    )
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    if len(rest) != 1:
        raise arguments.usage("`lab logs` wants one step", "for example: lab logs train")
    if args.follow and args.run is not None:
        raise arguments.usage(
            "-f follows what runs now, --run names a run", "leave one of them out"
        )
    colour = colourful(sys.stdout)
    with recorded(args) as lab:
        if args.follow:
            Follow(lab, rest[0], args.lines, Printer(colour=colour, replica=args.replica)).go()
        else:
            printer = Printer(colour=colour, replica=args.replica)
            _print(lab, rest[0], args.run, args.lines, printer)
    return 0


def _print(lab: Recorded, word: str, run: int | None, lines: int | None, printer: Printer) -> None:
    """Prints what is there now, one log after the other."""
    steps = the_steps(lab, word)
    logs = [log for step in steps if (log := log_of(lab, step, run))]
    if not logs:
        raise _none(lab, word, run)
    if len(logs) == 1:
        printer.only = logs[0].address
    for log in logs:
        for block in _blocks(lab, log, lines, alone=len(logs) == 1):
            printer.feed(log.address, block)
        printer.flush(log.address)


def _blocks(lab: Recorded, log: Log, lines: int | None, *, alone: bool) -> Iterator[bytes]:
    """What is in the log; what goes wrong with printing it is another matter."""
    blocks = Tail(log.path, lines).blocks()
    while True:
        try:
            block = next(blocks, None)
        except FileNotFoundError:
            if alone:
                sys.stdout.flush()
                print(_empty(lab, log), file=sys.stderr)
            return
        except OSError as error:
            raise _unreadable(log, error) from None
        if block is None:
            return
        yield block


def _empty(lab: Recorded, log: Log) -> str:
    host = _made_on(lab, log.run)
    if host:
        return (
            f"the log of `{log.address}` is not in this checkout: it wrote nothing in run {log.run},"
            f" or the log lies where that run was made, on {host}. Here it would be {log.path}."
        )
    return (
        f"`{log.address}` wrote nothing in run {log.run}, or its log was deleted since"
        f" (`lab gc` does that). It would be {log.path}."
    )


def _none(lab: Recorded, word: str, run: int | None) -> NotYetError:
    if run is None:
        return NotYetError(
            Diagnostic(
                summary=f"`{word}` has no log",
                detail="It failed before anything was started, or its history was dropped.",
                help=f"`lab show {word}` says what is remembered of it",
            )
        )
    ran = sorted({event.run for event in lab.lab.events(address=word)})
    return NotYetError(
        Diagnostic(
            summary=f"`{word}` did nothing in run {run}",
            detail=f"It did something in: {', '.join(map(str, ran))}." if ran else "",
            help="`lab runs` lists the runs, `lab show run N` what each did",
        )
    )


def _unreadable(log: Log, error: OSError) -> NotYetError:
    return NotYetError(
        Diagnostic(
            summary=f"the log of `{log.address}` in run {log.run} cannot be read: {error.strerror}",
            detail=f"Its place is {log.path}.",
        )
    )


def _made_on(lab: Recorded, run: int) -> str:
    """The machine on which a run was made, where others run this lab too; empty where nobody does."""
    if lab.source is None or not is_shared(lab.source):
        return ""
    began = (event for event in lab.lab.events(run=run) if isinstance(event, RunStarted))
    return next((event.host for event in began), "")


def _count(text: str) -> int:
    return 0 if text == "0" else arguments.positive(text)
