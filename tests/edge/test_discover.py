"""Built-in providers and plug-ins: who is found, what is read, and what a bad plug-in is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.edge.discover import Registry, discover
from lab.kinds.command import Command
from lab.model.diagnostic import LabError, Severity
from providers.local import command

EXAMPLE = Path(__file__).parent.parent / "plugin_example"


@dataclass
class Entry:
    """An entry point whose object is at hand."""

    name: str
    brings: object
    package: str = "lab-extra"
    loads: int = 0

    @property
    def value(self) -> str:
        return "lab_extra:provider"

    @property
    def dist(self):
        return SimpleNamespace(name=self.package)

    def load(self):
        self.loads += 1
        if isinstance(self.brings, Exception):
            raise self.brings
        return self.brings


def provider(spec=object):
    nothing = SimpleNamespace(Spec=spec)
    nothing.observe = nothing.apply = nothing.destroy = lambda *_: None
    return nothing


def never():
    raise AssertionError("what is installed was read without need")


def test_built_in_kinds_need_no_reading():
    registry = Registry(never, all_kinds=False)
    assert registry.find("command", "local") is command
    assert "training" in registry.catalog().specs


@pytest.mark.parametrize(
    ("kinds", "places", "listed"),
    [
        (["command"], ["local"], False),
        ([], [], False),
        (["slurm"], [], True),
        (["command"], ["moon"], True),
        (None, [], True),
    ],
)
def test_when_plug_ins_are_listed(monkeypatch, kinds, places, listed):
    read = []
    monkeypatch.setattr("lab.edge.discover.installed", lambda: read.append(1) or ())
    registry = discover(kinds, places)
    registry._entries = lambda: read.append(1) or ()
    registry.catalog()
    assert bool(read) is listed


def test_a_plug_in_s_kind_is_in_the_catalog_and_loaded_when_used():
    entry = Entry("slurm_job", provider(int))
    registry = Registry(lambda: [entry])
    catalog = registry.catalog()
    assert "slurm_job" in catalog.specs and catalog.places["slurm_job"] == ("local",)
    assert list(catalog.specs)[-1] == "slurm_job" and entry.loads == 0
    assert catalog.specs["slurm_job"] is int
    assert registry.find("slurm_job", "local") is entry.brings
    assert entry.loads == 1
    assert catalog.specs.get("nothing") is None


def test_a_plug_in_brings_a_kind_to_another_place():
    registry = Registry(lambda: [Entry("slurm.command", provider(Command))])
    assert registry.catalog().places["command"] == ("local", "slurm")
    assert registry.find("command", "slurm") is not None
    assert registry.find("command", "local") is command


def test_a_record_of_a_plug_in_is_found_though_the_labfile_names_none():
    registry = Registry(lambda: [Entry("slurm_job", provider())], all_kinds=False)
    assert registry.find("slurm_job", "local") is not None
    assert registry.find("gone", "local") is None


def test_one_kind_has_the_same_keys_everywhere():
    registry = Registry(lambda: [Entry("slurm.command", provider(int))])
    with pytest.raises(LabError) as error:
        registry.find("command", "slurm")
    assert "its Spec is not lab.kinds.command.Command" in error.value.diagnostics[0].detail


def test_a_broken_plug_in_names_its_package_and_harms_nobody_else():
    broken = Entry("slurm_job", ModuleNotFoundError("No module named 'pyslurm'"))
    registry = Registry(lambda: [broken, Entry("other", provider(int))])
    assert registry.catalog().specs["other"] is int
    with pytest.raises(LabError) as error:
        registry.catalog().specs["slurm_job"]
    told = error.value.diagnostics[0]
    assert told.summary == "the plug-in `slurm_job` of the package lab-extra cannot be used"
    assert "No module named 'pyslurm'" in told.detail


def test_what_is_no_provider_is_said():
    registry = Registry(lambda: [Entry("x", SimpleNamespace(Spec=int, apply=len))])
    with pytest.raises(LabError) as error:
        registry.find("x", "local")
    assert "has no observe, destroy" in error.value.diagnostics[0].detail


def test_two_packages_with_one_kind_are_both_named():
    entries = [Entry("x", provider(), "one"), Entry("x", provider(), "two")]
    with pytest.raises(LabError) as error:
        Registry(lambda: entries).find("x", "local")
    told = error.value.diagnostics[0]
    assert "package one" in told.summary and "two brings `x` too" in told.detail


def test_no_plug_in_takes_a_built_in_s_place_and_that_is_told():
    entry = Entry("command", provider(Command))
    registry = Registry(lambda: [entry])
    assert registry.find("command", "local") is command
    assert registry.catalog().places["command"] == ("local",)
    (told,) = registry.problems()
    assert told.severity is Severity.WARNING and "lab-extra is not used" in told.summary
    assert entry.loads == 0


def test_all_problems_are_told_at_once():
    entries = [Entry("a", ValueError("x")), Entry("b", provider()), Entry("command", provider())]
    assert len(Registry(lambda: entries).problems()) == 2


@pytest.mark.live
def test_an_installed_package_is_found(tmp_path):
    uv = Path(sysconfig.get_path("scripts"), "uv")
    copy = shutil.copytree(EXAMPLE, tmp_path / "source")  # building leaves things behind
    subprocess.run(
        [
            uv,
            *["pip", "install", "-q", "--no-deps", "--python"],
            sys.executable,
            "--target",
            tmp_path,
            copy,
        ],
        env={**os.environ, "UV_SYSTEM_CERTS": "1"},  # a company's own certificates count too
        check=True,
        capture_output=True,
    )
    code = (
        "from lab.edge.discover import discover\n"
        "registry = discover(['greeting'])\n"
        "print(registry.catalog().specs['greeting'].__doc__)\n"
        "print(registry.find('greeting', 'local').__file__)\n"
    )
    path = f"{tmp_path}:{EXAMPLE.parent.parent}"
    shown = subprocess.check_output(
        [sys.executable, "-c", code], text=True, env={"PYTHONPATH": path}, cwd=tmp_path
    )
    assert shown.splitlines() == [
        "Writes a greeting into the step's folder.",
        f"{tmp_path}/lab_greeting.py",
    ]
