"""`restore`: a backup back in the place of the data directory.

Belongs here: the command. Does not belong here: copying (`pipelines/backup.py`).
"""

from __future__ import annotations

import argparse
import sys

from pipelines.settings import ConfigurationError, load_places, read_environment


def main(args: argparse.Namespace) -> int:
    """Print what was done. Raises ConfigurationError; nothing has changed then."""
    from assets.warehouse.connection import LockHeld, WarehouseError
    from assets.warehouse.lock import RunLock
    from pipelines.backup import restore

    places = load_places(read_environment())
    try:
        with RunLock(places.lock_path).held(0.0, _say):
            aside = restore(places, args.backup.expanduser().absolute(), _say)
    except (LockHeld, WarehouseError) as error:
        raise ConfigurationError(str(error)) from None
    print(f"{places.data_dir} is as it was in {args.backup}")
    if aside:
        print(
            f"what stood there before is in {aside}: remove it once all is well (`python -m pipelines doctor`)"
        )
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
