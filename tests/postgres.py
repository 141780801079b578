"""A real PostgreSQL, started in a temporary folder by whoever runs the tests, and ended with them."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

SUPER, PASSWORD = "labadmin", "s3cret-of-the-team"
_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Postgres:
    """A running server: reached by a socket without a password, or by TCP with one."""

    folder: str
    port: int

    def dsn(self, base: str, **more: str) -> str:
        """By the socket."""
        words = {"host": self.folder, "port": str(self.port), "user": SUPER, "dbname": base, **more}
        return " ".join(f"{key}={value}" for key, value in words.items())

    def url(self, base: str, password: str = PASSWORD, port: int | None = None) -> str:
        """By TCP, which a test can cut off."""
        return f"postgresql://{SUPER}:{password}@127.0.0.1:{port or self.port}/{base}"

    def execute(self, sql: str, base: str = "postgres") -> list[Any]:
        with psycopg.connect(self.dsn(base), autocommit=True) as connection:
            found = connection.execute(sql.encode())
            return found.fetchall() if found.description else []

    def new_base(self, name: str) -> str:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return name


def missing() -> str:
    """Why there is no server here; empty if there can be one."""
    lacking = [name for name in _PROGRAMS if _program(name) is None]
    if lacking:
        return f"PostgreSQL is not installed: no {', '.join(lacking)}"
    if os.geteuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no other user"
    return ""


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """A server of its own, with durable commits."""
    reason = missing()
    if reason:
        pytest.skip(reason)
    folder = tempfile.mkdtemp(prefix="lab-pg-", dir="/tmp")
    user = _user() if os.geteuid() == 0 else None
    try:
        if user is not None:
            shutil.chown(folder, user)
        data, port = f"{folder}/data", _free_port()
        _init(data, folder, user)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=on"
        log = f"{folder}/log"
        _run("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start", user=user, cwd=folder)
        try:
            yield Postgres(folder, port)
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "stop", user=user, cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _init(data: str, folder: str, user: str | None) -> None:
    secret = Path(folder, "password")
    secret.write_text(PASSWORD)
    if user is not None:
        shutil.chown(secret, user)
    words = ["-D", data, "-U", SUPER, "--pwfile", str(secret), "--locale=C", "-E", "UTF8"]
    words += ["--auth-local=trust", "--auth-host=scram-sha-256"]
    _run("initdb", *words, user=user, cwd=folder)


def _run(name: str, *words: str, user: str | None, cwd: str) -> None:
    program = _program(name)
    assert program is not None
    as_whom: dict[str, Any] = {"user": user, "extra_groups": []} if user else {}
    # Not by pipes: a server that goes on would hold them open.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [program, *words], cwd=cwd, stdout=said, stderr=said, check=False, **as_whom
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode()


def _program(name: str) -> str | None:
    """On PATH, or where Debian has it; of all versions the newest, and all from one."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    found = next((str(f / name) for f in folders if (f / name).exists()), None)
    return found or shutil.which(name)


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def _user() -> str | None:
    with open("/etc/passwd", encoding="utf-8") as file:
        names = {line.split(":")[0] for line in file}
    return next((name for name in _UNPRIVILEGED if name in names), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
