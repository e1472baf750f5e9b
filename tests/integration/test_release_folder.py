"""A release as files: every table exported and described truly, notes that count, regime.json, the notebook."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import json
import shutil
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jsonschema
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.documents.descriptors import SCHEMA, check_schema, regime_json
from assets.publish.documents.examples import shipped
from assets.publish.documents.fill import fill_release
from assets.publish.documents.texts import document_facts, rendered
from assets.publish.folder import damaged, releases
from assets.publish.publication import PublicationBlocked, publish
from assets.publish.staged_file import published_tables
from assets.warehouse.connection import CONFIG
from tests.integration.conftest import Night

# A schema that was published keeps its text: raise schema_version and add a line when it changes.
PUBLISHED_SCHEMAS = {
    "1.0.0": "d037e45aba8e34491f4ece983ab82f296e20bd8c3d8f9e295dc3449be87968aa",
    "2.0.0": "0a24c9136266c22be2aaafd305d8e633353e4108d3b0bb2eca101d4ccfb83445",
    "2.1.0": "ca0d6828b6ccb95b851341d17adad2052fc8c6e69c1e4414909b1fe5997b2486",
    "3.0.0": "a27f9f6b870ab7923eb7b5d784d46a0159b9dd84064764dad65fe02174b39f1c",
    "3.1.0": "a6fd00334bda56f5d621ffc733ec0e0cd975b470b4e4925fe5b5eb9fb33d98c6",
    "3.2.0": "671c060ad1826dc4a4298350fe30c5e8bedc0cafea0711db55f641e85ad478d2",
}


@pytest.fixture(scope="module")
def folder(made_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release, only to be read."""
    place = tmp_path_factory.mktemp("release")
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        fill_release(con, made_release, place, None)
    return place


def test_every_public_table_is_there_as_parquet_and_csv_with_its_rows(folder: Path) -> None:
    with duckdb.connect(str(folder / "regime.duckdb"), read_only=True) as con:
        for table in published_tables(load_catalog()):
            rows = con.execute(f'SELECT count(*) FROM "{table.name}"').fetchall()
            assert (
                con.execute(f"SELECT count(*) FROM '{folder}/parquet/{table.name}.parquet'").fetchall()
                == rows
            )
            csv = folder / "csv" / f"{table.name}.csv"
            assert csv.exists() == (table.name != "observations")
            if csv.exists():
                read = "SELECT count(*) FROM read_csv(?, header = true, all_varchar = true)"
                assert con.execute(read, [str(csv)]).fetchall() == rows


def test_notes_count_new_and_revised_figures_and_what_did_not_change_is_stored_once(
    published_night: Night,
) -> None:
    night = published_night
    (first,) = releases(night.published)
    night.stage_again()
    with night.open_staged() as con:
        con.execute("UPDATE release_manifest SET release_id = '20261002T010005.000000Z'")
        con.execute(
            "INSERT INTO pit.observations SELECT * REPLACE (DATE '2026-09-29' AS realtime_start) FROM observations "
            "WHERE series_id = 'UNRATE' AND observation_date = '2026-07-01' LIMIT 1"
        )
        con.execute("UPDATE regime SET regime = 'neither' WHERE as_of_date IN ('2026-09-30', '1999-01-31')")
    incomplete = "not complete, nothing was ever fetched of NFCI"
    fill = partial(fill_release, incomplete=incomplete)
    publish(night.staged, night.published, gate=lambda _: None, fill=fill)
    notes = (night.published.parent / "RELEASE_NOTES.md").read_text(encoding="utf-8")
    assert "- UNRATE: 0 new, 1 revised" in notes
    assert "neutral_bubble -> neither; previous release as of" in notes
    assert "- 1999-01-31: stimulus_into_bubble -> neither" in notes
    assert f"This release is {incomplete}.\n" in notes
    second = releases(night.published)[-1]
    assert all((first / name).samefile(second / name) for name in ("csv/caveats.csv", "LICENSES.md"))
    assert damaged(first) == damaged(second) == []


def test_the_notes_compare_only_with_a_release_of_the_same_profile(
    made_release: Path, folder: Path, tmp_path: Path
) -> None:
    with duckdb.connect(str(made_release), read_only=True, config=CONFIG) as con:
        text = rendered("RELEASE_NOTES.md", con, document_facts(con, tmp_path, (), folder))
        assert "previous release as of 2026-09-30" in text
    staged = Path(shutil.copyfile(made_release, tmp_path / "regime.duckdb"))
    staged.chmod(0o644)
    with duckdb.connect(str(staged), config=CONFIG) as con:
        con.execute("UPDATE release_manifest SET profile = 'live'")
        text = rendered("RELEASE_NOTES.md", con, document_facts(con, tmp_path, (), folder))
    assert "First release in this data directory" in text and "previous release as of" not in text


# Errors of the rows: a table that is read as such is small; the others differ in length alone.
SMALL = 300_000


def test_the_descriptor_is_valid_and_true_of_the_files_and_every_column_says_its_rights(folder: Path) -> None:
    """Types, limits, keys and references of the rows of small tables; bytes and hash of all that is small."""
    from frictionless import Package

    descriptor: dict[str, Any] = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    stated = Package.validate_descriptor(str(folder / "datapackage.json"))
    assert stated.valid, stated.flatten(["message"])[:5]
    resources = descriptor["resources"]
    assert [r["path"] for r in resources if (folder / r["path"]).stat().st_size != r["bytes"]] == []
    small = [r for r in resources if r["bytes"] < SMALL or r["name"] in ("regime.csv", "series.csv")]
    report = Package.from_descriptor({**descriptor, "resources": small}, basepath=str(folder)).validate()
    assert report.valid and len(report.tasks) > 70, report.flatten(["name", "message"])[:5]
    cited = {source["regime:series_id"]: source["title"] for source in descriptor["sources"]}
    fields = {
        (resource["name"], field["name"]): field
        for resource in resources
        if resource["format"] == "parquet"
        for field in resource["schema"]["fields"]
    }
    assert all(field["unit"] and field["description"] for field in fields.values())
    label = fields["regime", "regime"]
    assert "restricted" in label["regime:rights"] and len(label["regime:cite"]) > 10
    assert all(len(cited[series_id]) > 20 for field in fields.values() for series_id in field["regime:cite"])


# ---- regime.json; its values: `test_snapshots.py`


def test_the_schema_is_one_and_a_changed_one_has_another_version() -> None:
    schema = json.loads(shipped(SCHEMA))
    jsonschema.Draft202012Validator.check_schema(schema)
    version = schema["properties"]["schema_version"]["const"]
    assert PUBLISHED_SCHEMAS[version] == hashlib.sha256(shipped(SCHEMA).encode()).hexdigest()
    assert schema["$id"].endswith(f":{version.split('.')[0]}")


def test_what_the_schema_promises_of_a_row_is_what_the_catalogue_declares() -> None:
    defs = json.loads(shipped(SCHEMA))["$defs"]
    for name, table in (("regime", "regime"), ("component", "regime_evidence")):
        for field, promised in defs[name]["properties"].items():
            if field == "is_value_withheld":
                continue
            column = load_catalog().tables[table].column(field)
            if column.values and "enum" in promised:
                assert set(column.values) == set(promised["enum"]) - {None}
            resolved = defs[promised["$ref"].rpartition("/")[2]] if "$ref" in promised else promised
            may_be_null = "null" in resolved.get("type", ()) or None in resolved.get("enum", ())
            assert may_be_null == column.nullable or field == "first_published_at", field
    assert set(defs["component"]["properties"]) >= set(load_catalog().tables["regime_evidence"].column_names)


def test_a_document_that_does_not_match_the_schema_is_refused_and_a_withheld_value_named(
    night: Night,
) -> None:
    of = "WHERE as_of_date = '2026-09-30' AND component"
    with night.open_staged() as con:
        con.execute(f"UPDATE regime_evidence SET value = NULL {of} = 'unemployment'")
        con.execute(
            f"UPDATE regime_evidence SET value = 2.5, vintage_source = 'alfred' {of} = 'baa_10y_spread'"
        )
        document = json.loads(regime_json(con, document_facts(con, Path("."), (), None)))
        con.execute("UPDATE regime SET coverage = 1.5 WHERE as_of_date = DATE '2026-09-30'")
        message = r"regime\.json \$\.regime\.coverage: 1\.5 is greater than the maximum of 1"
        with pytest.raises(PublicationBlocked, match=message):
            regime_json(con, document_facts(con, Path("."), (), None))
    evidence = {e["component"]: e for e in document["evidence"]}
    assert {name for name, e in evidence.items() if e["is_value_withheld"]} == {"unemployment"}
    assert evidence["unemployment"]["score"] is not None
    assert evidence["baa_10y_spread"]["value"] == 2.5  # the file decides whether it may be published
    for wrong, message in (
        ({"bubble_score": float("nan")}, "is not finite"), ({"as_of_date": "30 September 2026"}, "is not a 'date'"),
    ):  # fmt: skip
        spoiled = copy.deepcopy(document)
        spoiled["regime"] |= wrong
        with pytest.raises(PublicationBlocked, match=message):
            check_schema(spoiled)


# ---- the notebook


def test_every_cell_of_the_notebook_runs_and_shows_nothing_that_was_not_known_on_the_date(
    folder: Path,
) -> None:
    spec = spec_from_file_location("shipped_notebook", folder / "notebook.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    outputs, shown = module.app.run()
    assert len(outputs) >= 7
    text = " ".join(output.text for output in outputs if output is not None and hasattr(output, "text"))
    assert "Neutral bubble" in text and "SAMPLE DATA" in text and "warning" in text
    assert len(shown["timeline"].to_dict()["vconcat"]) == 3 and len(shown["scenarios"]) == 3
    assert len(shown["evidence"]) > 15 and {row["condition"] for row in shown["evidence"]} > {"valuation"}
    assert [row["phase"] for row in shown["phases"]][-1] == "today" and shown["relabelled"] is None

    own = folder / "try.csv"  # as `try --csv` writes it
    own.write_text("as_of_date,changed_part\n2021-11-30,condition\n", encoding="utf-8")
    on = dt.date(2025, 11, 5)
    chosen = {"on": SimpleNamespace(value=on), "series": SimpleNamespace(value="UNRATE")}
    _, shown = module.app.run(defs=chosen)
    own.unlink()
    assert len(shown["relabelled"]) == 1
    assert shown["known"]["realtime_start"].max() <= pd.Timestamp(on)
    assert shown["newest"][0]["observation_date"] == dt.date(2025, 8, 1)
