"""Which release a command is about, for the commands that take one.

Belongs here: names into folders. Does not belong here: what is done with them (`verify.py`, `rollback.py`).
"""

from __future__ import annotations

from pathlib import Path

from pipelines.settings import ConfigurationError


def chosen(published: Path, name: str | None) -> Path:
    """Folder of the release called `name`, by its beginning if that fits one alone; the published one without a name.

    Raises ConfigurationError, one line naming the newest releases.
    """
    from assets.publish.folder import releases

    found = releases(published)
    wanted = name if name is not None else published_id(published)
    fits = [folder for folder in found if folder.name == wanted] or [
        folder for folder in found if folder.name.startswith(wanted)
    ]
    if len(fits) == 1:
        return fits[0]
    there = ", ".join(folder.name for folder in reversed(found[-5:])) or "none yet: run `make run`"
    raise ConfigurationError(
        f"{wanted}: {'several releases begin so' if fits else 'no such release'}; newest: {there}"
    )


def before(published: Path) -> str:
    """Name of the release before the published one. Raises ConfigurationError."""
    from assets.publish.folder import releases

    earlier = [folder.name for folder in releases(published) if folder.name < published_id(published)]
    if not earlier:
        raise ConfigurationError("there is no release before the published one")
    return earlier[-1]


def published_id(published: Path) -> str:
    """Name of the published release. Raises ConfigurationError when there is none."""
    from assets.warehouse.published_file import PublicationRefused, published_release

    try:
        there = published_release(published)
    except PublicationRefused as error:
        raise ConfigurationError(f"{error}, or name a release") from None
    if there is None:
        raise ConfigurationError(
            f"nothing is published yet at {published}: run `make run`, or name a release"
        )
    return there.release_id
