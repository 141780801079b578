"""What tests of several rooms share: a real PostgreSQL, started once for all that need it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres import Postgres, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server; where none can be started, the test is skipped and says why."""
    with running() as server:
        yield server
