"""How tests read a publisher: impatiently, and what they then say of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pytest

from assets.sources.file_source import FileSource
from assets.sources.http import Limits
from assets.sources.pacing import Clock, Patience
from assets.sources.protocol import Payload, PayloadRefused, SourceUnreachable
from assets.sources.validate import validate
from tests.builders import a_series

TODAY = dt.date(2026, 6, 15)
IMPATIENT = Patience(attempts=2, longest_wait=1.0, clock=Clock(sleep=lambda _: None))
SHORT = Limits(silence=0.3, whole=0.6, size=8 * 1024 * 1024)


@dataclass(frozen=True)
class Held:
    """What the archive holds of a series."""

    last_updated: dt.datetime | None = None
    reconciled_at: dt.datetime | None = dt.datetime(2026, 6, 12, tzinfo=dt.UTC)
    newest_vintage: dt.date | None = None
    newest_observation: dt.date | None = None


def accepted(source: FileSource, series_id: str, known: Held | None = None) -> Payload:
    """What the source serves, judged as the pipeline would."""
    series = a_series(series_id)
    payload = source.fetch(series, known)
    validate(payload, series, TODAY, None)
    return payload


def figures(payload: Payload) -> dict[str, float]:
    """Value by ISO date."""
    rows = payload.observations
    return dict(zip(rows["observation_date"].dt.strftime("%Y-%m-%d"), rows["value"], strict=True))


def refused(source: FileSource, series_id: str) -> PayloadRefused:
    """The refusal; one line."""
    with pytest.raises(PayloadRefused) as caught:
        accepted(source, series_id)
    assert "\n" not in str(caught.value)
    return caught.value


def unreachable(source: FileSource, series_id: str) -> str:
    """The failure's line."""
    with pytest.raises(SourceUnreachable) as caught:
        source.fetch(a_series(series_id))
    assert "\n" not in str(caught.value)
    return str(caught.value)
