"""What a program imports when it starts, in that order, and whether it prepares its surroundings first."""

from __future__ import annotations

import ast
import posixpath
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence

_SETS = frozenset(("update", "setdefault", "pop", "popitem", "clear"))
_ADDS = frozenset(("insert", "append", "extend", "remove", "clear"))
_CALLS = frozenset(("putenv", "unsetenv", "load_dotenv", "addsitedir"))
_ENVIRON = frozenset(("environ", "environb"))
_DEPTH = 3  # parts of a chain such as tf.keras.layers.Dense: enough to reach what is loaded late


class Walk:
    """Follows a program's top level through the lab's own modules. Mutable: it knows where it has been.

    ``names`` are what it imports that is neither the lab's nor Python's own; ``unsettled`` is why that cannot
    be done in advance.
    """

    def __init__(self, read: Callable[[str], str | None]) -> None:
        self._read = read
        self._seen: set[str] = set()
        self._folders: tuple[str, ...] = ()
        self._setters: set[str] = set()
        self._touched = ""
        self._names: dict[str, None] = {}
        self.unsettled = ""

    @property
    def names(self) -> list[str]:
        """Without those that another one leads through."""
        return [n for n in self._names if not any(o.startswith(f"{n}.") for o in self._names)]

    def program(self, words: Sequence[str], cwd: str) -> bool:
        """Follows what comes after the interpreter and its options; false if there is nothing to read."""
        if words[0] == "-c":
            self._folders = (cwd,)
            self._text(words[1], "the command")
            return True
        if words[0] == "-m":
            self._folders = (cwd,)
            stem = posixpath.join(cwd, words[1].replace(".", "/"))
            found = [self._file(f"{stem}{end}") for end in ("/__init__.py", "/__main__.py", ".py")]
            return any(found)
        path = posixpath.normpath(posixpath.join(cwd, words[0]))
        self._folders = (posixpath.dirname(path) or ".",)
        return path.endswith(".py") and self._file(path)

    def _file(self, path: str) -> bool:
        path = posixpath.normpath(path)
        if path in self._seen:
            return True
        text = self._read(path)
        if text is None:
            return False
        self._seen.add(path)
        self._text(text, posixpath.basename(path))
        return True

    def _text(self, text: str, where: str) -> None:
        try:
            with warnings.catch_warnings():  # what Python has to say of it is said when it runs
                warnings.simplefilter("ignore")
                tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(map(_touches, ast.walk(node))):
                self._setters.add(node.name)
        self._statements(tree.body, where)
        self._chains(tree)

    def _statements(self, body: Sequence[ast.stmt], where: str) -> None:
        for node in body:
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        self._imported(alias.name, ())
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    self._imported(module, [a.name for a in names if a.name != "*"])
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ImportFrom():
                    continue
                case ast.If(test=test) if "TYPE_CHECKING" in ast.dump(test):
                    self._statements(node.orelse, where)
                case _:
                    self._other(node, where)

    def _other(self, node: ast.stmt, where: str) -> None:
        blocks = list(_blocks(node))
        looked_at = _heads(node) if blocks else ast.walk(node)
        for each in looked_at:
            if _touches(each) or (isinstance(each, ast.Call) and _called(each) in self._setters):
                self._touched = self._touched or f"{where}:{node.lineno}"
        for block in blocks:
            self._statements(block, where)

    def _imported(self, module: str, members: Sequence[str]) -> None:
        parts = module.split(".")
        if self._is_local(parts, members) or parts[0] in sys.stdlib_module_names:
            return
        self._names[module] = None
        self._names.update(dict.fromkeys(f"{module}.{member}" for member in members))
        if self._touched and not self.unsettled:
            self.unsettled = (
                f"{self._touched} sets variables or paths before `{parts[0]}` is imported"
            )

    def _is_local(self, parts: Sequence[str], members: Sequence[str]) -> bool:
        found = False
        for folder in self._folders:
            at = folder
            for part in parts:
                at = posixpath.join(at, part)
                found = self._file(f"{at}/__init__.py") or self._file(f"{at}.py") or found
            for member in members:
                found = self._file(f"{at}/{member}.py") or found
        return found

    def _chains(self, tree: ast.AST) -> None:
        """What is reached through a module's name: some packages load their parts only then."""
        names = {
            alias.asname or alias.name: alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
            if alias.name in self._names
        }
        for node in ast.walk(tree):
            parts = _chain(node)
            if len(parts) > 1 and parts[0] in names:
                self._names[".".join((names[parts[0]], *parts[1:_DEPTH]))] = None


def _chain(node: ast.AST) -> list[str]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) and parts else []


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "handlers", "orelse", "finalbody"):
        for each in getattr(node, name, ()):
            if isinstance(each, ast.stmt):
                yield [each]
            elif isinstance(each, ast.ExceptHandler):
                yield each.body


def _heads(node: ast.stmt) -> Iterator[ast.AST]:
    """What of a statement with others inside is its own."""
    for name in ("test", "iter", "subject"):
        if isinstance(each := getattr(node, name, None), ast.AST):
            yield from ast.walk(each)
    for item in getattr(node, "items", ()):
        yield from ast.walk(item)


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _touches(node: ast.AST) -> bool:
    """Whether it changes variables, or the folders that modules are looked for in."""
    match node:
        case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()):
            return _is_environ(value)
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in _SETS | _ADDS:
            return (attr in _SETS and _is_environ(value)) or (attr in _ADDS and _is_path(value))
        case ast.Call():
            return _called(node) in _CALLS
        case ast.Assign(targets=targets):
            return any(_is_path(each) or _is_environ(each) for each in targets)
        case ast.AugAssign(target=target):
            return _is_path(target) or _is_environ(target)
        case _:
            return False


def _is_environ(node: ast.AST) -> bool:
    return getattr(node, "attr", getattr(node, "id", "")) in _ENVIRON


def _is_path(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        node = node.value
    return isinstance(node, ast.Attribute) and node.attr == "path" and _is_sys(node.value)


def _is_sys(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "sys"
