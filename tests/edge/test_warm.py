"""A program that is forked from a process with its imports done cannot tell, and nor can who waits for it."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from process_bench import Bench, a_bench, alive, dead, number_in, wait_for

from lab.edge import warden_tree
from lab.edge.process import Cancelled, Exit, TimedOut
from lab.provider import Warm

pytestmark = pytest.mark.live

MODULES = ("numpy.random", "multiprocessing.pool", "email.message", "tempfile")

# Each is run both ways, and must say and end the same.
SAME = {
    "what it is": """
        import os, signal, sys, threading, resource
        print(__name__, __file__, __spec__, __package__, __doc__, type(__loader__), __builtins__)
        print(sorted(vars()), sys.modules["__main__"].__dict__ is globals(), __annotations__)
        print(sys.argv, sys.orig_argv, sys.path, sys.flags, sys.executable, sys.prefix, sys.warnoptions)
        print(os.getcwd(), os.getsid(0) == os.getpgid(0) == os.getpid(), os.umask(0), os.getppid())
        print(sorted((k, v) for k, v in os.environ.items() if k != "LAB_MARK"))
        print([signal.getsignal(s) for s in signal.valid_signals()], signal.pthread_sigmask(0, []))
        print(sorted(os.listdir("/proc/self/fd")), [os.readlink(f"/proc/self/fd/{n}")[:5] for n in (0, 1, 2)])
        print(sys.stdin.read(), sys.stdout.encoding, sys.stdout.errors, sys.stdout.isatty())
        print(sys.stdout.seekable(), sys.stdout.write_through, sys.stdout.line_buffering)
        print(threading.active_count(), threading.current_thread().name, hash("a"), sys.getrecursionlimit())
        print([resource.getrlimit(n) for n in range(9)], sys.excepthook, sys.displayhook)
        print(os.popen("env | grep -v LAB_MARK | sort; pwd").read())
    """,
    "exit 0": "import sys; sys.exit(0)",
    "exit 3": "import sys; print('said'); sys.exit(3)",
    "exit with a text": "import sys; sys.exit('what went wrong')",
    "exit with none": "import sys; sys.exit()",
    "exit with too much": "import sys; sys.exit(259)",
    "exit with an object": "import sys; sys.exit([1, 2])",
    "exit at once": "import os; print('lost'); os._exit(3)",
    "an exception": "def f():\n    1 / 0\ndef g():\n    f()\ng()",
    "an exception of another": """
        try:
            {}["x"]
        except KeyError as error:
            raise ValueError("two\\nlines") from error
    """,
    "an exception in a module": "import other; other.fails()",
    "a program that is none": "x = (",
    "an interrupt": "raise KeyboardInterrupt",
    "an exit in a thread": "import threading; threading.Thread(target=lambda: 1 / 0, name='t').start()",
    "a hook of its own": "import sys; sys.excepthook = lambda *a: print('hook', a[0]); 1 / 0",
    "a hook that fails": "import sys; sys.excepthook = lambda *a: 1 / 0; open('nowhere')",
    "a segmentation fault": "import ctypes; ctypes.string_at(0)",
    "an abort": "import os; os.abort()",
    "a signal": "import os; os.kill(os.getpid(), 15)",
    "an end with all that belongs to it": """
        import atexit, threading, time, sys
        atexit.register(print, "last")
        def late():
            time.sleep(0.1); print("thread")
        threading.Thread(target=late).start()
        threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
        class Loud:
            def __del__(self): print("gone")
        kept, file = Loud(), open("written", "w")
        file.write("unflushed")
        sys.stdout.write("no newline")
    """,
    "written": "print(open('written').read())",
    "pickles": """
        import pickle
        class Own:
            pass
        print(type(pickle.loads(pickle.dumps(Own()))) is Own, Own.__module__)
    """,
    "processes": """
        import multiprocessing as m, os, sys
        class Own:
            def __init__(self, x): self.x = x
        def twice(own): return Own(own.x * 2)
        if __name__ == "__main__":
            for way in ("fork", "spawn", "forkserver"):
                with m.get_context(way).Pool(2) as pool:
                    print(way, [each.x for each in pool.map(twice, map(Own, range(3)))])
            print(m.current_process().name, m.parent_process())
    """,
    "modules": """
        import other, logging, warnings
        print(other.__file__, other.main())
        warnings.warn("look")
        logging.warning("out")
    """,
    "both streams": "import sys\nfor i in range(3): print(i); print(-i, file=sys.stderr)",
}
OTHER = "import sys\ndef fails():\n    raise OSError('no')\ndef main(): return sys.modules['__main__'].__file__"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "other.py").write_text(OTHER)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "__main__.py").write_text(
        "import sys; print(__name__, __spec__.name, sys.argv)"
    )
    (tmp_path / "package" / "fails.py").write_text(
        "import sys; print(sys.argv, sys.path[0]); 1 / 0"
    )
    with a_bench(tmp_path) as made:
        yield made


ENV = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "7", "A": "ü", "LAB_STEP": "train[1]"}


def run(bench: Bench, *words: str, warm: tuple[str, ...] | None = MODULES, **more: Any) -> Exit:
    env = {**ENV, "LAB_STEP_DIR": str(bench.folder), **more.pop("env", {})}
    how = None if warm is None else Warm(warm, more.pop("options", 0))
    return bench.run(sys.executable, *words, env=env, capture=True, warm=how, **more)


def program(bench: Bench, text: str, name: str = "program.py") -> str:
    (bench.folder / name).write_text(textwrap.dedent(text))
    return name


def test_what_a_program_sees_and_how_it_ends_is_as_in_a_fresh_process(bench: Bench) -> None:
    for title, text in SAME.items():
        name = program(bench, text)
        words = (name, "a", "", "--b=c d")
        fresh, warm = run(bench, *words, warm=None), run(bench, *words)
        assert warm.fresh == "", title
        assert (warm.code, warm.output.decode()) == (fresh.code, fresh.output.decode()), title


@pytest.mark.parametrize(
    "words",
    [
        ("./program.py",),
        ("-u", "program.py"),
        ("-O", "-W", "error", "program.py"),
        ("-I", "program.py"),
        ("-m", "program", "x"),
        ("-m", "package", "x"),
        ("-m", "package.fails", "x"),
        ("-m", "nowhere"),
        ("-c", "import sys, other; print(sys.argv, sys.path, __name__, sorted(vars())); 1/0", "x"),
    ],
    ids=" ".join,
)
def test_ways_to_name_a_program(bench: Bench, words: tuple[str, ...]) -> None:
    program(
        bench,
        "import sys; print(sys.argv, sys.path[:2], __file__, __spec__ and __spec__.name); assert 0, 'x'",
    )
    options = {"-u": 1, "-O": 3, "-I": 1}.get(words[0], 0)
    fresh, warm = run(bench, *words, warm=None), run(bench, *words, options=options)
    assert warm.fresh == ""
    assert (warm.code, warm.output.decode()) == (fresh.code, fresh.output.decode())


def test_a_thing_in_memory_of_one_is_not_in_another(bench: Bench) -> None:
    text = """
        import email.message, os, numpy.random, random
        print(hasattr(email.message, "mine"), os.environ.get("MINE"), os.getcwd(), email.message.__file__)
        print(random.random(), numpy.random.random())
        email.message.mine = 1; os.environ["MINE"] = "1"; os.chdir("/"); email.message.__file__ = "x"
    """
    name = program(bench, text)
    outs = [run(bench, name).output.decode().splitlines() for _ in range(3)]
    assert len({out[0] for out in outs}) == 1
    numbers = [number for out in outs for number in out[1].split()]
    assert len(set(numbers)) == 6, "unseeded generators differ, as those of fresh processes do"


def test_it_is_forked_and_has_not_imported_again(bench: Bench) -> None:
    text = "import sys, os; print(os.getpid(), 'numpy' in sys.modules, id(sys.modules['numpy']))"
    name = program(bench, text)
    said = [run(bench, name).output.split() for _ in range(3)]
    assert {each[1] for each in said} == {b"True"}
    assert len({each[0] for each in said}) == 3
    assert len({each[2] for each in said}) == 1


def test_others_find_it_by_its_variables_and_words(bench: Bench) -> None:
    text = """
        import os, time
        print(open("/proc/self/environ").read().replace(chr(0), "\\n"))
        print(open("/proc/self/cmdline").read().replace(chr(0), " "))
    """
    out = run(bench, program(bench, text), "--lr", "1").output.decode()
    assert f"LAB_STEP_DIR={bench.folder}\n" in out
    assert f"LAB_MARK={bench.mark}.0000" in out
    assert f"{sys.executable} program.py --lr 1 " in out


def test_it_keeps_to_its_cores(bench: Bench) -> None:
    name = program(bench, "import os; print(sorted(os.sched_getaffinity(0)))")
    last = max(os.sched_getaffinity(0))
    assert run(bench, name, cores=[last]).output.decode() == f"[{last}]\n"
    assert run(bench, name).output.decode() == f"{sorted(os.sched_getaffinity(0))}\n"


def test_what_an_import_sets_in_the_environment_stays(bench: Bench) -> None:
    (bench.folder / "lib").mkdir()
    (bench.folder / "lib" / "setting.py").write_text(
        "import os\nos.environ['SET'] = '1'\ndel os.environ['A']"
    )
    name = program(bench, "import setting, os; print(os.environ.get('SET'), os.environ.get('A'))")
    env = {"PYTHONPATH": str(bench.folder / "lib")}
    for warm in (None, ("setting",)):
        assert run(bench, name, env=env, warm=warm).output == b"1 None\n"


# --- when it cannot be ------------------------------------------------------------------------


def modules(bench: Bench, **texts: str) -> dict[str, str]:
    for name, text in texts.items():
        program(bench, text, f"lib/{name}.py")
    return {"PYTHONPATH": str(bench.folder / "lib")}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import threading, time; threading.Thread(target=time.sleep, args=(99,), daemon=True, name='busy').start()",
         "importing started threads of Python (busy): children of a process with threads may hang"),
        ("1 / 0", "module cannot be imported: ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(1)", "module cannot be imported: SystemExit: 1"),
        ("import os; os.write(2, b'no room'); os._exit(9)", "the process that had imported died"),
        ("import ctypes; ctypes.string_at(0)", "the process that had imported died"),
    ],
)  # fmt: skip
def test_a_module_that_does_not_allow_it(bench: Bench, text: str, why: str) -> None:
    (bench.folder / "lib").mkdir()
    env = modules(bench, module=text)
    name = program(bench, "print('ran')")
    for _ in range(2):
        ended = run(bench, name, env=env, warm=("module",))
        assert (ended.code, ended.output) == (0, b"ran\n")
        assert ended.fresh.startswith(why), ended.fresh
    assert ("no room" in ended.fresh) == ("no room" in text)


def test_a_missing_module_and_one_that_was_only_guessed(bench: Bench) -> None:
    name = program(bench, "print('ran')")
    assert "No module named 'nowhere'" in run(bench, name, warm=("nowhere",)).fresh
    assert run(bench, name, warm=("nowhere?", "numpy.nowhere.at?", "numpy?")).fresh == ""
    (bench.folder / "lib").mkdir()
    env = modules(bench, own="raise RuntimeError")
    assert run(bench, name, env=env, warm=("own?",)).fresh == "", "not installed: not imported"


def test_a_file_that_hides_a_module_is_the_one_that_counts(bench: Bench) -> None:
    (bench.folder / "numpy.py").write_text("x = 'mine'")
    name = program(bench, "import numpy; print(numpy.x)")
    ended = run(bench, name)
    assert ended.output == b"mine\n"
    assert ended.fresh == f"files in {bench.folder} hide modules of the same name: numpy"


def test_what_is_no_program_fails_as_ever(bench: Bench) -> None:
    fresh, warm = run(bench, "nowhere.py", warm=None), run(bench, "nowhere.py")
    assert (warm.code, warm.output) == (fresh.code, fresh.output)
    assert warm.fresh == "nowhere.py is no Python file"


def test_one_that_has_died_is_done_without(bench: Bench) -> None:
    name = program(bench, "import os; print(os.getppid())")
    warden = int(run(bench, name).output)
    server = next(p for p, row in warden_tree.table().items() if row.parent == warden)
    os.kill(server, signal.SIGKILL)
    wait_for(lambda: dead(server))
    ended = run(bench, name)
    assert (ended.code, ended.fresh) == (0, "the process that had imported died (signal 9)")


def test_there_are_no_more_than_a_few_at_a_time(bench: Bench) -> None:
    name = program(bench, "import os; print(os.getppid())")
    for i in range(7):
        ended = run(bench, name, env={"TOLD": str(i)}, warm=("email",))
        assert ended.fresh == ""
    warden = int(ended.output)
    wait_for(lambda: len(children(warden)) <= 4)


def children(pid: int) -> list[int]:
    return [p for p, row in warden_tree.table().items() if row.parent == pid and not row.ended]


# --- how it is ended --------------------------------------------------------------------------


def test_stopped_while_it_imports_and_while_it_runs(bench: Bench) -> None:
    (bench.folder / "lib").mkdir()
    env = modules(bench, slow="import time; time.sleep(1.5)")
    name = program(bench, "import time; open('began', 'w').close(); time.sleep(99)")
    began = time.monotonic()
    with pytest.raises(TimedOut):
        run(bench, name, env=env, warm=("slow",), timeout=0.3)
    assert time.monotonic() - began < 1.2
    assert not (bench.folder / "began").exists()
    with pytest.raises(TimedOut):
        run(bench, name, env=env, warm=("slow",), timeout=3)
    assert (bench.folder / "began").exists()
    threading.Timer(0.5, bench.cancel.set).start()
    with pytest.raises(Cancelled):
        run(bench, name, env=env, warm=("slow",))


HOSTILE = {
    "deaf": "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(99)",
    "grandchildren": """
        import os, signal, time
        for name in "ab":
            if os.fork() == 0:
                os.setsid(); signal.signal(15, signal.SIG_IGN)
                with open(name, "w") as file: print(os.getpid(), file=file)
                time.sleep(99)
        print(1, flush=True); time.sleep(99)
    """,
}


@pytest.mark.parametrize("title", HOSTILE)
def test_one_that_does_not_want_to_end(bench: Bench, title: str) -> None:
    name = program(bench, HOSTILE[title])
    with pytest.raises(TimedOut):
        run(bench, name, timeout=1.5, grace=0.3)
    for each in bench.folder.glob("[ab]"):
        assert dead(number_in(each))
    ended = run(bench, program(bench, "print('next')"))
    assert (ended.output, ended.fresh) == (b"next\n", "")


def test_a_million_lines_arrive(bench: Bench) -> None:
    heard = 0

    def hear(line: str) -> None:
        nonlocal heard
        heard += 1

    name = program(bench, "import sys\nfor i in range(1_000_000): sys.stdout.write('line\\n')")
    ended = bench.run(sys.executable, name, env=ENV, on_line=hear, warm=Warm(MODULES))
    assert (ended.code, ended.fresh, heard) == (0, "", 1_000_000)


def test_what_it_leaves_behind_ends_with_it(bench: Bench) -> None:
    text = """
        import subprocess
        child = subprocess.Popen(["sleep", "99"])
        with open("pid", "w") as file: print(child.pid, file=file)
    """
    assert run(bench, program(bench, text)).code == 0
    wait_for(lambda: not alive(number_in(bench.folder / "pid")))


def test_nothing_is_left_when_lab_has_closed(bench: Bench) -> None:
    name = program(bench, "import os; print(os.getppid())")
    warden = int(run(bench, name).output)
    servers = children(warden)
    assert servers
    bench.processes.close()
    assert dead(warden, *servers)


def test_five_hundred(bench: Bench) -> None:
    name = program(bench, "import os, sys; print(os.getppid()); sys.stdout.flush(); os._exit(0)")
    warden = int(run(bench, name).output)
    server = children(warden)[0]
    run_many(bench, name, 50)
    before = held(warden), held(server)
    run_many(bench, name, 450)
    assert children(warden) == [server]
    after = held(warden), held(server)
    assert [each[0] for each in after] == [each[0] for each in before], "descriptors"
    assert all(b[1] - a[1] < 2**20 for a, b in zip(before, after, strict=True)), "memory"


def run_many(bench: Bench, name: str, count: int) -> None:
    numbers, faults = iter(range(count)), list[str]()

    def work() -> None:
        for _ in numbers:
            ended = run(bench, name)
            if ended.code or ended.fresh:
                faults.append(f"{ended.code} {ended.fresh}")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not faults


def held(pid: int) -> tuple[int, int]:
    """How many descriptors a process has, and how much memory."""
    with open(f"/proc/{pid}/statm") as file:
        pages = int(file.read().split()[1])
    return len(os.listdir(f"/proc/{pid}/fd")), pages * os.sysconf("SC_PAGE_SIZE")
