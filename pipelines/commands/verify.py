"""`verify`: whether a release is intact and its tables come out of the warehouse again.

Belongs here: the command, its words and exit status. Does not belong here: proving (`pipelines/verify.py`).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands.releases import chosen
from pipelines.commands.run import WAIT_SECONDS, say
from pipelines.settings import ConfigurationError, Places, load_places, read_environment

if TYPE_CHECKING:
    from pipelines.verify import Verified

HOLDS, DIFFERS = 0, 1


def main(args: argparse.Namespace) -> int:
    """Print what was found; 1 when a file or a number differs. Raises ConfigurationError."""
    import duckdb

    from assets.warehouse.connection import LockHeld, WarehouseError

    places = load_places(read_environment())
    release = chosen(places.published_path, args.release)
    try:
        found = _verified(release, places, WAIT_SECONDS if args.wait else 0.0)
    except (LockHeld, WarehouseError, duckdb.Error) as error:
        raise ConfigurationError(" ".join(str(error).split())) from None
    for line in found.files:
        print(f"file      {line} is not as it was published")
    for line in found.drift:
        print(f"drift     {line}")
    for line in found.numbers:
        print(f"number    {line}")
    print(f"{found.release_id}: {_verdict(found)}")
    return HOLDS if found.holds else DIFFERS


def _verified(release: Path, places: Places, wait_seconds: float) -> Verified:
    """What was found; of a release whose own file is damaged, nothing can be computed again."""
    from assets.publish.folder import damaged
    from assets.warehouse.connection import open_warehouse
    from assets.warehouse.lock import RunLock
    from assets.warehouse.published_file import published_release
    from pipelines.verify import Verified, verify

    file = release / "regime.duckdb"
    if file.name in (wrong := damaged(release)):
        return Verified(release.name, wrong, [], [], {})
    said = published_release(file)
    name = "sample.warehouse.duckdb" if said and said.profile == "sample" else "warehouse.duckdb"
    if not (places.data_dir / name).exists():
        raise ConfigurationError(f"{places.data_dir / name} is not there: nothing to compute again from")
    lock = RunLock(places.lock_path)
    with open_warehouse(places.data_dir / name, lock=lock, wait_seconds=wait_seconds, log=say) as con:
        return verify(release, con, places.project_root)


def _verdict(found: Verified) -> str:
    if not found.holds:
        return "not what was published, or not reproduced here"
    rows, others = sum(found.rows.values()), len(found.rows) - 1
    return (
        f"intact, and all {found.rows['regime']} rows of its regime table come out the same; "
        f"so do its other {others} computed tables, {rows:,} rows in all"
    )
