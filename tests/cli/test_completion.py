"""What a shell is told when somebody presses Tab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from lab.cli.completion_words import FILES, FOLDERS, candidates
from lab.cli.main import VERBS, main

LABFILE = """labfile: 1
vars: {epochs: 3, lr: 0.1}
targets: {box: {provider: docker}}
steps:
  env: {kind: command, command: [x]}
  train: {kind: command, command: [x], tags: [gpu, long]}
  test: {kind: command, command: [x], tags: [quick]}
"""


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    (tmp_path / "Labfile.yaml").write_text(LABFILE)
    (tmp_path / "Labfile.prod.yaml").write_text("vars: {}")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(*line: str) -> list[str]:
    return [each.partition("\t")[0] for each in candidates(line)]


def test_commands_with_what_they_do():
    assert words("") == list(VERBS)
    assert candidates(["gra"]) == [f"graph\t{VERBS['graph']}"]


def test_options_of_a_command():
    assert "--format" in words("graph", "-")
    assert words("graph", "--for") == ["--format"]
    assert all("\t" in each for each in candidates(["graph", "--inst"]))


@pytest.mark.parametrize(
    "verb", [verb for verb in VERBS if verb not in ("version", "state", "import", "export")]
)
def test_every_command_tells_its_options(verb):
    assert "--help" in words(verb, "--")


NO_STATE = {"validate", "graph", "export katib"}  # read the Labfile alone
RUN_ANYWAY = {"apply", "destroy", "state import"}  # run its commands, too


def test_whatever_looks_at_a_state_may_be_allowed_the_command_that_tells_where_it_is():
    lines = []
    for verb in VERBS:
        branches = getattr(import_module(f"lab.cli.{verb}"), "VERBS", {})
        lines += [[verb, branch] for branch in branches] or [[verb]]
    for line in lines:
        options = words(*line, "--")
        if "--overlay" in options and " ".join(line) not in NO_STATE | RUN_ANYWAY:
            assert "--allow-commands" in options, f"lab {' '.join(line)}"


@pytest.mark.parametrize("verb", ["import", "export"])
def test_commands_with_branches_complete_them(verb):
    assert words(verb, "") == ["katib"]
    assert "--help" in words(verb, "katib", "--")


def test_choices_behind_an_option():
    assert words("graph", "--format", "") == ["text", "dot", "mermaid"]
    assert words("graph", "--format=m") == ["--format=mermaid"]
    assert words("graph", "--format", "=", "m") == ["mermaid"]  # as bash divides it
    assert words("graph", "--format", "=") == ["text", "dot", "mermaid"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["env", "train", "test"]),
        ("t", ["train", "test"]),
        ("env,t", ["env,train", "env,test"]),
        ("+tr", ["+train"]),
        ("env,+te", ["env,+test"]),
    ],
)
def test_steps(typed, found):
    assert words("graph", "--only", typed) == found


def test_other_names_of_the_labfile():
    assert words("graph", "--tags", "") == ["gpu", "long", "quick"]
    assert words("graph", "-e", "") == ["prod"]
    assert words("graph", "--var", "e") == ["epochs="]


def test_the_labfile_that_is_meant(lab, tmp_path):
    other = tmp_path / "below" / "Labfile.yaml"
    other.write_text("labfile: 1\nsteps: {other: {kind: command, command: [x]}}")
    assert words("graph", "below", "--only", "") == ["other"]
    assert words("graph", "below/Labfile.yaml", "--only", "") == ["other"]
    assert words("graph", "-C", "below", "--only", "") == ["other"]
    os.chdir(lab)


def test_a_labfile_above_is_found(lab, monkeypatch):
    monkeypatch.chdir(lab / "below")
    assert words("graph", "--only", "") == ["env", "train", "test"]


def test_files_are_the_shells_own_matter():
    assert words("graph", "") == [FILES]
    assert words("graph", "-C", "") == [FOLDERS]
    assert words("init", "") == [FOLDERS]


def test_a_folder_before_the_command(lab, monkeypatch):
    monkeypatch.chdir("/")
    assert words("-C", "") == [FOLDERS]
    assert words("-C", str(lab), "gra") == ["graph"]
    assert words("-C", str(lab), "state", "sh") == ["show"]
    monkeypatch.chdir("/")
    assert words("-C", str(lab), "explain", "tr") == ["train"]


def test_parts_of_the_state_command():
    assert "unlock" in words("state", "")
    assert words("state", "rm", "tr") == ["train"]
    assert "--yes" in words("state", "rm", "--")


@pytest.mark.parametrize(
    "text", ["", "steps: [", "steps: 3", "\xff", "a: &a [*a]", "steps: {1: 2}", "- x"]
)
def test_a_broken_labfile_completes_nothing(lab, text):
    (lab / "Labfile.yaml").write_bytes(text.encode("latin-1"))
    assert words("graph", "--only", "") in ([], ["1"])
    assert words("graph", "--tags", "") == []


@pytest.mark.parametrize("line", [["nothing", ""], ["graph", "--nonsense", "x"], ["-x", ""], ["x"]])
def test_nonsense_is_no_error(line):
    assert isinstance(candidates(line), list)


def test_names_of_steps_for_scripts(capsys):
    assert main(["completion", "--steps"]) == 0
    assert capsys.readouterr().out.split() == ["env", "train", "test"]


def test_a_shell_must_be_named(capsys):
    assert main(["completion"]) == 2
    assert "bash|zsh|fish" in capsys.readouterr().err


def completed(tmp_path, *line: str) -> list[str]:
    """What bash has in COMPREPLY for a line."""
    tool = tmp_path / "bin" / "lab"
    tool.parent.mkdir(exist_ok=True)
    root = Path(__file__).resolve().parents[2]
    tool.write_text(f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" -m lab "$@"\n')
    tool.chmod(0o755)
    script = tmp_path / "completion.bash"
    with open(script, "w") as file:
        subprocess.run([tool, "completion", "bash"], stdout=file, check=True, cwd=tmp_path)
    ask = """
        source "$1"; shift; compopt() { :; }
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _lab "$1" "${@: -1}" "${@: -2:1}"
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    argv = ["bash", "-c", ask, "bash", str(script), str(tool), *line]
    run = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert run.stderr == ""
    return run.stdout.split()


@pytest.mark.live
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash(tmp_path):
    assert completed(tmp_path, "gra") == ["graph"]
    assert completed(tmp_path, "graph", "--only", "") == ["env", "train", "test"]
    assert completed(tmp_path, "graph", "bel") == ["below"]
    assert completed(tmp_path, "graph", "-C", "") == ["below", "bin"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_name_the_command_and_call_it(capsys, shell):
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert "completion --complete" in text
    assert ":files" in text
