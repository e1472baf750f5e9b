"""A release of long ago, after nights with figures it could not know: it comes out again to the last bit."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.publish.documents.fill import fill_release
from assets.publish.folder import releases
from assets.publish.publication import publish
from assets.publish.record import record_publication
from assets.sources.protocol import Payload
from assets.sources.sample import SampleSource
from assets.warehouse.schema import open_warehouse
from pipelines import __main__ as command_line
from pipelines.verify import verify
from tests.integration.conftest import STARTED_AT, Night
from tests.integration.sample_night import ROOT, fill, night_facts, stage

DAYS = [dt.date(2026, 4, 30), dt.date(2026, 5, 10), dt.date(2026, 5, 20), dt.date(2026, 5, 31)]
WITHHELD = 24  # newest figures a series lacks on the first night; each later night brings a third of them


def a_night(place: Path, number: int, patch: pytest.MonkeyPatch) -> Night:
    """One more night: figures that were not there before, revisions of others, and a publication with its books."""
    whole = SampleSource.fetch

    def as_served_then(source: SampleSource, series: Series) -> Payload:
        payload = whole(source, series)
        held = payload.observations
        if series.series_id == "UNRATE":  # reached us late, one night after the other
            held = held.iloc[: len(held) - WITHHELD + WITHHELD // 3 * number]
        if series.series_id in ("INDPRO", "PAYEMS", "GDPC1", "PCEPILFE", "CPIAUCSL"):  # revised every night
            held = held.assign(value=held["value"] * (1 + 0.0005 * number))
        return replace(payload, observations=held)

    facts = night_facts(place, DAYS[number], STARTED_AT + dt.timedelta(days=10 * number), f"night-{number}")
    night = Night(facts, place / "sample.warehouse.duckdb")
    night.published.parent.mkdir(exist_ok=True)
    with patch.context() as served, open_warehouse(night.warehouse) as con:
        served.setattr(SampleSource, "fetch", as_served_then)
        fill(con, facts)
        stage(con, facts, night.staged)
        publish(night.staged, night.published, gate=lambda _: None, fill=fill_release)
        record_publication(con, night.published, "sample", load_catalog())
    return night


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_release_made_three_runs_ago_comes_out_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held = []
    for number in range(len(DAYS)):
        night = a_night(tmp_path, number, monkeypatch)
        with open_warehouse(night.warehouse) as con:
            held.append(con.execute("SELECT count(*) FROM raw.vintages").fetchall()[0][0])
    assert sorted(set(held)) == held, "every night brought figures of its own"
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path))
    for release in releases(night.published):
        assert command_line.main(["verify", release.name]) == 0
        assert "bit" not in capsys.readouterr().err
    with open_warehouse(
        night.warehouse
    ) as con:  # otherwise, had the late figures been there on the first night
        con.execute(
            "UPDATE raw.vintages SET captured_at = (SELECT min(captured_at) FROM raw.vintages) "
            "WHERE series_id = 'UNRATE'"
        )
        assert verify(releases(night.published)[0], con, ROOT).numbers != []
