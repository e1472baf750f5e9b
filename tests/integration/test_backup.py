"""Backup and restore, by doing it; the history's pruning; and what `open` prints, run as printed."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.warehouse.lock import RunLock
from pipelines import __main__ as command_line
from pipelines.commands.backup import LIST, back_up, put_in_place, verify_backup
from pipelines.commands.show import FIRST_QUERIES
from pipelines.run_history import prune
from pipelines.settings import ConfigurationError, Folders
from tests.integration.conftest import Night


@pytest.fixture
def folders(night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """A data directory with a warehouse and a release of which two names are one file."""
    night.staged.rename(night.published)
    releases = night.published.parent / "releases" / "20260601T010000Z"
    releases.mkdir(parents=True)
    (releases / "regime.duckdb").hardlink_to(night.published)
    data_dir = night.warehouse.parent
    monkeypatch.setenv("REGIME_DATA_DIR", str(data_dir))
    return Folders(tmp_path, data_dir, tmp_path / "home")


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


def vintages(warehouse: Path) -> int:
    with duckdb.connect(str(warehouse)) as con:
        return int(con.execute("SELECT count(*) FROM raw.vintages").fetchall()[0][0])


def command(*arguments: str) -> int:
    return command_line.main(list(arguments))


def test_what_was_lost_is_back_after_a_restore(
    folders: Folders, night: Night, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held, release = vintages(night.warehouse), night.published.read_bytes()
    assert command("backup", str(elsewhere)) == 0
    backup = capsys.readouterr().out.strip()
    with duckdb.connect(str(night.warehouse)) as con:
        con.execute("DELETE FROM raw.vintages")
    night.published.unlink()
    assert command("restore", backup) == 0
    assert vintages(night.warehouse) == held
    assert night.published.read_bytes() == release
    previous = re.search(r"is in (\S+):", capsys.readouterr().out)
    assert previous and vintages(Path(previous[1]) / night.warehouse.name) == 0


def test_one_file_under_two_names_is_copied_once(folders: Folders, night: Night, elsewhere: Path) -> None:
    backup = back_up(folders, elsewhere, print)
    copies = list(backup.rglob("regime.duckdb"))
    assert len(copies) == 2 and copies[0].samefile(copies[1])
    assert not copies[0].samefile(night.published)


def test_two_backups_and_two_restores_of_one_second_lie_beside_each_other(
    folders: Folders, elsewhere: Path
) -> None:
    moments = [dt.datetime(2026, 6, 1, 1, microsecond=n, tzinfo=dt.UTC) for n in (0, 1)]
    backups = [back_up(folders, elsewhere, print, moment) for moment in moments]
    assert len(set(backups)) == 2 and all(map(verify_backup, backups))
    assert len({put_in_place(folders, backups[0], print, moment) for moment in moments}) == 2


def test_rows_still_in_a_write_ahead_log_are_in_the_backup(
    folders: Folders, night: Night, elsewhere: Path
) -> None:
    con = duckdb.connect(str(night.warehouse), config={"checkpoint_threshold": "1TB"})
    con.execute("CREATE TABLE late_row AS SELECT 1 AS one")
    log = night.warehouse.with_name(night.warehouse.name + ".wal")
    kept, content = log.read_bytes(), night.warehouse.read_bytes()
    con.close()
    night.warehouse.write_bytes(content)  # as a killed process leaves the two
    log.write_bytes(kept)
    backup = back_up(folders, elsewhere, print)
    with duckdb.connect(str(backup / night.warehouse.name)) as con:
        assert con.execute("SELECT one FROM late_row").fetchall() == [(1,)]


def test_a_damaged_backup_is_refused_and_changes_nothing(
    folders: Folders, night: Night, elsewhere: Path
) -> None:
    backup = back_up(folders, elsewhere, print)
    copy = backup / night.warehouse.name
    copy.write_bytes(copy.read_bytes()[:-1])
    before = sorted(folders.data_dir.rglob("*"))
    with pytest.raises(ConfigurationError, match="is damaged"):
        put_in_place(folders, backup, print)
    assert sorted(folders.data_dir.rglob("*")) == before


def test_backup_and_restore_leave_while_a_run_works(
    folders: Folders, elsewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(self: RunLock, *_: object) -> None:
        from assets.warehouse.connection import LockHeld

        raise LockHeld("another run holds the lock: python (pid 1)")

    monkeypatch.setattr(RunLock, "acquire", held)
    for arguments in (("backup", str(elsewhere), "--wait", "0"), ("restore", str(elsewhere))):
        assert command(*arguments) == 2
        assert capsys.readouterr().err == "error: another run holds the lock: python (pid 1)\n"


@pytest.mark.parametrize(
    ("target", "says"), [("{data}/inside", "is inside"), ("{data}/regime.txt/x", "choose another folder")]
)
def test_a_bad_target_is_said_in_one_line(
    folders: Folders, tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str, says: str
) -> None:
    file = tmp_path.parent / "a_file"
    file.touch()
    place = target.format(data=folders.data_dir) if "inside" in target else str(file / "x")
    assert command("backup", place) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and says in said


def test_an_empty_place_is_not_backed_up(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(ConfigurationError, match="nothing to back up"):
        back_up(Folders(tmp_path, tmp_path / "data", tmp_path), elsewhere, print)
    with pytest.raises(ConfigurationError, match=LIST):
        verify_backup(elsewhere)


def test_every_query_that_open_prints_runs(
    folders: Folders, night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("open", "--path") == 0
    path = capsys.readouterr().out.strip()
    assert path == str(night.published)
    assert command("open") == 0
    said = capsys.readouterr().out
    with duckdb.connect(path, read_only=True) as con:
        for query in FIRST_QUERIES:
            assert query in said
            assert con.execute(query).fetchall()


@dg.op
def nothing() -> None: ...


@dg.job(name="nightly", executor_def=dg.in_process_executor)
def passing() -> None:
    nothing()


def test_old_runs_leave_the_history_with_their_files_and_the_newest_stays(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        runs = [passing.execute_in_process(instance=instance).run_id for _ in range(3)]
        now = dt.datetime.now(dt.UTC)
        assert prune(instance, now) == 0
        assert prune(instance, now + dt.timedelta(days=91)) == 2
        assert [record.dagster_run.run_id for record in instance.get_run_records()] == runs[-1:]
        left = [path for path in tmp_path.rglob("*") if any(run in str(path) for run in runs[:2])]
        assert left == []
