"""A sweep as one HTML page that loads nothing: pictures by plotly, and a table of all trials.

Names and values of trials come from programs that lab did not write: they are escaped wherever they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, TypeAlias

from lab.model.diagnostic import printable
from lab.report.sweep_pictures import curves, history, parallel
from lab.report.value_text import brief
from lab.report.words import duration, number

Figure: TypeAlias = "Mapping[str, Any]"

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
_STYLE = """
:root { --ink: #1f2933; --faint: #6b7785; --line: #e3e8ee; --best: #0b7a53; --bad: #b42318; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 1120px;
  margin: 2rem auto; padding: 0 1.5rem; background: #fff; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .3rem; }
p.about { color: var(--faint); margin: 0 0 1rem; }
.cards { display: flex; flex-wrap: wrap; gap: .8rem; }
.card { border: 1px solid var(--line); border-radius: 8px; padding: .6rem 1rem; }
.card b { display: block; font-size: 1.15rem; overflow-wrap: anywhere; }
.card span { color: var(--faint); font-size: .85rem; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.5rem; }
section { min-width: 0; overflow: hidden; }
@media (max-width: 900px) { .two { grid-template-columns: 1fr; } }
h2 small { color: var(--faint); font-weight: 400; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .7rem; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: 500; } td.text, th.text { text-align: left; }
tr.best td { background: #e9f7f1; font-weight: 600; color: var(--best); }
tr.failed td.text { color: var(--bad); }
"""


def sweep_page(lab: str, found: Mapping[str, Any]) -> str:
    """The page for what `lab show SWEEP --json` says; *lab* is the lab's name.

    Raises:
        ImportError: plotly is not installed.
    """
    from plotly.offline import get_plotlyjs

    sweep = found["sweep"]
    title = f"{found['step']} · {lab}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
<script>{get_plotlyjs()}</script>
</head>
<body>
<h1>{escape(str(found["step"]))}</h1>
<p class="about">{escape(_about(lab, found))}</p>
{_cards(sweep)}
<div class="two">
{_section("History", "each trial, the best so far, dotted the goal", history(sweep))}
{_section("Curves", f"{_metric(sweep)} of each trial, the best in green", curves(sweep))}
</div>
{_section("Parameters", "a line for each trial: the bluer, the better; green the best", parallel(sweep))}
<section><h2>Trials</h2>{_table(sweep)}</section>
</body>
</html>
"""


def _section(title: str, about: str, figure: Figure | None) -> str:
    head = f"<h2>{escape(title)} <small>{escape(about)}</small></h2>"
    return f"<section>{head}{_picture(figure)}</section>"


def _picture(figure: Figure | None) -> str:
    if figure is None:
        return "<p class='about'>There is nothing to draw yet.</p>"
    import plotly.io

    text: str = plotly.io.to_html(
        figure,
        full_html=False,
        include_plotlyjs=False,
        validate=False,
        config={"displaylogo": False, "responsive": True, "displayModeBar": False},
    )
    return text


def _about(lab: str, found: Mapping[str, Any]) -> str:
    objective = found["sweep"]["objective"]
    run = f", run {found['run']}" if found["run"] is not None else ""
    aim = "" if objective is None else f": {objective['type']} {objective['metric']}"
    if objective is not None and objective["goal"] is not None:
        aim += f", goal {number(objective['goal'])}"
    return f"A sweep of the lab {lab}{run}, {found['status']}{aim}"


def _metric(sweep: Mapping[str, Any]) -> str:
    return str(sweep["objective"]["metric"]) if sweep["objective"] else "the objective"


def _cards(sweep: Mapping[str, Any]) -> str:
    cards = []
    if sweep["best_trial"] is not None:
        cards.append((number(sweep["best_metric"]), f"best {_metric(sweep)}"))
        given = ", ".join(f"{n} = {brief(v)}" for n, v in sweep["best_parameters"].items())
        cards.append((given, f"in trial #{sweep['best_trial']}"))
    cards += [(str(count), outcome) for outcome, count in sweep["counts"].items()]
    shown = "".join(
        f'<div class="card"><b>{escape(printable(big))}</b><span>{escape(printable(small))}</span></div>'
        for big, small in cards
    )
    return f'<div class="cards">{shown}</div>'


def _table(sweep: Mapping[str, Any]) -> str:
    parameters = list(dict.fromkeys(n for each in sweep["trials"] for n in each["parameters"]))
    metrics = sweep["metrics"]
    titles = ["#", *parameters, *metrics, "steps", "took"]
    head = "".join(f"<th>{escape(str(title))}</th>" for title in titles)
    rows = "".join(_row(each, parameters, metrics) for each in sweep["trials"])
    return (
        f'<div class="scroll"><table><thead><tr>{head}<th class="text">outcome</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _row(trial: Mapping[str, Any], parameters: Sequence[str], metrics: Sequence[str]) -> str:
    seconds = trial["seconds"]
    values = [
        str(trial["trial"]),
        *(_value(trial["parameters"], name) for name in parameters),
        *(_value(trial["metrics"], name) for name in metrics),
        str(trial["steps"] or ""),
        "" if seconds is None else duration(seconds),
    ]
    cells = "".join(f"<td>{escape(printable(value))}</td>" for value in values)
    word = "best" if trial["best"] else trial["outcome"]
    reason = f": {trial['reason']}" if trial["reason"] else ""
    kind = "best" if trial["best"] else "failed" if trial["outcome"] == "failed" else ""
    return (
        f'<tr class="{kind}">{cells}<td class="text">{escape(printable(word + reason))}</td></tr>'
    )


def _value(values: Mapping[str, Any], name: str) -> str:
    return brief(values[name]) if name in values else "–"
