"""`lab import katib` and `lab export katib`: what they write, what they say, and that both ways mean the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from reading.test_katib import CHAPTER, EXPERIMENT

import providers
from lab.cli.main import main

SWEEP = """
labfile: 1
name: tune
vars: {epochs: 3}
secrets: {token: {env: TOKEN_SOURCE}}
steps:
  train:
    kind: training
    script: train.py
    args: [--epochs, "{{ vars.epochs }}", --out, "{{ step.dir }}/model"]
    parameters: {lr: 0.1, units: 8, momentum: 0.9}
    env: {TOKEN: "{{ secrets.token }}", NAME: "{{ step.name }}"}
    metrics: {from: jsonl, path: "{{ step.dir }}/metrics.jsonl"}
    resources: {cpu: 2, memory: 512Mi}
  sweep:
    kind: sweep
    trial: {like: train}
    parameters:
      lr: {type: double, min: 0.001, max: 0.1}
      units: {type: categorical, list: [8, 16]}
    objective: {metric: accuracy, type: maximize, additional_metrics: [loss]}
    trials: {max: 4, parallel: 2, max_failed: 1}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(providers.PLACES, "sweep", ("local",))  # type: ignore[arg-type]
    (tmp_path / "train.py").write_text("print('accuracy=1')\n")
    return tmp_path


@pytest.mark.parametrize("text", [EXPERIMENT, CHAPTER])
def test_what_is_imported_is_valid_and_exports_to_the_same(
    text: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "experiment.yaml").write_text(text)
    assert main(["import", "katib", "experiment.yaml"]) == 0
    assert "Wrote Labfile.yaml: the sweep" in capsys.readouterr().out
    assert main(["validate"]) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert main(["export", "katib", "--image", "example.com/i:1"]) == 0
    (here / "again.yaml").write_text(capsys.readouterr().out)
    assert main(["import", "katib", "again.yaml", "-o", "Two.yaml"]) == 0
    first, second = (yaml.safe_load((here / n).read_text()) for n in ("Labfile.yaml", "Two.yaml"))
    assert list(first["steps"].values()) == list(second["steps"].values())


def test_nothing_is_overwritten(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "experiment.yaml").write_text(EXPERIMENT)
    (here / "Labfile.yaml").write_text("mine")
    assert main(["import", "katib", "experiment.yaml"]) == 2
    assert "there is a Labfile.yaml already" in capsys.readouterr().err
    assert (here / "Labfile.yaml").read_text() == "mine"
    assert main(["import", "katib", "experiment.yaml", "-o", "-"]) == 0
    assert capsys.readouterr().out.startswith("# yaml-language-server")


def test_a_fault_has_its_place(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "e.yaml").write_text(EXPERIMENT.replace("algorithmName: tpe", "algorithmName: tpee"))
    assert main(["import", "katib", "e.yaml"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("e.yaml:7:30: error: lab has no algorithm tpee")
    assert "did you mean `tpe`" in said


def test_a_sweep_as_an_experiment(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "Labfile.yaml").write_text(SWEEP)
    assert main(["export", "katib", "sweep", "--image", "i:1", "--namespace", "team"]) == 0
    captured = capsys.readouterr()
    tree = yaml.safe_load(captured.out)
    assert tree["metadata"] == {"name": "sweep", "namespace": "team"}
    spec = tree["spec"]
    template = spec["trialTemplate"]
    assert [each["reference"] for each in template["trialParameters"]] == [
        "lr",
        "units",
        "${trialSpec.Name}",
    ]
    (container,) = template["trialSpec"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == [
        *("python", "train.py", "--lr", "${trialParameters.lr}"),
        *("--units", "${trialParameters.units}", "--momentum", "0.9"),
        *("--epochs", "3", "--out", "/tmp/trial/model"),
    ]
    assert container["resources"] == {"limits": {"cpu": "2", "memory": "512Mi"}}
    assert container["env"][1] == {"name": "NAME", "value": "${trialParameters.trialName}"}
    assert container["env"][0]["valueFrom"] == {"secretKeyRef": {"name": "tune", "key": "token"}}
    assert "kubectl create secret generic tune" in captured.err
    assert spec["metricsCollectorSpec"]["source"]["fileSystemPath"]["path"] == (
        "/tmp/trial/metrics.jsonl"
    )
    assert spec["objective"]["metricStrategies"] == [{"name": "loss", "value": "latest"}]
    assert spec["parameters"][1]["feasibleSpace"] == {"list": ["8", "16"]}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{ vars.epochs }}", "{{ parameters.lr * 2 }}", "it computes with `parameters.lr`"),
        ("max_failed: 1}", "max_failed: 1}\n    early_stopping: {name: asha}", "Katib has no asha"),
        (
            "  sweep:\n",
            "  a_much_too_long_name_for_an_experiment_of_katib:\n",
            "takes no Experiment",
        ),
    ],
)
def test_what_katib_cannot_say(
    old: str, new: str, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in SWEEP
    (here / "Labfile.yaml").write_text(SWEEP.replace(old, new))
    assert main(["export", "katib", "--image", "i:1"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import"], "usage: lab import WHAT FILE"),
        (["import", "kubeflow", "x"], "there is no command `lab import kubeflow`"),
        (["import", "katib", "absent.yaml"], "absent.yaml cannot be read"),
        (["export", "katib"], "needs an image"),
        (["export", "katib", "swep", "--image", "i"], "there is no sweep `swep`"),
        (["export", "helm"], "there is no command `lab export helm`"),
    ],
)
def test_a_command_line_that_cannot_be_meant(
    words: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "Labfile.yaml").write_text(SWEEP)
    assert main(words) == 2
    assert said in capsys.readouterr().err
