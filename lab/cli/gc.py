"""`lab gc`: deletes what nothing refers to any more."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator, Sequence

from lab.cli import arguments
from lab.cli.asking import ask
from lab.cli.gc_find import Garbage, in_lab
from lab.cli.gc_objects import in_objects, needed_by
from lab.cli.gc_store import in_store
from lab.cli.home import file_journal
from lab.cli.locking import held
from lab.cli.recorded import Recorded, recorded
from lab.cli.terminal import interactive
from lab.crashpoint import passing
from lab.edge.journal import Journal, LabRow
from lab.edge.machine import cache_root
from lab.edge.store import Store
from lab.model.diagnostic import Diagnostic, LabfileError, printable
from lab.model.layout import lab_key, state_path
from lab.report.words import size

ABOUT = """Delete what nothing refers to any more: folders of steps that nothing is remembered of, logs of
old runs, parsed Labfiles. What a record names stays, whichever step's folder it lies in.

Datasets lie in a store that all your labs share. It is left alone unless --older-than says how long
data must have been unused; data that a lab on this disk links to, or that this lab has, stays."""

EXIT_FAILED = 1
FEW = 3  # paths of a sort that are shown without being asked


def main(words: Sequence[str]) -> int:
    """Looks, shows what would go and what that frees, asks, and deletes."""
    parser = arguments.parser("gc", ABOUT)
    arguments.add_labfile(parser)
    arguments.add_commands(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be deleted, no more"
    )
    parser.add_argument(
        "--keep-runs",
        type=arguments.positive,
        default=20,
        metavar="N",
        help="runs whose logs, curves and copies stay (default: 20)",
    )
    parser.add_argument(
        "--older-than", type=arguments.seconds, metavar="TIME", help="clear the store, too (30d)"
    )
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    arguments.add_lock(parser)
    arguments.add_output(parser)
    args = arguments.parse(parser, words)
    with recorded(args) as lab, _locked(lab, args):
        found = list(_garbage(lab, args))
        if not args.json:
            _show(found, lab, args)
        if found and not args.dry_run:
            _confirm(found, args)
        freed = [None if args.dry_run else _delete(each, args) for each in found]
    if args.json:
        _print_json(found, freed)
    elif found and not args.dry_run and not args.quiet:
        print(f"Deleted: {size(sum(each or 0 for each in freed))} freed.")
    return EXIT_FAILED if None in freed and not args.dry_run else 0


@contextlib.contextmanager
def _locked(lab: Recorded, args: argparse.Namespace) -> Iterator[None]:
    """While it lasts no run makes new folders. A lab without a state has no runs."""
    if args.dry_run or lab.lab.tenancy is None:
        yield
        return
    with held(lab.lab, "gc", args.lock_timeout, nameless=True):
        yield


def _known(lab: Recorded) -> Iterator[LabRow]:
    """The labs whose folders are here: of the folder's own state, and of the one that is shared."""
    for journal in _journals(lab):
        yield from journal.labs()


def _journals(lab: Recorded) -> Iterator[Journal]:
    yield lab.journal
    if lab.journal.path != state_path(lab.root):  # on a full disk nobody can open it twice
        with file_journal(lab.root) as own:
            yield own


def _garbage(lab: Recorded, args: argparse.Namespace) -> Iterator[Garbage]:
    """All that may go. Without a state nothing is known, so nothing of the lab's own goes."""
    records = lab.lab.load().records
    known = {lab_key(row.name, row.overlay) for row in _known(lab)}
    if known:
        yield from in_lab(
            lab.root,
            lab.lab.row.name,
            lab.lab.row.overlay,
            records=records,
            labs=known,
            keep_runs=args.keep_runs,
            cache=cache_root(os.environ),
        )
        yield from in_objects(lab.root, set(_needed(lab, args.keep_runs)))
    if args.older_than is not None:
        outputs = [record.done.outputs for record in records.values() if record.done]
        needed = {str(each["sha256"]) for each in outputs if "sha256" in each}
        yield from in_store(_store(), unused_since=_before(args), needed=needed)


def _needed(lab: Recorded, keep_runs: int) -> Iterator[str]:
    """The hashes that any lab of this folder needs; they share their copies."""
    for journal in _journals(lab):
        for row in journal.labs():
            yield from needed_by(journal.open(row.name, row.overlay), keep_runs)


def _store() -> Store:
    return Store(os.path.join(cache_root(os.environ), "store"))


def _before(args: argparse.Namespace) -> float:
    return time.time() - float(args.older_than or 0.0)


def _show(found: Sequence[Garbage], lab: Recorded, args: argparse.Namespace) -> None:
    if args.quiet:
        return
    if not found:
        print("Nothing to delete: everything here belongs to something.")
    for what in dict.fromkeys(each.what for each in found):
        sort = [each for each in found if each.what == what]
        print(f"{size(sum(each.size for each in sort)):>8}  {what} ({len(sort)})")
        shown = sort if args.verbose or len(sort) <= FEW + 1 else sort[:FEW]
        for each in shown:
            path = os.path.relpath(each.path, lab.root)
            print(f"{'':10}{printable(each.path if path.startswith('..') else path)}")
        if len(shown) < len(sort):
            print(f"{'':10}and {len(sort) - len(shown)} more (-v shows them)")
    if found:
        verb = "would free" if args.dry_run else "frees"
        print(f"\nDeleting this {verb} {size(sum(each.size for each in found))}.")
    if args.older_than is None:
        _tell_of_store()


def _tell_of_store() -> None:
    entries = _store().entries()
    if entries:
        data = "one dataset" if len(entries) == 1 else f"{len(entries)} datasets"
        print(
            f"The store that all your labs share holds {data}, {size(sum(e.size for e in entries))};"
            "\n`lab gc --older-than 30d` deletes those unused for so long."
        )


def _confirm(found: Sequence[Garbage], args: argparse.Namespace) -> None:
    if args.yes:
        return
    if args.json or not interactive():
        raise LabfileError(
            Diagnostic(
                summary=f"{len(found)} files and folders would be deleted, and nobody can be asked",
                help="look with `--dry-run`, then add `--yes`",
            )
        )
    ask("Delete all of that?")


def _delete(each: Garbage, args: argparse.Namespace) -> int | None:
    """Deletes it and gives the bytes that this freed; says why if it cannot, and gives None.

    What another lab has begun to use meanwhile stays, and frees nothing.
    """
    path = each.path
    passing("gc.before")
    try:
        if each.stored is not None:
            return _store().remove(each.stored, unused_since=_before(args))
        try:
            _remove(path)
        except PermissionError:  # unpacked archives may hold folders that nobody may write to
            for where, _, _ in os.walk(path):
                os.chmod(where, stat.S_IRWXU)
            _remove(path)
    except FileNotFoundError:
        return 0
    except OSError as error:
        print(f"could not delete {printable(path)}: {error.strerror}", file=sys.stderr)
        return None
    passing("gc.after")
    return each.size


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _print_json(found: Sequence[Garbage], freed: Sequence[int | None]) -> None:
    """What was found; `freed` is null for what was not deleted."""
    entries = [
        {"path": each.path, "what": each.what, "bytes": each.size, "freed": took}
        for each, took in zip(found, freed, strict=True)
    ]
    total = sum(each.size for each in found)
    print(json.dumps({"entries": entries, "bytes": total}, ensure_ascii=False))
