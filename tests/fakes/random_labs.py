"""Random labs and random edits of them, for properties that every lab must have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from lab.provider import Io, Task

from .lab import Lab

NAMES = ("a", "b", "c", "d", "e", "f", "g")


@dataclass(frozen=True)
class Plot:
    """One step of a random lab; what it refers to may be gone from the lab by an edit."""

    name: str
    kind: str = "job"
    value: int = 0
    uses: tuple[str, ...] = ()
    guarded: bool = False
    needs: tuple[str, ...] = ()
    when: str | bool = True
    region: str = "eu"
    matrix: bool = False
    artifact: bool = False
    env: int = 0
    options: tuple[tuple[str, Any], ...] = ()

    def keys(self, there: Sequence[str]) -> dict[str, Any]:
        """The step as a Labfile has it, in a lab of the steps *there*."""
        guard = " | default(0)" if self.guarded else ""
        used = [
            f"{{{{ steps.{name}.outputs.value{guard} }}}}" for name in self.uses if name in there
        ]
        keys: dict[str, Any] = {
            "kind": self.kind,
            "value": [self.value, *used],
            **dict(self.options),
        }
        if self.matrix:
            keys["matrix"] = {"n": [1, 2]}
            keys["value"].append("{{ matrix.n }}")
        if self.artifact:
            keys["artifacts"] = {"m": f"{{{{ step.dir }}}}/{self.name}"}
        if self.env:
            keys["env"] = {"E": str(self.env)}
        keys["needs"] = [name for name in self.needs if name in there]
        if isinstance(self.when, bool):
            keys["when"] = self.when
        elif self.when in there:
            keys["when"] = f"{{{{ steps.{self.when}.outputs.value != [1] }}}}"
        if self.kind == "service":
            known = self.region in ("eu", "us") or self.region not in there
            keys["region"] = (
                self.region if known else f"{{{{ steps.{self.region}.outputs.value }}}}"
            )
        return keys


@dataclass(frozen=True)
class Round:
    """One apply: the lab as it is then, what fails in it, and what happened to the world before."""

    plots: tuple[Plot, ...]
    fails: frozenset[str]
    jobs: int
    cores: float
    fail_fast: bool
    tampered: frozenset[str]
    again: bool  # --replace on one of the steps


def rare(value: Any, usual: Any, chance: int = 6) -> st.SearchStrategy[Any]:
    return st.integers(0, chance).map(lambda i: value if i == 0 else usual)


@st.composite
def plots(draw: st.DrawFn, name: str, earlier: Sequence[str]) -> Plot:
    some = st.lists(st.sampled_from(earlier), max_size=2, unique=True) if earlier else st.just([])
    options: dict[str, Any] = {}
    if draw(rare(True, False, 9)):
        options["cache"] = False
    policy = draw(st.sampled_from(["fail", "fail", "fail", "continue", "ignore"]))
    if policy != "fail":
        options["on_failure"] = policy
    if draw(rare(True, False, 4)):
        options["mutex"] = draw(st.sampled_from(["m", "n", ["m", "n"]]))
    if cores := draw(st.sampled_from([0, 0, 0, 1, 2, 5])):
        options["resources"] = {"cpu": cores}
    whens: list[Any] = [True, True, True, True, False]
    return Plot(
        name=name,
        kind=draw(st.sampled_from(["job", "job", "service"])),
        value=draw(st.integers(0, 2)),
        uses=tuple(draw(some)),
        guarded=draw(st.booleans()),
        needs=tuple(draw(some)),
        when=draw(st.sampled_from([*whens, *earlier])),
        region=draw(st.sampled_from(["eu", "us", *earlier])),
        matrix=draw(rare(True, False)),
        artifact=draw(rare(True, False, 3)),
        options=tuple(options.items()),
    )


@st.composite
def edited(draw: st.DrawFn, before: Sequence[Plot], count: int) -> tuple[Plot, ...]:
    """*before* after somebody worked on it: a step here and there changed, gone or new."""
    known = {plot.name: plot for plot in before}
    after: list[Plot] = []
    for i, name in enumerate(NAMES[:count]):
        old = known.get(name)
        how = draw(st.integers(0, 9)) if old else draw(st.integers(7, 9))
        if old is not None and how <= 3:
            after.append(old)
        elif old is not None and how == 4:
            after.append(replace(old, env=old.env + 1))
        elif old is not None and how == 5:
            after.append(replace(old, value=(old.value + 1) % 3))
        elif old is not None and how == 6:
            after.append(replace(old, region="us" if old.region == "eu" else "eu"))
        elif how <= 8:
            after.append(draw(plots(name, NAMES[:i])))
    return tuple(after)


@st.composite
def rounds(draw: st.DrawFn, most: int = 3) -> list[Round]:
    count = draw(st.integers(1, len(NAMES)))
    found: list[Round] = []
    now: tuple[Plot, ...] = ()
    for _ in range(draw(st.integers(1, most))):
        now = draw(edited(now, count))
        order = draw(st.permutations(now)) if draw(rare(True, False, 3)) else now
        found.append(
            Round(
                plots=tuple(order),
                fails=frozenset(draw(st.lists(st.sampled_from(NAMES), max_size=2))),
                jobs=draw(st.integers(1, 3)),
                cores=draw(st.sampled_from([1.0, 2.0, 4.0])),
                fail_fast=draw(rare(True, False)),
                tampered=frozenset(draw(st.lists(st.sampled_from(NAMES), max_size=1))),
                again=draw(rare(True, False)),
            )
        )
    return found


def text_of(plotted: Sequence[Plot]) -> str:
    """The Labfile of these steps."""
    there = [plot.name for plot in plotted]
    return "steps: " + json.dumps({plot.name: plot.keys(there) for plot in plotted})


def coarse(task: Task[Any], io: Io) -> Mapping[str, Any]:
    """A step whose output tells little of its keys, so that it often comes out the same."""
    value = task.spec.value[0] if task.spec.value else 0
    outputs: dict[str, Any] = {"value": [value]}
    for name, path in task.spec.artifacts.items():
        outputs[name] = io.artifact(path)
    return outputs


def prepare(lab: Lab, chapter: Round) -> None:
    """Makes the lab what it is in this round."""
    lab.text = text_of(chapter.plots)
    lab.toy.fails.clear()
    for name in chapter.fails:
        lab.toy.fails |= {name, f"{name}[n=1]"}
    for name in ("b", "d"):
        for address in (name, f"{name}[n=1]", f"{name}[n=2]"):
            lab.toy.on[address] = made_coarsely(lab)
    for name in chapter.tampered:
        record = lab.records.get(name)
        if record is not None and record.infrastructure:
            lab.toy.world[name] = None
        elif record is not None and record.done is not None:
            for artifact in record.done.artifacts:
                lab.files.texts.pop(artifact.path, None)


def made_coarsely(lab: Lab) -> Any:
    def make(task: Task[Any], io: Io) -> Mapping[str, Any]:
        lab.toy.make(task, io)
        return coarse(task, io)

    return make
