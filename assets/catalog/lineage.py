"""The series from which a column is computed, directly or through other columns, by `derived_from`."""

from collections.abc import Container, Iterable, Iterator

from assets.catalog.models import Catalog, Table


def source_series(catalog: Catalog, origins: Iterable[str]) -> tuple[str, ...]:
    """Ids of the series that origins (a series id, or "table.column") rest on in the end, in catalogue order."""
    found = set(_followed(catalog, origins, catalog.tables))
    return tuple(series_id for series_id in catalog.series if series_id in found)


def columns_read(catalog: Catalog, table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """Columns of other tables ("table.column", sorted) that columns of a table read, through its own columns too."""
    origins = _followed(catalog, (f"{table.name}.{name}" for name in names), [table.name])
    return tuple(sorted(origin for origin in set(origins) if "." in origin))


def _followed(catalog: Catalog, origins: Iterable[str], through: Container[str]) -> Iterator[str]:
    """Origins at which the way through the columns of some tables ends."""
    waiting, seen = list(origins), set[str]()
    while waiting:
        origin = waiting.pop()
        table, _, column = origin.partition(".")
        if not column or table not in through:
            yield origin
        elif origin not in seen:
            seen.add(origin)
            waiting.extend(catalog.tables[table].column(column).derived_from)
