"""Secrets are read once, at the last moment, and what cannot be read is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from lab.edge.secrets import Secrets, hidden
from lab.model.diagnostic import LabError
from lab.model.labfile import FromCommand, FromEnv, FromFile, SecretSource

KEY = "ab" * 32


def secrets(
    root: Path,
    sources: Mapping[str, SecretSource],
    environ: Mapping[str, str] | None = None,
    *,
    allow: bool = True,
    key: str = KEY,
) -> Secrets:
    whole = {"PATH": "/usr/bin:/bin", **(environ or {})}
    return Secrets(sources, root=str(root), key=key, environ=whole, allow_commands=allow)


def test_from_the_environment_a_file_and_a_command(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "dos").write_bytes(b"from-dos\r\n")
    found = secrets(
        tmp_path,
        {
            "env": FromEnv("TOKEN"),
            "file": FromFile("token"),
            "dos": FromFile("dos"),
            "absolute": FromFile(str(tmp_path / "token")),
            "command": FromCommand(("cat", "token")),
            "lines": FromCommand(("printf", "a\\nb\\n\\n")),
        },
        {"TOKEN": " from env "},
    )
    assert found.value("env") == " from env "
    assert found.value("file") == found.value("absolute") == "from-file"
    assert found.value("dos") == "from-dos"
    assert found.value("command") == "from-file"
    assert found.value("lines") == "a\nb\n"


def test_a_source_is_read_once_however_many_ask(tmp_path: Path) -> None:
    slow = FromCommand(("sh", "-c", "echo >> count; sleep 0.1; echo value-$(wc -l < count)"))
    found = secrets(tmp_path, {"slow": slow, "env": FromEnv("TOKEN")}, {"TOKEN": "other-token"})
    values: list[str] = []
    threads = [threading.Thread(target=lambda: values.append(found.value("slow"))) for _ in "abcd"]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert found.value("env") == "other-token"
    assert time.monotonic() - began < 0.09, "one secret waits for another"
    for thread in threads:
        thread.join()
    assert values == ["value-1"] * 4


def test_a_failure_is_not_tried_again(tmp_path: Path) -> None:
    found = secrets(tmp_path, {"x": FromCommand(("sh", "-c", "echo >> count; exit 3"))})
    for _ in range(2):
        with pytest.raises(LabError):
            found.value("x")
    assert (tmp_path / "count").read_text() == "\n"


BROKEN: list[tuple[SecretSource, str, str]] = [
    (FromEnv("NO_SUCH"), "environment variable NO_SUCH is not set", "export NO_SUCH"),
    (FromEnv("EMPTY"), "EMPTY is empty", "value"),
    (FromFile("absent"), "No such file", "Write the secret"),
    (FromFile("."), "Is a directory", "Write the secret"),
    (FromFile("binary"), "no text", "Base64"),
    (FromFile("zero"), "zero byte", ""),
    (FromFile("newline"), "is empty", ""),
    (FromFile("huge"), "more than a mebibyte", ""),
    (FromCommand(("no-such-program",)), "cannot be run", "Install"),
    (FromCommand(("sh", "-c", "echo sign in first >&2; exit 4")), "exit status 4", "by hand"),
]


@pytest.mark.parametrize(("source", "why", "advice"), BROKEN, ids=lambda value: str(value)[:30])
def test_what_cannot_be_read_is_said(
    tmp_path: Path, source: SecretSource, why: str, advice: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "zero").write_bytes(b"a\0b")
    (tmp_path / "newline").write_bytes(b"\n")
    (tmp_path / "huge").write_bytes(b"x" * (1024 * 1024 + 1))
    with pytest.raises(LabError) as caught:
        secrets(tmp_path, {"token": source}, {"EMPTY": ""}).value("token")
    said = caught.value.diagnostics[0]
    assert "the secret `token` cannot be read" in said.summary
    assert why in said.summary
    assert advice in said.help
    if "exit status" in why:
        assert said.detail == "sign in first"


def test_an_unknown_name_gets_a_suggestion(tmp_path: Path) -> None:
    found = secrets(tmp_path, {"hub_token": FromEnv("X")})
    with pytest.raises(LabError) as caught:
        found.value("hub_tokn")
    assert "hub_token" in caught.value.diagnostics[0].help


class TestFingerprint:
    def test_it_depends_on_the_value_and_the_key_alone(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("hunter22\n")
        sources = {"a": FromEnv("A"), "b": FromFile("token"), "c": FromEnv("C")}
        environ = {"A": "hunter22", "C": "hunter23"}
        found = secrets(tmp_path, sources, environ)
        first = found.fingerprint("a")
        assert first is not None
        assert len(first) == 16
        assert found.fingerprint("b") == first
        assert found.fingerprint("c") != first
        assert secrets(tmp_path, sources, environ).fingerprint("a") == first
        assert secrets(tmp_path, sources, environ, key="cd" * 32).fingerprint("a") != first

    def test_without_a_key_it_cannot_be_guessed(self, tmp_path: Path) -> None:
        sources = {"a": FromEnv("A")}
        found = secrets(tmp_path, sources, {"A": "hunter22"}, key="")
        assert found.fingerprint("a") == found.fingerprint("a")
        again = secrets(tmp_path, sources, {"A": "hunter22"}, key="")
        assert found.fingerprint("a") != again.fingerprint("a")

    def test_planning_runs_no_command(self, tmp_path: Path) -> None:
        found = secrets(tmp_path, {"x": FromCommand(("touch", "ran"))}, allow=False)
        assert found.fingerprint("x") is None
        with pytest.raises(LabError, match="is not run by what only looks"):
            found.value("x")
        assert not (tmp_path / "ran").exists()
        allowed = secrets(tmp_path, {"x": FromCommand(("echo", "value"))})
        assert allowed.fingerprint("x") is not None


class TestRedacting:
    def test_only_what_was_read_is_hidden(self, tmp_path: Path) -> None:
        found = secrets(
            tmp_path, {"a": FromEnv("A"), "b": FromEnv("B")}, {"A": "hunter22", "B": "sesame42"}
        )
        assert found.redactor() is None
        assert found.redact("hunter22 sesame42") == "hunter22 sesame42"
        found.value("a")
        assert found.redact("hunter22 sesame42") == "*** sesame42"
        found.value("b")
        assert found.redact("hunter22 sesame42 \ud800") == "*** *** \ud800"
        redactor = found.redactor()
        assert redactor is not None
        assert redactor.feed(b"hunter22\n") + redactor.flush() == b"***\n"

    def test_a_failing_command_tells_no_other_secret(self, tmp_path: Path) -> None:
        script = "echo login with $A failed >&2; exit 1"
        found = secrets(
            tmp_path,
            {"x": FromCommand(("sh", "-c", script)), "a": FromEnv("A")},
            {"A": "hunter22"},
        )
        with pytest.raises(LabError) as caught:
            found.value("x")
        assert caught.value.diagnostics[0].detail == "login with *** failed"

    def test_words_from_anywhere_are_cleared_of_all_that_was_read(self, tmp_path: Path) -> None:
        one = secrets(tmp_path, {"a": FromEnv("A")}, {"A": "umbrella-one"})
        other = secrets(tmp_path, {"b": FromEnv("B")}, {"B": "lampshade-two"})
        assert hidden("umbrella-one lampshade-two") == "umbrella-one lampshade-two"
        one.value("a")
        other.value("b")
        assert hidden("umbrella-one lampshade-two") == "*** ***"
