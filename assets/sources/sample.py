"""The sample: published figures stored with the project in `sample_data/`, read as strictly as any publisher."""

from __future__ import annotations

import csv
import datetime as dt
import tomllib
from functools import cached_property
from pathlib import Path

from assets.catalog.models import Series
from assets.sources.parse import Unusable, read_date_value
from assets.sources.protocol import Known, Payload, PayloadRefused, Source, SourceUnreachable

FOLDER = "sample_data"


class SampleSource(Source):
    """`sample_data/<SERIES_ID>.csv` under the project's root."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER
        self._read = 0

    @cached_property
    def as_of(self) -> dt.date:
        """The last day of the sample: no figure in it was published later. Raises SourceUnreachable without it."""
        try:
            as_of = tomllib.loads((self._folder / "sample.toml").read_text(encoding="utf-8"))["as_of"]
        except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
            raise SourceUnreachable(f"{FOLDER}/sample.toml: no as_of date ({error})") from None
        if type(as_of) is not dt.date:
            raise SourceUnreachable(f"{FOLDER}/sample.toml: as_of is {as_of!r}, not a date")
        return as_of

    @property
    def requests(self) -> int:
        """Files read so far."""
        return self._read

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The full series, with unit, frequency and number of rows from `provenance.csv`.

        Raises SourceUnreachable (no readable file), PayloadRefused (no table of figures).
        """
        series_id = series.series_id
        where = f"{FOLDER}/{series_id}.csv"
        self._read += 1
        try:
            content = (self._folder / f"{series_id}.csv").read_bytes()
        except FileNotFoundError:
            raise SourceUnreachable(f"{where}: {series_id}: there is no such file") from None
        except OSError as error:
            raise SourceUnreachable(f"{where}: {series_id}: {error.strerror}") from None
        try:
            stated = self._provenance.get(series_id, {})
        except (KeyError, UnicodeDecodeError, csv.Error) as error:
            table, detail = f"{FOLDER}/provenance.csv", f"no table with a column series_id ({error})"
            raise PayloadRefused("missing_column", series_id, table, detail, "restore the file") from None
        try:
            observations = read_date_value(content)
        except Unusable as fault:
            way_out = "restore the file from its source"
            raise PayloadRefused(fault.rule, series_id, where, fault.detail, way_out) from None
        rows = stated.get("rows", "")
        return Payload(
            series_id=series_id,
            observations=observations,
            unit=stated.get("unit") or None,
            frequency=stated.get("frequency") or None,
            where=where,
            rows_expected=int(rows) if rows.isdigit() else None,
            is_bundled=True,
        )

    @cached_property
    def _provenance(self) -> dict[str, dict[str, str]]:
        """Unit, frequency and number of rows by series; empty without the file."""
        try:
            with (self._folder / "provenance.csv").open(encoding="utf-8", newline="") as file:
                return {row["series_id"]: row for row in csv.DictReader(file)}
        except FileNotFoundError:
            return {}
