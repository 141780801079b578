"""Where lab keeps things: the folders below `.lab`, as text."""

from __future__ import annotations

from lab.model.address import file_name, slug

FOLDER = ".lab"
OUTPUT_FILE = ".lab-output"  # in a step's folder: what $LAB_OUTPUT names while it runs


def lab_key(name: str, overlay: str) -> str:
    """What the state belongs to, as a folder name: ``mnist``, ``mnist@prod``.

    Names are checked where they are written; those in somebody else's state may lead elsewhere.
    """
    key = f"{name}@{overlay}" if overlay else name
    return file_name(key)


def work_dir(root: str, name: str, overlay: str) -> str:
    return f"{root}/{FOLDER}/work/{lab_key(name, overlay)}"


def step_dir(root: str, name: str, overlay: str, address: str) -> str:
    """``step.dir``: the folder that is private to a step or one matrix instance."""
    return f"{work_dir(root, name, overlay)}/steps/{slug(address)}"


def log_path(root: str, name: str, overlay: str, run: int, address: str) -> str:
    return f"{work_dir(root, name, overlay)}/logs/{run:04d}/{slug(address)}.log"


def curve_path(root: str, name: str, overlay: str, run: int, address: str) -> str:
    """The curve of a training's metrics in one run, beside its log."""
    return log_path(root, name, overlay, run, address).removesuffix(".log") + ".curve.jsonl"


def run_path(root: str, name: str, overlay: str, run: int) -> str:
    """What a run began with: enough to repeat it."""
    return f"{work_dir(root, name, overlay)}/logs/{run:04d}/run.json"


def state_path(root: str) -> str:
    return f"{root}/{FOLDER}/state.db"
