"""What is fuzzed: each subject has good inputs to begin with, and takes any bytes without a bug."""

from __future__ import annotations

import functools
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
for each in (HERE, HERE / "reading", HERE / "live", HERE.parent):
    if str(each) not in sys.path:
        sys.path.append(str(each))

import fuzz_seeds as seeds  # noqa: E402
from catalogs import portable  # noqa: E402
from fakes.ports import FakeFiles, FakeSecrets  # noqa: E402
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from mutations import mutated, mutated_json  # noqa: E402
from test_katib import CHAPTER, EXPERIMENT  # noqa: E402
from test_link_properties import NAMES, labfiles, right, words, wrong  # noqa: E402

from lab.cli.arguments import parser  # noqa: E402
from lab.cli.saved import is_saved_plan, recall  # noqa: E402
from lab.kinds.catalog import Catalog  # noqa: E402
from lab.model.codec import event_from_json, loads, record_from_json  # noqa: E402
from lab.model.diagnostic import LabError  # noqa: E402
from lab.model.document import Document  # noqa: E402
from lab.model.fold import fold  # noqa: E402
from lab.planning.digest import World  # noqa: E402
from lab.planning.plan import make_plan  # noqa: E402
from lab.planning.select import EVERYTHING  # noqa: E402
from lab.provider import Refused  # noqa: E402
from lab.reading.bind import bind  # noqa: E402
from lab.reading.katib_import import imported  # noqa: E402
from lab.reading.katib_old import Unfit  # noqa: E402
from lab.reading.link import link  # noqa: E402
from lab.reading.parse import merge, parse, parse_value  # noqa: E402
from lab.reading.template import TemplateFault, references, render  # noqa: E402
from lab.report.plan_json import plan_json  # noqa: E402
from lab.report.plan_text import plan_text  # noqa: E402
from lab.testing import FakeIo  # noqa: E402
from providers.local._curve import point_of  # noqa: E402
from providers.local._event_files import EventFile  # noqa: E402
from providers.local._lock import made_from, pins_of, read_lock  # noqa: E402
from providers.local._metrics import Origin, source_of, summary_of  # noqa: E402
from providers.local._outputs import parse_outputs  # noqa: E402
from providers.local._requirements import load, without_gpu  # noqa: E402
from providers.local._unpack import unpack  # noqa: E402

IMPORT = import_module("lab.cli.import")  # a word of Python's, so that no statement can name it


@dataclass(frozen=True)
class Subject:
    """One sort of input: ``take`` is given the bytes, and raises only what is a bug."""

    name: str
    share: int  # of all inputs, in percent
    good: Callable[[], Sequence[bytes]]
    take: Callable[[bytes], None]
    mutate: Callable[..., bytes] = mutated


@functools.cache
def _folder() -> Path:
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None
    return Path(tempfile.mkdtemp(prefix="lab-fuzz-", dir=base))


def clear() -> None:
    """Removes what the inputs were written to."""
    shutil.rmtree(_folder(), ignore_errors=True)


def _file(name: str, data: bytes) -> str:
    path = _folder() / name
    path.write_bytes(data)
    return str(path)


@functools.cache
def _catalog() -> Catalog:
    return portable()


def _document(document: Document) -> None:
    try:
        graph = link(
            bind(document, root="/lab", source="/lab/Labfile.yaml", overlay="prod", given={},
                 environ={"HOME": "/home/ann", "HUB": "hunter22"}, catalog=_catalog()),
            _catalog(),
        )  # fmt: skip
        world = World(
            graph=graph,
            files=FakeFiles({"train.py": "import data\n", "data.py": "x", "requirements.txt": "x"}),
            specs=_catalog().specs,
            fingerprint=FakeSecrets({"t": "hunter22"}).fingerprint,
        )
        draft = make_plan(
            world, directory=lambda address: f"/lab/.lab/{address}", seen={}, selection=EVERYTHING
        )
    except LabError as error:
        assert error.diagnostics
        assert all(each.summary for each in error.diagnostics)
        return
    plan_text(draft.plan, colour=False)
    json.dumps(plan_json(draft.plan, "Labfile.yaml"))


def _labfile(data: bytes) -> None:
    try:
        layer = parse("Labfile.yaml", data)
    except LabError:
        return
    _document(Document(layer.tree, (layer,)))


def _experiment(data: bytes) -> None:
    """An Experiment that can be taken over becomes a Labfile that can be read, right or wrong."""
    try:
        found = imported(parse("experiment.yaml", data).tree)
    except (LabError, Unfit):
        return
    _labfile(IMPORT.labfile_text(found, "experiment.yaml").encode())


def _overlay(data: bytes) -> None:
    base = parse("Labfile.yaml", seeds.HARMLESS)
    try:
        document = merge(base, [parse("Labfile.prod.yaml", data)])
    except LabError:
        return
    _document(document)


SCOPE = {
    "vars": {"n": 3, "name": "x", "list": [1, 2, 3], "map": {"a": 1}, "text": "some words"},
    "steps": {"a": {"outputs": {"x": 1.5, "y": None}}},
    "env": {"HOME": "/home/ann"},
    "lab": {"name": "t", "root": "/lab", "overlay": ""},
}


def _template(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    try:
        references(text)
        render(text, SCOPE)
    except TemplateFault:
        return


def _saved_plan(data: bytes) -> None:
    path = _file("plan.json", data)
    if is_saved_plan(path):
        args = parser("apply", "").parse_args([])
        for name in ("overlay", "var", "var_file", "only", "exclude", "tags", "replace"):
            setattr(args, name, [] if name != "overlay" else "")
        args.refresh, args.allow_commands = True, False
        try:
            recall(path, args)
        except LabError:
            return


def _state(data: bytes) -> None:
    records: dict[str, Any] = {}
    for line in data.splitlines():
        try:
            tree = loads(line.decode())
            if isinstance(tree, dict) and "digest" in tree and "event" not in tree:
                record_from_json(tree, "/lab")
                continue
            event = event_from_json(tree, "/lab")
        except (ValueError, RecursionError):  # what the journal's reader takes for damage
            continue
        if event is not None:
            fold(records, event)


def _requirements(data: bytes) -> None:
    names = ("requirements.txt", "pyproject.toml")
    for name in names:
        _file(name, data)
        with suppress(Refused):
            without_gpu(load(name, str(_folder())))
    with suppress(Refused):
        text = read_lock(_file("train.lock", data))
        if text is not None:
            pins_of(text)
            made_from(text, "x")


def _events(data: bytes) -> None:
    for scalar in EventFile(_file("events.out.tfevents.1.host", data)).scalars():
        assert isinstance(scalar.value, float)


def _metrics(data: bytes) -> None:
    origin = Origin(file="", since=0.0)
    printed, own = (source_of(each, "/lab", origin) for each in (seeds.PRINTED, seeds.OWN))
    for line in data.decode("utf-8", "replace").splitlines():
        printed.hear(line)
        own.hear(line)
    for line in data.splitlines():
        point_of(line)
    summary_of(printed)
    with suppress(Refused):
        parse_outputs(data, "out")
    try:
        parse_value(data.decode("utf-8", "surrogateescape"))
    except ValueError:
        return


def _archive(data: bytes) -> None:
    into = _folder() / "into"
    shutil.rmtree(into, ignore_errors=True)
    (_folder() / "outside").mkdir(exist_ok=True)
    with suppress(Refused):
        unpack(_file("archive", data), str(into), "archive.tar.gz", FakeIo(_folder()))
    assert not list((_folder() / "outside").iterdir()), "something was written outside"


@functools.cache
def _of_bytes() -> Callable[[bytes], object]:
    """Turns bytes into a tree by hypothesis's strategies, and takes it as a Labfile."""
    texts = right | wrong

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(labfiles(texts, (*NAMES, "nix", "grid[n=1]")) | st.recursive(words, st.lists))
    def take(tree: object) -> None:
        _labfile(json.dumps(tree).encode())

    found: Callable[[bytes], object] = take.hypothesis.fuzz_one_input  # type: ignore[attr-defined]
    return found


def _tree(data: bytes) -> None:
    _of_bytes()(data)


def _random(_: bytes, rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((64, 512, 4096)))


SUBJECTS = (
    Subject("Labfiles", 20, seeds.labfiles, _labfile),
    Subject("trees", 6, lambda: [b"\0" * 512], _tree, _random),
    Subject("Experiments", 8, lambda: [EXPERIMENT.encode(), CHAPTER.encode()], _experiment),
    Subject("overlays", 8, seeds.overlays, _overlay),
    Subject("templates", 12, seeds.templates, _template),
    Subject("saved plans", 6, seeds.plans, _saved_plan, mutated_json),
    Subject("state", 12, seeds.states, _state),
    Subject("requirements", 7, seeds.requirements, _requirements),
    Subject("event files", 7, seeds.event_files, _events),
    Subject("metrics, outputs", 7, seeds.metrics, _metrics),
    Subject("archives", 7, seeds.archives, _archive),
)
