"""One step, what is wanted, what is remembered and what is there: what to do, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from lab.kinds.shape_derive import key_of
from lab.kinds.spec import Option
from lab.model.frozen import dataclass
from lab.model.plan import Change, Verb
from lab.model.state import Record, Tried
from lab.model.tree import format_path
from lab.model.values import ABSENT, Absent, Unknown
from lab.planning.digest import Wanted
from lab.provider import Observation


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Nobody looked whether what was made is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is there: the provider's observation, and the artifacts that are gone or have other bytes.

    ``unmet`` says in words what of the step's `require` the recorded outputs do not meet, as far as it is known.
    """

    observation: Observation | NotAsked | None = NotAsked()
    gone: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    unmet: str | Unknown = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verb, the reason in words, and what differs."""

    verb: Verb
    cause: str
    changes: tuple[Change, ...] = ()


UNSEEN = Seen()


def decide(
    wanted: Wanted,
    record: Record | None,
    seen: Seen = UNSEEN,
    *,
    spec_type: type[Any],
    cache: bool = True,
    replace: bool = False,
) -> Decision:
    """What to do with a step that is to run. Called for the plan, and again when upstream outputs are known.

    The order of the questions is the order of the causes that people read: the first that holds is told.
    """
    if record is None or (record.done is None and record.tried is None):
        return Decision(Verb.CREATE, "never ran")
    changes = _changes(wanted, record)
    verb = _verb(changes, spec_type) if record.done else _begun(wanted, record)
    if replace:
        verb = Verb.REPLACE if record.done else verb
        return Decision(verb, "asked for with --replace", changes)
    if record.tried is not None:
        return Decision(verb, _unfinished(record.tried), changes)
    if not cache:
        return Decision(verb, "runs every time (`cache: false`)", changes)
    if wanted.digest == "" and not any(_is_known(change) for change in changes):
        return Decision(Verb.UNKNOWN, f"depends on {_names(wanted.unknown)}", changes)
    if changes:
        return Decision(verb, _changed(changes) + _anew(changes, spec_type), changes)
    return _looked(seen)


def _changes(wanted: Wanted, record: Record) -> tuple[Change, ...]:
    """What differs from what is done; one digest says that nothing does, and is soon compared."""
    done = record.done
    if done is None or (wanted.digest and wanted.digest == done.digest):
        return ()
    return tuple(differences(done.identity, wanted))


def _verb(changes: tuple[Change, ...], spec_type: type[Any]) -> Verb:
    """Whether what is known to differ can be changed in place."""
    anew = replacing(spec_type) | {"kind", "target"}  # type: ignore[arg-type]
    known = (change for change in changes if _is_known(change))
    return Verb.REPLACE if any(_top(change.path) in anew for change in known) else Verb.UPDATE


def _begun(wanted: Wanted, record: Record) -> Verb:
    """What never finished is created; but half a cluster is there already, and only its provider can undo it."""
    target = wanted.identity.get("target")
    place = target.get("provider") if isinstance(target, Mapping) else target
    same = record.kind == wanted.identity.get("kind") and record.place == place
    return Verb.REPLACE if record.infrastructure and not same else Verb.CREATE


def _unfinished(tried: Tried) -> str:
    if tried.interrupted:
        return f"last run was interrupted (run {tried.run})"
    error = next(iter(tried.error.splitlines()), "")
    return f"last run failed (run {tried.run})" + (f": {error}" if error else "")


def _changed(changes: tuple[Change, ...]) -> str:
    known = [change for change in changes if _is_known(change)] or list(changes)
    words = list(dict.fromkeys(_subject(change) for change in known))
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    return f"{', '.join(words[:3])}{more} changed"


def _anew(changes: tuple[Change, ...], spec_type: type[Any]) -> str:
    """What a change means to a kind that can go on from what it made, if it cannot this time."""
    goes_on = getattr(spec_type, "goes_on", ())
    known = [change.path for change in changes if _is_known(change)]
    stays = [path for path in known if not any(f"{path}.".startswith(f"{g}.") for g in goes_on)]
    return f": {spec_type.anew}" if goes_on and stays else ""


def _looked(seen: Seen) -> Decision:
    if seen.gone:
        return Decision(Verb.UPDATE, f"artifact {_ticked(seen.gone)} is gone")
    if seen.altered:
        return Decision(Verb.UPDATE, f"artifact {_ticked(seen.altered)} is not as it was made")
    match seen.observation:
        case None:
            return Decision(Verb.UPDATE, "gone from the world")
        case Observation(drift=drift) if drift:
            what = list(dict.fromkeys(_subject(change) for change in drift))
            return Decision(Verb.UPDATE, f"{', '.join(what[:3])} drifted", drift)
    if isinstance(seen.unmet, Unknown):
        after = _names(seen.unmet.after)
        return Decision(Verb.UNKNOWN, f"whether its `require` holds is known after {after}")
    if seen.unmet:
        return Decision(Verb.UPDATE, seen.unmet)
    return Decision(Verb.KEEP, "nothing changed")


@lru_cache(maxsize=256)
def replacing(spec_type: type[Any]) -> frozenset[str]:
    """The fields whose change means to make the thing anew."""
    return frozenset(
        key_of(name)
        for name, known in spec_type.__dataclass_fields__.items()
        if isinstance(about := known.metadata.get("lab"), Option) and about.replaces
    )


def differences(before: Mapping[str, Any] | None, wanted: Wanted) -> Iterator[Change]:
    """What differs between the recorded identity and the wanted one; nothing for a step that never ran."""
    if before is not None:
        yield from _walk((), before, wanted.identity)


def _walk(path: tuple[str | int, ...], before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(k for k in after if k not in before)]:
            yield from _walk((*path, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _walk((*path, i), old, new)
    elif isinstance(before, Absent) and isinstance(after, Mapping) and after:
        for key, value in after.items():
            yield from _walk((*path, key), ABSENT, value)
    elif isinstance(after, Absent) and isinstance(before, Mapping) and before:
        for key, value in before.items():
            yield from _walk((*path, key), value, ABSENT)
    elif not _same(before, after):
        yield Change(_written(path), before, after)


def _same(before: Any, after: Any) -> bool:
    """Equal, and written alike: 1, 1.0 and true are equal in Python but not in a Labfile."""
    alike = all(isinstance(before, t) == isinstance(after, t) for t in (bool, int, float))
    return bool(before == after) and alike


def _written(path: tuple[str | int, ...]) -> str:
    if path and path[0] == "inputs":
        return f"inputs[{path[1]}]" if len(path) > 1 else "inputs"
    return format_path(path)


def _is_known(change: Change) -> bool:
    return not isinstance(change.after, Unknown)


def _top(path: str) -> str:
    return path.split("[")[0].split(".")[0]


def _subject(change: Change) -> str:
    """What changed, in the words of a cause: `command`, input `train.py`, `env.LR`."""
    top = _top(change.path)
    if top == "inputs":
        return f"input `{change.path[len('inputs[') : -1]}`"
    if top == "env":
        return f"`{change.path}`"
    return f"`{top}`"


def _ticked(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _names(addresses: tuple[str, ...]) -> str:
    shown = ", ".join(addresses[:3])
    return shown + (f" and {len(addresses) - 3} more" if len(addresses) > 3 else "")
