"""Gives steps the keys of the steps that they are like, and remembers where each was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from lab.kinds.shape_fault import Fault
from lab.kinds.shape_words import listed, met
from lab.model.diagnostic import did_you_mean
from lab.model.frozen import dataclass
from lab.model.tree import Json, Path
from lab.reading.bind_findings import Findings

_FEW = 12


@dataclass(frozen=True, slots=True)
class Written:
    """A step's keys, own and copied; ``where`` has the places of the copied ones.

    ``whole`` is false where keys may be missing because `like` leads nowhere.
    """

    tree: Mapping[str, Json]
    where: Mapping[str, Path] = field(default_factory=dict)
    whole: bool = True


def resolve_like(steps: Mapping[str, Mapping[str, Json]], findings: Findings) -> dict[str, Written]:
    """Return every step with the keys that it copies, chains followed to their end."""
    done = {name: Written(tree) for name, tree in steps.items() if "like" not in tree}
    if len(done) == len(steps):
        return done
    for name in steps:
        chain: list[str] = []
        while name not in done and name not in chain and name in steps:
            chain.append(name)
            name = str(steps[name]["like"])
        if name in chain:
            findings.add([_cycle([*chain[chain.index(name) :], name])])
        for each in reversed(chain):
            done[each] = _copied(each, steps, done, findings)
    return {name: done[name] for name in steps}


def _copied(
    name: str,
    steps: Mapping[str, Mapping[str, Json]],
    done: Mapping[str, Written],
    findings: Findings,
) -> Written:
    tree = steps[name]
    own = {key: value for key, value in tree.items() if key != "like"}
    other = tree["like"]
    source = done.get(other) if isinstance(other, str) else None
    if source is None:
        if not isinstance(other, str) or other not in steps:
            findings.add([_nowhere(name, other, steps)])
        return Written(own, whole=False)
    keys = {key: value for key, value in source.tree.items() if key not in own}
    where = {key: source.where.get(key, ("steps", str(other), key)) for key in keys}
    dropped = {key for key, value in own.items() if value is None and key in source.tree}
    kept = {key: value for key, value in own.items() if key not in dropped}
    return Written({**keys, **kept}, where, source.whole and "kind" in source.tree)


def _nowhere(name: str, other: Json, steps: Mapping[str, object]) -> Fault:
    path = ("steps", name, "like")
    if not isinstance(other, str) or not other:
        return Fault(
            path=path,
            summary=f"'like' must be the name of a step, not {met(other)}",
            help="write like: STEP; keys beside it win over that step's",
        )
    others = [each for each in steps if each != name]
    known = f"the steps are {listed(others[:_FEW])}" if others else "there is no other step"
    return Fault(
        path=path,
        summary=f"there is no step '{other}' to be like",
        help=did_you_mean(other, others) or known,
    )


def _cycle(path: list[str]) -> Fault:
    if len(path) == 2:
        summary = f"'{path[0]}' cannot be like itself"
    else:
        summary = f"steps are like each other: {' -> '.join(path)}"
    return Fault(
        path=("steps", path[0], "like"),
        summary=summary,
        detail="`like` copies keys, so one of the steps must have keys of its own.",
        help="write one of them out",
    )
