"""What a run does with a plan when steps succeed, fail, are kept and are skipped."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from fakes.lab import Lab
from fakes.toy import until_stopped

from lab.model.event import (
    StepDestroyed,
    StepFailed,
    StepFinished,
    StepForgotten,
    StepKept,
    StepSkipped,
    StepStarted,
)
from lab.provider import Io, Refused, Task
from lab.running.schedule import Limits

ONE = Limits(jobs=1, cpu=1.0)

CHAIN = """
steps:
  a: {kind: job, value: 1}
  b: {kind: job, value: "{{ steps.a.outputs.value }}"}
  c: {kind: job, needs: b}
  free: {kind: job}
"""


def causes(lab: Lab, kind: type[Any]) -> dict[str, str]:
    """For each step that events of this sort were told about, the cause."""
    return {event.address: event.cause for event in lab.told if isinstance(event, kind)}


def test_everything_runs_in_order_and_is_remembered() -> None:
    lab = Lab(CHAIN)
    report = lab.apply(limits=ONE)
    assert report.outcome == "done"
    assert report.counts == {"created": 4}
    assert lab.toy.ran == ["a", "b", "c", "free"]
    assert lab.outputs("b") == {"value": 1}
    assert lab.records["c"].needs == ("b",)
    assert lab.happened(StepStarted, StepFinished) == [
        "a", "a", "b", "b", "c", "c", "free", "free",
    ]  # fmt: skip


def test_again_does_nothing_and_says_why() -> None:
    lab = Lab(CHAIN)
    lab.apply()
    report = lab.apply()
    assert report.outcome == "done"
    assert report.counts == {"kept": 4}
    assert lab.toy.ran == []
    assert causes(lab, StepKept) == dict.fromkeys(["a", "b", "c", "free"], "nothing changed")


def test_an_end_is_durable_before_it_is_told() -> None:
    """Whoever hears that a step is done may pull the plug."""
    lab = Lab(CHAIN)
    durable: list[list[str]] = []

    class Asking(list[Any]):
        def append(self, event: Any) -> None:
            if isinstance(event, StepFinished):
                done = lab.records[event.address].done
                assert done is not None
                assert done == event.done
            durable.append(list(lab.journal.lines))

    lab.told = Asking()
    lab.apply()
    assert len(durable) == 8


def test_the_intent_is_durable_before_the_provider_is_asked() -> None:
    lab = Lab("steps: {a: {kind: job}}")

    def look(task: Task[Any], io: Io) -> dict[str, Any]:
        assert lab.records["a"].tried is not None
        return {}

    lab.toy.on["a"] = look
    assert lab.apply().outcome == "done"


def test_an_end_is_not_kept_waiting_by_what_comes_next() -> None:
    """Reading a secret may run a command, and undoing something take hours."""
    lab = Lab(
        """
        secrets: {t: {command: [pass, t]}}
        steps:
          a: {kind: job}
          b: {kind: job, needs: a, token: "{{ secrets.t }}"}
          c: {kind: job, needs: b}
          net: {kind: service, needs: c, region: eu}
        """,
        secrets={"t": "s3cret"},
    )
    lab.apply(only=["net"])
    lab.text = lab.text.replace("eu", "us")
    read = lab.secrets.value
    waited: list[str] = []

    def is_told(address: str) -> None:
        assert lab.records[address].done is not None
        assert address in lab.happened(StepFinished)
        waited.append(address)

    def value(name: str) -> str:
        is_told("a")
        return read(name)

    lab.secrets.value = value  # type: ignore[method-assign]
    lab.toy.undoing["net"] = lambda record: is_told("c")
    assert lab.apply(limits=ONE).outcome == "done"
    assert waited == ["a", "c"]


# --- failures ---------------------------------------------------------------------------------


def test_others_go_on_after_a_failure() -> None:
    lab = Lab(CHAIN)
    lab.toy.fails.add("a")
    report = lab.apply(limits=ONE)
    assert report.outcome == "failed"
    assert report.failed == ("a",)
    assert report.counts == {"failed": 1, "skipped": 2, "created": 1}
    assert lab.toy.ran == ["a", "free"]
    skipped = [e for e in lab.told if isinstance(e, StepSkipped)]
    assert [(e.address, e.cause, e.because) for e in skipped] == [
        ("b", "because `a` failed", "a"),
        ("c", "because `a` failed", "a"),
    ]
    assert set(lab.records) == {"a", "free"}


def test_after_the_failure_is_mended_only_the_rest_runs() -> None:
    lab = Lab(CHAIN)
    lab.toy.fails.add("b")
    lab.apply()
    lab.toy.fails.clear()
    assert lab.apply().outcome == "done"
    assert sorted(lab.toy.ran) == ["b", "c"]


def test_fail_fast_stops_what_runs_and_starts_nothing_more() -> None:
    lab = Lab("steps: {bad: {kind: job}, slow: {kind: job}, later: {kind: job, needs: slow}}")
    slow_runs = threading.Event()

    def bad(task: Task[Any], io: Io) -> dict[str, Any]:
        slow_runs.wait(5)
        raise Refused("it broke")

    def slow(task: Task[Any], io: Io) -> dict[str, Any]:
        slow_runs.set()
        return until_stopped(io)

    lab.toy.on |= {"bad": bad, "slow": slow}
    report = lab.apply(fail_fast=True)
    assert report.outcome == "failed"
    assert report.counts == {"failed": 1, "interrupted": 1}
    assert lab.error("bad") == "it broke"
    tried = lab.records["slow"].tried
    assert tried is not None
    assert tried.interrupted
    assert "later" not in lab.records


def test_fail_fast_is_not_for_failures_that_are_allowed() -> None:
    lab = Lab("steps: {bad: {kind: job, on_failure: continue}, other: {kind: job, needs: bad}}")
    lab.toy.fails.add("bad")
    lab.apply(fail_fast=True)
    assert lab.toy.ran == ["bad", "other"]


@pytest.mark.parametrize(
    ("policy", "outcome", "after"),
    [("fail", "failed", []), ("continue", "failed", ["after"]), ("ignore", "done", ["after"])],
)
def test_what_a_failure_means_is_the_steps_to_say(
    policy: str, outcome: str, after: list[str]
) -> None:
    lab = Lab(
        f"""
        steps:
          bad: {{kind: job, on_failure: {policy}}}
          after: {{kind: job, needs: bad}}
          uses: {{kind: job, value: "{{{{ steps.bad.outputs.value }}}}"}}
        """
    )
    lab.toy.fails.add("bad")
    report = lab.apply()
    assert report.outcome == outcome
    assert lab.toy.ran == ["bad", *after]
    assert "uses" in causes(lab, StepSkipped)
    (failed,) = [event for event in lab.told if isinstance(event, StepFailed)]
    assert failed.counts is (policy != "ignore")


@pytest.mark.parametrize(
    ("policy", "ran"), [("fail", []), ("continue", ["uses", "then"]), ("ignore", ["uses", "then"])]
)
def test_who_copes_with_what_is_missing_goes_on_after_a_failure_that_is_allowed(
    policy: str, ran: list[str]
) -> None:
    lab = Lab(
        f"""
        steps:
          bad: {{kind: job, on_failure: {policy}}}
          uses: {{kind: job, value: "{{{{ steps.bad.outputs.value | default(7) }}}}"}}
          then: {{kind: job, value: "{{{{ steps.uses.outputs.value }}}}"}}
        """
    )
    lab.toy.fails.add("bad")
    report = lab.apply()
    assert lab.toy.ran == ["bad", *ran]
    assert "bad" not in report.outcomes
    if ran:
        assert lab.outputs("then") == {"value": 7}
        lab.toy.fails.clear()  # and is made again when there is something
        lab.toy.on["bad"] = lambda task, io: {"value": 9}
        assert lab.apply().outcome == "done"
        assert lab.outputs("then") == {"value": 9}


def test_what_an_ignored_failure_left_is_tried_again() -> None:
    lab = Lab("steps: {bad: {kind: job, on_failure: ignore}}")
    lab.toy.fails.add("bad")
    lab.apply()
    assert lab.verbs() == {"bad": "create"}


def test_a_failure_far_up_bars_everything_below() -> None:
    lab = Lab(
        """
        steps:
          a: {kind: job, on_failure: continue}
          b: {kind: job, value: "{{ steps.a.outputs.value }}"}
          c: {kind: job, needs: b}
          d: {kind: job, needs: [a]}
        """
    )
    lab.toy.fails.add("a")
    lab.apply()
    assert lab.toy.ran == ["a", "d"]
    assert causes(lab, StepSkipped) == dict.fromkeys(["b", "c"], "because `a` failed")


def test_what_is_kept_stays_known_though_something_before_it_fails() -> None:
    lab = Lab(CHAIN)
    lab.apply()
    lab.text = CHAIN.replace("value: 1", "value: 2")
    lab.toy.fails.add("a")
    report = lab.apply()
    assert report.outcome == "failed"
    assert lab.outputs("b") == {"value": 1}
    assert lab.toy.ran == ["a"]


# --- deciding again -----------------------------------------------------------------------------


def test_an_upstream_that_comes_out_the_same_keeps_what_refers_to_it() -> None:
    lab = Lab(CHAIN)
    lab.apply()
    lab.text = CHAIN.replace("value: 1", "value: 1, env: {A: b}")
    assert lab.verbs() == {"a": "update", "b": "unknown", "c": "keep", "free": "keep"}
    report = lab.apply()
    assert lab.toy.ran == ["a"]
    assert report.counts == {"updated": 1, "kept": 3}
    assert causes(lab, StepKept)["b"] == "what it depends on came out the same"
    assert lab.draft().plan.empty


def test_an_upstream_that_comes_out_different_updates_what_refers_to_it() -> None:
    lab = Lab(CHAIN)
    lab.apply()
    lab.text = CHAIN.replace("value: 1", "value: 2")
    report = lab.apply()
    assert sorted(lab.toy.ran) == ["a", "b"]
    assert report.counts == {"updated": 2, "kept": 2}
    assert lab.outputs("b") == {"value": 2}
    assert causes(lab, StepStarted) == {"a": "`value` changed", "b": "`value` changed"}


def test_an_artifact_that_is_made_again_with_the_same_bytes_stops_there() -> None:
    text = """
    steps:
      a: {kind: job, value: 1, artifacts: {m: out/m}}
      b: {kind: job, run: [cat, out/m], inputs: [out/m]}
      c: {kind: job, value: "{{ steps.a.outputs.m }}"}
    """
    lab = Lab(text)
    lab.apply()
    lab.text = text.replace("value: 1", "value: 1, env: {A: b}")
    lab.apply()
    assert lab.toy.ran == ["a"]
    lab.text = text.replace("value: 1", "value: 2")
    lab.apply()
    assert sorted(lab.toy.ran) == ["a", "b", "c"]
    assert lab.draft().plan.empty


def test_what_was_unknown_and_whose_artifact_is_gone_is_updated() -> None:
    text = """
    steps:
      a: {kind: job, value: 1}
      b: {kind: job, value: "{{ steps.a.outputs.value }}", artifacts: {m: out/m}}
    """
    lab = Lab(text)
    lab.apply()
    del lab.files["out/m"]
    lab.text = text.replace("value: 1", "value: 1, env: {A: b}")
    assert lab.verbs()["b"] == "unknown"
    lab.apply()
    assert lab.toy.ran == ["a", "b"]


REGION = """
steps:
  where: {kind: job, value: eu}
  net: {kind: service, region: "{{ steps.where.outputs.value }}"}
"""


def test_what_was_unknown_never_destroys_anything() -> None:
    """Nobody saw it in the plan, so that nobody agreed to it."""
    lab = Lab(REGION)
    lab.apply()
    lab.text = REGION.replace("value: eu", "value: us")
    assert lab.verbs() == {"where": "update", "net": "unknown"}
    report = lab.apply()
    assert report.outcome == "failed"
    assert lab.toy.destroyed == []
    assert lab.toy.ran == ["where"]
    assert "would have to be replaced, which the plan could not show" in lab.error("net")
    action = lab.actions()["net"]
    assert action.verb.word == "replace"
    assert action.asks
    lab.apply()
    assert lab.toy.destroyed == ["net"]
    assert lab.draft().plan.empty


def test_a_part_of_an_update_that_was_unknown_destroys_nothing_either() -> None:
    """Nor is it handed to a provider as something that it could change in place."""
    text = REGION.replace("region:", "value: 1, region:")
    lab = Lab(text)
    lab.apply()
    lab.text = text.replace("value: eu", "value: us").replace("value: 1", "value: 2")
    assert lab.verbs() == {"where": "update", "net": "update"}
    assert lab.apply().failed == ("net",)
    assert lab.toy.ran == ["where"]
    assert lab.verbs() == {"where": "keep", "net": "replace"}
    lab.apply()
    assert lab.toy.there == {("net", '"us"')}


def test_what_is_unknown_in_every_plan_can_be_replaced_by_asking_for_it() -> None:
    lab = Lab(REGION.replace("value: eu", "cache: false, value: eu"))
    lab.apply()
    lab.text = lab.text.replace("value: eu", "value: us")
    for _ in range(2):
        assert lab.apply().failed == ("net",)
    (failed,) = [event for event in lab.told if isinstance(event, StepFailed)]
    assert 'region: (absent) -> "us"' in failed.detail or 'region: "eu"' in failed.detail
    assert "--replace 'net'" in failed.detail
    assert lab.apply(replace=["net"]).outcome == "done"
    assert lab.toy.there == {("net", '"us"')}


def test_a_target_that_was_unknown_only_updates_work() -> None:
    text = """
    targets: {box: {provider: remote, host: "{{ steps.where.outputs.value }}"}}
    steps:
      where: {kind: job, value: h1}
      train: {kind: job, target: box}
    """
    lab = Lab(text)
    lab.apply()
    lab.text = text.replace("h1", "h2")
    assert lab.verbs()["train"] == "unknown"
    report = lab.apply()
    assert report.counts == {"updated": 2}
    assert [e.verb for e in lab.told if isinstance(e, StepStarted)] == ["update", "update"]
    assert lab.records["train"].fields == {"host": "h2"}


# --- when and skipping ----------------------------------------------------------------------------


CHECKED = """
steps:
  check: {kind: job, value: 1}
  deploy: {kind: job, value: 2, when: "{{ steps.check.outputs.value > 0 }}"}
  after: {kind: job, needs: deploy}
  uses: {kind: job, value: "{{ steps.deploy.outputs.value }}"}
  copes: {kind: job, value: "{{ steps.deploy.outputs.value | default(0) }}"}
"""


def test_when_over_outputs_holds() -> None:
    lab = Lab(CHECKED)
    assert lab.apply().counts == {"created": 5}
    assert lab.outputs("copes") == {"value": 2}


def test_when_over_outputs_does_not_hold() -> None:
    lab = Lab(CHECKED.replace("value: 1", "value: 0"))
    report = lab.apply()
    assert report.outcome == "done"
    assert report.counts == {"created": 3, "skipped": 2}
    assert causes(lab, StepSkipped) == {
        "deploy": "`when` is false",
        "uses": "refers to `deploy`, which is skipped",
    }
    assert lab.outputs("copes") == {"value": 0}
    assert "deploy" not in lab.records


def test_what_is_skipped_now_leaves_its_record_and_what_copes_is_made_again() -> None:
    lab = Lab(CHECKED)
    lab.apply()
    lab.text = CHECKED.replace("value: 1", "value: 0")
    lab.apply()
    assert sorted(lab.toy.ran) == ["check", "copes"]
    assert lab.outputs("copes") == {"value": 0}
    assert lab.outputs("deploy") == {"value": 2}
    assert lab.draft().plan.empty


def test_when_that_fails_on_what_is_known_now_fails_its_step_alone() -> None:
    lab = Lab(CHECKED.replace("value: 1", "value: text"))
    report = lab.apply()
    assert report.outcome == "failed"
    assert report.failed == ("deploy",)
    assert sorted(lab.toy.ran) == ["check"]
    assert causes(lab, StepSkipped)["after"] == "because `deploy` failed"


def test_an_expression_that_fails_on_what_is_known_now_fails_its_step_alone() -> None:
    lab = Lab(CHAIN.replace("outputs.value }}", "outputs.valeu }}"))
    report = lab.apply()
    assert report.outcome == "failed"
    assert report.failed == ("b",)
    assert sorted(lab.toy.ran) == ["a", "free"]
    assert "valeu" in lab.error("b")
    (failed,) = [e for e in lab.told if isinstance(e, StepFailed)]
    assert "value" in failed.detail
    assert lab.happened(StepStarted).count("b") == 1


# --- removing ---------------------------------------------------------------------------------


INFRA = """
steps:
  net: {kind: service, value: 1}
  node: {kind: service, value: "{{ steps.net.outputs.value }}"}
  train: {kind: job, needs: node, artifacts: {m: out/m}}
"""


def test_what_left_the_labfile_goes_after_everything_else() -> None:
    lab = Lab(INFRA)
    lab.apply()
    lab.text = "steps: {new: {kind: job}}"
    report = lab.apply()
    assert report.counts == {"created": 1, "forgotten": 1, "destroyed": 2}
    assert lab.toy.destroyed == ["node", "net"]
    assert list(lab.records) == ["new"]
    assert "out/m" in lab.files
    assert lab.happened(StepForgotten, StepDestroyed) == ["train", "node", "net"]
    assert lab.draft().plan.empty


def test_nothing_is_removed_after_a_failure_and_that_is_said() -> None:
    lab = Lab(INFRA)
    lab.apply()
    lab.text = "steps: {new: {kind: job}}"
    lab.toy.fails.add("new")
    report = lab.apply()
    assert report.outcome == "failed"
    assert lab.toy.destroyed == []
    assert causes(lab, StepSkipped) == dict.fromkeys(
        ["train", "node", "net"], "because `new` failed"
    )
    assert {"net", "node", "train"} <= set(lab.records)


def test_a_failure_that_is_ignored_does_not_keep_what_left() -> None:
    lab = Lab(INFRA)
    lab.apply()
    lab.text = "steps: {new: {kind: job, on_failure: ignore}}"
    lab.toy.fails.add("new")
    assert lab.apply().outcome == "done"
    assert lab.toy.destroyed == ["node", "net"]


def test_what_could_not_be_destroyed_keeps_what_it_needs() -> None:
    lab = Lab(INFRA.replace("node: {kind", "other: {kind: service}\n  node: {kind"))
    lab.apply()

    def refuse(record: object) -> None:
        raise Refused("still in use", "three pods")

    lab.toy.undoing["node"] = refuse
    lab.text = "steps: {new: {kind: job}}"
    report = lab.apply()
    assert report.outcome == "failed"
    assert report.failed == ("node",)
    assert lab.toy.destroyed == ["other", "node"] or lab.toy.destroyed == ["node", "other"]
    assert causes(lab, StepSkipped) == {"net": "`node`, which needs it, could not be destroyed"}
    assert set(lab.records) == {"new", "net", "node"}
    assert lab.error("node") == "still in use"
    lab.toy.undoing.clear()
    assert lab.plan().splitlines()[-2:] == [
        "- node: no longer in the Labfile",
        "- net: no longer in the Labfile",
    ]
    assert lab.apply().outcome == "done"
    assert lab.toy.destroyed == ["node", "net"]


# --- making anew --------------------------------------------------------------------------------


NET = "steps: {net: {kind: service, value: 1, region: eu, artifacts: {conf: net.conf}}}"


def test_what_is_made_anew_is_destroyed_first() -> None:
    lab = Lab(NET)
    lab.apply()
    lab.text = NET.replace("eu", "us")
    report = lab.apply()
    assert report.counts == {"replaced": 1}
    assert lab.toy.destroyed == ["net"]
    assert lab.toy.ran == ["net"]
    task = lab.toy.tasks["net"]
    assert task.replacing
    assert task.record is None
    assert [type(e).__name__ for e in lab.told] == [
        "StepStarted", "StepDestroyed", "StepStarted", "StepFinished",
    ]  # fmt: skip
    assert "net.conf" in lab.files
    assert lab.draft().plan.empty


def test_whoever_made_it_destroys_it() -> None:
    """Another kind or target has another provider, which knows nothing of the old thing."""
    lab = Lab(
        "targets: {box: {provider: remote, host: old}}\n"
        + NET.replace("value", "target: box, value")
    )
    former: list[Any] = []
    remote = lab.registry.toys["service", "remote"]
    remote = type(remote)(remote.Spec, lab.files)  # type: ignore[call-arg]
    lab.registry.toys["service", "remote"] = remote
    lab.apply()
    remote.undoing["net"] = former.append  # type: ignore[attr-defined]
    lab.text = NET
    lab.apply()
    (record,) = former
    assert (record.place, record.fields) == ("remote", {"host": "old"})
    assert lab.toy.destroyed == []
    assert lab.records["net"].place == "local"


def test_work_that_takes_the_place_of_infrastructure_leaves_none_behind() -> None:
    lab = Lab(NET)
    lab.apply()
    lab.text = "steps: {net: {kind: job, value: 1}}"
    lab.apply()
    assert lab.toy.destroyed == ["net"]
    assert not lab.records["net"].infrastructure


def test_half_a_thing_is_undone_by_whoever_began_it() -> None:
    lab = Lab(NET)
    lab.toy.fails.add("net")
    lab.apply()
    assert lab.toy.there == {("net", '"eu"')}
    lab.toy.fails.clear()
    lab.text = "steps: {net: {kind: job, value: 1}}"
    assert lab.verbs() == {"net": "replace"}
    assert lab.actions()["net"].asks
    assert lab.apply().outcome == "done"
    assert lab.toy.there == set()
    assert lab.toy.destroyed == ["net"]


def test_work_is_made_anew_without_destroying_anything() -> None:
    lab = Lab("steps: {train: {kind: job, artifacts: {m: out/m}}}")
    lab.apply()
    report = lab.apply(replace=["train"])
    assert report.counts == {"replaced": 1}
    assert lab.toy.destroyed == []
    assert lab.toy.tasks["train"].replacing


def test_what_cannot_be_destroyed_is_not_made_anew_and_tried_again_later() -> None:
    lab = Lab(NET)
    lab.apply()

    def refuse(record: object) -> None:
        raise Refused("still in use")

    lab.toy.undoing["net"] = refuse
    lab.text = NET.replace("eu", "us")
    report = lab.apply()
    assert report.failed == ("net",)
    assert lab.toy.ran == []
    assert lab.verbs() == {"net": "replace"}
    lab.toy.undoing.clear()
    assert lab.apply().outcome == "done"
    assert lab.toy.destroyed == ["net"]


def test_what_was_destroyed_and_could_not_be_made_is_simply_not_there() -> None:
    lab = Lab(NET)
    lab.apply()
    lab.text = NET.replace("eu", "us")
    lab.toy.fails.add("net")
    lab.apply()
    assert lab.records["net"].done is None
    assert lab.verbs() == {"net": "create"}
    lab.toy.fails.clear()
    lab.apply()
    assert lab.toy.destroyed == []
    assert lab.toy.ran == ["net"]


def test_what_cannot_be_made_is_no_reason_to_destroy() -> None:
    text = NET.replace("eu", '"{{ steps.where.outputs.missing }}"').replace(
        "{net:", "{where: {kind: job, value: 1}, net:"
    )
    lab = Lab(NET)
    lab.apply()
    lab.text = text.replace("value: 1, region", "value: 2, region")
    lab.apply()
    assert lab.toy.destroyed == []
    assert lab.records["net"].done is not None


# --- protect ------------------------------------------------------------------------------------


def test_protection_is_remembered_also_where_nothing_runs() -> None:
    lab = Lab("steps: {net: {kind: service}}")
    lab.apply()
    assert not lab.records["net"].protect
    lab.text = "steps: {net: {kind: service, protect: true}}"
    lab.apply()
    assert lab.toy.ran == []
    assert lab.records["net"].protect
    lines = len(lab.journal.lines)
    lab.apply()
    assert len(lab.journal.lines) == lines
    lab.text = "steps: {net: {kind: service}}"
    lab.apply()
    assert not lab.records["net"].protect


# --- selection ------------------------------------------------------------------------------------


def test_what_is_left_out_is_not_touched() -> None:
    lab = Lab(CHAIN)
    lab.apply(only=["+b"])
    assert sorted(lab.toy.ran) == ["a", "b"]
    lab.text = CHAIN.replace("value: 1", "value: 2")
    lab.apply(only=["c"])
    assert lab.toy.ran == ["c"]
    lab.apply()
    assert sorted(lab.toy.ran) == ["a", "b", "free"]


def test_what_is_left_out_still_stands_between_others() -> None:
    """The cluster must be there before what needs it through a step that is left out."""
    text = """
    steps:
      cluster: {kind: job, value: 1}
      install: {kind: job, needs: cluster}
      more: {kind: job, needs: install}
      deploy: {kind: job, needs: more}
    """
    lab = Lab(text)
    lab.apply()
    again = {"replace": ["cluster", "deploy"], "exclude": ["install", "more"]}
    lab.apply(**again)
    assert lab.toy.ran == ["cluster", "deploy"]
    assert lab.toy.beside["deploy"] == set()
    assert lab.happened(StepStarted, StepFinished) == ["cluster", "cluster", "deploy", "deploy"]
    lab.toy.fails.add("cluster")
    lab.apply(**again)
    assert lab.toy.ran == ["cluster"]
    assert causes(lab, StepSkipped) == {"deploy": "because `cluster` failed"}
