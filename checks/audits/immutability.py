"""The immutability audit: published rows are unchanged, or changed for a cause that the archive proves.

Live rows and rows of `regime_nightly` never change. A backfilled row may change when new figures have arrived: the
archive at the last publication gives the published row, the present one the staged row, and `row_corrections` lists it.
A column added since stays out of the comparison.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from assets.catalog.models import Catalog, Table
from assets.compute.grid import LIVE
from assets.compute.record import CELLS_OF, Compared, Frames, text_of, unequal
from checks.rules import Rule, Suite, flag

COLUMNS = (
    "table_name", "as_of_date", "published_at", "row_kind", "is_found", "columns_changed", "changed", "value_published",
    "value_staged", "cause",
)  # fmt: skip
_SHOWN = ("table_name", "as_of_date", "row_kind", "changed", "value_published", "value_staged", "cause")
_DATES = {"as_of_date": "datetime64[s]", "published_at": "datetime64[us]"}
_EMPTY = {"columns_changed": 0, "changed": None, "value_published": None, "value_staged": None}
NO_INPUT = "no input moved"
_NOT_OF_ARCHIVE = "the archive gives another value"
_NOT_LISTED = "not in row_corrections"


@dataclass(frozen=True)
class Published:
    """What was published: as-of tables of the last release, dates of its backfilled rows, live rows, `regime_nightly`.

    `tables` is empty where there is no file of this profile, method version and warehouse to compare with.
    """

    published_at: pd.Timestamp | None
    tables: Frames
    backfilled: Collection[pd.Timestamp]
    live: Frames
    nightly: pd.DataFrame


@dataclass(frozen=True)
class Staged:
    """The same of the file to be published, with what it lists as corrected.

    `panels` computes the record from the archive as it was at the last publication, and from the present archive.
    """

    tables: Frames
    nightly: pd.DataFrame
    corrections: pd.DataFrame
    panels: Callable[[], tuple[Frames, Frames]]


def immutability_suite() -> Suite:
    """Rules on the frame `found_again` gives."""
    rules = (
        Rule("published_row__found_again", ("is_found", *_SHOWN), lambda f, _: flag(~f["is_found"]),
            maximum=0, statement="a published row is in the file to be published",
            what_to_do="Rows of the past were lost: restore the warehouse from its backup, for a live row from one "
            "made since it was published, then run again."),
        Rule("published_row__unchanged", ("columns_changed", *_SHOWN), maximum=0,
            statement="a live row is unchanged, and a backfilled row changed only as row_corrections explains",
            what_to_do="Do not publish. Where no input moved, the code or the ledger of announcements did: undo it, or "
            "raise method_version and say so in method_versions.toml. A live row is restored from the backup."),
    )  # fmt: skip
    return Suite("published_row", ("table_name", "as_of_date"), rules)


def found_again(before: Published, staged: Staged, catalog: Catalog) -> pd.DataFrame:
    """One row per table and date published before: whether it is there, and what changed without a cause."""
    parts = [*_live(before, staged, catalog), *_backfilled(before, staged, catalog), _nightly(before, staged)]
    columns = {name: [value for part in parts for value in part[name]] for name in COLUMNS}
    days, moments = (pd.Series(columns[name], dtype=_DATES[name]) for name in _DATES)
    texts = {name: pd.Series(columns[name], dtype=object) for name in COLUMNS if name not in _DATES}
    frame = pd.DataFrame({**texts, "as_of_date": days, "published_at": moments})
    return frame[list(COLUMNS)].astype({"is_found": bool, "columns_changed": "int64"})


def _live(before: Published, staged: Staged, catalog: Catalog) -> Iterator[pd.DataFrame]:
    """Stored live rows, and those of the published file, against the staged ones.

    The published file counts also where the warehouse lacks the row: an older copy of it may have been restored.
    """
    kinds = staged.tables["regime"].set_index("as_of_date")["row_kind"]
    for was in (before.live, before.tables):
        if "regime" not in was:
            continue
        regime = was["regime"]
        is_live = (regime["row_kind"] == LIVE) & (regime["as_of_date"] <= kinds.index.max())
        days = set(regime.loc[is_live, "as_of_date"])
        for table in catalog.as_of_tables():
            dates = set(was[table.name]["as_of_date"]) & days if table.name in was else set()
            if dates:
                now = staged.tables[table.name]
                there = set(now["as_of_date"])
                cells = Compared.of(table, was[table.name], now, dates)
                is_found = {day: kinds.get(day) == LIVE and day in there for day in dates}
                yield _frame(table, cells, cells.differs, is_found, before.published_at, LIVE, "a live row")


def _backfilled(before: Published, staged: Staged, catalog: Catalog) -> Iterator[pd.DataFrame]:
    """Backfilled rows of the last release: what changed must come from the archive, and be listed."""
    panels = cache(staged.panels)  # computed only where something changed, and once
    for table in catalog.as_of_tables():
        if table.name not in before.tables:
            continue
        was, now = before.tables[table.name], staged.tables[table.name]
        cells = Compared.of(table, was, now, before.backfilled)
        published = set(was["as_of_date"]) & set(before.backfilled)
        missing = published - set(now["as_of_date"])
        if missing and table.name != "regime":  # others may have rows only for dates with a score
            missing &= set(panels()[1][table.name]["as_of_date"])
        is_found = {day: day not in missing for day in published}
        wrong, cause = np.zeros_like(cells.differs), NO_INPUT
        if cells.differs.any():
            wrong, cause = _unexplained(table, cells, before, staged, *panels())
        yield _frame(table, cells, wrong, is_found, before.published_at, "backfilled", cause)


def _unexplained(
    table: Table, cells: Compared, before: Published, staged: Staged, then: Frames, now: Frames
) -> tuple[np.ndarray, str]:
    """Changed cells without a cause, and what is wrong with them."""
    name, days = table.name, before.backfilled
    by_code = cells.differs & Compared.of(table, before.tables[name], then[name], days).on(cells)
    by_hand = cells.differs & Compared.of(table, now[name], staged.tables[name], days).on(cells)
    unlisted = cells.differs & ~_listed(table, cells, staged.corrections)
    still = cells.differs & ~Compared.of(table, then[name], now[name], days).on(cells)
    unmoved = by_code | still
    cause = NO_INPUT if unmoved.any() else _NOT_OF_ARCHIVE if by_hand.any() else _NOT_LISTED
    return unmoved | by_hand | unlisted, cause


def _listed(table: Table, cells: Compared, corrections: pd.DataFrame) -> np.ndarray:
    """Which cells this release lists as corrected: each of `regime`, those of other tables by their span of dates."""
    own = corrections[corrections["table_name"] == table.name]
    days = cells.after.index.get_level_values("as_of_date")
    if table.name == CELLS_OF:
        named = set(zip(own["as_of_date"], own["column_name"], strict=True))
        return np.array([[(day, name) in named for name in cells.after.columns] for day in days])
    is_in = (days >= own["first_date"].min()) & (days <= own["last_date"].max())
    return np.broadcast_to(np.asarray(is_in)[:, None], cells.differs.shape)


def _nightly(before: Published, staged: Staged) -> pd.DataFrame:
    then = before.nightly.set_index("published_at", drop=False)
    now = staged.nightly.set_index("published_at", drop=False)
    again = now.reindex(then.index)
    columns = [c for c in then.columns if c in now.columns]
    differs = [unequal(then[c], again[c]) for c in columns]
    is_found = then.index.isin(now.index)
    wrong = np.column_stack(differs) & is_found[:, None] if len(then) else np.zeros((0, len(columns)), bool)
    return pd.DataFrame(
        {
            "table_name": "regime_nightly",
            "as_of_date": then["as_of_date"].to_numpy(),
            "published_at": then.index.to_numpy(),
            "row_kind": None,
            "is_found": is_found,
            **_named(then[columns], again[columns], wrong),
            "cause": None,
        }
    )


def _frame(
    table: Table,
    cells: Compared,
    wrong: np.ndarray,
    is_found: dict[pd.Timestamp, bool],
    published_at: pd.Timestamp | None,
    kind: str,
    cause: str,
) -> pd.DataFrame:
    """One row per date of the comparison; a date with several rows counts once, by its first wrong cell."""
    named = pd.DataFrame(_named(cells.before, cells.after, wrong))
    named["as_of_date"] = cells.after.index.get_level_values("as_of_date")
    worst = named.sort_values("columns_changed", ascending=False, kind="stable").drop_duplicates("as_of_date")
    missing = pd.DataFrame({"as_of_date": [day for day, there in is_found.items() if not there]})
    rows = worst.sort_values("as_of_date")
    if len(missing):
        rows = rows[~rows["as_of_date"].isin(missing["as_of_date"])]
        rows = pd.concat([rows.astype(object), missing.assign(**_EMPTY).astype(object)])
    return pd.DataFrame(
        {
            "table_name": table.name,
            "as_of_date": rows["as_of_date"].to_numpy(dtype="datetime64[s]"),
            "published_at": published_at,
            "row_kind": kind,
            "is_found": [is_found.get(day, True) for day in rows["as_of_date"]],
            **{name: rows[name].to_numpy() for name in _EMPTY},
            "cause": [cause if n else None for n in rows["columns_changed"]],
        }
    )


def _named(then: pd.DataFrame, now: pd.DataFrame, wrong: np.ndarray) -> dict[str, object]:
    """For each row how many cells are wrong, their columns, and the first of them on both sides."""
    names = np.asarray(then.columns, dtype=object)
    count = wrong.sum(axis=1)
    changed, was, is_now = (np.full(len(wrong), None, dtype=object) for _ in range(3))
    for row in np.flatnonzero(count).tolist():
        columns = np.flatnonzero(wrong[row]).tolist()
        changed[row] = ", ".join(names[columns])
        was[row], is_now[row] = (text_of(frame.iat[row, columns[0]]) for frame in (then, now))
    return {"columns_changed": count, "changed": changed, "value_published": was, "value_staged": is_now}
