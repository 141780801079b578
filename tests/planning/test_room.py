"""One long text that many steps repeat does not fill the memory."""

from __future__ import annotations

import pytest
from fakes.lab import Lab

from lab.model.diagnostic import PlanError


def test_expressions_of_all_steps_have_a_limit_together() -> None:
    steps = "".join(f"  s{i}: {{kind: job, value: '{{{{ vars.v }}}}'}}\n" for i in range(70))
    text = f"vars: {{v: {'x' * 1_000_000}}}\nsteps:\n{steps}"
    with pytest.raises(PlanError, match="more than 64 MiB in all"):
        Lab(text).plan()
    few = Lab(
        f"vars: {{v: {'x' * 1_000_000}}}\nsteps:\n  a: {{kind: job, value: '{{{{ vars.v }}}}'}}\n"
    )
    assert few.plan() == "+ a: never ran"


def test_what_is_written_out_has_none() -> None:
    steps = "".join(f"  s{i}: {{kind: job, value: '{'x' * 1_000_000}'}}\n" for i in range(10))
    assert Lab(f"steps:\n{steps}").draft().plan.summary() == {"create": 10}
