"""Words of other tools, each with what it is called here: an error that teaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from lab.kinds.shape_fault import Fault
from lab.kinds.shape_words import as_written
from lab.model.frozen import dataclass
from lab.model.tree import Json, Path, text_of
from lab.reading.foreign_katib import KATIB

_LONGEST = 70


@dataclass(frozen=True, slots=True)
class Word:
    """What a word of another tool is called here; ``said`` writes the user's value that way."""

    here: str
    whose: str
    said: Callable[[Json], str]
    why: str = ""


def same(key: str) -> Callable[[Json], str]:
    """Write the value as it is under another key."""

    def said(value: Json) -> str:
        text = f"{key}: {as_written(value)}"
        return f"write {text}" if len(text) <= _LONGEST and "\n" not in text else f"write {key}: …"

    return said


def fixed(text: str) -> Callable[[Json], str]:
    """Say the same whatever the value is."""
    return lambda _: text


def _needs(value: Json) -> str:
    named = list(value) if isinstance(value, (Mapping, list)) else [value]
    names: list[Json] = [text_of(each) for each in named if isinstance(each, (str, int))]
    return same("needs")(names)


def _command(value: Json) -> str:
    if isinstance(value, list) and len(value) > 1 and any(" " in text_of(v) for v in value if v):
        return "write command: |, and each line of it below, indented"
    return same("command")(value[0] if isinstance(value, list) and len(value) == 1 else value)


def _matrix(value: Json) -> str:
    if isinstance(value, Mapping) and "matrix" in value:
        return same("matrix")(value["matrix"])
    if isinstance(value, str) and "{{" in value:
        text = value.replace("${{", "{{")
        return f"{same('matrix')({'item': text})}, and {{{{ matrix.item }}}} where it is used"
    items: Json = value if isinstance(value, list) else ["…"]
    return f"{same('matrix')({'item': items})}, and {{{{ matrix.item }}}} where it is used"


def _condition(value: Json) -> str:
    text = text_of(value) if isinstance(value, (str, bool, int, float)) else "…"
    return same("when")(text.replace("${{", "{{"))


def _continue(value: Json) -> str:
    return "remove the line" if value is False else "write on_failure: continue"


def _lasting(unit: str) -> Callable[[Json], str]:
    def said(value: Json) -> str:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return f"write timeout: {text_of(value) if number else 5}{unit}"

    return said


def _outs(value: Json) -> str:
    first = value[0] if isinstance(value, list) and value else "model.keras"
    path = first if isinstance(first, str) else "model.keras"
    return f"write artifacts: {{model: {as_written(path)}}}"


_GITHUB, _COMPOSE, _ANSIBLE = "GitHub Actions", "compose", "Ansible"
_ORDER = "Steps whose outputs are used are needed by themselves; `needs` is for order alone."
_ARTIFACT = "A file that a step makes is an artifact, and has a name for other steps to use."


_OTHERS = "another tool"
_TARGET = "write target: NAME, with a name under `targets`, or target: local"


def _target(value: Json) -> str:
    own = isinstance(value, str) and value.isidentifier() and value not in ("push", "all")
    return f"write target: {value}, and declare {value} under `targets`" if own else _TARGET


_COMPOSE_STEP = "let a step bring it up: command: docker compose up --wait"
_IMAGE_STEP = "write a step that builds it: command: docker build …"
_NAME = Word(
    "the step's key",
    "GitHub Actions and Ansible",
    lambda value: (
        f"remove the line; the step is called as its key under `steps` is"
        f"{_called(value)}; `description` is for people"
    ),
)
_USES = Word("recipes", _GITHUB, fixed("write recipes: {NAME: {use: ./path}} at the top level"))
_WITH = Word("the step's own keys", _OTHERS, fixed("write its keys beside `kind`"))
_STEPS = Word(
    "a step each",
    _OTHERS,
    fixed("write each as a step of its own, with `needs` for their order"),
    "A step holds no other steps.",
)


def _called(value: Json) -> str:
    return f" (not '{value}')" if isinstance(value, str) and len(value) <= _LONGEST // 2 else ""


_REGISTERED = (
    "let the program append a line name=value to the file $LAB_OUTPUT;"
    " other steps have it as {{ steps.STEP.outputs.name }}"
)


def _resource(name: str) -> Word:
    return Word("resources", _OTHERS, lambda value: same("resources")({name: value}))


_TABLE: tuple[tuple[Word, str], ...] = (
    (Word("needs", _COMPOSE, _needs, _ORDER), "depends_on depends-on dependsOn"),
    (Word("needs", _OTHERS, _needs, _ORDER), "depends dependencies after requires"),
    (Word("command", _GITHUB, _command), "run"),
    (Word("command", _OTHERS, _command), "cmd shell exec script entrypoint commands raw"),
    (Word("target", _GITHUB, _target), "runs-on runs_on on"),
    (Word("target", _ANSIBLE, _target), "hosts delegate_to connection"),
    (Word("when", _GITHUB, _condition), "if"),
    (Word("when", _OTHERS, _condition), "condition only_if only unless"),
    (Word("matrix", _GITHUB, _matrix), "strategy"),
    (Word("matrix", _ANSIBLE, _matrix), "loop with_items with_list with_dict"),
    (Word("matrix", "Terraform", _matrix), "for_each foreach count"),
    (Word("on_failure", _GITHUB, _continue), "continue-on-error continue_on_error"),
    (Word("on_failure", _ANSIBLE, _continue), "ignore_errors ignore_unreachable"),
    (Word("on_failure", "GitLab", _continue), "allow_failure"),
    (Word("timeout", _GITHUB, _lasting("m")), "timeout-minutes timeout_minutes"),
    (Word("timeout", "Kubernetes", _lasting("s")), "activeDeadlineSeconds timeoutSeconds"),
    (Word("timeout", _OTHERS, _lasting("s")), "timeout_seconds async"),
    (Word("env", _COMPOSE, same("env")), "environment env_file"),
    (Word("env", _OTHERS, same("env")), "envs env_vars environ variables"),
    (Word("cwd", _OTHERS, same("cwd")), "working-directory working_dir workdir chdir wdir dir"),
    (Word("retries", _OTHERS, same("retries")), "retry max_retries attempts"),
    (Word("mutex", _GITHUB, same("mutex")), "concurrency resource_group"),
    (Word("inputs", "DVC", same("inputs")), "deps"),
    (Word("artifacts", "DVC", _outs, _ARTIFACT), "outs produces"),
    (Word("parameters", "DVC", same("parameters")), "params hyperparameters"),
    (Word("done with $LAB_OUTPUT", _ANSIBLE, fixed(_REGISTERED)), "register outputs"),
    (_resource("cpu"), "cpu cpus cores"),
    (_resource("memory"), "memory mem"),
    (_resource("gpu"), "gpu gpus"),
    (Word("a command that brings it up", _COMPOSE, fixed(_COMPOSE_STEP)), "services ports volumes"),
    (Word("a command that builds it", _COMPOSE, fixed(_IMAGE_STEP)), "build dockerfile"),
    (_NAME, "name id step"),
    (_USES, "uses import_playbook include_role role roles"),
    (_WITH, "with spec options config"),
    (_STEPS, "steps tasks stages jobs children"),
)

STEP_WORDS: Mapping[str, Word] = {name: word for word, names in _TABLE for name in names.split()}
"""By the word of another tool: what a step has instead."""


def taught(key: str, value: Json, path: Path) -> Fault | None:
    """Return what to say of an unknown key of a step, if it is another tool's word."""
    word = STEP_WORDS.get(key)
    if word is None:
        return taught_katib(key, value, path)
    return Fault(
        path=path,
        summary=f"'{key}' is {_spelled(word.here)} in a Labfile",
        detail=word.why or f"'{key}' is a word of {word.whose}.",
        help=word.said(value),
        at_key=True,
    )


def _spelled(here: str) -> str:
    return here if here.startswith(("the ", "a ", "done ")) else f"`{here}`"


_NESTED: Mapping[str, str] = {
    "limits": "write cpu, memory and gpu directly below `resources`",
    "requests": "write cpu, memory and gpu directly below `resources`",
    "nvidia.com/gpu": "here it is `gpu`",
    "cpus": "here it is `cpu`",
    "cores": "here it is `cpu`",
    "mem": "here it is `memory`",
    "ram": "here it is `memory`",
    "max": "here it is `attempts`",
    "max_attempts": "here it is `attempts`",
    "limit": "here it is `attempts`",
    "delay": "here it is `backoff`",
    "when": "here it is `on`",
}


def taught_nested(fault: Fault, value: Json) -> Fault:
    """Return an unknown key's fault with what is meant, if the word is another tool's."""
    if not fault.unknown:
        return fault
    if fault.unknown in _NESTED and not fault.help.startswith("did you mean"):
        return replace(fault, help=_NESTED[fault.unknown])
    return taught_katib(fault.unknown, value, fault.path) or fault


def taught_katib(key: str, value: Json, path: Path) -> Fault | None:
    """Return what to say of an unknown key that is one of Katib's."""
    here = KATIB.get(key)
    if here is None:
        return None
    shown = "…" if isinstance(value, (Mapping, list)) else as_written(value)
    return Fault(
        path=path,
        summary=f"'{key}' is Katib's word",
        detail="A sweep says the same in snake_case, each thing in its place.",
        help=here.replace("@", shown),
        at_key=True,
    )
