"""The swap: a staged file becomes the published one, or nothing changes; and an earlier release swapped back in.

A reader sees the old file or the new one. The published file is always written out in full, so a WAL next to it is
not ours: it would make the file unopenable, and is removed.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from assets.catalog.models import Profile
from assets.publish.folder import (
    READ_ONLY,
    abandon,
    begin,
    copy_to_top,
    damaged,
    finish,
    heal,
    prune,
    releases_folder,
    seal,
)
from assets.publish.staged_file import remove_staged
from assets.warehouse.connection import CONFIG, WarehouseError, explained, make_passable, make_public, sync
from assets.warehouse.published_file import PublicationRefused, Published, manifest_of, published_release

Gate = Callable[[duckdb.DuckDBPyConnection], None]
# Fills the folder of a release: staged file (opened), its path, the folder, the folder of the previous release.
Fill = Callable[[duckdb.DuckDBPyConnection, Path, Path, Path | None], None]
_FREE_FACTOR = 3  # free space needed, in sizes of the full release


class PublicationBlocked(Exception):
    """The staged file failed checks, named in `checks`; the published file is unchanged."""

    def __init__(self, checks: Sequence[str]) -> None:
        self.checks = tuple(checks)
        super().__init__(f"publication blocked by {len(self.checks)} failed checks: {', '.join(self.checks)}")

    def __reduce__(self) -> tuple[type[PublicationBlocked], tuple[tuple[str, ...]]]:
        return type(self), (self.checks,)


def staged_path(published: Path) -> Path:
    """Path of the staged file: in the folder of the published file, so that a rename suffices."""
    return published.with_name(f".{published.name}.tmp")


def prepare(published: Path, profile: Profile, as_of: dt.date, *, has_key: bool = False) -> None:
    """Before a run does anything: refuse a folder or a file it may not publish to, and clean up after a killed run.

    `has_key`: see `refuse_replacing`. Raises PublicationRefused.
    """
    folder = published.parent
    try:
        make_passable(folder.parent)
        make_public(folder)
        with tempfile.TemporaryFile(dir=folder):  # without a name: a run killed here leaves nothing
            pass
        remove_staged(staged_path(published))
        current = refuse_replacing(published, profile, as_of, has_key=has_key)
        heal(published, current.release_id if current else None)
    except OSError as error:
        raise _refused(error, folder) from None


def refuse_replacing(
    published: Path, profile: Profile, as_of: dt.date, *, has_key: bool = False
) -> Published | None:
    """The current publication, if there is one. `has_key`: FRED_API_KEY is set, and the sample was chosen all the same.

    Raises PublicationRefused for a sample over a live or public publication, and for an older as-of date.
    """
    current = published_release(published)
    if current is None:
        return None
    if current.profile != "sample" and profile == "sample":
        if has_key or current.profile == "public":
            raise PublicationRefused(
                f"the published file is {current.profile} and this run is on the sample: "
                f"choose the profile {current.profile}, or give REGIME_DATA_DIR another place"
            )
        raise PublicationRefused(
            "the published file is live and FRED_API_KEY is not set: "
            "set it, or give REGIME_DATA_DIR another place"
        )
    if as_of < current.as_of:
        raise PublicationRefused(
            f"the published file is as of {current.as_of}, this run is as of {as_of}: "
            "give REGIME_DATA_DIR another place, or a later date"
        )
    return current


def publish(
    staged: Path, published: Path, *, gate: Gate, fill: Fill, confirm_lock: Callable[[], None] | None = None
) -> Published:
    """Check the staged file with `gate` (a read-only connection to it), fill its release folder, then swap it in.

    `confirm_lock` is called just before the swap. Raises what the gate or `confirm_lock` raises, and
    PublicationRefused; the staged file is removed then, the published file unchanged.
    """
    try:
        with duckdb.connect(str(staged), read_only=True, config=CONFIG) as con:
            release = manifest_of(con)
            current = refuse_replacing(published, release.profile, release.as_of)
            before = releases_folder(published) / current.release_id if current else None
            if before is not None and not before.is_dir():
                before = None
            gate(con)
            _refuse_without_space(staged.parent, staged.stat().st_size)
            try:
                folder = begin(published, release.release_id)
                fill(con, staged, folder, before)
                _refuse_without_space(folder, sum(file.stat().st_size for file in folder.rglob("*")))
                seal(folder, before)
                if confirm_lock is not None:
                    confirm_lock()
                swap(staged, published)
            except BaseException:
                abandon(published, release.release_id)
                raise
    except OSError as error:
        raise _refused(error, published.parent) from None
    except duckdb.IOException as error:
        raise explained(error, staged) from None
    finally:
        remove_staged(staged)
    try:
        finish(published, release.release_id)
        copy_to_top(published, release.release_id)
        prune(published, release.release_id)
    except OSError as error:
        refusal = _refused(error, published.parent)
        raise WarehouseError(
            f"{refusal}; {published.name} is published, the next run completes the rest"
        ) from None
    published_release(published)  # opened once as a reader would
    return release


def roll_back(published: Path, release: Path) -> Published:
    """Publish the release in the folder `release` again, unchanged; the caller holds the run lock.

    Raises PublicationRefused: the release is damaged, of another profile, or the folder cannot be written.
    """
    if wrong := damaged(release):
        raise PublicationRefused(f"{release} is damaged ({', '.join(wrong[:3])}): choose another release")
    current, wanted = published_release(published), published_release(release / "regime.duckdb")
    assert wanted is not None
    if current is not None and current.profile != wanted.profile:
        raise PublicationRefused(
            f"the published file is {current.profile}, {release.name} is {wanted.profile}"
        )
    staged = staged_path(published)
    try:
        remove_staged(staged)
        shutil.copyfile(release / "regime.duckdb", staged)
        swap(staged, published)
        copy_to_top(published, wanted.release_id)
    except OSError as error:
        raise _refused(error, published.parent) from None
    finally:
        remove_staged(staged)
    return wanted


def swap(staged: Path, published: Path) -> None:
    """Read-only bit, everything on disk, rename, no foreign WAL. The rename is the moment of publication."""
    staged.chmod(READ_ONLY)
    sync(staged)
    os.replace(staged, published)
    published.with_name(published.name + ".wal").unlink(missing_ok=True)
    sync(published.parent)


def _refuse_without_space(folder: Path, size: int) -> None:
    needed, free = _FREE_FACTOR * size, shutil.disk_usage(folder).free
    if free < needed:
        raise PublicationRefused(
            f"{folder}: {free / 1e6:.0f} MB free, publishing needs {needed / 1e6:.0f} MB: free some space"
        )


def _refused(error: OSError, folder: Path) -> PublicationRefused:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    way_out = "free some space" if full else "check its owner and permissions, or set REGIME_DATA_DIR"
    return PublicationRefused(f"{folder}: {(error.strerror or str(error)).lower()}: {way_out}")
