"""What a script does with its flags and what it prints, as far as its text shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import field

from lab.cli.init_values import dotted
from lab.model.frozen import dataclass

_WRITERS = frozenset({
    "save", "savez", "savez_compressed", "savetxt", "savefig", "save_weights", "save_model",
    "save_pretrained", "dump", "export", "to_csv", "to_json", "to_parquet", "to_pickle",
    "to_feather", "write_text", "write_bytes", "write_csv", "imsave", "imwrite", "makedirs",
    "mkdir", "SummaryWriter", "TensorBoard", "ModelCheckpoint", "CSVLogger", "BackupAndRestore",
    "create_file_writer", "FileHandler", "CheckpointManager",
})  # fmt: skip
_MAKE_FOLDERS = frozenset({
    "makedirs", "mkdir", "SummaryWriter", "TensorBoard", "create_file_writer",
    "BackupAndRestore", "save_pretrained", "CheckpointManager",
})  # fmt: skip
_READERS = frozenset({
    "load", "loadtxt", "genfromtxt", "load_model", "load_weights", "from_pretrained",
    "read_csv", "read_json", "read_parquet", "read_pickle", "read_table", "read_excel",
    "read_text", "read_bytes", "listdir", "scandir", "glob", "rglob", "iterdir", "exists",
    "imread", "ImageFolder", "load_dataset", "image_dataset_from_directory", "TFRecordDataset",
})  # fmt: skip
_PRINTS = frozenset({"print", "click.echo", "sys.stdout.write", "tqdm.write"})
_MAINS = frozenset({"", "main", "train", "run", "fit", "evaluate", "test", "cli"})
_HOLDERS = frozenset(
    {"args", "opt", "opts", "options", "flags", "FLAGS", "hparams", "params", "cfg"}
)
_NAME = r"(?:\A|[\s,;|(\[{])([A-Za-z_][A-Za-z0-9_./-]*)="
_AT_END = re.compile(_NAME + r"\Z")
_GOES_ON = re.compile(r"[^\s,;|)\]}]")
_FORMATTED = re.compile(_NAME + r"(?:\{[^{}]*:[^{}]*[defg]\}|%[-+ #0-9.]*[defg])(?![^\s,;|)\]}])")
_COUNTERS = frozenset({"epoch", "step", "iter", "iteration", "batch", "time", "fold", "seed", "n"})
_SAVED = re.compile(
    r"[\w./ -]+\.(keras|h5|hdf5|pt|pth|pkl|pickle|joblib|onnx|npz|npy|safetensors|bin)\Z"
)


@dataclass(slots=True)
class Uses:
    """What was seen; mutable, for it is gathered while walking through the script.

    The truth values say whether it surely happens, whatever the flags are.
    """

    written: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)  # of those written: what is itself a file's name
    read: set[str] = field(default_factory=set)
    printed: dict[str, bool] = field(default_factory=dict)  # metrics, as `name=number`
    saved: dict[str, bool] = field(default_factory=dict)  # files that the source names
    makes_folders: bool = False


def uses(trees: Sequence[ast.Module], dests: Collection[str]) -> Uses:
    """How a script, the first of *trees*, and its modules use the flags whose values are called *dests*."""
    seen = Uses()
    for number, tree in enumerate(trees):
        holders = _HOLDERS | set(_holders(tree))
        _Walk(seen, frozenset(dests), holders, module=number > 0).visit(tree)
    return seen


def _holders(tree: ast.Module) -> Iterator[str]:
    """The variables that hold what was parsed."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target, *_], value=ast.Call(func=func)):
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                if "parse" in dotted(func) and names:
                    yield dotted(names[0]).rpartition(".")[2]
            case _:
                pass


class _Walk(ast.NodeVisitor):
    """Goes through a script; knows in which function it is, and whether something may not be reached."""

    def __init__(
        self, seen: Uses, dests: frozenset[str], holders: frozenset[str], *, module: bool
    ) -> None:
        self.seen = seen
        self._dests, self._holders = dests, holders
        self._aliases: dict[str, str] = {}
        self._module = self._maybe = module  # what a module holds may never be called
        self._parameters: frozenset[str] = (
            frozenset()
        )  # of a function to which click gives the flags

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before = self._maybe, self._parameters
        self._maybe = self._module or node.name not in _MAINS
        if any("click" in ast.dump(each) for each in node.decorator_list):
            self._parameters = frozenset(each.arg for each in node.args.args) & self._dests
        self.generic_visit(node)
        self._maybe, self._parameters = before

    def visit_If(self, node: ast.If) -> None:
        before = self._maybe
        self._maybe = before or "__name__" not in ast.dump(node.test)
        self.generic_visit(node)
        self._maybe = before

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        before, self._maybe = self._maybe, True
        self.generic_visit(node)
        self._maybe = before

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        mentioned = self._mentioned(node.value)
        paths = isinstance(node.value, ast.BinOp | ast.Attribute | ast.JoinedStr) or (
            isinstance(node.value, ast.Call)
            and dotted(node.value.func).rpartition(".")[2]
            in ("Path", "join", "abspath", "expanduser")
        )
        if isinstance(target, ast.Name) and len(mentioned) == 1 and paths:
            self._aliases[target.id] = next(iter(mentioned))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = dotted(node.func)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else called
        if called in _PRINTS:
            self._print(node)
        elif name == "open":
            self._use(node, writes=bool(set(_mode(node)) & set("wax")), reads=True)
        else:
            self._use(node, writes=name in _WRITERS, reads=name in _READERS)
        self.seen.makes_folders |= name in _MAKE_FOLDERS
        self.generic_visit(node)

    def _use(self, node: ast.Call, *, writes: bool, reads: bool) -> None:
        if not (writes or reads):
            return
        parts = [*node.args, *(each.value for each in node.keywords)]
        if isinstance(node.func, ast.Attribute):
            parts.append(node.func.value)
        mentioned = {dest for part in parts for dest in self._mentioned(part)}
        if not writes:
            self.seen.read |= mentioned
            return
        self.seen.written |= mentioned
        if dotted(node.func).rpartition(".")[2] not in _MAKE_FOLDERS:
            self.seen.files |= {dest for part in parts for dest in self._direct(part)}
        for part in node.args:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                self._saved(part.value)

    def _saved(self, path: str) -> None:
        if _SAVED.match(path) and not path.startswith("/"):
            self.seen.saved[path] = self.seen.saved.get(path, False) or not self._maybe

    def _print(self, node: ast.Call) -> None:
        for name, value in _shown(node):
            echoes = value is not None and self._mentioned(value)
            if not echoes and name.lower() not in _COUNTERS:
                self.seen.printed[name] = self.seen.printed.get(name, False) or not self._maybe

    def _mentioned(self, node: ast.AST) -> set[str]:
        return {dest for each in ast.walk(node) for dest in self._direct(each)}

    def _direct(self, node: ast.AST) -> set[str]:
        match node:
            case ast.Attribute(value=value, attr=attr) if attr in self._dests:
                return {attr} if self._holds(value) else set()
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
                return {key} if key in self._dests and self._holds(value) else set()
            case ast.Name(id=name) if name in self._aliases:
                return {self._aliases[name]}
            case ast.Name(id=name) if name in self._parameters:
                return {name}
            case _:
                return set()

    def _holds(self, node: ast.expr) -> bool:
        return dotted(node).rpartition(".")[2] in self._holders


def _mode(node: ast.Call) -> str:
    """The mode that a call of `open` (the function's, or a path's) says; `r` if none."""
    given = [each.value for each in node.keywords if each.arg == "mode"]
    method = isinstance(node.func, ast.Attribute) and dotted(node.func) not in (
        "io.open",
        "gzip.open",
    )
    given += node.args[0 if method else 1 :][:1]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return value.value
    return "r"


def _shown(node: ast.Call) -> Iterator[tuple[str, ast.expr | None]]:
    """The `name=number` pairs that a print shows: their names, and the values where they are known."""
    for arg in node.args:
        for each in ast.walk(arg):
            match each:
                case ast.JoinedStr(values=values):
                    yield from _in_pieces([*values, ast.Constant(value="")])
                case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
                    yield from ((m[1], None) for m in _FORMATTED.finditer(text))
                case ast.Call(
                    func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")
                ):
                    yield from ((m[1], None) for m in _FORMATTED.finditer(text))
                case _:
                    pass


def _in_pieces(values: list[ast.expr]) -> Iterator[tuple[str, ast.expr | None]]:
    for before, value, after in zip(values, values[1:], values[2:], strict=False):
        match before, value, after:
            case (
                ast.Constant(value=str(text)),
                ast.FormattedValue(value=inner, format_spec=spec),
                ast.Constant(value=str(rest)),
            ):
                found = _AT_END.search(text)
                if found and _is_number(inner, spec) and not _GOES_ON.match(rest):
                    yield found[1], inner
            case _:
                pass


def _is_number(value: ast.expr, spec: ast.expr | None) -> bool:
    """Whether what is shown surely is a number: a tensor shows itself as `tensor(0.5)`."""
    match spec:
        case ast.JoinedStr(values=[*_, ast.Constant(value=str(text))]):
            return text[-1:] in tuple("defg")
        case _:
            called = value.func if isinstance(value, ast.Call) else None
            return called is not None and dotted(called) in ("float", "int", "round", "len")
