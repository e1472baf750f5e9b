"""An old release is recomputed bit for bit after runs with figures that came out later."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Series
from assets.publish.folder import releases
from assets.publish.publication import publish
from assets.publish.record import record_publication
from assets.sources.protocol import Payload
from assets.sources.sample import SampleSource
from assets.warehouse.schema import open_warehouse
from pipelines import __main__ as command_line
from pipelines.verify import verify
from tests.integration.conftest import STARTED_AT, Night
from tests.integration.live_runs import file_only
from tests.integration.sample_night import ROOT, fill, night_facts, stage

DAYS = [dt.date(2026, 8, 31), dt.date(2026, 9, 30)]
WITHHELD = 24  # newest figures a series lacks on the first run; the second run brings half of them


def a_run(data_dir: Path, number: int, patch: pytest.MonkeyPatch) -> Night:
    """One more run: figures that are new, revisions of others, and a recorded publication."""
    fetch = SampleSource.fetch

    def as_served_then(source: SampleSource, series: Series) -> Payload:
        payload = fetch(source, series)
        observations = payload.observations
        if series.series_id == "UNRATE":  # late-arriving data, some in every run
            observations = observations.iloc[: len(observations) - WITHHELD + WITHHELD // 2 * number]
        if series.series_id in ("INDPRO", "PAYEMS", "GDPC1", "PCEPILFE", "CPIAUCSL"):  # revised in every run
            observations = observations.assign(value=observations["value"] * (1 + 0.0005 * number))
        return replace(payload, observations=observations)

    facts = night_facts(data_dir, DAYS[number], STARTED_AT + dt.timedelta(days=10 * number), f"run-{number}")
    night = Night(facts, data_dir / "sample.warehouse.duckdb")
    night.published.parent.mkdir(exist_ok=True)
    with patch.context() as served, open_warehouse(night.warehouse) as con:
        served.setattr(SampleSource, "fetch", as_served_then)
        fill(con, facts)
        stage(con, facts, night.staged)
        publish(night.staged, night.published, gate=lambda _: None, fill=file_only)
        record_publication(con, night.published, "sample", load_catalog())
    return night


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_release_made_runs_ago_is_recomputed_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = []
    for number in range(len(DAYS)):
        night = a_run(tmp_path, number, monkeypatch)
        with open_warehouse(night.warehouse) as con:
            counts.append(con.execute("SELECT count(*) FROM raw.vintages").fetchall()[0][0])
    assert sorted(set(counts)) == counts, "every run added vintages"
    monkeypatch.setenv("REGIME_DATA_DIR", str(tmp_path))
    first, _ = releases(night.published)  # the newest: test_verify
    assert command_line.main(["verify", first.name]) == 0
    assert "bit" not in capsys.readouterr().err
    # It differs once the late figures count as there on the first run.
    with open_warehouse(night.warehouse) as con:
        con.execute(
            "UPDATE raw.vintages SET captured_at = (SELECT min(captured_at) FROM raw.vintages) "
            "WHERE series_id = 'UNRATE'"
        )
        assert verify(first, con, ROOT).numbers != []
