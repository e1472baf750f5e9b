"""What later figures change: the label as known against as revised, and published cells with their causes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.archive import (
    Archive,
    Captures,
    as_revised,
    cut,
    of_series,
    resolve,
    revised_series,
    seen_otherwise,
)
from assets.compute.diagnostics.revised import LABELS, regime_revised
from assets.compute.grid import Grid, build_grid
from assets.compute.lookup import View
from assets.compute.reading import Reading
from assets.compute.record import Cause, corrections, text_of
from assets.compute.record import published as record_of
from assets.compute.regime import build_regime
from assets.compute.registry import Computation
from assets.compute.tables.build import BUILDERS
from assets.warehouse.live import CaptureGroup, captures_since
from assets.warehouse.readers import load_captures
from tests.builders import an_archive
from tests.helpers import archive, on_sample, sample_vintages, vintages

CATALOG = load_catalog()
SERIES = {s.series_id: s for s in CATALOG.in_profile("sample")}
READ = {c for c in CATALOG.columns_read("regime", LABELS) if c.split(".")[0] in BUILDERS}
KNOWN = ["is_month_end", *LABELS]  # columns of `regime_revised` that are those of the published row
# economy, valuation with the stance, the stance, credit, all three through inflation; and two that reach no label
RAISED_BY = {
    "UNRATE": -5.0, "GDP": 900.0, "CP": -200.0, "WALCL": 900000.0, "TOTBKCR": 40.0, "NFCI": 1.5, "CPIAUCSL": 3.0,
    "M2SL": 700.0, "TREAST": 50000.0,
}  # fmt: skip


def with_revisions(changes: Mapping[str, float]) -> pd.DataFrame:
    """The sample, with the figures of some series from 2008 to 2010 raised by so much on a day in 2011."""
    first = sample_vintages()
    revised = first[
        first["series_id"].isin(changes.keys())
        & first["observation_date"].between("2008-06-01", "2010-12-01")
    ].copy()
    revised["realtime_start"] = np.datetime64("2011-06-01", "s")
    revised["value"] += revised["series_id"].map(changes)
    return pd.concat([first, revised.astype(first.dtypes)], ignore_index=True)


def grid_to(run_date: str) -> Grid:
    """From 1997 on: ten years later there are ranks."""
    return build_grid(np.datetime64("1997-12-31", "D"), np.datetime64(run_date, "D"))


def seen(stored: Archive, grid: Grid) -> View:
    return View(stored, grid.as_of, SERIES, CATALOG)


def published(stored: Archive, grid: Grid) -> pd.DataFrame:
    return Computation(stored, grid, CATALOG, "sample").table("regime")


def revised(frames: pd.DataFrame) -> pd.DataFrame:
    stored, grid = Archive.from_frame(frames), grid_to("2012-12-31")
    frame = regime_revised(seen(stored, grid), published(stored, grid))
    return frame.set_index("as_of_date")


def test_a_revision_is_in_no_row_before_it_as_known_and_in_them_as_revised() -> None:
    """Unemployment of 2009 revised to full employment in 2011; without a revision nothing differs."""
    unrevised, fewer_unemployed = revised(sample_vintages()), revised(with_revisions({"UNRATE": -5.0}))
    assert unrevised["is_same_regime"].all() and unrevised["explained_by"].isna().all()
    assert unrevised["score_revision"].abs().max() == 0
    before, after = unrevised.loc[:"2011-05-31"], fewer_unemployed.loc[:"2011-05-31"]
    pd.testing.assert_frame_equal(before[KNOWN], after[KNOWN], check_exact=True)
    assert (before["revised_score"] != after["revised_score"])["2009-01-31":].any()
    assert (after.loc[:"2008-05-31", "score_revision"].dropna() == 0).all()
    assert set(fewer_unemployed.loc[~fewer_unemployed["is_same_regime"], "explained_by"]) == {"UNRATE"}


def test_todays_figure_is_known_since_the_observation_first_appeared() -> None:
    stored = archive(
        vintages("UNRATE", [("2020-03-01", "2020-04-03", 4.4), ("2020-03-01", "2021-01-08", 4.5)]),
        vintages("UNRATE", [("2020-04-01", "2020-05-08", 14.7), ("2020-04-01", "2022-01-08", None)]),
    )
    today = as_revised(cut(stored, np.datetime64("2021-06-30")))
    observations = np.array(["2020-03-01", "2020-04-01"], dtype="datetime64[D]")
    rows = today.rows_as_of("UNRATE", observations, np.datetime64("2020-05-08"))
    assert today.value[rows].tolist() == [4.5, 14.7]
    withdrawn = as_revised(cut(stored, np.datetime64("2022-06-30")))
    assert withdrawn.rows_as_of("UNRATE", observations, np.datetime64("2022-06-30")).tolist()[1] == -1
    assert revised_series(stored) == ["UNRATE"]
    assert not as_revised(cut(stored, np.datetime64("2019-12-31"))).has(
        "UNRATE"
    )  # nothing of it was there yet


@pytest.mark.parametrize(
    ("run_date", "changes", "named", "moves_stance"),
    [
        ("2012-12-31", ("UNRATE", "WALCL", "TOTBKCR", "M2SL"), {"UNRATE", "TOTBKCR"}, True),
        ("2012-11-14", ("GDP", "CP", "NFCI", "CPIAUCSL", "TREAST"), {"CP", "NFCI", "CPIAUCSL"}, False),
        ("2012-12-31", {"UNRATE": -5.0, "GDP": np.nan}, {"UNRATE", "GDP"}, True),  # figures withdrawn
    ],
)
def test_the_shorter_way_gives_every_bit_of_the_complete_one(
    run_date: str, changes: Mapping[str, float] | tuple[str, ...], named: set[str], moves_stance: bool
) -> None:
    raised = changes if isinstance(changes, Mapping) else {name: RAISED_BY[name] for name in changes}
    stored, grid = Archive.from_frame(with_revisions(raised)), grid_to(run_date)
    assert set(revised_series(stored)) == set(changes)
    found = assert_as_plain(stored, grid, published(stored, grid))
    assert set(found["explained_by"].dropna()) == named
    assert (found["stance_realised"] != found["stance_realised_revised"]).any() == moves_stance


def assert_as_plain(stored: Archive, grid: Grid, known: pd.DataFrame) -> pd.DataFrame:
    found = regime_revised(seen(stored, grid), known)
    plain = plainly(stored, grid, known)
    pd.testing.assert_frame_equal(found[list(plain.columns)], plain, check_exact=True)
    return found


def plainly(stored: Archive, grid: Grid, known: pd.DataFrame) -> pd.DataFrame:
    """The label with today's figures and its causes: a complete computation for every revised series."""
    today = as_revised(cut(stored, grid.as_of[-1]))
    now = published(today, grid)
    revision, label = now["bubble_score"] - known["bubble_score"], known["regime"]
    differs = (now["regime"] != label) | (revision.fillna(0.0).abs() > 1e-9)
    differs |= now["bubble_score"].isna() != known["bubble_score"].isna()
    cause = pd.DataFrame({"by": None, "change": np.nan, "alone": None, "worth": -np.inf}, known.index)
    for series_id in filter(today.has, revised_series(stored)):
        one = published(stored.with_rows_of(series_id, of_series(today, series_id)), grid)
        change = (one["bubble_score"] - known["bubble_score"]).fillna(0.0)
        alone = (one["regime"] == now["regime"]) & (one["regime"] != label)
        moved = differs & ((change.abs() > 1e-9) | (one["regime"] != label))
        worth = alone * 10.0 + np.sign(revision.fillna(0.0)) * change
        better = moved & (worth > cause["worth"])
        parts = {"by": series_id, "change": change, "alone": alone.astype(object), "worth": worth}
        cause = cause.mask(better, pd.DataFrame(parts))
    revised = {
        "regime": "regime_revised",
        "condition_state": "condition_state_revised",
        "stance_realised": "stance_realised_revised",
        "bubble_score": "revised_score",
    }
    return (
        now[list(revised)]
        .rename(columns=revised)
        .assign(
            explained_by=cause["by"],
            explained_score_change=cause["change"].astype("float64"),
            is_explained_alone=cause["alone"],
        )
    )


def test_rows_that_differ_from_the_computation_are_compared_as_published() -> None:
    """A series that reaches no label still differs from what was published, as it does the plain way."""
    stored, grid = Archive.from_frame(with_revisions({"M2SL": 700.0})), grid_to("2012-12-31")
    known = published(stored, grid)
    known.loc[150:, "bubble_score"] -= 0.01
    assert "M2SL" in set(assert_as_plain(stored, grid, known)["explained_by"])


def test_the_label_reads_exactly_the_columns_it_is_declared_to_be_derived_from() -> None:
    requested: set[str] = set()

    class Recording(dict[str, Reading]):
        def __getitem__(self, column: str) -> Reading:
            requested.add(column)
            return super().__getitem__(column)

    computed = on_sample()
    build_regime(Recording(computed.readings), computed.grid, CATALOG)
    assert requested - {"activity_inflation.core_pce_yoy_pct"} == READ, "inflation is next to the label"


def test_no_series_is_skipped_whose_figures_differ_on_a_grid_date() -> None:
    """Many small archives: withdrawals, vintages of one day, corrections."""
    draws, catalog = np.random.default_rng(11), CATALOG
    observations = np.array(["2020-01-01", "2020-02-01", "2020-03-01"], dtype="datetime64[D]")
    passed = 0
    for _ in range(150):
        size = int(draws.integers(1, 7))
        start = np.datetime64("2020-02-01") + draws.integers(0, 12, size) * np.timedelta64(15, "D")
        frame = vintages(
            "UNRATE",
            [(str(o), str(s), None) for o, s in zip(draws.choice(observations, size), start, strict=True)],
        )
        frame["value"] = draws.choice([1.0, 1.0, 2.0, np.nan], size)
        frame["captured_at"] = (start + draws.integers(0, 60, size)).astype("datetime64[us]")
        stored = Archive.from_frame(frame)
        grid = build_grid(np.datetime64("2020-01-31"), np.datetime64("2020-06-20"))
        views = [
            View(a, grid.as_of, catalog.series, catalog).panel("UNRATE", observations)
            for a in (stored, with_today(stored, grid))
        ]
        if not seen_otherwise(stored, grid.as_of):
            passed += 1
            np.testing.assert_array_equal(*views)
    assert passed >= 15


def with_today(stored: Archive, grid: Grid) -> Archive:
    today = as_revised(cut(stored, grid.as_of[-1]))
    return stored.with_rows_of("UNRATE", of_series(today, "UNRATE")) if today.has("UNRATE") else stored


# ---- changed cells of published rows

AT = dt.datetime(2026, 4, 21, 1, 30)
BEFORE, AFTER = AT - dt.timedelta(days=20), AT
DAYS = [pd.Timestamp("2026-01-31"), pd.Timestamp("2026-02-28")]
TABLES = [CATALOG.tables[name] for name in ("regime", "real_yields")]
NFCI, ICSA = Cause("late", "NFCI", AT), Cause("corrected", "ICSA", AT)


def frames(
    score: list[float], rate: list[float], label: str = "neutral_bubble"
) -> Mapping[str, pd.DataFrame]:
    dates = pd.Series(DAYS).astype("datetime64[s]")
    return {
        "regime": pd.DataFrame({"as_of_date": dates, "regime": label, "bubble_score": score}),
        "real_yields": pd.DataFrame({"as_of_date": dates, "short_rate_pct": rate}),
    }


def found(
    after: Mapping[str, pd.DataFrame], *causes: tuple[Cause, Mapping[str, pd.DataFrame]]
) -> list[tuple]:
    before = frames([0.5, 0.5], [1.0, 1.0])
    listed = corrections(before, after, [(c, lambda f=f: f) for c, f in causes], TABLES, DAYS, {})
    names = ["table_name", "as_of_date", "column_name", "value_before", "value_after", "series_ids", "cells"]
    return [tuple(None if pd.isna(v) else v for v in row) for row in listed[names].itertuples(index=False)]


def test_a_cell_is_attributed_to_the_cause_without_which_it_is_unchanged() -> None:
    after = frames([0.5, 0.7], [1.0, 1.5])
    rows = found(after, (NFCI, frames([0.5, 0.5], [1.0, 1.5])), (ICSA, frames([0.5, 0.7], [1.0, 1.0])))
    assert rows == [
        ("regime", DAYS[1], "bubble_score", "0.5", "0.7", "NFCI", None),
        ("real_yields", None, None, None, None, "ICSA", 1),
    ]


def test_a_cell_both_or_no_single_cause_changes_is_listed_with_each_or_with_all_and_no_other() -> None:
    after, half = frames([0.5, 0.7], [1.0, 1.0]), frames([0.5, 0.6], [1.0, 1.0])
    assert [row[5] for row in found(after, (NFCI, half), (ICSA, half))] == ["NFCI", "ICSA"]
    assert [row[5] for row in found(after, (NFCI, after), (ICSA, after))] == ["ICSA,NFCI"]
    unchanged = frames([0.5, 0.5], [1.0, 1.0])
    assert found(unchanged, (NFCI, frames([0.1, 0.1], [0.0, 0.0]))) == []


def test_a_cell_is_written_in_full() -> None:
    assert [text_of(value) for value in (0.1 + 0.2, True, DAYS[0], "bubble", float("nan"), None)] == [
        "0.30000000000000004", "true", "2026-01-31", "bubble", None, None,
    ]  # fmt: skip


def captured(stored: list[tuple], new: tuple) -> tuple[Captures, list[CaptureGroup]]:
    """The archive of one series, and the groups of what was captured since the last publication."""
    with an_archive() as con:
        for (observation, start, value, source), at in (*((one, BEFORE) for one in stored), (new, AFTER)):
            con.execute(
                "INSERT INTO raw.vintages VALUES ('UNRATE', ?, ?, ?, ?, ?, 'f')",
                [observation, start, value, source, at],
            )
        captures = load_captures(con, ["UNRATE"])
        return captures, list(captures_since(con, BEFORE, DAYS[1].date(), captures.codes))


STORED = ("2026-01-01", "2026-02-06", 4.0, "alfred")
RULE = ("2026-01-01", "2026-02-06", 4.0, "lag_rule")


@pytest.mark.parametrize(
    ("stored", "new", "reason"),
    [
        (STORED, ("2025-12-01", "2026-01-09", 4.1, "alfred"), "late"),
        (STORED, ("2026-01-01", "2026-02-06", 4.2, "alfred"), "corrected"),
        (STORED, ("2026-01-01", "2026-02-06", None, "retracted"), "retracted"),
        (STORED, ("2026-01-01", "2026-02-06", None, "captured"), "retracted"),
        (RULE, ("2026-01-01", "2026-02-11", 4.1, "alfred"), "better_vintage"),
        (RULE, ("2026-01-01", "2026-02-06", 4.1, "publisher"), "better_vintage"),
        (STORED, ("2026-01-01", "2026-03-01", 4.1, "alfred"), None),  # public after the last of the rows
    ],
)
def test_what_came_since_is_named_by_what_it_does(stored: tuple, new: tuple, reason: str | None) -> None:
    captures, groups = captured([stored], new)
    assert [(g.cause.reason, g.cause.series_ids) for g in groups] == ([(reason, "UNRATE")] if reason else [])
    for group in groups:  # without them the archive is what it was
        left = resolve(group.left_out_of(captures))
        assert (left.value.tolist(), len(left.key)) == ([4.0], 1)


HISTORY = ("2025-12-01", "2026-01-09", 4.1, "alfred")
LATER = ("2026-01-01", "2026-03-06", 4.2, "alfred")  # begins after the last of the rows


@pytest.mark.parametrize(
    ("stored", "new", "reason", "before", "after"),
    [
        ([RULE, HISTORY], LATER, "better_vintage", 4.0, None),
        ([RULE, HISTORY, LATER], (*LATER[:2], None, "retracted"), "retracted", None, 4.0),
    ],
)
def test_a_row_dated_by_lag_rule_that_a_later_vintage_moves_is_not_without_a_cause(
    stored: list[tuple], new: tuple, reason: str, before: float | None, after: float | None
) -> None:
    """A real vintage inside the history removes the row whenever it begins; retracted, the row is back."""
    captures, (group,) = captured(stored, new)
    assert (group.cause.reason, len(group.keys)) == (reason, 1)
    assert known(resolve(group.left_out_of(captures)), RULE[0]) == before
    assert known(resolve(captures), RULE[0]) == after


def known(archive: Archive, observation: str) -> float | None:
    """A figure as it is read on the last of the rows."""
    day = DAYS[1].to_numpy().astype("datetime64[D]")
    row = archive.rows_as_of("UNRATE", np.array([observation], dtype="datetime64[D]"), np.array([day]))
    (value,) = archive.take(archive.value, row, np.nan).tolist()
    return None if np.isnan(value) else value


def test_live_rows_replace_those_of_their_date_and_spells_run_through_them() -> None:
    days = pd.to_datetime(["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]).astype("datetime64[s]")
    panel = pd.DataFrame(
        {
            "as_of_date": days,
            "row_kind": "backfilled",
            "regime": ["a", "a", "a", "b"],
            "regime_since": days[[0, 0, 0, 3]],
        }
    )
    live = pd.DataFrame(
        {"as_of_date": days[[2]], "row_kind": "live", "regime": ["b"], "regime_since": days[[1]]}
    )
    record = record_of("regime", panel, {"regime": live})
    assert record["regime"].tolist() == ["a", "a", "b", "b"]
    assert record["row_kind"].tolist() == ["backfilled", "backfilled", "live", "backfilled"]
    assert record["regime_since"].tolist() == [*days[[0, 0, 1, 2]]]  # the live row keeps its own
    assert panel["regime"].tolist() == ["a", "a", "a", "b"]
