"""What `lab doctor` looks at for the steps of a Labfile: files, programs, targets and secrets."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence

from lab.cli.doctor_machine import version_of
from lab.cli.session import Session
from lab.edge.machine import Machine
from lab.model.diagnostic import LabError
from lab.model.graph import Graph
from lab.model.labfile import FromCommand, SecretSource, Step
from lab.planning.inputs import roles_of
from lab.report.checks import Check, Status

PROGRAMS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("terraform", "local"): ("terraform", "https://developer.hashicorp.com/terraform/install"),
    ("cluster", "kind"): ("kind", "https://kind.sigs.k8s.io/docs/user/quick-start"),
    ("cluster", "minikube"): ("minikube", "https://minikube.sigs.k8s.io/docs/start"),
    ("cluster", "k3d"): ("k3d", "https://k3d.io"),
    ("cluster", "eks"): ("eksctl", "https://eksctl.io/installation"),
    ("cluster", "gke"): ("gcloud", "https://cloud.google.com/sdk/docs/install"),
    ("cluster", "aks"): ("az", "https://learn.microsoft.com/cli/azure/install-azure-cli"),
    ("cluster", "minikf"): ("vagrant", "https://developer.hashicorp.com/vagrant/install"),
}
"""By kind and target provider: the program that makes it, and where it comes from."""

_DOCKER = "/var/run/docker.sock"


def of_steps(session: Session, about: str) -> Iterator[Check]:
    """All that the steps need, apart from what another step makes."""
    graph, machine = session.graph, session.machine
    yield from _skipped(graph, about)
    yield from _files(session, about)
    yield from _pythons(graph, machine, about)
    yield from _programs(graph, machine, about)
    yield from _docker(graph, about)
    for name, source in session.labfile.secrets.items():
        yield _secret(name, source, session, about)


def _skipped(graph: Graph, about: str) -> Iterator[Check]:
    reasons: dict[str, list[str]] = {}
    for address, step in graph.steps.items():
        if step.unavailable:
            reasons.setdefault(step.unavailable, []).append(address)
    for reason, addresses in reasons.items():
        yield Check(
            about=about,
            name="target",
            text=f"{reason}; skipped: {_several(addresses)}",
            status=Status.WARN,
        )


def _files(session: Session, about: str) -> Iterator[Check]:
    """Files of the lab that steps name: scripts, requirements, declared inputs."""
    found: dict[str, list[str]] = {}
    for address, step in session.graph.steps.items():
        for path in _named(step, session):
            found.setdefault(path, []).append(address)
    root = session.labfile.root
    missing = [path for path in found if not os.path.exists(os.path.join(root, path))]
    if missing:
        shown = _several([f"{path} of `{found[path][0]}`" for path in missing])
        fix = "correct the path, or put the file there; paths begin in the Labfile's folder"
        yield Check(
            about=about, name="files", text=f"not there: {shown}", status=Status.FAIL, fix=fix
        )
    elif found:
        text = f"all {len(found)} that steps name are there"
        if len(found) == 1:
            text = f"{next(iter(found))} is there"
        yield Check(about=about, name="files", text=text)


def _named(step: Step, session: Session) -> Iterator[str]:
    """Literal paths whose files must be there before anything runs."""
    if step.unavailable:
        return
    spec = session.read.catalog.specs[step.kind]
    keys = roles_of(spec).file  # type: ignore[arg-type]  # a class is hashable
    values = [step.spec.get(key) for key in keys]
    made = session.graph.inside.get(step.address, {})
    for path in (*(value for value in values if isinstance(value, str)), *step.inputs):
        if not any(sign in path for sign in ("{{", "*", "?", "[")) and path not in made:
            yield path


def _pythons(graph: Graph, machine: Machine, about: str) -> Iterator[Check]:
    """The interpreters that environments ask for."""
    wanted = {
        str(step.spec["python"]): address
        for address, step in graph.steps.items()
        if step.kind == "environment" and step.spec.get("python") and not step.unavailable
    }
    uv = machine.tool("uv")
    for version, address in wanted.items():
        if "{{" in version or uv is None:
            continue
        name, place = f"Python {version}", os.path.join(graph.labfile.root, version)
        asked = place if "/" in version else version
        found = version_of([uv, "python", "find", "--no-python-downloads", asked], machine.ambient)
        if found is None and "/" in version:
            text = f"`{address}` names it, and it is not there"
            fix = "name a version, such as 3.11, or install it there"
            yield Check(about=about, name=name, text=text, status=Status.FAIL, fix=fix)
        elif found is None:
            text = f"not installed; uv downloads it when `{address}` is made"
            fix = f"{uv} python install {version}"
            yield Check(about=about, name=name, text=text, status=Status.WARN, fix=fix)
        else:
            yield Check(about=about, name=name, text=found)


def _programs(graph: Graph, machine: Machine, about: str) -> Iterator[Check]:
    """Programs that commands begin with, and those that make clusters and the like."""
    path = machine.ambient.get("PATH")
    needed: dict[str, tuple[list[str], str]] = {}
    for address, step in graph.steps.items():
        for program, origin in _programs_of(step):
            needed.setdefault(program, ([], origin))[0].append(address)
    for program, (addresses, origin) in needed.items():
        found = shutil.which(program, path=path)
        if found is not None:
            yield Check(about=about, name=program, text=found)
            continue
        fix = f"install it: {origin}" if origin else _instead_of(program, path)
        text = f"not on PATH; needed by {_several(addresses)}"
        yield Check(about=about, name=program, text=text, status=Status.FAIL, fix=fix)


def _programs_of(step: Step) -> Iterator[tuple[str, str]]:
    if step.unavailable:
        return
    known = PROGRAMS.get((step.kind, step.target.provider))
    if known is not None:
        yield known
    command = step.spec.get("command")
    first = command[0] if isinstance(command, list) and command else None
    own = step.spec.get("environment") or "PATH" in step.env or step.target.provider != "local"
    if isinstance(first, str) and not own and "/" not in first and "{{" not in first:
        yield first, ""


def _instead_of(program: str, path: str | None) -> str:
    if program == "python" and shutil.which("python3", path=path):
        return "write python3, or give the step an `environment`"
    return "install it, or give the step an `environment` that has it"


def _docker(graph: Graph, about: str) -> Iterator[Check]:
    """Whether a Docker daemon answers where steps run in containers on this machine."""
    steps = [
        address
        for address, step in graph.steps.items()
        if step.target.provider == "docker" and not step.unavailable
        and "host" not in step.target.fields
    ]  # fmt: skip
    if not steps:
        return
    given = os.environ.get("DOCKER_HOST", f"unix://{_DOCKER}")
    if not given.startswith("unix://"):
        yield Check(about=about, name="docker", text=f"DOCKER_HOST is {given}; it was not asked")
        return
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(2)
            door.connect(given.removeprefix("unix://"))
    except OSError as error:
        text = f"no daemon answers at {given} ({error.strerror}); needed by {_several(steps)}"
        fix = "start Docker; `docker info` says how it is"
        yield Check(about=about, name="docker", text=text, status=Status.FAIL, fix=fix)
        return
    yield Check(about=about, name="docker", text=f"a daemon answers at {given}")


def _secret(name: str, source: SecretSource, session: Session, about: str) -> Check:
    """Whether a secret can be read; its value is not shown, and no command is run."""
    shown = f"secret {name}"
    if isinstance(source, FromCommand):
        program = source.argv[0] if source.argv else ""
        path = os.path.join(session.labfile.root, program) if "/" in program else program
        if shutil.which(path, path=os.environ.get("PATH")):
            return Check(about=about, name=shown, text=f"comes from `{program}`, which is there")
        text = f"comes from `{program}`, which is not on PATH"
        return Check(about=about, name=shown, text=text, status=Status.FAIL, fix="install it")
    try:
        session.secrets.value(name)
    except LabError as error:
        fault = error.diagnostics[0]
        return Check(
            about=about, name=shown, text=fault.summary, status=Status.FAIL, fix=fault.help
        )
    return Check(about=about, name=shown, text="can be read")


def _several(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
