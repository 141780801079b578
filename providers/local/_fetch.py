"""Downloads a file over HTTP: goes on where a broken one ended, and can be told to stop at any moment.

urllib3 does it, because the docker and kubernetes clients bring it anyway and it is one small package
without dependencies; requests and httpx would add four or six, for sessions that one file does not need.
It, ssl and urllib.request are imported when something is fetched: a plan, which only looks, does without.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import time
import urllib.parse
from dataclasses import field
from typing import TYPE_CHECKING, Any

from lab.model.frozen import dataclass
from lab.provider import Io, Refused, Retry

from ._store import require_room

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

_PIECE = 1 << 16
_CONNECT, _SILENCE = 20.0, 60.0  # seconds
_BREAKS = 5  # broken connections that are taken up again, as long as each brought something
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: ``changed`` is False where the server says that what was fetched before still holds."""

    etag: str = ""
    changed: bool = True


@dataclass(slots=True)
class Transfer:
    """One request, shared with the thread that reads; only ``stop`` is written by the other side."""

    headers: dict[str, str]
    have: int
    total: int | None = None
    status: int = 0
    reason: str = ""
    answer: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)


def fetch(url: str, part: str, io: Io, *, blind: bool, etag: str = "") -> Fetched:
    """Downloads *url* to *part*, going on from what is there.

    Args:
        url: an http or https URL; a user and password in it are sent as basic authentication.
        part: the file that grows.
        io: is told the progress, and tells when to stop.
        blind: go on from a part even if the server cannot say that it is of the same file, for its hash
            is known and checked.
        etag: what the server called the data that was fetched before; given, it may be kept.

    Raises:
        Refused: the server refuses, or the URL is none.
        Retry: the server is busy, cannot be reached, or broke off too often.
    """
    error: Exception | None = None
    for broken in range(_BREAKS + 1):
        before = _size(part)
        transfer = Transfer(_headers(url, part, blind=blind, etag=etag), before)
        _run(transfer, url, part, io)
        if transfer.status == 304:
            return Fetched(etag, changed=False)
        if transfer.status == 416:
            if _size(part) == transfer.total:
                return Fetched(transfer.answer.get("etag", ""))
            forget(part)
            continue
        _require_good(transfer, url)
        _raise_ours(transfer.error)
        whole = transfer.total is None or _size(part) == transfer.total
        if transfer.error is None and whole:
            return Fetched(transfer.answer.get("etag", ""))
        error, got = transfer.error, _size(part) - before
        if got <= 0 or broken == _BREAKS:
            break
        io.note(f"the connection broke after {got} bytes; going on")
        io.sleep(0.2 * 2**broken)
    raise Retry(
        f"{shown(url)} broke off",
        detail=f"{_size(part)} bytes are there; the next attempt goes on from them. {error or ''}",
    )


def shown(url: str) -> str:
    """A URL without user and password."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _run(transfer: Transfer, url: str, part: str, io: Io) -> None:
    """Lets a thread read, for a read blocks; this one listens for the wish to stop."""
    thread = threading.Thread(target=_work, args=(transfer, url, part), daemon=True)
    began, start = time.monotonic(), transfer.have
    thread.start()
    try:
        while not transfer.done.wait(0.1):
            io.check()
            _tell(transfer, io, start, time.monotonic() - began)
    finally:
        transfer.stop.set()


def _tell(transfer: Transfer, io: Io, start: int, seconds: float) -> None:
    have, total = transfer.have, transfer.total
    if not transfer.status:
        io.progress("connecting")
    elif not total:
        io.progress(f"{have / 2**20:.1f} MiB")
    else:
        rate = (have - start) / seconds if seconds > 1 else 0
        left = f", {(total - have) / rate:.0f} s left" if rate > 0 else ""
        io.progress(f"{have / 2**20:.1f} of {total / 2**20:.1f} MiB{left}", fraction=have / total)


def _work(transfer: Transfer, url: str, part: str) -> None:
    try:
        response = _open(url, transfer.headers)
        try:
            _receive(transfer, response, url, part)
        finally:
            response.close()
    except Exception as error:  # noqa: BLE001 - the other thread says what it means
        transfer.error = error
    finally:
        transfer.done.set()


def _receive(transfer: Transfer, response: BaseHTTPResponse, url: str, part: str) -> None:
    transfer.answer = {name.lower(): value for name, value in response.headers.items()}
    ranged = transfer.answer.get("content-range", "")
    transfer.reason = response.reason or ""
    start = transfer.have
    if response.status == 206 and not ranged.startswith(f"bytes {start}-"):
        transfer.total, transfer.status = (
            None,
            416,
        )  # another stretch than was asked for: start anew
        return
    if response.status in (206, 416):
        transfer.total = _number(ranged.rpartition("/")[2])
    elif response.status == 200:
        transfer.total = _number(transfer.answer.get("content-length", ""))
        transfer.have = 0
    transfer.status = response.status
    if response.status not in (200, 206):
        return
    if response.status == 200:
        _note(part, url, transfer.answer)
    if transfer.total:
        require_room(os.path.dirname(part), transfer.total - transfer.have)
    with open(part, "ab" if response.status == 206 else "wb") as file:
        while not transfer.stop.is_set() and (piece := response.read1(_PIECE)):
            file.write(piece)
            transfer.have += len(piece)


def _open(url: str, headers: dict[str, str]) -> BaseHTTPResponse:
    import ssl
    import urllib.request

    import urllib3

    parts = urllib.parse.urlsplit(url)
    options: dict[str, Any] = {
        "ssl_context": ssl.create_default_context(),  # the system's authorities, and SSL_CERT_FILE
        "timeout": urllib3.Timeout(connect=_CONNECT, read=_SILENCE),
        "retries": urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=10),
    }
    proxy = urllib.request.getproxies().get(parts.scheme.lower())
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        pool: urllib3.PoolManager = urllib3.ProxyManager(proxy, **options)
    else:
        pool = urllib3.PoolManager(**options)
    return pool.request("GET", shown(url), headers=headers, preload_content=False)


def _headers(url: str, part: str, *, blind: bool, etag: str) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity", "User-Agent": "lab"}
    parts = urllib.parse.urlsplit(url)
    if parts.username:
        import urllib3

        name, word = map(urllib.parse.unquote, (parts.username, parts.password or ""))
        headers |= urllib3.make_headers(basic_auth=f"{name}:{word}")
    size = _size(part)
    about = _about(part)
    same = about.get("url") == shown(url)
    validator = about.get("etag", "") if same else ""
    if validator.startswith("W/") or not validator:
        validator = about.get("modified", "") if same else ""
    if size and (validator or blind):
        headers["Range"] = f"bytes={size}-"
        if validator:
            headers["If-Range"] = validator
    elif etag:
        headers["If-None-Match"] = etag
    return headers


def _require_good(transfer: Transfer, url: str) -> None:
    import ssl

    import urllib3.exceptions as faults

    status, error = transfer.status, transfer.error
    if status in (200, 206):
        return
    if status in _BUSY:
        after = _number(transfer.answer.get("retry-after", ""))
        raise Retry(f"{shown(url)}: {status} {transfer.reason}", after=after)
    if status:
        raise Refused(
            f"{shown(url)}: {status} {transfer.reason}",
            "Is the URL right, and may this machine read it?",
        )
    cause = error.reason if isinstance(error, faults.MaxRetryError) else error
    if isinstance(cause, (faults.SSLError, ssl.SSLError)):
        raise Refused(
            f"{shown(url)}: the server's certificate is not trusted",
            f"{cause}\nlab trusts what this system trusts; a company's own authority is named by"
            " SSL_CERT_FILE.",
        )
    if isinstance(cause, (faults.LocationParseError, faults.URLSchemeUnknown, UnicodeError)):
        raise Refused(f"{shown(url)} is no URL", str(cause))
    if isinstance(cause, OSError) and not isinstance(cause, faults.HTTPError):
        raise cause
    raise Retry(f"{shown(url)} cannot be reached", detail=str(cause or error))


def _raise_ours(error: Exception | None) -> None:
    """Raises what is wrong on this side: the disk, not the line."""
    ours = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EIO}
    if isinstance(error, Refused) or (isinstance(error, OSError) and error.errno in ours):
        raise error


def _note(part: str, url: str, answer: dict[str, str]) -> None:
    about = {
        "url": shown(url),
        "etag": answer.get("etag", ""),
        "modified": answer.get("last-modified", ""),
    }
    with open(f"{part}.json", "w", encoding="utf-8") as file:
        json.dump(about, file)


def _about(part: str) -> dict[str, str]:
    try:
        with open(f"{part}.json", encoding="utf-8") as file:
            found = json.load(file)
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def forget(part: str) -> None:
    """Throws a part away, and what is known of it."""
    for path in (part, f"{part}.json"):
        if os.path.exists(path):
            os.unlink(path)


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
