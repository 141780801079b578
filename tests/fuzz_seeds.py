"""Good inputs of every sort that the fuzzer begins with."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from lab.kinds.training import StdoutMetrics
from lab.model.codec import dumps, event_to_json, record_to_json
from lab.model.fold import fold
from lab.model.state import Record

ROOT = Path(__file__).parents[1]
PRINTED = StdoutMetrics(source="stdout")
OWN = StdoutMetrics(source="stdout", pattern=r"(?P<name>\w+): (?P<value>[-+.\deE]+)")

HARMLESS = b"""labfile: 1
name: fuzz
vars: {n: 3, names: [x, y]}
secrets: {t: {env: HUB}, u: {command: [pass, show, x]}}
steps:
  a: {kind: command, command: "true", tags: [t]}
  b: {kind: command, command: "true", needs: a, env: {N: "{{ vars.n }}", T: "{{ secrets.t }}"}}
  m: {kind: command, command: "true", matrix: {name: "{{ vars.names }}"}, needs: b}
outputs: {n: "{{ vars.n }}"}
"""


def labfiles() -> Sequence[bytes]:
    found = [*ROOT.glob("examples/*/Labfile.yaml"), *ROOT.glob("tests/broken/*/Labfile.yaml")]
    small = (path for path in sorted(found) if path.stat().st_size < 16384)
    return [HARMLESS, *(path.read_bytes() for path in small)]


def overlays() -> Sequence[bytes]:
    return [HARMLESS, b"vars: {n: 5}\nsteps: {a: null, b: {tags: [x]}, c: {like: a}}\n"]


def templates() -> Sequence[bytes]:
    return [
        b"{{ vars.n + 1 }}", b"a{{ vars.list | map('string') | join(',') }}b", b"{{ vars['name'] ~ 'x' }}",
        b"{{ steps.a.outputs.x > 1 and vars.n in [1, 2] }}", b"{{ vars.text | upper | replace('A', 'b') }}",
        b"{{ vars.missing | default('x') }}", b"{{ vars.list[1:] | sum }}", b"{{ vars.map | items | list }}",
        b"{{ 1 if vars.n is defined else 2 }}", b"{{ '%.2f' | format(vars.n) }}", b"{## note ##}${#a}",
        b"{{ range(5) | list | tojson }}", b"{{ vars.text | split(' ') | first | b64encode }}",
        b"{{ (vars.text * 3) | length }}", b"{{ {'a': [1, vars.n]} | tojson(indent=2) }}",
    ]  # fmt: skip


_LISTS = ("var", "var_file", "only", "exclude", "tags", "replace")


def plans() -> Sequence[bytes]:
    saved = {
        "mark": "lab-plan",
        "version": "0",
        "labfile": "Labfile.yaml",
        "args": {
            **{name: ["x=1"] for name in _LISTS},
            "overlay": "prod",
            "refresh": True,
            "allow_commands": False,
        },
        "steps": {"a": "ab" * 16, "b": "cd" * 16},
        "seal": "ef" * 32,
    }
    return [json.dumps({"format": 1, "actions": [], "summary": {}, "saved": saved}).encode()]


def states() -> Sequence[bytes]:
    from state_fixtures.make import events

    records: dict[str, Record] = {}
    lines = []
    for event in events("/lab"):
        lines.append(dumps(event_to_json(event, "/lab")))
        fold(records, event)
    lines += [dumps(record_to_json(each, "/lab")) for each in records.values()]
    return ["\n".join(lines).encode(), *(line.encode() for line in lines)]


def requirements() -> Sequence[bytes]:
    return [
        b"tensorflow[and-cuda]==2.16 ; python_version < '3.12'\n-r more.txt\n--index-url https://x.example\n",
        b'[project]\nname = "x"\ndependencies = ["numpy>=1.2", "six"]\n',
        b"# Made by lab\n# requirements: sha256:ab\nsix==1.16.0 \\\n    --hash=sha256:8abb\n",
        b"-c constraints.txt\n-e .\nnumpy @ https://x.example/numpy.whl\n./local.whl\n",
    ]


def event_files() -> Sequence[bytes]:
    found = sorted((ROOT / "tests" / "providers" / "events").rglob("*tfevents*"))
    return [path.read_bytes() for path in found]


def metrics() -> Sequence[bytes]:
    return [
        b"epoch 1/5 loss=0.5 accuracy=0.25\nEpoch 2 of 5 - loss = 1e-3, val_loss=nan\n",
        b'{"epoch": 1, "loss": 0.5}\n{"step": 3, "a": 1e400}\n',
        b'score=0.5\nname="3.10"\n{"classes": [1, {"x": null}]}\ntext=\'it\'\'s\'\n',
        b"n: [1, 2, {a: 0x1F}]",
    ]


def archives() -> Sequence[bytes]:
    plain = _tar("w")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", "hello" * 50)
        link = zipfile.ZipInfo("a/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "b.txt")
    return [
        plain, zipped.getvalue(), gzip.compress(plain), bz2.compress(plain), lzma.compress(plain),
        gzip.compress(b"one file"),
    ]  # fmt: skip


def _tar(mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for name, kind, to in (
            ("a", tarfile.DIRTYPE, ""),
            ("a/b.txt", tarfile.REGTYPE, ""),
            ("a/link", tarfile.SYMTYPE, "b.txt"),
            ("a/hard", tarfile.LNKTYPE, "a/b.txt"),
            ("a/" + "long" * 60, tarfile.REGTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, to
            info.size = 250 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"hello" * 50) if info.size else None)
    return buffer.getvalue()
