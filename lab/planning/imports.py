"""Which local modules a Python file imports, found from its text."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePosixPath

from lab.ports import Files


def local_modules(path: str, files: Files, *, folders: Iterable[str] = ()) -> list[str]:
    """The lab's files that the Python file *path* imports, directly or not, itself left out.

    Args:
        path: relative to the lab's folder.
        files: the lab's files.
        folders: where imports are looked up besides the file's own folder (``python -m`` adds its cwd).

    Returns:
        relative paths, sorted. What cannot be parsed or found is left out: it is not the lab's.
    """
    roots = (str(PurePosixPath(path).parent), *folders)
    found: set[str] = set()
    stack = [path]
    while stack:
        current = stack.pop()
        text = files.read_text(current)
        if text is None:
            continue
        for module in _imported(text):
            for candidate in _files_of(module, current, roots, files):
                if candidate not in found and candidate != path:
                    found.add(candidate)
                    stack.append(candidate)
    return sorted(found)


@lru_cache(maxsize=4096)
def _imported(text: str) -> tuple[str, ...]:
    """Dotted names that *text* imports; relative ones begin with their dots."""
    if "import" not in text:
        return ()
    try:
        with warnings.catch_warnings():  # what Python has to say of it is said when it runs
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(dict.fromkeys(name for node in ast.walk(tree) for name in _names(node)))


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield alias.name
        case ast.ImportFrom(module=module, names=names, level=level):
            stem = "." * level + (module or "")
            yield stem
            for alias in names:
                if alias.name != "*":
                    yield f"{stem}.{alias.name}" if module else f"{stem}{alias.name}"
        case _:
            return


def _files_of(module: str, importer: str, roots: tuple[str, ...], files: Files) -> Iterator[str]:
    dots = len(module) - len(module.lstrip("."))
    parts = [part for part in module.lstrip(".").split(".") if part]
    if dots:
        base = PurePosixPath(importer).parent
        for _ in range(dots - 1):
            base = base.parent
        package = str(base / "__init__.py")
        if files.exists(package):
            yield package
        bases: tuple[str, ...] = (str(base),)
    else:
        bases = roots
    for root in bases:
        yield from _along(PurePosixPath(root), parts, files)


def _along(base: PurePosixPath, parts: list[str], files: Files) -> Iterator[str]:
    """Every file that importing ``a.b.c`` executes: the packages' ``__init__`` and the module itself."""
    here = base
    for part in parts:
        module, package = here / f"{part}.py", here / part / "__init__.py"
        if files.exists(str(package)):
            yield str(package)
        elif files.exists(str(module)):
            yield str(module)
            return
        elif not files.is_dir(str(here / part)):
            return
        here = here / part
