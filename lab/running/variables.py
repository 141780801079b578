"""A step's own variables: as its record keeps them, without secrets, and as undoing it gets them back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lab.model.labfile import Step
from lab.model.values import Json
from lab.planning.digest import variable
from lab.ports import Secrets
from lab.reading.template import references, render


def kept(step: Step, env: Mapping[str, str], scope: Mapping[str, Any]) -> dict[str, Json]:
    """*env* (the step's variables as its programs get them) with ``{"template": TEXT}`` where a secret is used.

    *scope* is what the step's templates see, secrets apart.
    """
    blind = {**scope, "secrets": _Names()}
    found: dict[str, Json] = {}
    for name, value in env.items():
        raw = step.env[name]
        found[name] = _unresolved(raw, blind) if _is_secret(raw) else value
    return found


def _is_secret(raw: Json) -> bool:
    return isinstance(raw, str) and any(each.parts[0] == "secrets" for each in references(raw))


def _unresolved(raw: Json, blind: Mapping[str, Any]) -> Json:
    alone = all(each.parts[0] == "secrets" for each in references(str(raw)))
    return {"template": raw if alone else str(render(raw, blind))}


class _Names(Mapping[str, str]):
    """Secrets by name, each as the template that gives it."""

    def __getitem__(self, name: str) -> str:
        return "{{ secrets['" + name + "'] }}"

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Resolved(Mapping[str, str]):
    """Secrets by name, each read when a template asks for it and not before."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def __getitem__(self, name: str) -> str:
        return self._secrets.value(name)

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Restored(Mapping[str, str]):
    """What :func:`kept` kept; a secret is read when a program is about to get it, and not before.

    Looking a variable up raises LabError where its secret cannot be read.
    """

    def __init__(self, env: Mapping[str, Json], secrets: Secrets) -> None:
        self._env, self._scope = env, {"secrets": Resolved(secrets)}

    def __getitem__(self, name: str) -> str:
        match self._env[name]:
            case {"template": str(template)}:
                return str(variable(render(template, self._scope)))
            case value:
                return str(variable(value))

    def __iter__(self) -> Iterator[str]:
        return iter(self._env)

    def __len__(self) -> int:
        return len(self._env)
