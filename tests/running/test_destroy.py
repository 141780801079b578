"""Undoing what records stand for: `lab destroy`, and what left the Labfile."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.lab import PLENTY, Lab

from lab.model.diagnostic import Diagnostic, LabError
from lab.model.event import StepDestroyed, StepFailed, StepSkipped, StepStarted
from lab.planning.removals import destructions
from lab.provider import Cancelled, Refused, Retry, TimedOut
from lab.running.course import Course
from lab.running.removal import Remover

INFRA = """
steps:
  net: {kind: service, value: 1, artifacts: {conf: net.conf}}
  node: {kind: service, value: "{{ steps.net.outputs.value }}"}
  train: {kind: job, needs: node, artifacts: {m: out/m}}
"""


def made(text: str = INFRA) -> Lab:
    lab = Lab(text)
    assert lab.apply().outcome == "done"
    lab.told.clear()
    lab.runs += 1
    return lab


def destroy(lab: Lab) -> Course:
    """What `lab destroy` does once it is agreed."""
    course = Course(graph=lab.world().graph, run=lab.runs, clock=lab.clock, tell=lab.told.append)
    remover = Remover(
        records=dict(lab.records),
        registry=lab.registry,
        ports=lab.ports,
        root="/lab",
        stop=lab.stop,
        limits=PLENTY,
        tell=lab.told.append,
    )
    remover.remove(destructions(list(lab.records.values()), "asked for"), course)
    return course


def refusing(error: BaseException) -> Any:
    def undo(record: object) -> None:
        raise error

    return undo


def test_everything_goes_in_reverse_order_with_its_artifacts_and_folders() -> None:
    lab = made()
    course = destroy(lab)
    assert lab.toy.destroyed == ["train", "node", "net"]
    assert course.counts == {"destroyed": 3}
    assert lab.records == {}
    assert lab.files.texts == {}
    assert lab.work.forgotten == ["train", "node", "net"]
    assert lab.happened(StepStarted) == lab.happened(StepDestroyed) == ["train", "node", "net"]
    assert lab.plan().startswith("+ net: never ran")


def test_an_artifact_that_was_changed_stays_and_that_is_noted() -> None:
    lab = made()
    lab.files["out/m"] = "mine now"
    destroy(lab)
    assert "out/m" in lab.files
    assert "train" not in lab.records
    assert "kept /lab/out/m: it is not as this step made it" in lab.work.log("train")


def test_what_is_blocked_is_told_with_what_blocks_it() -> None:
    lab = made()
    lab.toy.undoing["node"] = refusing(Refused("still in use", "three pods"))
    course = destroy(lab)
    assert lab.toy.destroyed == ["train", "node"]
    assert course.failures() == ("node",)
    (skipped,) = [event for event in lab.told if isinstance(event, StepSkipped)]
    assert (skipped.address, skipped.because) == ("net", "node")
    (failed,) = [event for event in lab.told if isinstance(event, StepFailed)]
    assert (failed.error, failed.detail) == ("still in use", "three pods")
    assert set(lab.records) == {"net", "node"}
    assert "net.conf" in lab.files


def test_what_is_far_below_a_blocked_thing_stays_too() -> None:
    lab = made(
        """
        steps:
          a: {kind: service}
          b: {kind: job, needs: a}
          c: {kind: service, needs: b}
          other: {kind: service}
        """
    )
    lab.toy.undoing["c"] = refusing(Refused("no"))
    course = destroy(lab)
    assert set(lab.records) == {"a", "b", "c"}
    assert course.counts == {"failed": 1, "skipped": 2, "destroyed": 1}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Retry("busy"), "busy"),
        (TimedOut(), "not done in time"),
        (OSError(13, "Permission denied", "/x"), "Permission denied: /x"),
        (LabError(Diagnostic(summary="cannot write below /x")), "cannot write below /x"),
        (ValueError("oops"), "the provider of `service` failed: ValueError: oops"),
        (SystemExit(1), "the provider of `service` failed: SystemExit: 1"),
    ],
)
def test_ways_in_which_it_fails(error: BaseException, told: str) -> None:
    lab = made("steps: {net: {kind: service}, other: {kind: service}}")
    lab.toy.undoing["net"] = refusing(error)
    course = destroy(lab)
    assert course.failures() == ("net",)
    assert lab.error("net").startswith(told)
    assert set(lab.records) == {"net"}


def test_stopping_is_no_failure_and_the_rest_stays() -> None:
    lab = made()
    lab.toy.undoing["node"] = refusing(Cancelled())
    lab.service.undoing["train"] = lambda record: None
    course = destroy(lab)
    assert course.counts["interrupted"] == 1
    tried = lab.records["node"].tried
    assert tried is not None
    assert tried.interrupted
    lab.toy.undoing.clear()
    lab.stop.set()
    assert destroy(lab).counts == {}


def test_a_provider_that_is_not_installed_any_more() -> None:
    lab = made("steps: {net: {kind: service}}")
    lab.registry.toys.clear()
    destroy(lab)
    assert lab.error("net") == "no provider for `service` on `local` is installed"
    (failed,) = [event for event in lab.told if isinstance(event, StepFailed)]
    assert "lab state rm net" in failed.detail


def test_a_secret_in_a_failure_is_not_stored() -> None:
    lab = made("steps: {net: {kind: service}}")
    lab.secrets.values["t"] = "s3cret"
    lab.toy.undoing["net"] = refusing(Refused("denied s3cret", "used s3cret"))
    destroy(lab)
    assert "s3cret" not in "".join(lab.journal.lines) + str(lab.told)


def test_a_folder_that_cannot_be_removed_keeps_the_record() -> None:
    lab = made("steps: {net: {kind: service}}")

    def forget(address: str) -> None:
        raise LabError(Diagnostic(summary="cannot write below /lab/.lab"))

    lab.work.forget = forget  # type: ignore[method-assign]
    destroy(lab)
    assert lab.error("net") == "cannot write below /lab/.lab"


def test_a_log_that_cannot_be_opened_fails_this_alone() -> None:
    lab = made("steps: {net: {kind: service}, other: {kind: service}}")
    lab.work.broken["net"] = OSError(28, "No space left on device")
    destroy(lab)
    assert lab.toy.destroyed == ["other"]
    assert lab.error("net") == "No space left on device"


def test_what_never_finished_is_destroyed_too() -> None:
    """A cluster that was half made when lab was killed costs money all the same."""
    lab = Lab("steps: {net: {kind: service}}")
    lab.apply()
    lab.journal.cut(1)
    destroy(lab)
    assert lab.toy.destroyed == ["net"]
    assert lab.records == {}


@pytest.mark.parametrize("length", [3, 4])
def test_a_crash_while_destroying_leaves_a_record_to_destroy(length: int) -> None:
    lab = made("steps: {net: {kind: service}}")
    destroy(lab)
    assert len(lab.journal.lines) == 5
    lab.journal.cut(length)
    assert "net" in lab.records
    destroy(lab)
    assert lab.records == {}
