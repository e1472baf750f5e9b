"""The immutability audit: what was published is found again, unchanged, in the file about to be published.

Belongs here: comparing published rows with staged ones, and naming the input that moved. Does not belong here: opening
files (`of_release.py`), the rule that late figures stay out of a published row (`assets/compute`).

Month-ends are compared for one profile and method version, as the books of this warehouse list them; what was said each
night, whatever the method. A column added since stays out of the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from checks.suites.measures import flag, unequal
from checks.suites.rules import Rule, Suite, never, within

# The ledger of announcements is checked again and again; what that says of older rows may change without them.
MAY_CHANGE = ("is_stance_provisional",)
TYPES = {
    "table_name": "VARCHAR",
    "as_of_date": "DATE",
    "published_at": "TIMESTAMP",
    "is_found": "BOOLEAN",
    "columns_changed": "BIGINT",
    "changed": "VARCHAR",
    "inputs_moved": "VARCHAR",
}
_SHOWN = ("table_name", "as_of_date", "published_at", "changed", "inputs_moved")
_EVIDENCE = ["as_of_date", "condition", "component"]
_MOST_NAMED = 3


@dataclass(frozen=True)
class Published:
    """What stands published. `books`: as_of_date, first_published_at and row_sha256 of every month-end to be found.

    The other three are tables of the published file, empty where there is none of this profile.
    """

    books: pd.DataFrame
    regime: pd.DataFrame
    evidence: pd.DataFrame
    nightly: pd.DataFrame


@dataclass(frozen=True)
class Staged:
    """The same of the file to be published; `row_sha256` by as-of date, as the books hash a row."""

    regime: pd.DataFrame
    evidence: pd.DataFrame
    nightly: pd.DataFrame
    row_sha256: pd.Series


def immutability_suite() -> Suite:
    """Rules on the frame `found_again` gives."""
    rules: tuple[Rule, ...] = (
        never(
            "published_row__found_again",
            ("is_found", *_SHOWN),
            lambda f, _: flag(~f["is_found"]),
            statement="a published row is in the file to be published",
            what_to_do="Rows of the past were lost: restore the warehouse from its backup, then run again.",
        ),
        within(
            "published_row__unchanged",
            ("columns_changed", *_SHOWN),
            lambda f, _: f["columns_changed"],
            maximum=0,
            statement="a published row still says what it said",
            what_to_do="Do not publish. Look at the input named; where none moved, the code or the ledger of "
            "announcements did: undo it, or raise method_version and say so in method_versions.toml.",
        ),
    )
    return Suite("published_row", ("table_name", "as_of_date"), TYPES, rules)


def found_again(before: Published, staged: Staged) -> pd.DataFrame:
    """One row per published row: whether it is there, and what it says otherwise."""
    parts = [_month_ends(before, staged), _nights(before, staged)]
    return pd.concat([p for p in parts if len(p)] or [pd.DataFrame(columns=list(TYPES))], ignore_index=True)


def _month_ends(before: Published, staged: Staged) -> pd.DataFrame:
    books = before.books.set_index("as_of_date")
    now = staged.regime.set_index("as_of_date", drop=False)
    then = before.regime.set_index("as_of_date", drop=False)
    then = then[then.index.isin(books.index)]
    changed = _changes(then, now.reindex(then.index)).reindex(books.index)
    is_found = books.index.isin(now.index)
    other_hash = staged.row_sha256.reindex(books.index).to_numpy() != books["row_sha256"].to_numpy()
    count = changed.map(len, na_action="ignore").fillna(0).to_numpy(dtype="int64")
    count = np.where(is_found, np.maximum(count, other_hash), 0)
    moved = pd.Series(None, index=books.index, dtype=object)
    for day in books.index[count > 0]:
        moved[day] = _moved(before.evidence, staged.evidence, day)
    names = [", ".join(c) if isinstance(c, list) and c else None for c in changed]
    named = np.where((count > 0) & pd.isna(names), "a column of its hash", np.asarray(names, dtype=object))
    return _frame("regime", books.index, books["first_published_at"], is_found, count, named, moved)


def _nights(before: Published, staged: Staged) -> pd.DataFrame:
    then = before.nightly.set_index("published_at", drop=False)
    now = staged.nightly.set_index("published_at", drop=False)
    is_found = then.index.isin(now.index)
    changed = _changes(then, now.reindex(then.index))
    names = np.array([", ".join(c) or None for c in changed], dtype=object)
    count = np.where(is_found, changed.map(len).to_numpy(dtype="int64"), 0)
    return _frame("regime_nightly", then["as_of_date"], then.index, is_found, count, names, None)


def _frame(
    table: str,
    as_of: pd.Index | pd.Series,
    published_at: pd.Index | pd.Series,
    is_found: np.ndarray,
    count: np.ndarray,
    changed: np.ndarray,
    moved: pd.Series | None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "table_name": table,
            "as_of_date": np.asarray(as_of),
            "published_at": np.asarray(published_at),
            "is_found": is_found,
            "columns_changed": count,
            "changed": [text if n else None for text, n in zip(changed, count, strict=True)],
            "inputs_moved": None if moved is None else moved.to_numpy(),
        }
    )


def _changes(then: pd.DataFrame, now: pd.DataFrame) -> pd.Series:
    """For each row the columns both tables have that differ."""
    columns = [c for c in then.columns if c in now.columns and c not in MAY_CHANGE]
    if not len(then):
        return pd.Series([], index=then.index, dtype=object)
    differs = np.column_stack([unequal(then[c], now[c]) for c in columns])
    return pd.Series([[columns[n] for n in np.flatnonzero(row)] for row in differs], index=then.index)


def _moved(before: pd.DataFrame, now: pd.DataFrame, day: pd.Timestamp) -> str | None:
    """The components whose figure differs, largest change of contribution first; None without the evidence of then."""
    then, today = (f[f["as_of_date"] == day].set_index(_EVIDENCE) for f in (before, now))
    if not len(then):
        return None
    both = then.join(today, rsuffix="_now", how="left")
    other = _differ(both, "value") | _differ(both, "observation_date")
    hidden = both["value"].isna() & both["vintage_source"].notna()  # a figure that is not passed on
    other |= hidden & (_differ(both, "percentile") | _differ(both, "contribution"))
    size = (both["contribution_now"] - both["contribution"]).abs().fillna(np.inf)
    moved = both[other].assign(size=size[other]).sort_values("size", ascending=False).reset_index()
    if not len(moved):
        return "no input moved"
    named = [_named(row) for _, row in moved.head(_MOST_NAMED).iterrows()]
    return "; ".join(named) + (f" and {len(moved) - len(named)} more" if len(moved) > len(named) else "")


def _differ(both: pd.DataFrame, column: str) -> pd.Series:
    return pd.Series(unequal(both[column], both[f"{column}_now"]), both.index)


def _named(moved: pd.Series) -> str:
    """An input that moved, by its figures; by its ranks where these are not passed on."""
    name = f"{moved['component']} ({moved['series_ids']})"
    if moved[["value", "value_now"]].isna().all() and pd.notna(moved["vintage_source"]):
        return f"{name}: rank {moved['percentile']:.3f} -> {moved['percentile_now']:.3f}, figures not shown"
    return f"{name}: {moved['value']} -> {moved['value_now']}"
