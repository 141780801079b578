"""One environment with TensorFlow for all live tests, made once and kept between runs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("LAB_TEST_CACHE", ROOT / ".lab-test-cache"))
REQUIREMENTS = ROOT / "examples" / "digits" / "requirements.txt"
EXTRAS = ("tensorboard",)  # TensorFlow writes event files without it, but nothing reads them

# Two cores, several people: TensorFlow would take all cores for matrices that fit in a cache line.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def interpreter() -> Path:
    """The Python of an environment with TensorFlow, scikit-learn and tensorboard.

    Made on first use (about 25 s and 430 MB to fetch), by one process at a time; where it cannot
    be made, the test that asked is skipped with the installer's words.
    """
    wanted = f"{sys.version_info[:2]}{REQUIREMENTS.read_text()}{EXTRAS}"
    folder = CACHE / f"tensorflow-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / ".gitignore").write_text("*\n")
    with (CACHE / "tensorflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _uv("venv", "--python", sys.executable, str(folder))
            # without byte code TensorFlow's import takes three times as long, every time
            install = ("pip", "install", "--compile-bytecode", "--python", str(python))
            _uv(*install, "-r", str(REQUIREMENTS), *EXTRAS)
            (folder / "whole").touch()
    return python


def environ(**more: str) -> dict[str, str]:
    """This process's environment with TensorFlow quiet and on one thread, and without lab's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAB_")}
    return {**kept, **QUIET, **more}


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [uv.find_uv_bin(), "--quiet", *arguments],
        env={**os.environ, "UV_SYSTEM_CERTS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no TensorFlow environment: uv {arguments[0]}: {done.stderr.strip()}")
