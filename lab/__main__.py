"""`python -m lab`."""

from lab.cli.main import program

program()
