"""The swap: a reader sees the complete old release or the new one, and a refusal is one line that changes nothing."""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from assets.publish.folder import damaged, prune, releases, releases_folder
from assets.publish.publication import PublicationBlocked, prepare, publish, staged_path
from assets.warehouse.connection import WarehouseError
from assets.warehouse.published_file import PublicationRefused, published_release
from assets.warehouse.shared_lock import LockLost

FIRST, SECOND = "20260601T010005.000000Z", "20260602T010005.000000Z"
AS_OF = dt.date(2026, 5, 31)
FILES = {"README.txt": "A release.", "csv/regime.csv": "as_of_date\n2026-05-31\n"}


def stage(published: Path, release_id: str, profile: str = "sample", as_of: dt.date = AS_OF) -> None:
    """A staged file with nothing but the manifest."""
    published.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(staged_path(published))) as con:
        con.execute(
            "CREATE TABLE release_manifest AS SELECT ? AS release_id, ? AS profile, ?::DATE AS as_of_date, "
            "TIMESTAMP '2026-06-01' AS published_at, '2.1.0' AS method_version",
            [release_id, profile, as_of],
        )


def fill(_: duckdb.DuckDBPyConnection, staged: Path, folder: Path, before: Path | None) -> None:
    shutil.copyfile(staged, folder / "regime.duckdb")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def put(published: Path) -> None:
    publish(staged_path(published), published, gate=lambda _: None, fill=fill)


def everything(place: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, by its path."""
    return {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A published file, its release folder and the files next to it."""
    published = tmp_path / "data" / "published" / "regime.duckdb"
    stage(published, FIRST)
    put(published)
    return published


@pytest.fixture
def old(published: Path) -> dict[str, bytes]:
    return everything(published.parent)


def assert_complete(published: Path, release_id: str) -> None:
    """One release everywhere: the published file, its folder, the files next to it; nothing half made."""
    current = published_release(published)
    assert current is not None and current.release_id == release_id
    folder = releases_folder(published) / release_id
    assert damaged(folder) == []
    for path in (p for p in folder.rglob("*") if p.is_file()):
        assert (published.parent / path.relative_to(folder)).read_bytes() == path.read_bytes(), path
    assert [p.name for p in published.parent.rglob(".*")] == []


def test_writing_into_a_published_copy_damages_no_release_and_into_a_release_is_found(
    published: Path,
) -> None:
    (release,) = releases(published)
    copy = published.parent / "csv" / "regime.csv"
    copy.chmod(0o644)
    copy.write_text("mine", encoding="utf-8")
    assert damaged(release) == []
    (release / "README.txt").chmod(0o644)
    (release / "README.txt").write_text("other", encoding="utf-8")
    (release / "csv" / "regime.csv").unlink()
    (release / "more.txt").touch()
    assert damaged(release) == ["README.txt", "csv/regime.csv", "more.txt"]


def blocking(_: duckdb.DuckDBPyConnection) -> None:
    raise PublicationBlocked(["regime key"])


def breaking(con: duckdb.DuckDBPyConnection, staged: Path, folder: Path, before: Path | None) -> None:
    fill(con, staged, folder, before)
    raise ValueError("a document cannot be made")


def losing() -> None:
    raise LockLost("the run lock in Postgres was lost")


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ({"gate": blocking}, PublicationBlocked, "publication blocked by 1 failed checks: regime key"),
        ({"fill": breaking}, ValueError, "a document cannot be made"),
        ({"confirm_lock": losing}, LockLost, "the run lock in Postgres was lost"),
    ],
)
def test_a_blocked_gate_a_failing_document_or_a_lost_lock_changes_nothing(
    published: Path, old: dict[str, bytes], fault: dict[str, Any], error: type[Exception], message: str
) -> None:
    stage(published, SECOND)
    with pytest.raises(error, match=message):
        publish(staged_path(published), published, **{"gate": lambda _: None, "fill": fill, **fault})
    assert everything(published.parent) == old


@pytest.mark.parametrize(
    ("current", "profile", "as_of", "message"),
    [
        ("live", "sample", AS_OF, "the published file is live and FRED_API_KEY is not set"),
        ("public", "sample", AS_OF, "the published file is public and this run is on the sample"),
        ("sample", "sample", dt.date(2026, 5, 30), "is as of 2026-05-31, this run is as of 2026-05-30"),
    ],
)
def test_sample_over_live_and_an_older_date_are_refused(
    tmp_path: Path, current: str, profile: Any, as_of: dt.date, message: str
) -> None:
    published = tmp_path / "published" / "regime.duckdb"
    stage(published, FIRST, current)
    put(published)
    old = everything(published.parent)
    stage(published, SECOND, profile, as_of)
    with pytest.raises(PublicationRefused, match=message) as refused:
        put(published)
    assert "\n" not in str(refused.value)
    assert everything(published.parent) == old
    with pytest.raises(PublicationRefused, match=message):  # known before a run does anything
        prepare(published, profile, as_of)


def test_sample_chosen_over_live_with_a_key_is_refused_without_asking_for_the_key(published: Path) -> None:
    stage(published, SECOND, "live")
    put(published)
    with pytest.raises(
        PublicationRefused, match="live and this run is on the sample: choose the profile live"
    ):
        prepare(published, "sample", AS_OF, has_key=True)


def full_disk(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["begin", "seal", "swap"])
def test_a_full_disk_is_one_line_and_changes_nothing(
    published: Path, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    stage(published, SECOND)
    monkeypatch.setattr(f"assets.publish.publication.{where}", full_disk)
    with pytest.raises(PublicationRefused, match=r"^[^\n]*: no space left on device: free some space$"):
        put(published)
    assert everything(published.parent) == old


def test_too_little_space_is_refused_before_anything_is_written(
    published: Path, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(published, SECOND)
    free = SimpleNamespace(free=2 * staged_path(published).stat().st_size)
    monkeypatch.setattr("shutil.disk_usage", lambda _: free)
    with pytest.raises(PublicationRefused, match=r"MB free, publishing needs \d+ MB: free some space"):
        put(published)
    assert everything(published.parent) == old


def test_a_full_disk_after_the_swap_is_reported_and_completed_by_the_next_run(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(published, SECOND)
    with monkeypatch.context() as patch:
        patch.setattr("assets.publish.publication.copy_to_top", full_disk)
        with pytest.raises(WarehouseError, match="is published, the next run completes the rest"):
            put(published)
    prepare(published, "sample", AS_OF)
    assert_complete(published, SECOND)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_one_line(
    published: Path, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(PublicationRefused, match=r"^[^\n]*: check its owner and permissions, or set REGIME"):
        prepare(published, "sample", AS_OF)
    assert everything(published.parent) == old


class Killed(BaseException):
    """For kill -9: nothing after it runs."""


@pytest.mark.parametrize(
    ("step", "is_published"),
    [
        ("begin", False),
        ("seal", False),
        ("swap", False),
        ("finish", True),
        ("copy_to_top", True),
        ("prune", True),
    ],
)
def test_a_run_killed_at_any_step_leaves_old_or_new_and_the_next_one_completes_it(
    published: Path, monkeypatch: pytest.MonkeyPatch, step: str, is_published: bool
) -> None:
    stage(published, SECOND)

    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"assets.publish.publication.{step}", kill)
        for cleaning in ("abandon", "remove_staged"):
            nothing: Callable[..., None] = lambda *_: None  # noqa: E731
            patch.setattr(f"assets.publish.publication.{cleaning}", nothing)
        with pytest.raises(Killed):
            put(published)
    prepare(published, "sample", AS_OF)
    assert_complete(published, SECOND if is_published else FIRST)


def test_a_release_half_removed_by_retention_is_not_taken_for_one(published: Path) -> None:
    left = releases_folder(published) / ".20200101T000000.000000Z.unfinished"
    shutil.copytree(releases(published)[0], left)
    assert len(releases(published)) == 1
    prepare(published, "sample", AS_OF)
    assert not left.exists()


def test_retention_goes_by_the_descriptor_and_leaves_a_release_without_a_readable_one_alone(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.publish.folder.NEWEST_KEPT", 1)
    same = '"regime:profile": "sample", "regime:label": "neither", "regime:method_version": "2"'
    descriptors = {
        "20260603T010000.000000Z": f'{{{same}, "regime:new_month_ends": 1}}',
        "20260604T010000.000000Z": f'{{{same}, "regime:new_month_ends": 0}}',
        "20260605T010000.000000Z": '{"regime:profile": "sam',
        "20260606T010000.000000Z": f'{{{same}, "regime:new_month_ends": 0}}',
    }
    for name, descriptor in descriptors.items():
        folder = releases_folder(published) / name
        folder.mkdir()
        (folder / "datapackage.json").write_text(descriptor, encoding="utf-8")
    first, gone, *kept = descriptors
    assert prune(published, kept[-1]) == [gone]
    assert [folder.name for folder in releases(published)] == [FIRST, first, *kept]
