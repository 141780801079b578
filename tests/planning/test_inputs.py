"""Which files of the lab count as what a step reads."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.kinds import Job
from fakes.ports import FakeFiles

from lab.kinds.command import Command
from lab.planning.inputs import declared, named, words_of

FILES = {
    "train.py": "import model",
    "model.py": "",
    "src/fit.py": "import net",
    "src/net.py": "",
    "net.py": "",
    "pkg/__init__.py": "",
    "pkg/fit.py": "from . import net",
    "pkg/net.py": "",
    "pkg/sub/__init__.py": "",
    "pkg/sub/fit.py": "",
    "tool/__init__.py": "",
    "tool/__main__.py": "import net",
    "data/a.csv": "",
    "data/b.csv": "",
    "data/deep/c.csv": "",
    "conf.yaml": "",
    "-odd": "",
    "with space.txt": "",
    ".lab/state.db": "",
    ".lab/work/t/log.txt": "",
    ".git/HEAD": "",
    "out/model.bin": "",
}


def names(spec: type[Any] = Job, **tree: Any) -> str:
    return " ".join(named(spec, tree, FakeFiles(FILES)))


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (["python", "train.py"], "train.py model.py"),
        (["python", "./train.py"], "train.py model.py"),
        (["python", "src/../train.py"], "train.py model.py"),
        (["python", "<lab.root>/train.py"], "train.py model.py"),
        (["cat", "conf.yaml", "conf.yaml"], "conf.yaml"),
        (["cat", "--config=conf.yaml"], "conf.yaml"),
        (["cat", "-c=conf.yaml"], "conf.yaml"),
        (["cat", "--config=<lab.root>/conf.yaml"], "conf.yaml"),
        (["cat", "-odd"], ""),
        (["cat", "data"], ""),
        (["cat", "missing.txt"], ""),
        (["cat", "../lab/train.py"], ""),
        (["cat", "../outside"], ""),
        (["cat", "/lab/train.py", "/etc/hosts"], ""),
        (["cat", ".lab/state.db", ".lab/work/t/log.txt", ".git/HEAD"], ""),
        (["cat", "<step.dir>/train.py", "<artifact sha256:1>"], ""),
        (["python", "src/fit.py"], "src/fit.py net.py src/net.py"),
        (["python", "-m", "pkg.fit"], "pkg/__init__.py pkg/fit.py pkg/net.py"),
        (["python", "-m", "pkg.sub.fit"], "pkg/__init__.py pkg/sub/__init__.py pkg/sub/fit.py"),
        (["python", "-m", "tool"], "tool/__init__.py tool/__main__.py net.py"),
        (["python", "-m", "train"], "train.py model.py"),
        (["python", "-m"], ""),
        (["cat", "with space.txt"], "with space.txt"),
        (["cat", "x" * 5000, "a\nb", "", "\0"], ""),
        ("python train.py --config=conf.yaml", "train.py model.py conf.yaml"),
        ("cat < conf.yaml > out.txt", "conf.yaml"),
        ("cat conf.yaml|sort", "conf.yaml"),
        ("cat <lab.root>/conf.yaml><lab.root>/data/a.csv", "conf.yaml"),
        ("cat <artifact sha256:1>/conf.yaml <step.dir>/conf.yaml data/a.csv", "data/a.csv"),
        ("cat data/a.csv >out/model.bin 2> data/b.csv", "data/a.csv"),
        ("date >> 'with space.txt'; cat \"with space.txt\"", ""),
        ("python train.py 2>&1 >|out/model.bin & cat conf.yaml", "train.py model.py conf.yaml"),
        ("grep '>' conf.yaml; grep \\> data/a.csv", "conf.yaml data/a.csv"),
        ('echo "a \\" > " conf.yaml', "conf.yaml"),
        ("echo 'it' >data/a.csv'x' data/b.csv", "data/b.csv"),
        ("x=$(cat conf.yaml); echo $x", "conf.yaml"),
        ("cat 'with space.txt' && true", "with space.txt"),
        ("cat data/a.csv # and conf.yaml", "data/a.csv"),
        ("python -m tool", "tool/__init__.py tool/__main__.py net.py"),
        ("echo 'not closed conf.yaml", "conf.yaml"),
        ("cat conf.yaml\ncat data/a.csv", "conf.yaml data/a.csv"),
        ("", ""),
    ],
)
def test_words_that_name_files(run: Any, expected: str) -> None:
    assert names(run=run) == expected


def test_other_keys_name_files_by_their_role() -> None:
    assert names(script="train.py") == "train.py model.py"
    assert names(module="pkg.fit") == "pkg/__init__.py pkg/fit.py pkg/net.py"
    assert names(value="train.py", parameters={"a": "train.py"}) == ""
    assert names(Command, command=["python", "train.py"]) == "train.py model.py"


@pytest.mark.parametrize(
    ("cwd", "run", "expected"),
    [
        ("src", ["python", "fit.py"], "src/fit.py src/net.py"),
        ("src", ["python", "../train.py"], "train.py model.py"),
        ("<lab.root>/src", ["python", "fit.py"], "src/fit.py src/net.py"),
        ("<lab.root>", ["python", "train.py"], "train.py model.py"),
        ("pkg", ["python", "-m", "sub.fit"], "pkg/sub/__init__.py pkg/sub/fit.py"),
        ("data", ["python", "train.py"], ""),
        ("/lab", ["python", "train.py"], ""),
        ("/elsewhere", ["python", "train.py"], ""),
        ("<step.dir>", ["python", "train.py"], ""),
        ("..", ["python", "lab/train.py"], ""),
    ],
)
def test_words_are_looked_up_in_the_working_folder(cwd: str, run: list[str], expected: str) -> None:
    assert names(cwd=cwd, run=run) == expected


def test_a_script_is_looked_up_in_the_labs_folder_whatever_the_working_folder() -> None:
    assert names(cwd="src", script="train.py") == "train.py model.py"
    assert names(cwd="src", script="src/fit.py") == "src/fit.py src/net.py"


def test_a_working_folder_that_is_not_known_yet_is_taken_to_be_the_labs() -> None:
    assert names(cwd=object(), run=["cat", "conf.yaml"]) == "conf.yaml"


def test_what_a_step_makes_is_no_input_of_it() -> None:
    made = {"model": "out/model.bin", "odd": "./conf.yaml", "gone": 3}
    run = ["python", "train.py", "out/model.bin", "conf.yaml"]
    assert names(run=run, artifacts=made) == "train.py model.py"
    assert names(run=["python", "train.py"], artifacts={"m": "model.py"}) == "train.py"


def test_values_that_are_not_known_yet_name_nothing() -> None:
    assert words_of(["cat", object(), "conf.yaml"]) == ["conf.yaml"]
    assert words_of(None) == []
    assert words_of(3) == []


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["data/*.csv"], "data/a.csv data/b.csv"),
        (["data/**/*.csv"], "data/a.csv data/b.csv data/deep/c.csv"),
        (["data"], "data"),
        (["data/"], "data"),
        (["./train.py"], "train.py"),
        (["data/[ab].csv"], "data/a.csv data/b.csv"),
        (["data/?.csv"], "data/a.csv data/b.csv"),
        (["missing.txt"], "missing.txt"),
        (["no/*.csv"], "no/*.csv"),
        (["../shared.csv"], "../shared.csv"),
        (["/data/set.csv"], "/data/set.csv"),
        (["<lab.root>/train.py"], "train.py"),
        ([], ""),
    ],
)
def test_declared_inputs(patterns: list[str], expected: str) -> None:
    files = FakeFiles(FILES)
    assert " ".join(declared(tuple(patterns), files)) == expected
