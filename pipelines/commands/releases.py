"""`releases` lists them, `verify` proves one, `rollback` publishes an earlier one, `site` adds the newest to a site."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from assets.publish import folder
from assets.publish.publication import roll_back
from assets.warehouse.connection import LockHeld, WarehouseError
from assets.warehouse.published_file import PublicationRefused, published_release
from assets.warehouse.schema import open_warehouse
from pipelines.instance import run_lock
from pipelines.process import print_progress
from pipelines.release_file import Row, open_published, print_rows, rows
from pipelines.settings import PROJECT_ROOT, ConfigurationError, Folders, load_folders, read_environment

if TYPE_CHECKING:
    from pipelines.verify import Verified

REPRODUCED, DIFFERS = 0, 1


def releases(args: argparse.Namespace) -> int:
    """Print every release that is kept, oldest first, and which one is published."""
    published = load_folders(read_environment()).published_path
    try:
        current = published_release(published)
    except PublicationRefused:
        current = None
    found: list[Row] = []
    for path in folder.releases(published):
        with open_published(path / published.name) as con:
            about = rows(con, "SELECT as_of_date, profile, regime, method_version, published_at FROM about")[
                0
            ]
        is_published = current is not None and current.release_id == path.name
        found.append({"release": path.name, **about, "is_published": is_published})
    if not found:
        raise ConfigurationError(f"nothing is published yet at {published}: run `make run`")
    print_rows(args, found)
    return 0


def verify(args: argparse.Namespace) -> int:
    """Print what was found; 1 when a file or a number differs. Raises ConfigurationError."""
    folders = load_folders(read_environment())
    release = _chosen(folders.published_path, args.release)
    try:
        found = _verified(release, folders, args.wait)
    except (LockHeld, WarehouseError, duckdb.Error) as error:
        raise ConfigurationError(" ".join(str(error).split())) from None
    for line in found.files:
        print(f"file      {line} is not as it was published")
    for line in found.drift:
        print(f"drift     {line}")
    for line in found.numbers:
        print(f"number    {line}")
    if not found.holds:
        print(f"{found.release_id}: not what was published, or not reproduced here")
        return DIFFERS
    total = sum(found.rows.values())
    print(
        f"{found.release_id}: intact, and all {found.rows['regime']} rows of its regime table come out the same; "
        f"so do its other {len(found.rows) - 1} computed tables, {total:,} rows in all"
    )
    return REPRODUCED


def site(args: argparse.Namespace) -> int:
    """Print what was added and the first page. Raises ConfigurationError; old pages have not changed then."""
    from assets.report.site import add_release

    published = load_folders(read_environment()).published_path
    if not published.exists():
        raise ConfigurationError(f"{published} does not exist: run `make run` first")
    methodology = (PROJECT_ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
    try:
        added = add_release(published, args.folder, methodology, args.url)
    except (OSError, duckdb.Error) as error:
        raise ConfigurationError(f"{args.folder} was not completed: {' '.join(str(error).split())}") from None
    print(f"{added.release_id} {'added' if added.is_new else 'is there already'}; releases: {added.releases}")
    print(added.index)
    return 0


def rollback(args: argparse.Namespace) -> int:
    """Print which release is published now. Raises ConfigurationError; nothing has changed then."""
    folders = load_folders(read_environment())
    try:
        with run_lock(folders).held():
            name = args.release or _before(folders.published_path)
            release = roll_back(folders.published_path, _chosen(folders.published_path, name))
    except (LockHeld, PublicationRefused, WarehouseError) as error:
        raise ConfigurationError(str(error)) from None
    print(f"{folders.published_path} is release {release.release_id} again, as of {release.as_of}")
    print("the next run publishes a new release: stop the schedule until the problem is solved")
    return 0


def _verified(release: Path, folders: Folders, wait_seconds: float) -> Verified:
    """The result; when the release's own DuckDB file is damaged, no table can be computed again."""
    from pipelines.verify import Verified, verify

    file = release / "regime.duckdb"
    if file.name in (wrong := folder.damaged(release)):
        return Verified(release.name, wrong, [], [], {})
    manifest = published_release(file)
    warehouse = folders.warehouse_of(manifest.profile if manifest else "live")
    if not warehouse.exists():
        raise ConfigurationError(f"{warehouse} does not exist: the tables cannot be computed again")
    lock = run_lock(folders)
    with open_warehouse(warehouse, lock=lock, wait_seconds=wait_seconds, log=print_progress) as con:
        return verify(release, con, folders.project_root)


def _chosen(published: Path, name: str | None) -> Path:
    """Folder of the release `name`, also by a unique beginning; the published one without a name.

    Raises ConfigurationError, one line listing the newest releases.
    """
    found = folder.releases(published)
    wanted = name if name is not None else _published_id(published)
    fits = [one for one in found if one.name == wanted] or [
        one for one in found if one.name.startswith(wanted)
    ]
    if len(fits) == 1:
        return fits[0]
    newest = ", ".join(one.name for one in reversed(found[-5:])) or "none yet: run `make run`"
    problem = "several releases begin like this" if fits else "no such release"
    raise ConfigurationError(f"{wanted}: {problem}; newest: {newest}")


def _before(published: Path) -> str:
    """Name of the release before the published one. Raises ConfigurationError."""
    earlier = [one.name for one in folder.releases(published) if one.name < _published_id(published)]
    if not earlier:
        raise ConfigurationError("there is no release before the published one")
    return earlier[-1]


def _published_id(published: Path) -> str:
    """Name of the published release. Raises ConfigurationError when there is none."""
    try:
        found = published_release(published)
    except PublicationRefused as error:
        raise ConfigurationError(f"{error}, or name a release") from None
    if found is None:
        raise ConfigurationError(
            f"nothing is published yet at {published}: run `make run`, or name a release"
        )
    return found.release_id
