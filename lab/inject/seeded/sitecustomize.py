"""Seeds Python, and NumPy and TensorFlow as soon as they are imported, with LAB_SEED; the program need not know."""

# Python imports a module of this name before any program. lab puts its folder first into PYTHONPATH
# where a training has a `seed`; the one that would have been imported otherwise still is.

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

_HERE = os.path.dirname(os.path.abspath(__file__))
_NUMPY_SEEDS = 2**32  # they are below it


def _numpy(module: ModuleType, seed: int) -> None:
    module.seed(seed % _NUMPY_SEEDS)


def _tensorflow(module: ModuleType, seed: int) -> None:
    module.random.set_seed(seed)  # it makes no device yet: threads and GPUs can still be configured


# Keras draws its seeds from Python's generator.
_SEEDERS: Mapping[str, Callable[[ModuleType, int], None]] = {
    "numpy.random": _numpy,
    "tensorflow": _tensorflow,
}


class _Finder:
    """Finds what the other finders find, and has it seeded once it has been executed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        seeder = _SEEDERS.get(name)
        if seeder is None:
            return None
        spec = self._found(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        loader, execute = spec.loader, spec.loader.exec_module

        def executed(module: ModuleType) -> None:
            del loader.exec_module
            execute(module)
            seeder(module, self._seed)

        loader.exec_module = executed  # type: ignore[method-assign]
        return spec

    def _found(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> importlib.machinery.ModuleSpec | None:
        others = (each for each in list(sys.meta_path) if each is not self)
        found = (each.find_spec(name, path, target) for each in others)
        return next((spec for spec in found if spec is not None), None)


def _begin() -> None:
    given = os.environ.get("LAB_SEED", "")
    if given.isdecimal():
        random.seed(int(given))
        sys.meta_path.insert(0, _Finder(int(given)))


def _hand_over() -> None:
    """Executes the module that this one stands before, if there is any."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_begin()
_hand_over()
