"""What is allowed but hardly meant: names that nothing uses, credentials in plain sight."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from lab.model.diagnostic import Diagnostic, Severity
from lab.model.labfile import Labfile, Step
from lab.model.regex import regex
from lab.model.tree import Json, Path
from lab.reading.faults import place_of
from lab.reading.link_uses import Uses, braced
from lab.reading.link_wiring import Wiring
from lab.reading.template import TemplateFault, is_template, references

_CONDITIONS = ("when", "require", "protect")
_NAMED = regex(
    r"(?:^|_|^PG)(?:TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET_?KEY)\Z",
    re.IGNORECASE,
)
_PRIVATE = regex(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_SHAPED = regex(
    r"\b(?:hf_[A-Za-z]{20,}|gh[opsu]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|AKIA[0-9A-Z]{16}"
    r"|xox[abp]-[\w-]{20,}|sk-[\w-]{20,})\b|://[^/?#@:\s]+:[^/?#@\s]{6,}@"
)  # what services give out, and a URL with a password
_LOOKED_AT = 4096  # characters
_SHORTEST = 8


def unused_variables(labfile: Labfile) -> Iterator[Diagnostic]:
    """Variables that no template of the whole document uses."""
    left = set(labfile.vars)
    if left:
        _forget_used(labfile.document.tree, (), left)
    for name in labfile.vars:
        if name in left:
            yield Diagnostic(
                summary=f"nothing uses the variable '{name}'",
                help=f"use it as {{{{ vars.{name} }}}}, or take it out",
                span=labfile.document.span_of(("vars", name), key=True),
                severity=Severity.WARNING,
            )


def _forget_used(tree: Json, path: Path, left: set[str]) -> None:
    """Takes the variables that *tree* uses out of *left*; stops when none is left."""
    if isinstance(tree, str):
        if "vars" in tree:
            _forget_named(tree, path, left)
        return
    items: Iterable[tuple[str | int, Json]] = ()
    if isinstance(tree, Mapping):
        items = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    for key, each in items:
        if not left:
            return
        if isinstance(each, str | Mapping | list):
            _forget_used(each, (*path, key), left)


def _forget_named(text: str, path: Path, left: set[str]) -> None:
    if any(key in _CONDITIONS for key in path[2:4]):
        text = braced(text)
    if not is_template(text):
        return
    try:
        found = references(text)
    except TemplateFault:
        return  # it is told where names are checked
    for each in found:
        if each.parts[0] == "vars":
            left.difference_update(each.parts[1:2] or tuple(left))


def unused_parameters(
    step: Step, wiring: Wiring, uses: Uses | None, labfile: Labfile
) -> Iterator[Diagnostic]:
    """Parameters that a step hands to no one: a `script` or `module` gets them all by itself."""
    declared = step.spec.get(wiring.parameters) if wiring.parameters else None
    if not isinstance(declared, Mapping) or not any(key in step.spec for key in wiring.argv):
        return
    place = step.path_of(wiring.parameters)
    if place[:2] != step.path[:2]:
        return  # `like` brought them: they are told where they are declared
    used: set[str] = set()
    for each in uses.names if uses else ():
        if each.reference.parts[0] == "parameters":
            used.update(each.reference.parts[1:2] or tuple(declared))
    for name in declared:
        if name not in used:
            yield Diagnostic(
                summary=f"nothing uses the parameter '{name}' of step '{step.name}'",
                help=f"hand it to the program as {{{{ parameters.{name} }}}}, or take it out",
                span=labfile.document.span_of((*place, name), key=True),
                severity=Severity.WARNING,
            )


def plain_credentials(step: Step, labfile: Labfile) -> Iterator[Diagnostic]:
    """Values in `env` that look like credentials. The line is not shown, for it holds the value."""
    for name, value in step.env.items():
        if not isinstance(value, str) or not _is_credential(name, value):
            continue
        span = labfile.document.span_of(place_of(labfile.document, step, "env", (name,)))
        secret, written = name.lower(), not is_template(value)
        yield Diagnostic(
            summary=f"`{name}` in `env` looks like a credential in plain text ({span})"
            if written
            else f"`{name}` in `env` looks like a credential, and is not handed over as a secret ({span})",
            detail="It is stored wherever the Labfile is, and shown wherever its lines are."
            if written
            else "Its value is kept in the state, and shown in plans and logs.",
            help=f"declare secrets: {{{secret}: {{env: {name}}}}}"
            f' and write {name}: "{{{{ secrets.{secret} }}}}"',
            severity=Severity.WARNING,
        )


def _is_credential(name: str, value: str) -> bool:
    if is_template(value):
        return _NAMED.search(name) is not None and _is_taken_openly(value)
    if _PRIVATE.search(value) or _SHAPED.search(value[:_LOOKED_AT]):
        return True
    named = _NAMED.search(name) is not None
    return named and len(value) >= _SHORTEST and not value.startswith(("/", "./", "~", "$"))


def _is_taken_openly(text: str) -> bool:
    """Whether a template takes its value from the environment or a variable, and not from a secret."""
    try:
        roots = {each.parts[0] for each in references(text)}
    except TemplateFault:
        return False  # it is told where names are checked
    return bool(roots & {"env", "vars"}) and not roots & {"secrets", "steps"}
