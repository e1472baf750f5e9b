"""The swap: a reader sees the old release or the new one, whole, and a refusal is one line that changes nothing."""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from assets.publish import publication
from assets.publish.documents.fill import fill_release
from assets.publish.folder import damaged, releases, releases_folder
from assets.publish.publication import Held, prepare, publish
from assets.warehouse.connection import WarehouseError
from assets.warehouse.published_file import PublicationRefused, published_release
from tests.integration.conftest import Night

SECOND = "20260602T010005.000000Z"
AS_OF = dt.date(2026, 5, 31)


def put(night: Night) -> None:
    publish(night.staged, night.published, gate=lambda _: None, fill=fill_release)


def stage_second(night: Night, **columns: object) -> None:
    """The release of the next night, with columns of its manifest as given."""
    night.stage_again()
    changed = {"release_id": SECOND, **columns}
    with night.open_staged() as con:
        for name, value in changed.items():
            con.execute(f"UPDATE release_manifest SET {name} = ?", [value])


def everything(place: Path) -> dict[str, bytes]:
    """Every file below a place, hidden ones too, by its path."""
    return {str(p.relative_to(place)): p.read_bytes() for p in place.rglob("*") if p.is_file()}


@pytest.fixture
def old(published_night: Night) -> dict[str, bytes]:
    """What stands after the first publication."""
    return everything(published_night.published.parent)


def test_the_new_release_takes_the_place_of_the_old_and_a_reader_keeps_what_he_opened(
    night: Night, old: dict[str, bytes]
) -> None:
    stage_second(night)
    with night.published.open("rb") as reader:
        put(night)
        assert reader.read() == old["regime.duckdb"]
    assert_whole(night, SECOND)
    assert not night.staged.exists()


def test_a_held_gate_leaves_everything_as_it_was(night: Night, old: dict[str, bytes]) -> None:
    stage_second(night)

    def gate(_: duckdb.DuckDBPyConnection) -> None:
        raise Held(["regime key"])

    with pytest.raises(Held, match="held by 1 failed checks: regime key"):
        publish(night.staged, night.published, gate=gate, fill=fill_release)
    assert everything(night.published.parent) == old


def test_a_document_that_fails_leaves_everything_as_it_was(night: Night, old: dict[str, bytes]) -> None:
    stage_second(night)

    def fill(con: duckdb.DuckDBPyConnection, staged: Path, folder: Path, before: Path | None) -> None:
        fill_release(con, staged, folder, before)
        raise ValueError("a document cannot be made")

    with pytest.raises(ValueError, match="a document"):
        publish(night.staged, night.published, gate=lambda _: None, fill=fill)
    assert everything(night.published.parent) == old


@pytest.mark.parametrize(
    ("there", "coming", "said"),
    [
        (
            {"profile": "live"},
            {"profile": "sample"},
            "the published file is live and FRED_API_KEY is not set",
        ),
        ({}, {"as_of_date": dt.date(2026, 5, 30)}, "is as of 2026-05-31, this run is as of 2026-05-30"),
    ],
)
def test_sample_over_live_and_an_older_date_are_refused(
    night: Night, there: dict[str, object], coming: dict[str, object], said: str
) -> None:
    with night.open_staged() as con:
        for name, value in there.items():
            con.execute(f"UPDATE release_manifest SET {name} = ?", [value])
    put(night)
    old = everything(night.published.parent)
    stage_second(night, **coming)
    with pytest.raises(PublicationRefused, match=said) as refused:
        put(night)
    assert "\n" not in str(refused.value)
    assert everything(night.published.parent) == old
    with pytest.raises(PublicationRefused, match=said):  # known before a run does anything
        prepare(night.published, "sample", coming.get("as_of_date", AS_OF))  # type: ignore[arg-type]


def test_live_takes_the_place_of_a_sample(night: Night, old: dict[str, bytes]) -> None:
    stage_second(night, profile="live")
    put(night)
    there = published_release(night.published)
    assert there is not None and there.profile == "live"
    assert "First release in this data directory" in (night.published.parent / "RELEASE_NOTES.md").read_text(
        encoding="utf-8"
    )


def full_disk(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["publication.begin", "publication.seal", "publication.swap"])
def test_a_full_disk_is_one_line_and_changes_nothing(
    night: Night, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    stage_second(night)
    monkeypatch.setattr(f"assets.publish.{where}", full_disk)
    with pytest.raises(PublicationRefused, match=r"^[^\n]*: no space left on device: free some space$"):
        put(night)
    assert everything(night.published.parent) == old


def test_too_little_space_is_refused_before_anything_is_written(
    night: Night, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage_second(night)
    free = SimpleNamespace(free=2 * night.staged.stat().st_size)
    monkeypatch.setattr(publication.shutil, "disk_usage", lambda _: free)  # type: ignore[attr-defined]
    with pytest.raises(PublicationRefused, match=r"MB free, publishing needs \d+ MB: free some space"):
        put(night)
    assert everything(night.published.parent) == old


def test_a_full_disk_after_the_swap_is_told_and_completed_by_the_next_run(
    night: Night, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage_second(night)
    with monkeypatch.context() as patch:
        patch.setattr("assets.publish.publication.put_beside", full_disk)
        with pytest.raises(WarehouseError, match="is published, the next run completes the rest"):
            put(night)
    prepare(night.published, "sample", AS_OF)
    assert_whole(night, SECOND)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_directory_is_one_line(night: Night) -> None:
    night.published.parent.chmod(0o555)
    try:
        with pytest.raises(PublicationRefused, match="permission denied: check its owner"):
            prepare(night.published, "sample", AS_OF)
    finally:
        night.published.parent.chmod(0o755)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_place_that_cannot_be_written_is_one_line(
    night: Night, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(PublicationRefused, match=r"^[^\n]*: check its owner and permissions, or set REGIME"):
        prepare(night.published, "sample", AS_OF)
    assert everything(night.published.parent) == old


def test_looking_whether_the_place_can_be_written_leaves_nothing_even_when_killed(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    whole = tempfile.TemporaryFile

    def seen(**arguments: Any) -> Any:
        opened = whole(**arguments)
        names.extend(path.name for path in night.published.parent.iterdir())
        return opened

    monkeypatch.setattr("tempfile.TemporaryFile", seen)
    there = [path.name for path in night.published.parent.iterdir()]
    prepare(night.published, "sample", AS_OF)
    assert names == there


def test_a_wal_somebody_left_does_not_keep_readers_out(night: Night, old: dict[str, bytes]) -> None:
    wal = night.published.with_name("regime.duckdb.wal")
    wal.write_bytes(b"not ours")
    stage_second(night)
    put(night)
    assert not wal.exists()
    assert_whole(night, SECOND)


def assert_whole(night: Night, release_id: str) -> None:
    """One release everywhere: the published file, its folder, the files beside it; nothing left half made."""
    there = published_release(night.published)
    assert there is not None and there.release_id == release_id
    folder, place = releases_folder(night.published) / release_id, night.published.parent
    assert damaged(folder) == []
    for path in (p for p in folder.rglob("*") if p.is_file()):
        assert (place / path.relative_to(folder)).read_bytes() == path.read_bytes(), path
    left = [p.name for p in place.rglob(".*")]
    assert left == []


STEPS: dict[str, tuple[str, bool]] = {
    "before the folder is filled": ("publication.begin", False),
    "before the hashes": ("publication.seal", False),
    "before the swap": ("publication.swap", False),
    "after the swap": ("publication.finish", True),
    "before the files beside": ("publication.put_beside", True),
    "before old releases go": ("publication.prune", True),
}


class Killed(BaseException):
    """What stands for kill -9: nothing after it runs."""


@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_step_leaves_old_or_new_and_the_next_one_completes_it(
    night: Night, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first = releases(night.published)[0].name
    stage_second(night)
    where, is_published = STEPS[step]

    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"assets.publish.{where}", kill)
        for cleaning in ("abandon", "remove_staged"):
            nothing: Callable[..., None] = lambda *_: None  # noqa: E731
            patch.setattr(f"assets.publish.publication.{cleaning}", nothing)
        with pytest.raises(Killed):
            put(night)
    prepare(night.published, "sample", AS_OF)
    assert_whole(night, SECOND if is_published else first)


def test_a_release_half_removed_by_retention_is_not_taken_for_one(
    night: Night, old: dict[str, bytes]
) -> None:
    left = releases_folder(night.published) / ".20200101T000000.000000Z.unfinished"
    shutil.copytree(releases(night.published)[0], left)
    assert len(releases(night.published)) == 1
    prepare(night.published, "sample", AS_OF)
    assert not left.exists()


def test_who_writes_into_a_published_copy_damages_no_release(night: Night, old: dict[str, bytes]) -> None:
    csv = night.published.parent / "csv" / "regime.csv"
    csv.chmod(0o644)
    csv.write_text("mine", encoding="utf-8")
    assert damaged(releases(night.published)[0]) == []
