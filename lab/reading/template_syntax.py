"""What to say of a text between ``{{`` and ``}}`` that is not an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.model.regex import regex
from lab.reading.template_fault import TemplateFault

_STRINGS = regex(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_DASHED = regex(r"(?<![\w.])([A-Za-z_]\w*)\.([A-Za-z_]\w*(?:-\w+)+)")
_GOT = regex(r"(?:got|unexpected(?: char)?) ['\"](.{1,40}?)['\"](?: at \d+)?\Z", re.DOTALL)
_FOREIGN = (
    (regex(r"^\s*[-.]*\.\w"), "a Go template as text is written {{ '{{…}}' }} in a Labfile"),
    (regex(r"&&"), "write `and` for `&&`"),
    (regex(r"\|\|"), "write `or` for `||`"),
    (regex(r"!(?!=)"), "write `not` for `!`"),
    (regex(r"==="), "write `==` for `===`"),
    (regex(r"\?"), "write `a if condition else b` for `condition ? a : b`"),
    (regex(r"\$"), "a name has no dollar sign before it: write `vars.x`, `env.X`"),
    (regex(r"(?<![=!<>])=(?!=)"), "to compare write `==`; nothing can be assigned here"),
    (regex(r"`"), "quote texts with '…' or \"…\""),
    (regex(r"\bfor\b.*\bin\b", re.DOTALL), "loops do not exist here; see `map` and `select`"),
    (regex(r"\blambda\b"), "functions cannot be made here; see `map` and `select`"),
    (regex(r"\.-|\.\Z|\.\s*\.|\.\s*[|)\]]"), "after a dot comes a name, such as `vars.lr`"),
    (regex(r"\w\s+\w"), "two values need an operator between them; quote texts with '…'"),
    (regex(r","), "put several values into a list: [a, b]"),
)


def without_strings(source: str) -> str:
    """*source* with the quoted texts blanked, every other character in its place."""
    return _STRINGS.sub(lambda found: "'" + " " * (len(found.group()) - 2) + "'", source)


def dashed(source: str) -> Iterator[tuple[str, str, str]]:
    """What may have been meant as a name with a dash: the name before it, this name, as written.

    ``steps.my-step.outputs.x`` is ``steps.my`` minus ``step.outputs.x``; so this gives
    ``("steps", "my-step", "steps.my-step")``, and for several dashes each longer name first.
    """
    for found in _DASHED.finditer(without_strings(source)):
        words = found[2].split("-")
        for count in range(len(words), 1, -1):
            name = "-".join(words[:count])
            yield found[1], name, f"{found[1]}.{name}"


def dash_fault(root: str, name: str, written: str) -> TemplateFault:
    """The fault of writing *name* after a dot although it has a dash."""
    return TemplateFault(
        f"`{written}` is read as a subtraction, for a dash is a minus",
        help=f"write `{root}['{name}']`",
        expression=written,
    )


def syntax_fault(source: str, reason: str) -> TemplateFault:
    """The fault for *source*, which the parser refused for *reason*."""
    bare = without_strings(source).strip()
    teach = next((said for pattern, said in _FOREIGN if pattern.search(bare)), "")
    got = _GOT.search(reason)
    unexpected = f": `{got[1]}` does not fit there" if got and "end of" not in got[1] else ""
    if not unexpected:
        unexpected = ": something is missing at its end" if "end of" in reason else ""
    return TemplateFault(
        f"this is not an expression{unexpected}",
        help=teach or "expressions are names, values, operators and filters: {{ vars.lr * 2 }}",
    )
