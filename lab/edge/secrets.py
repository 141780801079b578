"""Secrets, read from their sources at the last moment and at most once in a run."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import threading
import weakref
from collections.abc import Mapping

from lab.edge.contents import contents
from lab.edge.redact import Needles, Redactor, redacted
from lab.model.diagnostic import Diagnostic, LabError, LabfileError, PlanError, did_you_mean
from lab.model.labfile import FromCommand, FromEnv, FromFile, SecretSource
from lab.model.never import assert_never

_LIMIT = 1024 * 1024  # bytes; what is longer is no secret but a mistake
_PATIENCE = 60.0  # seconds for a command
_ALL: weakref.WeakSet[Secrets] = weakref.WeakSet()


def hidden(text: str) -> str:
    """*text* without any secret that this process has read; for words that come from anywhere."""
    for each in list(_ALL):
        text = each.redact(text)
    return text


class Secrets:
    """Implements ports.Secrets for the secrets that a Labfile declares.

    Args:
        sources: where each secret comes from.
        root: the lab's folder, from which files and commands are found.
        key: the state's secret for keyed hashes, in hexadecimal; empty while there is no state.
        environ: lab's own environment.
        allow_commands: whether commands may be run; not while only looking, unless somebody says so.
    """

    def __init__(
        self,
        sources: Mapping[str, SecretSource],
        *,
        root: str,
        key: str,
        environ: Mapping[str, str],
        allow_commands: bool,
    ) -> None:
        self._sources, self._root, self._environ = sources, root, environ
        # Without a state there is nothing to compare with; but a hash without a key could be guessed.
        self._key = bytes.fromhex(key) or os.urandom(32)
        self._allow_commands = allow_commands
        self._turns = {name: threading.Lock() for name in sources}
        self._values: dict[str, str | LabError] = {}
        self._needles: tuple[int, Needles] = (0, Needles(()))
        _ALL.add(self)

    def value(self, name: str) -> str:
        if name not in self._sources:
            known = did_you_mean(name, self._sources)
            raise LabfileError(
                Diagnostic(
                    summary=f"there is no secret `{name}`",
                    help=known or "Declare it under `secrets:` in the Labfile.",
                )
            )
        with self._turns[name]:
            if name not in self._values:
                self._values[name] = self._read(name)
            found = self._values[name]
        if isinstance(found, LabError):
            raise found
        return found

    def fingerprint(self, name: str) -> str | None:
        source = self._sources.get(name)
        if isinstance(source, FromCommand) and not self._allow_commands:
            return None
        value = self.value(name).encode("utf-8", "surrogateescape")
        import hmac  # few labs have secrets

        return hmac.new(self._key, value, hashlib.sha256).hexdigest()[:16]

    def fingerprint_at_hand(self, name: str) -> str | None:
        """:meth:`fingerprint`, but None for a command even where commands are allowed."""
        return None if isinstance(self._sources.get(name), FromCommand) else self.fingerprint(name)

    def redactor(self) -> Redactor | None:
        needles = self._current()
        return Redactor(needles) if needles.all else None

    def redact(self, text: str) -> str:
        needles = self._current()
        if not needles.all:
            return text
        data = text.encode("utf-8", "surrogatepass")
        shown = redacted(needles, data)
        return text if shown == data else shown.decode("utf-8", "surrogatepass")

    def _current(self) -> Needles:
        """The needles for all values read so far, made again only when there are more."""
        values = [each for each in self._values.copy().values() if isinstance(each, str)]
        if self._needles[0] != len(values):
            self._needles = len(values), Needles(values)
        return self._needles[1]

    def _read(self, name: str) -> str | LabError:
        source = self._sources[name]
        try:
            return _checked(_sourced(source, self._root, self._environ, self._allow_commands))
        except _Unread as error:
            return PlanError(
                Diagnostic(
                    summary=f"the secret `{name}` cannot be read: {error.why}",
                    detail=self._without_any(error.detail) if error.detail else "",
                    help=error.help,
                )
            )

    def _without_any(self, told: str) -> str:
        """What a command said before it failed, without what it may have been given itself."""
        for name, source in self._sources.items():
            if not isinstance(source, FromCommand) and name not in self._values:
                with contextlib.suppress(LabError):
                    self.value(name)
        return self.redact(told)


class _Unread(Exception):
    def __init__(self, why: str, help: str, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.help, self.detail = why, help, detail


def _sourced(
    source: SecretSource, root: str, environ: Mapping[str, str], allow_commands: bool
) -> tuple[str | bytes, str]:
    """What the source holds, and the source's name."""
    match source:
        case FromEnv(name=name):
            value = environ.get(name)
            if value is None:
                raise _Unread(
                    f"the environment variable {name} is not set",
                    f"Set it (`export {name}=…`) where lab runs.",
                )
            return value, f"the environment variable {name}"
        case FromFile(path=path):
            return _file(os.path.join(root, os.path.expanduser(path))), f"the file {path}"
        case FromCommand(argv=argv):
            if not allow_commands:
                raise _Unread(
                    f"its command, `{shlex.join(argv)}`, is not run by what only looks",
                    "If you trust this Labfile, say `--allow-commands`; `lab apply` runs it in any case.",
                )
            return _printed(argv, root, environ), f"the command {shlex.join(argv)}"
        case _:
            assert_never(source)


def _checked(found: tuple[str | bytes, str]) -> str:
    content, source = found
    if len(content) > _LIMIT:
        raise _Unread(f"{source} gives more than a mebibyte", "A secret is a short text.")
    try:
        text = content if isinstance(content, str) else _without_newline(content.decode())
    except UnicodeDecodeError:
        raise _Unread(
            f"{source} gives bytes that are no text", "Store it as text, in Base64 for example."
        ) from None
    if "\0" in text:
        raise _Unread(f"{source} gives a zero byte", "No program could be given that value.")
    if not text:
        raise _Unread(f"{source} is empty", "An empty secret is a forgotten one: give it a value.")
    return text


def _without_newline(text: str) -> str:
    if text.endswith("\r\n"):
        return text[:-2]
    return text.removesuffix("\n")


def _file(path: str) -> bytes:
    try:
        return contents(path, _LIMIT + 1)
    except OSError as error:
        raise _Unread(
            f"{path}: {error.strerror or error}", "Write the secret to that file, readable for you."
        ) from None


def _printed(argv: tuple[str, ...], root: str, environ: Mapping[str, str]) -> bytes:
    import subprocess  # likewise

    said = shlex.join(argv)
    try:
        done = subprocess.run(
            argv,
            cwd=root,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _Unread(
            f"the command {said} did not end in {_PATIENCE:.0f} seconds",
            "It may be waiting for somebody to type: sign in first, then run lab again.",
        ) from None
    except (OSError, ValueError) as error:
        raise _Unread(
            f"the command {said} cannot be run: {error}", "Install it, or correct the path."
        ) from None
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
        raise _Unread(
            f"the command {said} failed with exit status {done.returncode}",
            "Run it by hand to see what it needs.",
            "\n".join(told),
        )
    return done.stdout
