"""`lab init`: writes a Labfile for the code in a folder, or a first lab where there is none."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from lab.cli import arguments
from lab.cli.init_environment import Packages, packages_of
from lab.cli.init_labfile import SCHEMA, lab_name, labfile_text, step_name, surely_printed
from lab.cli.init_script import Script, find_script
from lab.cli.init_settle import FILL_IN, Settled, settle
from lab.cli.init_template import DIGITS, template
from lab.cli.labfile import NAMES
from lab.cli.schema import schema_text
from lab.model.diagnostic import Diagnostic, LabfileError

ABOUT = """Write a Labfile for the code in FOLDER.

It reads the training script and requirements.txt (or pyproject.toml) without running anything: flags
become parameters, output paths go to the step's own folder. In a folder without Python files it writes
a small complete lab instead: handwritten digits, learned by a Keras network. Nothing is overwritten."""


def main(words: Sequence[str]) -> int:
    """Writes the files and says what was understood and what to do next."""
    parser = arguments.parser("init", ABOUT)
    parser.add_argument(
        "target", nargs="?", default=".", metavar="FOLDER", help="default: this folder"
    )
    parser.add_argument("--script", metavar="FILE", help="the script, relative to FOLDER")
    args = arguments.parse(parser, words)
    folder = os.path.abspath(args.target)
    _refuse_existing(folder, args.target)
    script = find_script(folder, args.script) if os.path.isdir(folder) else None
    ready = True
    if script is None:
        files = template(DIGITS)
        _refuse_overwriting(folder, files)
        told = _told_template(files)
    else:
        packages, settled = packages_of(folder, script), settle(folder, script)
        name = lab_name(os.path.basename(folder))
        files = {"Labfile.yaml": labfile_text(name, script, packages, settled)}
        told, ready = _told(script, packages, settled), not settled.missing
    said = [*told, *_told_schema(folder)]
    _write(folder, {**files, SCHEMA: schema_text()})
    print("\n".join([*said, "", f"Next: {_next(folder, ready=ready)}"]))
    return 0


def _refuse_existing(folder: str, shown: str) -> None:
    if os.path.isfile(folder):
        raise LabfileError(
            Diagnostic(
                summary=f"{shown} is a file; `lab init` takes a folder",
                help=f"`lab init --script {os.path.basename(shown)}` names the script",
            )
        )
    for name in NAMES:
        if os.path.lexists(os.path.join(folder, name)):
            raise LabfileError(
                Diagnostic(
                    summary=f"there is a {name} already, and `lab init` overwrites nothing",
                    help="`lab validate` checks it, `lab plan` says what it would do",
                )
            )


def _refuse_overwriting(folder: str, files: Mapping[str, str]) -> None:
    there = [name for name in files if os.path.lexists(os.path.join(folder, name))]
    if there:
        raise LabfileError(
            Diagnostic(
                summary=f"there is no Python script here, and {', '.join(there)} would be overwritten",
                detail="In a folder without a script `lab init` writes a whole small lab.",
                help="`lab init NEW-FOLDER` writes it elsewhere",
            )
        )


def _write(folder: str, files: Mapping[str, str]) -> None:
    """Writes what is not there yet; a schema that is there stays."""
    try:
        os.makedirs(folder, exist_ok=True)
        for name, text in files.items():
            path = os.path.join(folder, name)
            if name == SCHEMA and os.path.lexists(path):
                continue
            with open(path, "x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise arguments.usage(f"{error.filename or folder}: {error.strerror}") from None


def _told(script: Script, packages: Packages, settled: Settled) -> Iterator[str]:
    """What was understood of the script, so that a wrong guess is seen at once."""
    yield f"Wrote Labfile.yaml for {script.path}:"
    printed = ", ".join(surely_printed(script))
    rows = [
        ("environment", packages.origin or "none: the script imports no packages that lab knows"),
        ("step", f"{step_name(script)}, of kind training"),
        ("parameters", ", ".join(settled.parameters)),
        ("step folder", f"gets what {', '.join(settled.pointed)} names" if settled.pointed else ""),
        ("artifacts", ", ".join(settled.artifacts)),
        ("inputs", ", ".join(settled.inputs)),
        ("metrics", f"from what it prints: {printed}" if printed else ""),
        ("left as is", _several(settled.left)),
        ("not used", _others(script)),
        *(("note", note) for note in packages.notes),
    ]
    yield from (line for label, text in rows if text for line in _row(label, text))
    if settled.missing:
        yield from _row(
            "to do", f"give {', '.join(settled.missing)}: see {FILL_IN} in Labfile.yaml"
        )


def _row(label: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, 64, break_on_hyphens=False, break_long_words=False)
    yield f"  {label:<12} {lines[0]}"
    yield from (f"  {'':<12} {line}" for line in lines[1:])


def _several(flags: Sequence[str]) -> str:
    more = len(flags) - 8
    return " ".join(flags[:8]) + (f" and {more} more" if more > 0 else "")


def _others(script: Script) -> str:
    if not script.others:
        return ""
    shown = ", ".join(script.others[:3]) + (", …" if len(script.others) > 3 else "")
    return f"{shown} (`lab init --script` names the one to use)"


def _told_template(files: Mapping[str, str]) -> Iterator[str]:
    yield "No Python here yet: this is a small lab to start from, one that reads digits."
    yield f"Wrote {', '.join(files)}."
    yield "Its environment holds TensorFlow, so the first `lab apply` takes a while."


def _told_schema(folder: str) -> Iterator[str]:
    if os.path.lexists(os.path.join(folder, SCHEMA)):
        return
    yield ""
    yield f"Wrote {SCHEMA}, by which editors check Labfile.yaml, also offline."
    yield "VS Code needs the extension redhat.vscode-yaml, others the YAML language server."


def _next(folder: str, *, ready: bool) -> str:
    here = os.path.relpath(folder)
    shown = shlex.quote(here if not here.startswith("..") else folder)
    go = "" if here == "." else f"`cd {shown}`, "
    fill = "" if ready else f"replace {FILL_IN} in Labfile.yaml, "
    return f"{go}{fill}`lab plan`, then `lab apply`"
