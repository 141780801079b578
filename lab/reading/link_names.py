"""Whether the names in a step's templates mean something where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.model.diagnostic import did_you_mean
from lab.model.labfile import Labfile, Step
from lab.reading.link_uses import Place, Use
from lab.reading.scope import ROOTS
from lab.reading.template import Missing, Reference, TemplateFault, is_template
from lab.reading.template_lookup import listed, resolve
from lab.reading.template_syntax import dash_fault, dashed

_STEP = ("vars", "steps", "recipes", "env", "matrix", "parameters", "step", "lab")
_USABLE: Mapping[Place, tuple[str, ...]] = {
    Place.SPEC: _STEP,
    Place.ENV: _STEP,
    Place.INPUTS: _STEP,
    Place.TARGET: _STEP,
    Place.WHEN: _STEP,
    Place.REQUIRE: (*_STEP, "outputs"),
    Place.OUTPUTS: ("vars", "steps", "recipes", "env", "lab"),
}
# words that other tools have for these names
_FOREIGN = {
    "var": "vars", "variables": "vars", "inputs": "vars", "config": "vars", "local": "vars",
    "params": "parameters", "param": "parameters", "args": "parameters",
    "item": "matrix", "each": "matrix", "needs": "steps", "jobs": "steps", "tasks": "steps",
    "environ": "env", "secret": "secrets", "output": "outputs", "lookup": "env",
}  # fmt: skip


def name_fault(
    use: Use, labfile: Labfile, step: Step | None, parameters: Mapping[str, Any] | None
) -> TemplateFault | None:
    """What is wrong with one name (steps apart, which linking follows), or None.

    *parameters* are the step's own, None if its kind has none.
    """
    root = use.reference.parts[0]
    if root == "secrets":
        return _secret_fault(use, labfile)
    if root not in _USABLE[use.leaf.place]:
        return _misplaced(use, labfile, step, parameters)
    if root == "matrix" and not (step and step.matrix):
        return _placed(use, "the step has no `matrix`", _instead_of(use, labfile, parameters))
    if root == "parameters":
        return _parameter_fault(use, labfile, parameters)
    if root == "recipes":
        return _recipe_fault(use, labfile)
    return None


def value_fault(use: Use, step: Step | None, scope: Mapping[str, Any]) -> TemplateFault | None:
    """What is wrong with a name whose value is known before anything runs, or None."""
    root, *rest = use.reference.parts
    if root not in ("vars", "env", "matrix", "lab", "step") or use.reference.guarded:
        return None
    if root == "env" and step is not None and (step.when is not True or step.unavailable):
        return None  # a step that may not run does not need its variables to be set
    if use.reference.computed or not rest:
        return None
    return _resolved(use, [root, *rest], scope)


def dash_taken_for_minus(use: Use, known: Mapping[str, Any]) -> TemplateFault | None:
    """The fault of a name with a dash after a dot, if *known* (by its first word) has that name."""
    for root, name, written in dashed(use.leaf.text):
        if written.startswith(f"{use.reference.expression}-") and name in known.get(root, ()):
            fault = dash_fault(root, name, written)
            fault.line = use.reference.line
            return fault
    return None


def _placed(use: Use, summary: str, help: str) -> TemplateFault:
    return TemplateFault(
        summary, help=help, expression=use.reference.expression, line=use.reference.line
    )


def _resolved(use: Use, parts: list[str], scope: Mapping[str, Any]) -> TemplateFault | None:
    keys = [int(part) if part.isdecimal() else part for part in parts[1:]]
    try:
        resolve(parts[0], keys, scope)
    except Missing as fault:
        return _placed(use, fault.summary, fault.help)
    return None


def _misplaced(
    use: Use, labfile: Labfile, step: Step | None, parameters: Mapping[str, Any] | None
) -> TemplateFault:
    root = use.reference.parts[0]
    usable = _USABLE[use.leaf.place]
    if root == "outputs":
        return _placed(
            use,
            "`outputs` is the step's own result, known only in its `require`",
            "for what another step gives write steps.NAME.outputs.X",
        )
    if root in ROOTS:
        return _placed(
            use,
            f"`{root}` is known only inside a step",
            f"names here begin with {listed(usable)}",
        )
    meant = _instead_of(use, labfile, parameters) or _meant(root, usable)
    return _placed(use, f"`{root}` is not known here", meant or f"names here: {listed(usable)}")


def _meant(root: str, usable: tuple[str, ...]) -> str:
    near = _FOREIGN.get(root.casefold(), "")
    if near in usable:
        return f"write `{near}` for `{root}`"
    return did_you_mean(root, usable)


def _instead_of(use: Use, labfile: Labfile, parameters: Mapping[str, Any] | None) -> str:
    """Where a name is declared that was written without what stands before it, or after `matrix`."""
    parts = use.reference.parts
    word = parts[1] if parts[0] == "matrix" and len(parts) > 1 else parts[0]
    homes = {"parameters": parameters or {}, "vars": labfile.vars, "secrets": labfile.secrets}
    found = next((root for root, names in homes.items() if word in names), "")
    if found:
        return f"write `{found}.{word}`"
    if word in labfile.instances:
        return f"write `steps.{word}.outputs.X` for an output of the step"
    return ""


def _secret_fault(use: Use, labfile: Labfile) -> TemplateFault | None:
    parts, leaf = use.reference.parts, use.leaf
    name = parts[1] if len(parts) > 1 else ""
    if not name:
        return _placed(use, "which secret is meant is not written here", "write secrets.NAME")
    if name not in labfile.secrets:
        declare = f"declare it: secrets: {{{name}: {{env: {name.upper().replace('-', '_')}}}}}"
        return _placed(
            use, f"there is no secret `{name}`", did_you_mean(name, labfile.secrets) or declare
        )
    if leaf.secret:
        return None
    if leaf.place in (Place.SPEC, Place.INPUTS, Place.TARGET):
        variable = name.upper().replace("-", "_")
        return _placed(
            use,
            f"a secret cannot be used in `{leaf.key}`: it would be seen in logs and processes",
            f'hand it over in the environment, env: {{{variable}: "{{{{ secrets.{name} }}}}"}},'
            f" and let the program read {variable}",
        )
    return _placed(
        use,
        f"a secret cannot be used in `{leaf.key}`: its value is never shown or decided by",
        "secrets are for a step's `env` and `stdin`",
    )


def _parameter_fault(
    use: Use, labfile: Labfile, parameters: Mapping[str, Any] | None
) -> TemplateFault | None:
    reference = use.reference
    if parameters is None:
        meant = _instead_of_parameter(reference, labfile)
        return _placed(use, "this kind of step has no `parameters`", meant)
    if use.leaf.key == "parameters":
        return _placed(
            use,
            "a parameter cannot be made of the step's parameters",
            "put what they share into `vars`",
        )
    if reference.guarded or len(reference.parts) < 2:
        return None
    known: list[str] = ["parameters"]
    value: Any = parameters
    for part in reference.parts[1:]:
        known.append(part)
        value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, str) and is_template(value):
            break
    return _resolved(use, known, {"parameters": parameters})


def _instead_of_parameter(reference: Reference, labfile: Labfile) -> str:
    name = reference.parts[1] if len(reference.parts) > 1 else ""
    if name in labfile.vars:
        return f"write `vars.{name}`"
    return "use `vars`, which all steps share"


def _recipe_fault(use: Use, labfile: Labfile) -> TemplateFault | None:
    declared = labfile.document.tree.get("recipes")
    names = tuple(declared) if isinstance(declared, Mapping) else ()
    name = use.reference.parts[1] if len(use.reference.parts) > 1 else ""
    if name in names:
        return None
    return _placed(
        use,
        f"there is no recipe `{name}`",
        did_you_mean(name, names) or "declare it under `recipes`",
    )
