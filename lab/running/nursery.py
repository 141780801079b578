"""Children of a run between being asked for and having ended: which may start, and what stops them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab.model.address import owner
from lab.ports import Cancel
from lab.running.attempt import Job
from lab.running.crew import POLL
from lab.running.halt import Halt
from lab.running.schedule import Demand, Schedule
from lab.running.step import Result


class Ticket:
    """A child on its way. Mutable: ``ended`` is set once it is known what became of it."""

    def __init__(
        self, job: Job, demand: Demand, halt: Halt, hear: Callable[[Result], None]
    ) -> None:
        self.job, self.demand, self.halt, self._hear = job, demand, halt, hear
        self.ended = threading.Event()

    def end(self, came: Result | None) -> None:
        """Tells what became of it; None: it never began, or nobody can say."""
        if came is not None:
            self._hear(came)
        self.ended.set()


class Nursery:
    """Mutable: providers' threads ask, and whoever decides in the crew admits."""

    def __init__(self, stop: Cancel, again: Callable[[], None]) -> None:
        self.stop, self._again = stop, again
        self._asked: deque[Ticket] = deque()
        self._tickets: dict[str, Ticket] = {}

    def ask(self, ticket: Ticket) -> None:
        """Takes a child that is to start as soon as there is room."""
        self._asked.append(ticket)
        self._again()

    def end(self, tickets: list[Ticket]) -> None:
        """Stops children and waits until they have ended."""
        if not tickets:
            return
        for ticket in tickets:
            ticket.halt.set()
        self._again()
        for ticket in tickets:
            while not ticket.ended.wait(POLL):
                self._again()  # the run may have been stopped just now

    def admit(self, schedule: Schedule) -> dict[str, Job]:
        """The jobs of those that were asked for, now held in *schedule*."""
        jobs: dict[str, Job] = {}
        while self._asked:
            ticket = self._asked.popleft()
            address = ticket.job.step.address
            self._tickets[address] = ticket
            schedule.add(address, owner(address), ticket.demand)
            jobs[address] = ticket.job
        return jobs

    def withdraw(self, schedule: Schedule) -> list[str]:
        """Takes back those that must not start any more; gives their addresses."""
        gone = [
            address
            for address, ticket in self._tickets.items()
            if address not in schedule.running and (self.stop.is_set() or ticket.halt.is_set())
        ]
        for address in gone:
            schedule.withdraw(address)
            self._tickets.pop(address).end(None)
        return gone

    @contextmanager
    def minding(self, address: str) -> Iterator[Cancel]:
        """What stops the step *address* while it is made; a child that ends badly has ended all the same."""
        ticket = self._tickets.get(address)
        try:
            yield self.stop if ticket is None else ticket.halt
        except BaseException:
            if ticket is not None:
                ticket.end(None)
            raise

    def ended(self, address: str, came: Result) -> bool:
        """Takes the end of a step; False if that is no child."""
        ticket = self._tickets.pop(address, None)
        if ticket is not None:
            ticket.end(came)
        return ticket is not None
