"""What one trial of a sweep is: whose keys it has, what it may not have, and what its sweep waits for."""

from __future__ import annotations

import textwrap

import pytest
from catalogs import sweeping

from lab.model.diagnostic import LabfileError
from lab.model.graph import Graph
from lab.reading.bind import bind
from lab.reading.link import link
from lab.reading.parse import merge, parse

TRAIN = """\
labfile: 1
defaults: {retries: 1}
steps:
  data: {kind: command, command: "true", artifacts: {x: "{{ step.dir }}/x"}}
  before: {kind: command, command: "true"}
  train:
    kind: training
    parameters: {lr: 0.1, width: 3}
    command: [python, t.py, "{{ parameters.lr }}", "{{ parameters.width }}", "{{ steps.data.outputs.x }}"]
    env: {A: "1"}
    timeout: 5m
    needs: before
    when: "true"
    tags: nightly
    require: ["{{ outputs.metrics.loss < 1 }}"]
"""
SWEEP = """\
  sweep:
    kind: sweep
    trial: TRIAL
    parameters: {lr: {type: double, min: 0.5, max: 0.75}}
    objective: {metric: loss, type: minimize}
    trials: {max: 3}
"""


def linked(trial: str, more: str = "") -> Graph:
    text = TRAIN + SWEEP.replace("TRIAL", trial) + textwrap.indent(more, "    ")
    labfile = bind(
        merge(parse("Labfile.yaml", text.encode()), []),
        root="/lab",
        source="/lab/Labfile.yaml",
        overlay="",
        given={},
        environ={},
        catalog=sweeping(),
    )
    return link(labfile, sweeping())


def test_a_trial_has_the_keys_of_the_step_it_is_like_but_not_what_only_a_step_has() -> None:
    trial = linked("{like: train, seed: 3, env: {B: x}}").steps["sweep"].trial
    assert trial is not None
    assert (trial.kind, trial.address, trial.spec["seed"]) == ("training", "sweep", 3)
    assert trial.spec["parameters"] == {"lr": 0.75, "width": 3}, "a sample of what is varied"
    assert trial.env == {"B": "x"}
    assert trial.options.timeout == 300
    assert trial.options.retries.attempts == 1, "defaults are every step's"
    assert (trial.require, trial.when, trial.options.tags) == ((), True, ())


def test_a_null_leaves_out_what_like_brings() -> None:
    trial = linked("{like: train, timeout: null, env: null}").steps["sweep"].trial
    assert trial is not None
    assert trial.options.timeout is None
    assert trial.env == {}


def test_what_a_trial_waits_for_its_sweep_waits_for() -> None:
    graph = linked("{like: train}")
    assert graph.needs["sweep"] == ("before", "data")
    assert graph.refs["sweep"] == ("data",)


def test_a_sweep_may_have_a_matrix_which_its_trials_see() -> None:
    more = "matrix: {width: [1, 2]}"
    graph = linked('{like: train, parameters: {width: "{{ matrix.width }}"}}', more)
    trials = [step.trial for a, step in graph.steps.items() if a.startswith("sweep")]
    assert [each and (each.address, each.matrix) for each in trials] == [
        ("sweep[width=1]", {"width": 1}),
        ("sweep[width=2]", {"width": 2}),
    ]


@pytest.mark.parametrize(
    ("trial", "said"),
    [
        ("{like: trian}", "there is no step 'trian' for a trial to be like"),
        ("{like: sweep}", "a sweep's trial cannot be like the sweep"),
        ("{like: data}", "a trial is a training, and 'data' is of kind command"),
        ("{like: train, matrix: {a: [1]}}", "a trial has no `matrix` of its own"),
        ("{script: t.py, module: t}", "'trial' has `script` and `module`"),
        ("{}", "one of"),
        ('{like: train, stdin: "x"}', "unknown key 'stdin'"),
        ('{like: train, seed: "{{ parameters.lrr }}"}', "lrr"),
        ('{like: train, command: "x {{ secrets.a }} {{ parameters.lr }}"}', "secret"),
        ("[train]", "must be"),
    ],
    ids=lambda text: text[:30],
)
def test_what_a_trial_cannot_be(trial: str, said: str) -> None:
    with pytest.raises(LabfileError) as refusal:
        linked(trial)
    text = str(refusal.value)
    assert said in text
    assert "Labfile.yaml:18:" in text, f"it stands where `trial` is written: {text}"
