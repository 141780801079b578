"""The house stays in order: who imports whom, what is pure, how long things are, what is documented."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache, wraps
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PURE = ("lab.model", "lab.kinds", "lab.reading", "lab.planning")
FORBIDDEN_IN_PURE = {
    "os", "subprocess", "time", "random", "socket", "logging", "threading", "multiprocessing",
    "shutil", "tempfile", "sqlite3", "urllib.request", "http", "asyncio", "signal",
}  # fmt: skip

# Who may import whom, besides itself. `lab.provider` and `lab.ports` are the two doors between rooms.
MAY: dict[str, set[str]] = {
    "lab.crashpoint": set(),
    "lab.durable": set(),
    "lab.model": set(),
    "lab.kinds": {"lab.model"},
    "lab.provider": {"lab.kinds", "lab.model"},
    "lab.ports": {"lab.provider", "lab.kinds", "lab.model"},
    "lab.reading": {"lab.kinds", "lab.model"},
    "lab.planning": {"lab.reading", "lab.kinds", "lab.model", "lab.provider", "lab.ports"},
    "lab.running": {
        "lab.crashpoint", "lab.planning", "lab.reading", "lab.kinds", "lab.model", "lab.provider", "lab.ports",
    },
    "lab.edge": {
        "lab", "lab.crashpoint", "lab.durable", "lab.kinds", "lab.model", "lab.ports", "lab.provider", "providers",
    },
    "lab.report": {"lab.model"},
    "lab.testing": {"lab.kinds", "lab.model", "lab.provider", "lab.ports"},
    "lab.cli": {
        "lab", "lab.crashpoint", "lab.report", "lab.edge", "lab.running", "lab.planning", "lab.reading", "lab.kinds",
        "lab.model", "lab.provider", "lab.ports",
    },
    "lab.__main__": {"lab.cli"},
    "lab.inject": set(),
    "lab": set(),
    "providers": {"lab.crashpoint", "lab.durable", "lab.provider", "lab.kinds", "lab.model"},
}  # fmt: skip

LONGEST_FILE, LONGEST_FUNCTION, DEEPEST = 300, 40, 3


@dataclass(frozen=True, eq=False)
class Module:
    name: str
    path: Path
    tree: ast.Module
    lines: int

    @property
    def room(self) -> str:
        parts = self.name.split(".")
        if parts[0] == "providers":
            return "providers"
        return ".".join(parts[:2])


def _modules() -> Iterator[Module]:
    for top in ("lab", "providers"):
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = list(path.relative_to(ROOT).with_suffix("").parts)
            if "templates" in parts:
                continue  # what `lab init` writes: users' files, not ours
            if parts[-1] == "__init__":
                parts.pop()
            text = path.read_text()
            yield Module(".".join(parts), path, ast.parse(text), text.count("\n"))


MODULES = list(_modules())
NAMES = {module.name for module in MODULES}


def of_every_module(rule: Callable[[Module], None]) -> Callable[[], None]:
    """One test for all modules, which names all that break the rule: a test each would take seconds."""

    @wraps(rule)
    def test() -> None:
        faults = []
        for module in MODULES:
            try:
                rule(module)
            except AssertionError as fault:  # noqa: PERF203 - all are to be named
                faults.append(str(fault))
        assert not faults, "\n".join(faults)

    del test.__wrapped__  # pytest would take its argument for a fixture
    return test


@cache
def _imports(module: Module) -> tuple[tuple[str, int, bool], ...]:
    """Every imported module with its line, and whether the import stands inside a function."""
    return tuple(_found(module, module.tree, deferred=False))


def _found(module: Module, node: ast.AST, *, deferred: bool) -> Iterator[tuple[str, int, bool]]:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.Import):
            for alias in inner.names:
                yield alias.name, inner.lineno, deferred
        elif isinstance(inner, ast.ImportFrom):
            base = _base(module, inner)
            for alias in inner.names:
                whole = f"{base}.{alias.name}"
                yield (whole if whole in NAMES else base), inner.lineno, deferred
        elif isinstance(inner, ast.stmt | ast.ExceptHandler | ast.match_case):
            is_function = isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from _found(module, inner, deferred=deferred or is_function)


def _base(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    if module.path.name != "__init__.py":
        parts = parts[:-1]
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _room_of(name: str) -> str | None:
    if name.split(".")[0] == "providers":
        return "providers"
    if name == "lab" or name.startswith("lab."):
        return ".".join(name.split(".")[:2])
    return None


@of_every_module
def test_imports_go_one_way(module: Module) -> None:
    for imported, line, _ in _imports(module):
        room = _room_of(imported)
        if room is None or room == module.room:
            continue
        assert room in MAY[module.room], (
            f"{module.path}:{line}: {module.room} may not import {room}"
        )


@of_every_module
def test_dataclasses_are_cheap_to_declare(module: Module) -> None:
    if module.room in ("lab.testing", "lab.inject") or module.name == "lab.model.frozen":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses":
            names = {alias.name for alias in node.names}
            assert "dataclass" not in names, (
                f"{module.path}:{node.lineno}: import `dataclass` from lab.model.frozen,"
                " which costs start-up a tenth of the standard one"
            )


@of_every_module
def test_pure_rooms_touch_no_world(module: Module) -> None:
    if module.room not in PURE:
        return
    for imported, line, _ in _imports(module):
        bad = {imported, imported.split(".")[0]} & FORBIDDEN_IN_PURE
        assert not bad, f"{module.path}:{line}: {imported}"


def test_no_import_cycles() -> None:
    import networkx as nx

    graph = nx.DiGraph()
    for module in MODULES:
        for imported, _, _ in _imports(module):
            if imported in NAMES and imported != module.name:
                graph.add_edge(module.name, imported)
    cycles = [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1]
    assert not cycles


@of_every_module
def test_own_modules_are_not_imported_late(module: Module) -> None:
    """Late imports hide cycles. Only the verbs' table and the live console (rich) may defer."""
    if module.name in ("lab.cli.main", "lab.cli.running"):
        return
    late = [
        (name, line) for name, line, deferred in _imports(module) if deferred and _room_of(name)
    ]
    assert not late, f"{module.path}: {late}"


@of_every_module
def test_files_and_functions_are_short(module: Module) -> None:
    doc = ast.get_docstring(module.tree) or ""
    assert doc, f"{module.path} has no docstring"
    if "Long because" not in doc:
        assert module.lines <= LONGEST_FILE, f"{module.path} has {module.lines} lines"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1 - _doc_lines(node)
            assert length <= LONGEST_FUNCTION, (
                f"{module.path}:{node.lineno}: {node.name} has {length} lines"
            )
            assert _depth(node) <= DEEPEST + 1, (
                f"{module.path}:{node.lineno}: {node.name} nests too deep"
            )


def _doc_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return (first.end_lineno or first.lineno) - first.lineno + 1
    return 0


def _depth(node: ast.AST) -> int:
    """How deep blocks nest; `elif` and `case` do not count as deeper."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        nests = isinstance(child, ast.For | ast.While | ast.With | ast.Try | ast.If | ast.Match)
        if isinstance(node, ast.If) and isinstance(child, ast.If) and child in node.orelse:
            nests = False
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        deepest = max(deepest, _depth(child) + nests)
    return deepest


@of_every_module
def test_nothing_is_left_unfinished_or_named_vaguely(module: Module) -> None:
    text = module.path.read_text()
    for word in ("TODO", "FIXME", "XXX", "NotImplementedError"):
        assert word not in text, f"{module.path} holds {word}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(("Manager", "Helper", "Utils", "Context")), node.name


@pytest.mark.parametrize("name", ["lab.provider", "lab.kinds.spec", "lab.kinds.catalog"])
def test_public_names_are_documented(name: str) -> None:
    module = next(m for m in MODULES if m.name == name)
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name}.{node.name} has no docstring"


def test_kinds_are_frozen() -> None:
    for path in (ROOT / "lab" / "kinds").glob("*.py"):
        name = f"lab.kinds.{path.stem}"
        __import__(name)
        for value in vars(sys.modules[name]).values():
            if isinstance(value, type) and is_dataclass(value) and hasattr(value, "lifecycle"):
                assert value.__dataclass_params__.frozen, f"{name}.{value.__name__} is not frozen"


def test_modules_of_tests_have_names_of_their_own() -> None:
    """pytest imports them by their bare names: of two that are called the same it refuses the second."""
    seen: dict[str, Path] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        assert path.name not in seen, f"{path} is called like {seen[path.name]}"
        seen[path.name] = path
