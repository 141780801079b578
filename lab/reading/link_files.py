"""Which step makes which file, and which steps read what another one makes."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Container, Iterator, Mapping
from dataclasses import field

from lab.model.frozen import dataclass
from lab.model.labfile import Labfile, Step
from lab.model.layout import step_dir
from lab.model.regex import regex
from lab.model.tree import Path
from lab.reading.link_wiring import Wiring
from lab.reading.scope import base_scope
from lab.reading.template import TemplateFault, is_template, references, render

_ASSIGNED = regex(r"--?[A-Za-z0-9_.-]+=(.+)\Z", re.DOTALL)
_GLOB = regex(r"[*?\[]")
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Made:
    """An artifact: who makes it, and which key says so."""

    step: Step
    place: Path  # inside the step's keys


@dataclass(frozen=True, slots=True)
class Clash:
    """Two steps that declare one artifact; or the ``second`` one's lies in the first one's ``around``."""

    path: str
    first: Made
    second: Made
    around: str = ""


@dataclass(slots=True)
class Artifacts:
    """Every artifact of a Labfile whose path is known before anything runs, by that path."""

    made: dict[str, Made] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)
    _tops: set[str] = field(default_factory=set)

    def declare(self, step: Step, wiring: Wiring, labfile: Labfile) -> None:
        """Takes the artifacts of *step*; one that is known already is a clash."""
        for key in wiring.artifacts:
            paths = step.spec.get(key)
            for name, text in paths.items() if isinstance(paths, Mapping) else ():
                path = _artifact_path(text, step, labfile)
                if path is None:
                    continue
                made = Made(step, (key, name))
                first = self.made.setdefault(path, made)
                self._tops.add(path.split("/", 1)[0])
                if first.step is not step:
                    self.clashes.append(Clash(path, first, made))

    def nested(self) -> Iterator[Clash]:
        """Artifacts of one step inside a folder that is another one's."""
        for path, inner in self.made.items():
            above = path.rpartition("/")[0]
            outer = self._around(above)
            if outer is not None and outer.step is not inner.step:
                around = next(a for a in _upwards(above) if self.made.get(a) is outer)
                yield Clash(path, outer, inner, around)

    def declare_trial(self, trial: Step, wiring: Wiring, labfile: Labfile) -> None:
        """Takes the artifacts of trials: one whose path is fixed is a clash of each with the others."""
        for key in wiring.artifacts:
            paths = trial.spec.get(key)
            for name, text in paths.items() if isinstance(paths, Mapping) else ():
                path = None if _varies(text) else _artifact_path(text, trial, labfile)
                if path is not None:
                    made = Made(trial, (key, name))
                    self.clashes.append(Clash(path, made, made))

    def read_by(self, step: Step, wiring: Wiring) -> dict[str, Made]:
        """What *step* reads of other steps' artifacts, by its path as the step names it."""
        found: dict[str, Made] = {}
        if not self.made:
            return found
        for path in _read(step, wiring, self._tops):
            maker = self._around(path)
            if maker is not None and maker.step.address != step.address:
                found[path] = maker
        return found

    def _around(self, path: str) -> Made | None:
        """The artifact that *path* is, or lies in."""
        found = (self.made.get(each) for each in _upwards(path))
        return next((maker for maker in found if maker is not None), None)


def _upwards(path: str) -> Iterator[str]:
    """*path*, and the folders that it lies in, the nearest first."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _varies(text: object) -> bool:
    """Whether an artifact's path holds what may differ from trial to trial."""
    if not isinstance(text, str) or not is_template(text):
        return False
    try:
        return any(each.parts[0] == "parameters" for each in references(text))
    except TemplateFault:
        return True  # it is told where names are checked


def _artifact_path(text: object, step: Step, labfile: Labfile) -> str | None:
    """The artifact's path relative to the lab's folder, where nothing can differ; else None."""
    if not isinstance(text, str):
        return None
    if is_template(text):
        text = _rendered(text, step, labfile)
    return _normal(text, ".", labfile.root) if text is not None else None


def _rendered(text: str, step: Step, labfile: Labfile) -> str | None:
    try:
        roots = {each.parts[0] for each in references(text)}
    except TemplateFault:
        return None  # it is told where names are checked
    if roots & {"step", "steps", "secrets", "recipes"}:
        return None  # private to the step, or not known yet
    directory = step_dir(labfile.root, labfile.name, labfile.overlay, step.address)
    scope = base_scope(labfile, step=step, root=labfile.root, directory=directory)
    try:
        found = render(text, scope)
    except TemplateFault:
        return None
    return found if isinstance(found, str) else None


def _normal(text: str, folder: str, root: str = "") -> str | None:
    """*text* relative to the lab's folder, or None where it lies elsewhere."""
    if not text or len(text) > _LONGEST or "\0" in text or text[0] in "-~<$":
        return None
    if text[0] == "/":
        if not root or not text.startswith(root + "/"):
            return None
        text = text[len(root) + 1 :]
        folder = "."
    plain = "/." not in text and "//" not in text and text[0] != "." and text[-1] != "/"
    path = text if plain and folder == "." else posixpath.normpath(posixpath.join(folder, text))
    return None if path == "." or path.startswith("..") else path


def _read(step: Step, wiring: Wiring, tops: Container[str]) -> Iterator[str]:
    """The paths that a step names, of those that begin with one of *tops*."""
    for text in step.inputs:
        path = None if is_template(text) else _normal(_before_glob(text), ".")
        if path is not None:
            yield path
    folder = step.spec.get("cwd", ".")
    if not isinstance(folder, str) or is_template(folder):
        return
    for key in (*wiring.argv, *wiring.files):
        value = step.spec.get(key)
        words = value if isinstance(value, list) else _words(value, split=key in wiring.argv)
        for word in words:
            path = _named(word, folder, tops)
            if path is not None:
                yield path


def _named(word: object, folder: str, tops: Container[str]) -> str | None:
    """The path that a word of a command names, if it may be one of those that are sought."""
    if not isinstance(word, str) or not word or "{{" in word:
        return None
    if word[0] == "-":
        assigned = _ASSIGNED.match(word)
        word = assigned[1] if assigned else ""
    # most words name no file at all: this is asked of every word of every command
    elif folder == "." and word[0] != "." and word.partition("/")[0] not in tops:
        return None
    return _normal(word, folder)


def _before_glob(pattern: str) -> str:
    """The folder of a pattern, as far as nothing in it is special."""
    special = _GLOB.search(pattern)
    return pattern if special is None else pattern[: special.start()].rpartition("/")[0]


def _words(value: object, *, split: bool) -> list[str]:
    if not isinstance(value, str):
        return []
    return _split(value) if split else [value]


def _split(text: str) -> list[str]:
    """The words of a shell's text, templates left in one piece where they stand alone."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return text.split()
