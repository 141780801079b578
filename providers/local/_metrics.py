"""Reads a training's metrics while it runs, from what it prints or from the files that it writes."""

from __future__ import annotations

import math
import os
import posixpath
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

from lab.kinds.training import JsonlMetrics, StdoutMetrics, TensorboardMetrics
from lab.model.frozen import dataclass
from lab.provider import Refused

from ._curve import Curve, Point, point_of
from ._event_files import EventFile, Scalar, event_files
from ._plain import open_plain

_PIECE = 1 << 22  # bytes of a file that are looked at at once
_PATIENCE = 1.0  # seconds for one line
_LONGEST_LINE = 4096  # characters that are looked at: a pattern may take long on long lines
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)"
_PAIR = re.compile(
    rf"(?:^|[\s,;|(\[{{])(?P<name>[A-Za-z_][\w./-]*)\s*=\s*(?P<value>{_NUMBER})(?=$|[\s,;|)\]}}])",
    re.IGNORECASE | re.ASCII,
)
_EPOCH = re.compile(r"\bepoch[ :=#\[(]{0,3}(\d{1,9})(?:\s{0,2}(?:/|of)\s{0,2}(\d{1,9}))?", re.I)
_TWICE = re.compile(r"evaluation_.+_vs_iterations")
_KERAS_RUNS = {"train": "", "validation": "val_"}


class Source(ABC):
    """Where metrics come from; mutable, for it remembers how far it has read."""

    def __init__(self) -> None:
        self.curve = Curve()
        self.of: int | None = None  # how many epochs there will be, where the program told
        self.now: int | None = None  # the epoch that it last spoke of

    def hear(self, line: str) -> None:
        """Takes a line that the program printed."""
        short = line[:_LONGEST_LINE]
        if ("poch" in short or "POCH" in short) and (match := _EPOCH.search(short)):
            self.now = int(match[1])
            self.of = int(match[2]) if match[2] else self.of

    @abstractmethod
    def poll(self) -> None:
        """Looks what has come."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where it looks, in words."""


class Printed(Source):
    """Lines ``name=value``, several to a line; ``epoch=`` and ``step=`` say where on the curve."""

    def __init__(self, pattern: str | None, before: Curve) -> None:
        super().__init__()
        self.curve = before
        self._pattern: Any = _compiled(pattern) if pattern else _PAIR

    def hear(self, line: str) -> None:
        super().hear(line)
        short = line[:_LONGEST_LINE]
        if self._pattern is _PAIR and "=" not in short:
            return
        values: dict[str, float] = {}
        for match in self._matches(short):
            with suppress(ValueError, TypeError):  # a pattern may match what is no number
                values[match["name"]] = float(match["value"])
        epoch, step = _index(values, "epoch"), _index(values, "step")
        if epoch is None and (match_ := _EPOCH.search(short)):
            epoch = int(match_[1])
        if values:
            self.curve.add(Point(values, epoch, step))

    def _matches(self, line: str) -> Iterator[Any]:
        """What the pattern finds. Somebody's own may try for hours on one line, so that it has limits.

        Raises:
            Refused: it took too long.
        """
        if self._pattern is _PAIR:
            yield from _PAIR.finditer(line)
            return
        try:
            yield from self._pattern.finditer(line, timeout=_PATIENCE)
        except TimeoutError:
            raise Refused(
                f"`metrics.pattern` took longer than {_PATIENCE:g} s on one line",
                f"It is {self._pattern.pattern!r}, and the line began {line[:60]!r}. Repetitions inside"
                r" repetitions, as in `(\w+)*`, try every way to cut a line: write it with one.",
            ) from None

    def poll(self) -> None:
        return

    @property
    def place(self) -> str:
        return (
            f"what the program printed ({self._pattern.pattern})"
            if self._pattern is not _PAIR
            else "what the program printed (lines `name=value`)"
        )


class Lines(Source):
    """A file of JSON objects, one a line, which the program may also write anew."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path, self._offset, self._inode = path, 0, 0

    def poll(self) -> None:
        try:
            with open_plain(self._path) as file:
                about = os.fstat(file.fileno())
                if about.st_ino != self._inode or about.st_size < self._offset:
                    self.curve, self._offset, self._inode = Curve(), 0, about.st_ino
                file.seek(self._offset)
                while data := file.read(_PIECE):
                    whole = data.rfind(b"\n") + 1
                    if not whole and len(data) == _PIECE:
                        whole = _PIECE  # a line of megabytes is no point of a curve
                    self._take(data[:whole])
                    self._offset += whole
                    if len(data) < _PIECE:
                        return
                    file.seek(self._offset)
        except FileNotFoundError:
            return

    def _take(self, lines: bytes) -> None:
        for line in lines.splitlines():
            point = point_of(line)
            if point is not None:
                self.curve.add(point)

    @property
    def place(self) -> str:
        return f"JSON lines in {self._path}"


class Events(Source):
    """TensorBoard event files below a folder; those last written before *since* are of other trainings."""

    def __init__(self, folder: str, since: float) -> None:
        super().__init__()
        self._folder, self._since = folder, since
        self._files: dict[str, EventFile] = {}

    def poll(self) -> None:
        for path in event_files(self._folder):
            if path not in self._files and _modified(path) >= self._since:
                self._files[path] = EventFile(path)
        several = len({self._parent(path) for path in self._files}) > 1
        for path, file in self._files.items():
            for scalar in filter(_is_new, file.scalars()):
                self.curve.add(self._point(path, scalar, several=several))

    def _parent(self, path: str) -> str:
        run = posixpath.dirname(posixpath.relpath(path, self._folder))
        return posixpath.dirname(run) if posixpath.basename(run) in _KERAS_RUNS else run

    def _point(self, path: str, scalar: Scalar, *, several: bool) -> Point:
        run = posixpath.basename(posixpath.dirname(posixpath.abspath(path)))
        keras = run in _KERAS_RUNS
        name, counted = scalar.tag, False
        if keras and name.startswith("epoch_"):
            name, counted = name.removeprefix("epoch_"), True
        name = _KERAS_RUNS.get(run, "") + name
        if several and self._parent(path):
            name = f"{self._parent(path)}/{name}"
        if counted:
            return Point({name: scalar.value}, epoch=scalar.step + 1)
        return Point({name: scalar.value}, step=scalar.step)

    @property
    def place(self) -> str:
        return f"TensorBoard event files below {self._folder}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What of an earlier attempt of the same training still counts."""

    file: str  # LAB_METRICS_FILE
    since: float
    before: Curve = field(default_factory=Curve)


def source_of(
    asked: StdoutMetrics | TensorboardMetrics | JsonlMetrics | None, root: str, origin: Origin
) -> Source:
    """The source that ``metrics`` names; absent, what ``lab_keras`` reports.

    Raises:
        Refused: the pattern is none, or lacks its two groups.
    """
    match asked:
        case StdoutMetrics(pattern=pattern):
            return Printed(pattern, origin.before)
        case TensorboardMetrics(dir=folder):
            return Events(posixpath.normpath(posixpath.join(root, folder)), origin.since)
        case JsonlMetrics() | None:
            return Lines(origin.file)


def summary_of(source: Source) -> tuple[str, float | None, Mapping[str, float]]:
    """How far a training is: in words, as a fraction, and the latest finite values."""
    epoch = source.curve.epoch if source.curve.epoch is not None else source.now
    metrics = {name: v for name, v in source.curve.last.items() if math.isfinite(v)}
    if epoch is None:
        return "", None, metrics
    if not source.of or epoch > source.of:
        return f"epoch {epoch}", None, metrics
    return f"epoch {epoch}/{source.of}", epoch / source.of, metrics


def _is_new(scalar: Scalar) -> bool:
    """Keras writes each validation twice, once by step under a longer name."""
    return not _TWICE.fullmatch(scalar.tag)


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return -math.inf


def _index(values: dict[str, float], axis: str) -> int | None:
    """Takes an axis out of what was printed; it is no metric."""
    value = values.pop(axis, None)
    return int(value) if value is not None and math.isfinite(value) else None


def _compiled(pattern: str) -> Any:
    import regex  # as Python's own `re`, but a search can be given a limit

    try:
        compiled = regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise Refused(
            f"`metrics.pattern` is no regular expression: {error}",
            f"It is {pattern!r}; Python's syntax of regular expressions counts.",
        ) from None
    if not {"name", "value"} <= set(compiled.groupindex):
        raise Refused(
            "`metrics.pattern` has no groups `name` and `value`",
            f"It is {pattern!r}. For lines such as `loss: 0.5` write"
            r" `(?P<name>\w+): (?P<value>[-+.\deE]+)`.",
        )
    return compiled
