"""A lab in a temporary folder, run through the real `lab` program, as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAB = Path(sys.executable).parent / "lab"


@dataclass(frozen=True)
class Ran:
    """How one command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def steps(self, event: str) -> list[str]:
        """The steps of one sort of event (`started`, `kept`), in order."""
        return [e["step"] for e in self.events if e["event"] == f"step.{event}"]


class Project:
    """A folder with a Labfile. Runs `lab` in it with a clean environment."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("LAB_")}
        self.env |= {"NO_COLOR": "1", "LAB_CACHE": str(folder.parent / "cache"), **(env or {})}

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def labfile(self, text: str, name: str = "Labfile.yaml") -> Path:
        return self.write(name, text)

    def lab(
        self, *words: str, expect: int | None = 0, timeout: float = 300, stdin: str = ""
    ) -> Ran:
        """Runs `lab` with *words*; *expect* is the exit code that it must have (None: any)."""
        done = subprocess.run(
            [str(LAB), *words],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            input=stdin,
            check=False,
        )
        ran = Ran(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in ran.out + ran.err, ran.err
        if expect is not None:
            assert ran.code == expect, f"lab {words} exited {ran.code}\n{ran.out}\n{ran.err}"
        return ran

    def plan(self, *words: str) -> dict[str, tuple[str, str]]:
        """Each step's action and cause."""
        actions = self.lab("plan", "--json", *words).json["actions"]
        return {a["step"]: (a["action"], a["cause"]) for a in actions}

    def apply(self, *words: str, expect: int | None = 0) -> Ran:
        return self.lab("apply", "--json", *words, expect=expect)

    def popen(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """Starts `lab` in its own session and does not wait."""
        return subprocess.Popen(
            [str(LAB), *words],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **more,
        )
