"""The swap: a reader sees the complete old release or the new one, and a refusal is one line that changes nothing.

Also who may read the folders, and which releases are kept.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from assets.publish.folder import (
    NEWEST_KEPT,
    Kept,
    begin,
    damaged,
    prune,
    releases,
    releases_folder,
    seal,
    superfluous,
)
from assets.publish.publication import PublicationBlocked, prepare, publish, staged_path
from assets.warehouse.connection import WarehouseError
from assets.warehouse.published_file import PublicationRefused, published_release
from assets.warehouse.shared_lock import LockLost
from tests.helpers import files_of

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


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A published file, its release folder and the files next to it."""
    published = tmp_path / "data" / "published" / "regime.duckdb"
    stage(published, FIRST)
    put(published)
    return published


@pytest.fixture
def old(published: Path) -> dict[str, bytes]:
    return files_of(published.parent)


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


def failing(error: BaseException) -> Callable[..., Any]:
    """A step that fails."""

    def fails(*_: Any, **__: Any) -> Any:
        raise error

    return fails


def of_system(number: int) -> OSError:
    return OSError(number, os.strerror(number))


FULL = r"^[^\n]*: no space left on device: free some space$"
NO_ROOM = r"MB free, publishing needs \d+ MB: free some space"
BEFORE_THE_SWAP: dict[str, tuple[Exception, type[Exception], str]] = {
    "gate": (
        PublicationBlocked(["regime key"]),
        PublicationBlocked,
        "blocked by 1 failed checks: regime key",
    ),
    "fill": (ValueError("a document cannot be made"), ValueError, "a document cannot be made"),
    "confirm_lock": (LockLost("the run lock in Postgres was lost"), LockLost, "was lost"),
    "assets.publish.publication.begin": (of_system(errno.ENOSPC), PublicationRefused, FULL),
    "assets.publish.publication.seal": (of_system(errno.ENOSPC), PublicationRefused, FULL),
    "assets.publish.publication.swap": (of_system(errno.ENOSPC), PublicationRefused, FULL),
    "shutil.disk_usage": (OSError(), PublicationRefused, NO_ROOM),
}


@pytest.mark.parametrize("step", BEFORE_THE_SWAP)
def test_what_fails_before_the_swap_changes_nothing(
    published: Path, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    stage(published, SECOND)
    given: dict[str, Any] = {"gate": lambda _: None, "fill": fill}
    fault, error, message = BEFORE_THE_SWAP[step]
    if step == "shutil.disk_usage":
        free = 2 * staged_path(published).stat().st_size
        monkeypatch.setattr(step, lambda _: SimpleNamespace(free=free))
    elif "." in step:
        monkeypatch.setattr(step, failing(fault))
    else:
        given[step] = failing(fault)
    with pytest.raises(error, match=message):
        publish(staged_path(published), published, **given)
    assert files_of(published.parent) == old


@pytest.mark.parametrize(
    ("current", "profile", "as_of", "message"),
    [
        (
            "live",
            "sample",
            AS_OF,
            "the published file is live and FRED_API_KEY is not set: set it, or give REGIME_DATA_DIR another place",
        ),
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
    old = files_of(published.parent)
    stage(published, SECOND, profile, as_of)
    with pytest.raises(PublicationRefused, match=message) as refused:
        put(published)
    assert "\n" not in str(refused.value)
    assert files_of(published.parent) == old
    with pytest.raises(PublicationRefused, match=message):  # known before a run does anything
        prepare(published, profile, as_of)
    if current == "live":  # with a key the sample was chosen: it is not asked for
        with pytest.raises(PublicationRefused, match="this run is on the sample: choose the profile live"):
            prepare(published, profile, as_of, has_key=True)


def test_a_full_disk_after_the_swap_is_reported_and_completed_by_the_next_run(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(published, SECOND)
    with monkeypatch.context() as patch:
        patch.setattr("assets.publish.publication.copy_to_top", failing(of_system(errno.ENOSPC)))
        with pytest.raises(WarehouseError, match="is published, the next run completes the rest"):
            put(published)
    prepare(published, "sample", AS_OF)
    assert_complete(published, SECOND)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_one_line(
    published: Path, old: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", failing(of_system(number)))
    with pytest.raises(PublicationRefused, match=r"^[^\n]*: check its owner and permissions, or set REGIME"):
        prepare(published, "sample", AS_OF)
    assert files_of(published.parent) == old


class Killed(BaseException):
    """For kill -9: nothing after it runs."""


@pytest.mark.parametrize("step", ["begin", "seal", "swap", "finish", "copy_to_top", "prune"])
def test_a_run_killed_at_any_step_leaves_old_or_new_and_the_next_one_completes_it(
    published: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    stage(published, SECOND)

    with monkeypatch.context() as patch:
        patch.setattr(f"assets.publish.publication.{step}", failing(Killed()))
        for cleaning in ("abandon", "remove_staged"):
            patch.setattr(f"assets.publish.publication.{cleaning}", lambda *_: None)
        with pytest.raises(Killed):
            put(published)
    prepare(published, "sample", AS_OF)
    assert_complete(published, FIRST if step in ("begin", "seal", "swap") else SECOND)


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


def test_the_newest_first_publications_and_changes_are_kept_today_and_tomorrow() -> None:
    found = [Kept(f"2026{n:04d}", "live", "neither", "1.0.0", 0) for n in range(NEWEST_KEPT + 20)]
    found[3] = replace(found[3], new_month_ends=1)
    found[5] = replace(found[5], label="stimulus_into_bubble")  # there and back: two changes
    found[8:] = [replace(kept, method_version="1.1.0") for kept in found[8:]]
    found[9] = replace(found[9], profile="sample", label="other")  # changes no label of the live profile
    gone = superfluous(found, found[-1].release_id)
    assert gone == [found[n].release_id for n in (1, 2, 4, 7, *range(10, 20))]
    assert found[2].release_id not in superfluous(found, found[2].release_id), "published, however old"
    kept: list[Kept] = []
    for release in found:  # pruned by every run
        kept.append(release)
        pruned = superfluous(kept, release.release_id)
        kept = [k for k in kept if k.release_id not in pruned]
    assert kept == [release for release in found if release.release_id not in gone]


def test_folders_are_readable_under_any_umask_and_one_closed_on_purpose_stays_closed(tmp_path: Path) -> None:
    def mode(path: Path) -> int:
        return path.stat().st_mode & 0o777

    published, before = tmp_path / "data" / "published" / "regime.duckdb", os.umask(0o077)
    try:
        prepare(published, "sample", AS_OF)
        folder = begin(published, "r")
        (folder / "csv").mkdir()
        (folder / "csv" / "regime.csv").write_text("a\n")
        seal(folder, None)
    finally:
        os.umask(before)
    assert mode(tmp_path / "data") == 0o711  # the warehouse in it cannot be listed
    assert {mode(path) for path in (published.parent, folder.parent, folder, folder / "csv")} == {0o755}
    assert mode(folder / "csv" / "regime.csv") == 0o444
    published.parent.chmod(0o700)
    prepare(published, "sample", AS_OF)
    assert mode(published.parent) == 0o700
