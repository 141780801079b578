"""Where a lab's state lies: in a file below its folder, or in the database that its team shares."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module

from lab.cli.labfile import Source, declared_in, given
from lab.edge.discover import discover
from lab.edge.journal import Journal
from lab.edge.secrets import Secrets
from lab.model.diagnostic import Diagnostic, LabError, LabfileError
from lab.model.labfile import Labfile
from lab.model.layout import state_path
from lab.model.tree import Json
from lab.reading.bind import bind
from lab.reading.scope import base_scope
from lab.reading.template import TemplateFault, render
from lab.running.variables import Resolved

_ABOUT_STATE = ("labfile", "name", "vars", "secrets", "state")


def file_journal(root: str) -> Journal:
    """The state in the folder *root*."""
    return Journal(state_path(root), root)


def journal_of(labfile: Labfile, *, allow_commands: bool) -> Journal:
    """The journal that *labfile* names.

    Raises:
        LabError: how to reach it cannot be read.
    """
    settings = labfile.state
    if settings.backend == "local":
        return file_journal(labfile.root)
    fields = _fields(labfile, allow_commands=allow_commands)
    journal: Journal = import_module("lab.cli.home_team").team_journal(labfile, fields)
    return journal  # whoever keeps the state in a file does not wait for the rest


def journal_from(source: Source, args: argparse.Namespace) -> Journal:
    """The journal that a Labfile names, whatever is wrong with its steps.

    Raises:
        LabError: what it says of its state is wrong.
    """
    if not is_shared(source):
        return file_journal(source.root)
    tree = source.document.tree
    about = {key: tree[key] for key in _ABOUT_STATE if key in tree}
    document = replace(source.document, tree={**about, "steps": {}})
    labfile = bind(
        document,
        root=source.root,
        source=source.path,
        overlay=args.overlay,
        given=given(args, os.environ, declared_in(document)),
        environ=os.environ,
        catalog=discover((), ()).catalog(),
    )
    return journal_of(labfile, allow_commands=args.allow_commands)


def is_shared(source: Source) -> bool:
    """Whether the state does not lie in the lab's folder, as far as can be told before anything is checked."""
    state = source.document.tree.get("state")
    return isinstance(state, Mapping) and state.get("backend", "local") != "local"


def _fields(labfile: Labfile, *, allow_commands: bool) -> dict[str, Json]:
    """What stands below `state`, its secrets read now."""
    secrets = Secrets(
        labfile.secrets,
        root=labfile.root,
        key="",
        environ=os.environ,
        allow_commands=allow_commands,
    )
    scope = base_scope(labfile, step=None, root=labfile.root, directory="")
    scope["secrets"] = Resolved(secrets)
    try:
        fields: dict[str, Json] = render(dict(labfile.state.fields), scope)
        return fields
    except TemplateFault as fault:
        raise _wrong(labfile, fault.summary, fault.help) from None
    except LabError as error:
        first = error.diagnostics[0]
        span = labfile.document.span_of(("state", "dsn"))
        raise type(error)(replace(first, span=first.span or span)) from None


def _wrong(labfile: Labfile, summary: str, help: str) -> LabfileError:
    span = labfile.document.span_of(("state", "dsn"))
    return LabfileError(
        Diagnostic(summary=f"in the state's `dsn`: {summary}", help=help, span=span)
    )
