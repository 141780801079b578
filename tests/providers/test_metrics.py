"""Metrics from what a program prints, from JSON lines and from event files."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kinds.training import StdoutMetrics
from lab.provider import Refused
from providers.local._curve import MOST_POINTS, Curve, Point, point_of, read_curve, write_curve
from providers.local._event_files import EventFile, event_files
from providers.local._metrics import Events, Lines, Origin, Printed, source_of, summary_of

EVENTS = Path(__file__).parent / "events"


def printed(*lines, pattern=None):
    source = Printed(pattern, Curve())
    for line in lines:
        source.hear(line)
    return source


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("accuracy=0.9", {"accuracy": 0.9}),
        ("loss = 1e-4, val/acc=-.5; n=3", {"loss": 1e-4, "val/acc": -0.5, "n": 3.0}),
        ("[INFO] {loss=0.5}", {"loss": 0.5}),
        ("loss=nan", {"loss": math.nan}),
        ("url=http://x?a=1 ok", {}),
        ("version=1.2.3", {}),
        ("lr=0.1s", {}),
        ("if a == 3:", {}),
        ("nothing", {}),
    ],
)
def test_pairs_in_a_line(line, values):
    assert printed(line).curve.last == pytest.approx(values, nan_ok=True)


def test_an_epoch_and_a_step_are_axes():
    source = printed("epoch=1 loss=0.9", "epoch 2/15 loss=0.5", "step=7 loss=0.4", "loss=0.3")
    assert list(source.curve) == [
        Point({"loss": 0.9}, epoch=1),
        Point({"loss": 0.5}, epoch=2),
        Point({"loss": 0.4}, step=7),
        Point({"loss": 0.3}),
    ]
    assert source.curve.last == {"loss": 0.3}


def test_an_epoch_told_again_replaces_what_was_told():
    source = printed("epoch 7 loss=0.5 acc=1", "epoch 7 loss=0.4", "epoch 8 loss=0.3")
    assert list(source.curve) == [
        Point({"loss": 0.4, "acc": 1.0}, epoch=7),
        Point({"loss": 0.3}, epoch=8),
    ]


def test_a_pattern_of_one_s_own():
    pattern = r"(?P<name>\w+): (?P<value>[-+.\deE]+)"
    assert printed("54/54 - 1s - accuracy: 0.9 - loss: 0.25 x: -", pattern=pattern).curve.last == {
        "accuracy": 0.9,
        "loss": 0.25,
    }


@pytest.mark.parametrize(
    ("pattern", "told"),
    [("(", "no regular expression"), (r"(\w+)=(.+)", "no groups `name` and `value`")],
)
def test_a_pattern_that_cannot_work_is_refused_before_anything_runs(pattern, told):
    asked = StdoutMetrics(source="stdout", pattern=pattern)
    with pytest.raises(Refused, match=told):
        source_of(asked, "/lab", Origin(file="/f", since=0.0))


def test_only_the_beginning_of_a_long_line_is_looked_at():
    assert printed("a=1 " + "x" * 100_000 + " b=2").curve.last == {"a": 1.0}


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Epoch 3/15", ("epoch 3/15", 0.2)),
        ("epoch: 4 of 8", ("epoch 4/8", 0.5)),
        ("=== EPOCH [2/4] ===", ("epoch 2/4", 0.5)),
        ("epoch=5", ("epoch 5", None)),
        ("epochal", ("", None)),
    ],
)
def test_how_far_it_is(line, shown):
    assert summary_of(printed(line))[:2] == shown


def test_people_see_no_values_that_are_no_numbers():
    assert summary_of(printed("loss=nan acc=0.5"))[2] == {"acc": 0.5}


def test_what_people_see_is_bounded():
    curve = Curve()
    for n in range(2000):
        curve.add(Point({f"m{n}": 1.0}))
    assert len(curve.last) == 1000
    curve = Curve()
    for n in range(MOST_POINTS + 5):
        curve.add(Point({"m": float(n)}, step=n))
    assert len(list(curve)) == MOST_POINTS
    assert curve.last == {"m": MOST_POINTS + 4.0}


# --- JSON lines -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "point"),
    [
        ('{"epoch": 1, "step": 5, "loss": 0.5}', Point({"loss": 0.5}, 1, 5)),
        ('{"loss": 1, "ok": true, "name": "x", "l": [1]}', Point({"loss": 1.0})),
        ('{"epoch": 1}', None),
        ("[1]", None),
        ("{", None),
        ('{"a": ' + "9" * 400 + "}", None),
        ("[" * 100_000, None),
    ],
)
def test_a_line_as_a_point(line, point):
    assert point_of(line) == point


def test_lines_are_read_as_they_come(tmp_path):
    path = tmp_path / "m.jsonl"
    source = Lines(str(path))
    source.poll()
    path.write_text('{"epoch": 1, "loss": 3}\n{"epoch": 2, "lo')
    source.poll()
    assert source.curve.last == {"loss": 3.0}
    with path.open("a") as file:
        file.write('ss": 2}\n')
    source.poll()
    assert source.curve.last == {"loss": 2.0}
    assert len(list(source.curve)) == 2


def test_a_file_written_anew_counts_anew(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_text('{"epoch": 1, "loss": 3}\n{"epoch": 2, "loss": 2}\n')
    source = Lines(str(path))
    source.poll()
    other = tmp_path / "other"
    other.write_text('{"epoch": 1, "loss": 3}\n')
    os.replace(other, path)
    source.poll()
    assert source.curve.last == {"loss": 3.0}


def test_a_curve_can_be_written_and_read(tmp_path):
    curve = Curve()
    for point in (Point({"a": 1.0, "b": math.inf}, 1, 10), Point({"a": 2.0}), Point({"a": 3.0}, 2)):
        curve.add(point)
    path = str(tmp_path / "curve.jsonl")
    write_curve(curve, path)
    assert list(read_curve(path)) == list(curve)
    assert [p.name for p in tmp_path.iterdir()] == ["curve.jsonl"]


# --- event files ------------------------------------------------------------------------------


def events(folder, since=0.0):
    source = Events(str(folder), since)
    source.poll()
    return source


def test_keras_s_files_give_keras_s_names():
    last = events(EVENTS / "keras").curve.last
    assert last == pytest.approx(
        {
            "accuracy": 0.5416666865348816,
            "loss": 0.7427657246589661,
            "learning_rate": 0.001,
            "val_accuracy": 0.5,
            "val_loss": 0.8315805196762085,
        }
    )


def test_an_epoch_of_keras_is_one_point():
    curve = list(events(EVENTS / "keras").curve)
    assert [point.epoch for point in curve] == [1, 2, 3]
    assert curve[0].values["val_loss"] == pytest.approx(0.8368930816650391)
    assert curve[0].values["loss"] == pytest.approx(0.7455182075500488)


def test_the_folder_may_be_keras_s_own_run():
    assert "val_accuracy" in events(EVENTS / "keras/validation").curve.last


def test_scalars_of_tensorflow_and_nothing_else():
    curve = events(EVENTS / "plain").curve
    assert curve.last == pytest.approx({"loss": 1 / 6, "whole": 7.0})
    assert [point.step for point in curve] == [0, 10, 20]


def test_tensorboardx_s_files():
    curve = events(EVENTS / "tensorboardx").curve
    assert curve.last == pytest.approx({"loss/train": 1 / 3})


def test_a_folder_of_the_time_is_no_part_of_a_name(tmp_path):
    shutil.copytree(EVENTS / "keras", tmp_path / "20260101-120000")
    assert "val_accuracy" in events(tmp_path).curve.last


def test_several_runs_are_told_apart(tmp_path):
    for fold in ("fold1", "fold2"):
        shutil.copytree(EVENTS / "keras", tmp_path / fold)
    assert {"fold1/val_accuracy", "fold2/val_accuracy"} <= set(events(tmp_path).curve.last)


def test_files_of_an_earlier_training_do_not_count(tmp_path):
    shutil.copytree(EVENTS / "keras", tmp_path / "logs")
    for path in event_files(str(tmp_path)):
        os.utime(path, (1000, 1000))
    assert events(tmp_path, since=2000.0).curve.last == {}


def test_no_folder_yet(tmp_path):
    assert events(tmp_path / "none").curve.last == {}


@pytest.mark.parametrize("size", [0, 5, 12, 40, 300])
def test_a_file_read_while_it_grows(tmp_path, size):
    data = (EVENTS / "plain/events.out.tfevents.1795454075.host.2.v2").read_bytes()
    path = tmp_path / "e.tfevents.1"
    path.write_bytes(data[:size])
    file = EventFile(str(path))
    first = list(file.scalars())
    with path.open("ab") as more:
        more.write(data[size:])
    assert len(first + list(file.scalars())) == 6
    assert list(file.scalars()) == []


@given(st.integers(0, 3000), st.integers(1, 255))
def test_a_damaged_file_ends_in_fewer_scalars(tmp_path_factory, at, flip):
    data = bytearray((EVENTS / "plain/events.out.tfevents.1795454075.host.2.v2").read_bytes())
    data[at % len(data)] ^= flip
    path = tmp_path_factory.mktemp("e") / "e.tfevents.1"
    path.write_bytes(data)
    found = list(EventFile(str(path)).scalars())
    assert len(found) < 6 or {s.value for s in found} == {s.value for s in _sound()}


def _sound():
    return EventFile(str(EVENTS / "plain/events.out.tfevents.1795454075.host.2.v2")).scalars()


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_a_fault(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("e") / "e.tfevents.1"
    path.write_bytes(data)
    list(EventFile(str(path)).scalars())


def test_json_of_a_curve_is_a_line_a_point(tmp_path):
    curve = Curve()
    curve.add(Point({"loss": 0.5}, epoch=1, step=10))
    write_curve(curve, str(tmp_path / "c"))
    assert json.loads((tmp_path / "c").read_text()) == {"epoch": 1, "step": 10, "loss": 0.5}


def test_a_pattern_that_tries_for_ever_is_refused():
    source = source_of(
        StdoutMetrics(source="stdout", pattern=r"^(?P<name>(a|a)*)(?P<value>[0-9])$"),
        "/",
        Origin(file="", since=0),
    )
    with pytest.raises(Refused, match="took longer than 1 s"):
        source.hear("a" * 60 + "!")


def test_a_pipe_or_a_device_is_no_file_of_metrics(tmp_path):
    os.mkfifo(tmp_path / "metrics.jsonl")
    source = source_of(None, "/", Origin(file=str(tmp_path / "metrics.jsonl"), since=0))
    with pytest.raises(Refused, match="is no file"):
        source.poll()
    os.mkfifo(tmp_path / "x.tfevents.1")
    assert list(EventFile(str(tmp_path / "x.tfevents.1")).scalars()) == []


def test_a_file_of_metrics_without_end_is_read_in_pieces(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"x" * 9_000_000 + b'\n{"loss": 0.5}\n')
    source = source_of(None, "/", Origin(file=str(path), since=0))
    source.poll()
    assert source.curve.last == {"loss": 0.5}
