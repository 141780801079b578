"""A lab with a past, in a folder that the verbs run in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from past import Past


@pytest.fixture
def past(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Past]:
    """An empty past in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    made = Past(tmp_path, capsys)
    yield made
    made.close()
