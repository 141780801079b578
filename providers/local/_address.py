"""Where a dataset's address points: to a file of this machine, or elsewhere; and what it calls the data."""

from __future__ import annotations

import posixpath
import urllib.parse

from lab.provider import Refused


def local_path(url: str, root: str) -> str | None:
    """The absolute path of a local source; None for what must be downloaded."""
    parts = urllib.parse.urlsplit(url)
    match parts.scheme.lower():
        case "http" | "https":
            return None
        case "file":
            if parts.netloc not in ("", "localhost"):
                raise Refused(
                    f"{url} names the machine {parts.netloc}",
                    "A file: URL has three slashes before an absolute path: file:///data/x.npz.",
                )
            return posixpath.normpath(posixpath.join(root, urllib.parse.unquote(parts.path)))
        case scheme if "://" in url:
            raise Refused(
                f"lab does not know how to fetch `{scheme}` URLs",
                "It knows https, http and file. Fetch the data with the service's own program in a"
                " `command` step, and name the result in `artifacts`.",
            )
        case _:
            return posixpath.normpath(posixpath.join(root, url))


def name_of(url: str) -> str:
    """The last part of the address's path."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path) if "://" in url else url
    name = posixpath.basename(path.rstrip("/")).replace("\0", "")
    return "data" if name in ("", ".", "..") else name
