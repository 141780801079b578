"""Hashes in a plan are short, whatever stands before them."""

from __future__ import annotations

import pytest

from lab.model.plan import Action, Change, Plan, Verb
from lab.report.plan_text import plan_text


@pytest.mark.parametrize("before", ["sha256:", "lock:", ""])
def test_a_hash_is_cut(before: str) -> None:
    change = Change("lock", before + "1" * 64, before + "2" * 64)
    action = Action(
        address="env",
        kind="environment",
        target="local",
        verb=Verb.UPDATE,
        cause="`lock` drifted",
        changes=(change,),
    )
    text = plan_text(Plan(actions=(action,)), colour=False)
    assert f"{before}{'1' * 12}…" in text and "1" * 13 not in text
