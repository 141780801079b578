"""A sweep's page: what trials say is text there, and nothing is loaded from anywhere."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from lab.report.sweep_axis import axis_of
from lab.report.sweep_page import sweep_page
from lab.report.sweep_pictures import curves, history, parallel

EVIL = "</script><img src=x onerror=alert(1)>&lt;"


def trial(
    number: int, value: float | None, *, outcome: str = "done", **more: Any
) -> dict[str, Any]:
    return {
        "trial": number,
        "outcome": outcome,
        "reason": None,
        "best": False,
        "parameters": {"lr": number / 10, "opt": "a"},
        "metrics": {} if value is None else {"acc": value},
        "steps": 2,
        "seconds": 1.0,
        "curves": {} if value is None else {"acc": [0.1, value]},
        **more,
    }


def sweep(*trials: dict[str, Any], metric: str = "acc", type: str = "maximize") -> dict[str, Any]:
    return {
        "objective": {"metric": metric, "type": type, "goal": None},
        "metrics": [metric],
        "best_trial": None,
        "best_parameters": None,
        "best_metric": None,
        "counts": {"done": len(trials)},
        "trials": list(trials),
    }


def page(found: dict[str, Any]) -> str:
    """The page without plotly's own code."""
    text = sweep_page("t", {"step": "sweep", "run": 1, "status": "done", "sweep": found})
    scripts = re.split(r"(?s)<script>.*?</script>", text, maxsplit=1)
    assert len(scripts) == 2
    return "".join(scripts)


def test_what_trials_say_is_text() -> None:
    evil = trial(1, 0.5, parameters={EVIL: EVIL}, reason=EVIL, best=True)
    found = {
        **sweep(evil),
        "best_trial": 1,
        "best_metric": 0.5,
        "best_parameters": {EVIL: EVIL},
        "counts": {EVIL: 1},
    }
    text = page(found)
    assert "<img" not in text
    assert text.count("<script") == text.count("</script>")
    # plotly shows tags that it knows: in its texts they are escaped once more
    shown = json.dumps([history(found), curves(found), parallel(found)])
    assert "<img" not in shown and "&lt;img" in shown


def test_names_of_metrics_are_text_too() -> None:
    found = sweep(trial(1, None, metrics={EVIL: 1.0}, curves={EVIL: [1.0]}), metric=EVIL)
    assert "<img" not in page(found)


def test_nothing_is_loaded_and_the_page_forbids_it() -> None:
    text = page(sweep(trial(1, 0.5), trial(2, 0.7)))
    assert re.findall(r"(?i)<(?:script|link|img|iframe)[^>]*(?:src|href)", text) == []
    assert "default-src 'none'" in text


def test_a_sweep_without_any_value_has_no_pictures() -> None:
    assert page(sweep()).count("nothing to draw") == 3
    assert page(sweep(trial(1, None, outcome="failed"))).count("nothing to draw") == 3
    assert page({**sweep(), "objective": None}).count("nothing to draw") == 3


def test_history_follows_the_best_so_far() -> None:
    values = [trial(n, v) for n, v in enumerate((0.5, 0.3, 0.7), 1)]
    running = trial(4, 0.9, outcome="running")
    for kind, expected in (("maximize", [0.5, 0.5, 0.7]), ("minimize", [0.5, 0.3, 0.3])):
        drawn = history(sweep(*values, running, type=kind))
        assert drawn is not None
        assert drawn["data"][0]["y"] == expected


def test_no_number_is_no_point() -> None:
    drawn = curves(sweep(trial(1, 0.5, curves={"acc": [0.1, math.nan, math.inf, 0.5]})))
    assert drawn is not None
    assert drawn["data"][0]["y"] == [0.1, None, None, 0.5]


@pytest.mark.parametrize(
    ("values", "places", "ticks"),
    [
        ([2, 3, 5], [0, 1 / 3, 1], ["2", "3", "4", "5"]),
        ([0.5], [0.5], ["0.5"]),
        ([0.001, 0.1], [0, 1], ["0.001", "0.01", "0.1"]),
        ([-1e308, 1e308], [0, 1], ["-1e+308", "-5e+307", "0", "5e+307", "1e+308"]),
        (["b", "a", "b"], [0, 1, 0], ["b", "a"]),
        ([True, None], [0, 1], ["true", "null"]),
        ([1, "1"], [0.5, 0.5], ["1"]),
        (["<b>"], [0.5], ["&lt;b&gt;"]),
    ],
)
def test_an_axis(values: list[Any], places: list[float], ticks: list[str]) -> None:
    axis = axis_of("x", values)
    assert axis.places == pytest.approx(places)
    assert [text for _, text in axis.ticks] == ticks
