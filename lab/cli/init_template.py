"""The labs that `lab init` writes into empty folders; they are kept as text beside the package."""

from __future__ import annotations

from importlib import resources

DIGITS = "digits"
_SUFFIX = ".txt"  # so that no tool takes users' files for lab's own code


def template(name: str) -> dict[str, str]:
    """The files of a template by name, their paths as in a folder of their own."""
    folder = resources.files("lab") / "templates" / name
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(_SUFFIX))
    names = sorted(found, key=lambda each: (not each.startswith("Labfile"), each))
    return {
        each.removesuffix(_SUFFIX): _moved((folder / each).read_text(encoding="utf-8"), name)
        for each in names
    }


def _moved(text: str, name: str) -> str:
    """An example's text, where it speaks of its place among the examples."""
    text = text.replace("$schema=../../labfile.schema.json", "$schema=./labfile.schema.json")
    return text.replace(f" examples/{name}/Labfile.yaml", "")
