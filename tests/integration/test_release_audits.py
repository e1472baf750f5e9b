"""The audits of a staged file hold what they promise: no hindsight, nothing published changes, no silent new method."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog, Series
from assets.compute.computation import REGIME_INPUTS, compute
from assets.compute.cut import as_revised, cut, has_revisions
from assets.publish.gate import judged
from assets.sources.protocol import Payload
from assets.sources.sample import SampleSource
from assets.warehouse.connection import CONFIG, open_warehouse
from assets.warehouse.grid import run_grid
from assets.warehouse.ledger import record_publication
from assets.warehouse.publication import publish
from assets.warehouse.readers import frame_of, load_archive
from checks.audits.of_release import audit_release
from checks.audits.recompute import CUTS, EARLIEST, cut_dates, recompute_suite, recomputed
from checks.registry import JUDGED_IN_RELEASE
from checks.runner import RuleResult, run_suite
from tests.integration.conftest import STARTED_AT, Night
from tests.integration.sample_night import SAMPLE_END, fill, night_facts, stage

CATALOG = load_catalog()
ON_ITS_WAY = ("regime",)  # columns beside the label that the night of the tests leaves empty


@dataclass
class Gate:
    """The gate of a night, as publishing comes through it."""

    night: Night

    def held_by(self) -> list[str]:
        """What the whole gate finds, as publishing is told."""
        with open_warehouse(self.night.warehouse) as con, self._staged() as staged:
            return judged(staged, con, self.night.facts)

    def audits(self, catalog: Catalog = CATALOG) -> dict[str, RuleResult]:
        """What each rule of the audits came to."""
        with open_warehouse(self.night.warehouse) as con, self._staged() as staged:
            frames = {name: read(staged, name) for name in JUDGED_IN_RELEASE}
            audited = audit_release(staged, con, frames, self.night.facts, catalog)
        return {result.rule.name: result for suite in audited for result in suite.results}

    def failed(self, catalog: Catalog = CATALOG) -> set[str]:
        return {name for name, result in self.audits(catalog).items() if not result.passed}

    def _staged(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.night.staged), read_only=True, config=CONFIG)


def read(con: duckdb.DuckDBPyConnection, name: str) -> pd.DataFrame:
    con.execute(f'SELECT * FROM "{name}"')
    return frame_of(con)


@pytest.fixture
def gate(night: Night) -> Gate:
    return Gate(night)


@pytest.fixture
def published(night: Night, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The night published and in the books, and the same release staged once more. Computed again for one date only."""
    monkeypatch.setattr("checks.audits.recompute.CUTS", 1)
    with open_warehouse(night.warehouse) as con:
        publish(night.staged, night.published, gate=lambda _: None)
        record_publication(con, night.published, "sample", CATALOG)
    night.stage_again()
    return Gate(night)


def test_an_honest_release_passes_the_gate_and_says_what_was_compared(gate: Gate) -> None:
    assert [name for name in gate.held_by() if name.split()[0] not in ON_ITS_WAY] == []
    with open_warehouse(gate.night.warehouse) as con:
        kept = con.execute(
            "SELECT check_name, evaluated_rows, message FROM ops.check_results WHERE asset_key = 'publish/release'"
        ).fetchall()
    said = {name: (rows, message) for name, rows, message in kept}
    assert said["published_row__unchanged"] == (0, "nothing to judge.")
    assert said["recomputed__from_what_was_known"][0] > 10_000
    assert said["recomputed__not_from_revised_figures"] == (0, "nothing to judge.")


def test_an_honest_release_passes_after_its_publication(published: Gate) -> None:
    audits = published.audits()
    assert [name for name, result in audits.items() if not result.passed] == []
    assert audits["published_row__unchanged"].evaluated_rows == 498  # 497 month-ends and one night


@pytest.mark.parametrize(
    ("change", "held_by"),
    [
        ("UPDATE regime SET bubble_score = bubble_score + 1e-9 WHERE as_of_date = '2021-11-30'", "unchanged"),
        ("UPDATE regime SET freshness = 0.5 WHERE as_of_date = '2021-11-30'", "unchanged"),
        ("DELETE FROM regime WHERE as_of_date = '2021-11-30'", "found_again"),
        ("DELETE FROM regime_nightly", "found_again"),
        ("UPDATE regime_nightly SET stance_driver = 'none'", "unchanged"),
    ],
)
def test_a_published_row_that_changed_holds_publication(published: Gate, change: str, held_by: str) -> None:
    with published.night.open_staged() as con:
        con.execute(change)
    assert f"published_row__{held_by}" in published.failed()


def test_the_input_that_moved_is_named(published: Gate) -> None:
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET economy_score = 0.9 WHERE as_of_date = '2021-11-30'")
        con.execute(
            "UPDATE regime_evidence SET value = 9.9 WHERE as_of_date = '2021-11-30' AND component = 'unemployment'"
        )
    message = published.audits()["published_row__unchanged"].message
    assert "as_of_date 2021-11-30" in message
    assert "changed economy_score" in message
    assert "inputs_moved unemployment (UNRATE): 4.5 -> 9.9" in message


def test_a_row_that_changed_without_an_input_says_so(published: Gate) -> None:
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET bubble_score = 0.1 WHERE as_of_date = '2021-11-30'")
    assert "inputs_moved no input moved" in published.audits()["published_row__unchanged"].message


def test_the_books_hold_even_when_the_published_file_is_gone(published: Gate) -> None:
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET bubble_score = 0.1 WHERE as_of_date = '2021-11-30'")
    published.night.published.unlink()
    assert "published_row__unchanged" in published.failed()


def test_what_is_said_of_the_ledgers_age_may_change(published: Gate) -> None:
    """Somebody looked at the announcements again: rows published as provisional no longer are."""
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET is_stance_provisional = NOT is_stance_provisional")
    assert {name for name in published.failed() if "published_row" in name} == set()


def test_a_file_somebody_holds_open_for_writing_is_compared_all_the_same(published: Gate) -> None:
    published.night.published.chmod(0o644)
    with duckdb.connect(str(published.night.published)) as held:
        held.execute("CREATE TABLE mine (a INTEGER)")
        assert published.failed() == set()


def test_a_figure_of_the_future_is_caught_by_computing_again(gate: Gate) -> None:
    """The table was computed from an archive in which a later figure passed for one known that day."""
    with gate.night.open_staged() as con:
        con.execute(
            "UPDATE real_yields SET nominal_10y_pct = nominal_10y_pct + 1 WHERE as_of_date <= '1995-06-30'"
        )
    result = gate.audits()["recomputed__from_what_was_known"]
    assert not result.passed
    assert "table_name real_yields" in result.message


@pytest.fixture
def revised_night(night: Night) -> Night:
    """The same night with an archive in which unemployment was revised for two years of the past."""
    with open_warehouse(night.warehouse) as con:
        con.execute(
            "INSERT INTO raw.vintages SELECT series_id, observation_date, DATE '2026-05-20', value + 1, 'captured', "
            "captured_at + INTERVAL 1 SECOND, fetch_id FROM raw.vintages "
            "WHERE series_id = 'UNRATE' AND observation_date BETWEEN '1990-01-01' AND '1991-12-31'"
        )
    return night


def test_a_table_computed_from_revised_figures_is_caught_and_named(revised_night: Night) -> None:
    with open_warehouse(revised_night.warehouse) as con:
        grid = run_grid(con, revised_night.facts, CATALOG)
        archive = load_archive(con, list(CATALOG.series))
        series = {s.series_id: s for s in CATALOG.in_profile("sample")}
        hindsight = compute(as_revised(archive), grid, CATALOG, series).frame
    assert has_revisions(archive)
    with revised_night.open_staged() as con:
        con.register("hindsight", hindsight)
        con.execute(
            "UPDATE regime SET economy_score = h.economy_score FROM hindsight h WHERE h.as_of_date = regime.as_of_date"
        )
    assert "recomputed__not_from_revised_figures" in Gate(revised_night).failed()


def test_an_archive_with_revisions_passes_when_rows_show_what_was_known(revised_night: Night) -> None:
    """Only rows in which the revision could be told apart are judged, and they are."""
    gate = Gate(revised_night)
    with open_warehouse(revised_night.warehouse) as con:
        grid = run_grid(con, revised_night.facts, CATALOG)
        archive = load_archive(con, list(CATALOG.series))
    past = cut(archive, np.datetime64("2026-05-19"))
    assert (has_revisions(archive), has_revisions(past)) == (True, False)
    assert len(grid) == 497
    result = gate.audits()["recomputed__not_from_revised_figures"]
    assert result.passed
    assert result.evaluated_rows > 100


@pytest.mark.parametrize(
    ("tampering", "held_by"),
    [
        (
            "INSERT INTO raw.vintages SELECT 'GS10', observation_date, realtime_start, value, vintage_source, "
            "captured_at + INTERVAL 1 SECOND, fetch_id FROM raw.vintages "
            "WHERE series_id = 'FEDFUNDS' AND observation_date > '2026-04-30'",
            "raw/fred/GS10 GS10__mean_of_dgs10",
        ),
        (
            "UPDATE raw.vintages SET value = 45 WHERE series_id = 'UNRATE' AND observation_date = '2026-04-01'",
            "raw/fred/UNRATE value__not_above_plausible",
        ),
        (
            "UPDATE raw.vintages SET realtime_start = observation_date - 1 WHERE series_id = 'WALCL'",
            "raw/fred/WALCL realtime_start__not_before_observation",
        ),
    ],
)
def test_an_archive_somebody_wrote_to_holds_publication(gate: Gate, tampering: str, held_by: str) -> None:
    """Publishing alone, with a selection that leaves the checks of the series out, comes through the gate as well."""
    with open_warehouse(gate.night.warehouse) as con:
        con.execute(tampering)
    assert held_by in gate.held_by()


def test_dates_are_drawn_by_the_release_and_end_with_the_run_date(night: Night) -> None:
    with open_warehouse(night.warehouse) as con:
        grid = run_grid(con, night.facts, CATALOG)
    some, same, other = (cut_dates(grid, seed).tolist() for seed in ("a", "a", "b"))
    assert some == same != other
    assert len(some) == CUTS
    assert some[-1] == dt.date(2026, 5, 31)
    assert min(some) >= grid.as_of[EARLIEST].tolist()


def test_a_changed_parameter_under_the_same_version_holds_publication(
    published: Gate,
) -> None:
    method = CATALOG.method.model_copy(
        update={"melt_up": CATALOG.method.melt_up.model_copy(update={"return_12m_pct": 11.0})}
    )
    changed: Catalog = replace(CATALOG, method=method)
    result = published.audits(changed)["method_sha256__pinned"]
    assert not result.passed
    assert method.method_sha256 in result.message


def test_a_new_version_publishes_what_it_labels_otherwise(published: Gate) -> None:
    """The books keep the labels of the former version; the release of the next one lists the differences."""
    with open_warehouse(published.night.warehouse) as con:
        con.execute(
            "UPDATE ops.published_rows SET method_version = '0.9.0', regime = 'neutral_mid_cycle' "
            "WHERE as_of_date >= '2026-01-01'"
        )
        con.execute("UPDATE ops.published_rows SET method_version = '0.9.0' WHERE as_of_date < '2026-01-01'")
        stage(con, published.night.facts, published.night.staged)
    with published.night.open_staged() as con:
        rows = con.execute(
            "SELECT as_of_date, method_version_before, regime_before, regime_now FROM method_changes "
            "ORDER BY as_of_date"
        ).fetchall()
        versions = con.execute("SELECT method_version, method_sha256 FROM method_versions").fetchall()
    assert [str(row[0]) for row in rows] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
    ]
    assert rows[0][1:] == ("0.9.0", "neutral_mid_cycle", "stimulus_into_bubble")
    assert versions[-1] == (CATALOG.method.method_version, CATALOG.method.method_sha256)


@pytest.mark.slow
def test_every_third_year_of_the_sample_comes_out_again(night: Night) -> None:
    with open_warehouse(night.warehouse) as con:
        grid = run_grid(con, night.facts, CATALOG)
        archive = load_archive(con, list(CATALOG.series))
    with duckdb.connect(str(night.staged), read_only=True, config=CONFIG) as staged:
        frames = {name: read(staged, name) for name in ("regime", "regime_evidence", *REGIME_INPUTS)}
    again = recomputed(frames, archive, grid, grid.as_of[EARLIEST::36], CATALOG, "sample")
    assert run_suite(again, recompute_suite()).failed == ()


def test_a_source_that_was_down_and_answers_the_next_day_changes_no_published_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The late figure is shown and the audits pass: a published row sees only what was captured before it."""
    monkeypatch.setattr("checks.audits.recompute.CUTS", 1)
    first = Night(night_facts(tmp_path, SAMPLE_END, STARTED_AT), tmp_path / "sample.warehouse.duckdb")
    first.published.parent.mkdir()
    whole = SampleSource.fetch

    def without_the_newest(source: SampleSource, series: Series) -> Payload:
        payload = whole(source, series)
        held = payload.observations if series.series_id != "UNRATE" else payload.observations.iloc[:-1]
        return replace(payload, observations=held)

    with open_warehouse(first.warehouse) as con:
        with monkeypatch.context() as down:
            down.setattr(SampleSource, "fetch", without_the_newest)
            fill(con, first.facts)
        stage(con, first.facts, first.staged)
        publish(first.staged, first.published, gate=lambda _: None)
        record_publication(con, first.published, "sample", CATALOG)
    second = replace(
        first, facts=night_facts(tmp_path, SAMPLE_END, STARTED_AT + dt.timedelta(days=1), "next")
    )
    with open_warehouse(second.warehouse) as con:
        fill(con, second.facts)
        stage(con, second.facts, second.staged)
        late = con.execute(
            "SELECT series_id, as_of_date, value_used, value_late FROM regime.late_figures"
        ).fetchall()
    assert late == [("UNRATE", SAMPLE_END, None, 4.3)]
    audits = Gate(second).audits()
    assert [name for name, result in audits.items() if not result.passed] == []
    assert audits["published_row__unchanged"].evaluated_rows == 498
