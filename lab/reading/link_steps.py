"""Which steps and instances a reference means."""

from __future__ import annotations

from collections.abc import Iterable

from lab.model.address import instance, split
from lab.model.diagnostic import did_you_mean
from lab.model.labfile import Labfile
from lab.reading.link_uses import Naming
from lab.reading.template import Reference, TemplateFault
from lab.reading.template_lookup import listed


def upstream_of(reference: Reference, labfile: Labfile) -> tuple[str, ...]:
    """The addresses that ``steps.…`` means; *reference* has its computed keys filled in.

    Raises:
        TemplateFault: it means none.
    """
    name, *rest = reference.parts[1:] or ("",)
    if not name:
        raise _fault(reference, "which step is meant is not written here", "write steps.NAME")
    if name not in labfile.instances:
        raise _no_step(reference, name, labfile.instances)
    if name in labfile.matrices and (reference.computed or rest[:1] != ["outputs"]):
        return _one_of_matrix(reference, name, rest, labfile)
    if rest[:1] != ["outputs"]:
        raise _no_outputs(reference, f"steps.{_key(name)}", rest)
    if name in labfile.matrices and len(rest) > 2 and not _is_place(rest[2]):
        raise _listed_output(reference, name, rest, labfile)
    return labfile.instances[name]


def needed(written: str, labfile: Labfile) -> tuple[str, ...] | None:
    """The addresses that `needs: written` means: a step, or one instance; None if it means none."""
    if written in labfile.instances:
        return labfile.instances[written]
    name, key = split(written)
    return (written,) if key and written in labfile.instances.get(name, ()) else None


def unknown_step(written: str, labfile: Labfile) -> tuple[str, str]:
    """Summary and help for a step's name that means nothing."""
    name, key = split(written)
    if key and name in labfile.instances:
        return _no_instance(name, key, labfile)
    nearest = did_you_mean(written, labfile.instances)
    return f"there is no step '{written}'", nearest or f"the steps are {listed(labfile.instances)}"


def misnamed(naming: Naming, kind: str, labfile: Labfile) -> tuple[str, str] | None:
    """Summary and help if the step that a key names cannot stand there."""
    if naming.of_kind and kind not in naming.of_kind:
        wanted = " or ".join(naming.of_kind)
        return (
            f"'{naming.key}' names a step of kind {wanted}, and '{naming.name}' is a {kind}",
            f"name a step with kind: {naming.of_kind[0]}",
        )
    if naming.name in labfile.matrices:
        example = labfile.instances[naming.name][0]
        return (
            f"'{naming.key}' names one step, and '{naming.name}' has a matrix",
            f'name one of its instances: {naming.key}: "{example}"',
        )
    return None


def _fault(reference: Reference, summary: str, help: str) -> TemplateFault:
    return TemplateFault(summary, help=help, expression=reference.expression, line=reference.line)


def _key(name: str) -> str:
    return name if name.isidentifier() else f"['{name}']"


def _no_step(reference: Reference, name: str, names: Iterable[str]) -> TemplateFault:
    known = f"the steps are {listed(names)}" if names else "there are no others"
    return _fault(reference, f"there is no step `{name}`", did_you_mean(name, names) or known)


def _no_outputs(reference: Reference, owner: str, rest: list[str]) -> TemplateFault:
    owner = owner.replace(".[", "[")
    if not rest:
        return _fault(reference, f"`{owner}` is a step, no value", f"write `{owner}.outputs.X`")
    meant = rest[1:] if did_you_mean(rest[0], ("outputs",)) else rest
    if "outputs" in rest:  # `steps.a['x=1'].outputs.y`, of a step that has no matrix
        meant = rest[rest.index("outputs") + 1 :]
    tail = ".".join(["outputs", *(meant or ["X"])])
    return _fault(
        reference,
        f"`{owner}` has no `{rest[0]}`: of a step only its `outputs` can be used",
        f"write `{owner}.{tail}`",
    )


def _one_of_matrix(
    reference: Reference, name: str, rest: list[str], labfile: Labfile
) -> tuple[str, ...]:
    if not rest and not reference.computed:
        raise _no_outputs(reference, f"steps.{_key(name)}", rest)
    if not rest:
        raise _fault(
            reference,
            f"which instance of `{name}` is meant is not known before the run",
            "compute the key of `vars`, `matrix`, `env` and `lab` alone, or of nothing",
        )
    address = instance(name, rest[0])
    if address not in labfile.instances[name]:
        if did_you_mean(rest[0], ("outputs",)) or "=" not in rest[0]:
            raise _no_outputs(reference, f"steps.{_key(name)}", rest)
        raise _fault(reference, *_no_instance(name, rest[0], labfile))
    if rest[1:2] != ["outputs"]:
        raise _no_outputs(reference, f"steps.{_key(name)}['{rest[0]}']", rest[1:])
    return (address,)


def _no_instance(name: str, key: str, labfile: Labfile) -> tuple[str, str]:
    if name not in labfile.matrices:
        return f"the step '{name}' has no matrix, so no instance '{key}'", f"write '{name}'"
    keys = [split(address)[1] for address in labfile.instances[name]]
    nearest = did_you_mean(key, keys)
    return (
        f"the step '{name}' has no instance '{key}'",
        nearest or f"its instances are {listed(keys)}",
    )


def _is_place(part: str) -> bool:
    return part.lstrip("-").isdecimal()


def _listed_output(
    reference: Reference, name: str, rest: list[str], labfile: Labfile
) -> TemplateFault:
    key = split(labfile.instances[name][0])[1]
    step = f"steps.{_key(name)}".replace(".[", "[")
    path = ".".join(rest)
    return _fault(
        reference,
        f"`{step}.outputs.{rest[1]}` is a list, one value for each instance of the matrix",
        f"write `{step}['{key}'].{path}` for one, or `{step}.outputs.{rest[1]}"
        f" | map(attribute='{'.'.join(rest[2:])}')` for all",
    )
