"""What counts in a step's identity, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.kinds import CATALOG, SPECS, Job
from fakes.lab import Lab, graph_of, labfile_of
from fakes.ports import FakeFiles

from lab.model.state import Done, Record, Tried
from lab.model.values import Artifact, Unknown
from lab.planning.digest import Wanted, World, want
from lab.planning.outcome import Known, Outcome
from lab.reading.link import link


def wanted(
    text: str,
    *,
    step: str = "a",
    files: dict[str, str] | None = None,
    outcomes: dict[str, Outcome] | None = None,
    records: dict[str, Record] | None = None,
    root: str = "/lab",
    **given: Any,
) -> Wanted:
    graph = link(labfile_of(text, root=root, given=given), CATALOG)
    world = World(
        graph=graph,
        files=FakeFiles(files),
        specs=SPECS,
        fingerprint={"token": "f1"}.get,
        records=records or {},
    )
    return want(world, graph.steps[step], outcomes or {})


def identity(text: str, **how: Any) -> dict[str, Any]:
    return dict(wanted(text, **how).identity)


def digest(keys: str, **how: Any) -> str:
    return wanted(f"vars: {{x: 1}}\nsteps: {{a: {{kind: job, {keys}}}}}", **how).digest


PLAIN = digest("value: 1")


@pytest.mark.parametrize(
    "keys",
    [
        "value: 1, timeout: 5m",
        "value: 1, retries: 3",
        "value: 1, protect: true",
        "value: 1, tags: [x]",
        "value: 1, mutex: m",
        "value: 1, resources: {cpu: 4}",
        "value: 1, cache: false",
        "value: 1, on_failure: ignore",
        "value: 1, description: words",
        "value: 1, when: true",
        "value: 1, require: ['outputs.value > 0']",
        "value: 1, retries_left: 3",
        "value: 1, cwd: .",
        "value: 1, artifacts: {}",
        "value: 1, token: null",
        "value: 1, env: {}",
        "value: 1, inputs: []",
        "value: '{{ vars.x }}'",
        "value: '{{ 2 - 1 }}'",
    ],
)
def test_what_does_not_count(keys: str) -> None:
    assert digest(keys) == PLAIN


@pytest.mark.parametrize(
    "keys",
    [
        "value: 2",
        "value: 1.0",
        "value: true",
        "value: '1'",
        "value: [1]",
        "value: 1, cwd: src",
        "value: 1, env: {A: b}",
        "value: 1, run: [x]",
        "value: 1, artifacts: {m: x}",
        "value: 1, parameters: {p: 1}",
        "value: 1, inputs: [x]",
    ],
)
def test_what_counts(keys: str) -> None:
    assert digest(keys) != PLAIN


def test_the_kind_the_target_and_its_settings_count_but_not_its_name() -> None:
    def at(text: str) -> str:
        return wanted(text + "\nsteps: {a: {kind: job, target: box}}").digest

    first = at("targets: {box: {provider: remote, host: h}}")
    assert first != at("targets: {box: {provider: remote, host: other}}")
    assert first != at("targets: {box: {provider: local, host: h}}")
    other = wanted(
        "targets: {hut: {provider: remote, host: h}}\nsteps: {a: {kind: job, target: hut}}"
    )
    assert first == other.digest
    over = wanted(
        "targets: {hut: {provider: remote}}\nsteps: {a: {kind: job, target: {name: hut, host: h}}}"
    )
    assert first == over.digest
    assert identity("steps: {a: {kind: job, value: 1}}") == {
        "kind": "job", "target": "local", "value": 1,
    }  # fmt: skip


def test_the_version_of_a_kind_counts_once_it_has_a_second_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "version" not in identity("steps: {a: {kind: job}}")
    monkeypatch.setattr(Job, "version", 2)
    assert identity("steps: {a: {kind: job}}")["version"] == 2


def test_names_and_places_do_not_count() -> None:
    text = """
    steps:
      {name}:
        kind: job
        run: [python, "{{{{ lab.root }}}}/train.py", "--out={{{{ step.dir }}}}/model"]
        env: {{DIR: "{{{{ step.dir }}}}"}}
    """
    here = wanted(text.format(name="a"), step="a", files={"train.py": "x"})
    there = wanted(text.format(name="b"), step="b", files={"train.py": "x"}, root="/else/where")
    assert here.digest == there.digest
    assert here.identity["run"] == ["python", "<lab.root>/train.py", "--out=<step.dir>/model"]


def test_inputs_count_by_their_content() -> None:
    text = "steps: {a: {kind: job, run: [python, train.py], inputs: ['data/*.csv']}}"
    files = {"train.py": "import net", "net.py": "1", "data/x.csv": "2", "README": "3"}
    first = wanted(text, files=files)
    assert list(first.identity["inputs"]) == ["data/x.csv", "train.py", "net.py"]
    assert first == wanted(text, files={**files, "README": "changed"})
    for path in ("train.py", "net.py", "data/x.csv"):
        assert wanted(text, files={**files, path: files[path] + " "}).digest != first.digest
    assert wanted(text, files={**files, "data/y.csv": ""}).digest != first.digest


def test_inputs_may_hold_templates() -> None:
    text = "vars: {set: small}\nsteps: {a: {kind: job, inputs: ['{{ vars.set }}.csv']}}"
    assert list(identity(text, files={"small.csv": "1"})["inputs"]) == ["small.csv"]


def test_inputs_that_are_missing_are_told_apart_from_files() -> None:
    found = wanted("steps: {a: {kind: job, inputs: [x.csv]}}")
    assert found.missing == ("x.csv",)
    assert found.identity["inputs"] == {"x.csv": "(missing)"}


def test_artifacts_of_others_count_by_content_wherever_they_lie() -> None:
    text = """
    steps:
      b: {kind: job}
      a: {kind: job, value: "--model={{ steps.b.outputs.model }}"}
    """

    def with_model(path: str, content: str) -> str:
        known = Known({"model": Artifact(path, content)})
        return wanted(text, outcomes={"b": known}).digest

    assert with_model("/lab/m", "sha256:1") == with_model("/lab/other", "sha256:1")
    assert with_model("/lab/m", "sha256:1") != with_model("/lab/m", "sha256:2")


def test_outputs_that_are_paths_of_the_lab_do_not_count_by_its_place() -> None:
    text = "steps: {b: {kind: job}, a: {kind: job, value: '{{ steps.b.outputs.path }}'}}"
    here = wanted(text, outcomes={"b": Known({"path": "/lab/data"})})
    there = wanted(text, outcomes={"b": Known({"path": "/opt/data"})}, root="/opt")
    assert here == there


def test_secrets_count_by_a_keyed_hash() -> None:
    text = "secrets: {token: {env: T}, other: {env: O}}\nsteps: {a: {kind: job, token: '%s'}}"
    assert identity(text % "{{ secrets.token }}")["token"] == "<secret token f1>"
    assert identity(text % "x {{ secrets.token }}")["token"] == "x <secret token f1>"


def test_a_secret_that_is_not_read_while_planning_leaves_no_digest() -> None:
    text = "secrets: {other: {env: O}}\nsteps: {a: {kind: job, token: 'x {{ secrets.other }}'}}"
    found = wanted(text)
    assert found.digest == ""
    assert found.unknown == ("reading the secret `other`",)


def test_what_is_not_known_yet_leaves_no_digest() -> None:
    text = """
    steps:
      b: {kind: job}
      c: {kind: job}
      a: {kind: job, value: ["{{ steps.b.outputs.value }}", "x{{ steps.c.outputs.value }}"],
          env: {A: "{{ steps.b.outputs.value }}"}}
    """
    found = wanted(text, outcomes={"b": Unknown(("b",)), "c": Unknown(("c",))})
    assert found.digest == ""
    assert found.unknown == ("b", "c")
    assert found.identity["value"] == [Unknown(("b",)), Unknown(("c",))]
    known = wanted(text, outcomes={"b": Known({"value": 1}), "c": Known({"value": 2})})
    assert known.unknown == ()
    assert known.identity["value"] == [1, "x2"]


def test_a_step_named_by_a_key_counts_with_all_its_outputs() -> None:
    text = "steps: {b: {kind: job}, a: {kind: job, base: b}}"
    found = identity(text, outcomes={"b": Known({"value": 1})})
    assert found["base"] == {"$outputs": "b", "values": {"value": 1}}
    assert wanted(text, outcomes={}).unknown == ("b",)


def test_files_inside_anothers_artifact_wait_for_it() -> None:
    text = """
    steps:
      b: {kind: job, artifacts: {out: out}}
      a: {kind: job, run: [cat, out/part.txt], inputs: [out/all.csv]}
    """
    files = {"out/part.txt": "1", "out/all.csv": "2"}
    later = wanted(text, files=files, outcomes={"b": Unknown(("b",))})
    assert later.unknown == ("b",)
    known = wanted(text, files=files, outcomes={"b": Known({})})
    assert set(known.identity["inputs"]) == {"out/part.txt", "out/all.csv"}
    assert known.digest


RUN = "steps: {a: {kind: job, run: [python, train.py, --out, model.bin]}}"
FILES = {"train.py": "x", "model.bin": "made"}


def record(**ends: Any) -> dict[str, Record]:
    return {"a": Record(address="a", kind="job", target="local", **ends)}


def test_what_a_step_wrote_itself_is_no_input_of_it() -> None:
    first = wanted(RUN, files={"train.py": "x"})
    made = Done(run=1, digest="d", identity={}, made=("model.bin",))
    assert wanted(RUN, files=FILES, records=record(done=made)) == first
    tried = Tried(run=1, started=1.0, digest="d", made=("model.bin", "python"))
    assert wanted(RUN, files=FILES, records=record(tried=tried)) == first
    assert "model.bin" in wanted(RUN, files=FILES).identity["inputs"]


def test_what_is_declared_as_input_is_one_though_it_was_written_once() -> None:
    text = RUN.replace("run:", "inputs: [model.bin], run:")
    made = Done(run=1, digest="d", identity={}, made=("model.bin",))
    found = wanted(text, files=FILES, records=record(done=made))
    assert "model.bin" in found.identity["inputs"]


def test_matrix_values_and_parameters_count_where_they_are_used() -> None:
    text = """
    steps:
      a: {kind: job, matrix: {lr: [0.1, 0.01]}, parameters: {lr: "{{ matrix.lr }}"},
          run: ["{{ parameters.lr }}"]}
    """
    assert identity(text, step="a[lr=0.01]")["run"] == ["0.01"]


@pytest.mark.parametrize("key", ["run: ['{{ vars.v }}']", "env: {V: '{{ vars.v }}'}"])
def test_what_programs_get_counts_as_they_get_it(key: str) -> None:
    """Python's version 3.10 is not 3.1, but a number is its text where texts are wanted."""

    def digest(value: str, key: str = key) -> str:
        return wanted("vars: {v: " + value + "}\nsteps: {a: {kind: job, " + key + "}}").digest

    assert digest("3.10") != digest("3.1")
    assert digest("3.10") == digest("'3.10'") == digest("0", key.replace("{{ vars.v }}", "3.10"))
    assert digest("true") == digest("'true'") != digest("1")


def test_a_wish_in_other_words_is_the_same_wish() -> None:
    lab = Lab("vars: {n: 3}\nsteps: {a: {kind: job, value: '{{ vars.n }}'}}")
    lab.apply()
    lab.text = "steps: {a: {kind: job, value: 3}}"
    assert lab.verbs() == {"a": "keep"}
    assert graph_of(lab.text).steps["a"].literal
