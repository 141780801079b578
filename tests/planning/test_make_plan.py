"""Whole plans: a Labfile's text and what is recorded on one side, the plan's text on the other."""

from __future__ import annotations

import textwrap

import pytest
from fakes.lab import Lab

from lab.model.diagnostic import PlanError
from lab.model.plan import Change
from lab.provider import Observation


def plan(lab: Lab, text: str | None = None, **selection: list[str]) -> str:
    """The plan's text, after the Labfile became *text* if one is given."""
    if text is not None:
        lab.text = text
    return lab.plan(**selection)


def lines(text: str) -> str:
    return textwrap.dedent(text).strip()


def done(text: str, **files: str) -> Lab:
    """A lab in which everything has run once."""
    lab = Lab(text, files=files)
    assert lab.apply().outcome == "done"
    return lab


CHAIN = """
steps:
  a: {kind: job, value: 1}
  b: {kind: job, value: "{{ steps.a.outputs.value }}"}
  c: {kind: job, needs: b}
"""


def test_nothing_has_run_yet() -> None:
    assert plan(Lab(CHAIN)) == "+ a: never ran\n+ b: never ran\n+ c: never ran"


def test_everything_has_run() -> None:
    lab = done(CHAIN)
    assert plan(lab) == "= a: nothing changed\n= b: nothing changed\n= c: nothing changed"
    assert lab.draft().plan.empty


def test_a_change_reaches_what_refers_to_it_and_not_what_only_needs_it() -> None:
    assert plan(done(CHAIN), CHAIN.replace("value: 1", "value: 2")) == lines(
        """
        ~ a: `value` changed
            value: 1 -> 2
        ? b: depends on a
            value: 1 -> (known after a)
        = c: nothing changed
        """
    )


def test_what_is_not_known_may_be_deep_inside_what_changed() -> None:
    text = (
        'steps: {a: {kind: job, value: 1}, b: {kind: job, run: [x, "{{ steps.a.outputs.value }}"]}}'
    )
    lab = done(text)
    assert plan(lab, text.replace("value: 1", "value: 2").replace("[x, ", "[x, y, ")) == lines(
        """
        ~ a: `value` changed
            value: 1 -> 2
        ~ b: `run` changed
            run: ["x", "1"] -> ["x", "y", "(known after a)"]
        """
    )


def test_the_order_is_that_of_the_file_as_far_as_needs_allow() -> None:
    text = "steps: {z: {kind: job, needs: y}, y: {kind: job}, x: {kind: job}}"
    assert list(Lab(text).verbs()) == ["y", "x", "z"] or list(Lab(text).verbs()) == ["y", "z", "x"]


def test_what_runs_every_time_leaves_what_refers_to_it_unknown() -> None:
    text = CHAIN.replace("value: 1", "value: 1, cache: false")
    assert plan(done(text)) == lines(
        """
        ~ a: runs every time (`cache: false`)
        ? b: depends on a
            value: 1 -> (known after a)
        = c: nothing changed
        """
    )


# --- when -----------------------------------------------------------------------------------


def test_when_that_is_known() -> None:
    text = """
    vars: {deploy: false}
    steps:
      a: {kind: job, value: 1, when: "{{ vars.deploy }}"}
      uses: {kind: job, value: "{{ steps.a.outputs.value }}"}
      copes: {kind: job, value: "{{ steps.a.outputs.value | default(7) }}"}
      after: {kind: job, needs: a}
    """
    assert plan(Lab(text)) == lines(
        """
        · a: `when` is false
        · uses: refers to `a`, which is skipped
        + copes: never ran
        + after: never ran
        """
    )


def test_when_keeps_the_record_of_what_is_skipped() -> None:
    text = 'vars: {on: true}\nsteps: {a: {kind: job, when: "{{ vars.on }}"}}'
    lab = done(text)
    lab.vars = {"on": False}
    assert plan(lab) == "· a: `when` is false"
    lab.apply()
    lab.vars = {"on": True}
    assert plan(lab) == "= a: nothing changed"


@pytest.mark.parametrize(
    "when", ["false", "'{{ false }}'", "'1 > 2'", "'{{ null }}'", "'vars.off'"]
)
def test_ways_to_say_no(when: str) -> None:
    lab = Lab(f"vars: {{off: false}}\nsteps: {{a: {{kind: job, when: {when}}}}}")
    assert lab.verbs() == {"a": "skip"}


@pytest.mark.parametrize("when", ["true", "'{{ true }}'", "'vars.on'", '"{{ vars.on and 1 < 2 }}"'])
def test_ways_to_say_yes(when: str) -> None:
    lab = Lab(f"vars: {{on: true}}\nsteps: {{a: {{kind: job, when: {when}}}}}")
    assert lab.verbs() == {"a": "create"}


def test_when_must_give_true_or_false() -> None:
    lab = Lab("vars: {n: 3}\nsteps: {a: {kind: job, when: '{{ vars.n }}'}}")
    with pytest.raises(PlanError) as refusal:
        lab.plan()
    (told,) = refusal.value.diagnostics
    assert told.summary == "`when` gave a number, which is neither true nor false"
    assert str(told.span) == "Labfile.yaml:4:31"


CHECKED = """
steps:
  check: {kind: job, value: 1}
  deploy: {kind: job, value: 2, when: "{{ steps.check.outputs.value > 0 }}"}
  report: {kind: job, value: "{{ steps.deploy.outputs.value | default(0) }}"}
"""


def test_when_that_is_known_later_is_told_and_makes_what_follows_unknown() -> None:
    assert plan(Lab(CHECKED)) == lines(
        """
        + check: never ran
        + deploy: never ran; whether it runs is known after check
        + report: never ran
        """
    )
    lab = done(CHECKED)
    assert plan(lab) == "\n".join(
        f"= {name}: nothing changed" for name in ("check", "deploy", "report")
    )
    assert plan(lab, CHECKED.replace("value: 1", "value: 0")) == lines(
        """
        ~ check: `value` changed
            value: 1 -> 0
        = deploy: nothing changed
        ? report: depends on deploy
            value: 2 -> (known after deploy)
        """
    )


def test_what_refers_to_a_step_that_may_be_skipped_may_be_skipped_too() -> None:
    text = (
        CHECKED
        + """
  uses: {kind: job, value: "{{ steps.deploy.outputs.value }}"}
  more: {kind: job, value: "{{ steps.uses.outputs.value }}"}
  after: {kind: job, needs: uses}
  both: {kind: job, value: "{{ steps.many.outputs.value }}"}
  many: {kind: job, matrix: {n: [0, 1]}, when: "{{ matrix.n > steps.check.outputs.value }}"}
"""
    )
    later = "; whether it runs is known after check"
    actions = Lab(text).actions()
    assert {name: action.cause.removeprefix("never ran") for name, action in actions.items()} == {
        "check": "", "deploy": later, "report": "", "uses": later, "more": later, "after": "",
        "many[n=0]": later, "many[n=1]": later, "both": later,
    }  # fmt: skip


def test_when_over_recorded_outputs_is_known() -> None:
    lab = done(CHECKED)
    assert plan(lab, CHECKED.replace("> 0", "> 5")) == lines(
        """
        = check: nothing changed
        · deploy: `when` is false
        ~ report: `value` changed
            value: 2 -> 0
        """
    )


def test_a_matrix_of_which_some_are_skipped() -> None:
    text = """
    steps:
      train: {kind: job, value: "{{ matrix.n }}", matrix: {n: [1, 2]}, when: "{{ matrix.n > 1 }}"}
      all: {kind: job, value: "{{ steps.train.outputs.value }}"}
      one: {kind: job, value: "{{ steps.train['n=1'].outputs.value }}"}
      two: {kind: job, value: "{{ steps.train['n=2'].outputs.value }}"}
    """
    assert plan(Lab(text)) == lines(
        """
        · train[n=1]: `when` is false
        + train[n=2]: never ran
        + all: never ran
        · one: refers to `train[n=1]`, which is skipped
        + two: never ran
        """
    )
    lab = done(text)
    assert lab.outputs("all") == {"value": [None, 2]}


def test_a_matrix_of_which_all_are_skipped() -> None:
    text = """
    steps:
      train: {kind: job, matrix: {n: [1, 2]}, when: false}
      all: {kind: job, value: "{{ steps.train.outputs.value }}"}
    """
    assert Lab(text).verbs()["all"] == "skip"


def test_targets_that_are_not_there() -> None:
    text = """
    targets: {box: {provider: remote, optional: true}}
    steps:
      a: {kind: job, target: box, value: 1}
      b: {kind: job, value: "{{ steps.a.outputs.value }}"}
    """
    assert Lab(text).verbs() == {"a": "create", "b": "create"}


# --- what is there ----------------------------------------------------------------------------


MODEL = """
steps:
  train: {kind: job, value: 1, artifacts: {model: out/model.bin, log: out/log.txt}}
  use: {kind: job, value: "{{ steps.train.outputs.model }}"}
"""


def test_artifacts_that_are_gone_or_altered() -> None:
    lab = done(MODEL)
    del lab.files["out/model.bin"]
    assert plan(lab).splitlines()[0] == "~ train: artifact `model` is gone"
    assert lab.verbs()["use"] == "unknown"
    lab.files["out/model.bin"] = "tampered"
    assert plan(lab).splitlines()[0] == "~ train: artifact `model` is not as it was made"


def test_the_world_is_looked_at() -> None:
    lab = done("steps: {net: {kind: service, value: 1}}")
    lab.service.world["net"] = None
    assert plan(lab) == "~ net: gone from the world"
    lab.service.world["net"] = Observation(drift=(Change("replicas", 3, 2),))
    assert plan(lab) == "~ net: `replicas` drifted\n    replicas: 3 -> 2"


def test_a_provider_that_cannot_look_changes_nothing() -> None:
    lab = done("steps: {net: {kind: service, value: 1}}")

    def observe(*_: object) -> Observation:
        raise RuntimeError("no connection")

    lab.service.observe = observe  # type: ignore[method-assign]
    assert plan(lab) == "= net: nothing changed"


# --- gone from the Labfile --------------------------------------------------------------------


def test_what_left_the_labfile_goes_last_in_reverse_order() -> None:
    lab = done(
        """
        steps:
          net: {kind: service, value: 1}
          node: {kind: service, value: "{{ steps.net.outputs.value }}"}
          train: {kind: job, needs: node}
          stays: {kind: job}
        """
    )
    assert plan(lab, "steps: {stays: {kind: job}, new: {kind: job, value: 5}}") == lines(
        """
        = stays: nothing changed
        + new: never ran
        x train: no longer in the Labfile
        - node: no longer in the Labfile
        - net: no longer in the Labfile
        """
    )
    actions = lab.actions()
    assert [name for name, action in actions.items() if action.asks] == ["node", "net"]


def test_a_step_that_equals_one_that_is_gone_was_most_likely_renamed() -> None:
    lab = done("steps: {a: {kind: job, value: 1}, b: {kind: job, value: 2}}")
    lab.text = "steps: {a2: {kind: job, value: 1}, b2: {kind: job, value: 3}}"
    (warning,) = lab.draft().plan.warnings
    assert "`a2` is what `a` was" in warning
    assert "lab state mv 'a' 'a2'" in warning


def test_what_is_only_kept_is_not_told_as_renamed() -> None:
    lab = done("steps: {a: {kind: job, value: 1}, b: {kind: job, value: 1}}")
    lab.text = "steps: {a: {kind: job, value: 1}}"
    assert lab.draft().plan.warnings == ()


# --- protect ----------------------------------------------------------------------------------


def refusal(lab: Lab, **selection: list[str]) -> str:
    with pytest.raises(PlanError) as refused:
        lab.draft(**selection)
    return "\n".join(each.summary for each in refused.value.diagnostics)


SAFE = "steps: {net: {kind: service, value: 1, protect: true}, job: {kind: job, protect: true}}"


def test_what_is_protected_is_neither_destroyed_nor_replaced() -> None:
    lab = done(SAFE)
    lab.text = SAFE.replace("value: 1", "value: 1, region: us")
    assert refusal(lab) == "`net` is protected, and the plan would replace it"
    lab.text = SAFE
    assert refusal(lab, replace=["job"]) == "`job` is protected, and the plan would replace it"


def test_protection_outlives_the_labfile() -> None:
    lab = done(SAFE)
    lab.text = "steps: {job: {kind: job, protect: true}}"
    assert refusal(lab) == "`net` is protected, and the plan would destroy it"


def test_what_is_protected_may_be_updated_and_work_forgotten() -> None:
    lab = done(SAFE)
    assert plan(lab, SAFE.replace("value: 1", "value: 2")).startswith("~ net: `value` changed")
    lab = done("steps: {job: {kind: job, protect: true}, other: {kind: job}}")
    assert plan(lab, "steps: {other: {kind: job}}").endswith("x job: no longer in the Labfile")


def test_protection_that_is_taken_back_in_the_labfile_holds_no_more() -> None:
    lab = done(SAFE)
    text = SAFE.replace("protect: true", "protect: false").replace("value: 1", "region: us")
    assert plan(lab, text).startswith("± net: `value`, `region` changed")


def test_replacing_infrastructure_by_work_asks_too() -> None:
    """What is destroyed decides, not what comes after it."""
    lab = done("steps: {net: {kind: service, value: 1}}")
    lab.text = "steps: {net: {kind: job, value: 1}}"
    assert plan(lab).startswith("± net: `kind` changed")
    assert lab.actions()["net"].asks


# --- selection --------------------------------------------------------------------------------


def test_what_is_left_out_gives_what_is_recorded_of_it() -> None:
    lab = done(CHAIN)
    lab.text = CHAIN.replace("value: 1", "value: 2").replace(
        "kind: job, needs", "kind: job, value: 5, needs"
    )
    assert plan(lab, only=["b", "c"]) == lines(
        """
        = b: nothing changed
        ~ c: `value` changed
            value: (absent) -> 5
        """
    )
    assert lab.draft(only=["b"]).plan.left_out == {
        "a": "not picked by --only", "c": "not picked by --only",
    }  # fmt: skip


def test_what_is_left_out_and_never_ran_has_nothing_to_give() -> None:
    lab = Lab(CHAIN)
    with pytest.raises(PlanError) as refused:
        lab.plan(only=["b"])
    (told,) = refused.value.diagnostics
    assert told.summary == "`b` needs the outputs of `a`, which is left out and never ran"
    assert "--only +b" in told.help
    assert str(told.span) == "Labfile.yaml:6:3"


def test_what_only_needs_something_left_out_runs_without_it() -> None:
    assert plan(Lab(CHAIN), only=["c"]) == "+ c: never ran"


def test_what_left_the_labfile_is_left_out_like_the_rest() -> None:
    lab = done("steps: {a: {kind: job}, b: {kind: job}}")
    lab.text = "steps: {a: {kind: job}}"
    assert lab.verbs(only=["a"]) == {"a": "keep"}
    assert lab.verbs(only=["b"]) == {"b": "forget"}
    assert lab.verbs(exclude=["b"]) == {"a": "keep"}


def test_replace_runs_again_what_it_picks() -> None:
    lab = done(CHAIN)
    assert lab.verbs(replace=["a"]) == {"a": "replace", "b": "unknown", "c": "keep"}
    assert lab.verbs(replace=["*"]) == {"a": "replace", "b": "replace", "c": "replace"}
    with pytest.raises(PlanError, match="`--replace x` picks nothing"):
        lab.verbs(replace=["x"])


# --- faults -----------------------------------------------------------------------------------


def test_replacing_only_what_is_left_out_is_refused() -> None:
    lab = done(CHAIN)
    assert "picks only steps that are left out" in refusal(lab, only=["c"], replace=["a"])
    assert lab.verbs(only=["c"], replace=["*"]) == {"c": "replace"}


def test_an_expression_that_fails_on_what_is_recorded() -> None:
    lab = done(CHAIN)
    lab.text = CHAIN.replace("outputs.value }}", "outputs.valeu }}")
    with pytest.raises(PlanError) as refused:
        lab.plan()
    (told,) = refused.value.diagnostics
    assert "valeu" in told.summary
    assert told.span is not None
    assert told.span.line == 6


def test_what_was_made_must_meet_its_require_as_it_is_now() -> None:
    text = """
steps:
  base: {kind: job, value: 1}
  a: {kind: job, value: 5, require: "{{ outputs.value > 3 }}"}
  b: {kind: job, value: 5, require: "{{ outputs.value > steps.base.outputs.value }}"}
"""
    lab = done(text)
    assert plan(lab, text.replace("> 3", "> 4")).count("= ") == 3
    assert "`require`: " in plan(lab, text.replace("outputs.value > 3", "outputs.other > 3"))
    changed = text.replace("> 3", "> 7").replace("value: 1", "value: 6")
    assert plan(lab, changed) == lines("""
        ~ base: `value` changed
            value: 1 -> 6
        ~ a: required `outputs.value > 7`, but outputs.value is 5
        ? b: whether its `require` holds is known after base
        """)
    report = lab.apply()
    assert set(report.failed) == {"a", "b"}
    assert "steps.base.outputs.value is 6" in lab.error("b")


def test_every_step_that_cannot_be_planned_is_told_at_once() -> None:
    lab = Lab("""
        vars: {none: 0}
        steps:
          a: {kind: job, value: "{{ 1 / vars.none }}"}
          b: {kind: job, value: "{{ [1][steps.a.outputs.value] }}"}
          c: {kind: job, value: "{{ 'x' * 10 ** 9 }}"}
        """)
    assert refusal(lab).splitlines() == [
        "`/` by zero",
        "the result is too big: a text of more than 1 MiB",
    ]


def test_inputs_that_are_not_there_are_told() -> None:
    lab = Lab("steps: {a: {kind: job, inputs: [data.csv, 'conf/*.yaml', here.txt]}}")
    lab.files["here.txt"] = "x"
    (warning,) = lab.draft().plan.warnings
    assert warning == "a: its `inputs` name `data.csv`, `conf/*.yaml`, which is not there"


def test_inputs_that_are_not_there_do_not_matter_to_what_is_kept() -> None:
    lab = done("steps: {a: {kind: job, inputs: [x]}}", x="1")
    lab.text = "steps: {a: {kind: job, inputs: [x], when: false}}"
    del lab.files["x"]
    assert lab.draft().plan.warnings == ()


# --- after a bad end ----------------------------------------------------------------------------


def test_what_failed_is_made_again_and_what_was_not_begun_too() -> None:
    lab = Lab(CHAIN)
    lab.toy.fails.add("b")
    lab.apply()
    assert plan(lab) == lines(
        """
        = a: nothing changed
        + b: last run failed (run 1): it broke
        + c: never ran
        """
    )


def test_what_was_interrupted_is_made_again() -> None:
    lab = Lab("steps: {a: {kind: job}}")
    lab.apply()
    lab.journal.cut(1)
    assert plan(lab) == "+ a: last run was interrupted (run 1)"
