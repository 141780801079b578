"""Asks a person before something is lost."""

from __future__ import annotations

from lab.model.diagnostic import Diagnostic, LabfileError


def ask(question: str) -> None:
    """Asks for a `yes`; anything else stops the command.

    Raises:
        LabfileError: the answer is not yes.
    """
    try:
        answer = input(f"{question} [yes/no] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("yes", "y"):
        raise LabfileError(Diagnostic(summary="not confirmed: nothing was changed"))
