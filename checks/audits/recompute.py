"""The leak audit by recomputation: rows of the staged file, computed again from an archive that ends on their date.

Belongs here: which dates are chosen, computing again, comparing. Does not belong here: the audit of the stated days of
publication (`leak.py`), formulas (`assets/compute`), opening files (`of_release.py`).

On a few dates the archive is cut: vintages that begin later are removed, announcements too. Every staged row up to the
cut must come out of that archive exactly as it is staged. Nothing is compared within a tolerance.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, PolicyLedger, Profile
from assets.compute.archive import Archive, as_revised, cut, revised_series
from assets.compute.calendar import Days
from assets.compute.computation import REGIME_INPUTS, compute
from assets.compute.corrections import ADDED_BY_PUBLICATION, unequal
from assets.compute.evidence import evidence_frame
from assets.compute.grid import LIVE, Grid
from assets.compute.record import Frames, record_of
from assets.warehouse.rights import withheld
from checks.rights import NOT_SHOWN
from checks.suites.measures import flag
from checks.suites.rules import Rule, Suite, never, within

CUTS = 3  # dates a night, the run date among them; a cut costs a fifth of a second
EARLIEST = 120  # a cut has at least so many month-ends behind it: no condition has a rank before
RECOMPUTED = (*REGIME_INPUTS, "regime", "regime_evidence")
TYPES = {
    "cut_on": "DATE",
    "table_name": "VARCHAR",
    "as_of_date": "DATE",
    "values_differing": "BIGINT",
    "first_column": "VARCHAR",
    "staged": "VARCHAR",
    "recomputed": "VARCHAR",
    "is_as_revised": "BOOLEAN",
}
_LONGEST = 60  # characters of a value in a message
_KEY = ("table_name", "as_of_date", "first_column", "staged", "recomputed")
_NOT_COMPARED = (*ADDED_BY_PUBLICATION, "row_kind")  # the kind of a row depends on the run date


def recompute_suite() -> Suite:
    """Rules on the frame `recomputed` gives."""
    rules: tuple[Rule, ...] = (
        Rule(
            "table__not_empty",
            "critical",
            "ExpectTableRowCountToBeBetween",
            {"min_value": 1},
            "at least one row was computed again",
            "The staged tables are empty: run the whole job.",
        ),
        within(
            "recomputed__tables_compared",
            ("table_name",),
            _tables_compared,
            minimum=len(RECOMPUTED),
            statement=f"rows of all {len(RECOMPUTED)} tables were computed again, however few month-ends there are",
            what_to_do="A staged table is empty: run the whole job.",
        ),
        within(
            "recomputed__from_what_was_known",
            ("cut_on", "values_differing", *_KEY),
            lambda f, _: f["values_differing"],
            maximum=0,
            statement="a row comes out the same from an archive that ends on its date",
            what_to_do="Do not publish. A figure of a later day reached this row, or the tables come from another "
            "run: run the whole job; if it stays, follow the column's inputs with `explain`.",
        ),
        never(
            "recomputed__not_from_revised_figures",
            ("is_as_revised", *_KEY),
            lambda f, _: flag(f["is_as_revised"], judged=f["is_as_revised"].notna()),
            statement="a row whose figures were revised later shows the figures of its date",
            what_to_do="Do not publish. The row was computed from figures as they stand today.",
        ),
    )
    return Suite("recomputed", _KEY, TYPES, rules)


def _tables_compared(frame: pd.DataFrame, _: object) -> pd.Series:
    """The number of tables in the first row; a row without a number is not checked."""
    return pd.Series([float(frame["table_name"].nunique())] + [np.nan] * (len(frame) - 1), frame.index)


def cut_dates(grid: Grid, seed: str) -> Days:
    """The run date and month-ends drawn by `seed` (the release), ascending; none before the first rank."""
    eligible = [*np.flatnonzero(grid.is_month_end)[EARLIEST:-1]]
    drawn = random.Random(seed).sample(eligible, min(CUTS - 1, len(eligible)))
    return grid.as_of[sorted({*map(int, drawn), len(grid) - 1})]


def recomputed(
    staged: Frames,
    archive: Archive,
    grid: Grid,
    dates: Days,
    catalog: Catalog,
    profile: Profile,
) -> pd.DataFrame:
    """One row per cut, table and staged row up to the cut; `values_differing` counts columns, 99 for a row missing.

    Live rows are not computed again: they were frozen from what had reached us then (`immutability.py`).
    """
    parts = []
    live = _live(staged, catalog)
    for day in dates:
        until = grid.as_of <= day
        cut_grid = Grid(grid.as_of[until])
        known = _tables(cut(archive, day), cut_grid, _announced_by(catalog, day), profile)
        revised = (
            _tables(as_revised(archive), cut_grid, catalog, profile) if revised_series(archive) else None
        )
        known = record_of(known, _until(live, day))
        revised = None if revised is None else record_of(revised, _until(live, day))
        for name, frame in known.items():
            columns = [c for c in catalog.tables[name].column_names if c not in _NOT_COMPARED]
            key = list(catalog.tables[name].key)
            rows, again = (_aligned(f, day, columns, key) for f in (staged[name], frame))
            hidden = withheld(catalog.tables[name], catalog, profile).keys()
            part = _differences(rows, again, name, day, hidden)
            if revised is not None:
                part["is_as_revised"] = _shows_hindsight(
                    rows, again, _aligned(revised[name], day, columns, key)
                )
            parts.append(part)
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in TYPES})


def _live(staged: Frames, catalog: Catalog) -> Frames:
    """The live rows among the staged ones, by table."""
    regime = staged["regime"]
    days = set(regime.loc[regime["row_kind"] == LIVE, "as_of_date"])
    if not days:
        return {}
    names = [table.name for table in catalog.as_of_tables() if table.name in staged]
    return {name: staged[name][staged[name]["as_of_date"].isin(days)] for name in names}


def _until(live: Frames, day: np.datetime64) -> Frames:
    return {name: rows[rows["as_of_date"] <= day.astype("datetime64[s]")] for name, rows in live.items()}


def _tables(archive: Archive, grid: Grid, catalog: Catalog, profile: Profile) -> Frames:
    """Regime, evidence and the tables they rest on, as the nightly job computes them."""
    series = {s.series_id: s for s in catalog.in_profile(profile)}
    done = compute(archive, grid, catalog, series)
    return {**done.tables, "regime": done.frame, "regime_evidence": evidence_frame(done.regime, catalog)}


def _announced_by(catalog: Catalog, day: np.datetime64) -> Catalog:
    ledger = catalog.policy_events
    events = tuple(event for event in ledger.events if np.datetime64(event.announced_on, "D") <= day)
    return replace(catalog, policy_events=PolicyLedger(ledger.last_checked, events))


def _aligned(frame: pd.DataFrame, day: np.datetime64, columns: Sequence[str], key: list[str]) -> pd.DataFrame:
    """The rows up to the day, by key; a column that is not there is empty."""
    rows = frame[frame["as_of_date"] <= day.astype("datetime64[s]")]
    for column in ("indeterminate_reason", "absent_reason"):
        if column in rows:
            # a series that begins after the cut is not held at all there; on the date it was not published yet
            rows = rows.assign(**{column: rows[column].str.replace("not_held", "not_yet_published")})
    return rows.reindex(columns=list(columns)).set_index(key, drop=False).sort_index()


def _differences(
    staged: pd.DataFrame, known: pd.DataFrame, name: str, day: np.datetime64, hidden: Collection[str]
) -> dict[str, np.ndarray]:
    every = staged.index.union(known.index)
    missing = ~(every.isin(staged.index) & every.isin(known.index))
    if every.has_duplicates or missing.any():
        staged, known = (f[~f.index.duplicated()].reindex(every.unique()) for f in (staged, known))
        missing = missing[~every.duplicated()]
    differs = np.column_stack([unequal(staged[c], known[c]) for c in known.columns])
    count = np.where(missing, 99, differs.sum(axis=1))
    first = differs.argmax(axis=1)
    wrong = np.flatnonzero(count)
    shown: dict[str, np.ndarray] = {
        column: np.full(len(count), None, dtype=object) for column in ("first_column", "staged", "recomputed")
    }
    for row in wrong:
        column = known.columns[first[row]]
        shown["first_column"][row] = column
        shown["staged"][row], shown["recomputed"][row] = (
            NOT_SHOWN if column in hidden else _short(f[column].iloc[row]) for f in (staged, known)
        )
    dates = known["as_of_date"].where(known["as_of_date"].notna(), staged["as_of_date"])
    return {
        "cut_on": np.full(len(count), day.astype("datetime64[s]")),
        "table_name": np.full(len(count), name, dtype=object),
        "as_of_date": dates.to_numpy(),
        "values_differing": count,
        **shown,
        "is_as_revised": np.full(len(count), None, dtype=object),
    }


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _shows_hindsight(staged: pd.DataFrame, known: pd.DataFrame, revised: pd.DataFrame) -> np.ndarray:
    """Per row: True where it holds a revised figure in place of the one known; None where the two are alike."""
    if not (staged.index.equals(known.index) and known.index.equals(revised.index)):
        return np.full(len(staged.index.union(known.index)), None, dtype=object)
    tells = np.column_stack([unequal(known[c], revised[c]) for c in known.columns])
    held = np.column_stack([~unequal(staged[c], revised[c]) for c in known.columns])
    shown = (tells & held).any(axis=1).astype(object)
    shown[~tells.any(axis=1)] = None
    return shown
