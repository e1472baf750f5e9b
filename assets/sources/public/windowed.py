"""A publisher whose full history takes several requests: once in four weeks, and only its end on other days."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from assets.catalog.models import Series
from assets.sources.file_source import FileSource, Table
from assets.sources.protocol import Known, Payload

_FULL_AFTER = dt.timedelta(days=27)


class WindowedSource(FileSource[Table]):
    """`is_full` tells a subclass's `download` whether everything is due."""

    is_full = False

    def fetch(self, series: Series, known: Known | None = None) -> Payload:
        """The full history, or the end of a series that was fetched in full in the last four weeks.

        Raises SourceUnreachable, SeriesUnknown, PayloadRefused.
        """
        reconciled = known.reconciled_at if known is not None else None
        is_due = reconciled is None or self.now() - reconciled > _FULL_AFTER
        if is_due and not self.is_full:
            self.is_full, self._obtained = True, None
        return replace(super().fetch(series, known), is_complete=self.is_full)
