"""Profiles for the properties: `--hypothesis-profile=quick` finds faults without making them small."""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile("quick", phases=[Phase.generate], database=None)
