"""The ``sweep`` kind: many trials of one training, with parameters that an algorithm chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from lab.kinds.spec import Lifecycle, Role, option
from lab.kinds.sweep_check import Finding, findings
from lab.model.frozen import dataclass
from lab.model.values import Json

Distribution: TypeAlias = Literal["uniform", "logUniform", "normal", "logNormal"]
AlgorithmName: TypeAlias = Literal[
    "random",
    "grid",
    "sobol",
    "tpe",
    "multivariate-tpe",
    "cmaes",
    "bayesianoptimization",
    "hyperband",
]

_DISTRIBUTION = (
    "How values lie between `min` and `max`; `normal` and `logNormal` are centred, with a sixth of"
    " the range as deviation, and cut off at both ends."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """A number between two others."""

    type: Literal["double"] = option("A number.", example="double")
    min: float = option("The least value.", example=0.0001)
    max: float = option("The greatest value.", example=0.1)
    step: float | None = option(
        "Only `min` and whole steps above it; `grid` needs one.", example=0.01, default=None
    )
    distribution: Distribution = option(_DISTRIBUTION, example="logUniform", default="uniform")


@dataclass(frozen=True, slots=True, kw_only=True)
class Int:
    """A whole number between two others, both included."""

    type: Literal["int"] = option("A whole number.", example="int")
    min: int = option("The least value.", example=16)
    max: int = option("The greatest value.", example=256)
    step: int | None = option("Only `min` and whole steps above it.", example=16, default=None)
    distribution: Distribution = option(_DISTRIBUTION, example="uniform", default="uniform")


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrete:
    """One of several numbers, whose order and distance tell something."""

    type: Literal["discrete"] = option("One of several numbers.", example="discrete")
    list_: list[float] = option("The numbers.", example=[32, 64, 128])


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorical:
    """One of several values without an order."""

    type: Literal["categorical"] = option("One of several values.", example="categorical")
    list_: list[Json] = option(
        "The values: texts, numbers, true or false.", example=["adam", "sgd"]
    )


Parameter: TypeAlias = "Double | Int | Discrete | Categorical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Which metric is to become small or large."""

    metric: str = option("The metric that the trials report.", example="val_accuracy")
    type: Literal["maximize", "minimize"] = option("What is better.", example="maximize")
    goal: float | None = option(
        "Good enough: once a trial reaches it, no other starts and those that run are stopped.",
        example=0.99,
        default=None,
    )
    additional_metrics: list[str] = option(
        "Further metrics, shown beside the objective.", example=["val_loss"], factory=list
    )
    metric_strategies: Mapping[str, Literal["min", "max", "latest"]] = option(
        "Which value of a metric's curve counts; without one the best of the objective, and the"
        " latest of the others.",
        example={"val_accuracy": "latest"},
        factory=dict,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """How the next parameters are chosen."""

    name: AlgorithmName = option("The algorithm.", example="tpe", default="random")
    settings: Mapping[str, Json] = option(
        "What the algorithm can be told; its own names.",
        example={"n_startup_trials": 10},
        factory=dict,
    )
    seed: int = option(
        "The same seed gives the same parameters, one trial at a time.",
        example=1,
        default=0,
        minimum=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """How many trials there are."""

    max: int = option("How many trials there are at most.", example=12, minimum=1)
    parallel: int = option(
        "How many run at once, if the machine has room.",
        example=3,
        default=1,
        minimum=1,
        identity=False,
    )
    max_failed: int = option(
        "How many may fail before the sweep does.",
        example=3,
        default=0,
        minimum=0,
        identity=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MedianStop:
    """Stops a trial that is worse than the median of the others at the same step."""

    name: Literal["medianstop"] = option("The median stopping rule.", example="medianstop")
    min_trials_required: int = option(
        "How many trials must be complete first.", example=3, default=3, minimum=1
    )
    start_step: int = option(
        "No trial is stopped before so many steps; a step is an epoch, or a report of the metric.",
        example=4,
        default=4,
        minimum=1,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asha:
    """Stops a trial that is not among the best at a rung; rungs are further and further apart."""

    name: Literal["asha"] = option("Asynchronous successive halving.", example="asha")
    start_step: int = option("The step of the first rung.", example=2, default=1, minimum=1)
    reduction_factor: int = option(
        "One in so many goes on from each rung, and the next is so many times as far.",
        example=3,
        default=4,
        minimum=2,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Runs a training again and again with other parameters, to make a metric small or large."""

    kind: ClassVar[str] = "sweep"
    lifecycle: ClassVar[Lifecycle] = Lifecycle.WORK
    version: ClassVar[int] = 1
    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("trial",),)
    goes_on: ClassVar[tuple[str, ...]] = ("trials", "objective.goal", "resume_policy")
    anew: ClassVar[str] = "a new study"

    trial: Mapping[str, Json] = option(
        "What one trial is: a training's keys without `kind`, or `like` a training step, with keys"
        " that win over that step's. `{{ step.dir }}` is each trial's own.",
        example={"like": "train"},
        factory=dict,
        role=Role.TRIAL,
    )
    parameters: Mapping[str, Double | Int | Discrete | Categorical] = option(
        "What is varied: these values replace the trial's `parameters` of the same names.",
        example={"lr": {"type": "double", "min": 0.0001, "max": 0.1, "distribution": "logUniform"}},
    )
    objective: Objective = option(
        "What the sweep is after.",
        example={"metric": "val_accuracy", "type": "maximize", "goal": 0.99},
    )
    algorithm: Algorithm = option(
        "How parameters are chosen.",
        example={"name": "tpe", "seed": 1},
        factory=Algorithm,
    )
    trials: Trials = option(
        "How many trials; more of them go on where the study was.",
        example={"max": 12, "parallel": 3, "max_failed": 3},
    )
    early_stopping: MedianStop | Asha | None = option(
        "Ends trials early that will hardly become good.",
        example={"name": "medianstop", "min_trials_required": 3, "start_step": 2},
        default=None,
    )
    resume_policy: Literal["LongRunning", "FromVolume", "Never"] = option(
        "What more trials mean: `LongRunning` and `FromVolume` go on, `Never` starts a new study.",
        example="LongRunning",
        default="LongRunning",
    )

    @staticmethod
    def check(tree: Mapping[str, Any]) -> Iterator[Finding]:
        """What is wrong with the keys taken together; templates among them are passed over."""
        yield from findings(tree)
