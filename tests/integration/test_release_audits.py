"""The audits of a staged file: its rows come out again from what was known, and what was published is unchanged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import duckdb
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.catalog.models import Catalog
from assets.compute.archive import as_revised
from assets.compute.record import COLUMNS, Frames
from assets.compute.registry import REGISTRY, Computation
from assets.publish.gate import blocking_rules
from assets.publish.publication import publish
from assets.publish.record import Recorded, record_publication
from assets.warehouse.connection import CONFIG
from assets.warehouse.readers import load_archive, run_grid
from assets.warehouse.schema import open_warehouse
from assets.warehouse.tables import registered
from checks.audits.immutability import Published, Staged, found_again
from checks.audits.of_release import audit_release, read_staged
from checks.runner import RuleResult
from tests.integration.conftest import Night
from tests.integration.sample_night import stage

CATALOG = load_catalog()
pytestmark = pytest.mark.usefixtures("one_cut")


@dataclass
class Gate:
    """The gate of a night, as publishing comes through it."""

    night: Night

    def held_by(self) -> list[str]:
        """What the whole gate finds, as publishing is told."""
        with open_warehouse(self.night.warehouse) as con, self._staged() as staged:
            return blocking_rules(staged, con, self.night.facts)

    def audits(self, catalog: Catalog = CATALOG) -> dict[str, RuleResult]:
        """What each rule of the audits came to."""
        with open_warehouse(self.night.warehouse) as con, self._staged() as staged:
            tables = read_staged(staged, con, self.night.facts, catalog)
            audited = audit_release(staged, con, tables, self.night.facts, catalog)
        return {result.rule.name: result for suite in audited for result in suite.results}

    def _staged(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.night.staged), read_only=True, config=CONFIG)


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


def test_an_archive_with_revisions_passes_when_rows_show_what_was_known_and_not_when_they_show_hindsight(
    gate: Gate,
) -> None:
    with open_warehouse(gate.night.warehouse) as con:  # unemployment was revised for two years of the past
        con.execute(
            "INSERT INTO raw.vintages SELECT series_id, observation_date, DATE '2026-09-20', value + 1, 'captured', "
            "captured_at + INTERVAL 1 SECOND, fetch_id FROM raw.vintages "
            "WHERE series_id = 'UNRATE' AND observation_date BETWEEN '1990-01-01' AND '1991-12-31'"
        )
        grid, archive = run_grid(gate.night.facts.run_date, CATALOG), load_archive(con, list(CATALOG.series))
    assert gate.audits()["recomputed__regime"].passed
    hindsight = Computation(as_revised(archive), grid, CATALOG, "sample").table("regime")
    with gate.night.open_staged() as con, registered(con, hindsight, "hindsight"):
        con.execute(
            "UPDATE regime SET economy_score = h.economy_score FROM hindsight h WHERE h.as_of_date = regime.as_of_date"
        )
    found = gate.audits()["recomputed__regime"]
    assert not found.passed and "first_column economy_score" in found.message


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


# ---- after a publication


@pytest.fixture
def published(night: Night) -> Gate:
    """The night published and in the books, and the same release staged once more."""
    with open_warehouse(night.warehouse) as con:
        publish(night.staged, night.published, gate=lambda _: None, fill=lambda *_: None)
        record_publication(con, night.published, "sample", CATALOG)
    night.stage_again()
    return Gate(night)


@pytest.mark.slow
def test_an_honest_release_passes_after_its_publication_and_what_a_book_lacks_is_written_again(
    published: Gate,
) -> None:
    audits = published.audits()
    assert [name for name, result in audits.items() if not result.passed] == []
    # 496 backfilled month-ends in each table that has them all, and one night
    assert audits["published_row__unchanged"].evaluated_rows > 496 * 10
    lost = {
        "ops.publications": Recorded(1, 0, 0),
        "ops.published_rows WHERE as_of_date = '2021-11-30'": Recorded(0, 1, 0),
        "regime.regime_nightly": Recorded(0, 0, 1),
    }
    with open_warehouse(published.night.warehouse) as con:
        for rows, expected in lost.items():
            before = con.execute(f"FROM {rows}").fetchall()
            con.execute(f"DELETE FROM {rows}")
            assert record_publication(con, published.night.published, "sample", CATALOG) == expected
            assert con.execute(f"FROM {rows}").fetchall() == before
        assert record_publication(con, published.night.published, "sample", CATALOG) == Recorded(0, 0, 0)


@pytest.mark.slow
def test_every_changed_or_lost_row_and_a_changed_parameter_hold_publication(published: Gate) -> None:
    """A score by hand and by its last digits, another column, another table, the table of the nights.

    What is said of the ledger's age may change: somebody looked at the announcements again.
    """
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET is_stance_provisional = NOT is_stance_provisional")
        con.execute("UPDATE regime SET bubble_score = 0.1 WHERE as_of_date = '2021-11-30'")
        con.execute("UPDATE regime SET bubble_score = bubble_score + 1e-9 WHERE as_of_date = '2020-03-31'")
        con.execute("UPDATE regime SET freshness = 0.5 WHERE as_of_date = '2019-03-31'")
        con.execute("UPDATE context SET is_month_end = NOT is_month_end WHERE as_of_date = '2021-11-30'")
        con.execute("UPDATE regime_nightly SET stance_driver = 'rate'")
        con.execute("DELETE FROM regime WHERE as_of_date = '2018-11-30'")
    melt_up = CATALOG.method.melt_up.model_copy(update={"return_12m_pct": 11.0})
    method = CATALOG.method.model_copy(update={"melt_up": melt_up})
    audits = published.audits(replace(CATALOG, method=method))
    pinned = audits["method_sha256__pinned"]
    assert not pinned.passed and method.method_sha256 in pinned.message
    lost = audits["published_row__found_again"].examples
    assert [(row["table_name"], str(row["as_of_date"])) for row in lost] == [("regime", "2018-11-30")]
    found = audits["published_row__unchanged"]
    assert found.failing_rows == 5
    shown = {(row["table_name"], str(row["as_of_date"])): row for row in found.examples}
    assert shown.keys() == {
        ("regime", "2021-11-30"), ("regime", "2020-03-31"), ("regime", "2019-03-31"), ("context", "2021-11-30"),
        ("regime_nightly", "2026-09-30"),
    }  # fmt: skip
    by_hand = shown["regime", "2021-11-30"]
    assert by_hand["changed"] == "bubble_score" and by_hand["value_published"].startswith("0.76")
    assert (by_hand["value_staged"], by_hand["cause"]) == ("0.1", "no input moved")


@pytest.mark.slow
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
    months = pd.date_range("2026-01-31", "2026-09-30", freq="ME")
    assert [row[0] for row in rows] == list(months.date)
    assert rows[0][1:] == ("0.9.0", "neutral_mid_cycle", "stimulus_into_bubble")
    assert versions[-1] == (CATALOG.method.method_version, CATALOG.method.method_sha256)


# ---- what immutability demands of rows published before: live ones unchanged, backfilled ones explained

DAYS = [pd.Timestamp("2026-01-31"), pd.Timestamp("2026-02-28")]
JANUARY, FEBRUARY = DAYS
PUBLISHED_AT = pd.Timestamp("2026-03-10")
NO_NIGHTS = pd.DataFrame({"published_at": pd.Series(dtype="datetime64[us]"), "as_of_date": []})
DATES = dict.fromkeys(("as_of_date", "first_date", "last_date"), "datetime64[s]")
NOTHING = pd.DataFrame(columns=list(COLUMNS)).astype(DATES)


def a_record(scored: Collection[pd.Timestamp], february: str = "backfilled", score: float = 0.5) -> Frames:
    """Both dates in `regime`; `score_attribution` has rows only for dates with a score."""
    there = [day in scored for day in DAYS]
    regime = {
        "as_of_date": DAYS,
        "row_kind": ["backfilled", february],
        "regime": ["stimulus_into_bubble" if yes else "indeterminate" for yes in there],
        "bubble_score": [score if yes else None for yes in there],
    }
    parts = {
        "as_of_date": [day for day in DAYS if day in scored],
        "component": "cape",
        "contribution": score,
    }
    frames = {"regime": pd.DataFrame(regime), "score_attribution": pd.DataFrame(parts)}
    return {name: frame.astype({"as_of_date": "datetime64[s]"}) for name, frame in frames.items()}


def wrong(
    before: Frames, staged: Frames, now: Frames | None = None, corrections: pd.DataFrame = NOTHING
) -> list[tuple[str, bool]]:
    """Tables in which the audit finds something wrong, and whether the row is there; `now` is today's archive."""
    regime = before["regime"]
    backfilled = set(regime.loc[regime["row_kind"] == "backfilled", "as_of_date"])
    found = found_again(
        Published(PUBLISHED_AT, before, backfilled, {}, NO_NIGHTS),
        Staged(staged, NO_NIGHTS, corrections, lambda: (before, staged if now is None else now)),
        CATALOG,
    )
    found = found[~found["is_found"] | (found["columns_changed"] > 0)]
    return list(zip(found["table_name"], found["is_found"], strict=True))


def retracted(*tables: str) -> pd.DataFrame:
    """What a release lists that makes January indeterminate."""
    rows = [
        {"table_name": "regime", "as_of_date": JANUARY, "column_name": name}
        for name in ("regime", "bubble_score")
    ] + [{"table_name": "score_attribution", "first_date": JANUARY, "last_date": JANUARY, "cells": 1}]
    return pd.DataFrame([row for row in rows if row["table_name"] in tables], columns=list(COLUMNS)).astype(
        DATES
    )


def test_a_date_that_became_indeterminate_holds_publication_unless_a_retraction_is_listed() -> None:
    """Such a date has no row any more in tables that explain a score."""
    before, staged = a_record(DAYS), a_record([FEBRUARY])
    assert wrong(before, staged, corrections=retracted("regime", "score_attribution")) == []
    assert wrong(before, staged) == [("regime", True), ("score_attribution", True)]
    assert wrong(before, staged, corrections=retracted("regime")) == [("score_attribution", True)]


def test_a_row_that_vanished_although_the_archive_gives_it_holds_publication() -> None:
    before = a_record(DAYS)
    lost = {**before, "score_attribution": before["score_attribution"].iloc[1:]}
    assert wrong(before, lost, now=before, corrections=retracted("score_attribution")) == [
        ("score_attribution", False)
    ]
    lost = {**before, "regime": before["regime"].iloc[1:]}
    assert wrong(before, lost, corrections=retracted("regime")) == [("regime", False)]


@pytest.mark.parametrize(
    ("staged", "found"),
    [
        (a_record(DAYS, "live"), []),
        (a_record(DAYS), [("regime", False), ("score_attribution", False)]),  # computed again as backfilled
        (a_record(DAYS, "live", 0.6), [("regime", True), ("score_attribution", True)]),
    ],
)
def test_a_published_live_row_the_warehouse_lost_does_not_change_in_silence(
    staged: Frames, found: list[tuple[str, bool]]
) -> None:
    """The warehouse was restored from a copy older than the freezing; the published file stayed."""
    before = a_record([FEBRUARY], "live")
    staged = {name: frame[frame["as_of_date"] == FEBRUARY] for name, frame in staged.items()}
    assert wrong({name: f[f["as_of_date"] == FEBRUARY] for name, f in before.items()}, staged) == found
