"""The swap: a staged file becomes the published one, or nothing changes.

Belongs here: when a publication is refused, the judgement's place in the order of things, rename and proof.
Does not belong here: building the file (`release.py`), the judgement itself (the caller's `gate`), the books
(`ledger.py`).

A reader sees the old file or the new one. The published file is always written out in full, so that a WAL
beside it is somebody else's: it would make the file unopenable, and is removed.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from assets.catalog.models import Profile
from assets.publish.folder import (
    READ_ONLY,
    abandon,
    begin,
    damaged,
    finish,
    heal,
    prune,
    put_beside,
    releases_folder,
    seal,
)
from assets.publish.staged_file import remove_staged
from assets.warehouse.connection import (
    CONFIG,
    WarehouseError,
    explained,
    make_passable,
    make_public,
    readable,
    sync,
)
from assets.warehouse.published_file import (
    PublicationRefused,
    Published,
    manifest_of,
    published_release,
    read_manifest,
)

Gate = Callable[[duckdb.DuckDBPyConnection], None]


# Fills the folder of a release: staged file (opened), its path, the folder, the release before.
Fill = Callable[[duckdb.DuckDBPyConnection, Path, Path, Path | None], None]


_FREE_FACTOR = 3  # free space needed, in sizes of the whole release


class Held(Exception):
    """The judgement went against the staged file; `checks` names what failed. The old file stands."""

    def __init__(self, checks: Sequence[str]) -> None:
        self.checks = tuple(checks)
        super().__init__(f"publication held by {len(self.checks)} failed checks: {', '.join(self.checks)}")

    def __reduce__(self) -> tuple[type[Held], tuple[tuple[str, ...]]]:
        return type(self), (self.checks,)


def staged_path(published: Path) -> Path:
    """Where the staged file of a published file stands: in the same folder, so that a rename suffices."""
    return published.with_name(f".{published.name}.tmp")


def prepare(published: Path, profile: Profile, as_of: dt.date) -> None:
    """Before a run does anything: the place can be written, the publication may replace what is there.

    Removes what a killed run left. Raises PublicationRefused.
    """
    folder = published.parent
    try:
        make_passable(folder.parent)
        make_public(folder)
        with tempfile.TemporaryFile(dir=folder):  # without a name: a run killed here leaves nothing
            pass
    except OSError as error:
        raise refused(error, folder) from None
    remove_staged(staged_path(published))
    there = refuse_replacing(published, profile, as_of)
    try:
        heal(published, there.release_id if there else None)
    except OSError as error:
        raise refused(error, folder) from None


def refuse_replacing(published: Path, profile: Profile, as_of: dt.date) -> Published | None:
    """What stands there, if anything does.

    Raises PublicationRefused for a sample over a live publication, and for an older as-of date.
    """
    there = published_release(published)
    if there is None:
        return None
    if there.profile == "live" and profile == "sample":
        raise PublicationRefused(
            "the published file is live and FRED_API_KEY is not set: "
            "set it, or give REGIME_DATA_DIR another place"
        )
    if as_of < there.as_of:
        raise PublicationRefused(
            f"the published file is as of {there.as_of}, this run is as of {as_of}: "
            "give REGIME_DATA_DIR another place, or a later date"
        )
    return there


def publish(staged: Path, published: Path, *, gate: Gate, fill: Fill) -> Published:
    """Judge the staged file with `gate` (a read-only connection to it), make its release folder, then swap it in.

    Raises what the gate raises (Held), and PublicationRefused; the staged file is gone then, the old one stands.
    """
    try:
        with duckdb.connect(str(staged), read_only=True, config=CONFIG) as con:
            release = read_manifest(con)
            there = refuse_replacing(published, release.profile, release.as_of)
            gate(con)
            _refuse_without_space(staged.parent, staged.stat().st_size)
            with _folder_made(published, release.release_id) as folder:
                before = _folder_of(published, there)
                fill(con, staged, folder, before)
                _refuse_without_space(folder, sum(file.stat().st_size for file in folder.rglob("*")))
                seal(folder, before)
                swap(staged, published)
    except OSError as error:
        raise refused(error, published.parent) from None
    except duckdb.IOException as error:
        raise explained(error, staged) from None
    finally:
        remove_staged(staged)
    _complete(published, release.release_id)
    _prove(published)
    return release


@contextmanager
def _folder_made(published: Path, release_id: str) -> Iterator[Path]:
    """The folder of a release to be; gone again when it is not published."""
    try:
        yield begin(published, release_id)
    except BaseException:
        abandon(published, release_id)
        raise


def _complete(published: Path, release_id: str) -> None:
    """After the swap: the folder's name, the files beside the published one, what is kept no longer."""
    try:
        finish(published, release_id)
        put_beside(published, release_id)
        prune(published, release_id)
    except OSError as error:
        said = str(refused(error, published.parent))
        raise WarehouseError(
            f"{said}; {published.name} is published, the next run completes the rest"
        ) from None


def _folder_of(published: Path, there: Published | None) -> Path | None:
    folder = releases_folder(published) / there.release_id if there else None
    return folder if folder is not None and folder.is_dir() else None


def swap(staged: Path, published: Path) -> None:
    """Read-only bit, everything on disk, rename, no foreign WAL. The rename is the moment of publication."""
    staged.chmod(READ_ONLY)
    sync(staged)
    os.replace(staged, published)
    wal = published.with_name(published.name + ".wal")
    wal.unlink(missing_ok=True)
    sync(published.parent)


def _prove(published: Path) -> None:
    """Open the published file once as a reader would."""
    try:
        with readable(published) as path:
            manifest_of(path)
    except duckdb.Error as error:
        raise explained(error, published) from None


def _refuse_without_space(folder: Path, size: int) -> None:
    needed, free = _FREE_FACTOR * size, shutil.disk_usage(folder).free
    if free < needed:
        raise PublicationRefused(
            f"{folder}: {free / 1e6:.0f} MB free, publishing needs {needed / 1e6:.0f} MB: free some space"
        )


def refused(error: OSError, folder: Path) -> PublicationRefused:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    way_out = "free some space" if full else "check its owner and permissions, or set REGIME_DATA_DIR"
    return PublicationRefused(f"{folder}: {(error.strerror or str(error)).lower()}: {way_out}")


def roll_back(published: Path, release: Path) -> Published:
    """Publish the release in the folder `release` once more, as it is; the caller holds the run lock.

    Raises PublicationRefused, one line: the release is damaged, of the other profile, or the place cannot be written.
    Nothing has changed then.
    """
    wrong = damaged(release)
    if wrong:
        raise PublicationRefused(f"{release} is damaged ({', '.join(wrong[:3])}): choose another release")
    there, wanted = published_release(published), published_release(release / "regime.duckdb")
    assert wanted is not None
    if there is not None and there.profile != wanted.profile:
        raise PublicationRefused(f"the published file is {there.profile}, {release.name} is {wanted.profile}")
    staged = staged_path(published)
    try:
        remove_staged(staged)
        shutil.copyfile(release / "regime.duckdb", staged)
        swap(staged, published)
        put_beside(published, wanted.release_id)
    except (OSError, duckdb.IOException) as error:
        raise (refused(error, published.parent) if isinstance(error, OSError) else error) from None
    finally:
        remove_staged(staged)
    return wanted
