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

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_cut")]


@pytest.fixture
def published(night: Night) -> Gate:
    """The night published and in the books, and the same release staged once more."""
    with open_warehouse(night.warehouse) as con:
        publish(night.staged, night.published, gate=lambda _: None, fill=lambda *_: None)
        record_publication(con, night.published, "sample", CATALOG)
    night.stage_again()
    return Gate(night)


def test_an_honest_release_passes_after_its_publication_whoever_has_the_file_open(published: Gate) -> None:
    published.night.published.chmod(0o644)
    with duckdb.connect(str(published.night.published)) as held:
        held.execute("CREATE TABLE mine (a INTEGER)")
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


def test_every_changed_row_is_found_and_shown_with_both_values(published: Gate) -> None:
    """A score by hand and by its last digits, another column, another table, the table of the nights."""
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET bubble_score = 0.1 WHERE as_of_date = '2021-11-30'")
        con.execute("UPDATE regime SET bubble_score = bubble_score + 1e-9 WHERE as_of_date = '2020-03-31'")
        con.execute("UPDATE regime SET freshness = 0.5 WHERE as_of_date = '2019-03-31'")
        con.execute("UPDATE context SET is_month_end = NOT is_month_end WHERE as_of_date = '2021-11-30'")
        con.execute("UPDATE regime_nightly SET stance_driver = 'rate'")
    found = published.audits()["published_row__unchanged"]
    assert found.failing_rows == 5
    shown = {(row["table_name"], str(row["as_of_date"])): row for row in found.examples}
    assert shown.keys() == {
        ("regime", "2021-11-30"), ("regime", "2020-03-31"), ("regime", "2019-03-31"), ("context", "2021-11-30"),
        ("regime_nightly", "2026-09-30"),
    }  # fmt: skip
    by_hand = shown["regime", "2021-11-30"]
    assert by_hand["changed"] == "bubble_score" and by_hand["value_published"].startswith("0.76")
    assert (by_hand["value_staged"], by_hand["cause"]) == ("0.1", "no input moved")


def test_every_lost_row_is_found(published: Gate) -> None:
    with published.night.open_staged() as con:
        con.execute("DELETE FROM regime WHERE as_of_date = '2021-11-30'")
        con.execute("DELETE FROM regime_nightly")
    lost = published.audits()["published_row__found_again"]
    assert {row["table_name"] for row in lost.examples} == {"regime", "regime_nightly"}


def test_what_is_said_of_the_ledgers_age_may_change(published: Gate) -> None:
    """Somebody looked at the announcements again: rows published as provisional no longer are."""
    with published.night.open_staged() as con:
        con.execute("UPDATE regime SET is_stance_provisional = NOT is_stance_provisional")
    assert {name for name in published.failed() if "published_row" in name} == set()


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
