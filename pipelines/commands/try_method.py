"""`try`: an own method over the whole history next to ours, from the published figures. Nothing is written."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

from assets.catalog.loader import CatalogError, load_catalog, load_own_method
from assets.catalog.method import Method
from assets.compute.archive import Archive
from assets.compute.diagnostics.attribution import relabelled_months
from assets.compute.diagnostics.revised import regime_of
from assets.compute.regime import Regime
from assets.compute.tables.build import build_view
from assets.warehouse.readers import run_grid
from pipelines.commands.printed_rows import print_rows, table_lines
from pipelines.process import print_progress
from pipelines.release_file import day, open_published, profile_words, rows
from pipelines.settings import ConfigurationError, load_folders, read_environment

_NAMES = ("as_of_date", "regime", "regime_own", "bubble_score", "bubble_score_own", "changed_part", "cause")
_SHOWN = 40


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
