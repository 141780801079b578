"""A team's database: who may use which lab of it, and what is said where it cannot be used."""

from __future__ import annotations

import builtins
import socket
from pathlib import Path
from typing import Any

import pytest
from journal_bench import run_started, started
from postgres import PASSWORD, SUPER, Postgres

from lab import __version__
from lab.edge.journal import Journal
from lab.edge.journal_storage import UnreachableError
from lab.edge.postgres import reach
from lab.edge.postgres_dsn import read_dsn
from lab.edge.postgres_schema import FORMAT
from lab.model.diagnostic import Diagnostic, StateError

LABFILE = "labfile: 1\nname: mnist\nsteps: {}\n"


def journal(dsn: str, root: Path, workspace: str = "") -> Journal:
    found = read_dsn(dsn, workspace)
    return Journal(found.place, str(root), reach(found, workspace))


def checkout(folder: Path, text: str = LABFILE) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Labfile.yaml").write_text(text)
    return str(folder / "Labfile.yaml")


def told(caught: pytest.ExceptionInfo[StateError]) -> Diagnostic:
    diagnostic = caught.value.diagnostics[0]
    for text in (diagnostic.summary, diagnostic.detail, diagnostic.help, str(caught.value)):
        assert PASSWORD not in text
    return diagnostic


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    return postgres.dsn(postgres.new_base("team"))


@pytest.mark.live
class TestWhoseLab:
    def test_two_checkouts_of_one_labfile_share_it(self, dsn: str, tmp_path: Path) -> None:
        one, two = checkout(tmp_path / "one"), checkout(tmp_path / "two")
        with journal(dsn, tmp_path / "one") as here, journal(dsn, tmp_path / "two") as there:
            mine = here.open("mnist", "", one, create=True)
            mine.append(run_started(), started("train"))
            assert list(there.open("mnist", "", two).load().records) == ["train"]
            yours = there.open("mnist", "", two, create=True)
            assert yours.row.key == mine.row.key

    def test_an_edited_labfile_is_known_by_its_checkout(self, dsn: str, tmp_path: Path) -> None:
        one = checkout(tmp_path / "one")
        with journal(dsn, tmp_path / "one") as here:
            here.open("mnist", "", one, create=True)
            checkout(tmp_path / "one", LABFILE + "description: x\n")
            here.open("mnist", "", one, create=True)
        two = checkout(tmp_path / "two", LABFILE + "description: x\n")
        with journal(dsn, tmp_path / "two") as there:
            there.open("mnist", "", two, create=True)

    def test_another_labfile_of_that_name_is_refused(self, dsn: str, tmp_path: Path) -> None:
        one = checkout(tmp_path / "one")
        other = checkout(tmp_path / "other", LABFILE + "# another\n")
        with journal(dsn, tmp_path / "one") as here:
            here.open("mnist", "", one, create=True)
        with journal(dsn, tmp_path / "other") as there:
            for create in (False, True):
                with pytest.raises(StateError, match="not made by this Labfile") as caught:
                    there.open("mnist", "", other, create=create)
                assert one in told(caught).detail
                assert "lab state join" in told(caught).help
            assert there.join("mnist", "", other) is not None
            there.open("mnist", "", other, create=True)
        assert not (tmp_path / "other" / ".lab" / "state.db").exists()

    def test_workspaces_do_not_meet_and_a_written_one_is_asked_nothing(
        self, dsn: str, tmp_path: Path
    ) -> None:
        one, other = checkout(tmp_path / "one"), checkout(tmp_path / "other", LABFILE + "# 2\n")
        with journal(dsn, tmp_path / "one") as plain, journal(dsn, tmp_path, "a") as a:
            plain.open("mnist", "", one, create=True).append(started("x"))
            assert a.labs() == []
            assert a.open("mnist", "", other, create=True).load().records == {}
        with journal(dsn, tmp_path / "one", "a") as a:
            assert a.open("mnist", "", one, create=True).load().key


@pytest.mark.live
class TestRefusals:
    def test_a_wrong_password(self, postgres: Postgres, dsn: str, tmp_path: Path) -> None:
        wrong = postgres.url("team", password="wrong-" + PASSWORD)
        with pytest.raises(StateError, match="refuses the user or the password") as caught:
            journal(wrong, tmp_path).labs()
        told(caught)

    def test_no_such_database(self, postgres: Postgres, tmp_path: Path) -> None:
        with pytest.raises(StateError, match="is not there"):
            journal(postgres.url("nowhere"), tmp_path).labs()

    def test_nobody_listens(self, tmp_path: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        dead = f"postgresql://{SUPER}:{PASSWORD}@127.0.0.1:{port}/team"
        with pytest.raises(UnreachableError, match="cannot be reached") as caught:
            journal(dead, tmp_path).labs()
        told(caught)

    def test_a_user_without_rights(self, postgres: Postgres, dsn: str, tmp_path: Path) -> None:
        postgres.execute("DROP ROLE IF EXISTS guest")
        postgres.execute("CREATE ROLE guest LOGIN")
        guest = postgres.dsn("team", user="guest")
        assert journal(guest, tmp_path).labs() == []
        with pytest.raises(StateError, match="may not do this") as caught:
            journal(guest, tmp_path).open("mnist", create=True)
        assert "GRANT" in told(caught).help
        journal(dsn, tmp_path).open("mnist", create=True).append(started("a"))
        with pytest.raises(StateError, match="may not do this"):
            journal(guest, tmp_path).labs()
        postgres.execute("DROP OWNED BY guest", "team")

    def test_a_newer_format(self, postgres: Postgres, dsn: str, tmp_path: Path) -> None:
        journal(dsn, tmp_path).open("mnist", create=True)
        newer = "UPDATE lab.meta SET value = '{}' WHERE name = '{}'"
        postgres.execute(newer.format(FORMAT + 1, "format"), "team")
        postgres.execute(newer.format("9.9.9", "needs"), "team")
        with pytest.raises(StateError, match="written by a newer lab") as caught:
            journal(dsn, tmp_path).labs()
        assert __version__ in told(caught).detail
        assert "9.9.9" in told(caught).help

    @pytest.mark.parametrize(
        "spoil",
        [
            "DELETE FROM lab.meta",
            "DROP TABLE lab.labs",
            "UPDATE lab.labs SET key = 'no'",
            "UPDATE lab.records SET json = '{'",
            "ALTER TABLE lab.events DROP COLUMN json",
        ],
    )
    def test_damage_is_told(self, postgres: Postgres, dsn: str, tmp_path: Path, spoil: str) -> None:
        lab = journal(dsn, tmp_path).open("mnist", create=True)
        lab.append(run_started(), started("a"))
        lab.settle()
        postgres.execute(spoil, "team")
        with pytest.raises(StateError, match="is damaged") as caught:
            again = journal(dsn, tmp_path)
            again.labs()
            state = again.open("mnist")
            list(state.load().records.values())
            state.events()
        told(caught)

    def test_a_server_that_was_restarted_is_reached_again(
        self, postgres: Postgres, dsn: str, tmp_path: Path
    ) -> None:
        lab = journal(dsn, tmp_path).open("mnist", create=True)
        lab.append(started("a"))
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'team'"
        )
        with pytest.raises(UnreachableError):
            lab.load()
        assert list(lab.load().records) == ["a"]

    def test_a_database_that_loses_no_commit_also_where_it_may(
        self, postgres: Postgres, dsn: str, tmp_path: Path
    ) -> None:
        postgres.execute("ALTER DATABASE team SET synchronous_commit = off")
        lab = journal(dsn, tmp_path).open("mnist", create=True)
        assert lab._file is not None
        with lab._file.write(lab.row.lab) as db:
            assert db.execute("SHOW synchronous_commit").fetchone() == ("on",)


class TestDsn:
    @pytest.mark.parametrize(
        "dsn",
        [
            f"postgresql://ada:{PASSWORD}@db.example.com:5433/labs",
            f"host=db.example.com port=5433 user=ada password={PASSWORD} dbname=labs",
        ],
    )
    def test_what_people_see_has_no_password(self, dsn: str) -> None:
        found = read_dsn(dsn, "vision")
        assert found.place == "the database labs on db.example.com:5433, workspace vision"
        assert found.veil(f"no: {PASSWORD} in {dsn}") == "no: ••• in •••"

    @pytest.mark.parametrize(
        "dsn",
        [
            "postgresql://ada:pass/word@db/labs",
            "postgresql://ada:pass@word@db/labs",
            "postgresql://ada:1234/pass@db/labs",
            "postgresql://ada:pass#word@db/labs?x",
            "password",
            "host=db passwordword",
            "postgresql://ada:%zz@db/labs",
            "",
        ],
    )
    def test_what_is_none_is_not_repeated(self, dsn: str) -> None:
        try:
            shown = read_dsn(dsn).place
        except StateError as error:
            shown = f"{error} {error.diagnostics[0].detail}"
        assert "word" not in shown.replace("a password", "").replace("keyword=", "")
        assert "pass" not in shown.replace("password", "").replace("PASSWORD", "")

    def test_without_the_driver_it_says_how_to_get_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = builtins.__import__

        def lacking(name: str, *more: Any) -> Any:
            if name.startswith("psycopg"):
                raise ImportError(name)
            return real(name, *more)

        monkeypatch.setattr(builtins, "__import__", lacking)
        with pytest.raises(StateError, match="psycopg") as caught:
            read_dsn("host=db")
        assert "lab-runner[postgresql]" in told(caught).help
