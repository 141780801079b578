"""How a team's database is reached, and what it is called without giving its password away."""

from __future__ import annotations

import re

from lab.edge.postgres_errors import bad_dsn, missing
from lab.model.frozen import dataclass

_HIDDEN = "•••"
_PLAIN = re.compile(r"[\w.:/\-,*\[\] @]*")
_CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Dsn:
    """A dsn that was read: what the driver gets, what people see, and what nobody may see."""

    options: dict[str, str | int]
    place: str
    hidden: tuple[str, ...]

    def veil(self, text: str) -> str:
        """*text* without what nobody may see."""
        for secret in self.hidden:
            text = text.replace(secret, _HIDDEN)
        return text


def read_dsn(text: str, workspace: str = "") -> Dsn:
    """Reads a dsn, a URL or libpq's ``keyword=value`` pairs.

    Raises:
        StateError: it is none, or the driver is not installed.
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict
    except ImportError:
        raise missing() from None
    try:
        found = {k: str(v) for k, v in conninfo_to_dict(text).items() if v is not None}
    except psycopg.Error:
        raise bad_dsn() from None
    host, base = found.get("host", ""), found.get("dbname", found.get("user", ""))
    port = found.get("port", "")
    # An `@` or `/` that was not escaped makes a piece of the password a host or a port.
    if not _is_name(host, also=",") or not _is_name(base) or not re.fullmatch(r"[\d,]*", port):
        raise bad_dsn()
    options: dict[str, str | int] = {**_defaults(), **found}
    secrets = (found.get("password", ""), found.get("sslpassword", ""))
    return Dsn(
        options=options,
        place=_place(host, port, base, workspace),
        hidden=tuple(sorted({text, *filter(None, secrets)}, key=len, reverse=True)),
    )


def _is_name(text: str, also: str = "") -> bool:
    return "@" not in text.removeprefix("@") and _PLAIN.fullmatch(text) is not None


def _defaults() -> dict[str, str | int]:
    """What is so unless the dsn says otherwise: no connection is waited for without end."""
    return {
        "application_name": "lab",
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
    }


def _place(host: str, port: str, base: str, workspace: str) -> str:
    where = f" on {host}" if host else ""
    if host and port and port != "5432" and not host.startswith("/"):
        where += f":{port}"
    inside = f", workspace {workspace}" if workspace else ""
    return f"the database {base or 'of the user'}{where}{inside}"
