"""Promise 4: planted secrets are in nothing that lab writes, and in no process but the steps that were given them."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from canary_programs import LEAK, PLUGIN

from tests.project import LAB, Project

pytestmark = pytest.mark.live

ENV_WAYS = ("stdout", "traceback", "json", "url", "base64", "split", "output", "artifact", "slow")
FILE_WAYS = ("stderr", "json", "base64", "hex", "output_map", "torn_output", "split")
COMMAND_WAYS = ("stdout", "url", "hex", "output", "output_key", "traceback", "argv", "slow")
VERBS = """
    validate; plan; plan -v; plan --json; plan --allow-commands -v; status; status --json; runs --json
    show env_stdout; show --json gossip_bug; explain env_split; explain command_stdout --json
    graph; graph --format dot; output --json; doctor; drift; state list --json; state show env_output
    state pull; state check; completion bash; logs env_stdout; logs file_json; logs gossip_note; gc --dry-run
"""
SHOWN = [each.split() for each in VERBS.replace("\n", ";").split(";") if each.strip()]


@dataclass
class Canaries:
    """The planted values by the way in which they are planted."""

    env: str = field(default_factory=lambda: f"c4n4ry/\"e&{secrets.token_hex(6)}+é ü'x")
    file: str = field(
        default_factory=lambda: f"f4n4ry-{secrets.token_hex(6)}\n2nd%{secrets.token_hex(6)}"
    )
    command: str = field(default_factory=lambda: f"v4n4ry{secrets.token_hex(8)}")

    def forms(self) -> dict[bytes, str]:
        """Every text that gives one of them away, made without lab's own code, with what it is."""
        found: dict[bytes, str] = {}
        for name in ("env", "file", "command"):
            for line in getattr(self, name).splitlines():
                found |= dict.fromkeys(_forms(line), name)
        return found


def _forms(text: str) -> Iterator[bytes]:
    raw = text.encode()
    yield from (
        raw,
        json.dumps(text)[1:-1].encode(),
        json.dumps(text, ensure_ascii=False)[1:-1].encode(),
    )
    yield from (
        quote(text).encode(),
        quote(text, safe="").encode(),
        quote_plus(text).encode(),
        raw.hex().encode(),
    )
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"\0" * before + raw)
            yield coded[4 if before else 0 : len(coded) - 4]


def found_in(folder: Path, forms: Mapping[bytes, str]) -> dict[str, set[str]]:
    """The files below *folder* that hold one of the values, with which."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            names = {name for form, name in forms.items() if form in data}
            if names:
                found[str(path.relative_to(folder))] = names
    return found


class Sampler:
    """Looks at the command line and the environment of every process, as long as it is open."""

    def __init__(self, forms: Mapping[bytes, str]) -> None:
        self.forms, self.faults, self.seen = forms, set[str](), set[str]()
        self.samples = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.02):
            self.samples += 1
            for number in filter(str.isdecimal, os.listdir("/proc")):
                try:
                    line = Path(f"/proc/{number}/cmdline").read_bytes()
                    environ = Path(f"/proc/{number}/environ").read_bytes()
                except OSError:
                    continue
                self._judge(int(number), line, environ)

    def _judge(self, number: int, line: bytes, environ: bytes) -> None:
        if names := {name for form, name in self.forms.items() if form in line}:
            self.faults.add(f"{names} in the command line {line!r}")
        names = {name for form, name in self.forms.items() if form in environ}
        if not names or number == os.getpid() or str(LAB).encode() in line:  # it was given to lab
            return
        step = next(
            (v[9:].decode() for v in environ.split(b"\0") if v.startswith(b"LAB_STEP=")), ""
        )
        self.seen.add(step)
        given = (
            {step.partition("_")[0]} if step else {"env"} if line.startswith(b"cat\0") else set()
        )
        if names - given:
            self.faults.add(f"{names} in the environment of {line!r}, the step {step!r}")


def _labfile(*, leak: bool = False) -> str:
    steps = []
    for source, ways in (("env", ENV_WAYS), ("file", FILE_WAYS), ("command", COMMAND_WAYS)):
        for way in ways:
            more = ", artifacts: {made: made}" if way == "artifact" else ""
            steps.append(
                f"  {source}_{way}: {{kind: command, command: [python3, leak.py, {way}],"
                f' env: {{S: "{{{{ secrets.by_{source} }}}}"}}{more}}}'
            )
        steps.append(
            f"  {source}_trace: {{kind: command, command: 'set -x; : \"$S\"; exit 4',"
            f" env: {{S: '{{{{ secrets.by_{source} }}}}'}}}}"
        )
    steps += [
        f"  gossip_{way}: {{kind: gossip, way: {way}, token: 'x{{{{ secrets.by_env }}}}'}}"
        for way in ("note", "remember", "refuse", "bug")
    ]
    steps += [
        "  stdin: {kind: command, command: [python3, leak.py, stdin], stdin: '{{ secrets.by_file }}'}",
        "  none_slow: {kind: command, command: [python3, leak.py, slow]}",
        "  env_metric: {kind: training, command: [python3, leak.py, metric],"
        " env: {S: '{{ secrets.by_env }}'}, metrics: {from: stdout}}",
        "  command_metric: {kind: training, command: [python3, leak.py, metric_name],"
        " env: {S: '{{ secrets.by_command }}'}, metrics: {from: jsonl, path: '{{ step.dir }}/metrics.jsonl'}}",
        "  env_undone: {kind: command, command: 'true', destroy: 'echo undoing with $S; false',"
        " env: {S: '{{ secrets.by_env }}'}}",
    ]
    if leak:
        steps.append(
            "  env_leak: {kind: command, command: [python3, leak.py, own_file],"
            " env: {S: '{{ secrets.by_env }}'}}"
        )
    head = "labfile: 1\nname: canary\nsecrets:\n  by_env: {env: CANARY}\n  by_file: {file: ../sources/token}\n"
    return (
        f"{head}  by_command: {{command: [cat, ../sources/vault]}}\nsteps:\n"
        + "\n".join(steps)
        + "\n"
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "lab")
    plugin = tmp_path / "plugin"
    about = plugin / "lab_gossip-1.0.dist-info"
    about.mkdir(parents=True)
    (plugin / "lab_gossip.py").write_text(PLUGIN)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-gossip\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[lab.providers]\ngossip = lab_gossip\n")
    made.env |= {"PYTHONPATH": str(plugin), "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    made.write("leak.py", LEAK)
    return made


def _plant(project: Project, canaries: Canaries) -> None:
    sources = project.folder.parent / "sources"
    sources.mkdir(exist_ok=True)
    (sources / "token").write_text(canaries.file + "\n")
    (sources / "vault").write_text(canaries.command + "\n")
    project.env["CANARY"] = canaries.env


def _run(project: Project, number: int, words: list[str]) -> None:
    """Runs a verb, with all that it prints in a file that is searched afterwards."""
    said = project.folder.parent / "said"
    said.mkdir(exist_ok=True)
    with open(said / f"{number:03}-{'-'.join(words).replace('/', '_')}", "wb") as file:
        subprocess.run(
            [str(LAB), *words],
            cwd=project.folder,
            env=project.env,
            stdout=file,
            stderr=file,
            check=False,
            timeout=120,
        )


def _metrics_of(folder: Path) -> set[str]:
    """What the training itself wrote: its own file of metrics."""
    return {str(path.relative_to(folder)) for path in folder.rglob("metrics.jsonl")}


def test_no_secret_is_in_anything_that_lab_writes(project: Project, tmp_path: Path) -> None:
    first, second = Canaries(), Canaries()
    forms = {**first.forms(), **second.forms()}
    project.labfile(_labfile())
    _plant(project, first)
    with Sampler(forms) as sampler:
        for number, words in enumerate(
            (["plan", "--out", "saved.json"], ["apply", "--json", "-j", "3"], *SHOWN)
        ):
            _run(project, number, list(words))
        _plant(project, second)
        after = "plan -v;plan --json --allow-commands;plan --out second.json;apply -v -j 3"
        after += ";show env_split;runs;destroy --yes;state compact"
        for number, words in enumerate(after.split(";"), 100):
            _run(project, number, words.split())
    (tmp_path / "sources").rename(tmp_path.parent / f"{tmp_path.name}-sources")
    found = found_in(tmp_path, forms)
    own = _metrics_of(tmp_path)
    assert {path: names for path, names in found.items() if path not in own} == {}
    assert not sampler.faults
    assert sampler.samples > 20
    assert "env_slow" in sampler.seen, "the sampler saw no step with its secret, so it saw nothing"
    said = {path.name: path.read_text() for path in (tmp_path / "said").iterdir()}
    events = [
        json.loads(line)
        for line in said["001-apply---json--j-3"].splitlines()
        if line.startswith("{")
    ]
    failed = {e["step"] for e in events if e["event"] == "step.failed"}
    assert {
        "env_output",
        "file_output_map",
        "gossip_bug",
        "gossip_remember",
        "env_traceback",
    } <= failed
    assert "***" in said["001-apply---json--j-3"]
    plan = said["101-plan---json---allow-commands"]
    rotated = {a["step"]: a["action"] for a in json.loads(plan[plan.index("{") :])["actions"]}
    assert rotated["env_stdout"] == rotated["command_stdout"] == "update"
    assert rotated["none_slow"] == "keep"
    assert os.environ.get("CANARY") is None


def test_a_leak_of_the_steps_own_is_found(project: Project, tmp_path: Path) -> None:
    """The search works: what a step itself writes to a file is there, and nothing else is."""
    canaries = Canaries()
    project.labfile(_labfile(leak=True))
    _plant(project, canaries)
    project.lab("apply", "--only", "env_leak")
    found = found_in(project.folder, canaries.forms())
    assert found == {".lab/work/canary/steps/env_leak/mine": {"env"}}


def test_a_secret_in_another_process_is_found() -> None:
    """The sampling works: it sees a command line and an environment that hold one."""
    canaries = Canaries()
    with Sampler(canaries.forms()) as sampler:
        told = subprocess.Popen(["sleep", "0.7"], env={"X": canaries.env})
        shown = subprocess.Popen(["sh", "-c", "sleep 0.7", canaries.command])
        told.wait()
        shown.wait()
    assert any("in the command line" in each for each in sampler.faults)
    assert any("in the environment" in each for each in sampler.faults)
