"""Which packages a script needs: from the project's own list, else guessed from its imports."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any

from lab.cli.init_script import Script
from lab.edge.contents import contents
from lab.model.frozen import dataclass

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DISTRIBUTIONS: Mapping[str, str] = {
    "PIL": "pillow",
    "absl": "absl-py",
    "accelerate": "accelerate",
    "albumentations": "albumentations",
    "bs4": "beautifulsoup4",
    "catboost": "catboost",
    "click": "click",
    "cv2": "opencv-python-headless",
    "datasets": "datasets",
    "diffusers": "diffusers",
    "einops": "einops",
    "evaluate": "evaluate",
    "fire": "fire",
    "flax": "flax",
    "gymnasium": "gymnasium",
    "h5py": "h5py",
    "hydra": "hydra-core",
    "imageio": "imageio",
    "jax": "jax",
    "joblib": "joblib",
    "keras": "keras",
    "lightgbm": "lightgbm",
    "lightning": "lightning",
    "matplotlib": "matplotlib",
    "mlflow": "mlflow",
    "networkx": "networkx",
    "nltk": "nltk",
    "numpy": "numpy",
    "omegaconf": "omegaconf",
    "optax": "optax",
    "optuna": "optuna",
    "pandas": "pandas",
    "peft": "peft",
    "plotly": "plotly",
    "polars": "polars",
    "psutil": "psutil",
    "pyarrow": "pyarrow",
    "pytorch_lightning": "pytorch-lightning",
    "requests": "requests",
    "rich": "rich",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "sentencepiece": "sentencepiece",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "spacy": "spacy",
    "statsmodels": "statsmodels",
    "tensorboard": "tensorboard",
    "tensorboardX": "tensorboardX",
    "tensorflow": "tensorflow",
    "tensorflow_datasets": "tensorflow-datasets",
    "tiktoken": "tiktoken",
    "timm": "timm",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "torchaudio": "torchaudio",
    "torchmetrics": "torchmetrics",
    "torchvision": "torchvision",
    "tqdm": "tqdm",
    "transformers": "transformers",
    "typer": "typer",
    "wandb": "wandb",
    "xgboost": "xgboost",
    "yaml": "PyYAML",
}
"""Import names whose distribution is certain. Others are not guessed: a wrong guess installs a stranger's code."""

_MOST_LISTED = 12
_FROZEN_PATH = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*@\s*file:")
_PLACE = re.compile(r"(-e\s|--editable[\s=]|\.{0,2}/|\.\s*$|~|file:)")
_REPOSITORY = re.compile(r"(?:.*@\s*)?(git|hg|svn|bzr)\+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What the environment step is made from; without ``requirements`` there is no such step.

    ``origin`` says in words where it comes from, ``notes`` what somebody should look at.
    """

    requirements: str | tuple[str, ...] = ()
    origin: str = ""
    python: str = ""
    notes: tuple[str, ...] = ()


def packages_of(folder: str, script: Script) -> Packages:
    """The packages for *script*; nothing is resolved, and nothing is asked of any index."""
    beside = script.path.rpartition("/")[0]
    for path in dict.fromkeys(("requirements.txt", f"{beside}/requirements.txt".lstrip("/"))):
        lines = _lines(os.path.join(folder, path))
        if lines:
            return _of_file(path, lines, _python(folder))
    if _has_dependencies(os.path.join(folder, "pyproject.toml")):
        return Packages(
            requirements="pyproject.toml", origin="pyproject.toml", python=_python(folder)
        )
    return _guessed(folder, script)


def _of_file(path: str, lines: list[str], python: str) -> Packages:
    """A requirements file as it is, or a list of those of its lines that a lock can hold."""
    kept, notes = [], []
    for line in lines:
        frozen = _FROZEN_PATH.match(line)
        if frozen:
            kept.append(frozen[1])
        elif _PLACE.match(line) or _REPOSITORY.match(line):
            notes.append(f"{path} says `{line}`, which a lock with hashes cannot hold")
        else:
            kept.append(line)
    if kept == lines:
        return Packages(requirements=path, origin=path, python=python)
    if len(kept) > _MOST_LISTED or not kept:
        notes.append(f"{path} must name released versions only before `lab apply` can install it")
        return Packages(requirements=path, origin=path, python=python, notes=tuple(notes))
    return Packages(
        requirements=tuple(kept),
        origin=f"{path}, without what a lock cannot hold",
        python=python,
        notes=tuple(notes),
    )


def _guessed(folder: str, script: Script) -> Packages:
    known = sorted({DISTRIBUTIONS[name] for name in script.packages if name in DISTRIBUTIONS})
    unknown = [name for name in script.packages if name not in DISTRIBUTIONS]
    shown = ", ".join(f"`{name}`" for name in unknown)
    if not known:
        note = f"it imports {shown}: list the packages that have that in a requirements.txt"
        return Packages(notes=(note,) if unknown else ())
    note = f"it imports {shown}: add the packages that have that to `requirements`"
    return Packages(
        requirements=tuple(known),
        origin="the script's imports",
        python=_python(folder),
        notes=(note,) if unknown else (),
    )


def _lines(path: str) -> list[str]:
    """The lines of a requirements file that ask for something; a file in another encoding counts as one."""
    try:
        text = contents(path, 1024 * 1024).decode("utf-8-sig")
    except UnicodeDecodeError:
        return ["?"]
    except OSError:
        return []
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def _has_dependencies(path: str) -> bool:
    try:
        data: Mapping[str, Any] = tomllib.loads(contents(path, 1024 * 1024).decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return False
    project = data.get("project")
    if not isinstance(project, dict):
        return False
    return bool(project.get("dependencies")) and "dependencies" not in project.get("dynamic", ())


def _python(folder: str) -> str:
    """The version that `.python-version` asks for, `3.11` of `3.11.4`."""
    try:
        version = contents(os.path.join(folder, ".python-version"), 100).decode()
        found = re.match(r"\s*(3\.\d+)", version)
    except (OSError, UnicodeDecodeError):
        return ""
    return found[1] if found else ""
