"""Which of the lab's files a Python file imports."""

from __future__ import annotations

import warnings

import pytest
from fakes.ports import FakeFiles

from lab.planning.imports import local_modules


def found(text: str, *others: str, path: str = "train.py", folders: tuple[str, ...] = ()) -> str:
    """The modules that a file with *text* imports, in a lab with *others* (empty files)."""
    files = FakeFiles({**dict.fromkeys(others, ""), path: text})
    return " ".join(local_modules(path, files, folders=folders))


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        ("import model", ["model.py"], "model.py"),
        ("import model as m, data", ["model.py", "data.py"], "data.py model.py"),
        ("from model import Net", ["model.py"], "model.py"),
        ("import numpy", ["model.py"], ""),
        ("x = 1", ["x.py"], ""),
        ("import pkg", ["pkg/__init__.py", "pkg/other.py"], "pkg/__init__.py"),
        ("import pkg.a.b", ["pkg/__init__.py", "pkg/a/__init__.py", "pkg/a/b.py"],
         "pkg/__init__.py pkg/a/__init__.py pkg/a/b.py"),
        ("from pkg import a", ["pkg/__init__.py", "pkg/a.py"], "pkg/__init__.py pkg/a.py"),
        ("from pkg.a import b", ["pkg/__init__.py", "pkg/a.py"], "pkg/__init__.py pkg/a.py"),
        ("from pkg import *", ["pkg/__init__.py", "pkg/a.py"], "pkg/__init__.py"),
        ("import space.a", ["space/a.py"], "space/a.py"),
        ("from space import a", ["space/a.py"], "space/a.py"),
        ("from space.deep import a", ["space/deep/a.py"], "space/deep/a.py"),
        ("def f():\n    import late", ["late.py"], "late.py"),
        ("try:\n    import a\nexcept ImportError:\n    import b", ["a.py", "b.py"], "a.py b.py"),
        ("if TYPE_CHECKING:\n    import a", ["a.py"], "a.py"),
        ("import train", [], ""),
        ("import pkg", ["pkg.py", "pkg/__init__.py"], "pkg/__init__.py"),
        ("important = 'import a'", ["a.py"], ""),
    ],
)  # fmt: skip
def test_absolute_imports(text: str, others: list[str], expected: str) -> None:
    assert found(text, *others) == expected


def test_what_is_imported_imports_too() -> None:
    files = FakeFiles(
        {"train.py": "import a", "a.py": "import b", "b.py": "import a\nimport train", "c.py": ""}
    )
    assert local_modules("train.py", files) == ["a.py", "b.py"]


def test_imports_are_looked_up_beside_the_script_that_runs() -> None:
    """Python puts the script's folder on its path, not the folders of what it imports."""
    files = FakeFiles(
        {
            "src/train.py": "import pkg.a\nimport top",
            "src/pkg/a.py": "import b\nfrom . import c",
            "src/pkg/b.py": "",
            "src/pkg/c.py": "",
            "src/b.py": "",
            "top.py": "",
        }
    )
    assert local_modules("src/train.py", files) == ["src/b.py", "src/pkg/a.py", "src/pkg/c.py"]


def test_other_folders_may_be_searched_too() -> None:
    assert found("import top", "top.py", path="src/train.py") == ""
    assert found("import top", "top.py", path="src/train.py", folders=(".",)) == "top.py"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from . import b", "pkg/__init__.py pkg/b.py"),
        ("from .b import x", "pkg/__init__.py pkg/b.py"),
        ("from . import attribute_of_the_package", "pkg/__init__.py"),
        ("from .sub import d", "pkg/__init__.py pkg/sub/__init__.py pkg/sub/d.py"),
        ("from .. import top", "__init__.py top.py"),
        ("from ..top import x", "__init__.py top.py"),
        ("from .missing import x", "pkg/__init__.py"),
    ],
)
def test_relative_imports(text: str, expected: str) -> None:
    others = ["__init__.py", "pkg/__init__.py", "pkg/b.py", "pkg/sub/__init__.py", "pkg/sub/d.py"]
    assert found(text, *others, "top.py", path="pkg/a.py") == expected


@pytest.mark.parametrize(
    "text",
    ["import a\nprint 'two'", "import a\n\0", "import a\n" + "(" * 300, "", "import a\n\tx\n y"],
)
def test_a_file_that_is_no_python_imports_nothing(text: str) -> None:
    assert found(text, "a.py") == ""


def test_a_file_that_is_not_there_or_no_text_imports_nothing() -> None:
    assert local_modules("train.py", FakeFiles({})) == []


def test_the_users_code_gives_no_warnings() -> None:
    """A plan must not print what the user's own program will say anyway."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert found("import a\npattern = '\\d'\nx = 1 is 1", "a.py") == "a.py"
    assert caught == []


def test_each_file_is_read_once() -> None:
    files = FakeFiles({"train.py": "import a, b", "a.py": "import b", "b.py": "import a"})
    local_modules("train.py", files)
    assert sorted(files.read) == ["a.py", "b.py", "train.py"]
