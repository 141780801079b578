"""Builds and installs lab."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "lab" / "__init__.py").read_text())[1]

SWEEP = [
    "optuna>=4,<5",
    "cmaes>=0.11,<1",
    "scipy>=1.10,<2",
    "scikit-learn>=1.3,<2",
    "plotly>=6,<8",
]

setup(
    name="lab-runner",
    version=VERSION,
    description="One YAML file declares a whole machine-learning lab; lab plans it, applies it and remembers it.",
    long_description=(HERE / "README.md").read_text() if (HERE / "README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    package_dir={"": "."},  # for editable installs: a path, and not an import hook, which is slow
    packages=find_packages(
        include=["lab", "lab.*", "providers", "providers.*", "recipes", "recipes.*"]
    ),
    package_data={
        "lab": ["py.typed", "inject/*.py", "inject/seeded/*.py", "templates/*", "templates/**/*"],
        "recipes": ["**/*"],
    },
    install_requires=[
        "PyYAML>=6.0.1,<7",
        "Jinja2>=3.1.3,<4",
        "networkx>=3.0,<4",
        "rich>=13.3,<16",
        "psutil>=5.9.6,<8",
        "uv>=0.5,<1",
        "typing_extensions>=4.6,<5",
        "urllib3>=2,<3",
        "regex>=2023.8.8",
        "tomli>=2,<3; python_version < '3.11'",
    ],
    extras_require={
        "fuzz": ["atheris>=2.3,<4"],
        "postgresql": ["psycopg[binary]>=3.1.8,<4"],
        "sweep": SWEEP,
        "test": [
            "pytest>=8,<10",
            "pytest-xdist>=3.5,<4",
            "hypothesis>=6.90,<7",
            "jsonschema>=4.18,<5",
            "mypy>=1.8,<3",
            "ruff>=0.5,<1",
            "types-PyYAML",
            "types-jsonschema",
            "types-psutil",
            "types-networkx",
            "psycopg[binary]>=3.1.8,<4",
            "apsw>=3.46,<4",
            *SWEEP,
        ],
    },
    entry_points={"console_scripts": ["lab = lab.cli.main:program"]},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3",
        "Operating System :: POSIX :: Linux",
        "Operating System :: MacOS",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
