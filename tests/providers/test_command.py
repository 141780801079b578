"""The ``command`` kind as a process on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.kinds.spec import StepOutputs
from lab.provider import Refused
from lab.testing import Conformance, FakeIo, RealIo, World, made, task_for
from providers.local import command
from providers.local.command import Spec


def run(world, **keys):
    spec = Spec(**keys)
    return command.apply(task_for(world, spec), world)


class TestCommandConforms(Conformance):
    provider = command

    def good(self, world: World) -> dict:
        return {
            "command": f"mkdir -p {world.directory} && echo hi > {world.directory}/a"
            " && echo n=3 >> $LAB_OUTPUT",
            "artifacts": {"a": f"{world.directory}/a"},
            "destroy": f"rm -f {world.directory}/a",
        }

    def failing(self, world: World) -> dict:
        return {"command": "exit 3"}

    def slow(self, world: World) -> dict:
        return {"command": ["sleep", "30"]}

    def left_behind(self, world: World):
        return [p.name for p in Path(world.directory).glob("a")]


def test_a_text_stops_at_its_first_fault(tmp_path):
    with pytest.raises(Refused, match="exit 1"):
        run(RealIo(tmp_path), command="false\ntrue")
    with pytest.raises(Refused):
        run(RealIo(tmp_path), command="echo $no_such_variable")


def test_an_exit_status_names_its_reason(tmp_path):
    with pytest.raises(Refused) as failed:
        run(RealIo(tmp_path), command="exit 75")
    assert (failed.value.summary, failed.value.reason) == ("exit 75", "exit:75")


def test_a_signal_is_named(tmp_path):
    with pytest.raises(Refused) as failed:
        run(RealIo(tmp_path), command="kill -KILL $$")
    assert (failed.value.summary, failed.value.reason) == ("killed by SIGKILL", "exit:137")
    assert "memory" in failed.value.detail


def test_cwd_is_relative_to_the_lab(tmp_path):
    (tmp_path / "src").mkdir()
    io = RealIo(tmp_path)
    run(io, command="pwd > here", cwd="src")
    assert (tmp_path / "src/here").read_text().strip() == str(tmp_path / "src")


def test_stdin_reaches_the_program_and_is_kept_nowhere(tmp_path):
    io = RealIo(tmp_path)
    out = run(io, command='printf "length=%s" "$(wc -c)" > $LAB_OUTPUT', stdin="hush")
    assert out == {"length": 4}
    assert io.memory is None


def test_the_environment_s_programs_come_first(tmp_path):
    programs = tmp_path / "venv/bin"
    programs.mkdir(parents=True)
    (programs / "python").write_text("#!/bin/sh\necho who=mine virtual=$VIRTUAL_ENV\n")
    (programs / "python").chmod(0o755)
    env = StepOutputs("env", {"bin": str(programs), "python": str(programs / "python")})
    io = FakeIo(tmp_path, {"python": lambda ran: 0})
    run(io, command=["python", "x.py"], environment=env)
    ran = io.ran[0]
    assert ran.argv == (str(programs / "python"), "x.py")
    assert ran.env["PATH"].split(":")[0] == str(programs)
    assert ran.env["VIRTUAL_ENV"] == str(tmp_path / "venv")


def test_a_program_that_the_environment_lacks_is_looked_for_on_path(tmp_path):
    env = StepOutputs("env", {"bin": str(tmp_path / "none")})
    io = FakeIo(tmp_path, {"git": lambda ran: 0}, env={"PATH": "/own"})
    run(io, command=["git", "status"], environment=env)
    assert io.ran[0].argv == ("git", "status")
    assert io.ran[0].env["PATH"] == f"{tmp_path}/none:/own"


def test_an_environment_without_programs_is_refused(tmp_path):
    with pytest.raises(Refused, match="`img` is no environment"):
        run(
            FakeIo(tmp_path, {"x": lambda ran: 0}),
            command=["x"],
            environment=StepOutputs("img", {}),
        )


def test_a_missing_artifact_is_named(tmp_path):
    with pytest.raises(Refused, match="artifact `model` was not made"):
        run(RealIo(tmp_path), command=["true"], artifacts={"model": "m.keras"})


def test_one_name_for_a_value_and_an_artifact_is_refused(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(Refused, match="`a` is given twice"):
        run(RealIo(tmp_path), command="echo a=1 > $LAB_OUTPUT", artifacts={"a": "a"})


def test_outputs_of_a_failed_attempt_do_not_count(tmp_path):
    io = RealIo(tmp_path)
    with pytest.raises(Refused):
        run(io, command="echo old=1 > $LAB_OUTPUT; exit 1")
    assert run(io, command="echo new=1 >> $LAB_OUTPUT") == {"new": 1}


def test_the_outputs_file_is_no_part_of_an_artifact(tmp_path):
    io = RealIo(tmp_path)
    run(io, command="echo v=1 > $LAB_OUTPUT", artifacts={"all": io.directory})
    assert list(Path(io.directory).iterdir()) == []


def test_destroy_runs_where_the_step_ran(tmp_path):
    (tmp_path / "src").mkdir()
    io = FakeIo(tmp_path, {"true": lambda ran: 0, "sh": lambda ran: 0})
    spec = Spec(command=["true"], cwd="src", destroy="rm x")
    out = command.apply(task_for(io, spec), io)
    command.destroy(made(io, spec, out), io)
    assert io.ran[-1].argv == ("sh", "-eu", "-c", "rm x")
    assert io.ran[-1].cwd == str(tmp_path / "src")


def test_a_destroy_that_fails_says_so(tmp_path):
    io = RealIo(tmp_path)
    spec = Spec(command=["true"], destroy="exit 9")
    out = command.apply(task_for(io, spec), io)
    with pytest.raises(Refused, match="`destroy`: exit 9"):
        command.destroy(made(io, spec, out), io)


def test_a_destroy_text_taken_away_is_forgotten(tmp_path):
    io = RealIo(tmp_path)
    command.apply(task_for(io, Spec(command=["true"], destroy="rm x")), io)
    command.apply(task_for(io, Spec(command=["true"])), io)
    assert io.memory is None


def test_nothing_is_remembered_without_need(tmp_path):
    io = FakeIo(tmp_path, {"true": lambda ran: 0})
    command.apply(task_for(io, Spec(command=["true"])), io)
    assert io.calls == 1
