"""`rollback`: an earlier release back in the place of the published file.

Belongs here: the command. Does not belong here: doing it (`assets/publish/publication.py`).
"""

from __future__ import annotations

import argparse

from pipelines.commands.releases import before, chosen
from pipelines.settings import ConfigurationError, load_places, read_environment


def main(args: argparse.Namespace) -> int:
    """Print what is published now. Raises ConfigurationError; nothing has changed then."""
    from assets.publish.publication import roll_back
    from assets.warehouse.connection import LockHeld, WarehouseError
    from assets.warehouse.lock import RunLock
    from assets.warehouse.published_file import PublicationRefused

    places = load_places(read_environment())
    try:
        with RunLock(places.lock_path).held():
            name = args.release or before(places.published_path)
            release = roll_back(places.published_path, chosen(places.published_path, name))
    except (LockHeld, PublicationRefused, WarehouseError) as error:
        raise ConfigurationError(str(error)) from None
    print(f"{places.published_path} is release {release.release_id} again, as of {release.as_of}")
    print("the next run publishes anew: hold the schedule until what was wrong is mended")
    return 0
