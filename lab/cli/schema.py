"""`lab schema`: prints the JSON Schema that editors check Labfiles with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from lab.cli import arguments
from lab.edge.discover import discover
from lab.model.diagnostic import Diagnostic, LabfileError, did_you_mean
from lab.reading.schema import json_schema

ABOUT = """Print the JSON Schema (2020-12) of Labfiles, or of the steps of one kind.

The kinds of every installed plug-in are in it. To have editors know them: `lab schema >
labfile.schema.json` beside the Labfile, whose first line names that file."""

_REFERENCE = re.compile(r'"#/\$defs/([^"]+)"')


def main(words: Sequence[str]) -> int:
    """Prints the schema."""
    parser = arguments.parser("schema", ABOUT)
    parser.add_argument("kind", nargs="?", metavar="KIND", help="only the steps of this kind")
    args = arguments.parse(parser, words)
    print(schema_text(args.kind), end="")
    return 0


def schema_text(kind: str | None = None) -> str:
    """The schema as it is written to files.

    Raises:
        LabfileError: there is no such kind.
    """
    whole = json_schema(discover().catalog())
    wanted = whole if kind is None else _of_kind(whole, kind)
    return json.dumps(wanted, indent=2, ensure_ascii=False) + "\n"


def _of_kind(whole: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """A schema that by itself says what a step of *kind* may have."""
    known = [name.removeprefix("kind-") for name in whole["$defs"] if name.startswith("kind-")]
    if kind not in known:
        raise LabfileError(
            Diagnostic(
                summary=f"there is no kind `{kind}`",
                detail=f"Installed here: {', '.join(known)}.",
                help=did_you_mean(kind, known),
            )
        )
    definition = whole["$defs"][f"kind-{kind}"]
    options = {
        name.removeprefix("option-"): {"$ref": f"#/$defs/{name}"}
        for name in whole["$defs"]
        if name.startswith("option-")
    }
    step = {
        "$schema": whole["$schema"],
        "title": kind,
        "type": "object",
        **definition,
        "required": ["kind", *definition.get("required", [])],
        "properties": {**definition["properties"], **options, "kind": {"const": kind}},
    }
    return {**step, "$defs": _reachable(step, whole["$defs"])}


def _reachable(schema: object, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definitions that *schema* refers to, directly or not."""
    found: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        for name in _REFERENCE.findall(json.dumps(waiting.pop())):
            if name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
    return found
