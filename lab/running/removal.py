"""Records whose steps are gone are forgotten or destroyed, the last made first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.model.event import StepForgotten
from lab.model.frozen import dataclass
from lab.model.plan import Action, Verb
from lab.model.state import Record
from lab.ports import Cancel, Registry
from lab.running.attempt import Failure
from lab.running.course import Course
from lab.running.destroy import undo
from lab.running.io import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Remover:
    """What removing takes besides the actions themselves."""

    records: Mapping[str, Record]
    registry: Registry
    ports: Ports
    root: str
    stop: Cancel
    lines: bool = False

    def remove(self, actions: Sequence[Action], course: Course) -> None:
        """Does what *actions* say in their order. What a thing that could not be destroyed needed stays too."""
        kept: dict[str, str] = {}
        for action in actions:
            if self.stop.is_set():
                return
            record = self.records[action.address]
            if action.address in kept:
                course.barred(action.address, kept[action.address])
                kept.update(dict.fromkeys(record.needs, kept[action.address]))
            elif action.verb is Verb.FORGET:
                self._forget(action, course)
            elif not self._destroy(action, record, course):
                kept.update(dict.fromkeys(record.needs, action.address))

    def _forget(self, action: Action, course: Course) -> None:
        event = StepForgotten(
            run=course.run,
            time=self.ports.clock.now(),
            address=action.address,
            cause=action.cause,
        )
        self.ports.journal.append(event)
        course.tell(event)
        course.count("forgotten")

    def _destroy(self, action: Action, record: Record, course: Course) -> bool:
        came = undo(
            record,
            self.registry.find(record.kind, record.place),
            self.ports,
            root=self.root,
            run=course.run,
            cause=action.cause,
            stop=self.stop,
            tell=course.tell,
            lines=self.lines,
        )
        if isinstance(came, Failure):
            course.broke(action.address, came)
            return False
        course.count("destroyed")
        return True
