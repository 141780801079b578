"""How a run stands: what each step came to, and what that means for those that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from lab.model.event import Event, StepKept, StepSkipped
from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.labfile import OnFailure, Step
from lab.planning.outcome import Known, Outcome, Skipped
from lab.ports import Clock
from lab.running.attempt import Failure

Tell = Callable[[Event], None]


@dataclass(slots=True, kw_only=True)
class Course:
    """Mutable: the deciding thread writes it while a run goes on; workers read ``outcomes``.

    ``failed`` maps a failed step to whether steps that only `need` it may still run; ``blocked`` maps a
    step that was skipped to the failed step because of which it was. ``needs`` has what each step of the
    run waits for, also through steps that are left out.
    """

    graph: Graph
    run: int
    clock: Clock
    tell: Tell
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    failed: dict[str, bool] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def made(self, address: str, outcome: Known, word: str) -> None:
        self.outcomes[address] = outcome
        self.count(word)

    def kept(self, address: str, outcome: Known, cause: str) -> None:
        self.outcomes[address] = outcome
        self.tell(StepKept(run=self.run, time=self.clock.now(), address=address, cause=cause))
        self.count("kept")

    def skipped(self, address: str, cause: str) -> None:
        """Skipped for a reason of its own: those that only `need` it run."""
        self.outcomes[address] = Skipped(cause)
        self._tell_skipped(address, cause, "")

    def barred(self, address: str, because: str, cause: str = "") -> None:
        """Skipped because another step failed; *cause* says it in words, where it is not the usual."""
        self.blocked[address] = because
        self._tell_skipped(address, cause or f"because `{because}` failed", because)

    def broke(self, address: str, failure: Failure) -> OnFailure:
        """Notes a failure; gives the step's policy."""
        step = self.graph.steps.get(address)
        policy = step.options.on_failure if step is not None else OnFailure.FAIL
        goes_on = policy is not OnFailure.FAIL and not failure.interrupted
        self.failed[address] = goes_on
        if goes_on:  # whoever copes with what is missing gets nothing, and goes on too
            self.outcomes[address] = Skipped("failed")
        self.count("interrupted" if failure.interrupted else "failed")
        return policy

    def blocker(self, step: Step) -> str | None:
        """The failed step because of which *step* cannot run."""
        address, guarded = step.address, self.graph.guarded
        refs = {each for each in self.graph.refs.get(address, ()) if (address, each) not in guarded}
        for upstream in self.needs.get(step.address, ()):
            if upstream in self.blocked:
                return self.blocked[upstream]
            if upstream in self.failed and (upstream in refs or not self.failed[upstream]):
                return upstream
        return None

    def count(self, word: str) -> None:
        self.counts[word] = self.counts.get(word, 0) + 1

    def failures(self) -> tuple[str, ...]:
        """The failed steps that count: not those whose `on_failure` is `ignore`."""
        return tuple(address for address in self.failed if not self._ignored(address))

    def _ignored(self, address: str) -> bool:
        step = self.graph.steps.get(address)
        return step is not None and step.options.on_failure is OnFailure.IGNORE

    def _tell_skipped(self, address: str, cause: str, because: str) -> None:
        self.tell(
            StepSkipped(
                run=self.run,
                time=self.clock.now(),
                address=address,
                cause=cause,
                because=because,
            )
        )
        self.count("skipped")
