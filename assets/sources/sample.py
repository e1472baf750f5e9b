"""The embedded default: real published figures carried with the project, read as strictly as any publisher.

Belongs here: reading `sample_data/`. Does not belong here: the figures' rights and origins
(`sample_data/provenance.csv` says them), judging what was read (`validate.py`).
"""

from __future__ import annotations

import csv
import datetime as dt
import time
import tomllib
from functools import cached_property
from pathlib import Path

from assets.catalog.models import Series
from assets.sources.parse import read_date_value
from assets.sources.protocol import Known, Payload, PayloadRefused, SourceUnreachable

FOLDER = "sample_data"


class SampleSource:
    """`sample_data/<SERIES_ID>.csv` under the project's root; `as_of` is the day the sample ends."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER

    @cached_property
    def as_of(self) -> dt.date:
        """No figure of the sample was first published after this day. Raises SourceUnreachable without it."""
        try:
            settings = tomllib.loads((self._folder / "sample.toml").read_text(encoding="utf-8"))
            as_of = settings["as_of"]
        except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
            raise SourceUnreachable(f"{FOLDER}/sample.toml: no as_of date ({error})") from None
        if type(as_of) is not dt.date:
            raise SourceUnreachable(f"{FOLDER}/sample.toml: as_of is {as_of!r}, not a date")
        return as_of

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The series' whole file, with unit, frequency and number of rows as `provenance.csv` states them.

        Raises SourceUnreachable when there is no readable file, PayloadRefused when it is no table of
        figures.
        """
        began = time.monotonic()
        name = f"{series.series_id}.csv"
        where = f"{FOLDER}/{name}"
        try:
            content = (self._folder / name).read_bytes()
        except FileNotFoundError:
            raise SourceUnreachable(f"{where}: {series.series_id}: there is no such file") from None
        except OSError as error:
            raise SourceUnreachable(f"{where}: {series.series_id}: {error.strerror}") from None
        try:
            stated = self._provenance.get(series.series_id, {})
        except (KeyError, UnicodeDecodeError, csv.Error) as error:
            detail = f"no table with a column series_id ({error})"
            raise PayloadRefused(
                "missing_column", series.series_id, f"{FOLDER}/provenance.csv", detail, "restore the file"
            ) from None
        rows = stated.get("rows", "")
        return Payload(
            series_id=series.series_id,
            observations=read_date_value(content, series.series_id, where),
            unit=stated.get("unit") or None,
            frequency=stated.get("frequency") or None,
            last_updated=None,
            requests=1,
            seconds=time.monotonic() - began,
            where=where,
            rows_expected=int(rows) if rows.isdigit() else None,
            is_bundled=True,
        )

    @cached_property
    def _provenance(self) -> dict[str, dict[str, str]]:
        """What each publisher says of its series, by id; empty without the file."""
        try:
            with (self._folder / "provenance.csv").open(encoding="utf-8", newline="") as file:
                return {row["series_id"]: row for row in csv.DictReader(file)}
        except FileNotFoundError:
            return {}
