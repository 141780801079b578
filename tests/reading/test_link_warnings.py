"""What linking warns of: names that nothing uses, credentials in plain sight."""

from __future__ import annotations

import time

import pytest
from catalogs import portable
from linked import bound, linked

from lab.model.diagnostic import Severity, render
from lab.reading.link import link


def warnings(text: str) -> list[str]:
    found = linked(text).warnings
    assert all(each.severity is Severity.WARNING and each.help for each in found)
    return [each.summary for each in found]


@pytest.mark.parametrize(
    "use",
    [
        "command: 'echo {{ vars.a }}'",
        "command: \"echo {{ vars['a'] }}\"",
        "command: [echo, '{{ vars.a | default(1) }}']",
        "command: 'echo {{ vars[lab.name] }}'",
        "command: 'echo {{ vars }}'",
        "command: x, when: vars.a > 1",
        "command: x, require: [outputs.x > vars.a]",
        "command: x, protect: vars.a == 3",
        "command: x, timeout: '{{ vars.a }}'",
        "command: x, matrix: {n: ['{{ vars.a }}']}",
        "command: x, env: {A: '{{ vars.a }}'}",
    ],
)
def test_a_variable_that_is_used(use: str) -> None:
    assert warnings(f"vars: {{a: 3}}\nsteps: {{x: {{kind: command, {use}}}}}\n") == []


@pytest.mark.parametrize(
    "use",
    ["command: x", "command: 'echo vars.a'", "command: 'echo {{ env.HOME }} vars.a'"],
)
def test_a_variable_that_nothing_uses(use: str) -> None:
    text = f"vars: {{a: 3}}\nsteps: {{x: {{kind: command, {use}}}}}\n"
    assert warnings(text) == ["nothing uses the variable 'a'"]
    [found] = linked(text).warnings
    assert found.span is not None
    assert (found.span.line, found.span.column) == (3, 8)


def test_a_variable_may_be_used_by_targets_outputs_and_other_variables() -> None:
    assert not warnings(
        """
        vars: {a: 1, b: "{{ vars.a }}", c: 2, d: 3}
        targets: {box: {provider: docker, host: "{{ vars.c }}"}}
        outputs: {x: "{{ vars.b }}{{ vars.d }}"}
        steps: {}
        """
    )


@pytest.mark.parametrize(
    ("step", "unused"),
    [
        ("command: [t, '{{ parameters.a }}', '{{ parameters.b.c }}']", []),
        ("command: [t, '{{ parameters | tojson }}']", []),
        ("command: [t, '{{ parameters.a }}']", ["b"]),
        ("command: [t], env: {A: '{{ parameters.a }}', B: '{{ parameters.b }}'}", []),
        ("command: [t]", ["a", "b"]),
        ("script: t.py", []),
        ("module: t.task", []),
    ],
)
def test_parameters_that_no_one_gets(step: str, unused: list[str]) -> None:
    text = f"steps: {{x: {{kind: training, parameters: {{a: 1, b: {{c: 2}}}}, {step}}}}}\n"
    assert warnings(text) == [f"nothing uses the parameter '{n}' of step 'x'" for n in unused]


def test_a_parameter_is_warned_of_once() -> None:
    assert warnings(
        """
        steps:
          x: {kind: training, matrix: {n: [1, 2]}, parameters: {a: 1}, command: [t]}
          y: {like: x}
        """
    ) == ["nothing uses the parameter 'a' of step 'x'"]


@pytest.mark.parametrize(
    ("name", "value", "warned"),
    [
        ("HUB_TOKEN", "hf_abcdefghijklmnop", True),
        ("DB_PASSWORD", "correct horse", True),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMIK7MDENGbPxRfiCY", True),
        ("api_key", "0123456789abcdef", True),
        ("ANY", "-----BEGIN RSA PRIVATE KEY-----\\nMII", True),
        ("HUB_TOKEN", "{{ secrets.t }}", False),
        ("HUB_TOKEN", "short", False),
        ("TOKEN_FILE", "/run/secrets/token", False),
        ("HUB_TOKEN", "/run/secrets/token", False),
        ("TOKENS", "some words to count", False),
        ("SORT_KEY", "alphabetical", False),
        ("NAME", "0123456789abcdef", False),
        ("PGPASSWORD", "correct horse", True),
        ("ANY", "AKIAIOSFODNN7EXAMPLE", True),
        ("DSN", "postgres://ann:correcthorse@db/lab", True),
        ("DSN", "postgres://ann@db/lab", False),
        ("URL", "https://example.com/a:b@c", False),
        ("HUB_TOKEN", "{{ env.HOME }}", True),
        ("HUB_TOKEN", "{{ vars.v }}", True),
        ("HUB_TOKEN", "{{ secrets.t if vars.v else '' }}", False),
        ("PLACE", "{{ env.HOME }}", False),
    ],
)
def test_credentials_in_plain_sight(name: str, value: str, warned: object) -> None:
    text = (
        "secrets: {t: {env: T}}\nvars: {v: abcdefgh}\noutputs: {v: '{{ vars.v }}'}\n"
        f'steps:\n  x:\n    kind: command\n    command: x\n    env: {{{name}: "{value}"}}\n'
    )
    found = linked(text).warnings
    assert bool(found) is warned
    for each in found:
        assert f"`{name}`" in each.summary
        assert "Labfile.yaml:10:" in each.summary
        assert value not in render(each, lambda _: text, color=False)


def test_a_default_credential_is_warned_of_once() -> None:
    text = "defaults: {env: {A_TOKEN: abcdefghijkl}}\nsteps: {x: {kind: command, command: x}, y: {like: x}}\n"
    assert len(warnings(text)) == 1


def _literal(count: int) -> str:
    lines = ["steps:"]
    for i in range(count):
        needs = f", needs: [s{i - 1}]" if i % 7 else ""
        lines.append(
            f"  s{i}: {{kind: command, command: [python, t.py, '{i}', in/x{i}],"
            f" artifacts: {{m: out/m{i}}}, env: {{A: b}}{needs}}}"
        )
    return "\n".join(lines)


def _seconds(count: int) -> float:
    labfile, catalog = bound(_literal(count)), portable()
    taken = []
    for _ in range(3):
        begun = time.process_time()
        link(labfile, catalog)
        taken.append(time.process_time() - begun)
    return min(taken)


def test_linking_literal_steps_is_quick_and_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise AssertionError("a literal Labfile needs no parser")

    monkeypatch.setattr("lab.reading.template_parse._parse", refuse)
    few, many = _seconds(250), _seconds(2000)
    assert few < 0.05
    assert many < 8 * few * 2.5
