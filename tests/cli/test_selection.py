"""Which steps a command line is about."""

from __future__ import annotations

import pytest
from past import Past


@pytest.mark.parametrize("flag", ["--only", "--exclude", "--tags", "--replace"])
@pytest.mark.parametrize("value", ["", " ", ","])
def test_an_empty_selection_does_not_mean_every_step(past: Past, flag: str, value: str) -> None:
    past.labfile("  a: {kind: command, command: [x]}\n")
    assert f"{flag} is empty" in past("apply", flag, value, expect=2).err
