"""Writes docs/reference.md from what lab itself knows: `python docs/generate.py`; a test keeps it current."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.edge.discover import discover
from lab.reading.schema import json_schema
from lab.reading.template import FILTERS, FUNCTIONS, TESTS

TARGET = Path(__file__).with_name("reference.md")

HEAD = """# The Labfile, version 1

Made by `python docs/generate.py` from the specs that lab reads Labfiles by; not edited by hand.

A Labfile is YAML 1.2 (core schema): `on`, `no` and `1:30` are texts, `1e-4` is a number. Unknown keys are
errors. Paths are relative to the Labfile's folder. Wherever a scalar is wanted, `{{ expression }}` may stand;
a scalar that is exactly one expression keeps its type. Keys and structure are never templated.
"""

NAMES = """## Names in expressions

| name | what it is | where |
|---|---|---|
| `vars.NAME` | a variable | everywhere |
| `env.NAME` | a variable of the environment in which lab was started | everywhere |
| `lab.name`, `lab.root`, `lab.overlay` | the lab's name, its folder, the overlay | everywhere |
| `matrix.NAME` | this instance's value | in a step with `matrix` |
| `parameters.NAME` | the step's own parameter | in a step with `parameters` |
| `step.name`, `step.dir` | the step's name; a folder private to the step or instance | in a step |
| `steps.NAME.outputs.OUTPUT` | another step's output; of a matrix, the list in matrix order | in steps and `outputs` |
| `steps.NAME['lr=0.1'].outputs.OUTPUT` | one instance's output | in steps and `outputs` |
| `secrets.NAME` | a secret's value, read at the last moment | in `env`, and in keys marked *secrets allowed* |
| `outputs.OUTPUT` | the step's own outputs, after it ran | in `require` |
"""


def reference() -> str:
    """The whole page."""
    schema = json_schema(discover(()).catalog())
    defs: Mapping[str, Any] = schema["$defs"]
    parts = [HEAD, "## Top-level keys\n", *_table(schema["properties"], set(schema["required"]))]
    parts += ["\n## Keys that every step has\n"]
    options = {
        name.removeprefix("option-"): each
        for name, each in defs.items()
        if name.startswith("option-")
    }
    parts += _table(options, set())
    for name in sorted(defs):
        if name.startswith("kind-"):
            parts += _kind(name.removeprefix("kind-"), defs[name])
    parts += ["", NAMES, "## Filters, functions and tests\n", *_calls()]
    return "\n".join(parts).rstrip() + "\n"


def _kind(name: str, about: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n## kind: {name}\n"
    yield about["description"] + "\n"
    own = {key: each for key, each in about["properties"].items() if isinstance(each, Mapping)}
    yield from _table(own, set(about.get("required", ())))


def _table(properties: Mapping[str, Any], required: set[str]) -> Iterator[str]:
    yield "| key | what it is | example |"
    yield "|---|---|---|"
    for name, about in properties.items():
        must = " *(required)*" if name in required else ""
        words = about.get("description", "").replace("|", "\\|")
        yield f"| `{name}`{must} | {words} | {_example(about)} |"


def _example(about: Mapping[str, Any]) -> str:
    examples = about.get("examples", [])
    if not examples:
        return ""
    text = json.dumps(examples[0], ensure_ascii=False).replace("|", "\\|")
    return f"`{text}`"


def _calls() -> Iterator[str]:
    for title, table in (("Filters", FILTERS), ("Functions", FUNCTIONS), ("Tests", TESTS)):
        yield f"**{title}**\n"
        for name, entry in table.items():
            yield f"* `{name}`: {entry.doc}"
        yield ""


def main() -> int:
    """Writes the page, or with `--check` only says whether it is current."""
    text = reference()
    if "--check" in sys.argv:
        return 0 if TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
