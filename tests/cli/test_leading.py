"""Options that stand before the command."""

from __future__ import annotations

import os

import pytest

from lab.cli.main import main

LABFILE = "labfile: 1\nname: here\nsteps:\n  one: {kind: command, command: [x]}\n"


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "Labfile.yaml").write_text(LABFILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        ["-C", "lab", "graph"],
        ["-Clab", "graph"],
        ["--no-color", "-C", "lab", "graph"],
        ["graph", "-C", "lab"],
    ],
)
def test_the_folder_may_stand_on_either_side(line, elsewhere, capsys):
    assert main(line) == 0
    assert "one" in capsys.readouterr().out
    assert os.getcwd() == str(elsewhere / "lab")


def test_it_is_said_of_a_branch_of_a_command(elsewhere, capsys):
    assert main(["-C", "lab", "state", "list"]) == 4
    assert f"no state in {elsewhere / 'lab'}" in capsys.readouterr().err


@pytest.mark.parametrize("line", [["--yes", "apply"], ["--json"]])
def test_an_option_of_a_command_is_sent_behind_it(line, capsys):
    assert main(line) == 2
    assert f"`{line[0]}` comes behind the command" in capsys.readouterr().err


def test_without_a_command_there_is_help(elsewhere, capsys):
    assert main(["-C", "lab"]) == 0
    assert "usage: lab [-C DIR] COMMAND" in capsys.readouterr().out
