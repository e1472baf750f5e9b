"""`regime.json` has the values of the file in the shape of its schema; otherwise nothing is published."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest

from assets.catalog.loader import load_catalog
from assets.publish.documents.descriptors import SCHEMA, check_schema, regime_json
from assets.publish.documents.examples import shipped
from assets.publish.documents.texts import document_facts
from assets.publish.publication import PublicationBlocked
from assets.warehouse.connection import query_rows
from tests.integration.conftest import Night

Document = dict[str, Any]
# A schema that was published keeps its text: raise schema_version and add a line when it changes.
PUBLISHED_SCHEMAS = {
    "1.0.0": "d037e45aba8e34491f4ece983ab82f296e20bd8c3d8f9e295dc3449be87968aa",
    "2.0.0": "0a24c9136266c22be2aaafd305d8e633353e4108d3b0bb2eca101d4ccfb83445",
    "2.1.0": "ca0d6828b6ccb95b851341d17adad2052fc8c6e69c1e4414909b1fe5997b2486",
    "3.0.0": "a27f9f6b870ab7923eb7b5d784d46a0159b9dd84064764dad65fe02174b39f1c",
    "3.1.0": "a6fd00334bda56f5d621ffc733ec0e0cd975b470b4e4925fe5b5eb9fb33d98c6",
    "3.2.0": "671c060ad1826dc4a4298350fe30c5e8bedc0cafea0711db55f641e85ad478d2",
}


def written(con: duckdb.DuckDBPyConnection) -> Document:
    document: Document = json.loads(regime_json(con, document_facts(con, Path("."), (), None)))
    return document


@pytest.fixture(scope="module")
def document(release: duckdb.DuckDBPyConnection) -> Document:
    return written(release)


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


def test_the_row_and_its_evidence_are_those_of_the_file(
    release: duckdb.DuckDBPyConnection, document: Document
) -> None:
    row = query_rows(release, "SELECT * FROM regime_current")[0]
    plain = {name: v.isoformat() if isinstance(v, dt.date) else v for name, v in row.items()}
    plain["first_published_at"] += "Z"
    assert document["regime"] == plain
    names = ("condition", "component", "value", "contribution")
    evidence = release.execute(
        f"SELECT {', '.join(names)} FROM regime_evidence WHERE as_of_date = DATE '2026-09-30'"
    ).fetchall()
    written_rows = [tuple(e[name] for name in names) for e in document["evidence"]]
    assert sorted(written_rows, key=str) == sorted(evidence, key=str)
    assert sum(row[3] for row in written_rows) == pytest.approx(row["bubble_score"])
    described = document["columns"]
    assert set(described["regime"]) == set(document["regime"])
    assert set(described["evidence"]) == set(document["evidence"][0]) - {"is_value_withheld"}


def test_caveats_are_those_that_apply_with_warnings_first(
    release: duckdb.DuckDBPyConnection, document: Document
) -> None:
    applies = release.execute("SELECT caveat_id FROM caveats WHERE applies_now").fetchall()
    assert {caveat["caveat_id"] for caveat in document["caveats"]} == {name for (name,) in applies}
    assert document["caveats"][0]["severity"] == "warning"
    assert "sample_profile" in {caveat["caveat_id"] for caveat in document["caveats"]}


def test_every_input_has_its_age_and_whether_that_is_too_old(document: Document) -> None:
    of = {entry["series_id"]: entry for entry in document["inputs"]}
    assert set(of) == {series.series_id for series in load_catalog().in_profile("sample")}
    assert (of["UNRATE"]["last_period_end"], of["UNRATE"]["age_days"]) == ("2026-08-31", 30)
    assert of["UNRATE"]["is_stale"] is False
    assert of["EBP"]["is_stale"] is True and of["EBP"]["age_days"] > of["EBP"]["staleness_limit_days"]
    assert of["DFEDTARU"]["is_stale"] is False and of["DFEDTARU"]["staleness_limit_days"] == 0
    stale = {e["series_ids"] for e in document["evidence"] if e["absent_reason"] == "stale"}
    assert all(any(of[i]["is_stale"] for i in ids.split(",")) for ids in stale)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d["regime"].update(bubble_score=float("nan")), "is not finite"),
        (lambda d: d["regime"].update(coverage=1.2), r"\$\.regime\.coverage"),
        (lambda d: d["regime"].update(as_of_date="30 September 2026"), "is not a 'date'"),
        (lambda d: d["release"].update(published_at="2026-06-01T01:00:05"), "does not match"),
        (lambda d: d["inputs"][3].pop("age_days"), "'age_days' is a required property"),
        (lambda d: d["caveats"][0].update(severity="loud"), "'loud' is not one of"),
        (lambda d: d["evidence"].clear(), r"\$\.evidence"),
    ],
)
def test_a_document_that_does_not_match_the_schema_is_refused(
    document: Document, spoil: Callable[[Document], object], message: str
) -> None:
    spoiled = copy.deepcopy(document)
    check_schema(spoiled)
    spoil(spoiled)
    with pytest.raises(PublicationBlocked, match=message):
        check_schema(spoiled)


def test_a_release_with_such_a_value_gets_no_document(night: Night) -> None:
    """A document that fails leaves the previous release as it is: `tests/unit/test_publication.py`."""
    with night.open_staged() as con:
        con.execute("UPDATE regime SET coverage = 1.5 WHERE as_of_date = DATE '2026-09-30'")
        message = r"regime\.json \$\.regime\.coverage: 1\.5 is greater than the maximum of 1"
        with pytest.raises(PublicationBlocked, match=message):
            written(con)


def test_a_value_that_is_not_in_the_file_though_it_has_a_vintage_is_called_withheld(night: Night) -> None:
    of = "WHERE as_of_date = '2026-09-30' AND component"
    with night.open_staged() as con:
        con.execute(f"UPDATE regime_evidence SET value = NULL {of} = 'unemployment'")
        con.execute(
            f"UPDATE regime_evidence SET value = 2.5, vintage_source = 'alfred' {of} = 'baa_10y_spread'"
        )
        evidence = {e["component"]: e for e in written(con)["evidence"]}
    assert {name for name, e in evidence.items() if e["is_value_withheld"]} == {"unemployment"}
    assert evidence["unemployment"]["score"] is not None
    assert evidence["baa_10y_spread"]["value"] == 2.5  # the file decides whether it may be published
