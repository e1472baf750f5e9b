"""What would be otherwise: `what-if` with figures moved or left out, `try` with an own method over the whole history.

Both compute from the published file alone, and write nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from assets.catalog.loader import CatalogError, load_catalog, load_own_method
from assets.catalog.method import Method
from assets.catalog.models import Catalog
from assets.catalog.moves import MoveError
from assets.compute.archive import Archive
from assets.compute.conditions import SCORED
from assets.compute.diagnostics import joint_moves
from assets.compute.diagnostics.attribution import relabelled_months
from assets.compute.diagnostics.joint_moves import Baseline
from assets.compute.diagnostics.revised import regime_of, tables_by_series
from assets.compute.grid import Grid
from assets.compute.reading import Floats
from assets.compute.regime import Regime, build_regime
from assets.compute.state import Scores
from assets.compute.tables.assemble import readings_from
from assets.compute.tables.build import REGIME_INPUTS, build_view
from assets.warehouse.readers import run_grid
from pipelines.process import print_progress
from pipelines.release_file import (
    Row,
    aligned,
    day,
    number,
    open_published,
    print_rows,
    profile_words,
    rows,
    table_lines,
)
from pipelines.settings import ConfigurationError, load_folders, read_environment

_TEXTS = {
    "regime": "label",
    "regime_if_it_lasts": "if it lasts",
    "stance": "stance",
    "condition_state": "state",
}
_INPUTS = ("input", "value", "", "rank", "", "adds", "", "change", "unit")
_NAMES = ("as_of_date", "regime", "regime_own", "bubble_score", "bubble_score_own", "changed_part", "cause")
_SHOWN = 40


def what_if(args: argparse.Namespace) -> int:
    """Print label, scores and contributions before and after the moves. Raises ConfigurationError."""
    if not args.moves and not args.without:
        raise ConfigurationError("nothing moves: give NAME=VALUE, or --without NAME (see what-if --help)")
    with open_published(load_folders(read_environment()).published_path) as con:
        manifest = rows(con, "SELECT * FROM release_manifest")[0]
        base = read_baseline(con, load_catalog(), manifest, args.date)
    without = [name for given in args.without for name in given.split(",")]
    try:
        found = joint_moves.what_if(base, args.moves, without)
    except MoveError as error:
        raise ConfigurationError(str(error)) from None
    compared = joint_moves.comparison(found)
    on = base.view.as_of[0].item()
    changes = [f"with {' '.join(args.moves)}"] * bool(args.moves) + [f"without {', '.join(without)}"] * bool(
        without
    )
    head = f"{day(on)} {' and '.join(changes)}; {profile_words(manifest)}"
    print_rows(args, compared, [head, "", *_lines(compared, found)])
    return 0


def read_baseline(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, manifest: Row, date: dt.date | None
) -> Baseline:
    """A date of the published file, the newest without one. ConfigurationError for a file of another method."""
    if manifest["method_version"] != catalog.method.method_version:
        raise ConfigurationError(
            f"the published file is of method {manifest['method_version']}, this program has "
            f"{catalog.method.method_version}: run `make run`"
        )
    on = rows(
        con, "SELECT max(as_of_date) AS day FROM regime WHERE ? IS NULL OR as_of_date <= ?", [date, date]
    )[0]["day"]
    if on is None:
        raise ConfigurationError(f"there is no row for {date} or before it")
    provenance = con.execute(
        "SELECT * FROM provenance WHERE as_of_date = ? AND list_contains(?, table_name)",
        [on, list(REGIME_INPUTS)],
    ).df()
    names = provenance.groupby("table_name")["column_name"].agg(list).to_dict()
    names["regime"] = [f"{name}_score" for name in ("bubble", *SCORED)]
    values: dict[str, Floats] = {
        f"{table}.{name}": np.ma.filled(np.ma.asarray(column, dtype="float64"), np.nan)
        for table, columns in names.items()
        for name, column in con.execute(
            f"SELECT {', '.join(columns)} FROM {table} "
            "WHERE as_of_date = ? OR is_month_end AND as_of_date < ? ORDER BY as_of_date",
            [on, on],
        )
        .fetchnumpy()
        .items()
    }
    grid = Grid(np.array([on], dtype="datetime64[D]"))
    dates = {"as_of_date": grid.as_of.astype("datetime64[s]")}
    frames = {
        table: pd.DataFrame(dates | {name: values[f"{table}.{name}"][-1:] for name in names[table]})
        for table in REGIME_INPUTS
    }
    readings = readings_from(frames, provenance, grid)
    evidence = con.execute(
        "SELECT component, rank FROM regime_evidence WHERE as_of_date = ?", [on]
    ).fetchall()
    columns = {c.name: c.column for c in build_regime(readings, grid, catalog).components}
    ranks = {columns[component]: np.array([rank], dtype="float64") for component, rank in evidence}
    past = {name: column[:-1] for name, column in values.items()}
    scores = [past[f"regime.{name}"] for name in names["regime"]]
    signs = [past[f"activity_inflation.{name}"] for name in ("sahm_gap_pp", "claims_change_pct")]
    archive = _archive(con, list(tables_by_series(catalog)), on)
    view = build_view(archive, grid, catalog, manifest["profile"])
    return Baseline(view, readings, ranks, past, Scores(*scores, *signs))


def _archive(con: duckdb.DuckDBPyConnection, series_ids: list[str], on: dt.date) -> Archive:
    """The published vintages that labels are computed from, as far as they were known on a date."""
    vintages = con.execute(
        "SELECT series_id, observation_date, realtime_start, value, vintage_source, captured_at "
        "FROM observations WHERE realtime_start <= ? AND list_contains(?, series_id)",
        [on, series_ids],
    ).df()
    return Archive.from_frame(vintages)


def _lines(compared: list[Row], found: Any) -> list[str]:
    """Labels and scores, then every input that counts or moved, then what else moved."""
    shown, inputs, others = [], [], []
    for row in compared:
        item, value, moved = row["item"], row["value_before"], row["value_after"]
        if item in _TEXTS:
            shown.append((_TEXTS[item], row["text_before"], row["text_after"]))
        elif "." not in item:
            shown.append((item.replace("_", " "), number(value, 3), number(moved, 3)))
        elif row["weight_before"] is None and row["weight_after"] is None:
            others.append(f"  {item}  {number(value)} -> {number(moved)} {row['unit']}")
        elif row["weight_before"] or row["weight_after"] or value != moved:
            inputs.append(_input(row))
    lines = aligned(("", "before", "after"), shown)
    needed = found.after.month_ends_needed
    if needed > 1:
        lines.append(f"the label if it lasts takes {needed} month-ends in a row with these figures")
    lines += ["", *aligned(_INPUTS, inputs, _INPUTS[1:-1])]
    if others:
        lines += ["", "also moved:", *others]
    return [*lines, *(["", *(f"note: {note}" for note in found.notes)] if found.notes else [])]


def _input(row: Row) -> tuple[str, ...]:
    return (
        row["item"],
        number(row["value_before"]),
        number(row["value_after"]) if row["value_after"] != row["value_before"] else "",
        number(row["rank_before"]),
        number(row["rank_after"]) if row["rank_after"] != row["rank_before"] else "",
        number(row["contribution_before"], 3),
        number(row["contribution_after"], 3) if row["contribution_change"] else "",
        f"{row['contribution_change']:+.3f}" if row["contribution_change"] else "",
        row["unit"],
    )


def try_(args: argparse.Namespace) -> int:
    """Print the month-ends whose label an own method file changes, each with its cause. Raises ConfigurationError."""
    catalog = load_catalog()
    try:
        own = load_own_method(args.method)
    except CatalogError as error:
        raise ConfigurationError(str(error)) from None
    changed = list(_changed("", catalog.method.model_dump(), own.model_dump()))
    with open_published(load_folders(read_environment()).published_path) as con:
        manifest = rows(con, "SELECT * FROM release_manifest")[0]
        vintages = con.execute(
            "SELECT series_id, observation_date, realtime_start, value, vintage_source, captured_at FROM observations"
        ).df()
        hidden = rows(
            con,
            "SELECT series_id FROM series WHERE in_profile AND rights = 'restricted' AND NOT is_published",
        )
    archive = Archive.from_frame(vintages)

    def computed(method: Method) -> Regime:
        other = replace(catalog, method=method)
        grid = run_grid(manifest["as_of_date"], other)
        return regime_of(build_view(archive, grid, other, manifest["profile"]))

    print_progress(f"{len(changed)} parameters differ from ours; computing our labels")
    ours = computed(catalog.method)
    print_progress("computing the labels of the own method")
    theirs = computed(own)
    found = relabelled_months(ours, theirs)
    month_ends = int(ours.grid.is_month_end.sum())
    lines = [
        f"{args.method} up to {day(manifest['as_of_date'])}, {profile_words(manifest)}: "
        f"{len(found)} of {month_ends} month-ends have another label",
        *(f"  {line}" for line in changed or ["no parameter differs from ours"]),
    ]
    if hidden:
        lines.append(
            f"both are computed without {len(hidden)} restricted series, which the published file lacks"
        )
    shown = found[-_SHOWN:]
    if found:
        lines += ["", *table_lines([n for n in _NAMES if n != "cause"], shown), "", "causes:"]
        lines += [f"  {row['as_of_date']}  {row['cause']}" for row in shown]
    if len(found) > _SHOWN:
        lines.append(f"the newest {_SHOWN}; --csv or --json prints all {len(found)}")
    print_rows(args, found, lines, _NAMES)
    return 0


def _changed(place: str, ours: object, own: object) -> Iterator[str]:
    """Parameters that differ, with both values."""
    if isinstance(ours, dict) and isinstance(own, dict):
        for name, value in ours.items():
            yield from _changed(f"{place}.{name}".lstrip("."), value, own[name])
    elif ours != own:
        yield f"{place} = {own}, ours {ours}"
