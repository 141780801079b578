"""Runs uv and makes sense of what it says: how far it is, and why it failed."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import field

from lab.model.frozen import dataclass
from lab.provider import Completed, Io, Refused, Retry

_DOWNLOADING = re.compile(r"\s*Downloading (\S+) \(([\d.]+)\s*(B|KiB|MiB|GiB)\)")
_DOWNLOADED = re.compile(r"\s*Downloaded (\S+)")
_PHASE = re.compile(r"\s*(Resolved|Prepared|Installed) (\d+) packages?|\s*(Building|Built) (\S+)")
_NO_PYTHON = ("interpreter found", "No download found", "Failed to inspect Python interpreter")
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_BOXES = re.compile(r"^[\s×╰─▶├│]*(?:cause:\s*)?", re.MULTILINE)
_CERTIFICATE = re.compile(r"invalid peer certificate|UnknownIssuer|certificate verify failed", re.I)
_PYTHON = re.compile(r"Failed to download \S*/cpython-")
_DENIED = re.compile(r"status client error \((401|403|407)\b")
_NO_NETWORK = re.compile(
    r"network (was|is) disabled|dns error|failed to lookup address|network is unreachable", re.I
)
_TRIED = re.compile(r"failed after [1-9]\d* retr", re.I)
_UNREACHABLE = re.compile(
    r"error sending request|client error \(|timed out|connection (reset|refused|closed)"
    r"|HTTP status server error|\b(429|50[0-4])\b",
    re.I,
)


@dataclass(slots=True)
class Progress:
    """Listens to uv's lines and tells how far it is; mutable, for it adds up."""

    io: Io
    sizes: dict[str, float] = field(default_factory=dict)
    got: float = 0.0
    began: float = 0.0

    def line(self, text: str) -> None:
        """Takes one line of what uv prints."""
        if match := _DOWNLOADING.match(text):
            self.sizes[match[1]] = float(match[2]) * _UNITS[match[3]]
            self._tell()
        elif match := _DOWNLOADED.match(text):
            self.got += self.sizes.get(match[1], 0.0)
            self._tell()
        elif _PHASE.match(text):
            phase = text.strip().split(" in ")[0].lower()
            more = ", compiling byte code" if phase.startswith("installed") else ""
            self.io.progress(phase + more)

    def _tell(self) -> None:
        whole = sum(self.sizes.values())
        now = time.monotonic()
        self.began = self.began or now
        rate = self.got / max(now - self.began, 0.1)
        left = f", {(whole - self.got) / rate:.0f} s left" if rate else ""
        shown = f"downloaded {self.got / 2**20:.1f} of {whole / 2**20:.1f} MiB{left}"
        self.io.progress(shown, fraction=self.got / whole if whole else None)


def uv(words: Sequence[str], io: Io, *, cwd: str, quiet: bool = False) -> Completed:
    """Runs uv to its end, whatever that is; quietly where a failure is no failure yet."""
    env = {
        "PYTHONDONTWRITEBYTECODE": "",  # written once here, or imports are slow for ever
        "UV_NO_COLOR": "1",
        "NO_COLOR": "1",
    }
    if not {"UV_SYSTEM_CERTS", "UV_NATIVE_TLS"} & set(io.ambient):
        env["UV_SYSTEM_CERTS"] = "1"
    heard = None if quiet else Progress(io).line
    argv = [io.tool("uv"), *words]
    return io.run(argv, cwd=cwd, env=env, on_line=heard, capture=True, quiet=quiet)


def explain(output: str, doing: str) -> Refused | Retry:
    """What a failed uv means for the step: another attempt may help, or something must change."""
    said = readable(output)
    if _CERTIFICATE.search(said):
        return Refused(
            f"{doing}: the package index's certificate is not trusted",
            f"{said}\nlab trusts what this system trusts; a company's own authority is named by"
            " SSL_CERT_FILE.",
        )
    if _NO_NETWORK.search(output):
        return Refused(
            f"{doing}: there is no network, and uv's cache does not have all that is wanted",
            f"{said}\nWhere there never is one, commit a lock and fill uv's cache while there is.",
        )
    if "No solution found" in said:
        return Refused(
            "the requirements cannot be satisfied",
            f"{said}\nLoosen one of the requirements named there, or choose another `python`.",
        )
    if _PYTHON.search(said):
        return Retry(
            "that Python is not installed here and cannot be downloaded",
            detail=f"{said}\nInstall it, or set `python` to a version that is installed.",
        )
    if _DENIED.search(said):
        return Refused(f"{doing}: the package index refuses access", said)
    if _UNREACHABLE.search(said):
        unreachable = f"{doing}: the package index cannot be reached"
        tried = _TRIED.search(said)  # four times, for ten seconds: more of that is no hope
        return Refused(unreachable, said) if tried else Retry(unreachable, detail=said)
    if any(each in said for each in _NO_PYTHON):
        return Refused(
            "that Python is not there",
            f"{said}\nInstall it, or set `python` to a version that is installed.",
        )
    if "ash mismatch" in said:
        return Refused(
            "a package is not what the lock says",
            f"{said}\nIf its release was replaced on purpose, delete the lock to resolve anew.",
        )
    return Refused(f"{doing}: uv failed", said)


def readable(output: str) -> str:
    """uv's complaint as plain lines: without what went well before it, boxes and markers."""
    start = output.find("error:")
    start = output.find("×") if start < 0 else start
    text = _BOXES.sub("", output[max(start, 0) :]).removeprefix("error:")
    lines = [line.strip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line)[-4000:]
