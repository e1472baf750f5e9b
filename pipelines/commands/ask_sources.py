"""`doctor --sources`: fetch one series from every file and interface of the profile public, and say what answered.

Nothing is stored. A file is downloaded once, so that a changed layout, unit or address shows by name.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.access import read_access
from pipelines.settings import load_settings

if TYPE_CHECKING:
    from assets.catalog.models import Series
    from assets.sources.protocol import Source


def ask_sources() -> Iterator[tuple[str, str, str]]:
    """Level, name and result of each file or interface: FAIL when it did not serve its series, else OK."""
    from assets.sources.registry import Sources

    settings = load_settings(environ={**os.environ, "REGIME_PROFILE": "public"})
    sources = Sources(replace(read_access(settings), retry_budget_seconds=0.0))  # no request is repeated
    today = sources.last_day(dt.datetime.now(dt.UTC))
    for name, series in _one_of_each():
        (part,) = sources.of(series.source).parts([series])
        level, text = _asked(part.source, series, today)
        yield level, name, text


def _one_of_each() -> Iterator[tuple[str, Series]]:
    """The first series of every file and interface, with the name of its reader and file."""
    from assets.catalog.loader import load_catalog

    named = set()
    for series in load_catalog().in_profile("public"):
        carrier = series.carrier
        if carrier is None or carrier.reader == "sample":
            continue
        name = " ".join(filter(None, (carrier.reader, carrier.release)))
        if name not in named:
            named.add(name)
            yield name, series


def _asked(source: Source, series: Series, today: dt.date) -> tuple[str, str]:
    from assets.sources.protocol import PayloadRefused, SeriesUnknown, SourceUnreachable
    from assets.sources.validate import validate

    began, before = time.monotonic(), source.requests
    try:
        payload = source.fetch(series)
        warnings = validate(payload, series, today, None)
    except (PayloadRefused, SeriesUnknown, SourceUnreachable) as failure:
        return "FAIL", str(failure)
    rows = payload.observations
    text = (
        f"{payload.host}: {series.series_id}, {rows['observation_date'].nunique()} figures to "
        f"{rows['observation_date'].max():%Y-%m-%d}, {source.requests - before} requests, "
        f"{time.monotonic() - began:.1f} s"
    )
    return "OK", "; ".join([text, *warnings])
