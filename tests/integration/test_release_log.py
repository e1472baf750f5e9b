"""`release_log`: figures put in one after the other add up to the change of the score; each has its own effect."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.archive import STORED_SOURCES, Captures, dates_of, of_series, resolve
from assets.compute.diagnostics.revised import SINGLE, Newest, regime_of, release_log
from assets.compute.regime import Regime
from assets.compute.tables.build import build_view
from assets.publish.record import record_publication
from assets.publish.row_changes import list_arrivals
from assets.warehouse.readers import load_captures, run_grid
from assets.warehouse.schema import open_warehouse
from tests.integration.conftest import Night
from tests.integration.sample_night import release_facts

CATALOG = load_catalog()
BEFORE, NOW = (np.datetime64(day) for day in ("2026-08-31", "2026-09-30"))
GRIDS = (run_grid(BEFORE.item(), CATALOG), run_grid(NOW.item(), CATALOG))
ARRAYS = ("key", "value", "captured", "source")
CAME = {"UNRATE": 1, "DGS10": 3, "NFCI": 30, "M2SL": 2}  # newest figures captured after the release before


def repeated(captures: Captures, at: int) -> Captures:
    """The same captures, one of them twice, to be changed."""
    return replace(captures, **{name: np.insert(a := getattr(captures, name), at, a[at]) for name in ARRAYS})


@pytest.fixture(scope="module")
def captures(made_warehouse: Path) -> Captures:
    """The sample, with some figures captured a day later, and one that had another value before."""
    with open_warehouse(made_warehouse) as con:
        stored = load_captures(con, list(CATALOG.series))
    earlier = stored.of_series("GDPC1").stop - 1
    stored = repeated(stored, earlier)
    stored.value[earlier] *= 0.98
    for series_id, n in {**CAME, "GDPC1": 1}.items():
        stop = stored.of_series(series_id).stop
        stored.captured[stop - n : stop] += 86_400_000_000
    return stored


@pytest.fixture(scope="module")
def moment(captures: Captures) -> int:
    return int(captures.captured.min()) + 3_600_000_000


def regime(captures: Captures, which: int) -> Regime:
    return regime_of(build_view(resolve(captures), GRIDS[which], CATALOG, "sample"))


@pytest.fixture(scope="module")
def before(captures: Captures, moment: int) -> Newest:
    """The newest row of the release before, as if another method had made it."""
    old = regime(captures.take(captures.captured <= moment), 0)
    return Newest(BEFORE, str(old.label[-1]), float(old.bubble_score[-1]) - 0.01)


def test_the_lines_follow_on_each_other_and_add_up_to_the_change(
    captures: Captures, moment: int, before: Newest
) -> None:
    log, now = release_log(captures, moment, before, GRIDS, CATALOG, "sample"), regime(captures, 1)
    first, last = log.iloc[0], log.iloc[-1]
    assert last["score_after"] == pytest.approx(float(now.bubble_score[-1]), abs=1e-12)
    assert last["regime_after"] == now.label[-1]
    assert log["score_effect"].sum() == pytest.approx(last["score_after"] - first["score_before"], abs=1e-12)
    assert (log["score_before"].to_numpy()[1:] == log["score_after"].to_numpy()[:-1]).all()
    assert list(log["kind"][:2]) == ["method", "date"]
    assert first["score_effect"] == pytest.approx(0.01, abs=1e-12)

    of_figures = log[log["kind"].isin(["figure", "figures"])]  # each has a line, and older ones share one
    assert of_figures.groupby("series_id")["figures"].sum().to_dict() == {**CAME, "GDPC1": 1}
    nfci = of_figures[of_figures["series_id"] == "NFCI"]
    assert list(nfci["kind"]) == ["figures"] + ["figure"] * SINGLE and nfci["figures"].iloc[0] == 30 - SINGLE

    gdp = log[log["series_id"] == "GDPC1"].iloc[0]
    assert gdp["previous_value"] == pytest.approx(gdp["new_value"] * 0.98) and gdp["score_effect"] > 0
    assert (log.loc[log["series_id"] == "M2SL", "score_effect"] == 0.0).all(), "a series outside the label"
    unrate = log[log["series_id"] == "UNRATE"].iloc[0]
    observation, _ = dates_of(of_series(resolve(captures), "UNRATE"))
    assert unrate["observation_date"] == pd.Timestamp(observation[-1]) and pd.isna(unrate["previous_value"])


def test_no_news_is_no_line_also_without_a_score(captures: Captures) -> None:
    kept = np.ones(len(captures), dtype=bool)
    kept[captures.of_series("GDP")] = False
    stored = captures.take(kept)
    now = regime(stored, 1)
    assert np.isnan(now.bubble_score[-1])
    newest = Newest(NOW, str(now.label[-1]), float(now.bubble_score[-1]))
    latest = int(stored.captured.max())
    assert len(release_log(stored, latest, newest, (GRIDS[1], GRIDS[1]), CATALOG, "sample")) == 0


def test_a_figure_that_replaces_a_withdrawn_one_is_one_line_and_none_has_values_of_restricted_series(
    captures: Captures, moment: int, before: Newest
) -> None:
    """The date by lag rule gives way to a vintage, and the period is never without its figure."""
    at = captures.of_series("GDP").stop - 1
    assert STORED_SOURCES[captures.source[at]] == "lag_rule"
    changed = repeated(captures, at)
    changed.key[at] -= 1  # public a day earlier
    changed.value[at] *= 1.01
    changed.source[at] = STORED_SOURCES.index("alfred")
    changed.captured[at] = captures.captured.max() + 1
    series = {**CATALOG.series, "NFCI": CATALOG.series["NFCI"].model_copy(update={"rights": "restricted"})}
    log = release_log(changed, moment, before, GRIDS, replace(CATALOG, series=series), "sample")
    (line,) = log[log["series_id"] == "GDP"].to_dict("records")
    assert (line["kind"], line["figures"], line["vintage_source"]) == ("figure", 1, "alfred")
    assert line["new_value"] == pytest.approx(1.01 * line["previous_value"])
    assert log["score_effect"].notna().all()
    nfci = log[log["series_id"] == "NFCI"]
    assert len(nfci) and nfci[["previous_value", "new_value"]].isna().all(axis=None)
    assert nfci["score_effect"].abs().sum() > 0


def test_a_figure_captured_after_the_published_release_is_listed_once(night: Night) -> None:
    """Also when the release is built twice."""
    os.replace(night.staged, night.published)
    later = replace(night.facts, run_id="second", started_at=night.facts.started_at + dt.timedelta(days=1))
    with open_warehouse(night.warehouse) as con:
        record_publication(con, night.published, "sample", CATALOG)
        con.execute(
            "INSERT INTO raw.vintages BY NAME SELECT * REPLACE (DATE '2026-09-30' AS realtime_start, "
            "value + 0.3 AS value, captured_at + INTERVAL 6 HOUR AS captured_at) FROM raw.vintages "
            "WHERE series_id = 'UNRATE' ORDER BY observation_date DESC LIMIT 1"
        )
        release = release_facts(con, later, later.started_at + dt.timedelta(seconds=5))
        assert [list_arrivals(con, later, release, CATALOG) for _ in range(2)] == [1, 1]
        found = con.execute(
            "SELECT release_id, series_id, round(new_value - previous_value, 6), score_before, score_effect < 0 "
            "FROM regime.release_log"
        ).fetchall()
        published = con.execute("SELECT bubble_score FROM ops.publications").fetchall()[0][0]
    assert found == [(release.release_id, "UNRATE", 0.3, pytest.approx(published, abs=1e-12), True)]
