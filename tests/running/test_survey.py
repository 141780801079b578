"""Looking at what was recorded, without changing anything."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fakes.lab import Lab

from lab.model.plan import Change
from lab.model.state import Record
from lab.planning.decide import NotAsked, Seen
from lab.provider import Cancelled, Io, Observation, unobservable
from lab.running.survey import Blind, survey

TEXT = """
steps:
  net: {kind: service, value: 1}
  train: {kind: job, value: 2, artifacts: {model: out/m, log: out/log}}
  plain: {kind: job}
"""


@pytest.fixture
def lab() -> Lab:
    made = Lab(TEXT)
    made.apply()
    return made


def looked(lab: Lab, *, refresh: bool = True) -> tuple[dict[str, Seen], list[Blind]]:
    return survey(lab.records.values(), lab.files, lab.registry, lab._looking, refresh=refresh)


def test_everything_is_as_it_was(lab: Lab) -> None:
    seen, blind = looked(lab)
    assert set(seen) == {"net", "train", "plain"}
    assert all(each == Seen(observation=Observation()) for each in seen.values())
    assert blind == []


def test_artifacts_are_looked_at_also_where_providers_are_not_asked(lab: Lab) -> None:
    del lab.files["out/m"]
    lab.files["out/log"] = "other"
    seen, _ = looked(lab, refresh=False)
    assert seen == {"train": Seen(gone=("model",), altered=("log",))}
    seen, _ = looked(lab)
    assert seen["train"] == Seen(observation=Observation(), gone=("model",), altered=("log",))


def test_an_artifact_that_its_provider_vouches_for_need_only_be_there(lab: Lab) -> None:
    from lab.model.values import Artifact

    lab.toy.on["plain"] = lambda task, io: {"env": Artifact("/lab/.lab/env", "lock:abc")}
    lab.files[".lab/env/python"] = "x"
    lab.apply(replace=["plain"])
    lab.files[".lab/env/python"] = "another"
    assert lab.verbs()["plain"] == "keep"
    del lab.files[".lab/env/python"]
    assert lab.plan(only=["plain"]) == "~ plain: artifact `env` is gone"


def test_what_is_gone_and_what_drifted(lab: Lab) -> None:
    drift = Observation(drift=(Change("replicas", 3, 2),))
    lab.toy.world |= {"net": None, "train": drift}
    seen, _ = looked(lab)
    assert seen["net"] == Seen(observation=None)
    assert seen["train"] == Seen(observation=drift)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("no connection"), "no connection"),
        (Cancelled(), "Cancelled"),
        (ValueError(), "ValueError"),
    ],
)
def test_who_cannot_look_is_told_and_nothing_is_concluded(
    lab: Lab, error: Exception, reason: str
) -> None:
    def observe(record: Record, io: Io) -> Observation | None:
        if record.address == "net":
            raise error
        return Observation()

    lab.service.observe = observe  # type: ignore[method-assign]
    seen, blind = looked(lab)
    assert seen["net"] == Seen(observation=NotAsked())
    assert blind == [Blind("net", reason)]


def test_what_never_finished_is_not_looked_at(lab: Lab) -> None:
    lab.journal.cut(1)
    assert looked(lab) == ({}, [])


def test_what_nobody_can_observe_is_not_asked_for(lab: Lab) -> None:
    lab.toy.observe = unobservable  # type: ignore[method-assign]
    assert set(looked(lab)[0]) == {"net"}
    lab.registry.toys.clear()
    assert looked(lab) == ({}, [])


def test_many_are_asked_at_once() -> None:
    count = 8
    lab = Lab("steps: {s: {kind: service, matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8]}}}")
    lab.apply()
    together = threading.Barrier(count, timeout=5)

    def observe(record: Record, io: Io) -> Observation | None:
        together.wait()
        return Observation()

    lab.service.observe = observe  # type: ignore[method-assign]
    seen, blind = looked(lab)
    assert len(seen) == count
    assert blind == []


def test_a_look_may_use_the_world_but_tells_nobody(lab: Lab) -> None:
    def observe(record: Record, io: Io) -> Any:
        io.note("looking")
        io.progress("looking")
        return None if io.run(["ls"]).code else Observation()

    lab.service.observe = observe  # type: ignore[method-assign]
    lab.told.clear()
    assert lab.plan(only=["net"]) == "= net: nothing changed"
    lab.processes.code = 1
    assert lab.plan(only=["net"]) == "~ net: gone from the world"
    assert lab.told == []


def test_who_is_waited_for_is_told(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.running.survey.PATIENCE", 0.02)
    told: list[list[str]] = []
    answer = threading.Event()

    def slow(waiting: Any) -> None:
        told.append(list(waiting))
        answer.set()

    def observe(record: Record, io: Io) -> Observation:
        assert record.address != "net" or answer.wait(5)
        return Observation()

    lab.toy.observe = observe  # type: ignore[method-assign]
    lab.service.observe = observe  # type: ignore[method-assign]
    survey(lab.records.values(), lab.files, lab.registry, lab._looking, slow=slow)
    assert told[0] == ["net"]
