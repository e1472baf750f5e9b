"""The audit by recomputation: the tables of a staged file must equal what the archive gives when computed again.

Every computed table is computed again as of the run date, so that a table left from an earlier run is not published.
On a few dates the archive is cut as well: vintages that begin later are removed, announcements too, and every row up to
the cut must come out of what is left. Nothing is compared within a tolerance.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Table
from assets.compute.archive import cut
from assets.compute.calendar import Days
from assets.compute.grid import LIVE, Grid
from assets.compute.record import ADDED_BY_PUBLICATION, Frames, unequal
from assets.compute.registry import REGISTRY, Computation
from assets.compute.tables.build import REGIME_INPUTS
from assets.warehouse.rights import withheld
from checks.results import NOT_SHOWN
from checks.rules import Rule, Suite, Tables

CUTS = 3  # dates a run, the run date among them; a cut costs half a second
EARLIEST = 120  # a cut has at least so many month-ends before it: no condition has a rank earlier
CUT_TABLES = (*REGIME_INPUTS, "regime", "regime_evidence")
COLUMNS = (
    "table_name", "cut_on", "rows_compared", "rows_differing", "row_key", "first_column", "staged",
    "recomputed", "numbers_infinite", "infinite_column",
)  # fmt: skip
_KEY = ("table_name", "cut_on", "rows_differing", "row_key", "first_column", "staged", "recomputed")
_LONGEST = 60  # characters of a value in a message


def recompute_suite(catalog: Catalog) -> Suite:
    """Rules on the frame `recomputed` gives: one per computed table, and on infinite numbers."""
    rules = (
        *(_is_recomputed(catalog.tables[name]) for name in REGISTRY),
        Rule("recomputed__numbers_finite", ("numbers_infinite", "table_name", "infinite_column"), maximum=0,
            statement="no number computed is infinite: the warehouse would store it as a missing one",
            what_to_do="Do not publish. A divisor is zero: look at the figures behind the column, and declare a reason "
            "for its absence."),
    )  # fmt: skip
    return Suite("recomputed", _KEY, rules)


def _is_recomputed(table: Table) -> Rule:
    """A table that was not compared fails too, and so does one without rows that must have some."""

    def rows_wrong(frame: pd.DataFrame, tables: Tables) -> pd.Series:
        is_own = frame["table_name"] == table.name
        wrong = frame["rows_differing"].astype("float64").where(is_own)
        if not table.may_be_empty:
            wrong = wrong.mask(is_own & (frame["rows_compared"] == 0), np.inf)
        was_compared = bool((is_own & frame["cut_on"].isna()).any())
        return wrong if was_compared else pd.Series(np.append(wrong.to_numpy(), np.inf))

    return Rule(f"recomputed__{table.name}", (*_KEY, "rows_compared"), rows_wrong, maximum=0, of_table=True,
        statement=f"rows of {table.name} were computed again from the archive, and are equal",
        what_to_do="Do not publish. The table is empty or of an earlier run, or a figure of a later day reached it: "
        "run the complete job; if the rule fails again, follow the column's inputs with `explain`.",
    )  # fmt: skip


def cut_dates(grid: Grid, seed: str) -> Days:
    """The run date and month-ends drawn by `seed` (the release), ascending; none before the first rank."""
    eligible = [*np.flatnonzero(grid.is_month_end)[EARLIEST:-1]]
    drawn = random.Random(seed).sample(eligible, min(CUTS - 1, len(eligible)))
    return grid.as_of[sorted({*map(int, drawn), len(grid) - 1})]


def live_of(staged: Frames, catalog: Catalog) -> Frames:
    """The live rows among the staged ones, by table: they were frozen from what had been captured then."""
    regime = staged["regime"]
    days = set(regime.loc[regime["row_kind"] == LIVE, "as_of_date"])
    names = [table.name for table in catalog.as_of_tables() if table.name in staged] if days else []
    return {name: staged[name][staged[name]["as_of_date"].isin(days)] for name in names}


def recomputed(staged: Frames, run: Computation, dates: Days) -> pd.DataFrame:
    """One row per computed table as of the run date, and one per cut and table cut.

    `run` computes the release again: its archive, its live rows, `late_figures`. A row that one side lacks differs.
    """
    rows = [_compared(run.catalog.tables[name], staged[name], run.record(name), run) for name in REGISTRY]
    rows += [row for day in dates for row in _of_cut(staged, run, day)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"cut_on": "datetime64[s]"})


def _of_cut(staged: Frames, run: Computation, day: np.datetime64) -> Iterator[dict[str, Any]]:
    """The tables of one cut, computed from what was known on its day."""
    live = {name: _until(rows, day) for name, rows in run.live.items()}
    grid = Grid(run.grid.as_of[run.grid.as_of <= day])
    archive, catalog = cut(run.archive, day), _announced_by(run.catalog, day)
    is_all = len(archive.key) == len(run.archive.key) and catalog.policy_events == run.catalog.policy_events
    is_all = is_all and day == run.grid.as_of[-1]
    known = run if is_all else replace(run, grid=grid, live=live, archive=archive, catalog=catalog)
    for name in CUT_TABLES:
        rows = _until(staged[name], day)
        yield _compared(run.catalog.tables[name], rows, known.record(name), run, day)


def _announced_by(catalog: Catalog, day: np.datetime64) -> Catalog:
    ledger = catalog.policy_events
    events = tuple(event for event in ledger.events if np.datetime64(event.announced_on, "D") <= day)
    return replace(catalog, policy_events=ledger.model_copy(update={"events": events}))


def _until(frame: pd.DataFrame, day: np.datetime64) -> pd.DataFrame:
    return frame[frame["as_of_date"] <= day.astype("datetime64[s]")]


def _compared(
    table: Table,
    staged: pd.DataFrame,
    known: pd.DataFrame,
    run: Computation,
    day: np.datetime64 | None = None,
) -> dict[str, Any]:
    """How many rows differ, and the first cell that does; a figure that must not be shown is not."""
    one, other = (_by_key(table, frame, is_cut=day is not None) for frame in (staged, known))
    is_on_one_side = np.zeros(len(one), dtype=bool)
    if not one.index.equals(other.index):
        every = one.index.append(other.index).unique()
        is_on_one_side = ~(every.isin(one.index) & every.isin(other.index))
        one, other = (side[~side.index.duplicated()].reindex(every) for side in (one, other))
    cells = np.column_stack([unequal(one[name], other[name]) for name in one.columns])
    cells[is_on_one_side] = True
    found: dict[str, Any] = {
        "table_name": table.name,
        "cut_on": None if day is None else day.astype("datetime64[s]"),
        "rows_compared": len(one),
        "rows_differing": int(cells.any(axis=1).sum()),
    }
    numbers = [column.name for column in table.columns if column.type == "DOUBLE"]
    infinite = np.isinf(known[numbers].astype("float64")).sum()
    found |= {"numbers_infinite": int(infinite.sum())}
    if found["numbers_infinite"]:
        found["infinite_column"] = str(infinite.idxmax())
    if found["rows_differing"]:
        row = int(cells.any(axis=1).argmax())
        column = str(one.columns[cells[row].argmax()])
        hidden = withheld(table, run.catalog, run.profile).keys()
        found |= {"row_key": _key_text(one.index[row]), "first_column": column}
        found |= {
            name: NOT_SHOWN if column in hidden else _short(side[column].iloc[row])
            for name, side in (("staged", one), ("recomputed", other))
        }
    return found


def _by_key(table: Table, frame: pd.DataFrame, *, is_cut: bool) -> pd.DataFrame:
    """Rows by key in the columns that are compared.

    In a cut archive a series that begins after the cut has no vintage; on the date it was not published yet. The kind
    of a row depends on the run date.
    """
    if is_cut:
        reasons = [name for name in ("indeterminate_reason", "absent_reason") if name in frame]
        frame = frame.assign(**{n: frame[n].str.replace("not_held", "not_yet_published") for n in reasons})
    left_out = (*ADDED_BY_PUBLICATION, *(["row_kind"] if is_cut else []))
    names = [name for name in table.column_names if name not in left_out]
    return frame.reindex(columns=names).set_index(list(table.key), drop=False).sort_index()


def _key_text(key: object) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return ", ".join(f"{part:%Y-%m-%d}" if isinstance(part, pd.Timestamp) else str(part) for part in parts)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
