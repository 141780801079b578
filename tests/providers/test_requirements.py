"""Requirements as people write them, and the lock's text."""

from __future__ import annotations

import os

import pytest

from lab.provider import Refused
from providers.local import _lock
from providers.local._requirements import Requirements, load, without_gpu


def test_a_file_with_all_that_files_hold(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "# a comment\nsix >= 1 # why\n-r sub/more.txt\n-c sub/limits.txt\nnumpy \\\n  <3\n"
        "--extra-index-url https://index.example/simple\n-f sub\npip==1 --hash=sha256:ab\n"
    )
    (tmp_path / "sub/more.txt").write_text("-r again.txt\n\nsix >= 1\n")
    (tmp_path / "sub/again.txt").write_text("tqdm#not-a-comment\n")
    (tmp_path / "sub/limits.txt").write_text("numpy<2.9\n")
    assert load("requirements.txt", str(tmp_path)) == Requirements(
        wanted=("six >= 1", "tqdm#not-a-comment", "numpy    <3", "pip==1"),
        constraints=("numpy<2.9",),
        options=(
            "--extra-index-url https://index.example/simple",
            f"--find-links {tmp_path}/sub",
        ),
        files=tuple(
            f"{tmp_path}/{name}"
            for name in ("requirements.txt", "sub/more.txt", "sub/again.txt", "sub/limits.txt")
        ),
    )


def test_a_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname="x"\ndependencies = ["six>=1", "numpy; python_version > \'3\'"]\n'
    )
    found = load("pyproject.toml", str(tmp_path))
    assert found.wanted == ("six>=1", "numpy; python_version > '3'")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[project]\nname="x"\ndynamic=["dependencies"]\n', r"has no \[project\] dependencies"),
        ("[tool.x]\n", r"has no \[project\] dependencies"),
        ("[", "is no TOML"),
    ],
)
def test_a_pyproject_without_a_list(tmp_path, text, told):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(Refused, match=told):
        load("pyproject.toml", str(tmp_path))


@pytest.mark.parametrize(
    "line",
    ["-e .", "./pkg", "dist/x-1.0-py3-none-any.whl", "x @ file:///srv/x", "/srv/x", "..", "~/x"],
)
def test_paths_of_this_machine_cannot_be_locked(line, tmp_path):
    with pytest.raises(Refused, match="names a folder or file of this machine"):
        load([line], str(tmp_path))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["x @ git+https://example.com/x@v1"], "names a repository"),
        (["git+ssh://example.com/x"], "names a repository"),
        (["--frobnicate"], "an option that is not known: --frobnicate"),
        (["-r missing.txt"], "there is no .*missing.txt"),
    ],
)
def test_what_cannot_be_taken_is_said(lines, told, tmp_path):
    with pytest.raises(Refused, match=told):
        load(lines, str(tmp_path))


def test_a_file_that_includes_itself(tmp_path):
    (tmp_path / "r.txt").write_text("-r r.txt\n")
    with pytest.raises(Refused, match="included too deeply"):
        load("r.txt", str(tmp_path))


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "r.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(Refused, match="not UTF-8"):
        load("r.txt", str(tmp_path))


@pytest.mark.parametrize(
    ("line", "small", "whole"),
    [
        ("tensorflow", "tensorflow-cpu ; ", "tensorflow ; "),
        ("TensorFlow >=2.16,<3", "tensorflow-cpu>=2.16,<3 ; ", "tensorflow>=2.16,<3 ; "),
        ("tensorflow[and-cuda]==2.21", "tensorflow-cpu==2.21 ; ", "tensorflow==2.21 ; "),
        ("tensorflow[and-cuda, x]", "tensorflow-cpu[x] ; ", "tensorflow[x] ; "),
    ],
)
def test_tensorflow_without_a_gpu(line, small, whole):
    lines = without_gpu(Requirements(wanted=(line,))).wanted
    assert [each[: len(start)] for each, start in zip(lines, (small, whole), strict=True)] == [
        small,
        whole,
    ]


def test_a_marker_stays():
    lines = without_gpu(Requirements(wanted=("tensorflow ; python_version < '3.13'",))).wanted
    assert all(line.endswith(" and (python_version < '3.13')") for line in lines)


@pytest.mark.parametrize(
    "line", ["tensorflow-cpu", "tensorflow-datasets>=4", "tensorflow @ https://e/x.whl", "torch"]
)
def test_other_requirements_stay(line):
    found = Requirements(wanted=(line,))
    assert without_gpu(found) == found


def test_names_are_normalized():
    assert Requirements(wanted=("Foo_Bar.x[y]>=1", "torch")).names == {"foo-bar-x", "torch"}


def test_a_lock_knows_what_it_was_made_from():
    found = Requirements(wanted=("six",))
    mark = _lock.fingerprint(found, "3.11")
    text = _lock.headed("six==1.0 \\\n    --hash=sha256:ab\n", mark)
    assert _lock.made_from(text, mark)
    assert not _lock.made_from(text, _lock.fingerprint(found, "3.12"))
    assert _lock.fingerprint(Requirements(wanted=("six", "x")), "3.11") == _lock.fingerprint(
        Requirements(wanted=("x", "six")), "3.11"
    )


def test_only_pins_count_in_a_lock():
    assert _lock.lock_digest("# a\nsix==1\n") == _lock.lock_digest("# b\n\nsix==1\n")
    assert _lock.lock_digest("six==1\n") != _lock.lock_digest("six==2\n")


@pytest.mark.parametrize(
    ("given", "address", "gpu", "path"),
    [
        (None, "env", False, "/lab/env.lock"),
        (None, "env", True, "/lab/env.gpu.lock"),
        ("locks/a.txt", "env", True, "/lab/locks/a.gpu.txt"),
        (None, "kit/env[py=3.11]", False, "/lab/kit.env@py=3.11.lock"),
    ],
)
def test_where_a_lock_lies(given, address, gpu, path):
    assert _lock.lock_path(given, address, "/lab", gpu=gpu) == path


def test_lab_s_own_lock_is_not_taken():
    with pytest.raises(Refused, match="lab's own"):
        _lock.lock_path(None, "Labfile", "/lab", gpu=False)


def test_an_unsettled_merge_is_refused(tmp_path):
    path = tmp_path / "env.lock"
    path.write_text("<<<<<<< ours\nsix==1\n=======\nsix==2\n>>>>>>> theirs\n")
    with pytest.raises(Refused, match="marks of a merge"):
        _lock.read_lock(str(path))


def test_files_that_include_each_other_manifold_are_not_all_read(tmp_path):
    for depth in range(12):
        (tmp_path / f"{depth}.txt").write_text(f"-r {depth + 1}.txt\n" * 10)
    (tmp_path / "12.txt").write_text("six\n")
    with pytest.raises(Refused, match="include more than 500 files"):
        load("0.txt", str(tmp_path))


@pytest.mark.parametrize("line", ["-r a\0b", "-c " + "x" * 300, "-r pipe", "-r zero", "-r ."])
def test_what_is_no_file_is_refused_at_once(tmp_path, line):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "requirements.txt").write_text(line)
    with pytest.raises(Refused):
        load("requirements.txt", str(tmp_path))
