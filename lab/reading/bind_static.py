"""Renders what must be known before anything runs, and says which names may be used there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.kinds.shape_words import listed
from lab.model.diagnostic import did_you_mean
from lab.model.tree import Json, Path
from lab.model.values import Unknown
from lab.reading.bind_findings import Findings
from lab.reading.scope import ROOTS
from lab.reading.template import Reference, TemplateFault, leaves, references, render
from lab.reading.template_lookup import unknowns_in

FAULTY = Unknown(("a fault that is told already",))
"""Stands for a value with a fault, so that what uses it is not told as another one."""


def render_static(
    tree: Json,
    scope: Mapping[str, Any],
    path: Path,
    findings: Findings,
    *,
    owner: str,
    step: str = "",
) -> Any:
    """Return the tree rendered over *scope*; FAULTY after a fault. *owner* is what it is for."""
    right = True
    for place, text in leaves(tree):
        for fault in _refused(text, scope, owner):
            fault.path = place
            findings.template(fault, path, step=step)
            right = False
    if not right:
        return FAULTY
    try:
        rendered = render(tree, scope)
        return FAULTY if unknowns_in(rendered) else rendered
    except TemplateFault as fault:
        findings.template(fault, path, step=step)
        return FAULTY


def _refused(text: str, scope: Mapping[str, Any], owner: str) -> list[TemplateFault]:
    """Return a fault for every name that means nothing here, and the text's own if it has one."""
    try:
        used = references(text)
    except TemplateFault as fault:
        return [fault]
    return [_unusable(each, scope, owner) for each in used if each.parts[0] not in scope]


def _unusable(used: Reference, scope: Mapping[str, Any], owner: str) -> TemplateFault:
    root = used.parts[0]
    usable = f"names here begin with {listed(scope)}"
    if root not in ROOTS:
        near = did_you_mean(root, scope)
        return _fault(f"`{root}` is not known here", near or usable, used)
    if root in ("steps", "recipes", "outputs"):
        reason = f"{owner} must be known before anything runs, and outputs are not; {usable}"
    elif root == "secrets":
        reason = (
            "its value is read only when a step runs; write it where the step needs it, in `env`"
        )
    else:
        reason = f"`{root}` is known only inside a step; {usable}"
    return _fault(f"`{root}` cannot be used in {owner}", reason, used)


def _fault(summary: str, help: str, used: Reference) -> TemplateFault:
    return TemplateFault(summary, help=help, expression=used.expression, line=used.line)
