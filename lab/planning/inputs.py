"""Which files of the lab a step reads: those it declares, and those that its command names."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from lab.kinds.shape_derive import key_of
from lab.kinds.spec import Option, Role
from lab.model.frozen import dataclass
from lab.model.layout import FOLDER
from lab.model.regex import regex
from lab.model.state import Record
from lab.planning.imports import local_modules
from lab.ports import Files

_ROOT_MARK = "<lab.root>"
_GLOB = regex(r"[*?]|\[.+\]")
_MARK = regex(r"<(?:lab\.root|step\.dir|artifact [^<>]*)>")
_HIDDEN = str.maketrans("<> ", "\1\2\3")  # a mark is one word, and no redirection
_SHOWN = str.maketrans("\1\2\3", "<> ")
_QUOTED = r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\."""
# what is quoted is passed over, so that `grep '>' file` reads the file
_WRITTEN = regex(rf"{_QUOTED}|>[>|&]?[ \t]*(?P<word>(?:{_QUOTED}|[^\s;|&<>()\"'\\])+)", re.DOTALL)
_ASSIGNED = regex(r"--?[A-Za-z0-9_.-]+=(.+)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Roles:
    """Which fields of a kind name files."""

    argv: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    module: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def roles_of(spec: type[Any]) -> Roles:
    """The roles that *spec*'s fields declare."""
    found: dict[Role, list[str]] = {}
    for name, known in spec.__dataclass_fields__.items():
        about = known.metadata.get("lab")
        if isinstance(about, Option):
            found.setdefault(about.role, []).append(key_of(name))
    return Roles(
        argv=tuple(found.get(Role.ARGV, ())),
        file=tuple(found.get(Role.FILE, ())),
        module=tuple(found.get(Role.MODULE, ())),
        artifacts=tuple(found.get(Role.ARTIFACTS, ())),
    )


def declared(patterns: tuple[str, ...], files: Files) -> Iterator[str]:
    """The files and folders that ``inputs`` names; a pattern that matches nothing yields itself."""
    for pattern in patterns:
        path = _normal(pattern, ".")
        if path is None:
            yield pattern
        elif _GLOB.search(pattern):
            yield from files.glob(path) or [path]
        else:
            yield path


def named(spec: type[Any], tree: Mapping[str, Any], files: Files) -> list[str]:
    """The lab's files that a step's command, script or module names, and what those import.

    Args:
        spec: the kind's Spec, whose fields' roles say where files are named.
        tree: the step's identity rendering.
        files: the lab's files.

    Returns:
        relative paths in the order of their first mention.
    """
    roles = roles_of(spec)  # type: ignore[arg-type]  # a class is hashable
    cwd = tree.get("cwd", ".")
    cwd = cwd if isinstance(cwd, str) else "."
    made = _made(roles, tree)
    found: dict[str, None] = {}
    for path in _mentioned(roles, tree, cwd):
        if path in found or path in made or not files.is_file(path):
            continue
        found[path] = None
        if path.endswith(".py"):
            found.update(dict.fromkeys(local_modules(path, files, folders=(_clean(cwd),))))
    return [path for path in found if path not in made]


def made_by(record: Record | None) -> frozenset[str]:
    """Files that the step's command names and that it wrote itself, or may have written when it was killed."""
    if record is None:
        return frozenset()
    ends = (record.done, record.tried)
    return frozenset(path for end in ends if end is not None for path in end.made)


def unmade(
    spec: type[Any], tree: Mapping[str, Any], made: frozenset[str], files: Files
) -> tuple[str, ...]:
    """What a command names that is no file yet, or only because an earlier try at it *made* it."""
    roles = roles_of(spec)  # type: ignore[arg-type]  # a class is hashable
    cwd = tree.get("cwd", ".")
    texts = [text for name in roles.argv for text in _texts(tree.get(name))]
    paths = dict.fromkeys(_paths(texts, cwd if isinstance(cwd, str) else "."))
    return tuple(path for path in paths if path in made or not files.exists(path))


def _made(roles: Roles, tree: Mapping[str, Any]) -> set[str]:
    made: set[str] = set()
    for name in roles.artifacts:
        paths = tree.get(name)
        for path in paths.values() if isinstance(paths, Mapping) else ():
            normal = _normal(path, ".") if isinstance(path, str) else None
            if normal is not None:
                made.add(normal)
    return made


def _mentioned(roles: Roles, tree: Mapping[str, Any], cwd: str) -> Iterator[str]:
    for name in roles.argv:
        yield from _paths(words_of(tree.get(name)), cwd)
    for name in roles.file:
        value = tree.get(name)
        if isinstance(value, str):
            yield from _paths([value], ".")  # unlike words of a command: where a provider looks
    for name in roles.module:
        value = tree.get(name)
        if isinstance(value, str):
            yield from _paths(_module_files(value), cwd)


def words_of(command: object) -> list[str]:
    """The words of a command, as a list or as a shell's text (a text that no shell could split: its blanks)."""
    texts = _texts(command)
    modules = [_module_files(b) for a, b in zip(texts, texts[1:], strict=False) if a == "-m"]
    return texts + [path for paths in modules for path in paths]


def _texts(command: object) -> list[str]:
    match command:
        case [str(program), *rest] if "/" not in program:
            # It is looked up on PATH, so that a file of that name here is not what runs.
            return [word for word in rest if isinstance(word, str)]
        case list():
            return [word for word in command if isinstance(word, str)]
        case str():
            return list(_split(command))
        case _:
            return []


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, ...]:
    """The words of a shell's text, without those that it writes to: a file behind `>` is made, not read."""
    if ">" not in text:
        return _words(text)
    whole = _MARK.sub(lambda mark: mark[0].translate(_HIDDEN), text)
    written = {word for part in _WRITTEN.finditer(whole) for word in _words(part["word"] or "")}
    return tuple(word.translate(_SHOWN) for word in _words(whole) if word not in written)


def _words(text: str) -> tuple[str, ...]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        return tuple(lexer)
    except ValueError:
        return tuple(text.split())


def _module_files(dotted: str) -> list[str]:
    """What ``python -m`` may run: the packages around the module, and the module or package itself."""
    parts = dotted.split(".")
    around = ["/".join(parts[:length]) + "/__init__.py" for length in range(1, len(parts))]
    stem = "/".join(parts)
    return [*around, f"{stem}.py", f"{stem}/__init__.py", f"{stem}/__main__.py"]


def _paths(words: list[str], cwd: str) -> tuple[str, ...]:
    return _paths_of(tuple(words), cwd)


@lru_cache(maxsize=1 << 14)
def _paths_of(words: tuple[str, ...], cwd: str) -> tuple[str, ...]:
    """Those of *words* that may be files of the lab; a command is asked for them several times."""
    texts = (m.group(1) if (m := _ASSIGNED.match(word)) else word for word in words)
    return tuple(path for text in texts if (path := _normal(text, cwd)) is not None)


def _normal(word: str, cwd: str) -> str | None:
    """*word* relative to the lab's folder, or None if it cannot be a file of the lab."""
    if not word or len(word) > 1024 or "\n" in word or "\0" in word or word.startswith("<artifact"):
        return None
    if word.startswith(_ROOT_MARK):
        path = posixpath.normpath(word[len(_ROOT_MARK) :].lstrip("/") or ".")
    elif word.startswith(("/", "<", "-")):
        return None
    else:
        path = posixpath.normpath(posixpath.join(_clean(cwd), word))
    if path == "." or path.startswith(("..", "/")) or path.split("/")[0] in (FOLDER, ".git"):
        return None
    return path


def _clean(cwd: str) -> str:
    return cwd[len(_ROOT_MARK) :].lstrip("/") or "." if cwd.startswith(_ROOT_MARK) else cwd
