"""The ``dataset`` kind against a real server on loopback."""

from __future__ import annotations

import gzip
import hashlib
import io as memory
import os
import threading
import time
import zipfile
from pathlib import Path

import pytest
from loopback import Answer, serving

from lab.kinds.shape import to_spec
from lab.provider import Cancelled, Refused, Retry
from lab.testing import Conformance, RealIo, World, made, task_for
from providers.local import _fetch, dataset
from providers.local.dataset import Spec

pytestmark = pytest.mark.live  # real processes, files and servers, for seconds

DATA = bytes(range(256)) * 4096  # 1 MiB
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def world(tmp_path):
    return RealIo(tmp_path / "lab", address="data")


def fetch(world, **keys):
    spec = to_spec(Spec, keys)
    outputs = dataset.apply(task_for(world, spec), world)
    return outputs, made(world, spec, outputs)


def content(outputs):
    return Path(outputs["path"].path).read_bytes()


class TestDatasetConforms(Conformance):
    provider = dataset

    @pytest.fixture(autouse=True)
    def server(self):
        with serving(Answer(DATA, headers={"ETag": '"1"'})) as self.http:
            yield

    def good(self, world: World) -> dict:
        return {"url": f"{self.http.url}/mnist.npz", "sha256": SHA}

    def failing(self, world: World) -> dict:
        return {"url": f"{self.http.url}/mnist.npz", "sha256": "0" * 64}

    def slow(self, world: World) -> dict:
        self.http.answers = [Answer(DATA, cut=1000, stall=20)]
        return self.good(world)


class TestUnpackedDatasetConforms(Conformance):
    provider = dataset

    def good(self, world: World) -> dict:
        path = Path(world.root, "d.zip")
        path.write_bytes(zipped({"a/b.txt": b"hello"}))
        return {"url": "d.zip", "unpack": True, "path": "data/d"}


def zipped(files):
    buffer = memory.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def test_what_comes_of_a_download(world):
    with serving(Answer(DATA)) as server:
        outputs, _ = fetch(world, url=f"{server.url}/a%20b/mnist.npz?x=1", sha256=SHA.upper())
    assert outputs["path"].path == f"{world.directory}/mnist.npz"
    assert (outputs["sha256"], outputs["size"]) == (SHA, len(DATA))
    assert content(outputs) == DATA
    assert world.notes == []


def test_a_missing_hash_is_recorded_and_the_line_to_paste_is_told(world):
    with serving(Answer(DATA)) as server:
        outputs, _ = fetch(world, url=f"{server.url}/x")
    assert outputs["sha256"] == SHA
    assert any(f"    sha256: {SHA}" in note for note in world.notes)
    assert any(SHA in told.text for told in world.told)


def test_labs_share_the_store(tmp_path):
    with serving(Answer(DATA)) as server:
        keys = {"url": f"{server.url}/x", "sha256": SHA}
        first, _ = fetch(RealIo(tmp_path / "a"), **keys)
        second, _ = fetch(RealIo(tmp_path / "b"), **keys)
        assert len(server.asked) == 1
    assert os.path.samefile(first["path"].path, second["path"].path)
    assert first["path"].path != second["path"].path


def test_a_wrong_hash_is_refused_and_kept_nowhere(tmp_path, world):
    with serving(Answer(DATA)) as server, pytest.raises(Refused) as refused:
        fetch(world, url=f"{server.url}/x", sha256="0" * 64)
    assert "not the data that `sha256` names" in refused.value.summary
    assert f"sha256: {SHA}" in refused.value.detail
    files = [p for p in (tmp_path / "shared").rglob("*") if p.is_file()]
    assert [p.suffix for p in files] == [".lock"]


@pytest.mark.parametrize("pinned", [True, False])
def test_a_broken_connection_goes_on(world, pinned):
    about = {"ETag": '"1"'}
    keys = {"sha256": SHA} if pinned else {}
    with serving(Answer(DATA, headers=about, cut=300_000), Answer(DATA, headers=about)) as server:
        outputs, _ = fetch(world, url=f"{server.url}/x", **keys)
        assert server.asked[1]["range"] == "bytes=300000-"
        assert server.asked[1]["if-range"] == '"1"'
    assert content(outputs) == DATA


def test_a_killed_download_goes_on_in_the_next_run(tmp_path, world):
    with serving(Answer(DATA, cut=0), Answer(DATA, cut=500_000, stall=20), Answer(DATA)) as server:
        keys = {"url": f"{server.url}/x", "sha256": SHA}
        server.answers.pop(0)
        timer = threading.Timer(0.5, world.stop.set)
        timer.start()
        with pytest.raises(Cancelled):
            fetch(world, **keys)
        outputs, _ = fetch(RealIo(tmp_path / "lab", address="data"), **keys)
        assert server.asked[1]["range"] == "bytes=500000-"
    assert content(outputs) == DATA


def test_a_server_that_ignores_ranges_sends_all(world):
    with serving(Answer(DATA, cut=300_000), Answer(DATA, ranges=False)) as server:
        outputs, _ = fetch(world, url=f"{server.url}/x", sha256=SHA)
        assert "range" in server.asked[1]
    assert content(outputs) == DATA


def test_data_that_changed_meanwhile_is_fetched_from_its_beginning(world):
    other = DATA[::-1]
    old, new = {"ETag": '"1"'}, {"ETag": '"2"'}
    with serving(Answer(DATA, headers=old, cut=300_000), Answer(other, headers=new)) as server:
        outputs, _ = fetch(world, url=f"{server.url}/x")
    assert content(outputs) == other


def test_without_hash_and_validator_nothing_is_glued_together(world):
    with serving(Answer(DATA, cut=300_000), Answer(DATA[::-1])) as server:
        outputs, _ = fetch(world, url=f"{server.url}/x")
        assert "range" not in server.asked[1]
    assert content(outputs) == DATA[::-1]


def test_a_part_of_something_else_is_found_out_by_its_hash(tmp_path, world):
    with serving(Answer(DATA)) as server:
        part = tmp_path / f"shared/store/sha256/{SHA[:2]}/{SHA}.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(b"something else")
        outputs, _ = fetch(world, url=f"{server.url}/x", sha256=SHA)
        assert [("range" in asked) for asked in server.asked] == [True, False]
    assert content(outputs) == DATA


def test_a_part_that_is_whole_needs_nothing_more(tmp_path, world):
    with serving(Answer(DATA)) as server:
        part = tmp_path / f"shared/store/sha256/{SHA[:2]}/{SHA}.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(DATA)
        outputs, _ = fetch(world, url=f"{server.url}/x", sha256=SHA)
        assert len(server.asked) == 1
    assert content(outputs) == DATA


def test_a_line_that_always_breaks_is_another_attempt_s(world, monkeypatch):
    with serving(Answer(DATA, cut=0)) as server, pytest.raises(Retry, match="broke off"):
        fetch(world, url=f"{server.url}/x", sha256=SHA)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "after"),
    [
        (500, {}, Retry, None),
        (503, {"Retry-After": "7"}, Retry, 7),
        (429, {}, Retry, None),
        (404, {}, Refused, None),
        (403, {}, Refused, None),
    ],
)
def test_what_the_server_says(world, status, headers, kind, after):
    with serving(Answer(b"oops", status=status, headers=headers)) as server:
        with pytest.raises(kind, match=str(status)) as failed:
            fetch(world, url=f"{server.url}/x", sha256=SHA)
        assert getattr(failed.value, "after", None) == after


def test_a_server_that_recovers(world):
    with serving(Answer(status=500), Answer(DATA)) as server:
        with pytest.raises(Retry):
            fetch(world, url=f"{server.url}/x", sha256=SHA)
        outputs, _ = fetch(world, url=f"{server.url}/x", sha256=SHA)
    assert content(outputs) == DATA


def test_nobody_there(world):
    with serving(Answer()) as server:
        url = server.url
    with pytest.raises(Retry, match="cannot be reached"):
        fetch(world, url=f"{url}/x")


def test_a_silent_server(world, monkeypatch):
    monkeypatch.setattr(_fetch, "_SILENCE", 0.3)
    with serving(Answer(DATA, cut=0, stall=20)) as server, pytest.raises(Retry):
        fetch(world, url=f"{server.url}/x", sha256=SHA)


def test_data_without_a_length(world):
    with serving(Answer(DATA, length=False)) as server:
        outputs, _ = fetch(world, url=f"{server.url}/x")
    assert content(outputs) == DATA


def test_redirects_are_followed(world):
    with serving(Answer(DATA)) as server:
        server.answers = [Answer(status=302, headers={"Location": "/there"}), Answer(DATA)]
        outputs, _ = fetch(world, url=f"{server.url}/here.bin", sha256=SHA)
        assert server.paths == ["/here.bin", "/there"]
    assert outputs["path"].path.endswith("/here.bin")


def test_a_proxy_is_used(world, monkeypatch):
    with serving(Answer(DATA)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        fetch(world, url="http://data.example/x", sha256=SHA)
        assert proxy.paths == ["http://data.example/x"]


def test_a_password_is_sent_and_not_shown(world):
    with serving(Answer(DATA)) as server:
        url = server.url.replace("//", "//me:se%40cret@")
        fetch(world, url=f"{url}/x", sha256=SHA)
        assert server.asked[0]["authorization"] == "Basic bWU6c2VAY3JldA=="
        server.answers = [Answer(status=404)]
        with pytest.raises(Refused) as refused:
            fetch(world, url=f"{url}/y", sha256="1" * 64)
    kept = repr((refused.value.summary, refused.value.detail, world.memory, world.notes))
    assert "cret" not in kept


def test_unpinned_data_is_asked_for_again_only_if_it_changed(world):
    about = {"ETag": '"1"'}
    with serving(Answer(DATA, headers=about)) as server:
        fetch(world, url=f"{server.url}/x")
        outputs, _ = fetch(world, url=f"{server.url}/x")
        assert server.asked[1]["if-none-match"] == '"1"'
        assert content(outputs) == DATA
        server.answers = [Answer(DATA[::-1], headers={"ETag": '"2"'})]
        outputs, _ = fetch(world, url=f"{server.url}/x")
        assert content(outputs) == DATA[::-1]


def test_unpinned_data_is_used_when_nobody_answers(world):
    with serving(Answer(DATA, headers={"ETag": '"1"'})) as server:
        url = server.url
        fetch(world, url=f"{url}/x")
    outputs, _ = fetch(world, url=f"{url}/x")
    assert content(outputs) == DATA
    assert any("as it was fetched before" in note for note in world.notes)


@pytest.mark.live
def test_progress_in_bytes_and_time(world):
    with serving(Answer(DATA, cut=400_000, stall=1.5), Answer(DATA)) as server:
        fetch(world, url=f"{server.url}/x", sha256=SHA)
    texts = [told.text for told in world.told]
    assert any(text.startswith("0.4 of 1.0 MiB") and text.endswith(" s left") for text in texts)


def test_a_program_that_wrote_into_its_data_does_not_spoil_the_store(tmp_path):
    with serving(Answer(DATA)) as server:
        keys = {"url": f"{server.url}/x", "sha256": SHA}
        first, _ = fetch(RealIo(tmp_path / "a"), **keys)
        os.chmod(first["path"].path, 0o644)
        Path(first["path"].path).write_bytes(b"spoilt")
        second, _ = fetch(RealIo(tmp_path / "b"), **keys)
    assert content(second) == DATA


@pytest.mark.live
def test_two_labs_at_once_fetch_once(tmp_path):
    with serving(Answer(DATA, cut=500_000, stall=0.5), Answer(DATA)) as server:
        keys = {"url": f"{server.url}/x", "sha256": SHA}
        worlds = [RealIo(tmp_path / name) for name in "ab"]
        came: list[bytes] = []
        threads = [
            threading.Thread(target=lambda w=w: came.append(content(fetch(w, **keys)[0])))
            for w in worlds
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert came == [DATA, DATA]
        assert len(server.asked) == 2  # the second only goes on where the first broke


# --- local sources and places -----------------------------------------------------------------


@pytest.mark.parametrize("form", ["{name}", "./{name}", "file://{root}/{name}", "{root}/{name}"])
def test_local_sources(world, form):
    Path(world.root, "x y.bin").write_bytes(DATA)
    url = form.format(root=world.root, name="x y.bin")
    outputs, _ = fetch(world, url=url, sha256=SHA)
    assert outputs["path"].path == f"{world.directory}/x y.bin"
    assert content(outputs) == DATA


def test_a_changed_local_source_is_drift(world):
    source = Path(world.root, "x.bin")
    source.write_bytes(DATA)
    _, record = fetch(world, url="x.bin")
    assert dataset.observe(record, world).drift == ()
    os.utime(source, (1, 1))
    assert dataset.observe(record, world).drift == (), "only touched"
    source.unlink()
    source.write_bytes(b"new")
    assert [c.path for c in dataset.observe(record, world).drift] == ["sha256"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("gone.npz", "there is no .*gone.npz"),
        (".", "is a folder"),
        ("file://elsewhere/x", "names the machine elsewhere"),
        ("s3://bucket/x", "how to fetch `s3` URLs"),
        ("~/x", "there is no .*/~/x"),
    ],
)
def test_sources_that_cannot_be(world, url, told):
    with pytest.raises(Refused, match=told):
        fetch(world, url=url)


def test_a_place_in_the_lab(world):
    Path(world.root, "x.bin").write_bytes(DATA)
    outputs, _ = fetch(world, url="x.bin", path="data/here.bin")
    assert outputs["path"].path == f"{world.root}/data/here.bin"
    assert not Path(world.directory, "x.bin").exists()


def test_what_lies_at_the_place_is_not_overwritten(world):
    Path(world.root, "x.bin").write_bytes(DATA)
    Path(world.root, "mine.bin").write_bytes(b"precious")
    with pytest.raises(Refused, match="something else is at"):
        fetch(world, url="x.bin", path="mine.bin")
    assert Path(world.root, "mine.bin").read_bytes() == b"precious"


def test_the_same_data_may_lie_at_the_place(world):
    Path(world.root, "x.bin").write_bytes(DATA)
    Path(world.root, "mine.bin").write_bytes(DATA)
    fetch(world, url="x.bin", path="mine.bin")


def test_the_place_is_not_the_source(world):
    Path(world.root, "x.bin").write_bytes(DATA)
    with pytest.raises(Refused, match="where the data comes from"):
        fetch(world, url="x.bin", path="./x.bin")


def test_a_disk_without_links_gets_a_copy(world, monkeypatch):
    def no_links(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_links)
    Path(world.root, "x.bin").write_bytes(DATA)
    outputs, _ = fetch(world, url="x.bin", path="copy.bin")
    assert not os.path.samefile(outputs["path"].path, f"{world.root}/x.bin")
    assert content(outputs) == DATA


def test_no_room_is_said_before_the_disk_is_full(world, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage)
    with serving(Answer(DATA)) as server, pytest.raises(Refused, match="do not fit"):
        fetch(world, url=f"{server.url}/x", sha256=SHA)


def test_data_cut_short_is_drift_and_data_gone_is_gone(world):
    Path(world.root, "x.bin").write_bytes(DATA)
    outputs, record = fetch(world, url="x.bin", path="data.bin")
    path = Path(outputs["path"].path)
    path.unlink()
    path.write_bytes(b"short")
    assert [c.path for c in dataset.observe(record, world).drift] == ["size"]
    path.unlink()
    assert dataset.observe(record, world) is None


def test_stopping_does_not_wait_for_a_silent_server(world):
    with serving(Answer(DATA, cut=10, stall=20)) as server:
        threading.Timer(0.3, world.stop.set).start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            fetch(world, url=f"{server.url}/x")
        assert time.monotonic() - began < 2


def test_an_unpacked_folder_is_shared_and_mended(tmp_path):
    archive = gzip.compress(b"hello")
    sha = hashlib.sha256(archive).hexdigest()
    with serving(Answer(archive)) as server:
        keys = {"url": f"{server.url}/words.txt.gz", "sha256": sha, "unpack": True}
        first, _ = fetch(RealIo(tmp_path / "a"), **keys)
        file = Path(first["path"].path, "words.txt")
        assert file.read_bytes() == b"hello"
        os.chmod(file, 0o644)
        file.write_bytes(b"spoilt")
        second, _ = fetch(RealIo(tmp_path / "b"), **keys)
    assert Path(second["path"].path, "words.txt").read_bytes() == b"hello"
    assert Path(second["path"].path).name == "words.txt"
