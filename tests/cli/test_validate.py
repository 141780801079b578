"""What `lab validate` says of right and wrong Labfiles."""

from __future__ import annotations

import json

import pytest

from lab.cli.main import main

RIGHT = """labfile: 1
name: t
steps:
  a: {kind: command, command: [x]}
  b: {kind: command, command: [x, "{{ steps.a.outputs.v }}"]}
"""
WRONG = """labfile: 1
steps:
  a: {kind: comand, command: [x]}
  b: {kind: command, command: [x], timeuot: 5m}
"""


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    def checked(text: str, *words: str) -> tuple[int, str, str]:
        (tmp_path / "Labfile.yaml").write_text(text)
        monkeypatch.chdir(tmp_path)
        code = main(["validate", *words])
        return (code, *capsys.readouterr())

    return checked


def test_a_right_one_is_said_so_in_a_line(check):
    assert check(RIGHT) == (0, "Labfile.yaml is right: 2 steps, 1 kind\n", "")


def test_warnings_are_shown_and_counted(check):
    code, out, err = check("vars: {unused: 1}\n" + RIGHT)
    assert code == 0
    assert out == "Labfile.yaml is right: 2 steps, 1 kind, 1 warning\n"
    assert "Labfile.yaml:1:8: warning" in err


def test_every_fault_is_told_at_once_on_stderr(check):
    code, out, err = check(WRONG)
    assert (code, out) == (2, "")
    assert "Labfile.yaml:3:13: error" in err
    assert "did you mean `command`?" in err
    assert "did you mean `timeout`?" in err
    assert "2 errors" in err


def test_quiet_says_nothing_of_a_right_one(check):
    assert check(RIGHT, "-q") == (0, "", "")


def test_json_is_a_list_of_faults(check):
    code, out, err = check(WRONG, "--json")
    first, second = json.loads(out)
    assert (code, err) == (2, "")
    assert first["file"] == "Labfile.yaml"
    assert (first["line"], first["column"], first["severity"]) == (3, 13, "error")
    assert "comand" in first["summary"]
    assert second["line"] == 4
    assert set(first) == {
        "file", "line", "column", "end_line", "end_column", "severity", "summary", "detail", "help",
    }  # fmt: skip


def test_json_of_a_right_one_holds_its_warnings(check):
    code, out, _ = check("vars: {unused: 1}\n" + RIGHT, "--json")
    assert code == 0
    assert [each["severity"] for each in json.loads(out)] == ["warning"]


def test_a_missing_one_is_an_error_without_a_place(check, tmp_path):
    code, out, _ = check(RIGHT, str(tmp_path / "Labfil.yaml"), "--json")
    assert code == 2
    assert json.loads(out)[0]["line"] is None
    assert "Labfile.yaml" in json.loads(out)[0]["help"]


def test_nothing_is_written(check, tmp_path):
    check(RIGHT)
    assert [path.name for path in tmp_path.iterdir()] == ["Labfile.yaml"]
