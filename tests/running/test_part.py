"""Programs that run side by side in one step: their lines in the log, and the end of one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lab.running.part import Ending, Led, Shared


class Wish:
    """A step's wish to stop, as short as can be."""

    def __init__(self) -> None:
        self.there = False
        self.callbacks: list[Callable[[], None]] = []

    def is_set(self) -> bool:
        return self.there

    def set(self) -> None:
        self.there = True
        for callback in list(self.callbacks):
            callback()

    def wait(self, timeout: float | None = None) -> bool:
        return self.there

    def add_callback(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)
        if self.there:
            callback()

    def remove_callback(self, callback: Callable[[], None]) -> None:
        if callback in self.callbacks:
            self.callbacks.remove(callback)


class Written:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def test_each_line_is_led_by_its_part_however_it_comes() -> None:
    log = Written()
    one, two = Led(log, "worker-0"), Led(log, "worker-1")
    one.write(b"a\nhal")
    two.write(b"x\n")
    one.write(b"f\n\nend")
    one.flush()
    two.flush()
    assert log.data == (
        b"worker-0 | a\nworker-1 | x\nworker-0 | half\nworker-0 | \nworker-0 | end\n"
    )


def test_a_line_without_end_is_not_kept_for_ever() -> None:
    log = Written()
    led = Led(log, "w")
    led.write(b"x" * 70_000)
    assert len(log.data) == 70_000 + len(b"w | \n")


def test_many_threads_write_whole_lines() -> None:
    log = Written()
    shared = Shared(log)
    parts = [Led(shared, f"w{i}") for i in range(4)]
    threads = [
        threading.Thread(target=lambda p=part: [p.write(b"line\n") for _ in range(50)])
        for part in parts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = log.data.decode().splitlines()
    assert sorted(lines) == sorted(f"w{i} | line" for i in range(4) for _ in range(50))


def test_one_ends_without_the_others_and_all_with_the_step() -> None:
    step = Wish()
    one, two, told = Ending(step), Ending(step), []
    one.add_callback(lambda: told.append("one"))
    two.add_callback(lambda: told.append("two"))
    one.set()
    one.set()
    assert told == ["one"]
    assert one.is_set() and not two.is_set() and not step.is_set()
    step.set()
    assert told == ["one", "two"]
    assert two.is_set()


def test_a_wish_that_is_there_already_is_told_at_once() -> None:
    step = Wish()
    ending, told = Ending(step), []
    ending.set()
    ending.add_callback(lambda: told.append(1))
    assert told == [1]
    assert step.callbacks == [], "nothing is left behind"


def test_waiting_ends_with_either_wish() -> None:
    step = Wish()
    ending = Ending(step)
    assert not ending.wait(0.0)
    ending.set()
    assert ending.wait(10.0)
