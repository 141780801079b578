"""Every built-in provider by name, one a line: here the type checker proves that each keeps the protocol."""

from __future__ import annotations

from collections.abc import Mapping

from lab.provider import Provider

from .local import command, dataset, environment, sweep, training

local_command: Provider = command
local_dataset: Provider = dataset
local_environment: Provider = environment
local_sweep: Provider = sweep
local_training: Provider = training

PROVIDERS: Mapping[tuple[str, str], Provider] = {
    ("command", "local"): local_command,
    ("dataset", "local"): local_dataset,
    ("environment", "local"): local_environment,
    ("sweep", "local"): local_sweep,
    ("training", "local"): local_training,
}
"""The built-in providers by kind and place."""
