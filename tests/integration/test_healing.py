"""Backfilled rows heal, live rows never change: nights of the live profile, two of them with the gate."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.record import Compared
from assets.publish.folder import releases
from assets.publish.manifest import release_facts
from assets.publish.row_changes import freeze_rows
from assets.warehouse.live import complete_live_rows, live_rows, read_live, unfilled
from assets.warehouse.readers import frame_of
from assets.warehouse.schema import open_warehouse
from pipelines.verify import verify
from tests.integration.conftest import made_once
from tests.integration.live_runs import LiveRuns, a_retraction, a_vintage, in_turn, not_read
from tests.integration.sample_night import ROOT

CATALOG = load_catalog()
FIRST, SECOND, FREEZING, LATER = (dt.date(2026, *day) for day in ((3, 20), (3, 23), (4, 8), (4, 20)))
BLOCKED, AFTER_BLOCKED = dt.date(2026, 5, 6), dt.date(2026, 5, 8)
MARCH = pd.Timestamp("2026-03-31")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.usefixtures("one_cut")]


def _copy(place: Path, name: str, tmp: Path) -> LiveRuns:
    """The nights as they stood in a saved folder."""
    number = int((place / name / "number").read_text(encoding="utf-8"))
    shutil.copytree(place / name, tmp, dirs_exist_ok=True)
    return LiveRuns(tmp, number)


def _play_all(place: Path) -> None:
    """Four nights, the place saved after each, and one clean first load of the second night's figures."""
    nights = LiveRuns(place / "now")
    nights.place.mkdir()
    clean = LiveRuns(place / "clean")
    clean.place.mkdir()

    def saved(name: str) -> None:
        assert nights.blocked_by == (), name
        (nights.place / "number").write_text(str(nights.number), encoding="utf-8")
        shutil.copytree(nights.place, place / name)

    nights.play(FIRST, without=["NFCI"])
    saved("first")
    nights.play(SECOND, is_gated=True)
    saved("second")
    nights.play(FREEZING)
    saved("freezing")
    nights.play(
        LATER,
        also=in_turn(
            a_vintage("UNRATE", "2025-12-01", "2026-02-10", 0.3),
            a_vintage("UNRATE", "2026-02-01", "2026-03-25", 0.2),
            a_retraction("UNRATE", "2026-01-01"),
            not_read,
        ),
        is_gated=True,
    )
    saved("later")
    clean.play(SECOND)
    (clean.place / "number").write_text("1", encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def _without_a_log() -> Iterator[None]:
    """What each new figure changes takes half of a night, and is about other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assets.publish.row_changes.list_arrivals", lambda *_: 0)
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "healing", _play_all)


def _tables(published: Path) -> dict[str, pd.DataFrame]:
    with duckdb.connect(str(published), read_only=True) as con:
        found = {}
        for table in CATALOG.as_of_tables():
            found[table.name] = frame_of(con, f"SELECT * FROM {table.name}")
        return found


def _rows(published: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(published), read_only=True) as con:
        return con.execute(query).fetchall()


def _differing(before: Path, after: Path, days: set[pd.Timestamp]) -> list[str]:
    was, now = _tables(before), _tables(after)
    return [
        table.name
        for table in CATALOG.as_of_tables()
        if Compared.of(table, was[table.name], now[table.name], days).differs.any()
    ]


def _month_ends(published: Path, kind: str) -> set[pd.Timestamp]:
    rows = _rows(published, f"SELECT as_of_date FROM regime WHERE row_kind = '{kind}'")
    return {pd.Timestamp(day) for (day,) in rows}


def _file(place: Path, name: str) -> Path:
    return place / name / "published" / "regime.duckdb"


def test_a_source_down_on_the_first_night_leaves_no_trace_once_it_answers_and_its_cells_are_listed(
    place: Path,
) -> None:
    first, second, clean = (_file(place, name) for name in ("first", "second", "clean"))
    days = _month_ends(second, "backfilled")
    assert len(days) == 494
    assert "regime" in _differing(first, second, days), "NFCI decides nothing here"
    assert (
        _differing(clean, second, _month_ends(clean, "backfilled") | _month_ends(clean, "provisional")) == []
    )
    # the gate of the second night passes only where every healed cell is listed
    causes = _rows(second, "SELECT DISTINCT reason, series_ids, captured_at FROM row_corrections")
    assert causes == [("late", "NFCI", dt.datetime(2026, 3, 24, 1, 30))]
    assert _rows(first, "SELECT is_complete FROM release_manifest") == [(False,)]
    assert _rows(second, "SELECT is_complete FROM release_manifest") == [(True,)]


def test_a_month_end_is_provisional_then_live_and_only_after_a_complete_publication(place: Path) -> None:
    kind = "SELECT row_kind FROM regime WHERE as_of_date = "
    assert _rows(_file(place, "second"), f"{kind}DATE '2026-02-28'") == [("backfilled",)]  # 23 days old
    assert _rows(_file(place, "freezing"), f"{kind}DATE '2026-03-31'") == [("live",)]
    assert _rows(_file(place, "freezing"), f"{kind}DATE '2026-04-08'") == [("provisional",)]
    assert _month_ends(_file(place, "later"), "live") == {MARCH}


def test_old_figures_that_arrive_late_or_are_withdrawn_change_backfilled_rows_and_no_live_one(
    place: Path,
) -> None:
    freezing, later = _file(place, "freezing"), _file(place, "later")
    assert _differing(freezing, later, {MARCH}) == []
    assert "regime" in _differing(freezing, later, {pd.Timestamp("2026-02-28")})
    assert (
        _differing(freezing, later, _month_ends(freezing, "backfilled") - {pd.Timestamp("2026-02-28")}) == []
    )
    corrected = _rows(
        later,
        "SELECT DISTINCT reason, series_ids, as_of_date FROM row_corrections WHERE table_name = 'regime' "
        "AND release_id = (SELECT release_id FROM release_manifest) ORDER BY ALL",
    )
    assert corrected == [(reason, "UNRATE", dt.date(2026, 2, 28)) for reason in ("late", "retracted")]
    late = _rows(later, "SELECT as_of_date, series_id, observation_date FROM late_figures ORDER BY ALL")
    assert late == [
        (dt.date(2026, 3, 31), "UNRATE", dt.date(2025, 12, 1)),
        (dt.date(2026, 3, 31), "UNRATE", dt.date(2026, 1, 1)),
        (dt.date(2026, 3, 31), "UNRATE", dt.date(2026, 2, 1)),
    ]  # and nothing of a series no row reads


def test_what_is_about_the_record_reads_the_live_rows(place: Path) -> None:
    """The panel of the warehouse has healed under the live row; regime_revised compares with what was published."""
    assert _rows(
        _file(place, "later"),
        "SELECT count(*) FROM regime r JOIN regime_revised v USING (as_of_date) WHERE r.bubble_score <> v.bubble_score",
    ) == [(0,)]
    with open_warehouse(place / "later" / "warehouse.duckdb") as con:
        panel = con.execute(
            "SELECT p.bubble_score <> l.bubble_score FROM regime.regime p JOIN live.regime l USING (as_of_date)"
        ).fetchall()
    assert panel == [(True,)]


def test_releases_made_before_a_healing_and_after_it_come_out_again(place: Path) -> None:
    with open_warehouse(place / "later" / "warehouse.duckdb") as con:
        for release in releases(_file(place, "later"))[::3]:
            found = verify(release, con, ROOT)
            assert found.numbers == [], release.name
            assert found.rows["regime"] > 494


def test_a_blocked_run_a_historical_one_and_one_that_never_published_freeze_nothing(
    place: Path, tmp_path: Path
) -> None:
    nights = _copy(place, "later", tmp_path)
    facts = nights.play(BLOCKED, publishes=False)
    frozen = "SELECT as_of_date, release_id FROM ops.live_rows WHERE as_of_date > DATE '2026-04-01'"
    with open_warehouse(nights.warehouse) as con:
        counted = live_rows(con, "live", CATALOG.method.method_version, BLOCKED)
        assert [row.as_of_date for row in counted] == [dt.date(2026, 3, 31)]
        assert len(con.execute(frozen).fetchall()) == 1
        release = release_facts(con, facts, facts.started_at)
        freeze_rows(con, replace(facts, is_historical=True), release, CATALOG)
        assert con.execute(frozen).fetchall() == []
    nights.play(AFTER_BLOCKED)
    release_id = nights.shown("SELECT release_id FROM release_manifest")[0][0]
    assert nights.query_warehouse(frozen) == [(dt.date(2026, 4, 30), release_id)]
    assert nights.query_warehouse("SELECT count(*) FROM live.regime") == [(2,)]
    assert nights.shown("SELECT count(*) FROM regime WHERE row_kind = 'live'") == [(2,)]


def test_a_column_declared_later_is_filled_from_what_had_been_captured_then(
    place: Path, tmp_path: Path
) -> None:
    """On the later night the figures that came late must not get into it."""
    nights = _copy(place, "later", tmp_path)
    with open_warehouse(nights.warehouse) as con:
        live = live_rows(con, "live", CATALOG.method.method_version, LATER)
        before = read_live(con, CATALOG, live)
        provenance = "SELECT * EXCLUDE (method_version, frozen_release_id) FROM live.provenance ORDER BY ALL"
        rows = con.execute(provenance).fetchall()
        con.execute("ALTER TABLE live.regime DROP COLUMN economy_score")
        con.execute("ALTER TABLE live.activity_inflation DROP COLUMN sahm_gap_pp")
        con.execute("DELETE FROM live.provenance WHERE column_name = 'sahm_gap_pp'")
        con.execute("DROP TABLE live.score_attribution")
        assert set(unfilled(con, CATALOG, live)) == {"regime", "activity_inflation", "score_attribution"}
        complete_live_rows(con, "live", LATER, CATALOG)
        after = read_live(con, CATALOG, live)
        assert con.execute(provenance).fetchall() == rows
    for table in CATALOG.as_of_tables():
        cells = Compared.of(table, before[table.name], after[table.name], {MARCH})
        assert len(cells.after) and not cells.differs.any(), table.name


def test_a_change_of_the_code_is_refused_under_the_same_version(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = _copy(place, "later", tmp_path)
    monkeypatch.setattr(
        "assets.compute.regime.distance_to_threshold", lambda score, state, method: score * 0.5
    )
    nights.play(LATER + dt.timedelta(days=1), is_gated=True)
    assert "published_row published_row__unchanged" in nights.blocked_by
    ((message,),) = nights.query_warehouse(
        "SELECT message FROM ops.check_results WHERE check_name = 'published_row__unchanged' "
        "ORDER BY checked_at DESC LIMIT 1"
    )
    assert "changed distance_to_threshold" in message and "no input moved" in message
