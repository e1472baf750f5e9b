"""What a run is about: profile, run date and places, decided once before any asset works.

Belongs here: the facts every layer of assets reads. Does not belong here: reading the environment
(`pipelines/settings.py` does, `pipelines/resources.py` hands the result over).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from assets.catalog.models import Profile


@dataclass(frozen=True)
class RunFacts:
    """One run. `run_date` is the day whose knowledge the newest row states; `started_at` is a UTC timestamp.

    Nothing that became public after `run_date` is used, whatever the archive holds. With
    `publishes_restricted` raw figures of restricted series go into the publication. With `accepts_incomplete` a first
    publication is made although inputs of the label could not be reached.
    """

    run_id: str
    profile: Profile
    run_date: dt.date
    started_at: dt.datetime
    project_root: Path
    published_path: Path
    code_version: str
    publishes_restricted: bool = False
    accepts_incomplete: bool = False
