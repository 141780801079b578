"""Links what a sweep makes many of: its references are the sweep's, and every swept parameter is used."""

from __future__ import annotations

from lab.model.labfile import Step
from lab.reading.link_edges import (
    Edges,
    Ground,
    add_needs,
    add_references,
    parameters_of,
    uses_in,
)
from lab.reading.link_uses import Uses
from lab.reading.link_wiring import Wiring


def connect_trial(sweep: Step, trial: Step, wiring: Wiring, edges: Edges, ground: Ground) -> None:
    """Adds the edges of a trial to its sweep's; what its names do wrong is told."""
    uses = uses_in(trial, wiring, ground)
    if trial.needs:
        add_needs(trial, edges, ground)
    add_references(trial, uses, parameters_of(trial, wiring), edges, ground)
    handed_over = not any(key in trial.spec for key in wiring.argv)
    if handed_over:
        return  # a `script` or `module` gets all parameters by itself
    used = _used(uses)
    swept = sweep.spec.get("parameters")
    for name in swept if isinstance(swept, dict) else ():
        if name not in used and "" not in used:
            told = f"hand it to the program as {{{{ parameters.{name} }}}}, or do not vary it"
            summary = f"nothing in the trial uses the parameter '{name}'"
            ground.refuse(sweep, "parameters", (name,), (summary, told))


def _used(uses: Uses) -> set[str]:
    """The parameters that are used; an empty name stands for all of them."""
    return {
        next(iter(each.reference.parts[1:2]), "")
        for each in uses.names
        if each.reference.parts[0] == "parameters"
    }
