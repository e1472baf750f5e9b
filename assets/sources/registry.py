"""Who fetches what: the profile swaps the publishers' modules, the graph stays the same.

Belongs here: the choice of source per profile. Does not belong here: reading any of them.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from assets.catalog.models import Profile, SourceKey
from assets.sources.protocol import Source
from assets.sources.sample import SampleSource


def source_of(key: SourceKey, profile: Profile, project_root: Path) -> Source:
    """The module that serves a publisher's series in a profile. Raises ValueError for a profile that has none."""
    if profile == "sample":
        return SampleSource(project_root)
    raise ValueError(f"profile {profile!r} has no source for {key!r}")


def last_day(profile: Profile, project_root: Path, started_at: dt.datetime) -> dt.date:
    """The source's own day: no figure can be about a later one. The sample's last day, or the day of the run."""
    return SampleSource(project_root).as_of if profile == "sample" else started_at.date()
