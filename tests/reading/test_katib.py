"""Experiments become sweeps, and sweeps Experiments, and mean the same."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.reading.katib_import import imported
from lab.reading.katib_old import Unfit
from lab.reading.katib_template import GoTemplateFault, filled
from lab.reading.parse import parse
from lab.reading.write import document_text

EXPERIMENT = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: digits, namespace: lab}
spec:
  objective: {type: maximize, goal: 0.99, objectiveMetricName: accuracy, additionalMetricNames: [loss]}
  algorithm: {algorithmName: tpe, algorithmSettings: [{name: random_state, value: "7"}, {name: gamma, value: "0.2"}]}
  earlyStopping:
    algorithmName: medianstop
    algorithmSettings: [{name: min_trials_required, value: "3"}, {name: start_step, value: "4"}]
  parallelTrialCount: 2
  maxTrialCount: 6
  maxFailedTrialCount: 3
  parameters:
    - {name: lr, parameterType: double, feasibleSpace: {min: "0.0001", max: "0.1", distribution: logUniform}}
    - {name: units, parameterType: int, feasibleSpace: {min: "32", max: "256", step: "32"}}
    - {name: batch, parameterType: discrete, feasibleSpace: {list: ["32", "64.5"]}}
    - {name: opt, parameterType: categorical, feasibleSpace: {list: [sgd, "1e-3"]}}
  trialTemplate:
    primaryContainerName: training
    trialParameters:
      - {name: rate, reference: lr}
      - {name: units, reference: units}
      - {name: batch, reference: batch}
      - {name: opt, reference: opt}
      - {name: me, reference: "${trialSpec.Name}"}
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            serviceAccountName: trainer
            containers:
              - {name: logger, image: busybox}
              - name: training
                image: example.com/train:1
                command: [python, /app/train.py, "--lr=${trialParameters.rate}", "--units=${trialParameters.units}"]
                args: ["--batch=${trialParameters.batch}", "--opt=${trialParameters.opt}", "--brace={{x}}"]
                env:
                  - {name: RUN, value: "${trialParameters.me}"}
                  - {name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: t}}}
                resources: {limits: {cpu: 500m, memory: 2Gi, nvidia.com/gpu: 1}}
"""

CHAPTER = """
apiVersion: "kubeflow.org/v1alpha3"
kind: Experiment
metadata: {name: random-example, labels: {controller-tools.k8s.io: "1.0"}}
spec:
  objective: {type: maximize, goal: 0.99, objectiveMetricName: val, additionalMetricNames: [train]}
  algorithm: {algorithmName: random}
  parallelTrialCount: 3
  maxTrialCount: 12
  maxFailedTrialCount: 3
  metricsCollectorSpec:
    source: {fileSystemPath: {path: /logs/run, kind: Directory}}
    collector: {kind: TensorFlowEvent}
  parameters:
    - {name: --lr, parameterType: double, feasibleSpace: {min: "0.01", max: "0.03"}}
    - {name: --num-layers, parameterType: int, feasibleSpace: {min: "2", max: "5"}}
    - {name: --optimizer, parameterType: categorical, feasibleSpace: {list: [sgd, adam, ftrl]}}
  trialTemplate:
    goTemplate:
        rawTemplate: |-
          apiVersion: batch/v1
          kind: Job
          metadata:
            name: {{.Trial}}
            namespace: {{.NameSpace}}
          spec:
            template:
              spec:
                containers:
                - name: {{.Trial}}
                  image: example.com/mnist
                  command:
                  - "python3"
                  - "/opt/mnist.py"
                  - "--logs=/logs"
                  {{- with .HyperParameters}}
                  {{- range .}}
                  - "{{.Name}}={{.Value}}"
                  {{- end}}
                  {{- end}}
                restartPolicy: Never
"""


def tree_of(text: str) -> dict[str, Any]:
    return parse("experiment.yaml", text.encode()).tree


def step_of(text: str) -> dict[str, Any]:
    steps = imported(tree_of(text)).tree["steps"]
    return next(iter(steps.values()))


def test_an_experiment_as_a_sweep() -> None:
    assert step_of(EXPERIMENT) == {
        "kind": "sweep",
        "trial": {
            "command": [
                "python",
                "/app/train.py",
                "--lr={{ parameters.lr }}",
                "--units={{ parameters.units }}",
                "--batch={{ parameters.batch }}",
                "--opt={{ parameters.opt }}",
                "--brace={{ '{{' }}x}}",
            ],
            "env": {"RUN": "{{ step.name }}"},
            "resources": {"cpu": 0.5, "memory": "2Gi", "gpu": 1},
            "metrics": {"from": "stdout"},
        },
        "parameters": {
            "lr": {"type": "double", "min": 0.0001, "max": 0.1, "distribution": "logUniform"},
            "units": {"type": "int", "min": 32, "max": 256, "step": 32},
            "batch": {"type": "discrete", "list": [32, 64.5]},
            "opt": {"type": "categorical", "list": ["sgd", "1e-3"]},
        },
        "objective": {
            "metric": "accuracy",
            "type": "maximize",
            "goal": 0.99,
            "additional_metrics": ["loss"],
            "metric_strategies": {"loss": "max"},  # Katib's default follows the objective
        },
        "algorithm": {"name": "tpe", "seed": 7},
        "trials": {"max": 6, "parallel": 2, "max_failed": 3},
        "early_stopping": {"name": "medianstop", "min_trials_required": 3, "start_step": 4},
        "resume_policy": "Never",
    }


def test_what_has_no_meaning_here_is_told() -> None:
    told = " / ".join(imported(tree_of(EXPERIMENT)).notes)
    for word in (
        "example.com/train:1",
        "/app/train.py",
        "$TOKEN",
        "gamma",
        "logger",
        "serviceAccountName",
    ):
        assert word in told


def test_the_chapters_experiment_with_its_go_template() -> None:
    step = step_of(CHAPTER)
    assert step["trial"]["command"] == [
        "python3",
        "/opt/mnist.py",
        "--logs={{ step.dir }}/logs",
        "--lr={{ parameters.lr }}",
        "--num-layers={{ parameters.num_layers }}",
        "--optimizer={{ parameters.optimizer }}",
    ]
    assert step["trial"]["metrics"] == {"from": "tensorboard", "dir": "{{ step.dir }}/logs/run"}
    assert step["resume_policy"] == "LongRunning"
    assert list(step["parameters"]) == ["lr", "num_layers", "optimizer"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: Experiment", "kind: Suggestion", "no Katib Experiment: its kind is Suggestion"),
        ("/v1beta1", "/v1", "kubeflow.org/v1 is not known here"),
        ("algorithmName: tpe", "algorithmName: pbt", "lab has no algorithm pbt"),
        ("parameterType: int", "parameterType: whole", "cannot be of the type whole"),
        ('max: "0.1"', 'max: "much"', "much is not a number"),
        ("type: maximize", "type: best", "needs a metric, and whether to maximize"),
        ("  parameters:", "  nasConfig: {}\n  parameters:", "searches a network's architecture"),
        ("algorithmName: medianstop", "algorithmName: other", "no rule other to stop"),
        (
            "name: units, parameterType",
            "name: --lr, parameterType",
            "two parameters would be called lr",
        ),
        (
            "            containers:",
            "            cans:",
            "a trial of the kind Job runs no container",
        ),
        ("trialSpec:\n", "configMap:\n", "is not in this file"),
    ],
)
def test_what_cannot_be_imported_says_why(old: str, new: str, said: str) -> None:
    assert old in EXPERIMENT
    with pytest.raises(Unfit) as caught:
        imported(tree_of(EXPERIMENT.replace(old, new, 1)))
    assert said in caught.value.summary


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{.Other}}", "`{{.Other}}` is not known here"),
        ("{{range .HyperParameters}}x", "a block has no `end`"),
        ("x\n{{end}}", "an `end` ends nothing"),
        ("{{with .Labels}}{{end}}", "`with .Labels` is not known here"),
        ("{{.Name}}", "`{{.Name}}` is not known here"),
    ],
)
def test_more_of_gos_templates_than_is_known(text: str, said: str) -> None:
    with pytest.raises(GoTemplateFault) as caught:
        filled(text, ["lr"])
    assert caught.value.summary == said


def test_dashes_take_blanks_along() -> None:
    text = "a:\n  {{- range .HyperParameters }}\n  - {{ .Name -}}  = {{- .Value }}\n  {{- end }}\nb"
    assert (
        filled(text, ["p", "q"]) == "a:\n  - p=${trialParameters.p}\n  - q=${trialParameters.q}\nb"
    )


SCALARS = st.one_of(
    st.text(max_size=12),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(-1e9, 1e9),
    st.just("1e-3"),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=6), TREES, min_size=1, max_size=4))
def test_what_is_written_is_read_again(tree: dict[str, Any]) -> None:
    assert parse("x", document_text(tree).encode()).tree == tree


def test_lines_are_not_too_long() -> None:
    words = [f"--flag-number-{n}={{{{ parameters.p{n} }}}}" for n in range(12)]
    text = document_text({"steps": {"train": {"command": words, "env": {"A": "b"}}}})
    assert max(map(len, text.splitlines())) <= 96
    assert textwrap.dedent(text).startswith("steps:\n  train:\n    command: [")


def leaves(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    match tree:
        case dict():
            inner = [each for key, value in tree.items() for each in leaves(value, (*path, key))]
        case list():
            inner = [each for i, value in enumerate(tree) for each in leaves(value, (*path, i))]
        case _:
            inner = []
    return [path, *inner] if path else inner


@given(st.data(), st.sampled_from([EXPERIMENT, CHAPTER]), TREES)
def test_whatever_stands_anywhere_it_is_imported_or_refused(
    data: st.DataObject, text: str, value: Any
) -> None:
    tree = tree_of(text)
    *above, last = data.draw(st.sampled_from(leaves(tree)))
    inner = tree
    for part in above:
        inner = inner[part]
    inner[last] = value
    try:
        found = imported(tree)
    except Unfit as unfit:
        assert unfit.summary
        return
    assert parse("x", document_text(found.tree).encode()).tree
