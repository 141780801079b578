"""The pictures of a sweep as plotly's figures, in plain data: history, curves, parallel coordinates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any

from lab.model.diagnostic import printable
from lab.report.sweep_axis import Axis, axis_of
from lab.report.value_text import brief

BEST, INK, FAINT, BAD = "#0b7a53", "#3e6ae1", "#b9c4d0", "#b42318"
MOST_DRAWN = 2_000  # points of a curve; more only make the page slow
_ROOM = {"l": 55, "r": 15, "t": 15, "b": 45}


def history(sweep: Mapping[str, Any]) -> dict[str, Any] | None:
    """The objective of each trial, the best so far, and the goal."""
    objective, valued = sweep["objective"], _valued(sweep)
    if not valued:
        return None
    name = objective["metric"]
    pick = max if objective["type"] == "maximize" else min
    numbers = [each["trial"] for each in valued]
    values = [each["metrics"][name] for each in valued]
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": numbers,
        "y": values,
        "text": [_about(each) for each in valued],
        "hovertemplate": "#%{x}: %{y:.5g}<br>%{text}<extra></extra>",
        "marker": {
            "size": 9,
            "color": [BEST if each["best"] else INK for each in valued],
            "symbol": [_symbol(each) for each in valued],
        },
    }
    so_far = {
        "type": "scatter",
        "mode": "lines",
        "x": numbers,
        "y": list(accumulate(values, pick)),
        "line": {"shape": "hv", "color": BEST, "width": 2},
        "hoverinfo": "skip",
    }
    goal = objective["goal"]
    layout = {**_layout(name, "trial"), "shapes": [] if goal is None else [_across(goal)]}
    return {"data": [so_far, points], "layout": layout}


def _across(value: float) -> dict[str, Any]:
    """A dotted line at *value*."""
    line = {"dash": "dot", "color": FAINT}
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": value,
        "y1": value,
        "line": line,
    }


def curves(sweep: Mapping[str, Any]) -> dict[str, Any] | None:
    """The objective's curve of each trial, the best one in front."""
    if sweep["objective"] is None:
        return None
    name = sweep["objective"]["metric"]
    drawn = [each for each in sweep["trials"] if each["curves"].get(name)]
    data = [_curve(each, each["curves"][name]) for each in sorted(drawn, key=lambda e: e["best"])]
    return {"data": data, "layout": _layout(name, "step")} if data else None


def parallel(sweep: Mapping[str, Any]) -> dict[str, Any] | None:
    """A line for each trial that has a value, through its parameters to the objective; the best in front.

    Drawn from plain lines: plotly's own kind needs WebGL, which not every machine has, and code made
    from texts, which the page forbids.
    """
    valued = _valued(sweep)
    if not valued:
        return None
    objective = sweep["objective"]
    names = list(dict.fromkeys(n for each in valued for n in each["parameters"]))
    axes = [axis_of(each, [one["parameters"].get(each) for one in valued]) for each in names]
    values = [each["metrics"][objective["metric"]] for each in valued]
    axes.append(axis_of(objective["metric"], values))
    good = axes[-1].places if objective["type"] == "maximize" else [1 - p for p in axes[-1].places]
    order = sorted(range(len(valued)), key=lambda i: (valued[i]["best"], good[i]))
    data = [_line(valued[i], [axis.places[i] for axis in axes], good[i]) for i in order]
    return {"data": data, "layout": _parallel_layout(axes)}


def _line(trial: Mapping[str, Any], places: Sequence[float], good: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"#{trial['trial']}",
        "x": list(range(len(places))),
        "y": list(places),
        "line": {
            "color": BEST if trial["best"] else _blend(good),
            "width": 3 if trial["best"] else 1.5,
        },
        "text": [_about(trial)] * len(places),
        "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
    }


def _blend(good: float) -> str:
    """From faint for the worst to ink for the best."""
    worst, best = (0xD3, 0xDA, 0xE2), (0x3E, 0x6A, 0xE1)
    shade = (round(a + (b - a) * good) for a, b in zip(worst, best, strict=True))
    return "rgb({},{},{})".format(*shade)


def _parallel_layout(axes: Sequence[Axis]) -> dict[str, Any]:
    bar = {"type": "line", "y0": 0, "y1": 1, "line": {"color": "#8794a3", "width": 1}}
    none = {"showgrid": False, "zeroline": False, "showticklabels": False, "fixedrange": True}
    titles = [
        {"x": i, "y": 1.06, "text": f"<b>{axis.label}</b>", "showarrow": False, "yanchor": "bottom"}
        for i, axis in enumerate(axes)
    ]
    ticks = [
        {"x": i, "y": place, "text": text, "showarrow": False, "xanchor": "left", "xshift": 4,
         "bgcolor": "rgba(255,255,255,.8)", "font": {"size": 11, "color": "#4d5a68"}}
        for i, axis in enumerate(axes)
        for place, text in axis.ticks
    ]  # fmt: skip
    return {
        **_layout("", ""),
        "height": 330,
        "margin": {"l": 45, "r": 75, "t": 5, "b": 10},
        "xaxis": {**none, "range": [-0.15, len(axes) - 0.6]},
        "yaxis": {**none, "range": [-0.05, 1.12]},
        "shapes": [{**bar, "x0": i, "x1": i} for i in range(len(axes))],
        "annotations": [*titles, *ticks],
    }


def _valued(sweep: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The trials that have ended with a value."""
    if sweep["objective"] is None:
        return []
    name = sweep["objective"]["metric"]
    ended = ("done", "early stopped", "stopped at the goal")
    return [e for e in sweep["trials"] if name in e["metrics"] and e["outcome"] in ended]


def _symbol(trial: Mapping[str, Any]) -> str:
    return "star" if trial["best"] else "circle" if trial["outcome"] == "done" else "circle-open"


def _curve(trial: Mapping[str, Any], values: Sequence[float]) -> dict[str, Any]:
    every = math.ceil(len(values) / MOST_DRAWN)
    points = [(i + 1, v if math.isfinite(v) else None) for i, v in enumerate(values)][::every]
    colour = BEST if trial["best"] else BAD if trial["outcome"] == "failed" else FAINT
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(points) == 1 else "lines",
        "name": f"#{trial['trial']}",
        "x": [x for x, _ in points],
        "y": [y for _, y in points],
        "line": {"color": colour, "width": 3 if trial["best"] else 1.5},
        "text": [_about(trial)] * len(points),
        "hovertemplate": "step %{x}: %{y:.5g}<br>%{text}<extra>%{fullData.name}</extra>",
    }


def _about(trial: Mapping[str, Any]) -> str:
    given = trial["parameters"].items()
    return "<br>".join(
        f"{escape(printable(n), quote=False)} = {escape(printable(brief(v)), quote=False)}"
        for n, v in given
    )


def _layout(metric: str, below: str) -> dict[str, Any]:
    line = {"gridcolor": "#eef1f5", "zeroline": False}
    return {
        "height": 340,
        "margin": _ROOM,
        "plot_bgcolor": "#fff",
        "paper_bgcolor": "#fff",
        "xaxis": {**line, "title": {"text": below}},
        "yaxis": {**line, "title": {"text": escape(metric)}, "automargin": True},
        "showlegend": False,
        "font": {"family": "system-ui, sans-serif", "color": "#1f2933"},
        "hovermode": "closest",
    }
