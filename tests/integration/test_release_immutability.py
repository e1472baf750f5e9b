"""What was published is found again unchanged, a new method says so, and a late figure moves nothing."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from assets.catalog.models import Catalog
from assets.publish.publication import publish
from assets.publish.record import Recorded, record_publication
from assets.warehouse.schema import open_warehouse
from tests.integration.conftest import Night
from tests.integration.release_gate import CATALOG, Gate
from tests.integration.sample_night import stage

pytestmark = pytest.mark.slow


@pytest.fixture
def published(night: Night, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The night published and in the books, and the same release staged once more. Computed again for one date only."""
    monkeypatch.setattr("checks.audits.recompute.CUTS", 1)
    with open_warehouse(night.warehouse) as con:
        publish(night.staged, night.published, gate=lambda _: None, fill=lambda *_: None)
        record_publication(con, night.published, "sample", CATALOG)
    night.stage_again()
    return Gate(night)


def test_an_honest_release_passes_after_its_publication(published: Gate) -> None:
    audits = published.audits()
    assert [name for name, result in audits.items() if not result.passed] == []
    # 496 backfilled month-ends in each table that has them all, and one night
    assert audits["published_row__unchanged"].evaluated_rows > 496 * 10


def test_whatever_one_book_lacks_of_the_published_file_is_written_again(published: Gate) -> None:
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


@pytest.mark.parametrize(
    ("change", "held_by"),
    [
        ("UPDATE regime SET bubble_score = bubble_score + 1e-9 WHERE as_of_date = '2021-11-30'", "unchanged"),
        ("UPDATE regime SET freshness = 0.5 WHERE as_of_date = '2021-11-30'", "unchanged"),
        ("DELETE FROM regime WHERE as_of_date = '2021-11-30'", "found_again"),
        ("DELETE FROM regime_nightly", "found_again"),
        ("UPDATE regime_nightly SET stance_driver = 'rate'", "unchanged"),
    ],
)
def test_a_published_row_that_changed_holds_publication(published: Gate, change: str, held_by: str) -> None:
    with published.night.open_staged() as con:
        con.execute(change)
    assert f"published_row__{held_by}" in published.failed()


def test_a_row_that_changed_without_an_input_says_so_with_both_values(published: Gate) -> None:
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET bubble_score = 0.1 WHERE as_of_date = '2021-11-30'")
    message = published.audits()["published_row__unchanged"].message
    assert "as_of_date 2021-11-30" in message and "changed bubble_score, value_published 0.76" in message
    assert "value_staged 0.1, cause no input moved" in message


def test_a_change_in_a_table_beside_the_regime_holds_publication(published: Gate) -> None:
    with published.night.open_staged() as con:
        con.execute("UPDATE context SET is_month_end = NOT is_month_end WHERE as_of_date = '2021-11-30'")
    message = published.audits()["published_row__unchanged"].message
    assert "table_name context, as_of_date 2021-11-30" in message


def test_without_the_published_file_there_is_nothing_to_compare_backfilled_rows_with(published: Gate) -> None:
    """Live rows are stored in the warehouse (test_healing); backfilled ones are computed again by the other audit."""
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET bubble_score = 0.1 WHERE as_of_date = '2021-11-30'")
    published.night.published.unlink()
    assert published.failed() == {"recomputed__regime"}


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
        "2026-06-30",
        "2026-07-31",
        "2026-08-31",
        "2026-09-30",
    ]
    assert rows[0][1:] == ("0.9.0", "neutral_mid_cycle", "stimulus_into_bubble")
    assert versions[-1] == (CATALOG.method.method_version, CATALOG.method.method_sha256)
