"""Sorts a step's keys into its options and its kind's own, and says what the rest might mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lab.kinds.catalog import Catalog
from lab.kinds.shape_derive import record_of
from lab.kinds.shape_fault import Fault, nearest
from lab.kinds.shape_types import Record
from lab.kinds.shape_words import listed, met, shortened
from lab.model.diagnostic import did_you_mean
from lab.model.tree import Json, Path
from lab.reading.bind_ground import Ground
from lab.reading.bind_like import Written
from lab.reading.bind_options import FIELDS
from lab.reading.foreign import taught

_ENOUGH = 100  # unknown keys of one step; who has more mends these first
_RESERVED = frozenset(("LAB_STEP", "LAB_STEP_DIR", "LAB_OUTPUT", "LAB_RUN", "LAB_MARK"))


def kind_of(name: str, written: Written, ground: Ground, faults: list[Fault]) -> str:
    """Return a step's kind; '' where it has none that exists."""
    tree, catalog = written.tree, ground.catalog
    path = written.where.get("kind", ("steps", name, "kind"))
    kind = tree.get("kind")
    if isinstance(kind, str) and kind in catalog.specs:
        return kind
    if kind is None and "kind" not in tree:
        if written.whole:
            faults.append(_no_kind(name, tree, ground))
    elif not isinstance(kind, str) or not kind:
        summary = f"'kind' must be the name of a kind, not {met(kind)}"
        told = f"the kinds are {listed(catalog.specs)}"
        faults.append(Fault(path=path, summary=summary, help=told))
    else:
        near = did_you_mean(kind, catalog.specs) or _by_another_name(kind, catalog)
        told = near or f"the kinds are {listed(catalog.specs)}"
        faults.append(Fault(path=path, summary=f"unknown kind '{shortened(kind)}'", help=told))
    return ""


_OTHER_NAMES: Mapping[str, str] = {
    **dict.fromkeys(
        ("shell", "bash", "script", "run", "task", "job", "exec", "process"), "command"
    ),
    **dict.fromkeys(("venv", "virtualenv", "conda", "uv", "pip", "python", "env"), "environment"),
    **dict.fromkeys(("data", "download", "file", "fetch"), "dataset"),
    **dict.fromkeys(("train", "tfjob", "trainjob", "pytorchjob", "model", "fit"), "training"),
    **dict.fromkeys(("experiment", "katib", "tune", "tuning", "hpo", "optuna"), "sweep"),
    **dict.fromkeys(("docker", "container", "dockerfile"), "image"),
    **dict.fromkeys(("kubectl", "kustomize", "manifest", "yaml"), "manifests"),
    **dict.fromkeys(("jupyter", "notebooks"), "notebook"),
    **dict.fromkeys(("kind", "minikube", "k3d", "eks", "gke", "aks", "kubernetes"), "cluster"),
    **dict.fromkeys(("kfp", "dag", "workflow"), "pipeline"),
}


def _by_another_name(kind: str, catalog: Catalog) -> str:
    meant = _OTHER_NAMES.get(kind.casefold(), "")
    return f"did you mean `{meant}`?" if meant in catalog.specs else ""


def _no_kind(name: str, tree: Mapping[str, Json], ground: Ground) -> Fault:
    """Guess the kind by the keys; a step of options alone may be another one, misspelled."""
    catalog = ground.catalog
    own = {key for key in tree if key not in FIELDS}
    fitting = [
        kind for kind, spec in catalog.specs.items() if own and own <= record_of(spec).fields.keys()
    ]
    others = [each for each in ground.names if each != name]
    meant = did_you_mean(name, others) if not own else ""
    guess = f"add kind: {fitting[0]}" if fitting else f"the kinds are {listed(catalog.specs)}"
    return Fault(
        path=("steps", name),
        summary=f"'{name}' has no `kind`",
        detail="The kind says what the step is, and so which keys it has.",
        help=meant or guess,
        at_key=True,
        lacks=("kind",),
    )


def sort_keys(
    name: str,
    written: Written,
    record: Record | None,
    catalog: Catalog,
    faults: list[Fault],
) -> tuple[dict[str, Json], dict[str, Json], bool]:
    """Return a step's options, its kind's own keys, and whether all keys are known."""
    options: dict[str, Json] = {}
    spec: dict[str, Json] = {}
    before = len(faults)
    for key, value in written.tree.items():
        if key in FIELDS:
            options[key] = value
        elif record is not None and key in record.fields:
            spec[key] = value
        else:
            path = written.where.get(key, ("steps", name, key))
            fault = _unknown(key, value, path, record, catalog)
            if fault and path[:2] != ("steps", name):
                fault = replace(fault, help=f"to leave it out, write {key}: null in '{name}'")
            faults += [fault] if fault else []
            if len(faults) - before >= _ENOUGH:
                break
    return options, spec, len(faults) == before


def _unknown(
    key: str, value: Json, path: Path, record: Record | None, catalog: Catalog
) -> Fault | None:
    foreign = taught(key, value, path)
    others = [kind for kind, spec in catalog.specs.items() if key in record_of(spec).fields]
    if record is None:
        # Of a kind that is not known, only words that no kind has are surely wrong.
        return None if others else foreign
    kind = str(record.cls.kind)
    own = [*record.fields, *FIELDS]
    near = nearest(key, own)
    if foreign is not None:
        return foreign
    if not near and others:
        near = f"it is a key of {' and '.join(others)}; {kind} has {listed(record.fields)}"
    return Fault(
        path=path,
        summary=f"unknown key '{shortened(key)}' in a step of kind {kind}",
        help=near or f"{kind} has {listed(record.fields)}",
        at_key=True,
    )


def reserved_variables(env: Mapping[str, Json], path: Path) -> list[Fault]:
    """Return the faults of environment variables that no step can set."""
    faults: list[Fault] = []
    for name in env:
        if name in _RESERVED:
            summary, told = f"lab itself sets {name} for every step", "take another name"
        elif not name or "=" in name or "\0" in name:
            summary = f"'{shortened(name)}' cannot name an environment variable"
            told = "a name is not empty and has no `=` in it"
        else:
            continue
        faults.append(Fault(path=(*path, name), summary=summary, help=told, at_key=True))
    return faults
