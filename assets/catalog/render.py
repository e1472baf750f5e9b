"""What is rendered from a declared table: DDL, comments and the data dictionary, each thing stated once.

Comments cannot be bound as parameters in DuckDB, so their text is escaped here; values never pass through
this module.
"""

from collections.abc import Iterable

from assets.catalog.models import Column, Table

SCHEMAS = ("raw", "derived", "regime", "ops")
_PUBLISHED_SCHEMA = "main"


def schema_name(table: Table) -> str:
    """Schema a table lives in: its layer; tables that exist only in the published file live in `main`."""
    return table.layer if table.layer in SCHEMAS else _PUBLISHED_SCHEMA


def quoted(name: str) -> str:
    """An identifier for SQL, in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text for SQL, in single quotes; only for catalogue text in comments."""
    return "'" + text.replace("'", "''") + "'"


def qualified_name(table: Table, catalog: str | None = None, schema: str | None = None) -> str:
    """Quoted name of a table: in its own schema, or in `schema` (of an attached database `catalog`)."""
    parts = [schema or schema_name(table), table.name]
    return ".".join(quoted(part) for part in ([catalog, *parts] if catalog else parts))


def column_comment(column: Column) -> str:
    """Comment of a column: unit, then definition, then which series it repeats."""
    repeats = (
        f" Repeats {repeated(column)}: NULL where their rights are restricted." if column.repeats else ""
    )
    return f"[{column.unit}] {column.definition}{repeats}"


def repeated(column: Column) -> str:
    """Series a column repeats one for one, with the rows in which it does; empty when it repeats none."""
    parts = []
    for repeat in column.repeats:
        where = " and ".join(f"{name} = {value}" for name, value in repeat.where.items())
        if repeat.named_by:
            parts.append(f"the series of its {repeat.named_by}")
            continue
        parts.append(", ".join(repeat.series) + (f" where {where}" if where else ""))
    return "; ".join(parts)


def table_comment(table: Table) -> str:
    """Comment of a table: title, then grain."""
    return f"{table.title.rstrip('.')}. {table.grain.rstrip('.')}."


def create_table(
    table: Table, name: str | None = None, *, replace: bool = False, with_key: bool = True
) -> str:
    """CREATE TABLE with explicit types, NOT NULL and, unless `with_key` is false, the key.

    `name` (already quoted) when not its own.
    """
    columns = [
        f"  {quoted(column.name)} {column.type}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    ]
    key = [f"  PRIMARY KEY ({', '.join(quoted(part) for part in table.key)})"] if with_key else []
    opening = "CREATE OR REPLACE TABLE" if replace else "CREATE TABLE IF NOT EXISTS"
    return f"{opening} {name or qualified_name(table)} (\n" + ",\n".join([*columns, *key]) + "\n)"


def comment_statements(table: Table, name: str | None = None, *, is_view: bool = False) -> list[str]:
    """COMMENT ON statements for a table (or view) and its columns; `name` (quoted) when not its own."""
    target = name or qualified_name(table)
    kind = "VIEW" if is_view else "TABLE"
    return [
        f"COMMENT ON {kind} {target} IS {literal(table_comment(table))}",
        *(
            f"COMMENT ON COLUMN {target}.{quoted(column.name)} IS {literal(column_comment(column))}"
            for column in table.columns
        ),
    ]


def insert_by_name(table: Table, relation: str, name: str | None = None) -> str:
    """INSERT BY NAME from `relation`, each column cast to its type; NaN and infinity become NULL."""
    selected = ",\n".join(f"  {_cast(column)} AS {quoted(column.name)}" for column in table.columns)
    return f"INSERT INTO {name or qualified_name(table)} BY NAME\nSELECT\n{selected}\nFROM {quoted(relation)}"


def _cast(column: Column) -> str:
    name = quoted(column.name)
    if column.type == "DOUBLE":
        return f"CASE WHEN isfinite(CAST({name} AS DOUBLE)) THEN CAST({name} AS DOUBLE) END"
    return f"CAST({name} AS {column.type})"


def data_dictionary(tables: Iterable[Table]) -> str:
    """Markdown data dictionary: per table its title, grain and key, then one line a column."""
    return "\n".join(_dictionary_entry(table) for table in tables)


def _dictionary_entry(table: Table) -> str:
    lines = [
        f"## {schema_name(table)}.{table.name}",
        "",
        table_comment(table),
        "",
        f"Key: {', '.join(f'`{part}`' for part in table.key)}",
        "",
        "| column | type | unit | missing | definition | from |",
        "|---|---|---|---|---|---|",
    ]
    for column in table.columns:
        cells = [
            f"`{column.name}`", column.type, column.unit, "NULL" if column.nullable else "never",
            _definition(column), ", ".join(column.derived_from),
        ]  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _definition(column: Column) -> str:
    """Definition with the series it repeats, the declared formula, limits or values behind it."""
    parts = [column.definition.rstrip(".")]
    if column.repeats:
        parts.append(f"repeats {repeated(column)}, and is NULL where their rights are restricted")
    if column.formula is not None:
        parts.append(f"in SQL `{column.formula}`")
    if column.values is not None:
        parts.append("one of " + ", ".join(f"`{value}`" for value in column.values))
    if column.minimum is not None or column.maximum is not None:
        low = "" if column.minimum is None else f"{column.minimum:g}"
        high = "" if column.maximum is None else f"{column.maximum:g}"
        parts.append(f"range {low}..{high}")
    return "; ".join(parts)
