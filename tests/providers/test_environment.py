"""The ``environment`` kind with uv: real installations are small, complaints are scripted."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.model.values import ABSENT, Artifact
from lab.provider import Change, Completed, Refused, Retry
from lab.testing import Conformance, FakeIo, Killed, RealIo, World, made, task_for
from providers.local import _uv, environment
from providers.local._uv import Progress, explain
from providers.local.environment import Spec

SIX = ["six==1.17.0"]


def make(world, **keys):
    spec = Spec(**keys)
    outputs = environment.apply(task_for(world, spec), world)
    return outputs, made(world, spec, outputs)


@pytest.mark.live
class TestEnvironmentConforms(Conformance):
    provider = environment

    def good(self, world: World) -> dict:
        return {"requirements": SIX}

    def failing(self, world: World) -> dict:
        return {"requirements": ["six==0.0.0.dev1"]}

    def remove(self, world, record) -> None:
        subprocess.run(["rm", "-r", f"{world.directory}/venv"], check=True)

    def left_behind(self, world: World):
        return [p.name for p in Path(world.directory).iterdir()]


@pytest.mark.live
def test_what_is_made(tmp_path):
    io = RealIo(tmp_path, address="env")
    outputs, _ = make(io, requirements=["tqdm"])
    python = outputs["python"]
    code = "import tqdm, sys; print(tqdm.__cached__, sys.prefix)"
    cached, prefix = subprocess.check_output([python.path, "-c", code], text=True).split()
    assert Path(cached).exists(), "bytecode was not compiled"
    assert prefix == f"{io.directory}/venv"
    assert outputs["packages"] == 1
    assert subprocess.run([f"{outputs['bin']}/tqdm", "--version"], check=True)
    lock = (tmp_path / "env.lock").read_text()
    assert "colorama" in lock, "the lock is for this platform only"
    assert "--hash=sha256:" in lock
    assert "://" not in lock and str(tmp_path) not in lock
    assert {p.name for p in Path(io.directory).iterdir()} == {"venv"}


@pytest.mark.live
def test_a_rebuilt_environment_counts_as_the_same(tmp_path):
    io = RealIo(tmp_path / "a", address="env")
    first, _ = make(io, requirements=SIX)
    other = RealIo(tmp_path / "b", address="env")
    (tmp_path / "b/env.lock").write_text((tmp_path / "a/env.lock").read_text())
    second, _ = make(other, requirements=SIX)
    assert first["python"].digest == second["python"].digest
    assert first["lock"].digest == second["lock"].digest


@pytest.mark.live
def test_the_lock_decides_and_is_kept_when_requirements_grow(tmp_path):
    io = RealIo(tmp_path, address="env")
    make(io, requirements=["six<1.17"])
    lock = tmp_path / "env.lock"
    assert "six==1.16.0" in lock.read_text()
    before, _ = make(io, requirements=["six"])
    assert "six==1.16.0" in lock.read_text(), "an unrelated pin moved"
    text = lock.read_text()
    after, _ = make(io, requirements=["six", "iniconfig"])
    assert "six==1.16.0" in lock.read_text() and "iniconfig==" in lock.read_text()
    assert lock.read_text() != text and after["packages"] == 2
    assert before["python"].digest != after["python"].digest


@pytest.mark.live
def test_a_changed_lock_is_drift_and_then_obeyed(tmp_path):
    io = RealIo(tmp_path, address="env")
    _, record = make(io, requirements=["six<1.17"])
    assert environment.observe(record, io).drift == ()
    other = RealIo(tmp_path / "other", address="env")
    make(other, requirements=["six==1.15.0"])
    pins = (tmp_path / "other/env.lock").read_text().split("\n", 2)[2]
    head = (tmp_path / "env.lock").read_text().split("\n")[:2]
    (tmp_path / "env.lock").write_text("\n".join([*head, pins]))
    drift = environment.observe(record, io).drift
    assert [change.path for change in drift] == ["lock"]
    outputs, _ = make(io, requirements=["six<1.17"])
    shown = subprocess.check_output(
        [outputs["python"].path, "-c", "import six; print(six.__version__)"], text=True
    )
    assert shown.strip() == "1.15.0"


@pytest.mark.live
def test_an_interrupted_installation_is_made_anew(tmp_path):
    io = RealIo(tmp_path, address="env")
    make(io, requirements=SIX)
    venv = Path(io.directory, "venv")
    (venv / ".lab-environment").unlink()
    stray = next(venv.glob("lib/*/site-packages")) / "stray.py"
    stray.write_text("")
    make(io, requirements=SIX)
    assert not stray.exists()


@pytest.mark.live
def test_made_offline_from_the_cache(tmp_path):
    make(RealIo(tmp_path, address="env"), requirements=SIX)
    Path(tmp_path, ".lab/work/conformance/steps/env/venv/.lab-environment").unlink()
    io = RealIo(tmp_path, address="env", env={"HTTPS_PROXY": "http://127.0.0.1:9"})
    outputs, _ = make(io, requirements=SIX)
    assert Path(outputs["python"].path).exists()
    assert "installed from uv's cache" in io.notes


@pytest.mark.live
def test_no_network_is_another_attempt_s_hope(tmp_path):
    env = {"HTTPS_PROXY": "http://127.0.0.1:9", "UV_CACHE_DIR": str(tmp_path / "cache")}
    io = RealIo(tmp_path / "lab", address="env", env={**env, "UV_HTTP_RETRIES": "0"})
    with pytest.raises(Retry, match="the package index cannot be reached"):
        make(io, requirements=SIX)


@pytest.mark.live
def test_a_python_that_is_not_there(tmp_path):
    with pytest.raises(Refused, match="that Python is not there") as refused:
        make(RealIo(tmp_path), python="3.99", requirements=SIX)
    assert "3.99" in refused.value.detail


@pytest.mark.live
def test_what_cannot_be_satisfied_is_explained(tmp_path):
    with pytest.raises(Refused, match="the requirements cannot be satisfied") as refused:
        make(RealIo(tmp_path), requirements=["six==0.0.0.dev1"])
    assert "there is no version of six==0.0.0.dev1" in refused.value.detail
    assert "╰" not in refused.value.detail and "error:" not in refused.value.detail


@pytest.mark.live
def test_a_package_with_another_hash_is_refused(tmp_path):
    io = RealIo(tmp_path, address="env", env={"UV_CACHE_DIR": str(tmp_path / "cache")})
    make(io, requirements=SIX)
    lock = tmp_path / "env.lock"
    lock.write_text(re.sub("hash=sha256:.{64}", "hash=sha256:" + "0" * 64, lock.read_text()))
    Path(io.directory, "venv/.lab-environment").unlink()
    with pytest.raises(Refused, match="not what the lock says"):
        make(io, requirements=SIX)


# --- scripted uv ------------------------------------------------------------------------------


def fake_uv(ran):
    """Does what uv would leave on the disk, and nothing else."""
    words = list(ran.argv[1:])
    if words[0] == "venv":
        venv = Path(words[-1])
        (venv / "bin").mkdir(parents=True)
        (venv / "bin/python").write_text("")
        (venv / "pyvenv.cfg").write_text("home = /x\nversion_info = 3.11.7\n")
    if words[:2] == ["pip", "compile"]:
        Path(words[words.index("--output-file") + 1]).write_text("six==1\n    --hash=sha256:ab\n")
    return 0


def uv_calls(io):
    return [ran.argv[1:] for ran in io.ran if ran.argv[0].endswith("uv")]


def test_memory_comes_before_the_first_program(tmp_path):
    io = FakeIo(tmp_path, {"uv": fake_uv})
    io.dies_after = 1
    with pytest.raises(Killed):
        make(io, requirements=SIX)
    assert io.memory == {"directory": io.directory, "files": []} and io.ran == []


def test_nothing_is_resolved_or_installed_again_without_need(tmp_path):
    io = FakeIo(tmp_path, {"uv": fake_uv})
    make(io, requirements=SIX)
    io.ran.clear()
    make(io, requirements=SIX)
    assert [call[0] for call in uv_calls(io)] == ["venv"]


def test_hashes_bytecode_and_platforms(tmp_path):
    io = FakeIo(tmp_path, {"uv": fake_uv})
    make(io, requirements=SIX)
    calls = {call[1]: call for call in uv_calls(io) if call[0] == "pip"}
    assert {"--universal", "--generate-hashes"} <= set(calls["compile"])
    assert {"--require-hashes", "--compile-bytecode"} <= set(calls["sync"])
    assert all(ran.env["PYTHONDONTWRITEBYTECODE"] == "" for ran in io.ran)


@pytest.mark.parametrize(
    ("listed", "accelerator", "lock", "small"),
    [
        ("", "auto", "env.lock", True),
        ("GPU 0: NVIDIA", "auto", "env.gpu.lock", False),
        ("GPU 0: NVIDIA", "cpu", "env.lock", True),
        ("", "gpu", "env.lock", False),
    ],
)
def test_builds_for_this_machine(tmp_path, listed, accelerator, lock, small):
    asked = []

    def uv(ran):
        if "compile" in ran.argv:
            asked.append(Path(ran.argv[3]).read_text())
        return fake_uv(ran)

    programs = {"uv": uv, "nvidia-smi": lambda ran: Completed(0 if listed else 9, listed)}
    io = FakeIo(tmp_path, programs, address="env")
    if os.path.exists("/dev/nvidia0") and not listed and accelerator == "auto":
        pytest.skip("this machine has a GPU")
    make(io, requirements=["tensorflow[and-cuda]"], accelerator=accelerator)
    assert (tmp_path / lock).exists()
    assert ("tensorflow-cpu" in asked[0]) is small


def test_no_gpu_is_looked_for_without_need(tmp_path):
    io = FakeIo(tmp_path, {"uv": fake_uv, "nvidia-smi": lambda ran: "GPU 0"}, address="env")
    make(io, requirements=SIX)
    assert not any(ran.argv[0].endswith("nvidia-smi") for ran in io.ran)
    assert (tmp_path / "env.lock").exists()


def test_an_interpreter_s_path_is_relative_to_the_lab(tmp_path):
    io = FakeIo(tmp_path, {"uv": fake_uv})
    make(io, requirements=SIX, python="py/bin/python")
    call = uv_calls(io)[0]
    assert call[call.index("--python") + 1] == f"{tmp_path}/py/bin/python"


def test_index_options_reach_the_installation_and_not_the_lock(tmp_path):
    (tmp_path / "r.txt").write_text("six\n--extra-index-url https://u:p@index.example/simple\n")
    seen = []

    def uv(ran):
        if "sync" in ran.argv:
            seen.append(Path(ran.argv[-1]).read_text())
        return fake_uv(ran)

    io = FakeIo(tmp_path, {"uv": uv}, address="env")
    make(io, requirements="r.txt")
    assert seen == ["--extra-index-url https://u:p@index.example/simple\n"]
    assert "index.example" not in (tmp_path / "env.lock").read_text()
    assert not any("index.example" in word for call in uv_calls(io) for word in call)
    assert {p.name for p in Path(io.directory).iterdir()} == {"venv"}


def test_a_missing_interpreter_means_it_is_gone(tmp_path):
    io = FakeIo(tmp_path, {"uv": fake_uv}, address="env")
    _, record = make(io, requirements=SIX)
    assert environment.observe(record, io).drift == ()
    Path(record.done.outputs["python"].path).unlink()
    assert environment.observe(record, io) is None


def test_a_changed_file_that_another_includes_is_drift(tmp_path):
    (tmp_path / "r.txt").write_text("-r more.txt\n")
    (tmp_path / "more.txt").write_text("six\n")
    io = FakeIo(tmp_path, {"uv": fake_uv}, address="env")
    _, record = make(io, requirements="r.txt")
    assert environment.observe(record, io).drift == ()
    (tmp_path / "more.txt").write_text("six>=1\n")
    assert [change.path for change in environment.observe(record, io).drift] == ["requirements"]
    (tmp_path / "more.txt").unlink()
    assert [change.path for change in environment.observe(record, io).drift] == ["requirements"]


def test_a_missing_lock_is_drift(tmp_path):
    io = FakeIo(tmp_path, {"uv": fake_uv}, address="env")
    outputs, record = make(io, requirements=SIX)
    (tmp_path / "env.lock").unlink()
    drift = environment.observe(record, io).drift
    assert drift == (Change("lock", outputs["lock"].digest, ABSENT),)


def test_destroy_leaves_the_lock(tmp_path):
    io = FakeIo(tmp_path, {"uv": fake_uv}, address="env")
    outputs, record = make(io, requirements=SIX)
    assert not any(
        value.digest.startswith("sha256:")
        for value in outputs.values()
        if isinstance(value, Artifact)
    ), "lab would remove it as an artifact"
    environment.destroy(record, io)
    assert (tmp_path / "env.lock").exists() and not Path(io.directory, "venv").exists()


@pytest.mark.parametrize(
    ("output", "kind", "summary"),
    [
        ("error: x\n  cause: error sending request for url", Retry, "cannot be reached"),
        ("error: x\n  cause: HTTP status server error (503 Busy)", Retry, "cannot be reached"),
        ("error: x\n  cause: HTTP status client error (403 Forbidden)", Refused, "refuses access"),
        (
            "error: Failed to fetch\n  cause: client error (Connect)\n"
            "  cause: invalid peer certificate: UnknownIssuer",
            Refused,
            "certificate is not trusted",
        ),
        (
            "error: Request failed\n  cause: Failed to download `https://x/cpython-3.10.22.tar.gz`\n"
            "  cause: error sending request for url",
            Retry,
            "that Python is not installed here",
        ),
        (
            "error: Request failed after 3 retries in 7.7s\n  cause: client error (Connect)\n"
            "  cause: dns error\n  cause: failed to lookup address information",
            Refused,
            "there is no network",
        ),
        (
            "  × No solution found when resolving dependencies\n\nhint: Packages were unavailable"
            " because the network was disabled.",
            Refused,
            "there is no network",
        ),
        (
            "error: Request failed after 3 retries in 9.6s\n  cause: Connection refused (os error 111)",
            Refused,
            "the package index cannot be reached",
        ),
        ("error: Request failed\n  cause: Connection refused", Retry, "cannot be reached"),
        ("  × No solution found when\n  ╰─▶ Because a", Refused, "cannot be satisfied"),
        ("error: Failed to build `x`", Refused, "uv failed"),
        (
            "error: Failed to inspect Python interpreter from first executable in the search path",
            Refused,
            "that Python is not there",
        ),
    ],
)
def test_uv_s_complaints(output, kind, summary):
    failure = explain(output, "installing")
    assert type(failure) is kind and summary in failure.summary
    assert "×" not in failure.detail and "cause:" not in failure.detail


def test_progress_in_bytes_and_time_left(tmp_path, monkeypatch):
    io = FakeIo(tmp_path)
    seconds = iter((10.0, 10.0, 12.0))
    monkeypatch.setattr(_uv, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    progress = Progress(io)
    for line in (
        "Resolved 7 packages in 139ms",
        "Downloading numpy (16.0MiB)",
        "Downloading scipy (48.0MiB)",
        " Downloaded numpy",
        "Installed 7 packages in 53ms",
        " + numpy==2.4.6",
    ):
        progress.line(line)
    assert [(told.text, told.fraction) for told in io.told] == [
        ("resolved 7 packages", None),
        ("downloaded 0.0 of 16.0 MiB", 0.0),
        ("downloaded 0.0 of 64.0 MiB", 0.0),
        ("downloaded 16.0 of 64.0 MiB, 6 s left", 0.25),
        ("installed 7 packages, compiling byte code", None),
    ]
