"""What a run is about: profile, run date and places, decided once before any asset works."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from assets.catalog.models import Profile


@dataclass(frozen=True)
class RunFacts:
    """One run. `run_date` is the day whose knowledge the newest row states; `started_at` is a UTC timestamp.

    Nothing that became public after `run_date` is used, whatever the archive holds. With
    `publishes_restricted` raw figures of restricted series go into the publication. `is_historical`: somebody gave the
    run date; `accepts_incomplete`: somebody wanted a publication although inputs of the label are not held. Neither run
    freezes rows.
    """

    run_id: str
    profile: Profile
    run_date: dt.date
    started_at: dt.datetime
    project_root: Path
    published_path: Path
    code_version: str
    publishes_restricted: bool = False
    is_historical: bool = False
    accepts_incomplete: bool = False
