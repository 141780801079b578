"""What `lab doctor` finds on machines and in labs that are not well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from hashlib import sha256

import pytest

from lab.cli import doctor_machine, doctor_state, doctor_steps
from lab.cli.main import main
from lab.edge.journal import Journal
from lab.edge.lock import Lock
from lab.edge.machine import Machine
from lab.edge.process_survivors import find_marked
from lab.edge.warden_tree import MARK
from lab.model.event import RunStarted
from lab.model.graph import Graph
from lab.model.labfile import Step, Target
from lab.model.layout import state_path
from lab.report.checks import Check, Status, checks_text

STEP = f"  a: {{kind: command, command: [{sys.executable}, x]}}\n"


@pytest.fixture
def look(tmp_path, capsys, monkeypatch):
    """Writes a Labfile and gives what doctor says of it: exit code and checks by name."""
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "lab").mkdir()
    monkeypatch.chdir(tmp_path / "lab")

    def looked(steps: str = STEP, *, top: str = "") -> tuple[int, dict[str, dict]]:
        text = f"labfile: 1\nname: t\n{top}\nsteps:\n{steps}"
        (tmp_path / "lab" / "Labfile.yaml").write_text(text)
        capsys.readouterr()
        code = main(["doctor", "--json"])
        return code, {each["check"]: each for each in json.loads(capsys.readouterr().out)}

    return looked


def test_all_is_well(look):
    code, checks = look()
    assert code == 0
    assert {each["status"] for each in checks.values()} == {"ok"}
    assert checks["Labfile"]["text"] == "right: 1 step"
    assert checks["state"]["text"] == "none yet: nothing has been applied"


def test_nothing_is_changed(look, tmp_path):
    look()
    assert os.listdir(tmp_path / "lab") == ["Labfile.yaml"]
    assert not (tmp_path / "cache").exists()


def test_it_reads_well(look, capsys):
    look()
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("lab ")
    assert "Labfile.yaml" in lines
    assert lines[-1] == "No problems."
    assert main(["doctor", "-q"]) == 0
    assert capsys.readouterr().out == "No problems.\n"


def test_without_a_labfile_the_machine_is_looked_at(look, tmp_path, capsys, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "only this machine was looked at" in said
    assert "lab init" in said
    assert main(["doctor", "nothing.yaml"]) == 2


def test_a_wrong_labfile_is_a_problem_and_the_machine_is_looked_at_still(look):
    code, checks = look("  a: {kind: comand}\n  b: {kind: nonsense}\n")
    assert code == 1
    assert checks["Labfile"]["status"] == "fail"
    assert "and 1 more" in checks["Labfile"]["text"]
    assert checks["Labfile"]["fix"] == "lab validate"
    assert "Python" in checks


def test_warnings_of_the_labfile(look):
    code, checks = look(top="vars: {unused: 1}")
    assert code == 0
    assert checks["Labfile"]["status"] == "warn"


# --- the machine ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "status", "code"), [(STEP, "warn", 0), (None, "fail", 1)])
def test_uv_that_is_missing(look, monkeypatch, steps, status, code):
    monkeypatch.setattr(Machine, "tool", lambda self, name: None)
    found, checks = look(steps or "  e: {kind: environment, requirements: [numpy]}\n")
    assert (found, checks["uv"]["status"]) == (code, status)
    assert "pip install uv" in checks["uv"]["fix"]


def test_uv_that_does_not_run(look, monkeypatch):
    monkeypatch.setattr(Machine, "tool", lambda self, name: "/bin/false")
    code, checks = look("  e: {kind: environment, requirements: [numpy]}\n")
    assert (code, checks["uv"]["status"]) == (1, "fail")


@pytest.mark.parametrize(
    ("free", "status", "code"), [(10**8, "fail", 1), (10**9, "warn", 0), (10**12, "ok", 0)]
)
def test_room_on_the_disk(look, monkeypatch, free, status, code):
    class Usage:
        def __init__(self, _: str) -> None:
            self.free = free

    monkeypatch.setattr(doctor_machine.shutil, "disk_usage", Usage)
    found, checks = look()
    assert (found, checks["disk"]["status"]) == (code, status)
    assert "this lab and the cache" in checks["disk"]["text"]


def test_steps_that_ask_for_more_than_there_is(look):
    code, checks = look(
        "  a: {kind: command, command: [/bin/true], resources: {cpu: 4000, memory: 900Ti, gpu: 64}}\n"
    )
    assert code == 0
    assert checks["size"]["status"] == "warn"
    for word in ("4000 cores", "memory", "64 GPUs"):
        assert f"`a` asks for {word}" in checks["size"]["text"] or word in checks["size"]["text"]


# --- the steps --------------------------------------------------------------------------------------


def test_files_that_are_not_there(look, tmp_path):
    steps = (
        "  e: {kind: environment, requirements: requirements.txt}\n"
        "  t: {kind: training, environment: e, script: train.py, inputs: [data, '*.csv']}\n"
    )
    code, checks = look(steps)
    assert code == 1
    for name in ("requirements.txt of `e`", "train.py of `t`", "data of `t`"):
        assert name in checks["files"]["text"]
    for name in ("requirements.txt", "train.py", "data"):
        (tmp_path / "lab" / name).write_text("")
    code, checks = look(steps)
    assert (code, checks["files"]["text"]) == (0, "all 3 that steps name are there")


def test_what_another_step_makes_need_not_be_there(look):
    _, checks = look(
        "  a: {kind: command, command: [/bin/true], artifacts: {d: data}}\n"
        "  b: {kind: command, command: [/bin/true], inputs: [data/x.csv]}\n"
    )
    assert "files" not in checks


def test_programs_that_commands_begin_with(look):
    steps = "".join(f"  s{n}: {{kind: command, command: [no-such-program, x]}}\n" for n in range(5))
    code, checks = look(steps + "  ok: {kind: command, command: [sh, -c, 'true']}\n")
    assert code == 1
    assert checks["no-such-program"]["text"] == "not on PATH; needed by s0, s1, s2 and 2 more"
    assert checks["sh"]["status"] == "ok"


def test_programs_of_an_environment_are_not_looked_for(look):
    _, checks = look(
        "  e: {kind: environment, requirements: [numpy]}\n"
        "  a: {kind: command, environment: e, command: [no-such-program]}\n"
        "  b: {kind: command, env: {PATH: /opt/bin}, command: [no-such-program]}\n"
    )
    assert "no-such-program" not in checks


def test_python_that_is_only_python3(look, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    _, checks = look("  a: {kind: command, command: [python, x.py]}\n")
    assert checks["python"]["fix"] == "write python3, or give the step an `environment`"


@pytest.mark.live
def test_pythons_of_environments(look):
    code, checks = look(
        f"  a: {{kind: environment, python: {sys.executable}, requirements: [numpy]}}\n"
        "  b: {kind: environment, python: '3.99', requirements: [numpy]}\n"
        "  c: {kind: environment, python: ./none/python, requirements: [numpy]}\n"
    )
    assert code == 1
    assert checks[f"Python {sys.executable}"]["status"] == "ok"
    assert checks["Python 3.99"]["status"] == "warn"
    assert "python install 3.99" in checks["Python 3.99"]["fix"]
    assert checks["Python ./none/python"]["status"] == "fail"


def test_optional_targets_that_are_not_there(look):
    code, checks = look(
        "  a: {kind: training, target: box, script: x.py}\n"
        "  b: {kind: command, command: [/bin/true]}\n",
        top="targets: {box: {provider: docker, optional: true}}",
    )
    assert code == 0
    assert checks["target"]["status"] == "warn"
    assert "skipped: a" in checks["target"]["text"]
    assert "files" not in checks


def test_secrets_are_read_and_never_shown(look, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("A_TOKEN", "hunter2")
    monkeypatch.delenv("B_TOKEN", raising=False)
    (tmp_path / "lab" / "key").write_text("hunter3\n")
    code, checks = look(
        top="secrets: {a: {env: A_TOKEN}, b: {env: B_TOKEN}, c: {file: key}, d: {file: none},"
        " e: {command: [no-such-program]}, f: {command: [sh, -c, 'touch ran']}}"
    )
    assert code == 1
    assert {n: c["status"] for n, c in checks.items() if n.startswith("secret")} == {
        "secret a": "ok", "secret b": "fail", "secret c": "ok", "secret d": "fail",
        "secret e": "fail", "secret f": "ok",
    }  # fmt: skip
    assert "export B_TOKEN" in checks["secret b"]["fix"]
    assert "hunter" not in json.dumps(checks)
    assert not (tmp_path / "lab" / "ran").exists()


def test_programs_get_no_secret_where_nobody_knows_which_they_are(look, monkeypatch):
    given: list[set[str]] = []
    monkeypatch.setattr(
        doctor_machine, "version_of", lambda argv, ambient: given.append(set(ambient)) or "uv 1"
    )
    monkeypatch.setattr(Machine, "tool", lambda *_: "/somewhere/uv")
    monkeypatch.setenv("A_TOKEN", "hunter2")
    look(top="secrets: {a: {env: A_TOKEN}}")
    code, _ = look("  a: {kind: nonsense}\n", top="secrets: {a: {env: A_TOKEN}}")
    os.unlink("Labfile.yaml")
    main(["doctor"])
    assert code == 1 and len(given) == 3
    assert all("PATH" in names and "A_TOKEN" not in names for names in given)


def test_docker_is_asked_only_where_it_is_used(monkeypatch, tmp_path):
    def graph(provider: str) -> Graph:
        step = Step(
            address="a", name="a", kind="command", target=Target(name="box", provider=provider)
        )
        return Graph(labfile=None, steps={"a": step}, needs={}, refs={})

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert not list(doctor_steps._docker(graph("local"), "x"))
    (check,) = doctor_steps._docker(graph("docker"), "x")
    assert (check.status, check.name) == (Status.FAIL, "docker")


# --- the state --------------------------------------------------------------------------------------


def store(tmp_path, *events: object) -> str:
    root = str(tmp_path / "lab")
    with Journal(state_path(root), root) as journal:
        lab = journal.open("t", create=True)
        lab.append(*(events or [RunStarted(run=1, time=1, command="apply", labfile="x")]))
        return lab.row.key


def test_a_state_that_is_well(look, tmp_path):
    store(tmp_path)
    _, checks = look()
    assert checks["state"]["text"].startswith("0 steps remembered from 1 run, ")
    assert checks["lock"]["text"] == "free"
    assert checks["processes"]["status"] == "ok"


def test_a_state_that_is_damaged(look, tmp_path):
    store(tmp_path)
    path = tmp_path / "lab" / ".lab" / "state.db"
    for extra in path.parent.glob("state.db-*"):
        extra.unlink()
    path.write_bytes(b"not a database, by far" * 100)
    code, checks = look()
    assert (code, checks["state"]["status"]) == (1, "fail")
    assert checks["state"]["fix"]


def test_who_holds_the_lock(look, tmp_path):
    store(tmp_path)
    root = str(tmp_path / "lab")
    with Journal(state_path(root), root) as journal:
        lock = Lock(journal.open("t"), "lab apply")
        lock.acquire()
        code, checks = look()
        lock.release()
    assert code == 0
    assert "`lab apply`" in checks["lock"]["text"]
    assert str(os.getpid()) in checks["lock"]["text"]
    assert "processes" not in checks


def test_processes_that_a_killed_run_left(look, tmp_path):
    mark = "lab-" + sha256(store(tmp_path).encode()).hexdigest()[:20] + ":1"
    child = subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: mark})
    try:
        end = time.monotonic() + 10
        while not find_marked(mark) and time.monotonic() < end:
            time.sleep(0.01)
        code, checks = look()
    finally:
        child.kill()
        child.wait()
    assert code == 0
    assert checks["processes"]["status"] == "warn"
    assert checks["processes"]["fix"] == f"kill {child.pid}"


def test_a_network_file_system(look, monkeypatch):
    monkeypatch.setattr(doctor_state, "is_remote", lambda folder: True)
    code, checks = look()
    assert (code, checks["folder"]["status"]) == (0, "warn")


def test_a_folder_that_cannot_be_written_to(look, monkeypatch):
    monkeypatch.setattr(doctor_state, "writable", lambda folder: False)
    code, checks = look()
    assert (code, checks["folder"]["status"]) == (1, "fail")


# --- how it looks -----------------------------------------------------------------------------------


def test_long_texts_are_wrapped_and_control_characters_shown():
    text = checks_text(
        [
            Check(about="x", name="a", text="word " * 40, status=Status.WARN, fix="do " * 50),
            Check(about="x", name="longer name", text="\x1b[31mred", status=Status.FAIL),
        ],
        colour=False,
    )
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert text.endswith("1 problem, 1 warning")
