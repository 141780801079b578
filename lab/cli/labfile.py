"""From the command line to a checked graph: finds the Labfile, its overlay and its variables, and reads them."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Collection, Mapping

from lab import __version__
from lab.cli.arguments import usage
from lab.edge.contents import contents
from lab.edge.discover import Registry, discover
from lab.edge.machine import cache_root
from lab.edge.private import make_private, private, require_own
from lab.kinds.catalog import Catalog
from lab.model.diagnostic import Diagnostic, LabfileError, did_you_mean
from lab.model.document import Document, Layer
from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.layout import FOLDER
from lab.model.tree import Json
from lab.reading.bind import bind
from lab.reading.link import link
from lab.reading.parse import from_json, merge, parse, parse_value, to_json

NAMES = ("Labfile.yaml", "Labfile.yml")
BIGGEST = 16 * 1024 * 1024  # bytes; more than that is no Labfile, and is not even read
KEPT_PARSES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A Labfile as read: the graph, and where it came from."""

    graph: Graph
    catalog: Catalog
    registry: Registry
    path: str  # absolute
    shown: str  # as people call it


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A Labfile's text as a tree, its overlay laid over it; nothing in it is checked yet."""

    document: Document
    root: str  # the Labfile's folder
    path: str  # absolute
    shown: str  # as people call it


def read_source(args: argparse.Namespace) -> Source:
    """Reads the Labfile that *args* name.

    Raises:
        LabfileError: there is none, or it is no YAML.
    """
    path = find(args.labfile)
    shown = _shown(path)
    root = os.path.dirname(path)
    require_own(root)
    layers = [_layer(path, shown, root)]
    if args.overlay:
        over = overlay_path(path, args.overlay)
        layers.append(_layer(over, _shown(over), root))
    document = (
        merge(layers[0], layers[1:]) if len(layers) > 1 else Document(layers[0].tree, (layers[0],))
    )
    return Source(document=document, root=root, path=path, shown=shown)


def read_labfile(args: argparse.Namespace) -> Read:
    """Reads, checks and links the Labfile that *args* name.

    Raises:
        LabfileError: with every fault of the first stage that has any.
    """
    return checked(read_source(args), args)


def checked(source: Source, args: argparse.Namespace) -> Read:
    """Checks and links a Labfile that was read.

    Raises:
        LabfileError: with every fault of the first stage that has any.
    """
    document, root, path, shown = source.document, source.root, source.path, source.shown
    registry = discover(kinds_in(document), places_in(document))
    labfile = bind(
        document,
        root=root,
        source=path,
        overlay=args.overlay,
        given=given(args, os.environ, declared_in(document)),
        environ=os.environ,
        catalog=registry.catalog(),
    )
    graph = link(labfile, registry.catalog())
    return Read(graph=graph, catalog=registry.catalog(), registry=registry, path=path, shown=shown)


def kinds_in(document: Document) -> set[str]:
    """The kinds that a document names, right or wrong: unknown ones are looked for among plug-ins."""
    steps = document.tree.get("steps")
    found: set[str] = set()
    for step in steps.values() if isinstance(steps, Mapping) else ():
        kind = step.get("kind") if isinstance(step, Mapping) else None
        if isinstance(kind, str):
            found.add(kind)
    return found


def places_in(document: Document) -> set[str]:
    """The target providers that a document names, right or wrong."""
    targets = document.tree.get("targets")
    each = targets.values() if isinstance(targets, Mapping) else ()
    found = (target.get("provider") for target in each if isinstance(target, Mapping))
    return {provider for provider in found if isinstance(provider, str)}


def find(given_path: str | None) -> str:
    """The absolute path of the Labfile that is meant.

    Raises:
        LabfileError: there is none; the message says where was looked.
    """
    if given_path is not None:
        if os.path.isdir(given_path):
            return _in_folder(os.path.abspath(given_path)) or _raise_none(given_path)
        if not os.path.exists(given_path):
            raise _missing(given_path)
        return os.path.abspath(given_path)
    folder = os.getcwd()
    while True:
        path = _in_folder(folder)
        if path is not None:
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return _raise_none(f"{_shown(os.getcwd())} or above it")
        folder = above


def _in_folder(folder: str) -> str | None:
    for name in NAMES:
        path = os.path.join(folder, name)
        if os.path.lexists(path):  # whatever it is: what is wrong with it is said when it is read
            return path
    return None


def _raise_none(where: str) -> str:
    raise LabfileError(
        Diagnostic(
            summary=f"there is no Labfile.yaml in {where}",
            help="`lab init` writes one; `lab COMMAND path/to/Labfile.yaml` names one elsewhere",
        )
    )


def _missing(path: str) -> LabfileError:
    folder = os.path.dirname(os.path.abspath(path))
    names = os.listdir(folder) if os.path.isdir(folder) else []
    hint = did_you_mean(os.path.basename(path), [n for n in names if n.endswith((".yaml", ".yml"))])
    return LabfileError(Diagnostic(summary=f"there is no file {path}", help=hint))


def overlay_path(path: str, overlay: str) -> str:
    """`Labfile.yaml` and `prod` give `Labfile.prod.yaml`.

    Raises:
        LabfileError: it is not there; the message names those that are.
    """
    stem, suffix = os.path.splitext(path)
    over = f"{stem}.{overlay}{suffix}"
    if os.path.isfile(over) and os.sep not in overlay:
        return over
    start = os.path.basename(stem) + "."
    there = sorted(
        name[len(start) : -len(suffix)]
        for name in os.listdir(os.path.dirname(path))
        if name.startswith(start) and name.endswith(suffix) and len(name) > len(start + suffix)
    )
    raise LabfileError(
        Diagnostic(
            summary=f"there is no overlay `{overlay}`: {_shown(over)} does not exist",
            detail=f"Overlays of this Labfile: {', '.join(there) or 'none'}.",
            help=did_you_mean(overlay, there),
        )
    )


def declared_in(document: Document) -> Collection[str]:
    """The names of the variables that a document declares, right or wrong."""
    declared = document.tree.get("vars")
    return declared.keys() if isinstance(declared, Mapping) else ()


def given(
    args: argparse.Namespace, environ: Mapping[str, str], declared: Collection[str]
) -> dict[str, Json]:
    """Variables from outside the file; the later overrides: LAB_VAR_x, --var-file, --var.

    A LAB_VAR_x that this Labfile does not declare is meant for another one.
    """
    found: dict[str, Json] = {}
    for name in declared:
        if (text := environ.get(f"LAB_VAR_{name}")) is not None:
            found[name] = _value(f"LAB_VAR_{name}", text)
    for path in args.var_file:
        found.update(_layer(os.path.abspath(path), path, None).tree)
    for text in args.var:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise usage(f"--var {text}: it is not NAME=VALUE", help="write `--var epochs=3`")
        found[name] = _value(f"--var {name}", value)
    return found


def _value(where: str, text: str) -> Json:
    try:
        return parse_value(text)
    except ValueError as error:
        raise usage(f"{where}: {error}") from None


def _layer(path: str, shown: str, root: str | None) -> Layer:
    """One YAML file, from the cache of parsed ones if its bytes are known."""
    try:
        data = contents(path, BIGGEST + 1)
    except OSError as error:
        raise LabfileError(
            Diagnostic(summary=f"{shown} cannot be read: {error.strerror}")
        ) from None
    cache = _cache_path(root, data)
    if cache is not None:
        layer = _cached(cache, shown, data)
        if layer is not None:
            return layer
    layer = parse(shown, data)
    if cache is not None:
        _keep(cache, to_json(layer))
    return layer


def _cache_path(root: str | None, data: bytes) -> str | None:
    """Where a parse is cached; nowhere before the lab has its folder, for reading must not write."""
    if root is None or not os.path.isdir(os.path.join(root, FOLDER)) or len(data) < 4096:
        return None
    key = hashlib.sha256(__version__.encode() + b"\0" + data).hexdigest()[:32]
    # Not in `.lab`: with somebody else's checkout might come a parse that says something else.
    return os.path.join(cache_root(os.environ), "parse", key)


def _cached(path: str, shown: str, data: bytes) -> Layer | None:
    try:
        with open(path, encoding="utf-8", errors="surrogatepass") as file:
            return from_json(shown, data.decode("utf-8-sig"), file.read())
    except (OSError, UnicodeDecodeError):
        return None


def _keep(path: str, text: str) -> None:
    """Caches a parse; a cache that cannot be written is no reason to fail."""
    folder = os.path.dirname(path)
    try:
        make_private(folder)
        old = sorted(os.scandir(folder), key=lambda entry: entry.stat().st_mtime)
        for entry in old[: max(0, len(old) - KEPT_PARSES + 1)]:
            os.unlink(entry.path)
        partial = f"{path}.{os.getpid()}"
        with open(partial, "w", encoding="utf-8", errors="surrogatepass", opener=private) as file:
            file.write(text)
        os.replace(partial, path)
    except OSError:
        return


def _shown(path: str) -> str:
    """A path as people call it: relative where that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return path
    return relative if len(relative) <= len(path) and not relative.startswith("../../..") else path
