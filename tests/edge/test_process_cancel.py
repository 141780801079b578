"""The wish to stop."""

from __future__ import annotations

import signal
import threading
from functools import partial

from lab.edge.process import Cancel


class TestCancel:
    def test_callbacks_are_called_once(self) -> None:
        cancel = Cancel()
        called: list[str] = []
        cancel.add_callback(lambda: called.append("before"))
        gone = partial(called.append, "gone")
        cancel.add_callback(gone)
        cancel.remove_callback(gone)
        cancel.set()
        cancel.set()
        cancel.add_callback(lambda: called.append("after"))
        cancel.remove_callback(gone)
        assert called == ["before", "after"]
        assert cancel.is_set()

    def test_wait(self) -> None:
        cancel = Cancel()
        assert not cancel.wait(0.01)
        threading.Timer(0.05, cancel.set).start()
        assert cancel.wait(30)
        assert cancel.wait(0)
        assert cancel.wait()

    def test_no_callback_is_missed_when_threads_race(self) -> None:
        for _ in range(200):
            cancel = Cancel()
            called: list[int] = []
            callbacks = [partial(called.append, number) for number in (1, 2)]
            threads = [threading.Thread(target=cancel.add_callback, args=[c]) for c in callbacks]
            threads.insert(1, threading.Thread(target=cancel.set))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(called) == [1, 2]

    def test_signal_handler_may_set_it_for_its_own_waiting_thread(self) -> None:
        cancel = Cancel()
        before = signal.signal(signal.SIGALRM, lambda *_: cancel.set())
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            assert cancel.wait(30)
        finally:
            signal.signal(signal.SIGALRM, before)
