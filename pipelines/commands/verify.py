"""`verify`: whether a release is intact and its regime table comes out of the warehouse again.

Belongs here: the command, its words and exit status. Does not belong here: proving (`pipelines/verify.py`).
"""

from __future__ import annotations

import argparse
import sys

from pipelines.commands.releases import chosen
from pipelines.settings import ConfigurationError, load_places, read_environment

HOLDS, DIFFERS = 0, 1


def main(args: argparse.Namespace) -> int:
    """Print what was found; 1 when a file or a number differs. Raises ConfigurationError."""
    import duckdb

    from assets.warehouse.connection import open_warehouse
    from assets.warehouse.errors import LockHeld, WarehouseError
    from assets.warehouse.lock import RunLock
    from assets.warehouse.publication import PublicationRefused, published_release
    from pipelines.verify import verify

    places = load_places(read_environment())
    release = chosen(places.published_path, args.release)
    try:
        said = published_release(release / "regime.duckdb")
        name = "sample.warehouse.duckdb" if said and said.profile == "sample" else "warehouse.duckdb"
        if not (places.data_dir / name).exists():
            raise ConfigurationError(f"{places.data_dir / name} is not there: nothing to compute again from")
        with open_warehouse(places.data_dir / name, lock=RunLock(places.lock_path)) as con:
            found = verify(release, con, places.project_root)
    except (LockHeld, PublicationRefused, WarehouseError, duckdb.Error) as error:
        raise ConfigurationError(" ".join(str(error).split())) from None
    for line in found.files:
        print(f"file      {line} is not as it was published")
    for line in found.drift:
        print(f"drift     {line}")
    for line in found.numbers:
        print(f"number    {line}")
    print(f"{found.release_id}: {_verdict(found.holds, found.rows)}")
    sys.stdout.flush()
    return HOLDS if found.holds else DIFFERS


def _verdict(holds: bool, rows: int) -> str:
    if holds:
        return f"intact, and all {rows} rows of its regime table come out the same"
    return "not what was published, or not reproduced here"
