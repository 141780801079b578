"""Finds the script that a lab is to be written for, and reads it without running it."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator

from lab.cli.init_flags import Flags, flags_in
from lab.cli.init_uses import Uses, uses
from lab.cli.init_values import constants
from lab.edge.contents import contents
from lab.model.diagnostic import Diagnostic, LabfileError, did_you_mean
from lab.model.frozen import dataclass

_AWAY = frozenset({
    "venv", "env", "node_modules", "site-packages", "__pycache__", "build", "dist", "tests", "test",
    "docs", "notebooks", "wandb", "mlruns", "data",
})  # fmt: skip
_NEVER = frozenset(
    {"setup.py", "conftest.py", "__init__.py", "noxfile.py", "fabfile.py", "tasks.py"}
)
_DEEPEST, _MOST_FILES, _LARGEST = 3, 500, 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script as read. ``path`` is relative to the lab's folder; ``module`` is how `python -m` names it
    if it cannot be started by its path. ``packages`` are the top-level names that it and the lab's files
    beside it import from elsewhere; ``source_folder`` is where else the lab's own packages lie.
    """

    path: str
    flags: Flags
    uses: Uses
    module: str = ""
    packages: tuple[str, ...] = ()
    source_folder: str = ""
    others: tuple[str, ...] = ()  # scripts that could have been meant too

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def find_script(folder: str, given: str | None) -> Script | None:
    """The script of *folder*: the one named *given* (relative to it), else the likeliest; None without any.

    Raises:
        LabfileError: the named one is not there or is no Python; or there are Python files, but none
            that anyone would start.
    """
    found = sorted(_python_files(folder))
    if given is not None:
        return read_script(folder, _named(folder, given, found))
    scores = {path: _score(folder, path) for path in found}
    likely = sorted(
        (p for p in found if scores[p] > 0), key=lambda p: (-scores[p], p.count("/"), p)
    )
    if not likely:
        if found:
            raise _none_likely(found)
        return None
    return read_script(folder, likely[0], others=tuple(likely[1:]))


def read_script(folder: str, path: str, others: tuple[str, ...] = ()) -> Script:
    """Reads one script, and the lab's own modules that it imports if it declares no flags itself.

    Raises:
        LabfileError: it is not Python that this version can read.
    """
    try:
        return _read(folder, path, others)
    except RecursionError:
        raise _unreadable(path, "it is nested too deeply") from None


def _read(folder: str, path: str, others: tuple[str, ...]) -> Script:
    tree = _parsed(folder, path)
    local = _local(folder, path, tree)
    trees = [tree, *(_parsed_or_empty(folder, each) for each in local)]
    flags = next((f for f in map(_flags, trees) if f.flags), _flags(tree))
    own = _own_names(folder, path)
    source = "src" if os.path.isdir(os.path.join(folder, "src")) and path[:4] != "src/" else ""
    if source:
        own |= _names_in(os.path.join(folder, source))
    imported = [name for each in trees for name in _top_names(each)]
    packages = [n for n in imported if n not in own and n not in sys.stdlib_module_names]
    uses_source = source and set(imported) & _names_in(os.path.join(folder, source))
    return Script(
        path=path,
        flags=flags,
        uses=uses(trees, [flag.dest for flag in flags.flags]),
        module=_module(folder, path, tree),
        packages=tuple(dict.fromkeys(n for n in packages if n != "lab_keras")),
        source_folder=source if uses_source else "",
        others=tuple(each for each in others if each not in local),
    )


def _flags(tree: ast.Module) -> Flags:
    return flags_in(tree, constants(tree))


def _python_files(folder: str) -> Iterator[str]:
    count = 0
    for where, folders, files in os.walk(folder):
        depth = 0 if where == folder else os.path.relpath(where, folder).count(os.sep) + 1
        folders[:] = sorted(d for d in folders if _enters(where, d)) if depth < _DEEPEST else []
        for name in sorted(files):
            if name.endswith(".py") and name not in _NEVER:
                count += 1
                yield os.path.relpath(os.path.join(where, name), folder).replace(os.sep, "/")
        if count > _MOST_FILES:
            return


def _enters(where: str, name: str) -> bool:
    hidden = name.startswith((".", "_")) or name in _AWAY or name.endswith(".egg-info")
    return not hidden and not os.path.exists(os.path.join(where, name, "pyvenv.cfg"))


def _score(folder: str, path: str) -> int:
    """How likely it is that *path* is what people start; 0 for a module or a test."""
    stem = path.rpartition("/")[2][:-3]
    if stem.startswith("test_") or stem.endswith("_test"):
        return 0
    text = _text(folder, path) or ""
    starts = "__main__" in text
    flags = "add_argument" in text or "click.option" in text or "DEFINE_" in text
    words = stem.lower().replace("-", "_").split("_")
    score = 40 * (stem == "train") + 20 * ("train" in words or "training" in words)
    score += 10 * (stem in ("main", "run", "app"))
    score += 8 * (starts and flags) + 4 * starts + 2 * flags
    if score == 0 and not path.count("/"):
        score = 1 * (_does_something(text))
    return score - 2 * path.count("/") if score > 1 else score


def _does_something(text: str) -> bool:
    """Whether importing it would do more than define names."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(
        isinstance(node, ast.For | ast.While | ast.With)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        for node in body
    )


def _named(folder: str, given: str, found: list[str]) -> str:
    path = os.path.relpath(os.path.join(folder, given), folder).replace(os.sep, "/")
    if path.startswith("../") or not os.path.isfile(os.path.join(folder, path)):
        raise LabfileError(
            Diagnostic(
                summary=f"--script {given}: there is no such file in {folder}",
                help=did_you_mean(given, found),
            )
        )
    return path


def _none_likely(found: list[str]) -> LabfileError:
    shown = ", ".join(found[:6]) + (", …" if len(found) > 6 else "")
    return LabfileError(
        Diagnostic(
            summary="none of the Python files here looks like a script",
            detail=f"There are {shown}; none starts anything when it is run.",
            help="name the one that trains: `lab init --script path/to/file.py`",
        )
    )


def _parsed(folder: str, path: str) -> ast.Module:
    text = _text(folder, path)
    try:
        if text is None:
            raise ValueError("it is no text, or too large")
        return ast.parse(text)
    except SyntaxError as error:
        line = f" in line {error.lineno}" if error.lineno else ""
        raise _unreadable(path, f"{error.msg}{line}") from None
    except (ValueError, MemoryError) as error:
        raise _unreadable(path, str(error)) from None


def _unreadable(path: str, reason: str) -> LabfileError:
    return LabfileError(
        Diagnostic(
            summary=f"{path} cannot be read as Python: {reason}",
            help="mend it, or name another: `lab init --script path/to/file.py`",
        )
    )


def _parsed_or_empty(folder: str, path: str) -> ast.Module:
    try:
        return _parsed(folder, path)
    except (LabfileError, RecursionError):
        return ast.Module(body=[], type_ignores=[])


def _text(folder: str, path: str) -> str | None:
    try:
        text = contents(os.path.join(folder, path), 4 * _LARGEST + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    return text if len(text) <= _LARGEST else None


def _top_names(tree: ast.AST) -> Iterator[str]:
    """The first parts of what is imported for sure: not what stands below an `if` or for want of another."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case ast.If(test=test) if "__name__" not in ast.dump(test):
                continue
            case ast.ExceptHandler():
                continue
            case _:
                yield from _top_names(node)


def _names_in(folder: str) -> set[str]:
    """The modules and packages that lie in *folder*."""
    try:
        names = os.listdir(folder)
    except OSError:
        return set()
    return {
        name.removesuffix(".py")
        for name in names
        if name.endswith(".py") or os.path.isdir(os.path.join(folder, name))
    }


def _own_names(folder: str, path: str) -> set[str]:
    beside = os.path.dirname(os.path.join(folder, path))
    return _names_in(folder) | _names_in(beside)


def _local(folder: str, path: str, tree: ast.Module) -> list[str]:
    """The lab's own modules that the script imports itself."""
    base = path.rpartition("/")[0]
    found = []
    for node in ast.walk(tree):
        module = node.module if isinstance(node, ast.ImportFrom) and node.module else ""
        dotted = [module] if module else []
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        for name in dotted:
            beside = [
                f"{base}/{name.replace('.', '/')}.py".lstrip("/"),
                f"{name.replace('.', '/')}.py",
            ]
            found += [p for p in beside if os.path.isfile(os.path.join(folder, p))][:1]
    return list(dict.fromkeys(each for each in found if each != path))


def _module(folder: str, path: str, tree: ast.Module) -> str:
    """`src.train` for a script that only `python -m` can start: it imports from its package, or from
    the lab's folder, which is no place that Python looks in when it starts a script in a sub-folder."""
    if "/" not in path:
        return ""
    relative = any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    beside = _names_in(os.path.dirname(os.path.join(folder, path)))
    above = _names_in(folder) - beside - set(sys.stdlib_module_names)
    if relative or any(name in above for name in _top_names(tree)):
        return path[:-3].replace("/", ".")
    return ""
