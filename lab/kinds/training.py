"""The ``training`` kind: train a model, with metrics while it runs and a checkpoint that survives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from lab.kinds.spec import FilePath, Lifecycle, Role, StepOutputs, option
from lab.kinds.training_check import Finding, findings
from lab.model.frozen import dataclass
from lab.model.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutMetrics:
    """Metrics printed by the program, one or several `name=value` a line."""

    source: Literal["stdout"] = option("Read what the program prints.", example="stdout")
    pattern: str | None = option(
        "A regular expression with the groups `name` and `value`, instead of `name=value`.",
        example=r"(?P<name>\w+): (?P<value>[-+.\deE]+)",
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorboardMetrics:
    """Metrics in TensorBoard event files, as Keras's TensorBoard callback writes them."""

    source: Literal["tensorboard"] = option("Read TensorBoard event files.", example="tensorboard")
    dir: FilePath = option(
        "The folder of the event files; sub-folders are runs (`train`, `validation`).",
        example="{{ step.dir }}/logs",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonlMetrics:
    """Metrics in a file of JSON objects, one a line."""

    source: Literal["jsonl"] = option("Read a file of JSON lines.", example="jsonl")
    path: FilePath = option("The file.", example="{{ step.dir }}/metrics.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """How many processes of each sort train together."""

    chief: int = option(
        "0 or 1: leads, saves, and decides whether the training succeeded; without one, worker 0 does.",
        example=1,
        default=0,
        minimum=0,
    )
    worker: int = option("Processes that train.", example=2, default=0, minimum=0)
    ps: int = option("Parameter servers, which hold variables.", example=1, default=0, minimum=0)
    evaluator: int = option(
        "0 or 1: evaluates checkpoints beside the training.", example=1, default=0, minimum=0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Trains a model with one process or several on this target; its metrics become outputs."""

    kind: ClassVar[str] = "training"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1
    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("command", "script", "module"),)

    command: list[str] | str | None = option(
        "The program and its arguments as a list; a text is run by `sh -eu`.",
        example=["python", "train.py", "--lr", "{{ parameters.lr }}"],
        default=None,
        role=Role.ARGV,
    )
    script: FilePath | None = option(
        "A Python script; parameters become `--name value` arguments.",
        example="train.py",
        default=None,
        role=Role.FILE,
    )
    module: str | None = option(
        "A Python module run as `python -m`; parameters become `--name value` arguments.",
        example="trainer.task",
        default=None,
        role=Role.MODULE,
    )
    args: list[str] = option(
        "More arguments for `script` or `module`.",
        example=["--out", "{{ step.dir }}"],
        factory=list,
    )
    cwd: FilePath = option(
        "The folder to run in, relative to the Labfile's folder.",
        example="src",
        default=FilePath("."),
    )
    environment: StepOutputs | None = option(
        "The environment step whose Python runs the training.",
        example="env",
        default=None,
        of_kind=("environment",),
    )
    parameters: Mapping[str, Json] = option(
        "The step's own parameters, used as `{{ parameters.NAME }}`; a sweep replaces them.",
        example={"lr": 0.001, "units": 128},
        factory=dict,
        role=Role.PARAMETERS,
    )
    metrics: StdoutMetrics | TensorboardMetrics | JsonlMetrics | None = option(
        "Where the metrics come from; the last value of each is an output, all of them its curve.",
        example={"from": "tensorboard", "dir": "{{ step.dir }}/logs"},
        default=None,
    )
    artifacts: Mapping[str, FilePath] = option(
        "Files or folders that the training makes, by name.",
        example={"model": "{{ step.dir }}/model.keras"},
        factory=dict,
        role=Role.ARTIFACTS,
    )
    checkpoint: FilePath = option(
        "The folder whose content survives a killed run, handed over as LAB_CHECKPOINT_DIR; it is"
        " emptied before a training that starts anew.",
        example="{{ step.dir }}/checkpoint",
        default=FilePath("{{ step.dir }}/checkpoint"),
    )
    replicas: Replicas | None = option(
        "Processes that train together, each with its TF_CONFIG, the number of each sort; absent: one process.",
        example={"worker": 2},
        default=None,
    )
    strategy: Literal["none", "mirrored", "multi_worker", "parameter_server"] = option(
        "TensorFlow's strategy that the program uses: checked against the replicas in the Labfile, and against"
        " the program and the TensorFlow that is installed before it trains. `none` is not checked.",
        example="mirrored",
        default="none",
    )
    restart: Literal["never", "on_failure"] = option(
        "What the death of a replica (or of the only process) does: fail the step, or end all and start"
        " all again, from the checkpoint.",
        example="on_failure",
        default="never",
        identity=False,
    )
    max_restarts: int = option(
        "How often `restart: on_failure` starts again within one attempt at the step.",
        example=3,
        default=3,
        minimum=0,
        identity=False,
        beside={"restart": "on_failure"},
    )
    seed: int | None = option(
        "Seeds Python, NumPy and TensorFlow (with it Keras) in every Python that is started, as soon as they"
        " are imported; also handed over as LAB_SEED and PYTHONHASHSEED. `python -I` and `-E` see none of it.",
        example=1,
        default=None,
        minimum=0,
    )

    @staticmethod
    def check(tree: Mapping[str, Any]) -> Iterator[Finding]:
        """What is wrong with the keys taken together; what is not known yet is passed over."""
        yield from findings(tree)

    warm: list[str] | None = option(
        "The modules that are imported once for all trials and instances, which are then forked from that"
        " process; empty: each starts afresh. Absent: what the script imports, where an `environment` runs"
        " several of them.",
        example=["tensorflow"],
        default=None,
        identity=False,
    )
