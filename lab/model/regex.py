"""Regular expressions that are compiled when first used: most commands need few of lab's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from re import compile as regex
else:
    import re

    class regex:  # noqa: N801 - it stands for re.compile
        """What ``re.compile`` gives, later."""

        def __init__(self, pattern: str, flags: int = 0) -> None:
            self._given = pattern, flags

        def __getattr__(self, name: str) -> object:
            found = getattr(re.compile(*self._given), name)
            setattr(self, name, found)  # from now on this is not called for it
            return found


__all__ = ["regex"]
