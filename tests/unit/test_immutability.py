"""What the immutability audit demands of rows published before: live ones unchanged, backfilled ones explained."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.record import COLUMNS, Frames
from checks.audits.immutability import Published, Staged, found_again

CATALOG = load_catalog()
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
