"""The example of a third party's package passes the published suite."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.testing import Conformance, World

sys.path.append(str(Path(__file__).parent.parent / "plugin_example"))
import lab_greeting


class TestGreetingConforms(Conformance):
    provider = lab_greeting

    def good(self, world: World) -> dict:
        return {"name": "Ada", "times": 2}

    def failing(self, world: World) -> dict:
        return {"name": " "}

    def left_behind(self, world: World):
        return [p.name for p in Path(world.directory).iterdir()]
