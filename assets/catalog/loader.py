"""Reading the catalogue: TOML files into typed models, and the rules that span entries."""

import difflib
import tomllib
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from assets.catalog.method import Method, MethodVersions
from assets.catalog.models import (
    Carrier,
    Catalog,
    Caveat,
    PolicyLedger,
    RecessionLedger,
    ReferenceValue,
    ReleaseDelays,
    Series,
    Table,
)
from assets.catalog.moves import WhatIf
from assets.catalog.outside import OutsideReference

PROJECT_ROOT = Path(__file__).resolve().parents[2]
CATALOG_DIR = Path("assets/catalog")

Model = TypeVar("Model", bound=BaseModel)
# Keys that name an entry of a list in messages.
_NAMED_BY = {
    "column": ("name",),
    "version": ("method_version",),
    "event": ("announced_on",),
    "delay": ("series_id", "observation_date"),
}


class CatalogError(ValueError):
    """A declaration is wrong: one line naming the file, the entry, the key and what is wrong with it."""


def load_catalog(root: Path | None = None) -> Catalog:
    """The whole catalogue of the project at `root` (default: this one, read once per process).

    Raises CatalogError, one line naming file (relative to the root), entry and key.
    """
    return _default_catalog() if root is None else _load(root)


@cache
def _default_catalog() -> Catalog:
    return _load(PROJECT_ROOT)


def _load(root: Path) -> Catalog:
    folder = root / CATALOG_DIR
    carriers = _entries(Carrier, root, folder / "carriers.toml")
    series = _load_series(root, sorted((folder / "series").glob("*.toml")), carriers)
    tables = _load_tables(root, sorted((folder / "tables").glob("*.toml")))
    catalog = Catalog(
        series=series,
        tables=tables,
        method=_whole(Method, root, folder / "method.toml", "method"),
        method_versions=_whole(MethodVersions, root, folder / "method_versions.toml").versions,
        policy_events=_whole(PolicyLedger, root, folder / "policy_events.toml"),
        recessions=_whole(RecessionLedger, root, folder / "recessions.toml", "recessions"),
        release_delays=_whole(ReleaseDelays, root, folder / "release_delays.toml").delays,
        reference_values=_entries(ReferenceValue, root, folder / "reference_values.toml"),
        outside_references=_entries(OutsideReference, root, folder / "outside_references.toml"),
        caveats=_entries(Caveat, root, folder / "caveats.toml"),
        what_if=_whole(WhatIf, root, folder / "what_if.toml", "what-if"),
    )
    _check_references(catalog)
    return catalog


def _whole(model: type[Model], root: Path, file: Path, label: str = "") -> Model:
    """A file that is one model."""
    return _build(model, _read(root, file), _relative(root, file), label)


def _entries(model: type[Model], root: Path, file: Path) -> dict[str, Model]:
    """A file of entries by name; a model that has an `id` is given the name."""
    named = "id" in model.model_fields
    return {
        key: _build(model, entry, _relative(root, file), key, {"id": key} if named else {})
        for key, entry in _read(root, file).items()
    }


def _load_series(root: Path, files: list[Path], carriers: Mapping[str, Carrier]) -> dict[str, Series]:
    """The series of all files; those with a carrier are in the profile public too."""
    if not files:
        raise CatalogError(f"{(CATALOG_DIR / 'series').as_posix()}: no series file found")
    series: dict[str, Series] = {}
    for file in files:
        where = _relative(root, file)
        for series_id, entry in _read(root, file).items():
            if series_id in series:
                other = series[series_id].group
                raise CatalogError(f"{where}: {series_id}: already declared in {other}.toml")
            known: dict[str, object] = {"series_id": series_id, "group": file.stem}
            if isinstance(entry, dict) and series_id in carriers:
                known["carrier"] = carriers[series_id]
                entry = {**entry, "profiles": [*entry.get("profiles", []), "public"]}
            series[series_id] = _build(Series, entry, where, series_id, known)
    _refuse_unknown(carriers, series, (CATALOG_DIR / "carriers.toml").as_posix())
    return series


def _load_tables(root: Path, files: list[Path]) -> dict[str, Table]:
    contents = {file.stem: (_relative(root, file), _read(root, file)) for file in files}
    tables: dict[str, Table] = {}
    for name, (where, content) in contents.items():
        base = content.pop("extends", None)  # the base's columns follow the table's own
        if base is not None:
            if base not in contents or base == name:
                raise CatalogError(f"{where}: {name}: key 'extends': {_unknown(str(base), contents)}")
            inherited = map(_kept_longer, contents[base][1].get("column", []))
            content["column"] = [*content.get("column", []), *inherited]
        tables[name] = _build(Table, content, where, name, {"name": name})
    return tables


def _kept_longer(column: object) -> object:
    """A column as a table has it whose rows are kept: those of earlier versions lack what was added since."""
    return {**column, "nullable": True} if isinstance(column, dict) and "added_in" in column else column


def load_own_method(file: Path) -> Method:
    """A method from a file of its own: complete, or only what differs from the project's. Raises CatalogError."""
    where, own = str(file), _read(file.parent, file)
    ours = _read(PROJECT_ROOT, PROJECT_ROOT / CATALOG_DIR / "method.toml")
    return _build(Method, _overridden(ours, own), where, "method")


def _overridden(ours: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Sections of one over those of the other, key by key."""
    merged = dict(ours)
    for key, value in own.items():
        base = merged.get(key)
        is_section = isinstance(base, dict) and isinstance(value, dict)
        merged[key] = _overridden(base or {}, value) if is_section else value
    return merged


def _check_references(catalog: Catalog) -> None:
    """Every name of another entry exists: a series, a cited figure, a column of another table."""
    folder, series = CATALOG_DIR.as_posix(), catalog.series
    for delay in catalog.release_delays:
        at = (
            f"{folder}/release_delays.toml: delay {delay.series_id} {delay.observation_date}: key 'series_id'"
        )
        _refuse_unknown([delay.series_id], series, at)
    for name, entry in catalog.outside_references.items():
        at = f"{folder}/outside_references.toml: {name}: key 'reference_values'"
        _refuse_unknown(entry.reference_values, catalog.reference_values, at)
    for name, members in catalog.what_if.groups.items():
        _refuse_unknown(members, series, f"{folder}/what_if.toml: groups.{name}")
    for name, followers in catalog.what_if.follows.items():
        _refuse_unknown((name, *followers), series, f"{folder}/what_if.toml: follows.{name}")
    for name, over in catalog.what_if.spread_over.items():
        _refuse_unknown((name, over), series, f"{folder}/what_if.toml: spread_over.{name}")
    columns = {f"{table.name}.{name}" for table in catalog.tables.values() for name in table.column_names}
    known = columns | set(series)
    for table in catalog.tables.values():
        for column in table.columns:
            at = f"{folder}/tables/{table.name}.toml: {column.name}: key"
            _refuse_unknown(column.derived_from, known, f"{at} 'derived_from'")
            if f"{table.name}.{column.name}" in column.derived_from:
                raise CatalogError(f"{at} 'derived_from': names itself")
            repeated = [series_id for repeat in column.repeats for series_id in repeat.series]
            _refuse_unknown(repeated, series, f"{at} 'repeats'")


def _read(root: Path, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CatalogError(f"{_relative(root, file)}: file is missing") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{_relative(root, file)}: not valid TOML: {error}") from None


def _build(
    model: type[Model], entry: object, where: str, label: str, known: Mapping[str, object] | None = None
) -> Model:
    """One entry as a model; `known` are the keys its place in the files gives, which it may not repeat."""
    at = f"{where}: {label}" if label else where
    if not isinstance(entry, dict):
        raise CatalogError(f"{at}: must be a table of keys")
    known = known or {}
    if repeated := sorted(known.keys() & entry.keys()):
        raise CatalogError(f"{at}: unknown key '{repeated[0]}' (the file gives it)")
    try:
        return model.model_validate({**entry, **known})
    except ValidationError as error:
        top = "" if label else "top level: "
        raise CatalogError(f"{at}: {_first_fault(model, error, entry, top)}") from None


def _first_fault(model: type[BaseModel], error: ValidationError, entry: Mapping[str, Any], top: str) -> str:
    """The fault to name first: an unknown key before a missing one, since a typo is usually both."""
    ranking = {"extra_forbidden": 0, "missing": 1}
    faults = sorted(error.errors(include_url=False), key=lambda fault: ranking.get(fault["type"], 2))
    fault = faults[0]
    path = [str(part) for part in fault["loc"]]
    key, place = (path[-1], _place(path[:-1], entry) or top) if path else ("", "")
    if fault["type"] == "missing":
        return f"{place}missing key '{key}'"
    if fault["type"] == "extra_forbidden":
        missing = [str(other["loc"][-1]) for other in faults if other["type"] == "missing"]
        fields = _section(model, path[:-1]).model_fields
        names = missing + [field.alias or name for name, field in fields.items()]
        close = difflib.get_close_matches(key, names, n=1)
        return f"{place}unknown key '{key}'" + (f" (did you mean '{close[0]}'?)" if close else "")
    if fault["type"] == "value_error":  # raised by our own validators, which name the key themselves
        return f"{_place(path, entry)}{fault['ctx']['error']}"
    given = str(fault["input"]).replace("\n", " ")[:60]
    return f"{place}key '{key}': {fault['msg'].lower()}, not {given!r}"


def _section(model: type[BaseModel], path: list[str]) -> type[BaseModel]:
    """The model of a section of an entry, as far as sections are models."""
    for key in path:
        field = model.model_fields.get(key)
        if field is None or not (
            isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        ):
            break
        model = field.annotation
    return model


def _place(path: list[str], entry: Mapping[str, Any]) -> str:
    """Where inside the entry: one of a list by its own keys, a section by its path, nothing at the top."""
    if len(path) >= 2 and path[0] in _NAMED_BY and path[1].isdigit():
        number = int(path[1])
        row = entry[path[0]][number]
        given = [str(row[key]) for key in _NAMED_BY[path[0]] if key in row] if isinstance(row, dict) else []
        return f"{path[0]} {' '.join(given) or number + 1}: "
    return f"{'.'.join(path)}: " if path else ""


def _refuse_unknown(names: Iterable[str], known: Collection[str], at: str) -> None:
    for name in names:
        if name not in known:
            raise CatalogError(f"{at}: {_unknown(name, known)}")


def _unknown(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"'{name}' does not exist" + (f" (did you mean '{close[0]}'?)" if close else "")


def _relative(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()
