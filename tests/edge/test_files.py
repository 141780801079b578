"""A digest says what is in a file now; nothing is hashed twice, and nothing stale is believed."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from lab.edge import files as files_module
from lab.edge import hash_cache
from lab.edge.files import Files, hash_file
from lab.edge.hash_cache import HashCache, settles_in, stamp_of
from lab.model.diagnostic import PlanError
from lab.model.values import Artifact

SECOND = 1_000_000_000


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes were hashed, one entry for each time."""
    sizes: list[int] = []
    real = files_module.hash_handle

    def counting(handle: int) -> str:
        sizes.append(os.fstat(handle).st_size)
        return real(handle)

    monkeypatch.setattr(files_module, "hash_handle", counting)
    return sizes


def settle(*paths: Path) -> None:
    """Waits until what was just written can be hashed for good."""
    for path in paths:
        while settles_in(stamp_of(path.stat()), time.time_ns()) > -20_000_000:
            time.sleep(0.02)


def sha(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class TestDigest:
    def test_a_file_is_its_bytes_and_its_executable_bit(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        path.write_bytes(b"hello")
        files = Files(str(tmp_path))
        plain = files.digest("a.txt")
        assert plain == sha(b"hello") == files.digest(str(path)) == files.digest("./x/../a.txt")
        path.chmod(0o755)
        runs = files.digest("a.txt")
        assert runs is not None
        assert runs.startswith("sha256:")
        assert runs != plain
        path.chmod(0o640)
        assert files.digest("a.txt") == plain

    @pytest.mark.parametrize("size", [0, 1, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 3_000_001])
    def test_every_byte_counts(self, tmp_path: Path, size: int) -> None:
        content = random.Random(size).randbytes(size)
        path = tmp_path / "data"
        path.write_bytes(content)
        assert hash_file(str(path)) == hashlib.sha256(content).hexdigest()
        assert Files(str(tmp_path)).digest("data") == sha(content)

    def test_what_is_not_there_has_none(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        (tmp_path / "dangling").symlink_to("nowhere")
        (tmp_path / "loop").symlink_to("loop")
        os.mkfifo(tmp_path / "pipe")
        files = Files(str(tmp_path))
        for path in ("none", "file/below", "dangling", "loop", "pipe", "a\0b", "x" * 5000):
            assert files.digest(path) is None
            assert files.artifact(path) is None
        assert not files.exists("none")
        assert not files.exists("a\0b")
        assert not files.is_dir("file")
        assert files.exists("file")
        assert files.is_dir(".")
        assert [path for path in ("none", ".", "file", "pipe") if files.is_file(path)] == [
            "file",
            "pipe",
        ]

    def test_an_artifact_has_its_absolute_path_and_size(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "m").write_bytes(b"123")
        (tmp_path / "out" / "n").write_bytes(b"4567")
        files = Files(str(tmp_path))
        assert files.artifact("out/m") == Artifact(f"{tmp_path}/out/m", sha(b"123"), 3)
        folder = files.artifact("out/")
        assert folder is not None
        assert (folder.path, folder.size) == (f"{tmp_path}/out", 7)

    def test_what_may_not_be_read_is_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "secret").touch()

        def refused(path: str) -> None:
            raise PermissionError(13, "Permission denied", path)

        monkeypatch.setattr(files_module, "open_plain", refused)
        with pytest.raises(PlanError, match=r"cannot read .*secret"):
            Files(str(tmp_path)).digest("secret")


class TestFolder:
    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        root = tmp_path / "lab"
        for name in ("src/a.py", "src/b/c.py", "src/b/d.py"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)
        return root

    def test_names_bytes_and_bits_count(self, tree: Path) -> None:
        def digest() -> str | None:
            return Files(str(tree)).digest("src")

        seen = {digest()}
        (tree / "src/b/c.py").write_text("new")
        seen.add(digest())
        (tree / "src/b/c.py").chmod(0o755)
        seen.add(digest())
        (tree / "src/b/c.py").rename(tree / "src/b/e.py")
        seen.add(digest())
        (tree / "src/b/e.py").rename(tree / "src/e.py")
        seen.add(digest())
        (tree / "src/e.py").unlink()
        seen.add(digest())
        (tree / "src/link").symlink_to("a.py")
        seen.add(digest())
        (tree / "src/link").unlink()
        (tree / "src/link").symlink_to("b")
        seen.add(digest())
        assert len(seen) == 8
        assert None not in seen

    def test_it_is_the_same_wherever_it_lies_and_whoever_wrote_it(
        self, tree: Path, tmp_path: Path
    ) -> None:
        (tree / "src/inside").symlink_to(tree / "src/a.py")
        before = Files(str(tree)).digest("src")
        tree.rename(tmp_path / "elsewhere")
        (tmp_path / "elsewhere/src/inside").unlink()
        (tmp_path / "elsewhere/src/inside").symlink_to(tmp_path / "elsewhere/src/a.py")
        os.utime(tmp_path / "elsewhere/src/a.py", (1, 1))
        (tmp_path / "elsewhere/src/a.py").chmod(0o600)
        assert Files(str(tmp_path / "elsewhere")).digest("src") == before

    def test_names_cannot_be_shifted(self, tmp_path: Path) -> None:
        contents = [{"a": "1", "b": "2"}, {"a 1\nb": "2"}, {"a": "12", "b": ""}, {"ab": "12"}]
        seen = set()
        for number, content in enumerate(contents):
            for name, text in content.items():
                path = tmp_path / str(number) / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
            seen.add(Files(str(tmp_path)).digest(str(number)))
        assert len(seen) == len(contents)

    def test_using_it_does_not_change_it(self, tree: Path) -> None:
        before = Files(str(tree)).digest(".")
        for name in (".lab/state.db", ".git/index", "src/__pycache__/a.pyc", "src/b/.git/x"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).touch()
        os.mkfifo(tree / "src/pipe")
        assert Files(str(tree)).digest(".") == before

    def test_links_lead_nowhere(self, tree: Path, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tree / "src/out").symlink_to(tmp_path / "outside")
        (tree / "src/loop").symlink_to("..")
        before = Files(str(tree)).digest("src")
        (tmp_path / "outside" / "new").touch()
        assert Files(str(tree)).digest("src") == before

    def test_a_folder_behind_a_link_is_itself(self, tree: Path) -> None:
        (tree / "data").symlink_to("src")
        assert Files(str(tree)).digest("data") == Files(str(tree)).digest("src")

    def test_big_files_by_threads_are_as_by_one(self, tmp_path: Path) -> None:
        for number in range(4):
            (tmp_path / "big").mkdir(exist_ok=True)
            (tmp_path / "big" / str(number)).write_bytes(bytes([number]) * 700_000)
        by_threads = Files(str(tmp_path)).digest("big")
        one = Files(str(tmp_path))
        for number in range(4):
            one.digest(f"big/{number}")
        assert one.digest("big") == by_threads

    def test_names_that_are_no_text(self, tmp_path: Path, hashed: list[int]) -> None:
        path = tmp_path / "odd" / os.fsdecode(b"a\xff\n")
        path.parent.mkdir()
        path.write_text("x")
        settle(path)
        with Files(str(tmp_path)) as files:
            before = files.digest("odd")
        with Files(str(tmp_path)) as files:
            assert files.digest("odd") == before
        assert hashed == [1]


class TestCache:
    def test_nothing_is_hashed_twice(self, tmp_path: Path, hashed: list[int]) -> None:
        for name in ("src/a", "src/b"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(name)
        settle(tmp_path / "src/a", tmp_path / "src/b")
        with Files(str(tmp_path)) as files:
            first = files.digest("src"), files.digest("src/a")
        with Files(str(tmp_path)) as files:
            assert (files.digest("src"), files.digest("src/a")) == first
        assert len(hashed) == 2

    def test_moving_the_checkout_hashes_nothing(self, tmp_path: Path, hashed: list[int]) -> None:
        old = tmp_path / "old"
        old.mkdir()
        (old / "a").write_text("a")
        settle(old / "a")
        with Files(str(old)) as files:
            files.digest("a")
        old.rename(tmp_path / "new")
        with Files(str(tmp_path / "new")) as files:
            assert files.digest("a") == sha(b"a")
        assert len(hashed) == 1

    def test_a_change_that_looks_like_none_is_seen(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_text("old")
        settle(path)
        with Files(str(tmp_path)) as files:
            assert files.digest("a") == sha(b"old")
            times = path.stat()
            path.write_text("new")
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            assert files.digest("a") == sha(b"new")
        settle(path)
        with Files(str(tmp_path)) as files:
            assert files.digest("a") == sha(b"new")
            other = tmp_path / "b"
            other.write_text("two")
            os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
            other.replace(path)
            assert files.digest("a") == sha(b"two")

    def test_quick_writes_are_never_mixed_up(self, tmp_path: Path) -> None:
        """Many writes of one size within ticks of the clock: each digest is of what is there."""
        path = tmp_path / "a"
        files = Files(str(tmp_path))
        for number in range(300):
            content = f"{number:05}".encode()
            with path.open("r+b" if number else "wb") as file:
                file.write(content)
            assert files.digest("a") == sha(content)

    def test_what_has_just_changed_is_not_remembered(
        self, tmp_path: Path, hashed: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a"
        path.write_text("a")
        changed = path.stat().st_ctime_ns
        clock = [changed + 50_000_000]
        monkeypatch.setattr(HashCache, "file_clock", lambda self: clock[0])
        files = Files(str(tmp_path))
        files.digest("a")
        files.digest("a")
        assert len(hashed) == 2
        clock[0] = changed + 2 * SECOND
        files.digest("a")
        files.digest("a")
        assert len(hashed) == 3

    def test_a_file_that_grows_while_it_is_hashed_is_hashed_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a"
        path.write_text("old")
        settle(path)
        real, writes = files_module.hash_handle, ["new", "newer"]

        def disturbed(handle: int) -> str:
            found = real(handle)
            if writes:
                path.write_text(writes.pop(0))
            return found

        monkeypatch.setattr(files_module, "hash_handle", disturbed)
        assert Files(str(tmp_path)).digest("a") == sha(b"newer")

    @pytest.mark.parametrize("content", [b"", b"rubbish" * 1000, b"SQLite format 3\0" * 100])
    def test_a_damaged_cache_is_made_anew(
        self, tmp_path: Path, hashed: list[int], content: bytes
    ) -> None:
        (tmp_path / "a").write_text("a")
        cache = tmp_path / ".lab" / "cache" / "hashes.db"
        cache.parent.mkdir(parents=True)
        cache.write_bytes(content)
        settle(tmp_path / "a")
        for _ in range(3):
            with Files(str(tmp_path)) as files:
                assert files.digest("a") == sha(b"a")
        assert len(hashed) == 1

    @pytest.mark.parametrize("seed", range(15))
    def test_damage_anywhere_is_no_error(self, tmp_path: Path, seed: int) -> None:
        for name in "abc":
            (tmp_path / name).write_text(name)
        settle(tmp_path / "c")
        with Files(str(tmp_path)) as files:
            files.digest(".")
        cache = tmp_path / ".lab" / "cache" / "hashes.db"
        rng, content = random.Random(seed), bytearray(cache.read_bytes())
        for _ in range(300):
            # Its header and its tables; a hash with another letter in it nobody could tell.
            content[rng.randrange(4096)] = rng.randrange(256)
        cache.write_bytes(content)
        for _ in range(2):
            with Files(str(tmp_path)) as files:
                assert files.digest("none") is None
                assert files.digest("a") is not None

    def test_a_busy_or_read_only_cache_is_done_without(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a").write_text("a")
        settle(tmp_path / "a")
        with Files(str(tmp_path)) as files:
            files.digest("a")
        (tmp_path / "b").write_text("b")
        settle(tmp_path / "b")
        monkeypatch.setattr(hash_cache, "_PATIENCE", 0.05)
        lock = sqlite3.connect(tmp_path / ".lab/cache/hashes.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        with Files(str(tmp_path)) as files:
            assert files.digest("b") == sha(b"b")
        lock.close()
        shutil.rmtree(tmp_path / ".lab")
        (tmp_path / ".lab").touch()
        with Files(str(tmp_path)) as files:
            assert files.digest("b") == sha(b"b")

    def test_nothing_is_written_where_nothing_was_hashed(self, tmp_path: Path) -> None:
        with Files(str(tmp_path)) as files:
            assert files.digest("none") is None
        assert list(tmp_path.iterdir()) == []


class TestSettling:
    @pytest.mark.parametrize(
        ("mtime", "ctime", "settled"),
        [
            (-5.5, -5.5, True),
            (-0.05, -0.05, False),
            (-0.15, -0.15, True),
            (-100.0, -0.05, False),
            (-1.5, -1.0, False),  # whole seconds: the clock's ticks may be that long
            (-3.5, -3.0, True),
            (1000.0, -5.5, True),  # set by hand
            (0.01, -5.5, False),
            (-5.5, 0.3, False),
        ],
    )
    def test_when_a_hash_will_hold(self, mtime: float, ctime: float, settled: bool) -> None:
        now = 1_700_000_000 * SECOND
        stamp = (1, now + round(mtime * SECOND), now + round(ctime * SECOND), 7)
        assert (settles_in(stamp, now) <= 0) == settled

    def test_the_clock_is_the_files_own(self, tmp_path: Path) -> None:
        cache = HashCache(str(tmp_path / "hashes.db"))
        before = cache.file_clock()
        (tmp_path / "a").touch()
        changed = (tmp_path / "a").stat().st_ctime_ns
        assert abs(changed - before) < SECOND
        assert before <= cache.file_clock() <= time.time_ns()


class TestText:
    def test_small_text_is_read(self, tmp_path: Path) -> None:
        files = Files(str(tmp_path))
        (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfprint('\xc3\xa9')\r\n")
        assert files.read_text("a.py") == "print('é')\r\n"

    @pytest.mark.parametrize("content", [b"\xff", b"a\0b", b"x" * (4 * 1024 * 1024 + 1)])
    def test_what_is_no_small_text_is_none(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a").write_bytes(content)
        assert Files(str(tmp_path)).read_text("a") is None

    def test_what_is_no_file_is_none(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in ("none", ".", "pipe", "a\0b"):
            assert Files(str(tmp_path)).read_text(path) is None


class TestGlob:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        for name in (
            "a.py", "b.txt", ".hidden", "src/c.py", "src/deep/d.py", "src/deep/[x].py",
            ".lab/state.db", ".git/e.py", "src/__pycache__/c.py", "data/1.csv",
        ):  # fmt: skip
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        (tmp_path / "src" / "loop").symlink_to("..")
        (tmp_path / "link").symlink_to("data")
        return tmp_path

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("*.py", ["a.py"]),
            ("**/*.py", ["a.py", "src/c.py", "src/deep/[x].py", "src/deep/d.py"]),
            ("src/**", ["src/c.py", "src/deep/[x].py", "src/deep/d.py"]),
            ("src/**/d.py", ["src/deep/d.py"]),
            ("**/**/c.py", ["src/c.py"]),
            ("*", [".hidden", "a.py", "b.txt"]),
            ("?.txt", ["b.txt"]),
            ("[ab].*", ["a.py", "b.txt"]),
            ("src/deep/[[]x].py", ["src/deep/[x].py"]),
            ("./src/*.py", ["src/c.py"]),
            ("link/*.csv", ["link/1.csv"]),
            ("a.py", ["a.py"]),
            ("src", []),
            ("none/*", []),
            ("", []),
        ],
    )
    def test_patterns(self, root: Path, pattern: str, expected: list[str]) -> None:
        assert Files(str(root)).glob(pattern) == expected

    def test_an_absolute_pattern_inside(self, root: Path) -> None:
        assert Files(str(root)).glob(f"{root}/src/*.py") == ["src/c.py"]

    @pytest.mark.parametrize("pattern", ["../*", "/etc/*", "../../**"])
    def test_patterns_do_not_leave_the_lab(self, root: Path, pattern: str) -> None:
        with pytest.raises(PlanError, match="leads out"):
            Files(str(root)).glob(pattern)

    def test_many_stars_look_into_each_folder_once(self, root: Path) -> None:
        deep = root.joinpath("many", *map(str, range(60)))
        deep.mkdir(parents=True)
        (deep / "end.txt").touch()
        pattern = "many/" + "**/*/" * 12 + "**/*.txt"
        assert Files(str(root)).glob(pattern) == [str(deep.relative_to(root) / "end.txt")]

    def test_links_in_circles_are_not_followed_for_ever(self, root: Path) -> None:
        for name in "abcdefghij":
            (root / f"circle-{name}").symlink_to(".")
        with pytest.raises(PlanError, match="circles"):
            Files(str(root)).glob("*/*/*/*/*/*/*/*/x")
        assert "circle-a" not in "".join(Files(str(root)).glob("**/*.py"))

    def test_nor_by_the_way(self, root: Path) -> None:
        assert Files(str(root / "src")).glob("deep/../../*.py") == []
