"""The lines for what ended, and names that are cut to fit."""

from __future__ import annotations

import pytest

from lab.model.event import StepFinished
from lab.model.state import Done
from lab.model.values import Artifact
from lab.report.lines import happened
from lab.report.words import shortened


def test_an_ended_step_shows_its_values_and_its_artifacts() -> None:
    outputs = {
        "accuracy": 0.97333,
        "model": Artifact("/lab/model.keras", "sha256:" + "0" * 64, 214_000),
        "python": Artifact("/lab/venv/bin/python", "lock:1"),  # its provider vouches for it
    }
    done = Done(run=1, digest="d", identity={}, finished=2.0, outputs=outputs)
    event = StepFinished(run=1, time=2.0, address="train", done=done)
    assert happened(event, 6, colour=False) == "✓ train     2.0s  accuracy=0.9733 model (214 kB)"


@pytest.mark.parametrize(
    ("address", "room", "shown"),
    [
        ("train", 5, "train"),
        ("preprocessing", 8, "pre…sing"),
        ("preprocess[lr=0.1]", 14, "prepr…[lr=0.1]"),
        ("preprocess[language=german,size=small]", 20, "pre…rman,size=small]"),
        ("train[lr=0.1]", 3, "t…]"),
        ("train", 1, "…"),
        ("train", 0, "…"),
    ],
)
def test_the_middle_of_a_name_gives_way(address: str, room: int, shown: str) -> None:
    assert shortened(address, room) == shown
