"""Writes the Labfile for a script: short, commented, and right at the first `lab apply`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lab.cli.init_environment import Packages
from lab.cli.init_script import Script
from lab.cli.init_settle import Settled, least_telling, leave
from lab.model.address import is_name
from lab.reading.write import scalar_text as scalar

MOST_LINES = 25
WIDEST = 96
SCHEMA = "labfile.schema.json"
_OTHER_PARSERS = frozenset({
    "transformers", "hydra", "fire", "typer", "tyro", "jsonargparse", "simple_parsing", "docopt",
    "configargparse", "lightning", "pytorch_lightning",
})  # fmt: skip


def labfile_text(name: str, script: Script, packages: Packages, settled: Settled) -> str:
    """The text of the Labfile; flags that would make it too long keep the script's defaults.

    *settled* loses the parameters that are left out, and tells them among those that are left.
    """
    while True:
        lines = list(_lines(name, script, packages, settled))
        if len(lines) <= MOST_LINES or not settled.parameters:
            return "\n".join(lines) + "\n"
        leave(settled, least_telling(settled.parameters))


def step_name(script: Script) -> str:
    """What the script's step is called."""
    stem = script.name.removesuffix(".py")
    if "train" in stem.lower() or stem in ("main", "run", "app", "env") or not is_name(stem):
        return "train"
    return stem


def lab_name(folder_name: str) -> str:
    """A lab's name made of its folder's."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder_name).strip("-")
    return name if is_name(name) else f"lab-{name}".rstrip("-")


def surely_printed(script: Script) -> list[str]:
    """The metrics that the script prints whatever happens, so that lab may wait for them."""
    return [name for name, surely in script.uses.printed.items() if surely]


def _lines(name: str, script: Script, packages: Packages, settled: Settled) -> Iterator[str]:
    step = step_name(script)
    yield f"# yaml-language-server: $schema=./{SCHEMA}"
    yield f"# Made by `lab init` from {script.path}; it is yours now. Next: `lab plan`, then `lab apply`."
    yield "labfile: 1"
    yield f"name: {scalar(name)}"
    yield ""
    yield "steps:"
    if packages.requirements:
        yield from _environment(packages)
        yield ""
    yield f"  {step}:"
    yield "    kind: training"
    if packages.requirements:
        yield "    environment: env"
    yield from _started(script, packages, settled)
    yield from _results(script, settled)
    outputs = _outputs(step, script, settled)
    if outputs:
        yield ""
        yield "outputs: # what `lab output` prints"
        yield from (f"  {key}: {json.dumps(value)}" for key, value in outputs.items())


def _environment(packages: Packages) -> Iterator[str]:
    yield "  env: # resolved once into env.lock, with hashes: commit that file"
    yield "    kind: environment"
    if packages.python:
        yield f'    python: "{packages.python}"'
    if isinstance(packages.requirements, str):
        yield f"    requirements: {scalar(packages.requirements)}"
        return
    yield from _wrapped("    requirements: [", map(scalar, packages.requirements), "]")


def _started(script: Script, packages: Packages, settled: Settled) -> Iterator[str]:
    """How the script is run: by its name, with a flag for each parameter, or word by word."""
    if script.source_folder:
        yield f'    env: {{PYTHONPATH: "{{{{ lab.root }}}}/{script.source_folder}"}}'
    if settled.cwd:
        yield f"    cwd: {scalar(settled.cwd)}"
    if settled.branch:
        yield from _parameters(settled.parameters)
        yield from _wrapped("    command: [", _command(script, packages, settled), "]")
    else:
        way = f"module: {script.module}" if script.module else f"script: {scalar(script.path)}"
        said = _flags_said(settled.parameters)
        yield f"    {way}{' # run with ' + said if said else ''}"
        yield from _parameters(settled.parameters)
        args = [*settled.args, *settled.positional]
        if args:
            yield from _wrapped("    args: [", map(scalar, args), "]")
    if settled.inputs:
        yield from _wrapped("    inputs: [", map(scalar, dict.fromkeys(settled.inputs)), "]")


def _parameters(parameters: Mapping[str, Any]) -> Iterator[str]:
    if parameters:
        pairs = [f"{key}: {scalar(value)}" for key, value in parameters.items()]
        yield from _wrapped("    parameters: {", pairs, "}")


def _flags_said(parameters: Mapping[str, Any]) -> str:
    """`--lr 0.1 --epochs 5 …`: what the first parameters come to."""
    shown = [
        f"--{key} {scalar(value)}"
        for key, value in parameters.items()
        if not isinstance(value, bool | list)
    ]
    return " ".join(shown[:2]) + (" …" if len(parameters) > 2 else "") if shown else ""


def _command(script: Script, packages: Packages, settled: Settled) -> Iterator[str]:
    """All words, for a script with sub-commands: its own flags come before the sub-command's name."""
    python = "python" if packages.requirements else "python3"
    start = ["-m", script.module] if script.module else [script.path]
    yield from map(scalar, [python, *start])
    first = [word.removeprefix("--") for word in settled.before]
    yield from _referring(name for name in settled.parameters if name in first)
    yield from map(scalar, _without_parameters(settled))
    yield scalar(settled.branch)
    yield from _referring(name for name in settled.parameters if name not in first)
    yield from map(scalar, [*settled.args, *settled.positional])


def _without_parameters(settled: Settled) -> list[str]:
    return [word for word in settled.before if word.removeprefix("--") not in settled.parameters]


def _referring(parameters: Iterable[str]) -> Iterator[str]:
    for name in parameters:
        place = f".{name}" if name.isidentifier() else f"['{name}']"
        yield scalar(f"--{name}")
        yield f'"{{{{ parameters{place} }}}}"'


def _results(script: Script, settled: Settled) -> Iterator[str]:
    printed = surely_printed(script)
    if printed:
        yield f"    metrics: {{from: stdout}} # lines such as {printed[-1]}=0.93"
    if settled.artifacts:
        pairs = [f"{key}: {scalar(path)}" for key, path in settled.artifacts.items()]
        yield from _wrapped("    artifacts: {", pairs, "}")
    if settled.left:
        shown = " ".join(settled.left)
        text = f"    # left as {script.name} has it: {shown}"
        yield text if len(text) <= WIDEST else text[: WIDEST - 1].rpartition(" ")[0] + " …"
    if not script.flags.flags:
        yield from _without_flags(script)


def _without_flags(script: Script) -> Iterator[str]:
    """Where the words belong that the script may take, though no flags were seen."""
    other = next((name for name in script.packages if name in _OTHER_PARSERS), "")
    if other:
        yield f"    # if {script.name} takes flags ({other} may read some), `args` is their place: [word, word]"
    elif script.flags.argv:
        yield f"    # {script.name} reads sys.argv: what it takes belongs into `args`, [word, word]"
    else:
        yield f"    # {script.name} takes no flags; those that it gets belong into `parameters`, {{name: value}}"


def _outputs(step: str, script: Script, settled: Settled) -> dict[str, str]:
    metrics = [name for name in surely_printed(script) if name.isidentifier()][-2:]
    found = {name: f"{{{{ steps.{step}.outputs.metrics.{name} }}}}" for name in metrics}
    for name in settled.artifacts:
        found.setdefault(name, f"{{{{ steps.{step}.outputs.{name} }}}}")
    return dict(list(found.items())[:3])


def _wrapped(start: str, items: Iterator[str] | Sequence[str], end: str) -> Iterator[str]:
    """A list or map in brackets, on as few lines as its width allows."""
    line, empty = start, True
    for item in items:
        piece = item if empty else f", {item}"
        if not empty and len(line) + len(piece) + len(end) > WIDEST:
            yield f"{line},"
            line, piece = " " * len(start), item
        line, empty = line + piece, False
    yield line + end
