"""Every changed cell is attributed to the captures without which it would be unchanged, and to no others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.compute.archive import Archive, Captures, resolve
from assets.compute.corrections import Cause, corrections, text_of
from assets.compute.record import published
from assets.warehouse.live import CaptureGroup, captures_since
from assets.warehouse.readers import load_captures
from tests.builders import an_archive

CATALOG = load_catalog()
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
    record = published("regime", panel, {"regime": live})
    assert record["regime"].tolist() == ["a", "a", "b", "b"]
    assert record["row_kind"].tolist() == ["backfilled", "backfilled", "live", "backfilled"]
    assert record["regime_since"].tolist() == [*days[[0, 0, 1, 2]]]  # the live row keeps its own
    assert panel["regime"].tolist() == ["a", "a", "a", "b"]
