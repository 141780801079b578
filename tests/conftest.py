"""What tests of several rooms share: a real PostgreSQL, started once, and Ctrl-C as it should be."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from postgres import Postgres, running

# Enough to see what a change breaks; `pytest --hypothesis-profile=deep` looks longer.
settings.register_profile("suite", max_examples=30, deadline=None)
settings.register_profile("deep", max_examples=1000, deadline=None)
settings.load_profile("suite")

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that: the tests
# that send it would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server; where none can be started, the test is skipped and says why."""
    with running() as server:
        yield server
