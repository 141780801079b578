"""What a provider author tests with: two worlds to run in, and the suite that all must pass."""

from lab.testing.conformance import Conformance
from lab.testing.fake import FakeIo, Ran
from lab.testing.real import RealIo
from lab.testing.world import Killed, Told, World, made, task_for

__all__ = [
    "Conformance",
    "FakeIo",
    "Killed",
    "Ran",
    "RealIo",
    "Told",
    "World",
    "made",
    "task_for",
]
