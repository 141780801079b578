"""Random labs, random edits of them, and what a lab that keeps its promises makes of them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Plot:
    """One step of a random lab. *uses* are steps whose outputs it takes, *after* those it only waits for."""

    salt: int
    seconds: float
    training: bool = False
    artifact: bool = False
    input: str = ""
    uses: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    when: str = ""  # "", "false", or "upstream": an expression over the first step that it uses
    fails: int = 0  # attempts that fail
    broken: str = ""  # it always fails, and this is its on_failure
    mutex: str = ""
    env: int = 0
    matrix: bool = False
    daemon: bool = False

    @property
    def upstream(self) -> tuple[str, ...]:
        return (*self.uses, *self.after)


@dataclass
class Model:
    """A lab as it is meant to be now. Mutable: it is edited."""

    plots: dict[str, Plot] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    names: int = 0

    # --- what it is ---------------------------------------------------------------------------

    def labfile(self) -> str:
        """The Labfile's text (JSON is YAML)."""
        steps = {name: self._keys(name, plot) for name, plot in self.plots.items()}
        return json.dumps({"labfile": 1, "name": "chaos", "steps": steps}, indent=1)

    def addresses(self) -> dict[str, str]:
        """Every step and instance, with the name of the step."""
        return {
            address: name
            for name, plot in self.plots.items()
            for address in ([f"{name}[m=1]", f"{name}[m=2]"] if plot.matrix else [name])
        }

    def value(self, address: str) -> str:
        """What the step makes: equal to what it made before as long as no edit demands otherwise."""
        name, _, instance = address.partition("[")
        plot = self.plots[name]
        salt = f"{plot.salt}.{instance[2:-1]}" if instance else str(plot.salt)
        plain = [f"v{self.value(use)}" for use in plot.uses if not self.plots[use].artifact]
        files = [self.value(use) for use in plot.uses if self.plots[use].artifact]
        words = [salt, *plain, *([self.inputs[plot.input]] if plot.input else []), *files]
        return hashlib.sha256("|".join(words).encode()).hexdigest()[:12]

    def identity(self, address: str) -> str:
        """What counts of a step: if it is the same, what was reported stays done."""
        plot = self.plots[address.partition("[")[0]]
        shown = (plot.training, plot.artifact, plot.env, plot.seconds, plot.fails, plot.broken)
        return f"{self.value(address)} {shown} {plot.daemon} {plot.mutex}"

    def below(self, name: str) -> set[str]:
        """The steps that take something of *name*, or of those that do."""
        first = {other for other, plot in self.plots.items() if name in plot.upstream}
        return first.union(*(self.below(other) for other in first)) if first else first

    def above(self, name: str) -> set[str]:
        first = set(self.plots[name].upstream)
        return first.union(*(self.above(other) for other in first)) if first else first

    def is_settled(self) -> bool:
        """Whether nothing fails for good."""
        return not any(plot.broken for plot in self.plots.values())

    def _keys(self, name: str, plot: Plot) -> dict[str, Any]:
        salt = f"{plot.salt}.{{{{ matrix.m }}}}" if plot.matrix else str(plot.salt)
        command = ["python3", "-S", "step.py", "--salt", salt, "--seconds", str(plot.seconds)]
        for use in plot.uses:
            kind, output = ("--file", "out") if self.plots[use].artifact else ("--value", "value")
            command += [kind, f"{{{{ steps.{use}.outputs.{output} }}}}"]
        command += ["--input", plot.input] if plot.input else []
        command += ["--alone", plot.mutex] if plot.mutex else []
        command += ["--fails", "1000000"] if plot.broken else []
        command += ["--fails", str(plot.fails)] if plot.fails and not plot.broken else []
        command += ["--daemon"] if plot.daemon else []
        command += ["--out", "{{ step.dir }}/out"] if plot.artifact else []
        command += ["--metric"] if plot.training else []
        keys: dict[str, Any] = {"kind": "training" if plot.training else "command"}
        keys["command"] = command
        keys |= {"artifacts": {"out": "{{ step.dir }}/out"}} if plot.artifact else {}
        keys |= {"metrics": {"from": "stdout"}} if plot.training else {}
        keys |= {"needs": list(plot.after)} if plot.after else {}
        keys |= {"matrix": {"m": [1, 2]}} if plot.matrix else {}
        keys |= {"env": {"E": str(plot.env)}} if plot.env else {}
        keys |= {"mutex": plot.mutex} if plot.mutex else {}
        keys |= {"on_failure": plot.broken} if plot.broken else {}
        if plot.fails and not plot.broken:
            keys["retries"] = {"attempts": plot.fails, "backoff": "10ms"}
        if plot.when == "false":
            keys["when"] = False
        elif plot.when and plot.uses and not self.plots[plot.uses[0]].artifact:
            keys["when"] = f"{{{{ steps.{plot.uses[0]}.outputs.value != 'none' }}}}"
        return keys

    # --- how it changes -----------------------------------------------------------------------

    def grow(self, rng: random.Random) -> str:
        """Adds a step, mostly below others; its name is new."""
        name = f"{LETTERS[self.names % 26]}{self.names // 26 or ''}"
        self.names += 1
        usable = [other for other, plot in self.plots.items() if not plot.matrix]
        uses = tuple(rng.sample(usable, min(len(usable), rng.choice((0, 1, 1, 1, 2)))))
        rest = [other for other in self.plots if other not in uses]
        self.plots[name] = Plot(
            salt=rng.randrange(1000),
            seconds=round(rng.choice((0.0, 0.02, 0.05, 0.1, 0.2)), 2),
            training=rng.random() < 0.2,
            artifact=rng.random() < 0.5,
            input=self._some_input(rng) if rng.random() < 0.3 else "",
            uses=uses,
            after=tuple(rng.sample(rest, min(len(rest), rng.choice((0, 0, 0, 1))))),
            when=rng.choice(("",) * 8 + ("false", "upstream")),
            fails=rng.choice((0, 0, 0, 0, 1, 2)),
            broken=rng.choice(("",) * 12 + ("fail", "continue", "ignore")),
            mutex=rng.choice(("", "", "", "x", "y")),
            env=rng.choice((0, 0, 1)),
            matrix=rng.random() < 0.15,
            daemon=rng.random() < 0.1,
        )
        return name

    def change(self, rng: random.Random) -> str:
        """Other words for a step; gives what was done."""
        name = rng.choice(list(self.plots))
        plot, which = self.plots[name], rng.choice(("salt", "env", "seconds", "free"))
        match which:
            case "salt":
                self.plots[name] = replace(plot, salt=plot.salt + 1000)
            case "env":
                self.plots[name] = replace(plot, env=plot.env + 1)
            case "seconds":
                self.plots[name] = replace(plot, seconds=round(plot.seconds + 0.01, 2))
            case _:  # what does not count: order alone, and what to do about failures
                self.plots[name] = replace(plot, after=())
        return f"{which} of {name}"

    def drop(self, rng: random.Random) -> str:
        """Removes a step, and every mention of it."""
        name = rng.choice(list(self.plots))
        del self.plots[name]
        for other, plot in list(self.plots.items()):
            self.plots[other] = replace(
                plot,
                uses=tuple(use for use in plot.uses if use != name),
                after=tuple(each for each in plot.after if each != name),
            )
        return name

    def rename(self, rng: random.Random) -> tuple[str, str]:
        """Gives a step another name, everywhere."""
        old = rng.choice([name for name, plot in self.plots.items() if not plot.matrix] or [""])
        if not old:
            return "", ""
        new = f"{old}_r"
        swap = {old: new}
        self.plots = {
            swap.get(name, name): replace(
                plot,
                uses=tuple(swap.get(use, use) for use in plot.uses),
                after=tuple(swap.get(each, each) for each in plot.after),
            )
            for name, plot in self.plots.items()
        }
        return old, new

    def rewrite(self, rng: random.Random) -> str:
        """Other content for an input."""
        name = rng.choice(list(self.inputs))
        self.inputs[name] += f"{rng.randrange(10)}"
        return name

    def mend(self) -> None:
        """Nothing fails for good any more."""
        for name, plot in self.plots.items():
            self.plots[name] = replace(plot, broken="")

    def _some_input(self, rng: random.Random) -> str:
        name = f"input{rng.randrange(2)}.txt"
        self.inputs.setdefault(name, "1")
        return name


def random_model(rng: random.Random) -> Model:
    """A lab of some steps: a chain, a fan, or whatever comes."""
    model = Model()
    for _ in range(rng.randrange(2, 9)):
        model.grow(rng)
    return model


def lines(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects among the whole lines of *text*."""
    for line in text.splitlines(keepends=True):
        if line.startswith("{") and line.endswith("\n"):
            yield json.loads(line)
