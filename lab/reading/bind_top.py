"""Binds what stands above the steps: the version, the name, secrets, state, defaults, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lab.kinds.shape_derive import record_of
from lab.kinds.shape_fault import Fault, bad_name, explained, nearest, unknown_key, wrong
from lab.kinds.shape_settle import settle, settle_field
from lab.kinds.shape_types import Anything, Table
from lab.kinds.shape_words import listed, met
from lab.model.address import is_name
from lab.model.labfile import FromCommand, FromEnv, FromFile, SecretSource, StateSettings
from lab.model.tree import Json, text_of
from lab.model.values import Unknown
from lab.reading.bind_findings import Findings
from lab.reading.bind_ground import Ground
from lab.reading.bind_options import FIELDS
from lab.reading.bind_static import render_static
from lab.reading.foreign_files import foreign_file, taught_top
from lab.reading.words import DEFAULTS, TopWords
from lab.reading.words_state import State

_TOP = record_of(TopWords).fields
_VERSION = 1
_MAPS = Table(Anything())
_EMPTY: Mapping[str, Json] = {}


def check_top(tree: Mapping[str, Json], findings: Findings) -> bool:
    """Check the top-level keys and the version; false where nothing more can be told."""
    foreign = foreign_file(tree)
    if foreign is not None:
        findings.add([foreign])
        return False
    for key, value in tree.items():
        if key not in _TOP:
            findings.add([_unknown(key, value)])
    findings.add(_version(tree))
    if tree.get("steps") is None:
        findings.add([_no_steps(tree)])
    return True


def _unknown(key: str, value: Json) -> Fault:
    taught = taught_top(key, value, (key,))
    if taught is not None:
        return taught
    if not nearest(key, _TOP) and isinstance(value, Mapping) and "kind" in value:
        return Fault(
            path=(key,),
            summary=f"'{key}' looks like a step, and steps stand under `steps`",
            help="move it below `steps:`, indented by two spaces",
            at_key=True,
        )
    return unknown_key(key, _TOP, (key,))


def _version(tree: Mapping[str, Json]) -> list[Fault]:
    if "version" in tree and "labfile" not in tree:
        return []  # it is told already that `version` is `labfile`
    if "labfile" not in tree:
        return [
            Fault(
                path=next(((key,) for key in tree), ("labfile",)),
                summary="the file has no `labfile: 1`",
                detail="It says which version of the language the file is written in, so that it"
                " still means the same after years.",
                help="make it the first line: labfile: 1",
                at_key=True,
            )
        ]
    value = tree["labfile"]
    if value == _VERSION and not isinstance(value, bool):
        return []
    path = ("labfile",)
    if isinstance(value, str) and value.strip().removeprefix("v") in ("1", "1.0"):
        summary = f"'labfile' must be the number 1, not {met(value)}"
        return [Fault(path=path, summary=summary, help="write labfile: 1")]
    if isinstance(value, int) and value > _VERSION and not isinstance(value, bool):
        return [
            Fault(
                path=path,
                summary=f"this lab speaks version {_VERSION} of the language, not {value}",
                help="use a newer lab; `lab version` tells which one this is",
            )
        ]
    summary = f"'labfile' is the version of the language, and {met(value)} is none"
    return [Fault(path=path, summary=summary, help="write labfile: 1")]


def _no_steps(tree: Mapping[str, Json]) -> Fault:
    return Fault(
        path=("steps",) if "steps" in tree else next(((key,) for key in tree), ()),
        summary="there is nothing below `steps`" if "steps" in tree else "the file has no `steps`",
        detail="Steps are what a Labfile is for: each makes something.",
        help="add, for example:\n"
        "  steps:\n    hello:\n      kind: command\n      command: [echo, hello]",
        at_key=True,
    )


def section(tree: Mapping[str, Json], key: str, findings: Findings) -> Mapping[str, Json]:
    """Return a top-level map; an empty one where it is not there, or no map."""
    value = tree.get(key, _EMPTY)
    if isinstance(value, Mapping):
        return value
    findings.add([explained(wrong(_TOP[key].shape, value, (key,)), _TOP[key], (key,))])
    return _EMPTY


def lab_name(tree: Mapping[str, Json], source: str, findings: Findings) -> str:
    """Return the lab's name: as written, else the file's own without its ending."""
    value = tree.get("name")
    if value is None and "name" not in tree:
        stem = source.replace("\\", "/").rpartition("/")[2].partition(".")[0].casefold()
        return stem if is_name(stem) else "labfile"
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        findings.add(
            [explained(wrong(_TOP["name"].shape, value, ("name",)), _TOP["name"], ("name",))]
        )
        return "labfile"
    text = text_of(value)
    if not is_name(text):
        told = f"for example name: lab-{text}" if is_name(f"lab-{text}") else ""
        fault = bad_name(text, ("name",))
        findings.add([replace(fault, at_key=False, help=told or fault.help)])
    return text


def describe(tree: Mapping[str, Json], ground: Ground) -> str:
    """Return the lab's description."""
    run = ground.settling()
    text = settle_field(_TOP["description"], tree.get("description", ""), ("description",), run)
    ground.findings.add(run.faults)
    found = render_static(
        text, ground.static, ("description",), ground.findings, owner="a description"
    )
    return "" if isinstance(found, Unknown) else str(found)


def secret_sources(tree: Mapping[str, Json], ground: Ground) -> dict[str, SecretSource]:
    """Return where each secret comes from."""
    found: dict[str, SecretSource] = {}
    bare = [name for name, each in tree.items() if isinstance(each, (str, int, float))]
    if bare:
        ground.findings.add(_bare_secret(name) for name in bare)
        tree = {name: each for name, each in tree.items() if name not in bare}
    settled = _settle_section("secrets", tree, ground)
    for name, each in settled.items():
        path = ("secrets", name)
        source = render_static(each, ground.static, path, ground.findings, owner="a secret")
        match source:
            case {"env": str(variable)}:
                found[name] = FromEnv(variable)
            case {"file": str(file)}:
                found[name] = FromFile(file)
            case {"command": list(argv)}:
                found[name] = FromCommand(tuple(str(word) for word in argv))
            case _:
                pass  # it has a fault that is told already
    return found


def _bare_secret(name: str) -> Fault:
    return Fault(
        path=("secrets", name),
        summary=f"the value of '{name}' must not stand in the Labfile",
        detail="A Labfile is shared and kept; a secret only says where its value comes from.",
        help=f"write {name}: {{env: {name.upper()}}}, {{file: PATH}} or {{command: [PROGRAM]}}",
        at_key=True,
    )


def _settle_section(key: str, tree: Mapping[str, Json], ground: Ground) -> Mapping[str, Any]:
    """Settle a map of names; empty after a fault."""
    run = ground.settling()
    run.faults += [bad_name(name, (key, name)) for name in tree if not is_name(name)]
    settled = settle(_TOP[key].shape, tree, (key,), run)
    ground.findings.add(run.faults)
    return settled if isinstance(settled, Mapping) and not run.faults else {}


def state_settings(tree: Mapping[str, Json], ground: Ground, *, named: bool) -> StateSettings:
    """Return which backend remembers; its fields may hold secrets, and are rendered by whoever opens it."""
    value = tree.get("state")
    if value is None:
        return StateSettings()
    run = ground.settling()
    settled = settle(record_of(State), value, ("state",), run)
    if isinstance(settled, Mapping) and not run.faults:
        backend = str(settled.get("backend", "local"))
        fields = {key: each for key, each in settled.items() if key != "backend"}
        run.faults += _state_faults(backend, fields, named)
        ground.findings.add(run.faults)
        return StateSettings(backend=backend, fields=fields)
    ground.findings.add(run.faults)
    return StateSettings()


def _state_faults(backend: str, fields: Mapping[str, Json], named: bool) -> list[Fault]:
    faults: list[Fault] = []
    for key in [key for key in fields if backend == "local" and fields[key] is not None]:
        told = f"write backend: postgresql, or remove `{key}`"
        summary = f"the local backend has no `{key}`"
        faults.append(Fault(path=("state", key), summary=summary, help=told, at_key=True))
    if backend == "postgresql" and fields.get("dsn") is None:
        told = 'add dsn: "{{ secrets.state_dsn }}"'
        summary = "the postgresql backend needs a `dsn`"
        faults.append(Fault(path=("state",), summary=summary, help=told, at_key=True))
    if backend == "postgresql" and not named:
        summary = "a lab whose state is shared needs a `name`"
        why = "The database holds the state of many labs, each under its name."
        faults.append(
            Fault(path=("state",), summary=summary, detail=why, help="add name: …", at_key=True)
        )
    return faults


def step_defaults(tree: Mapping[str, Json], ground: Ground) -> Mapping[str, Json]:
    """Return the defaults that have no fault."""
    run = ground.settling()
    right: dict[str, Json] = {}
    for key, value in tree.items():
        path = ("defaults", key)
        if key not in DEFAULTS:
            run.faults.append(_no_default(key))
            continue
        before = len(run.faults)
        settle_field(FIELDS[key], value, path, run)
        if len(run.faults) == before:
            right[key] = value
    ground.findings.add(run.faults)
    return right


def _no_default(key: str) -> Fault:
    near = nearest(key, DEFAULTS)
    return Fault(
        path=("defaults", key),
        summary=f"unknown key '{key}' in 'defaults'" if near else f"'{key}' cannot have a default",
        detail="" if near else "A default is for every step, whatever its kind.",
        help=near or f"defaults may have {listed(DEFAULTS)}",
        at_key=True,
    )


def lab_outputs(tree: Mapping[str, Json], ground: Ground) -> Mapping[str, Json]:
    """Return the outputs as written, their names checked."""
    _settle_section("outputs", tree, ground)
    return tree
