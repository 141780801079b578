"""What an environment is to hold: requirements from a list, a file of them, or pyproject.toml."""

from __future__ import annotations

import os
import posixpath
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import NoReturn

from lab.model.frozen import dataclass
from lab.provider import Refused

from ._plain import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

_DEEPEST = 20  # files that include files
_MOST_FILES = 500  # each of which may include others
_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[= ]\S+")
_OPTION = re.compile(r"(--?[A-Za-z-]+)(?:\s*=\s*|\s+|$)(.*)", re.DOTALL)
_SHORT = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable"}
_LONG = {**_SHORT, "-i": "--index-url", "-f": "--find-links"}
_INDEX = re.compile("--((extra-)?index-url|find-links|no-index|no-binary|only-binary|pre)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TENSORFLOW = re.compile(
    r"tensorflow(?![\w.-])\s*(\[[^\]]*\])?\s*([^;@]*)(?:;(.*))?", re.IGNORECASE
)
_SMALL = "sys_platform == 'linux' and platform_machine == 'x86_64'"
_WHOLE = "(sys_platform != 'linux' or platform_machine != 'x86_64')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """Lines without comments; ``options`` say where packages are looked for, ``files`` what was read."""

    wanted: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names of the distributions asked for, normalized."""
        found = (_NAME.match(line) for line in self.wanted)
        return frozenset(re.sub(r"[-_.]+", "-", m.group()).lower() for m in found if m)


def load(source: list[str] | str, root: str) -> Requirements:
    """The requirements that *source*, a list or the path of a file below *root*, means.

    Raises:
        Refused: a file is not there or cannot be read; a line names what a lock cannot hold.
    """
    if isinstance(source, list):
        return _gathered(_lines("\n".join(source), root, "the list of requirements", 0))
    path = posixpath.normpath(posixpath.join(root, source))
    if path.endswith(".toml"):
        return _gathered((kind, text) for kind, text in _of_pyproject(path))
    return _gathered(_of_file(path, 0))


def without_gpu(found: Requirements) -> Requirements:
    """*found* with TensorFlow's small build on the one platform that has it (Linux on x86-64).

    PyTorch stays as it is: its small builds lie on an index of their own, and asking a host that
    the user did not name is not lab's to decide; ``--extra-index-url`` in a requirements file does.
    """
    return replace(
        found,
        wanted=tuple(new for line in found.wanted for new in _small(line)),
        constraints=tuple(new for line in found.constraints for new in _small(line)),
    )


def _small(line: str) -> tuple[str, ...]:
    match = _TENSORFLOW.fullmatch(line)
    if match is None:
        return (line,)
    extras, versions, marker = match.groups()
    names = [e.strip() for e in (extras or "").strip("[]").split(",")]
    kept = [e for e in names if e and e.lower().replace("_", "-") != "and-cuda"]
    shown = f"[{','.join(kept)}]" if kept else ""
    also = f" and ({marker.strip()})" if marker else ""
    spec = f"{shown}{versions.strip()}"
    return (
        f"tensorflow-cpu{spec} ; {_SMALL}{also}",
        f"tensorflow{spec} ; {_WHOLE}{also}",
    )


def _gathered(lines: Iterator[tuple[str, str]]) -> Requirements:
    kinds: dict[str, list[str]] = {"wanted": [], "constraints": [], "options": [], "files": []}
    for kind, text in lines:
        kinds[kind].append(text)
        if len(kinds["files"]) > _MOST_FILES:
            raise Refused(
                f"the requirements include more than {_MOST_FILES} files",
                "Do they include each other with -r?",
            )
    return Requirements(**{kind: tuple(dict.fromkeys(texts)) for kind, texts in kinds.items()})


def _of_file(path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        raise Refused(
            f"`{path}` is included too deeply", "Does a requirements file include itself with -r?"
        )
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise Refused(
            f"there is no `{path}`",
            "`requirements` names a file of the lab, or is a list of requirements.",
        ) from None
    except UnicodeDecodeError:
        raise Refused(f"`{path}` is not UTF-8", "Save it as UTF-8.") from None
    yield "files", path
    yield from _lines(text, posixpath.dirname(path), path, depth)


def _lines(text: str, base: str, where: str, depth: int) -> Iterator[tuple[str, str]]:
    for raw in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = _HASH.sub("", _COMMENT.sub("", raw)).strip()
        if line.startswith("-"):
            yield from _option(line, base, where, depth)
        elif line:
            _require_lockable(line, where)
            yield "wanted", line


def _option(line: str, base: str, where: str, depth: int) -> Iterator[tuple[str, str]]:
    match = _OPTION.fullmatch(line)
    given, value = match.groups() if match else (line, "")
    option = _LONG.get(given, given)
    match option:
        case "--requirement":
            yield from _of_file(posixpath.join(base, value), depth + 1)
        case "--constraint":
            for kind, text in _of_file(posixpath.join(base, value), depth + 1):
                yield ("constraints" if kind == "wanted" else kind), text
        case "--editable":
            _refuse_path(value, where)
        case "--find-links" if os.path.exists(posixpath.join(base, value)):
            yield "options", f"--find-links {posixpath.join(base, value)}"
        case "--require-hashes" | "--prefer-binary" | "--trusted-host":
            return  # hashes are always required, and the user's own uv settings say whom to trust
        case _ if _INDEX.fullmatch(option):
            yield "options", f"{option} {value}".strip()
        case _:
            raise Refused(
                f"{where} has an option that is not known: {line}",
                "Known are -r, -c, --index-url, --extra-index-url, --find-links, --no-index,"
                " --no-binary, --only-binary and --pre.",
            )


def _require_lockable(line: str, where: str) -> None:
    _, at, url = line.partition("@")
    place = (url if at else line).split(";")[0].strip()
    if place.startswith(("git+", "hg+", "svn+", "bzr+")):
        raise Refused(
            f"{where} names a repository: {line}",
            "What a repository holds has no hash that could be locked. Name a released version, or"
            " the URL of an archive.",
        )
    local = place.startswith((".", "/", "~", "file:")) or "\\" in place
    if local or (not at and place.endswith((".whl", ".tar.gz", ".zip"))):
        _refuse_path(line, where)


def _refuse_path(line: str, where: str) -> NoReturn:
    raise Refused(
        f"{where} names a folder or file of this machine: {line}",
        "A lock that others are to use cannot hold it. For wheels write `--find-links FOLDER` and"
        " the package's name; for source of the lab set `env: {PYTHONPATH: src}` where it is used.",
    )


def _of_pyproject(path: str) -> Iterator[tuple[str, str]]:
    try:
        project = tomllib.loads(read_text(path)).get("project", {})
    except FileNotFoundError:
        raise Refused(f"there is no `{path}`", "`requirements` names a file of the lab.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"`{path}` is no TOML: {error}", "Mend it, then run again.") from None
    listed = project.get("dependencies") if isinstance(project, dict) else None
    if not isinstance(listed, list) or "dependencies" in project.get("dynamic", ()):
        raise Refused(
            f"`{path}` has no [project] dependencies",
            "lab reads that list; dynamic ones would mean to build the project. Write them down, or"
            " give `requirements` as a list.",
        )
    for each in listed:
        _require_lockable(str(each), path)
        yield "wanted", str(each)
