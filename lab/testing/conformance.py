"""What every provider must hold to, as a class of tests: subclass it and pytest runs it."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from lab.kinds.shape import to_spec
from lab.kinds.spec import Lifecycle, Option
from lab.model.state import Record
from lab.model.values import Artifact, Value, pack
from lab.provider import Cancelled, Observation, Refused, Retry, unobservable
from lab.testing.examples import example_trees
from lab.testing.real import RealIo
from lab.testing.world import Killed, World, made, task_for

PROMPT = 6.0  # seconds within which a step that is told to stop must have stopped
SECRET = "conformance-7f3a-secret"
_MOST_CALLS = 200


class Conformance(ABC):
    """Tests that pytest collects from any subclass named ``Test…``; each starts with an empty lab.

    Set ``provider`` (the module or object) and override :meth:`good`; override the other methods
    where the provider can fail, take long, or leave something behind that is no artifact.
    """

    provider: ClassVar[Any]

    def world(self, root: Path) -> World:
        """The world to run in: real programs; a :class:`lab.testing.FakeIo` has scripted ones."""
        return RealIo(root)

    @abstractmethod
    def good(self, world: World) -> Mapping[str, Any]:
        """The keys of a step that succeeds, as in a Labfile whose templates are rendered."""

    def failing(self, world: World) -> Mapping[str, Any] | None:
        """The keys of a step that must fail; None if none can."""
        return None

    def slow(self, world: World) -> Mapping[str, Any] | None:
        """The keys of a step that would take more than ten seconds; None if none does."""
        return None

    def remove(self, world: World, record: Record) -> None:
        """Takes away, behind lab's back, what *record* says was made; by default the artifacts."""
        assert record.done is not None
        for value in record.done.outputs.values():
            if isinstance(value, Artifact):
                _delete(value.path)

    def left_behind(self, world: World) -> Iterable[str]:
        """What should not be there after destroying; artifacts are lab's to remove."""
        return ()

    # --- what a provider is -------------------------------------------------------------------

    def test_spec_is_frozen_and_documented(self) -> None:
        spec = self.provider.Spec
        assert dataclasses.is_dataclass(spec), "Spec must be a dataclass"
        frozen = getattr(spec, "__dataclass_params__").frozen  # noqa: B009
        assert frozen, "Spec must be frozen"
        assert isinstance(getattr(spec, "lifecycle", None), Lifecycle), "Spec.lifecycle is missing"
        assert isinstance(getattr(spec, "version", None), int), "Spec.version is missing"
        assert (spec.__doc__ or "").strip(), "Spec needs a docstring: editors show it"
        for field in dataclasses.fields(spec):
            known = field.metadata.get("lab")
            assert isinstance(known, Option), f"{field.name} is not made by option()"
            assert known.doc.strip().endswith("."), f"{field.name}: its doc is no sentence"

    def test_it_has_the_protocol_s_functions(self) -> None:
        for name, count in (("observe", 2), ("apply", 2), ("destroy", 2)):
            function = getattr(self.provider, name, None)
            assert callable(function), f"`{name}` is missing"
            assert len(inspect.signature(function).parameters) == count, f"`{name}` takes {count}"

    def test_every_example_is_valid(self, tmp_path: Path) -> None:
        spec = self.provider.Spec
        for name, tree in example_trees(spec, self.good(self.world(tmp_path / "lab"))):
            assert isinstance(to_spec(spec, tree), spec), f"the example of `{name}` does not bind"

    # --- making -------------------------------------------------------------------------------

    def test_outputs_can_be_stored(self, tmp_path: Path) -> None:
        world = self.world(tmp_path / "lab")
        outputs, record = self._apply(world, self.good(world))
        assert record.done is not None
        json.dumps(pack(outputs, world.root))
        assert _packed(record.done.outputs, world) == _packed(outputs, world)

    def test_applied_twice_gives_the_same(self, tmp_path: Path) -> None:
        world = self.world(tmp_path / "lab")
        keys = self.good(world)
        first, record = self._apply(world, keys)
        second, _ = self._apply(world, keys, record=record)
        assert _packed(second, world) == _packed(first, world), "a second apply gave other outputs"

    def test_what_was_made_is_observed(self, tmp_path: Path) -> None:
        world = self.world(tmp_path / "lab")
        _, record = self._apply(world, self.good(world))
        before = world.memory
        seen = self.provider.observe(record, world)
        assert isinstance(seen, Observation), "it was just made, but observe gives None"
        assert seen.drift == (), f"it was just made, but observe sees drift: {seen.drift}"
        assert world.memory == before, "observe only looks, it may not remember"

    def test_what_is_gone_is_missed(self, tmp_path: Path) -> None:
        world = self.world(tmp_path / "lab")
        _, record = self._apply(world, self.good(world))
        self.remove(world, record)
        if self.provider.observe is not unobservable:  # else lab itself finds artifacts missing
            seen = self.provider.observe(record, world)
            assert seen is None, "it is gone, observe must give None"

    # --- unmaking -----------------------------------------------------------------------------

    def test_destroyed_twice_and_made_again(self, tmp_path: Path) -> None:
        world = self.world(tmp_path / "lab")
        keys = self.good(world)
        first, record = self._apply(world, keys)
        self._destroy(world, record)
        self._destroy(world, record)
        world.memory = None
        again, _ = self._apply(world, keys)
        assert _packed(again, world) == _packed(first, world), "made again, it differs"

    # --- what goes wrong ----------------------------------------------------------------------

    def test_failure_is_a_type(self, tmp_path: Path) -> None:
        world = self.world(tmp_path / "lab")
        keys = self.failing(world)
        if keys is None:
            return
        try:
            self._apply(world, keys)
        except (Retry, Refused) as failure:
            assert failure.summary.strip(), "a failure needs a summary"
            assert "Traceback" not in failure.summary, "a traceback is no summary"
        else:
            raise AssertionError("it should have failed")

    def test_told_to_stop_before_it_begins(self, tmp_path: Path) -> None:
        world = self.world(tmp_path / "lab")
        keys = self.good(world)
        world.stop.set()
        assert self._stopped(world, keys), "apply went on although it was told to stop"
        assert world.memory is None, "apply changed something although it was told to stop"

    def test_told_to_stop_while_it_works(self, tmp_path: Path) -> None:
        world = self.world(tmp_path / "lab")
        keys = self.slow(world)
        if keys is None:
            return
        timer = threading.Timer(0.5, world.stop.set)
        began = time.monotonic()
        timer.start()
        try:
            assert self._stopped(world, keys), "apply ended by itself: is slow() slow?"
        finally:
            timer.cancel()
        took = time.monotonic() - began - 0.5
        assert took < PROMPT, f"it took {took:.1f} s to stop"

    def test_killed_after_any_call_it_goes_on(self, tmp_path: Path) -> None:
        """What lab remembers when it dies is enough to go on from, and enough to destroy."""
        world = self.world(tmp_path / "whole" / "lab")
        whole = _packed(self._apply(world, self.good(world))[0], world)
        for number in range(1, _MOST_CALLS):
            world = self.world(tmp_path / f"on{number}" / "lab")
            if not self._dies(world, number):
                return
            outputs, _ = self._apply(world, self.good(world), left=world.memory)
            told = f"killed after call {number} and made again, it differs"
            assert _packed(outputs, world) == whole, told
            world = self.world(tmp_path / f"undo{number}" / "lab")
            self._dies(world, number)
            spec = to_spec(self.provider.Spec, self.good(world))
            self._destroy(world, made(world, spec, None))
        raise AssertionError(f"apply calls lab more than {_MOST_CALLS} times")

    def test_secrets_are_not_remembered(self, tmp_path: Path) -> None:
        for field in dataclasses.fields(self.provider.Spec):
            if not field.metadata["lab"].secret:
                continue
            world = self.world(tmp_path / field.name / "lab")
            keys = {**self.good(world), field.name: SECRET}
            try:
                outputs, _ = self._apply(world, keys)
            except (Retry, Refused) as failure:
                outputs = {"summary": failure.summary, "detail": failure.detail}
            kept = repr((outputs, world.memory, world.notes, world.told))
            assert SECRET not in kept, f"the secret given as `{field.name}` is kept in clear text"

    # --- the steps of the tests ---------------------------------------------------------------

    def _apply(
        self, world: World, keys: Mapping[str, Any], **more: Any
    ) -> tuple[Mapping[str, Value], Record]:
        spec = to_spec(self.provider.Spec, keys)
        outputs = self.provider.apply(task_for(world, spec, **more), world)
        return outputs, made(world, spec, outputs)

    def _stopped(self, world: World, keys: Mapping[str, Any]) -> bool:
        try:
            self._apply(world, keys)
        except Cancelled:
            return True
        return False

    def _dies(self, world: World, number: int) -> bool:
        world.dies_after = number
        try:
            self._apply(world, self.good(world))
        except Killed:
            return True
        finally:
            world.dies_after = None
        return False

    def _destroy(self, world: World, record: Record) -> None:
        self.provider.destroy(record, world)
        for value in record.done.outputs.values() if record.done else ():
            if isinstance(value, Artifact) and value.digest.startswith("sha256:"):
                _delete(value.path)
        left = list(self.left_behind(world))
        assert not left, f"destroy left behind: {', '.join(left)}"


def _packed(outputs: Mapping[str, Value], world: World) -> object:
    """Outputs as text in which nothing depends on where the lab lies."""
    return json.dumps(pack(outputs, world.root), sort_keys=True)


def _delete(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
