"""An earlier release back in the place of the published file.

Belongs here: when that is refused, and doing it. Does not belong here: which release (`pipelines/commands`), the books:
what was published stays written down, and the next run publishes again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from assets.warehouse.publication import (
    PublicationRefused,
    Published,
    published_release,
    refused,
    staged_path,
    swap,
)
from assets.warehouse.release import remove_staged
from assets.warehouse.release_folder import damaged, put_beside


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
