"""A script's flags, read from its text: argparse's, click's and absl's declarations."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from lab.cli.init_values import UNKNOWN, dotted, value_of
from lab.model.frozen import dataclass

_SWITCHES = frozenset(
    {"store_true", "store_false", "store_const", "count", "BooleanOptionalAction"}
)
_NOTHING = frozenset({"help", "version"})
_ABSL = {
    "DEFINE_integer": "int",
    "DEFINE_float": "float",
    "DEFINE_string": "str",
    "DEFINE_enum": "str",
    "DEFINE_bool": "bool",
    "DEFINE_boolean": "bool",
    "DEFINE_list": "list",
    "DEFINE_multi_string": "list",
    "DEFINE_multi_integer": "list",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag or positional word. ``word`` is how it is typed, empty for a positional one.

    ``default`` may be UNKNOWN; ``type`` is the name of what converts the text. A ``switch`` takes no
    value, ``several`` takes more than one word, ``repeats`` is given again for each of its values.
    ``branch`` is the sub-command that it belongs to.
    """

    word: str
    dest: str
    default: Any = None
    type: str = "str"
    choices: tuple[Any, ...] = ()
    required: bool = False
    several: bool = False
    repeats: bool = False
    switch: bool = False
    help: str = ""
    branch: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """All that a script takes. ``branches`` are its sub-commands.

    A script without declared flags may look into sys.argv: ``argv`` says whether, ``words`` how many it
    surely needs there.
    """

    flags: tuple[Flag, ...] = ()
    branches: tuple[str, ...] = ()
    argv: bool = False
    words: int = 0


def flags_in(tree: ast.Module, names: Mapping[str, Any]) -> Flags:
    """The flags that *tree* declares, in the order of their declaration."""
    parsers = dict(_branches(tree))
    found: dict[str, Flag] = {}
    for call in _calls(tree):
        flag = _declared(call, names, parsers)
        if flag is not None:
            found.setdefault(f"{flag.branch} {flag.dest}", flag)
    branches = tuple(dict.fromkeys(parsers.values()))
    if found:
        return Flags(flags=tuple(found.values()), branches=branches)
    return Flags(argv="'argv'" in ast.dump(tree), words=_argv_words(tree))


def _calls(tree: ast.Module) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _branches(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The variables that hold the parsers of sub-commands."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=variable)],
                value=ast.Call(
                    func=ast.Attribute(attr="add_parser"), args=[ast.Constant(value=str(name)), *_]
                ),
            ):
                yield variable, name
            case _:
                pass


def _declared(call: ast.Call, names: Mapping[str, Any], parsers: Mapping[str, str]) -> Flag | None:
    called = dotted(call.func)
    last = call.func.attr if isinstance(call.func, ast.Attribute) else called
    if last == "add_argument":
        holder = dotted(call.func.value) if isinstance(call.func, ast.Attribute) else ""
        return _argparse(call, names, parsers.get(holder, ""))
    if called in ("click.option", "click.argument", "option", "argument"):
        return _click(call, names, positional=called.endswith("argument"))
    return _absl(call, names, last) if last in _ABSL else None


def _argparse(call: ast.Call, names: Mapping[str, Any], branch: str) -> Flag | None:
    words = _words(call, names)
    given = _keywords(call, names)
    action = _action(call, given)
    if not words or action in _NOTHING:
        return None
    word = next((w for w in words if w.startswith("--")), words[0])
    positional = not word.startswith("-")
    switch = action in _SWITCHES
    default = given.get("default", False if action == "store_true" else None)
    nargs = given.get("nargs")
    optional = nargs in ("?", "*") or "default" in given
    return Flag(
        word="" if positional else word,
        dest=_text(given.get("dest")) or word.lstrip("-").replace("-", "_"),
        default=default,
        type=_type(call, "type", default),
        choices=_choices(given.get("choices")),
        required=not optional if positional else given.get("required") is True,
        several=nargs not in (None, "?"),
        repeats=action in ("append", "extend"),
        switch=switch,
        help=_text(given.get("help")),
        branch=branch,
    )


def _click(call: ast.Call, names: Mapping[str, Any], *, positional: bool) -> Flag | None:
    words = _words(call, names)
    given = _keywords(call, names)
    if not words:
        return None
    word = next((w for w in words if w.startswith("--")), words[0])
    plain = next((w for w in words if not w.startswith("-")), "")
    default = given.get("default")
    switch = given.get("is_flag") is True or given.get("count") is True or "/" in word
    must = given.get("required") is True or (positional and "default" not in given)
    return Flag(
        word="" if positional else word.split("/")[0],
        dest=plain or word.lstrip("-").split("/")[0].replace("-", "_"),
        default=default,
        type=_type(call, "type", default),
        choices=_click_choices(call, names),
        required=must and given.get("required") is not False,
        several=given.get("nargs") not in (None, 1),
        repeats=given.get("multiple") is True,
        switch=switch,
        help=_text(given.get("help")),
    )


def _absl(call: ast.Call, names: Mapping[str, Any], define: str) -> Flag | None:
    values = [value_of(arg, names) for arg in call.args]
    given = _keywords(call, names)
    name = _text(given.get("name", values[0] if values else ""))
    if not name:
        return None
    kind = _ABSL[define]
    position = 3 if define == "DEFINE_enum" else 2
    return Flag(
        word=f"--{name}",
        dest=name,
        default=given.get("default", values[1] if len(values) > 1 else None),
        type=kind,
        choices=_choices(values[2]) if define == "DEFINE_enum" and len(values) > 2 else (),
        required=given.get("required") is True,
        repeats=kind == "list",
        switch=kind == "bool",
        help=_text(given.get("help", values[position] if len(values) > position else "")),
    )


def _words(call: ast.Call, names: Mapping[str, Any]) -> list[str]:
    values = [value_of(arg, names) for arg in call.args]
    return [value for value in values if isinstance(value, str) and value]


def _keywords(call: ast.Call, names: Mapping[str, Any]) -> dict[str, Any]:
    return {each.arg: value_of(each.value, names) for each in call.keywords if each.arg}


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _action(call: ast.Call, given: Mapping[str, Any]) -> str:
    node = _keyword(call, "action")
    if node is None:
        return ""
    return _text(given.get("action")) or dotted(node).rpartition(".")[2]


def _type(call: ast.Call, name: str, default: Any) -> str:
    """The name of the function that converts the text; without one, what the default is."""
    node = _keyword(call, name)
    if node is not None:
        inner = node.func if isinstance(node, ast.Call) else node
        return dotted(inner).rpartition(".")[2].lower() or "other"
    return type(default).__name__ if isinstance(default, bool | int | float) else "str"


def _choices(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else ()


def _click_choices(call: ast.Call, names: Mapping[str, Any]) -> tuple[Any, ...]:
    node = _keyword(call, "type")
    if isinstance(node, ast.Call) and node.args and dotted(node.func).endswith("Choice"):
        return _choices(value_of(node.args[0], names))
    return ()


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value is not UNKNOWN else ""


def _argv_words(tree: ast.Module) -> int:
    """How many words the script takes from sys.argv without asking whether they are there."""
    highest, asks = 0, False
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[arg]) if dotted(arg).endswith("argv"):
                asks = True
            case ast.Subscript(value=value, slice=ast.Constant(value=int(index))):
                highest = max(highest, index if dotted(value).endswith("argv") else 0)
            case ast.Try(handlers=handlers) if any(_catches_index(each) for each in handlers):
                asks = True
            case _:
                pass
    return 0 if asks else highest


def _catches_index(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or "IndexError" in ast.dump(handler.type)
