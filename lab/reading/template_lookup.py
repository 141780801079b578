"""Names looked up in a scope of plain data, and what to say when they are not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lab.model.diagnostic import did_you_mean
from lab.model.values import Unknown
from lab.reading.template_fault import Missing, TemplateFault
from lab.reading.template_limits import sort_of
from lab.reading.template_nodes import Chain

SHOWN = 12
_NULL_BELOW = ("steps", "recipes")  # the outputs of a skipped step are null, each of them


class UnknownMet(Exception):
    """The expression needs a value that is not known yet."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown)
        self.unknown = unknown


def merged(unknowns: Iterable[Unknown]) -> Unknown:
    """One Unknown that waits for all that *unknowns* wait for."""
    return Unknown(tuple(dict.fromkeys(each for found in unknowns for each in found.after)))


def unknowns_in(value: object) -> list[Unknown]:
    """Every Unknown inside *value*, in order."""
    match value:
        case Unknown():
            return [value]
        case Mapping():
            return [found for each in value.values() for found in unknowns_in(each)]
        case list() | tuple():
            return [found for each in value for found in unknowns_in(each)]
        case _:
            return []


def resolve(root: str, keys: Sequence[Any], scope: Mapping[str, Any]) -> Any:
    """What the name *root* with *keys* means in *scope*.

    Raises:
        UnknownMet: it, or a part of it, is not known yet.
        Missing: nothing is there.
    """
    if root not in scope:
        raise Missing(f"`{root}` is not known here", help=_known(root, scope), expression=root)
    value = scope[root]
    for index, key in enumerate(keys):
        if isinstance(value, Mapping) and isinstance(key, str | int | float) and key in value:
            value = value[key]
        else:
            value = _otherwise(value, root, tuple(keys[: index + 1]))
    if not isinstance(value, str | int | float) and (unknowns := unknowns_in(value)):
        raise UnknownMet(merged(unknowns))
    return value


def item(value: Any, key: Any) -> Any:
    """The element *key* of a value that has no name.

    Raises:
        Missing: it has none.
    """
    if isinstance(value, Mapping) and isinstance(key, str) and key in value:
        return value[key]
    if _is_place(value, key):
        return value[key]
    sort = Missing if value is None or isinstance(value, list | Mapping) else TemplateFault
    raise sort(f"{sort_of(value)} in the expression has no such element")


def _is_place(value: Any, key: Any) -> bool:
    whole = isinstance(key, int) and not isinstance(key, bool)
    return whole and isinstance(value, list | str) and -len(value) <= key < len(value)


def _otherwise(value: Any, root: str, keys: tuple[Any, ...]) -> Any:
    """The element of *value* at the last of *keys*, where it is not simply a map's."""
    key = keys[-1]
    if isinstance(value, Unknown):
        raise UnknownMet(value)
    if _is_place(value, key):
        return value[key]
    if isinstance(value, Mapping) and isinstance(key, int) and str(key) in value:
        return value[str(key)]
    if value is None and root in _NULL_BELOW:
        return None
    if not isinstance(key, str | int) or isinstance(key, bool):
        raise TemplateFault(f"a key is a text or a whole number, and this is {sort_of(key)}")
    whole = str(Chain(root, keys))
    summary, teach = _explain(value, root, keys, str(Chain(root, keys[:-1])))
    raise Missing(summary, help=teach, expression=whole)


def _explain(value: Any, root: str, keys: tuple[Any, ...], owner: str) -> tuple[str, str]:
    key = keys[-1]
    match value:
        case Mapping():
            return _absent(value, root, keys, owner)
        case list() if isinstance(key, int):
            last = f", the last is [{len(value) - 1}]" if value else ""
            return f"`{owner}` has {len(value)} elements{last}", "the first one is [0]"
        case list():
            return f"`{owner}` is a list, it has no `{key}`", (
                f"write `{owner}[0]` for its first element, or `{owner} | map(attribute='{key}')`"
                f" for the `{key}` of each"
            )
        case None:
            return f"`{owner}` is null, it has no `{key}`", (
                f"if it may be null, say what to take then: {{{{ {owner}.{key} | default('') }}}}"
            )
        case _:
            return f"`{owner}` is {sort_of(value)}, it has no `{key}`", ""


def _absent(
    value: Mapping[str, Any], root: str, keys: tuple[Any, ...], owner: str
) -> tuple[str, str]:
    key = str(keys[-1])
    if root == "env":
        secret = getattr(value, "sources", {}).get(key)
        if secret is not None:
            return (
                f"the environment variable `{key}` is the secret `{secret}`",
                f"write {{{{ secrets.{secret} }}}}, in a step's `env` or `stdin`",
            )
        unset = f"if it may be unset write {{{{ env.{key} | default('') }}}}"
        return f"the environment variable `{key}` is not set", did_you_mean(key, value) or unset
    if root == "secrets" and len(keys) > 1:
        return f"`{owner}` has no such element", ""
    outputs = value.get("outputs") if root == "steps" and len(keys) == 2 else None
    if isinstance(outputs, Mapping) and key in outputs:
        return f"`{owner}` has no `{key}`", f"write `{owner}.outputs.{key}`"
    if root == "steps" and len(keys) in (3, 4) and keys[-2] == "outputs":
        step = owner.removesuffix(".outputs").removeprefix("steps.")
        return f"the step `{step}` has no output `{key}`", _known(key, value)
    return f"`{owner}` has no `{key}`", _known(key, value)


def listed(names: Iterable[str]) -> str:
    """The names in order, the first dozen of them."""
    found = sorted(str(name) for name in names)
    return ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")


def _known(word: str, names: Iterable[str]) -> str:
    """What is near to *word*, or else what there is."""
    found = [str(name) for name in names]
    if not found:
        return "it has none at all"
    known = f"there {'is' if len(found) == 1 else 'are'}: {listed(found)}"
    return did_you_mean(word, found) or known
