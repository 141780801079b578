"""What tests of several rooms share: a real PostgreSQL, started once, and Ctrl-C as it should be."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from postgres import Postgres, running

# A shell starts what runs in its background with Ctrl-C ignored, and children inherit that: the tests
# that send it would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server; where none can be started, the test is skipped and says why."""
    with running() as server:
        yield server
