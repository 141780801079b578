"""How long the tool takes to say a word, against its interpreter doing nothing."""

from functools import partial

from measure import Lane, Missing, Result, empty, race, timed
from rows import Row, compare
from setting import Setting, lab_of

TURNS = 15
WORDS = ("version", "--help")


def startup(setting: Setting) -> list[Row]:
    """`lab version` and `lab --help` against `python -c pass` of the same virtual environment."""
    tool = lab_of(setting)
    folder = empty(setting.folder("startup", 0))
    commands: dict[str, tuple[str, ...]] = {"python -c pass": (str(setting.python), "-c", "pass")}
    gone: dict[str, Result] = {}
    for word in WORDS:
        if isinstance(tool, Missing):
            gone[f"lab {word}"] = tool
        else:
            commands[f"lab {word}"] = (tool.plan[0], word)
    goes = {label: partial(timed, argv, folder) for label, argv in commands.items()}
    # The first run of a program writes the bytecode that all later ones read.
    race(
        "start-up, not counted", [Lane(label=label, go=go, rounds=1) for label, go in goes.items()]
    )
    found = race("start-up", [Lane(label=label, go=go, rounds=TURNS) for label, go in goes.items()])
    results = dict(found) | gone
    return [
        compare(
            "startup",
            f"lab {word}",
            results[f"lab {word}"],
            results["python -c pass"],
            5.0,
            f"{TURNS} turns each",
        )
        for word in WORDS
    ]
