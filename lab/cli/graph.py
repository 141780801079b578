"""`lab graph`: draws the steps and what they wait for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.labfile import read_labfile
from lab.cli.terminal import colourful
from lab.planning.select import left_out
from lab.report.graph_formats import graph_dot, graph_mermaid
from lab.report.graph_picture import picture
from lab.report.graph_text import graph_text

ABOUT = """Draw the steps and what they wait for.

In the text a line joins a step to what it waits for; a dashed one, or `only after`, is for order
alone, no output flows. `train[lr] ×6` are the six instances of a matrix."""


def main(words: Sequence[str]) -> int:
    """Prints the picture; nothing but the Labfile is looked at."""
    parser = arguments.parser("graph", ABOUT)
    arguments.add_labfile(parser)
    arguments.add_selection(parser, replace=False)
    parser.add_argument(
        "--format", choices=["text", "dot", "mermaid"], default="text", help="default: text"
    )
    parser.add_argument("--instances", action="store_true", help="draw each instance of a matrix")
    parser.add_argument(
        "--all-edges", action="store_true", help="draw edges that others imply, too"
    )
    args = arguments.parse(parser, words)
    graph = read_labfile(args).graph
    excluded = left_out(graph, arguments.selection(args))
    drawn = picture(
        graph,
        [address for address in graph.steps if address not in excluded],
        instances=args.instances,
        every_edge=args.all_edges,
    )
    match args.format:
        case "dot":
            print(graph_dot(drawn))
        case "mermaid":
            print(graph_mermaid(drawn))
        case _:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100
            print(graph_text(drawn, colour=colourful(sys.stdout), width=width))
    return 0
