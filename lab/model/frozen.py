"""Dataclasses that are cheap to declare: nothing is compiled until the first value is made.

The standard decorator writes and compiles up to seven methods for each class, about a millisecond.
Lab declares far more classes than one command uses, and that was half of its start-up. Here the
standard decorator finds the fields, so that ``fields``, ``replace``, ``is_dataclass`` and ``match``
work as ever, and type checkers see nothing but the standard one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        kw_only: bool = False,
        eq: bool = True,
    ) -> Any:
        """The part of :func:`dataclasses.dataclass` that lab uses."""

        def declared(bare: type) -> type:
            if frozen and not slots:
                raise TypeError(f"{bare.__name__}: what is frozen must have slots")
            if any(dataclasses.is_dataclass(base) for base in bare.__mro__[1:]):
                raise TypeError(f"{bare.__name__}: such a class cannot extend another dataclass")
            bare.__doc__ = bare.__doc__ or bare.__name__  # or the standard one writes a signature
            made = dataclasses.dataclass(
                init=False, repr=False, eq=False, slots=slots, kw_only=kw_only
            )(bare)
            made.__dataclass_params__.frozen = frozen
            for name, method in _methods(made, frozen=frozen, eq=eq):
                if name not in bare.__dict__:
                    setattr(made, name, method)
            return made

        return declared if cls is None else declared(cls)


__all__ = ["dataclass"]


def _methods(cls: Any, *, frozen: bool, eq: bool) -> Iterator[tuple[str, object]]:
    yield "__init__", _first_init(cls, frozen=frozen)
    yield "__repr__", _repr
    if eq:
        yield "__eq__", _eq_of([f.name for f in dataclasses.fields(cls) if f.compare])
        yield "__hash__", _hash_of(cls) if frozen else None
    if frozen:
        yield "__setattr__", _refuse_to_set
        yield "__delattr__", _refuse_to_delete
        yield "__getstate__", _state
        yield "__setstate__", _set_state


def _first_init(cls: Any, *, frozen: bool) -> Callable[..., None]:
    """What runs for the first value: it compiles what runs for all others."""

    def __init__(self: object, *args: object, **named: object) -> None:  # noqa: N807
        cls.__init__ = _compiled(cls, frozen=frozen)
        cls.__init__(self, *args, **named)

    return __init__


def _compiled(cls: Any, *, frozen: bool) -> Callable[..., None]:
    scope: dict[str, Any] = {"_absent": dataclasses.MISSING}
    positional = ["self"]
    named: list[str] = []
    body: list[str] = []
    for number, field in enumerate(dataclasses.fields(cls)):
        value = parameter = field.name
        if field.default_factory is not dataclasses.MISSING:
            scope[f"_default{number}"] = field.default_factory
            value = f"_default{number}() if {field.name} is _absent else {field.name}"
            parameter = f"{field.name}=_absent"
        elif field.default is not dataclasses.MISSING:
            scope[f"_default{number}"] = field.default
            parameter = f"{field.name}=_default{number}"
        (named if field.kw_only else positional).append(parameter)
        # A slot's own setter passes by the refusal to set, and is faster than object's.
        scope[f"_set{number}"] = getattr(getattr(cls, field.name), "__set__", None)
        body.append(
            f"_set{number}(self, {value})" if frozen else f"self.{field.name} = {value}",
        )
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    head = ", ".join([*positional, *(["*", *named] if named else [])])
    exec(f"def __init__({head}):\n " + "\n ".join(body or ["pass"]), scope)
    init: Callable[..., None] = scope["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _values_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


def _eq_of(names: list[str]) -> Callable[[object, object], bool]:
    values = _values_of(names)

    def __eq__(self: object, other: object) -> bool:  # noqa: N807
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    return __eq__


def _hash_of(cls: Any) -> Callable[[object], int]:
    known = dataclasses.fields(cls)
    values = _values_of([f.name for f in known if (f.compare if f.hash is None else f.hash)])
    return lambda self: hash(values(self))


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_to_set(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
