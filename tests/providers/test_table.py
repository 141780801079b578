"""The table of built-in providers is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import providers
from providers.table import PROVIDERS

ROOT = Path(providers.__file__).parent


def test_every_kind_and_place_is_in_the_table():
    promised = {(kind, place) for kind, places in providers.PLACES.items() for place in places}
    assert promised == set(PROVIDERS)
    files = {
        (path.stem, path.parent.name)
        for path in ROOT.glob("*/*.py")
        if not path.name.startswith("_")
    }
    assert files == promised


@pytest.mark.parametrize("key", PROVIDERS)
def test_it_is_found_and_its_keys_are_the_kind_s(key):
    assert providers.find(*key) is PROVIDERS[key]
    assert PROVIDERS[key].Spec is providers.SPECS[key[0]]
    assert providers.SPECS[key[0]].kind == key[0]


@pytest.mark.parametrize(
    "key", [("command", "moon"), ("trainning", "local"), ("_program", "local")]
)
def test_what_is_not_promised_is_not_found(key):
    assert providers.find(*key) is None


def test_only_what_is_asked_for_is_imported():
    code = (
        "import sys, providers; providers.find('command', 'local');"
        "print([m for m in sys.modules if m.startswith(('providers.local.', 'urllib3'))"
        " or m in ('ssl', 'importlib.metadata', 'urllib.request')])"
    )
    found = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT.parent)
    names = {
        "providers.local._outputs",
        "providers.local._plain",
        "providers.local._program",
        "providers.local.command",
    }
    assert set(eval(found)) == names
