"""Which step may start next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.labfile import Resources
from lab.running.schedule import Demand, Limits, Schedule, critical_paths


def needs_of(text: str) -> dict[str, tuple[str, ...]]:
    """`a b<a` means that b needs a."""
    found = {}
    for word in text.split():
        name, _, upstreams = word.partition("<")
        found[name] = tuple(upstreams.split(",")) if upstreams else ()
    return found


def simulated(
    text: str,
    *,
    jobs: int = 99,
    cpu: float = 99.0,
    gpu: int = 99,
    memory: int = 99,
    demands: Mapping[str, Demand] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> str:
    """Steps grouped by the moment at which they start; each lasts as long as it says, else a second."""
    needs = needs_of(text)
    schedule = Schedule(
        needs,
        limits=Limits(jobs=jobs, cpu=cpu, gpu=gpu, memory=memory),
        demands=demands or {},
        seconds=seconds or {},
    )
    groups, running, now = [], {}, 0.0
    while not schedule.finished:
        while (address := schedule.ready()) is not None:
            schedule.hold(address)
        started = schedule.startable()
        if started:
            groups.append(" ".join(started))
        running.update({a: now + (seconds or {}).get(a, 1.0) for a in started})
        assert schedule.running == set(running)
        now = min(running.values())
        for address in [a for a, end in running.items() if end == now]:
            del running[address]
            schedule.end(address)
    return " | ".join(groups)


def cpu(cores: float) -> Demand:
    return Demand(Resources(cpu=cores))


def mutex(*names: str) -> Demand:
    return Demand(mutex=names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b c", "a b c"),
        ("a b<a c<b", "a | b | c"),
        ("a b<a c<a d<b,c", "a | b c | d"),
        ("x a b<a c<b", "a x | b | c"),
        ("", ""),
        ("a<left_out b<a", "a | b"),
    ],
)
def test_what_needs_nothing_starts_at_once(text: str, expected: str) -> None:
    assert simulated(text) == expected


@pytest.mark.parametrize(
    ("text", "jobs", "expected"),
    [
        ("a b c d", 2, "a b | c d"),
        ("a b c", 1, "a | b | c"),
        ("x y a b<a c<b", 1, "a | b | x | y | c"),
    ],
)
def test_no_more_than_so_many_at_once(text: str, jobs: int, expected: str) -> None:
    assert simulated(text, jobs=jobs) == expected


def test_the_longest_path_goes_first() -> None:
    assert simulated("x a b<a c<b", jobs=1) == "a | b | x | c"
    assert simulated("short long", jobs=1, seconds={"short": 1.0, "long": 9.0}) == "long | short"
    measured = {"a": 1.0, "b": 1.0, "x": 5.0}
    assert simulated("a b<a x", jobs=1, seconds=measured) == "x | a | b"


def test_what_is_equally_urgent_goes_in_the_authors_order() -> None:
    assert simulated("c a d b", jobs=1) == "c | a | d | b"


def test_critical_paths() -> None:
    paths = critical_paths(needs_of("a b<a c<a d<b,c"), {"a": 1, "b": 5, "c": 2, "d": 1})
    assert paths == {"a": 7, "b": 6, "c": 3, "d": 1}
    assert critical_paths(needs_of("a b<a"), {}) == {"a": 2.0, "b": 1.0}
    assert critical_paths(needs_of("b<gone"), {}) == {"b": 1.0}


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        ({"a": mutex("m"), "b": mutex("m"), "c": mutex("m")}, "a | b | c"),
        ({"a": mutex("m"), "c": mutex("m")}, "a b | c"),
        ({"a": mutex("m"), "b": mutex("n")}, "a b c"),
        ({"a": mutex("m", "n"), "b": mutex("n", "o"), "c": mutex("o")}, "a c | b"),
    ],
)
def test_a_mutex_lets_one_in(demands: Mapping[str, Demand], expected: str) -> None:
    assert simulated("a b c", demands=demands) == expected


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        ({"a": cpu(2), "b": cpu(2), "c": cpu(2)}, "a b | c"),
        ({"a": cpu(3), "b": cpu(2), "c": cpu(1)}, "a c | b"),
        ({"a": cpu(0.5), "b": cpu(3.5), "c": cpu(0.5)}, "a b | c"),
        ({"a": cpu(0.1), "b": cpu(0.2), "c": cpu(3.7)}, "a b c"),
        ({}, "a b c"),
        ({"a": cpu(64), "b": cpu(64), "c": cpu(1)}, "a | b | c"),
        ({"a": cpu(64)}, "a b c"),
    ],
)
def test_cores_are_counted_and_a_wish_beyond_the_machine_is_all_of_it(
    demands: Mapping[str, Demand], expected: str
) -> None:
    assert simulated("a b c", cpu=4.0, demands=demands) == expected


def test_gpus_and_memory_are_counted() -> None:
    wish = {n: Demand(Resources(gpu=1)) for n in "abc"}
    assert simulated("a b c", gpu=2, demands=wish) == "a b | c"
    assert simulated("a b c", gpu=0, demands=wish) == "a | b | c"
    wish = {n: Demand(Resources(memory=6)) for n in "abc"}
    assert simulated("a b c", memory=10, demands=wish) == "a | b | c"
    assert simulated("a b c", memory=12, demands=wish) == "a b | c"


def test_what_does_not_fit_lets_others_pass() -> None:
    demands = {"a": cpu(3), "b": cpu(3), "c": cpu(1)}
    assert simulated("a b c", cpu=4.0, demands=demands) == "a c | b"


def test_who_waits_for_whom() -> None:
    schedule = Schedule(
        needs_of("x a b<a c<b,x"),
        limits=Limits(jobs=1, cpu=1.0),
        demands={},
        seconds={"x": 0.5},
    )
    assert schedule.waiting_for("c") == ["b", "x"]
    schedule.end("x")
    assert schedule.waiting_for("c") == ["b"]


NAMES = [f"s{i}" for i in range(9)]


@given(
    st.lists(st.sets(st.integers(0, 8), max_size=3), min_size=9, max_size=9),
    st.lists(
        st.tuples(
            st.sampled_from([0.0, 0.5, 1.0, 3.0, 9.0]),
            st.integers(0, 3),
            st.integers(0, 12),
            st.sets(st.sampled_from("mno"), max_size=2),
        ),
        min_size=9,
        max_size=9,
    ),
    st.integers(1, 4),
    st.randoms(use_true_random=False),
)
def test_limits_are_respected_and_everything_runs(
    edges: Sequence[set[int]],
    wishes: Sequence[tuple[float, int, int, set[str]]],
    jobs: int,
    chance: object,
) -> None:
    needs = {f"s{i}": tuple(f"s{j}" for j in sorted(ups) if j < i) for i, ups in enumerate(edges)}
    demands = {
        f"s{i}": Demand(Resources(cpu=c, gpu=g, memory=m), tuple(sorted(names)))
        for i, (c, g, m, names) in enumerate(wishes)
    }
    limits = Limits(jobs=jobs, cpu=4.0, gpu=2, memory=10)
    schedule = Schedule(needs, limits=limits, demands=demands, seconds={})
    ended: set[str] = set()
    while not schedule.finished:
        while (address := schedule.ready()) is not None:
            assert set(needs[address]) <= ended
            schedule.hold(address)
        schedule.startable()
        running = sorted(schedule.running)
        assert running, "nothing runs and nothing can start: that would be for ever"
        assert_within(running, demands, limits)
        over = chance.choice(running)  # type: ignore[attr-defined]
        schedule.end(over)
        ended.add(over)
    assert ended == set(NAMES)


def assert_within(running: list[str], demands: Mapping[str, Demand], limits: Limits) -> None:
    assert len(running) <= limits.jobs
    wishes = [demands[a].resources for a in running]
    if len(running) > 1:
        for taken, room in (
            (sum(w.cpu for w in wishes), limits.cpu),
            (sum(w.gpu for w in wishes), limits.gpu),
            (sum(w.memory for w in wishes), limits.memory),
        ):
            assert taken <= room or sum(bool(w) for w in _nonzero(wishes, room)) <= 1
    held = [name for a in running for name in demands[a].mutex]
    assert len(held) == len(set(held))


def _nonzero(wishes: Sequence[Resources], room: float) -> list[float]:
    """Those who asked for what is overdrawn: one alone may, for it has the whole machine."""
    for name, limit in (("cpu", 4.0), ("gpu", 2), ("memory", 10)):
        if limit == room:
            return [getattr(w, name) for w in wishes]
    return []


def test_gpus_are_lent_by_name_and_come_back() -> None:
    wish = Demand(Resources(gpu=1))
    schedule = Schedule(
        {"a": (), "b": (), "c": ()},
        limits=Limits(jobs=3, cpu=3, gpu=2, devices=("4", "7")),
        demands={"a": wish, "b": wish, "c": wish},
        seconds={},
    )
    while address := schedule.ready():
        schedule.hold(address)
    assert schedule.startable() == ["a", "b"]
    assert (schedule.devices_of("a"), schedule.devices_of("b")) == (("4",), ("7",))
    schedule.end("a")
    assert schedule.startable() == ["c"]
    assert schedule.devices_of("c") == ("4",)
    assert schedule.devices_of("a") == ()


def test_cores_are_lent_by_number_each_its_own_while_there_are_enough() -> None:
    demands = {"a": cpu(1), "b": cpu(2), "c": cpu(1), "d": cpu(4), "e": Demand()}
    schedule = Schedule(
        dict.fromkeys("abcde", ()),
        limits=Limits(jobs=9, cpu=4, cores=(2, 3, 0, 1)),
        demands=demands,
        seconds={},
    )
    while address := schedule.ready():
        schedule.hold(address)
    assert schedule.startable() == ["a", "b", "c", "e"]
    assert [schedule.cores_of(a) for a in "abc"] == [(2,), (0, 3), (1,)]
    assert schedule.cores_of("e") == (), "who asks for none runs where it likes"
    for address in "abc":
        schedule.end(address)
    assert schedule.startable() == ["d"]
    assert schedule.cores_of("d") == (), "the whole machine needs no keeping to it"


def test_parts_of_a_core_are_shared_evenly() -> None:
    demands = {name: cpu(0.5) for name in "abcd"}
    schedule = Schedule(
        dict.fromkeys("abcd", ()),
        limits=Limits(jobs=9, cpu=2, cores=(0, 1)),
        demands=demands,
        seconds={},
    )
    while address := schedule.ready():
        schedule.hold(address)
    assert len(schedule.startable()) == 4
    assert [schedule.cores_of(a) for a in "abcd"] == [(0,), (1,), (0,), (1,)]
