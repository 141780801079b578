"""Makes a picture of what a terminal showed: `tmux capture-pane -e -p | python docs/picture.py TITLE FILE.svg`."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 110  # columns
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def picture(shown: str, title: str) -> str:
    """An SVG of *shown*, a terminal's text with its colours; it loads nothing from anywhere."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for line in shown.rstrip().splitlines():
        console.print(Text.from_ansi(line), soft_wrap=True)
    return _FONT.sub("", console.export_svg(title=title)).replace("Fira Code", "ui-monospace")


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(picture(sys.stdin.read(), sys.argv[1]), encoding="utf-8")
