"""Records whose steps are gone are forgotten or destroyed, in parallel: nothing goes before what needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lab.crashpoint import passing
from lab.model.address import owner
from lab.model.event import StepForgotten
from lab.model.frozen import dataclass
from lab.model.graph import Graph
from lab.model.plan import Action, Verb
from lab.model.state import Record
from lab.ports import Cancel, Registry
from lab.running.attempt import Failure, Tell
from lab.running.course import Course
from lab.running.crew import Crew
from lab.running.destroy import Gone, undo
from lab.running.io import Ports
from lab.running.schedule import Demand, Limits, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Remover:
    """What removing takes besides the actions themselves. ``tell`` is called from several threads."""

    records: Mapping[str, Record]
    registry: Registry
    ports: Ports
    root: str
    stop: Cancel
    limits: Limits
    tell: Tell
    fail_fast: bool = False
    lines: bool = False

    def remove(self, actions: Sequence[Action], course: Course) -> bool:
        """Does what *actions* say; each must come after all that need what it removes.

        What a thing that could not be destroyed needs stays too. Gives whether `--fail-fast` ended it.
        """
        if not actions:
            return False
        removal = _Removal(self, actions, course)
        Crew(removal).go()
        return removal.forced


class _Removal:
    """One removal. Mutable: it follows what happens, from one thread of the crew at a time."""

    def __init__(self, how: Remover, actions: Sequence[Action], course: Course) -> None:
        self._how, self._course = how, course
        self._actions = {action.address: action for action in actions}
        self._kept: dict[str, str] = {}
        self.forced = False
        self._schedule = Schedule(
            _waits(self._actions, how.records),
            limits=how.limits,
            demands=_demands(self._actions, course.graph),
            seconds={},
        )

    def decide(self, ended: tuple[Action, Gone | Failure] | None) -> Iterable[Action]:
        """Takes what has ended; gives what may go now (see Crew)."""
        schedule = self._schedule
        if ended is not None:
            action, came = ended
            schedule.end(action.address)
            self._ended(action, came)
        if self._how.stop.is_set():
            return ()
        while (address := schedule.ready()) is not None:
            if address in self._kept:
                self._stays(address)
                schedule.end(address)
            else:
                schedule.hold(address)
        return [self._actions[address] for address in schedule.startable()]

    def make(self, job: Action, before: Gone | Failure | None) -> Gone | Failure:
        """Removes one, in a thread of the crew."""
        if job.verb is Verb.FORGET:
            return self._forget(job)
        how, record = self._how, self._how.records[job.address]
        return undo(
            record,
            how.registry.find(record.kind, record.place),
            how.ports,
            root=how.root,
            run=self._course.run,
            cause=job.cause,
            stop=how.stop,
            tell=how.tell,
            lines=how.lines,
        )

    def settle(self, before: Gone | Failure) -> None:
        """What ended was stored and told by whoever removed it."""

    def stop(self) -> None:
        """Nothing new begins, and what runs is stopped."""
        self._how.stop.set()

    def _ended(self, action: Action, came: Gone | Failure) -> None:
        if isinstance(came, Failure):
            self._course.broke(action.address, came)
            self._bar(action.address, action.address)
            if self._how.fail_fast and not self._how.stop.is_set():
                self.forced = True
                self._how.stop.set()
        else:
            self._course.count(self._word(action))

    def _word(self, action: Action) -> str:
        """What it is counted as; a trial goes with its sweep, as the plan has it."""
        whose = owner(action.address)
        if whose != action.address and whose in self._actions:
            return "trials"
        return "forgotten" if action.verb is Verb.FORGET else "destroyed"

    def _stays(self, address: str) -> None:
        because = self._kept[address]
        cause = f"`{because}`, which needs it, could not be destroyed"
        self._course.barred(address, because, cause)
        self._bar(address, because)

    def _bar(self, address: str, because: str) -> None:
        for needed in self._how.records[address].needs:
            self._kept.setdefault(needed, because)

    def _forget(self, action: Action) -> Gone:
        event = StepForgotten(
            run=self._course.run,
            time=self._how.ports.clock.now(),
            address=action.address,
            cause=action.cause,
        )
        passing("forget.before")
        self._how.ports.journal.append(event)
        passing("forget.after")
        self._how.tell(event)
        return Gone()


def _waits(
    actions: Mapping[str, Action], records: Mapping[str, Record]
) -> dict[str, tuple[str, ...]]:
    """For each what must go before it: those before it that need it.

    Those after it that say so too need it in a circle, which only the order can break.
    """
    waits: dict[str, list[str]] = {}
    for address in actions:
        waits[address] = waits.get(address, [])
        for needed in records[address].needs:
            if needed in actions and needed != address:
                waits.setdefault(needed, []).append(address)
    place = {address: i for i, address in enumerate(actions)}
    return {
        address: tuple(n for n in waits[address] if place[n] < place[address])
        for address in actions
    }


def _demands(actions: Iterable[str], graph: Graph) -> dict[str, Demand]:
    """Steps that share a mutex are not undone at once either."""
    steps = graph.steps
    return {a: Demand(mutex=steps[a].options.mutex) for a in actions if a in steps}
