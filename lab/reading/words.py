"""The words of a Labfile itself, with what editors say about each; kinds bring the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from lab.kinds.quantity import CORES
from lab.kinds.spec import Duration, FilePath, Size, option
from lab.model.frozen import dataclass
from lab.model.values import Json
from lab.reading.words_state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a secret comes from. Its value is read only when a step that uses it runs."""

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("env", "file", "command"),)

    env: str | None = option(
        "The environment variable that holds it.", example="HUB_TOKEN", default=None
    )
    file: FilePath | None = option(
        "The file that holds it; one newline at its end is dropped.",
        example="~/.config/hub/token",
        default=None,
    )
    command: list[str] | None = option(
        "The program, with its arguments, that prints it; one newline at the end is dropped.",
        example=["pass", "show", "hub"],
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """How a failed step is tried again."""

    attempts: int = option("How often to try again.", example=3, minimum=0)
    backoff: Duration = option(
        "The pause before the first new attempt; it doubles each time, up to five minutes.",
        example="10s",
        default=Duration(1.0),
    )
    on: list[str] | str = option(
        "After which failures: `timeout`, `exit:N` (the program's exit status), or `error`;"
        " after any if absent.",
        example=["timeout", "exit:75"],
        factory=list,
        pattern=r"timeout|error|exit:\d{1,3}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupied:
    """What a step occupies while it runs."""

    cpu: float | str = option(
        "Cores: `2`, `0.5` or `500m` (thousandths).",
        example=2,
        default=0.0,
        minimum=0,
        pattern=CORES,
    )
    memory: Size = option("Memory: `512Mi`, `2Gi`, `1G`.", example="2Gi", default=Size(0))
    gpu: int = option("Whole GPUs.", example=1, default=0, minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWords:
    """The keys that every step has, whatever its kind."""

    kind: str = option(
        "What the step is; it decides which other keys there are.", example="command"
    )
    like: str | None = option(
        "Copies another step's keys; keys written here win, and `key: null` leaves one out."
        " It is no dependency.",
        example="train",
        default=None,
    )
    target: str | Mapping[str, Json] = option(
        "Where the step runs: a name under `targets`, or `local`. As a map, `name` and the fields"
        " of the target that differ for this step.",
        example="kf",
        default="local",
    )
    needs: list[str] | str = option(
        "Steps that must be done before, for order alone. A step whose outputs are used"
        " (`{{ steps.data.outputs.path }}`) is needed by itself.",
        example=["data"],
        factory=list,
    )
    when: bool | str = option(
        "An expression; where it is false the step is skipped and what was made before is kept.",
        example="{{ vars.epochs > 0 }}",
        default=True,
    )
    matrix: Mapping[str, Json] = option(
        "Makes one step for each combination of values: `train[lr=0.1,units=64]`. In the step they"
        " are `{{ matrix.lr }}`; of a map of values, `{{ matrix.team.key }}` and"
        " `{{ matrix.team.value }}`.",
        example={"lr": [0.1, 0.01], "units": [64, 128]},
        factory=dict,
    )
    retries: int | Retrying = option(
        "How often a failed step is tried again; or how, as a map.",
        example=3,
        default=0,
        minimum=0,
    )
    timeout: Duration | None = option(
        "How long one attempt may take: `90s`, `5m`, `2h`; or a number of seconds.",
        example="2h",
        default=None,
    )
    protect: bool | str = option(
        "True: lab refuses to destroy or replace the step, also when it is gone from the Labfile."
        " An expression may decide.",
        example="{{ lab.overlay == 'prod' }}",
        default=False,
    )
    tags: list[str] | str = option(
        "Words to select steps by: `--tags nightly`.", example=["nightly"], factory=list
    )
    mutex: list[str] | str = option(
        "Names of locks: of the steps that share one, only one runs at a time.",
        example="gpu-0",
        factory=list,
    )
    resources: Occupied | None = option(
        "What the step occupies while it runs; lab starts only what fits. On Linux its programs are kept to so"
        " many cores; those of a training that hold more memory are ended.",
        example={"cpu": 2, "memory": "2Gi", "gpu": 1},
        default=None,
    )
    env: Mapping[str, str] = option(
        "Environment variables for the step's programs; they count in its identity. Secrets may"
        " be used here.",
        example={"TF_CPP_MIN_LOG_LEVEL": "2", "HUB_TOKEN": "{{ secrets.hub_token }}"},
        factory=dict,
        secret=True,
    )
    inputs: list[FilePath] | FilePath = option(
        "Files, folders or globs whose content counts: the step runs again when it changes. Files"
        " that the command names, and the modules that they import, count by themselves.",
        example=["src/**/*.py", "config.yaml"],
        factory=list,
    )
    cache: bool = option(
        "False: the step runs every time, also when nothing that counts has changed.",
        example=False,
        default=True,
    )
    require: list[str] | str = option(
        "Expressions over the step's `outputs` that must hold after it, else it failed.",
        example=["{{ outputs.metrics.val_accuracy >= 0.9 }}"],
        factory=list,
    )
    on_failure: Literal["fail", "continue", "ignore"] = option(
        "`fail`: what depends on the step is skipped. `continue`: steps that only `need` it, or"
        " refer to it only inside `default()`, run, and lab ends with 1. `ignore`: the same, and lab ends with 0.",
        example="continue",
        default="fail",
    )
    description: str = option("A line for people.", example="Trains the small model.", default="")


DEFAULTS: tuple[str, ...] = (
    "target",
    "retries",
    "timeout",
    "protect",
    "tags",
    "mutex",
    "resources",
    "env",
    "cache",
    "on_failure",
)
"""The keys of a step that `defaults` may give to all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeWords:
    """One use of a recipe; its steps come as NAME/STEP."""

    use: str = option(
        "Where the recipe is: `./path`, `builtin:NAME`, `git+URL@REF//SUBDIR`, or the URL of a"
        " `.tar.gz`.",
        example="./recipes/serving",
    )
    with_: Mapping[str, Json] = option(
        "Values for the recipe's inputs.", example={"release": "26.03.1"}, factory=dict
    )
    needs: list[str] | str = option(
        "Steps that must be done before the recipe's first.", example=["cluster"], factory=list
    )
    when: bool | str = option(
        "An expression; where it is false the recipe's steps are skipped.",
        example="{{ vars.with_serving }}",
        default=True,
    )
    matrix: Mapping[str, Json] = option(
        "Uses the recipe once for each combination of values.",
        example={"team": ["vision", "speech"]},
        factory=dict,
    )
    target: str | Mapping[str, Json] = option(
        "Where the recipe's steps run, unless they say so themselves.",
        example="kf",
        default="local",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWords:
    """A place where steps run; the provider has more keys."""

    provider: str = option("What sort of place it is.", example="docker")
    optional: bool = option(
        "True: where the place is not there, its steps are skipped rather than refused.",
        example=True,
        default=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TopWords:
    """A lab: environments, data, trainings, clusters, as steps that lab plans and makes."""

    labfile: int = option("The version of the language; this lab speaks version 1.", example=1)
    name: str = option(
        "The lab's name. What was done is remembered under it, so keep it once steps have run."
        " If absent it is the file's own name without its ending; a shared `state` needs one.",
        example="mnist",
        default="",
    )
    description: str = option("A line for people.", example="Digits, end to end.", default="")
    vars: Mapping[str, Json] = option(
        "Values used as `{{ vars.NAME }}`; `--var NAME=VALUE`, LAB_VAR_NAME and overlays change"
        " them. They may be made of other variables, of `env` and of `lab`.",
        example={"epochs": 5, "registry": "localhost:5000"},
        factory=dict,
    )
    secrets: Mapping[str, Secret] = option(
        "Secrets, used as `{{ secrets.NAME }}` in `env` and `stdin`. Their values are never"
        " written anywhere.",
        example={"hub_token": {"env": "HUB_TOKEN"}},
        factory=dict,
    )
    targets: Mapping[str, Json] = option(
        "Places where steps run, by name; `local` is always there.",
        example={"box": {"provider": "docker", "host": "ssh://me@box", "optional": True}},
        factory=dict,
    )
    state: State | None = option(
        "Where lab remembers what was done; in `.lab` beside the Labfile if absent.",
        example={"backend": "local"},
        default=None,
    )
    defaults: Mapping[str, Json] = option(
        "Keys for every step that does not have them itself; `env` is merged name by name.",
        example={"timeout": "2h", "retries": 1},
        factory=dict,
    )
    recipes: Mapping[str, RecipeWords] = option(
        "Labfile modules that others wrote, by the name that their steps get here.",
        example={"serving": {"use": "./recipes/serving", "with": {"replicas": 2}}},
        factory=dict,
    )
    steps: Mapping[str, Json] = option(
        "What is made, by name. Order follows from what each step uses, not from its line.",
        example={"hello": {"kind": "command", "command": ["echo", "hello"]}},
    )
    outputs: Mapping[str, Json] = option(
        "What `lab output` shows.",
        example={"best": "{{ steps.sweep.outputs.best_parameters }}"},
        factory=dict,
    )
