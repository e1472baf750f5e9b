"""Rows of a staged file come out again from what was known; an archive somebody wrote to is not published."""

from __future__ import annotations

import numpy as np
import pytest

from assets.compute.archive import as_revised, cut, revised_series
from assets.compute.registry import REGISTRY, Computation
from assets.warehouse.readers import load_archive, run_grid
from assets.warehouse.schema import open_warehouse
from tests.integration.conftest import Night
from tests.integration.release_gate import CATALOG, Gate

pytestmark = pytest.mark.usefixtures("one_cut")


@pytest.fixture
def gate(night: Night) -> Gate:
    return Gate(night)


def test_an_honest_release_passes_the_gate_and_its_checks_are_stored(gate: Gate) -> None:
    assert gate.held_by() == []
    with open_warehouse(gate.night.warehouse) as con:
        kept = con.execute(
            "SELECT check_name FROM ops.check_results WHERE asset_key = 'publish/release'"
        ).fetchall()
    checked = {name for (name,) in kept}
    assert "published_row__unchanged" not in checked, (
        "nothing was published before: it is not counted as passed"
    )
    assert checked >= {f"recomputed__{name}" for name in REGISTRY}
    assert "recomputed__not_from_revised_figures" not in checked
    assert checked >= {"column__as_declared", "column__not_null", "key__unique"}


def test_a_figure_of_the_future_is_caught_by_computing_again(gate: Gate) -> None:
    """The table was computed from an archive in which a later figure passed for one known that day."""
    with gate.night.open_staged() as con:
        con.execute(
            "UPDATE real_yields SET nominal_10y_pct = nominal_10y_pct + 1 WHERE as_of_date <= '1995-06-30'"
        )
    result = gate.audits()["recomputed__real_yields"]
    assert not result.passed
    assert [found["cut_on"] for found in result.examples] == [None, "2026-09-30"]


@pytest.fixture
def revised_night(night: Night) -> Night:
    """The same night with an archive in which unemployment was revised for two years of the past."""
    with open_warehouse(night.warehouse) as con:
        con.execute(
            "INSERT INTO raw.vintages SELECT series_id, observation_date, DATE '2026-09-20', value + 1, 'captured', "
            "captured_at + INTERVAL 1 SECOND, fetch_id FROM raw.vintages "
            "WHERE series_id = 'UNRATE' AND observation_date BETWEEN '1990-01-01' AND '1991-12-31'"
        )
    return night


def test_a_table_computed_from_revised_figures_is_caught_and_named(revised_night: Night) -> None:
    with open_warehouse(revised_night.warehouse) as con:
        grid = run_grid(revised_night.facts.run_date, CATALOG)
        archive = load_archive(con, list(CATALOG.series))
        hindsight = Computation(as_revised(archive), grid, CATALOG, "sample").table("regime")
    assert revised_series(archive)
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
        grid = run_grid(revised_night.facts.run_date, CATALOG)
        archive = load_archive(con, list(CATALOG.series))
    past = cut(archive, np.datetime64("2026-09-19"))
    assert (bool(revised_series(archive)), revised_series(past)) == (True, [])
    assert len(grid) == 501
    result = gate.audits()["recomputed__not_from_revised_figures"]
    assert result.passed
    assert result.evaluated_rows > 0


TAMPERINGS = {
    "raw/fred/GS10 GS10__mean_of_dgs10": (
        "INSERT INTO raw.vintages SELECT 'GS10', observation_date, realtime_start, value, vintage_source, "
        "captured_at + INTERVAL 1 SECOND, fetch_id FROM raw.vintages "
        "WHERE series_id = 'FEDFUNDS' AND observation_date > '2026-07-31'"
    ),
    "raw/fred/UNRATE value__not_above_plausible": (
        "UPDATE raw.vintages SET value = 45 WHERE series_id = 'UNRATE' AND observation_date = '2026-08-01'"
    ),
    "raw/fred/WALCL realtime_start__not_before_observation": (
        "UPDATE raw.vintages SET realtime_start = observation_date - 1 WHERE series_id = 'WALCL'"
    ),
}


def test_an_archive_somebody_wrote_to_blocks_publication(gate: Gate) -> None:
    """Publishing alone, with a selection that leaves the checks of the series out, comes through the gate as well.

    The three series are tampered with together, for one gate instead of three: the rules look at each by itself.
    """
    with open_warehouse(gate.night.warehouse) as con:
        for tampering in TAMPERINGS.values():
            con.execute(tampering)
    assert TAMPERINGS.keys() <= set(gate.held_by())
