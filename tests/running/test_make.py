"""One step is made: what its provider is given, how often it is tried, and what its end must be like."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest
from fakes.lab import Lab

from lab.model.event import StepFailed, StepProgress, StepRetried, StepStarted
from lab.model.values import Artifact
from lab.provider import Cancelled, Io, Refused, Retry, Task, TimedOut


def lab_with(keys: str, *, files: Mapping[str, str] | None = None, **secrets: str) -> Lab:
    declared = "".join(f"{name}: {{env: X}}, " for name in secrets)
    return Lab(
        f"secrets: {{{declared}}}\nsteps: {{a: {{kind: job, {keys}}}}}",
        files=files,
        secrets=secrets,
    )


def raising(*errors: Exception | None) -> tuple[Any, list[int]]:
    """A step that fails with each of *errors* in turn and then goes well; and its attempts' numbers."""
    left, attempts = list(errors), []

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        attempts.append(task.attempt)
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return {}

    return do, attempts


# --- what the provider gets --------------------------------------------------------------------


def test_a_task_is_rendered_with_real_places_and_real_secrets() -> None:
    lab = lab_with(
        "value: '{{ lab.root }}/x', run: ['{{ step.dir }}/y'], token: 'Bearer {{ secrets.t }}',"
        " parameters: {p: 1}, env: {P: '{{ secrets.t }}', N: 1, B: true, Z: '{{ null }}', F: 1e-4, L: '{{ [1, 2] }}'}",
        t="s3cret",
    )
    lab.apply()
    task = lab.toy.tasks["a"]
    assert task.spec.value == "/lab/x"
    assert task.spec.run == ["/lab/.lab/work/t/steps/a/y"]
    assert task.spec.token == "Bearer s3cret"
    assert task.env == {"P": "s3cret", "N": "1", "B": "true", "Z": "", "F": "1e-4", "L": "[1,2]"}
    assert task.directory == "/lab/.lab/work/t/steps/a"
    assert task.root == "/lab"
    assert (task.attempt, task.run, task.replacing, task.record) == (1, 1, False, None)
    done = lab.records["a"].done
    assert done is not None
    assert task.digest == done.digest
    assert lab.work.prepared == ["a"]


def test_a_secret_is_in_nothing_that_is_stored() -> None:
    lab = Lab(
        """
        secrets: {t: {env: X}}
        steps:
          a: {kind: job, token: "{{ secrets.t }}", env: {T: "{{ secrets.t }}"}}
          b: {kind: job, env: {T: "{{ secrets.t }}"}}
        """,
        secrets={"t": "s3cret"},
    )

    def b(task: Task[Any], io: Io) -> dict[str, Any]:
        io.note(f"token is {task.env['T']}")
        io.progress(f"with {task.env['T']}")
        raise Refused(f"denied: {task.env['T']}", f"sent {task.env['T']}")

    lab.toy.on["b"] = b
    lab.apply(lines=True)
    assert lab.toy.tasks["a"].spec.token == "s3cret"
    stored = "\n".join(lab.journal.lines) + str(lab.told) + lab.work.log("a") + lab.work.log("b")
    assert "s3cret" not in stored
    assert lab.error("b") == "denied: ***"
    assert "s3cret" not in lab.plan()


def test_the_settings_of_a_target_are_stored_without_what_turns_out_to_be_secret() -> None:
    lab = Lab(
        """
        targets: {box: {provider: remote, host: "ssh://s3cret@h", deep: {list: [s3cret, 1]}}}
        steps: {a: {kind: job, target: box}}
        """,
        secrets={"t": "s3cret"},
    )
    lab.apply()
    assert lab.toy.tasks["a"].target == {"host": "ssh://s3cret@h", "deep": {"list": ["s3cret", 1]}}
    assert lab.records["a"].fields == {"host": "ssh://***@h", "deep": {"list": ["***", 1]}}


def test_a_secret_that_cannot_be_read_fails_its_step() -> None:
    lab = Lab(
        "secrets: {t: {env: X}}\nsteps: {a: {kind: job, token: '{{ secrets.t }}'}, b: {kind: job}}"
    )
    report = lab.apply()
    assert report.failed == ("a",)
    assert lab.toy.ran == ["b"]
    assert lab.error("a") == "the secret `t` cannot be read"
    assert lab.happened(StepStarted, StepFailed).count("a") == 2


def test_programs_get_the_steps_environment() -> None:
    lab = lab_with("env: {A: b}, timeout: 60s")

    def run(task: Task[Any], io: Io) -> dict[str, Any]:
        done = io.run(["sh", "-c", "x"], cwd="src", env={"MORE": "1"}, stdin="in", capture=True)
        return {"code": done.code, "output": done.output}

    lab.toy.on["a"] = run
    lab.processes.output, lab.processes.code = b"hello\nyou\xff\n", 3
    lab.apply(lines=True)
    (call,) = lab.processes.calls
    assert call["cwd"] == "/lab/src"
    assert call["env"] == {
        "PATH": "/bin", "LAB_STEP": "a", "LAB_STEP_DIR": "/lab/.lab/work/t/steps/a", "LAB_ROOT": "/lab",
        "LAB_RUN": "1", "A": "b", "MORE": "1",
    }  # fmt: skip
    assert call["stdin"] == b"in"
    assert call["timeout"] == pytest.approx(60, abs=5)
    assert lab.outputs("a") == {"code": 3, "output": "hello\nyou\ufffd\n"}


# --- attempts ------------------------------------------------------------------------------------


def pauses(lab: Lab) -> list[float]:
    return [event.delay for event in lab.told if isinstance(event, StepRetried)]


def test_a_refusal_is_final_unless_retries_say_otherwise() -> None:
    lab = lab_with("value: 1")
    lab.toy.on["a"], attempts = raising(Refused("no"))
    assert lab.apply().outcome == "failed"
    assert attempts == [1]


def test_retries_wait_twice_as_long_each_time() -> None:
    lab = lab_with("retries: {attempts: 3, backoff: 2s}")
    lab.toy.on["a"], attempts = raising(*[Refused("no")] * 3)
    assert lab.apply().outcome == "done"
    assert attempts == [1, 2, 3, 4]
    assert pauses(lab) == [2.0, 4.0, 8.0]
    assert lab.stop.pauses == [2.0, 4.0, 8.0]
    done = lab.records["a"].done
    assert done is not None
    assert done.attempts == 4
    assert "attempt 1 failed: no" in lab.work.log("a")


def test_retries_end() -> None:
    lab = lab_with("retries: 2")
    lab.toy.on["a"], attempts = raising(*[Refused("no")] * 9)
    lab.apply()
    assert attempts == [1, 2, 3]
    (failed,) = [event for event in lab.told if isinstance(event, StepFailed)]
    assert failed.attempt == 3


def test_a_pause_is_never_longer_than_five_minutes() -> None:
    lab = lab_with("retries: {attempts: 2000, backoff: 200s}")
    lab.toy.on["a"], attempts = raising(*[Refused("no")] * 1100)
    assert lab.apply().outcome == "done"
    assert attempts[-1] == 1101
    assert set(pauses(lab)) == {200.0, 300.0}


def test_a_transient_failure_is_tried_again_by_itself_three_times() -> None:
    lab = lab_with("value: 1")
    lab.toy.on["a"], attempts = raising(*[Retry("busy")] * 9)
    assert lab.apply().outcome == "failed"
    assert attempts == [1, 2, 3, 4]


def test_a_provider_may_know_how_long_to_wait() -> None:
    lab = lab_with("value: 1")
    lab.toy.on["a"], _ = raising(Retry("busy", after=7.5), Retry("busy", after=9999.0))
    lab.apply()
    assert pauses(lab) == [7.5, 300.0]


@pytest.mark.parametrize(
    ("only", "error", "again"),
    [
        ("[timeout]", TimedOut(), True),
        ("[timeout]", Refused("x", reason="exit:75"), False),
        ("['exit:75']", Refused("x", reason="exit:75"), True),
        ("['exit:75']", Refused("x", reason="exit:1"), False),
        ("[error]", Refused("x"), True),
        ("[error]", Refused("x", reason="require"), True),
        ("[error]", Refused("x", reason="exit:1"), False),
        ("[error]", TimedOut(), False),
        ("[error]", Retry("x"), True),
        ("[timeout, error]", OSError("disk"), True),
        ("[timeout]", Retry("x"), False),
    ],
)
def test_which_failures_are_tried_again(only: str, error: Exception, again: bool) -> None:
    lab = lab_with(f"retries: {{attempts: 1, on: {only}}}")
    lab.toy.on["a"], attempts = raising(error)
    lab.apply()
    assert attempts == ([1, 2] if again else [1])


def test_a_timeout_ends_an_attempt() -> None:
    lab = lab_with("timeout: 10s, retries: 1")
    slept: list[float] = []

    def slow(task: Task[Any], io: Io) -> dict[str, Any]:
        if task.attempt == 1:
            io.sleep(4)
            slept.append(1)
            io.sleep(100)
        return {}

    lab.toy.on["a"] = slow
    assert lab.apply().outcome == "done"
    assert slept == [1]
    (retried,) = [event for event in lab.told if isinstance(event, StepRetried)]
    assert retried.error == "not done within 10 s"


def test_stopping_ends_the_wait_for_another_attempt() -> None:
    lab = lab_with("retries: 5")
    lab.toy.on["a"], attempts = raising(*[Refused("no")] * 9)
    lab.stop.at_pause = lab.stop.set
    assert lab.apply().outcome == "interrupted"
    assert attempts == [1]
    tried = lab.records["a"].tried
    assert tried is not None
    assert tried.interrupted
    assert lab.plan() == "+ a: last run was interrupted (run 1)"


# --- stopping --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["check", "sleep", "remember", "progress", "run"])
def test_every_method_that_waits_hears_the_wish_to_stop(how: str) -> None:
    lab = Lab("steps: {a: {kind: job}, b: {kind: job, needs: a}}")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        lab.stop.set()
        {
            "check": io.check,
            "sleep": lambda: io.sleep(1),
            "remember": lambda: io.remember(1),
            "progress": lambda: io.progress("x"),
            "run": lambda: io.run(["x"]),
        }[how]()
        raise AssertionError("it went on")

    lab.toy.on["a"] = do
    report = lab.apply()
    assert report.outcome == "interrupted"
    assert report.counts == {"interrupted": 1}
    assert lab.toy.ran == ["a"]
    assert lab.error("a") == "stopped"


def test_a_step_that_ends_well_in_spite_of_the_wish_is_done() -> None:
    lab = Lab("steps: {a: {kind: job}, b: {kind: job, needs: a}}")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        lab.stop.set()
        return {"value": 1}

    lab.toy.on["a"] = do
    report = lab.apply()
    assert report.outcome == "interrupted"
    assert report.counts == {"created": 1}
    again = lab.restarted()
    again.apply()
    assert again.toy.ran == ["b"]


def test_nothing_starts_after_the_wish() -> None:
    lab = Lab("steps: {a: {kind: job}, b: {kind: service}}")
    lab.apply(only=["b"])
    lab.stop.set()
    lab.text = "steps: {a: {kind: job}}"
    report = lab.apply()
    assert report.outcome == "interrupted"
    assert lab.toy.ran == lab.toy.destroyed == []
    assert set(lab.records) == {"b"}


# --- memory ----------------------------------------------------------------------------------------


def remembering(seen: list[tuple[Any, Any]], *ends: Exception | None) -> Any:
    """A step that remembers its attempt and then ends so; what it found at first is noted."""
    left = list(ends)

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        seen.append((task.left, task.memory))
        end = left.pop(0)
        if not isinstance(end, Retry):
            io.remember({"seen": len(seen)})
        if end is not None:
            raise end
        return {}

    return do


def test_what_an_unfinished_attempt_remembered_comes_back() -> None:
    lab = lab_with("value: 1, cache: false")
    seen: list[tuple[Any, Any]] = []
    lab.toy.on["a"] = remembering(seen, Refused("no"), Cancelled(), None, None)
    for _ in range(4):
        lab.apply()
    one, two, three = {"seen": 1}, {"seen": 2}, {"seen": 3}
    assert seen == [(None, None), (one, one), (two, two), (None, three)]


def test_what_a_finished_attempt_remembered_is_not_what_a_killed_one_left() -> None:
    lab = lab_with("value: 1, cache: false")
    seen: list[tuple[Any, Any]] = []
    lab.toy.on["a"] = remembering(seen, None, Retry("before it remembers"), None)
    lab.text = lab.text.replace("cache", "retries: {attempts: 1, on: [timeout]}, cache")
    for _ in range(3):
        lab.apply()
    assert seen[1:] == [(None, {"seen": 1}), (None, {"seen": 1})]


def test_what_is_remembered_comes_back_in_the_next_attempt_of_the_same_run() -> None:
    lab = lab_with("retries: 2")
    seen: list[tuple[Any, Any]] = []
    lab.toy.on["a"] = remembering(seen, Refused("no"), Refused("no"), None)
    lab.apply()
    assert seen == [(None, None), ({"seen": 1}, {"seen": 1}), ({"seen": 2}, {"seen": 2})]


def test_what_is_remembered_is_durable_on_return() -> None:
    lab = lab_with("value: 1")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        io.remember({"pid": 7, "path": "/lab/x"})
        assert lab.records["a"].memory == {"pid": 7, "path": "/lab/x"}
        return {}

    lab.toy.on["a"] = do
    assert lab.apply().outcome == "done"


# --- what comes out ----------------------------------------------------------------------------------


def giving(outputs: Any) -> Any:
    return lambda task, io: outputs


@pytest.mark.parametrize(
    "outputs",
    [
        {"v": "my s3cret!"},
        {"v": ["x", {"deep": "s3cret"}]},
        {"v": {"s3cret": 1}},
        {"s3cret": 1},
        {"v": "s3cret"},
    ],
)
def test_outputs_that_hold_a_secret_are_refused(outputs: Any) -> None:
    lab = lab_with("token: '{{ secrets.t }}'", t="s3cret")
    lab.toy.on["a"] = giving(outputs)
    assert lab.apply().outcome == "failed"
    assert "holds the value of a secret" in lab.error("a")
    assert "s3cret" not in "".join(lab.journal.lines)


@pytest.mark.parametrize("secret", ["it's", 'a"b', "line\nline", "back\\slash", "tab\t", "12345"])
def test_secrets_of_any_letters_are_found(secret: str) -> None:
    lab = lab_with("token: '{{ secrets.t }}'", t=secret)
    lab.toy.on["a"] = giving({"list": [secret], "map": {"k": f"<{secret}>"}})
    assert lab.apply().outcome == "failed"


@pytest.mark.parametrize("outputs", [{"v": {1, 2}}, {"v": b"x"}, {"v": [object()]}, None, 3])
def test_outputs_that_cannot_be_stored_are_the_providers_bug(outputs: Any) -> None:
    lab = lab_with("retries: 3")
    lab.toy.on["a"] = giving(outputs)
    lab.apply()
    assert lab.toy.ran == ["a"]
    assert lab.records["a"].done is None


def test_outputs_keep_their_types() -> None:
    lab = lab_with("value: 1")
    outputs = {
        "s": "x", "i": 1, "f": 1.0, "b": True, "n": None, "l": [1, [2]], "m": {"$root": "odd"},
        "a": Artifact("/lab/out/m", "sha256:1", 3), "p": "/lab/x", "d": "/lab/x/",
    }  # fmt: skip
    lab.toy.on["a"] = giving(outputs)
    lab.apply()
    assert repr(lab.outputs("a")) == repr(outputs)


def test_a_clock_that_is_set_back_gives_no_negative_time() -> None:
    lab = lab_with("value: 1")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        lab.clock.go_on(-100.0)
        raise Refused("no")

    lab.toy.on["a"] = do
    lab.apply()
    (failed,) = [event for event in lab.told if isinstance(event, StepFailed)]
    assert failed.seconds == 0.0


def test_an_artifact_that_is_not_there_is_a_failure() -> None:
    lab = lab_with("artifacts: {m: out/m}")
    lab.toy.on["a"] = lambda task, io: {"m": io.artifact("out/m")}
    lab.apply()
    assert lab.error("a") == "there is no `out/m`"


# --- require -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("require", "error"),
    [
        ("outputs.value >= 0.9", None),
        ("'{{ outputs.value >= 0.9 }}'", None),
        ("['outputs.value > 0', 'outputs.value < 1']", None),
        (
            "outputs.value >= 0.99",
            "required `outputs.value >= 0.99`, but outputs.value is 0.95",
        ),
        (
            "'{{ outputs.value >= vars.least }}'",
            "required `outputs.value >= vars.least`, but outputs.value is 0.95, vars.least is 0.97",
        ),
        ("['outputs.value > 0', '1 > 2']", "required `1 > 2`, but it is false"),
        (
            "['outputs.value > 2', 'outputs.value > 3']",
            "required `outputs.value > 2`, but outputs.value is 0.95;"
            " required `outputs.value > 3`, but outputs.value is 0.95",
        ),
        ("'outputs.value'", "required `outputs.value`, but outputs.value is 0.95"),
        ("outputs.valeu > 1", "`outputs` has no `valeu`"),
    ],
)
def test_requirements(require: str, error: str | None) -> None:
    lab = Lab(
        f"vars: {{least: 0.97}}\nsteps: {{a: {{kind: job, value: 0.95, require: [{require}]}}}}"
        if not require.startswith("[")
        else f"vars: {{least: 0.97}}\nsteps: {{a: {{kind: job, value: 0.95, require: {require}}}}}"
    )
    assert lab.apply().outcome == ("done" if error is None else "failed")
    if error is not None:
        assert error in lab.error("a")
        assert lab.records["a"].done is None


def test_a_requirement_may_name_other_steps() -> None:
    lab = Lab(
        """
        steps:
          base: {kind: job, value: 0.9}
          new: {kind: job, value: 0.8, require: ["outputs.value > steps.base.outputs.value"]}
        """
    )
    lab.apply()
    assert lab.error("new") == (
        "required `outputs.value > steps.base.outputs.value`, but outputs.value is 0.8,"
        " steps.base.outputs.value is 0.9"
    )


def test_a_requirement_can_be_retried() -> None:
    lab = lab_with("value: 1, retries: {attempts: 2, on: [error]}, require: ['outputs.value > 5']")
    tries: list[int] = []

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        tries.append(task.attempt)
        return {"value": 9 if task.attempt == 2 else 1}

    lab.toy.on["a"] = do
    assert lab.apply().outcome == "done"
    assert tries == [1, 2]


# --- bugs and bad luck -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [ValueError("oops"), KeyError("k"), SystemExit(3), RecursionError(), AssertionError()]
)
def test_a_providers_bug_is_told_as_one_and_others_go_on(error: BaseException) -> None:
    lab = Lab("steps: {a: {kind: job, retries: 5}, b: {kind: job}, c: {kind: job, needs: a}}")

    def bug(task: Task[Any], io: Io) -> dict[str, Any]:
        raise error

    lab.toy.on["a"] = bug
    report = lab.apply()
    assert report.outcome == "failed"
    assert sorted(lab.toy.ran) == ["a", "b"]
    assert lab.error("a").startswith(f"the provider of `job` failed: {type(error).__name__}")
    (failed,) = [event for event in lab.told if isinstance(event, StepFailed)]
    assert "bug in the provider" in failed.detail
    assert "Traceback" in failed.detail


def test_what_the_system_refuses_is_told_in_its_words() -> None:
    lab = lab_with("value: 1")
    lab.toy.on["a"], _ = raising(OSError(28, "No space left on device", "/lab/x"))
    lab.apply()
    assert lab.error("a") == "No space left on device: /lab/x"


def test_a_log_that_cannot_be_opened_fails_its_step_alone() -> None:
    lab = Lab("steps: {a: {kind: job}, b: {kind: job}}")
    lab.work.broken["a"] = OSError(13, "Permission denied", "/lab/.lab/logs")
    report = lab.apply()
    assert report.failed == ("a",)
    assert lab.toy.ran == ["b"]
    assert lab.error("a") == "Permission denied: /lab/.lab/logs"


def test_a_value_of_another_step_is_checked_once_it_is_known() -> None:
    lab = Lab(
        """
        steps:
          a: {kind: job, value: {not: a text}}
          b: {kind: job, script: "{{ steps.a.outputs.value }}"}
        """
    )
    report = lab.apply()
    assert report.failed == ("b",)
    assert "script" in lab.error("b")


def test_declared_inputs_must_be_there_when_the_step_runs() -> None:
    lab = lab_with("inputs: [data.csv]")
    lab.apply()
    assert lab.toy.ran == []
    assert lab.error("a") == "a declared input is not there: data.csv"
    lab.files["data.csv"] = "1"
    assert lab.apply().outcome == "done"


def test_a_step_that_cannot_begin_leaves_what_is_recorded_of_it() -> None:
    """Its target's settings and its kind are what destroying needs."""
    text = """
    targets: {box: {provider: remote, host: old}}
    steps: {net: {kind: service, target: box, value: 1}}
    """
    lab = Lab(text)
    lab.apply()
    lab.text = text.replace("target: box, value: 1", "inputs: [gone.txt], value: 1")
    lab.apply()
    record = lab.records["net"]
    assert (record.place, record.fields, record.target) == ("remote", {"host": "old"}, "box")
    assert record.done is not None
    assert record.tried is not None


# --- files that a command writes ----------------------------------------------------------------------


WRITES = "run: [python, train.py, --out, model.bin, --config, conf.yaml]"


def writing(lab: Lab, *ends: BaseException | None) -> Any:
    left = list(ends)

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        lab.files["model.bin"] = f"run {task.run}"
        end = left.pop(0)
        if end is not None:
            raise end
        return {}

    return do


def test_a_file_that_a_command_writes_is_no_reason_to_run_again() -> None:
    lab = lab_with(WRITES, files={"train.py": "x", "conf.yaml": "y"})
    lab.toy.on["a"] = writing(lab, None)
    lab.apply()
    assert lab.verbs() == {"a": "keep"}
    lab.files["conf.yaml"] = "z"
    assert lab.plan().startswith("~ a: input `conf.yaml` changed")


def test_not_even_after_it_failed_with_the_file_half_written() -> None:
    lab = lab_with(WRITES, files={"train.py": "x", "conf.yaml": "y"})
    lab.toy.on["a"] = writing(lab, Refused("no"), Cancelled(), None)
    for _ in range(3):
        lab.apply()
    assert lab.verbs() == {"a": "keep"}


def test_not_even_after_lab_was_killed() -> None:
    lab = lab_with(WRITES, files={"train.py": "x", "conf.yaml": "y"})
    lab.toy.on["a"] = writing(lab, None)
    lab.apply()
    lab.journal.cut(1)
    again = lab.restarted()
    again.toy.on["a"] = writing(again, None)
    assert again.verbs() == {"a": "create"}
    again.apply()
    assert again.verbs() == {"a": "keep"}


def test_a_file_that_was_missing_and_made_it_fail_is_an_input_once_it_is_there() -> None:
    lab = lab_with(WRITES, files={"train.py": "x"})
    lab.toy.on["a"], _ = raising(Refused("no conf.yaml"))
    lab.apply()
    lab.files["conf.yaml"] = "y"
    lab.apply()
    lab.files["conf.yaml"] = "z"
    assert lab.plan().startswith("~ a: input `conf.yaml` changed")


def test_a_file_that_it_wrote_and_nobody_may_read_does_not_undo_its_success() -> None:
    lab = lab_with("run: [python, train.py, --out, made.py]", files={"train.py": "x"})

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        lab.files["made.py"] = "secret"
        lab.files.locked.add("made.py")
        return {}

    lab.toy.on["a"] = do
    assert lab.apply().outcome == "done"
    assert lab.records["a"].done is not None


def test_a_file_that_nobody_may_read_fails_the_step_that_reads_it_and_no_other() -> None:
    lab = Lab(
        """
        steps:
          gen: {kind: job, artifacts: {code: gen.py}}
          use: {kind: job, run: [python, gen.py]}
          other: {kind: job, needs: use}
        """,
    )
    lab.files.locked.add("gen.py")
    report = lab.apply()
    assert report.failed == ("use",)
    assert lab.error("use") == "gen.py may not be read"
    assert lab.toy.ran == ["gen"]


# --- telling ----------------------------------------------------------------------------------------------


def test_progress_is_thinned_out_but_metrics_and_the_end_are_told() -> None:
    lab = lab_with("value: 1")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        for i in range(50):
            io.progress(f"batch {i}", fraction=i / 50)
        io.progress("epoch", metrics={"loss": 1.0})
        io.progress("done", fraction=1.0)
        return {}

    lab.toy.on["a"] = do
    lab.apply()
    told = [event.text for event in lab.told if isinstance(event, StepProgress)]
    assert told[0] == "batch 0"
    assert told[-2:] == ["epoch", "done"]
    assert len(told) < 10


def test_lines_are_told_where_they_are_wanted() -> None:
    lab = lab_with("value: 1")
    heard: list[str] = []

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        io.run(["x"], on_line=heard.append)
        io.run(["x"], quiet=True, on_line=heard.append)
        io.note("a note")
        return {}

    lab.toy.on["a"] = do
    lab.processes.output = b"one\ntwo\n"
    lab.apply(lines=True)
    lines = [event.line for event in lab.told if isinstance(event, StepProgress)]
    assert lines == ["one", "two", "a note"]
    assert heard == ["one", "two"] * 2
    lab.apply(replace=["a"])
    assert not [event for event in lab.told if isinstance(event, StepProgress)]
    assert lab.work.log("a") == "one\ntwo\na note\n" * 2


def test_a_note_to_people_is_told_without_being_asked_for() -> None:
    lab = lab_with("value: 1")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        io.note("for the log")
        io.note("for people", tell=True)
        return {}

    lab.toy.on["a"] = do
    lab.apply()
    lines = [event.line for event in lab.told if isinstance(event, StepProgress)]
    assert lines == ["for people"]
    assert lab.work.log("a") == "for the log\nfor people\n"


def test_tools_and_shared_folders() -> None:
    lab = lab_with("value: 1")

    def do(task: Task[Any], io: Io) -> dict[str, Any]:
        assert io.tool("sh") == "/bin/sh"
        assert io.shared("pips") == "/shared/pips"
        assert io.log_path == "/lab/.lab/work/t/logs/0001/a.log"
        io.tool("terraform")
        raise AssertionError

    lab.toy.on["a"] = do
    lab.apply()
    assert lab.error("a") == "`terraform` is not installed"
    assert sys.version_info >= (3, 10)
