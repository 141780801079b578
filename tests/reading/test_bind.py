"""From a document to a Labfile: names, variables, secrets, targets, options, and positions."""

from __future__ import annotations

from typing import Any

import pytest
from binding import bound, faults, steps
from catalogs import portable
from hypothesis import given
from hypothesis import strategies as st

from lab.model.diagnostic import LabfileError
from lab.model.document import Document, Layer
from lab.model.labfile import (
    LOCAL,
    PLAIN,
    FromCommand,
    FromEnv,
    FromFile,
    OnFailure,
    Options,
    Resources,
    Retries,
    StateSettings,
    Target,
)
from lab.model.tree import Json, TextFloat
from lab.reading.bind import bind

HELLO = "steps:\n  hello:\n    kind: command\n    command: [echo, hello]\n"


def test_a_plain_step() -> None:
    labfile = bound(HELLO)
    (step,) = labfile.steps
    assert (step.address, step.name, step.kind, step.target) == ("hello", "hello", "command", LOCAL)
    assert step.spec == {"command": ["echo", "hello"]}
    assert step.options is PLAIN
    assert step.literal
    assert step.path_of("command") == ("steps", "hello", "command")
    assert labfile.instances == {"hello": ("hello",)}
    assert labfile.matrices == frozenset()
    assert (labfile.root, labfile.source, labfile.overlay) == ("/lab", "/lab/Labfile.yaml", "")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/lab/Labfile.yaml", "labfile"),
        ("/lab/Train.MNIST.yaml", "train"),
        ("C:\\lab\\sweep.yml", "sweep"),
        ("/lab/2024.yaml", "labfile"),
    ],
)
def test_a_lab_without_a_name_is_called_as_its_file(source: str, name: str) -> None:
    # Not as its folder: a checkout that is moved or renamed must find its state again.
    assert bound("steps: {}", head="labfile: 1\n", source=source).name == name


# variables


def test_variables_are_made_of_others_in_any_order() -> None:
    labfile = bound(
        """
        vars:
          image: "{{ vars.registry }}/{{ lab.name }}:{{ vars.tag }}"
          registry: "{{ env.REGISTRY }}"
          tag: 1.10
          numbers: ["{{ vars.tag }}", {x: "{{ vars.tag }}"}]
        steps: {}
        """,
        environ={"REGISTRY": "localhost:5000"},
    )
    assert labfile.vars["image"] == "localhost:5000/mnist:1.10"
    assert labfile.vars["numbers"] == [1.1, {"x": 1.1}]


def test_what_is_given_wins_and_is_no_template() -> None:
    text = 'vars: {a: 1, b: "{{ vars.a }}", c: {x: 1}}\nsteps: {}'
    labfile = bound(text, "vars: {a: 2, c: {y: 2}}", given={"a": "{{ 1 + 1 }}"})
    assert labfile.vars == {"a": "{{ 1 + 1 }}", "b": "{{ 1 + 1 }}", "c": {"x": 1, "y": 2}}


def test_a_faulty_variable_is_told_once() -> None:
    told = faults(
        """
        vars: {a: "{{ vars.nope }}", b: "{{ vars.a }}", c: "{{ vars.b }}"}
        steps:
          x: {kind: command, command: [echo], timeout: "{{ vars.c }}"}
          y: {kind: command, command: [echo], matrix: {n: "{{ vars.a }}"}}
        """
    )
    assert told == ["Labfile.yaml:4:15: error: `vars` has no `nope`"]


def test_every_cycle_of_variables_is_told_once() -> None:
    told = faults(
        """
        vars: {a: "{{ vars.b }}", b: "{{ vars.a }}", c: "{{ vars.c }}", d: "{{ vars.a }}"}
        steps: {}
        """
    )
    assert [each.partition("error: ")[2] for each in told] == [
        "variables are made of each other: a -> b -> a",
        "the variable 'c' is made of itself",
    ]


# secrets, targets, state, outputs


def test_secrets_say_where_they_come_from() -> None:
    labfile = bound(
        """
        secrets:
          a: {env: TOKEN}
          b: {file: "{{ env.HOME }}/token"}
          c: {command: [pass, show, 1]}
        steps: {}
        """,
        environ={"HOME": "/home/ada"},
    )
    assert labfile.secrets == {
        "a": FromEnv("TOKEN"),
        "b": FromFile("/home/ada/token"),
        "c": FromCommand(("pass", "show", "1")),
    }


TARGETS = """
targets:
  box: {provider: docker, host: "ssh://me@box", optional: true}
"""


def test_targets_and_what_a_step_changes_of_them() -> None:
    found = steps(
        TARGETS
        + """
steps:
  a: {kind: command, command: [echo], target: box}
  b: {kind: command, command: [echo], target: {name: box, host: "{{ vars.host }}", memory: 1}}
  c: {kind: command, command: [echo]}
"""
    )
    fields: dict[str, Json] = {"host": "ssh://me@box"}
    assert found["a"].target == Target(name="box", provider="docker", fields=fields, optional=True)
    assert found["b"].target.fields == {"host": "{{ vars.host }}", "memory": 1}
    assert found["c"].target is LOCAL
    assert not found["b"].literal


def test_state_keeps_its_templates() -> None:
    text = 'state: {backend: postgresql, dsn: "{{ secrets.dsn }}"}\nsteps: {}'
    settings = StateSettings(backend="postgresql", fields={"dsn": "{{ secrets.dsn }}"})
    assert bound(text).state == settings
    assert bound("steps: {}").state == StateSettings()


# options


def test_options_become_values() -> None:
    found = steps(
        """
        vars: {hours: 2}
        steps:
          a:
            kind: command
            command: [echo]
            timeout: "{{ vars.hours }}h"
            retries: {attempts: 3, backoff: 10s, on: [timeout, "exit:75"]}
            protect: lab.overlay == ''
            tags: nightly
            mutex: [gpu, gpu, disk]
            resources: {cpu: 500m, memory: 2Gi, gpu: "{{ 1 }}"}
            cache: false
            on_failure: continue
            description: 3.10
            needs: [b]
            env: {N: 1, S: 3.10, T: True}
            inputs: data/*.csv
            when: "vars.hours > 1"
            require: "outputs.x > 1"
        """
    )["a"]
    assert found.options == Options(
        timeout=7200.0,
        retries=Retries(attempts=3, backoff=10.0, on=("timeout", "exit:75")),
        protect=True,
        tags=("nightly",),
        mutex=("gpu", "disk"),
        resources=Resources(cpu=0.5, memory=2 * 1024**3, gpu=1),
        cache=False,
        on_failure=OnFailure.CONTINUE,
        description="3.10",
    )
    assert found.needs == ("b",)
    assert found.env == {"N": "1", "S": "3.10", "T": "True"}
    assert (found.inputs, found.when) == (("data/*.csv",), "vars.hours > 1")
    assert found.require == ("outputs.x > 1",)
    assert not found.literal


def test_plain_spellings_of_options() -> None:
    found = steps("steps: {a: {kind: command, command: x, retries: 2, timeout: 90}}")["a"]
    assert found.options == Options(timeout=90.0, retries=Retries(attempts=2))


def test_defaults_are_below_a_steps_own_keys() -> None:
    found = steps(
        TARGETS
        + """
defaults: {target: box, timeout: 1h, retries: 1, env: {A: 1, B: 2}, tags: [all]}
steps:
  a: {kind: command, command: [echo], timeout: 5m, env: {B: 3}}
  b: {kind: command, command: [echo]}
"""
    )
    assert found["a"].target.name == "box"
    assert found["a"].options.timeout == 300
    assert found["a"].options.retries.attempts == 1
    assert found["a"].env == {"A": "1", "B": "3"}
    assert found["b"].options.timeout == 3600
    assert found["b"].env == {"A": "1", "B": "2"}
    assert found["b"].path_of("timeout") == ("defaults", "timeout")


@pytest.mark.parametrize(
    ("keys", "literal"),
    [
        ("", True),
        ("timeout: '{{ 5 }}m'", True),
        ("when: false", True),
        ("when: vars.x", False),
        ("require: [outputs.x]", False),
        ("env: {A: '{{ lab.name }}'}", False),
        ("inputs: ['{{ lab.root }}/x']", False),
        ("cwd: '{{ step.dir }}'", False),
        ("environment: env", False),
    ],
)
def test_a_step_is_literal_where_nothing_needs_rendering(keys: str, literal: bool) -> None:
    text = f"vars: {{x: 1}}\nsteps:\n  a:\n    kind: command\n    command: [echo]\n    {keys}\n"
    assert steps(text)["a"].literal is literal


# specs


def test_specs_have_their_types_settled_and_their_templates_kept() -> None:
    found = steps(
        """
        steps:
          env: {kind: environment, python: 3.10, requirements: [numpy]}
          a: {kind: command, command: [true, 3.10, 007, "{{ lab.name }}"], environment: env}
          b: {kind: training, script: a.py, parameters: {lr: 1e-4}}
        """
    )
    assert found["env"].spec["python"] == "3.10"
    assert found["a"].spec["command"] == ["true", "3.10", "007", "{{ lab.name }}"]
    assert found["a"].spec["environment"] == {"$outputs": "env"}
    rate = found["b"].spec["parameters"]
    assert isinstance(rate, dict)
    assert isinstance(rate["lr"], TextFloat)
    assert found["b"].spec["checkpoint"] == "{{ step.dir }}/checkpoint"


def test_outputs_cannot_be_smuggled_into_a_tree() -> None:
    told = faults("steps: {a: {kind: training, script: x, parameters: {p: {$outputs: b}}}}")
    assert told == ["Labfile.yaml:3:57: error: '$outputs' cannot be a name"]


# like


def test_like_copies_keys_and_remembers_where_they_were_written() -> None:
    found = steps(
        TARGETS
        + """
steps:
  train: {kind: command, command: [train], timeout: 5m, retries: 2, needs: data}
  small: {like: train, command: [train, --small]}
  box: {like: small, target: box, timeout: null}
  data: {kind: command, command: [fetch]}
"""
    )
    assert found["small"].spec == {"command": ["train", "--small"]}
    assert found["box"].spec == {"command": ["train", "--small"]}
    assert found["box"].options == Options(retries=Retries(attempts=2))
    assert (found["box"].needs, found["box"].target.name) == (("data",), "box")
    assert found["box"].path_of("command") == ("steps", "small", "command")
    assert found["box"].path_of("retries") == ("steps", "train", "retries")
    assert found["box"].path_of("target") == ("steps", "box", "target")


def test_a_step_may_be_like_one_of_another_kind() -> None:
    found = steps(
        """
        steps:
          train: {kind: training, command: [x], env: {A: b}, seed: 1}
          check: {like: train, kind: command, seed: null}
        """
    )
    assert (found["check"].kind, found["check"].env) == ("command", {"A": "b"})
    assert found["check"].spec == {"command": ["x"]}


def test_null_takes_away_only_what_is_copied() -> None:
    told = faults("steps: {a: {kind: command, command: [x]}, b: {like: a, timeout: 5m, cwd: null}}")
    assert told == ["Labfile.yaml:3:74: error: 'cwd' has no value"]


# all at once, and in order


def test_all_faults_are_told_in_the_order_of_the_text() -> None:
    told = faults(
        """
        vars: {a b: 1}
        targets: {x: {}}
        steps:
          one: {kind: command, command: [echo], timeout: soon, seed: 1}
          two: {kind: trainin, retries: many}
        outputs: {a b: 1}
        """,
        "steps: {one: {retries: lots}}\n",
    )
    assert [each.split(" ")[0] for each in told] == [
        "Labfile.yaml:4:8:",
        "Labfile.yaml:5:11:",
        "Labfile.yaml:7:50:",
        "Labfile.yaml:7:56:",
        "Labfile.yaml:8:15:",
        "Labfile.yaml:8:33:",
        "Labfile.yaml:9:11:",
        "Labfile.0.yaml:1:24:",
    ]


def test_a_fault_of_a_copied_key_is_told_where_it_was_written() -> None:
    with pytest.raises(LabfileError) as caught:
        bound(
            """
            targets: {box: {provider: docker}}
            steps:
              a: {kind: training, script: x, target: local}
              b: {like: a, target: box}
              c: {like: b, seed: 2}
            """
        )
    first, *rest = caught.value.diagnostics
    assert (str(first.span), first.notes, rest) == ("Labfile.yaml:7:24", (), [])


# any tree at all

SCALARS = ["{{ vars.a }}", "{{", "{% x %}", "train", "5m", "local", "command", None, True, 1, 0.5]
KEYS = ["kind", "like", "target", "needs", "when", "matrix", "include", "exclude", "lr", "r", "a"]
KEYS += ["command", "script", "env", "timeout", "resources", "cpu", "name", "provider", "use"]
KEYS += ["with", "from", "on", "attempts", "x", "file", "run", "environment", "metrics", "limits"]
TREES = st.recursive(
    st.sampled_from(SCALARS) | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
TOPS = ["labfile", "name", "vars", "secrets", "targets", "state", "defaults", "recipes"]
TOPS += ["steps", "outputs", "description", "stray"]


@given(st.dictionaries(st.sampled_from(TOPS), TREES), st.dictionaries(st.text(max_size=3), TREES))
def test_any_tree_ends_in_a_labfile_or_in_faults(
    tree: dict[str, Any], more: dict[str, Any]
) -> None:
    whole = {"labfile": 1, "steps": {"a": {"kind": "command", "command": ["x"], **more}}, **tree}
    document = Document(whole, (Layer("Labfile.yaml", "", whole, {}, dict),))
    try:
        bind(
            document,
            root="/lab",
            source="/lab/Labfile.yaml",
            overlay="",
            given={},
            environ={},
            catalog=portable(),
        )
    except LabfileError as refusal:
        assert refusal.diagnostics
        assert str(refusal)
