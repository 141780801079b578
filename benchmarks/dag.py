"""One layered DAG of trivial steps, written in the language of every engine that is compared."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

WIDTH = 50


@dataclass(frozen=True, slots=True)
class Node:
    """A step: its number, and the numbers of the steps that must be done before it."""

    number: int
    parents: tuple[int, ...]


def layered(size: int, width: int = WIDTH) -> Iterator[Node]:
    """Layers of `width` steps; the parents of each are the step above it and that one's left."""
    for number in range(size):
        layer, column = divmod(number, width)
        above = (layer - 1) * width
        sides = {above + column, above + (column - 1) % width}
        yield Node(number, tuple(sorted(sides)) if layer else ())


def names(numbers: Sequence[int], form: str = "s{}") -> str:
    """The numbers as names, with commas between them."""
    return ", ".join(form.format(number) for number in numbers)


def labfile(size: int, width: int, command: str = '"true"') -> Mapping[str, str]:
    """A Labfile of literal commands: nothing in it is templated."""
    lines = ["labfile: 1", "name: bench", "steps:"]
    for node in layered(size, width):
        needs = f"needs: [{names(node.parents)}], " if node.parents else ""
        words = command.format(node.number)
        lines.append(f"  s{node.number}: {{kind: command, {needs}command: [{words}]}}")
    return {"Labfile.yaml": "\n".join(lines) + "\n"}


def labfile_touch(size: int, width: int) -> Mapping[str, str]:
    """The same commands as in `ninja_touch`: each makes a file."""
    return {**labfile(size, width, '"touch", "out/s{}"'), "out/.keep": ""}


def ninja(size: int, width: int, command: str = "true") -> Mapping[str, str]:
    """A build.ninja whose every edge runs `command`."""
    lines = ["rule work", f"  command = {command}"]
    for node in layered(size, width):
        sources = " ".join(f"out/s{parent}" for parent in node.parents)
        lines.append(f"build out/s{node.number}: work {sources}".rstrip())
    return {"build.ninja": "\n".join(lines) + "\n", "out/.keep": ""}


def ninja_touch(size: int, width: int) -> Mapping[str, str]:
    """The same for ninja, with files made, so that a second build has nothing to do."""
    return ninja(size, width, "touch $out")


def make(size: int, width: int) -> Mapping[str, str]:
    """A Makefile; its recipes touch their targets, since make knows no other memory."""
    nodes = list(layered(size, width))
    lines = ["all: " + " ".join(f"out/s{node.number}" for node in nodes)]
    for node in nodes:
        sources = " ".join(f"out/s{parent}" for parent in node.parents)
        lines.append(f"out/s{node.number}: {sources}".rstrip() + "\n\t@touch $@")
    return {"Makefile": "\n".join(lines) + "\n", "out/.keep": ""}


def doit(size: int, width: int) -> Mapping[str, str]:
    """A dodo.py whose tasks are remembered by name alone, as steps without inputs are."""
    table = [(node.number, list(node.parents)) for node in layered(size, width)]
    body = (
        "from doit.tools import run_once",
        f"TABLE = {table!r}",
        "def task_s():",
        "    for number, parents in TABLE:",
        "        yield {'name': str(number), 'actions': ['true'], 'uptodate': [run_once],",
        "               'task_dep': [f's:{parent}' for parent in parents]}",
    )
    return {"dodo.py": "\n".join(body) + "\n"}


def snakemake(size: int, width: int) -> Mapping[str, str]:
    """A Snakefile with one rule a step, each leaving an empty marker file."""
    nodes = list(layered(size, width))
    last = [node.number for node in nodes[-width:]]
    lines = [f"rule all:\n    input: {names(last, chr(39) + 'out/s{}' + chr(39))}"]
    for node in nodes:
        lines.append(f"rule s{node.number}:")
        if node.parents:
            lines.append(f"    input: {names(node.parents, chr(39) + 'out/s{}' + chr(39))}")
        lines.append(f"    output: touch('out/s{node.number}')\n    shell: 'true'")
    return {"Snakefile": "\n".join(lines) + "\n"}


def terraform(size: int, width: int, provisioner: str = "") -> Mapping[str, str]:
    """A main.tf of terraform_data resources, which exist in the state alone."""
    blocks = []
    for node in layered(size, width):
        parents = names(node.parents, "terraform_data.s{}")
        blocks.append(
            f'resource "terraform_data" "s{node.number}" {{\n'
            f'  input      = "v{node.number}"\n'
            f"  depends_on = [{parents}]\n{provisioner}}}\n"
        )
    return {"main.tf": "\n".join(blocks)}


def terraform_exec(size: int, width: int) -> Mapping[str, str]:
    """The same for terraform, with a command run for each resource."""
    return terraform(
        size, width, '  provisioner "local-exec" {\n    command = "true"\n    quiet   = true\n  }\n'
    )


Writer = Callable[[int, int], Mapping[str, str]]
WRITERS: Mapping[str, Writer] = MappingProxyType(
    {
        "lab": labfile,
        "lab-touch": labfile_touch,
        "ninja": ninja,
        "ninja-touch": ninja_touch,
        "make": make,
        "doit": doit,
        "snakemake": snakemake,
        "terraform": terraform,
        "terraform-exec": terraform_exec,
    }
)


def write(engine: str, size: int, folder: Path, width: int = WIDTH) -> None:
    """Write the DAG of `size` steps for `engine` into `folder`."""
    for name, text in WRITERS[engine](size, width).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """Write one engine's files from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=sorted(WRITERS))
    parser.add_argument("size", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--width", type=int, default=WIDTH)
    given = parser.parse_args(argv)
    if given.size < 1 or given.width < 2:
        parser.error("size must be at least 1 and --width at least 2 (each step has two parents)")
    write(given.engine, given.size, given.folder, given.width)
    return 0


if __name__ == "__main__":
    sys.exit(main())
