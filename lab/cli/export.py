"""`lab export`: says in another tool's words what a Labfile declares."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.labfile import read_labfile
from lab.cli.named import add_words, take_labfile
from lab.cli.verbs import Verbs, run
from lab.model.diagnostic import Diagnostic, LabfileError, did_you_mean
from lab.model.graph import Graph
from lab.model.labfile import Step
from lab.reading.katib_export import exported
from lab.reading.katib_old import Unfit
from lab.reading.write import document_text

ABOUT = """Print a sweep as a Katib Experiment (v1beta1), ready for `kubectl apply -f -`.

The trials run in the image that `--image` names, which must hold the program and what it imports.
What a cluster must have beside it is told on standard error."""


def _katib(words: Sequence[str]) -> int:
    parser = arguments.parser("export katib", ABOUT)
    add_words(parser, "STEP", "the sweep; not needed where there is one", least=0)
    parser.add_argument("--image", metavar="IMAGE", help="the container image of the trials")
    parser.add_argument("--namespace", metavar="NAME", default="", help="default: kubectl's own")
    args = arguments.parse(parser, words)
    rest = take_labfile(args)
    if not args.image:
        raise arguments.usage(
            "a trial in a cluster needs an image", "for example: --image ghcr.io/you/train:1.0"
        )
    graph = read_labfile(args).graph
    step = _sweep(graph, rest)
    try:
        found = exported(graph.labfile, step, image=args.image, namespace=args.namespace)
    except Unfit as unfit:
        span = graph.labfile.document.span_of((*step.path, *unfit.path))
        said = Diagnostic(summary=unfit.summary, help=unfit.help, span=span)
        raise LabfileError(said) from None
    print(document_text(found.tree), end="")
    for note in found.notes:
        told = textwrap.fill(note, 96, initial_indent="note: ", subsequent_indent="      ")
        print(told, file=sys.stderr)
    return 0


VERBS: Verbs = {"katib": (_katib, "a sweep as a Katib Experiment (v1beta1)")}


def main(words: Sequence[str]) -> int:
    """Runs one of the verbs."""
    return run("export", VERBS, words, usage="WHAT [STEP] [options]")


def _sweep(graph: Graph, named: Sequence[str]) -> Step:
    sweeps = [address for address, step in graph.steps.items() if step.trial is not None]
    if len(named) > 1:
        raise arguments.usage("`lab export katib` wants one sweep", "export them one by one")
    if not named and len(sweeps) == 1:
        return graph.steps[sweeps[0]]
    if not sweeps:
        raise arguments.usage("this Labfile has no sweep", "Katib knows nothing but sweeps")
    if not named or named[0] not in sweeps:
        said = f"there is no sweep `{named[0]}`" if named else "there are several sweeps"
        way = did_you_mean(named[0], sweeps) if named else ""
        raise arguments.usage(said, way or f"name one: {', '.join(sweeps)}")
    return graph.steps[named[0]]
