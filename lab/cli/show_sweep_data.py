"""A sweep for programs: as one JSON value, and its trials as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from lab.cli.show_facts import Facts, facts_json
from lab.cli.show_sweep import SweepFacts, TrialFacts
from lab.report.value_text import exact


def sweep_json(facts: Facts, sweep: SweepFacts) -> dict[str, Any]:
    """The object of `lab show SWEEP --json`: that of any step, and `sweep`."""
    objective, best = sweep.objective, sweep.best
    value = best.metrics[objective.metric] if best and objective else None
    found = {
        "objective": None
        if objective is None
        else {"metric": objective.metric, "type": objective.type, "goal": objective.goal},
        "metrics": sweep.shown_metrics,
        "max": sweep.most,
        "best_trial": best.number if best else None,
        "best_parameters": dict(best.parameters) if best else None,
        "best_metric": value,
        "counts": sweep.counts,
        "trials": [_trial_json(each, sweep) for each in sweep.trials],
    }
    return {**facts_json(facts), "sweep": found}


def _trial_json(trial: TrialFacts, sweep: SweepFacts) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "step": trial.address,
        "outcome": trial.outcome,
        "reason": trial.reason or None,
        "best": trial is sweep.best,
        "parameters": dict(trial.parameters),
        "metrics": dict(trial.metrics),
        "steps": _steps(trial, sweep),
        "run": trial.run,
        "started": trial.started,
        "seconds": None if trial.seconds is None else round(trial.seconds, 3),
        "log": trial.log or None,
        "curves": {name: list(values) for name, values in trial.curves.items()},
    }


def _steps(trial: TrialFacts, sweep: SweepFacts) -> int:
    return len(trial.curves.get(sweep.objective.metric, ())) if sweep.objective else 0


def sweep_csv(sweep: SweepFacts) -> str:
    """A line for each trial below one of titles; values with every digit, what is not known empty."""
    parameters = list(dict.fromkeys(name for each in sweep.trials for name in each.parameters))
    metrics = list(dict.fromkeys(name for each in sweep.trials for name in each.metrics))
    titles = [
        "trial",
        "outcome",
        "best",
        *(f"parameters.{name}" for name in parameters),
        *(f"metrics.{name}" for name in metrics),
        "steps",
        "seconds",
        "run",
        "reason",
    ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    for each in sweep.trials:
        row = [
            each.number,
            each.outcome,
            each is sweep.best,
            *(each.parameters.get(name) for name in parameters),
            *(each.metrics.get(name) for name in metrics),
            _steps(each, sweep),
            None if each.seconds is None else round(each.seconds, 3),
            each.run,
            each.reason,
        ]
        writer.writerow(["" if value is None else exact(value) for value in row])
    return text.getvalue()
