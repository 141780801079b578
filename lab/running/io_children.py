"""The part of a step's world that is about the steps that it makes itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from lab.model.values import Json, Value
from lab.provider import Child, Refused, Told

Hear: TypeAlias = "Callable[[Child | Told], None]"
Stop: TypeAlias = "Callable[[Mapping[str, Value] | None], None]"


class Children(Protocol):
    """The children of one step, as :class:`lab.provider.Io` has them."""

    def start(self, key: str, parameters: Mapping[str, Json], hear: Hear, cause: str) -> Stop: ...

    def known(self) -> Mapping[str, Child]: ...

    def forget(self, key: str) -> None: ...

    def close(self) -> None:
        """Ends those that still run, and waits for their end."""


class Parent:
    """Implements :class:`lab.provider.Parent` for steps that have children, and refuses for others."""

    def __init__(self, children: Children | None) -> None:
        self._children = children

    def child(
        self, key: str, parameters: Mapping[str, Json], hear: Hear, *, cause: str = ""
    ) -> Stop:
        return self._family().start(key, parameters, hear, cause)

    def children(self) -> Mapping[str, Child]:
        return self._family().known()

    def forget(self, key: str) -> None:
        self._family().forget(key)

    def _family(self) -> Children:
        if self._children is None:
            raise Refused(
                "this step has no children",
                "Only a step whose kind has a `trial` makes any. This is a bug in its provider.",
                reason="bug",
            )
        return self._children
