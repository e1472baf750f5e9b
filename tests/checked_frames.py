"""Clean frames of every checked table, computed from the sample, and checking one of them by its suite."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd

from assets.catalog.loader import load_catalog
from assets.compute.archive import Archive
from assets.compute.grid import build_grid
from assets.compute.registry import REGISTRY, Computation
from checks.runner import SuiteResult, run_suite
from checks.tables import suite_of
from tests.helpers import SAMPLE_AS_OF, sample_vintages

Frames = Mapping[str, pd.DataFrame]
AS_OF = dt.date.fromisoformat(SAMPLE_AS_OF)
PUBLISHED_AT = pd.Timestamp("2026-06-01 01:00:05")


@cache
def clean_frames() -> Frames:
    """Every checked table as the sample gives it; a copy is needed to change one."""
    catalog = load_catalog()
    grid = build_grid(np.datetime64(catalog.method.grid.start, "D"), np.datetime64(AS_OF, "D"))
    late = {"late_figures": _late_figure()}
    run = Computation(Archive.from_frame(sample_vintages()), grid, catalog, "sample", stored=late)
    frames = {name: run.record(name) for name in REGISTRY}
    frames["regime"] = frames["regime"].assign(profile="sample", first_published_at=PUBLISHED_AT)
    nightly = frames["regime"].tail(1).reset_index(drop=True)
    nightly.insert(0, "published_at", PUBLISHED_AT)
    return {
        **frames,
        "provenance": pd.concat(
            [p for n in REGISTRY if n != "late_figures" and (p := run.built(n).provenance) is not None]
        ),
        "regime_nightly": nightly,
        "row_corrections": _corrections(),
        "release_log": _arrival(),
    }


def _late_figure() -> pd.DataFrame:
    days = {
        "as_of_date": "2026-04-30", "observation_date": "2026-03-01", "realtime_start": "2026-04-10",
        "captured_at": "2026-06-02 01:00", "first_published_at": "2026-06-01 01:00",
        "captured_until": "2026-06-01 01:00",
    }  # fmt: skip
    row = {name: pd.Timestamp(day) for name, day in days.items()}
    row |= {"series_id": "UNRATE", "value_used": 4.2, "value_late": 4.3}
    return pd.DataFrame([row])[list(load_catalog().tables["late_figures"].column_names)]


def _corrections() -> pd.DataFrame:
    """A changed cell of regime, and cells of another table together."""
    cause = {
        "release_id": "20260602T010005.000000Z", "reason": "late", "series_ids": "NFCI",
        "captured_at": pd.Timestamp("2026-06-02 01:00"),
    }  # fmt: skip
    cell = {
        "correction_number": 1, "table_name": "regime", "as_of_date": pd.Timestamp("2026-04-30"),
        "column_name": "credit_score", "value_before": "0.5", "value_after": "0.52",
    }  # fmt: skip
    table = {
        "correction_number": 2, "table_name": "credit_spreads", "first_date": pd.Timestamp("1985-01-31"),
        "last_date": pd.Timestamp("2026-04-30"), "cells": 990, "largest_change": 0.4,
    }  # fmt: skip
    return pd.DataFrame([cause | cell, cause | table])[
        list(load_catalog().tables["row_corrections"].column_names)
    ]


def _arrival() -> pd.DataFrame:
    """A figure that came."""
    row = {
        "release_id": "20260602T010005.000000Z", "line_number": 1, "kind": "figure", "series_id": "UNRATE",
        "observation_date": pd.Timestamp("2026-05-01"), "realtime_start": pd.Timestamp("2026-06-01"),
        "vintage_source": "alfred", "figures": 1, "previous_value": 4.2, "new_value": 4.3,
        "score_before": 0.78, "score_after": 0.77, "score_effect": -0.01, "regime_before": "neutral_bubble",
        "regime_after": "neutral_bubble",
    }  # fmt: skip
    return pd.DataFrame([row])[list(load_catalog().tables["release_log"].column_names)]


def check(table: str, changed: Frames | None = None) -> SuiteResult:
    """The suite of a table on clean frames, some of them replaced by `changed`."""
    frames = {**clean_frames(), **(changed or {})}
    return run_suite(frames[table], suite_of(table, load_catalog(), AS_OF), frames)
