"""The published suite finds providers that break a rule: each of these breaks one."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from lab.kinds.spec import Lifecycle, option
from lab.provider import Artifact, Observation, Refused
from lab.testing import Conformance


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Writes a file."""

    kind: ClassVar[str] = "file"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1
    text: str = option("What to write.", example="x", secret=True)


@dataclass
class Loose:
    kind: ClassVar[str] = "file"
    text: str = option("no sentence", example=["a list"])


def good_provider():
    def apply(task, io):
        path = Path(task.directory, "file")
        io.remember({"path": str(path)})
        if task.spec.text == "fail":
            raise Refused("told to fail")
        io.sleep(20 if task.spec.text == "slow" else 0)
        path.write_text("made")
        return {"file": io.artifact(str(path))}

    def observe(record, io):
        file = record.done.outputs["file"]
        return Observation() if Path(file.path).exists() else None

    def destroy(record, io):
        if record.memory:
            Path(record.memory["path"]).unlink(missing_ok=True)

    return SimpleNamespace(Spec=Spec, apply=apply, observe=observe, destroy=destroy)


def suite(provider):
    class Suite(Conformance):
        def good(self, world):
            return {"text": "x"}

        def failing(self, world):
            return {"text": "fail"}

        def slow(self, world):
            return {"text": "slow"}

        def left_behind(self, world):
            return [p.name for p in Path(world.directory).iterdir()]

    Suite.provider = provider
    return Suite()


def changed(**names):
    provider = good_provider()
    for name, make in names.items():
        setattr(provider, name, make(provider))
    return provider


def fails_with_a_foreign_error(provider):
    def apply(task, io):
        if task.spec.text == "fail":
            raise subprocess.CalledProcessError(1, ["x"])
        return good_provider().apply(task, io)

    return apply


def never_fails(provider):
    return lambda task, io: good_provider().apply(
        SimpleNamespace(directory=task.directory, spec=SimpleNamespace(text="x")), io
    )


def differs_each_time(provider):
    numbers = itertools.count()
    return lambda task, io: {**good_provider().apply(task, io), "n": next(numbers)}


def gives_what_cannot_be_stored(provider):
    return lambda task, io: {"x": object()}


def remembers_too_late(provider):
    def apply(task, io):
        path = Path(task.directory, "file")
        path.write_text("made")
        file = io.artifact(str(path))
        io.remember({"path": str(path)})
        return {"file": file}

    return apply


def remembers_the_secret(provider):
    def apply(task, io):
        outputs = good_provider().apply(task, io)
        io.remember({**io.memory, "text": task.spec.text})
        return outputs

    return apply


def does_not_listen(provider):
    def apply(task, io):
        Path(task.directory, "file").write_text("made")
        return {"file": Artifact(f"{task.directory}/file", "sha256:0")}

    return apply


def needs_the_file(provider):
    return lambda record, io: Path(record.memory["path"]).unlink()


def remembers_while_looking(provider):
    def observe(record, io):
        io.remember({"seen": True})
        return good_provider().observe(record, io)

    return observe


def constant(value):
    return lambda provider: value


BROKEN = [
    ("test_spec_is_frozen_and_documented", {"Spec": constant(Loose)}),
    ("test_every_example_is_valid", {"Spec": constant(Loose)}),
    ("test_it_has_the_protocol_s_functions", {"observe": constant(lambda record: None)}),
    ("test_outputs_can_be_stored", {"apply": gives_what_cannot_be_stored}),
    ("test_applied_twice_gives_the_same", {"apply": differs_each_time}),
    ("test_what_was_made_is_observed", {"observe": constant(lambda record, io: None)}),
    ("test_what_was_made_is_observed", {"observe": remembers_while_looking}),
    ("test_what_is_gone_is_missed", {"observe": constant(lambda record, io: Observation())}),
    ("test_destroyed_twice_and_made_again", {"destroy": needs_the_file}),
    ("test_failure_is_a_type", {"apply": fails_with_a_foreign_error}),
    ("test_failure_is_a_type", {"apply": never_fails}),
    ("test_told_to_stop_before_it_begins", {"apply": does_not_listen}),
    ("test_told_to_stop_while_it_works", {"apply": does_not_listen}),
    ("test_killed_after_any_call_it_goes_on", {"apply": remembers_too_late}),
    ("test_killed_after_any_call_it_goes_on", {"destroy": constant(lambda record, io: None)}),
    ("test_secrets_are_not_remembered", {"apply": remembers_the_secret}),
]


def run(provider, test, tmp_path):
    function = getattr(suite(provider), test)
    function(*((tmp_path,) if "tmp_path" in function.__code__.co_varnames else ()))


@pytest.mark.parametrize(("test", "names"), BROKEN, ids=[test for test, _ in BROKEN])
def test_a_broken_rule_is_found(test, names, tmp_path):
    with pytest.raises(Exception):  # noqa: B017 - a test fails in whatever way
        run(changed(**names), test, tmp_path)


@pytest.mark.parametrize("test", [name for name in dir(Conformance) if name.startswith("test_")])
def test_a_provider_that_keeps_the_rules_passes(test, tmp_path):
    run(good_provider(), test, tmp_path)


def test_every_test_of_the_suite_is_seen_to_fail():
    assert {test for test, _ in BROKEN} == {n for n in dir(Conformance) if n.startswith("test_")}
