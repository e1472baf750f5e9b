"""`backup`: a judged copy of warehouse and releases in another place.

Belongs here: the command. Does not belong here: copying (`pipelines/backup.py`).
"""

from __future__ import annotations

import argparse
import sys

from pipelines.settings import ConfigurationError, load_places, read_environment


def main(args: argparse.Namespace) -> int:
    """Print the place of the backup. Raises ConfigurationError."""
    from assets.warehouse.connection import LockHeld, WarehouseError
    from assets.warehouse.lock import RunLock
    from pipelines.backup import back_up

    places = load_places(read_environment())
    if args.target.expanduser().resolve().is_relative_to(places.data_dir.resolve()):
        raise ConfigurationError(
            f"{args.target} lies inside {places.data_dir}: give a place outside, on another disk"
        )
    try:
        with RunLock(places.lock_path).held(args.wait, _say):
            print(back_up(places, args.target, _say, wait_seconds=args.wait))
    except (LockHeld, WarehouseError) as error:
        raise ConfigurationError(str(error)) from None
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
