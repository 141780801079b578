"""What is wrong with a template: said in words that teach, with the place inside the text."""

from __future__ import annotations


class TemplateFault(Exception):
    """A template that cannot be read or rendered.

    ``expression`` is the source text to point at, ``line`` the 0-based line of the scalar in which
    it stands, ``path`` the way to the scalar inside the tree that was rendered. A message never
    holds a value, for it may be a secret's: it speaks of names and types only.
    """

    def __init__(
        self,
        summary: str,
        *,
        help: str = "",
        expression: str = "",
        line: int = 0,
        path: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.help = help
        self.expression = expression
        self.line = line
        self.path = path


class Missing(TemplateFault):
    """A name that means nothing, or a null where a value must be: what ``default()`` catches."""
