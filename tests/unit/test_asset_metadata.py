"""What every asset tells the Dagster interface about itself."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from assets.catalog.loader import load_catalog
from assets.plots import MAX_BYTES, conditions_plot, score_plot
from pipelines.definitions import defs, nightly_schedule

SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
TABLES = [name for name in sorted(SPECS) if name.split("/")[0] in ("derived", "regime")]
RAW = [name for name in SPECS if name.startswith("raw/")]
CONDITIONS = ("valuation", "economy", "credit", "inflation")


def test_every_asset_has_group_owner_kinds_tags_and_sentences() -> None:
    incomplete = {
        name
        for name, spec in SPECS.items()
        if not (spec.owners and spec.kinds and "layer" in spec.tags and spec.group_name)
        or not re.fullmatch(r"\S.{15,}[^.]\.", spec.description or "", flags=re.S)
        or ".." in (spec.description or "")
    }
    assert incomplete == set()


def test_a_scheduled_run_fetches_the_series_of_its_profile_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGIME_PROFILE", "sample")
    with dg.DagsterInstance.ephemeral() as instance:
        (request,) = nightly_schedule.evaluate_tick(dg.build_schedule_context(instance=instance)).run_requests
    selected = {key.to_user_string() for key in request.asset_selection or []}
    of_profile = {"/".join(series.asset_key) for series in load_catalog().in_profile("sample")}
    assert selected == set(SPECS) - (set(RAW) - of_profile) and len(of_profile) < len(RAW)


def test_series_and_tables_link_to_their_entry_of_the_catalogue() -> None:
    for name in [*TABLES, *RAW]:
        entry, _ = SPECS[name].metadata["dagster/code_references"].code_references
        lines = Path(entry.file_path).read_text("utf-8").splitlines()
        declared = f"[{name.split('/')[-1]}]" if name in RAW else 'layer = "'
        assert any(line.startswith(declared) for line in lines[entry.line_number - 1 :][:4]), name


def months(count: int, score: float | None) -> pd.DataFrame:
    dates = pd.date_range("1995-01-31", periods=count, freq="ME")
    frame = pd.DataFrame({"as_of_date": dates, "bubble_score": score, "condition_state": "bubble"})
    return frame.assign(**{f"{name}_score": [n % 10 / 10 for n in range(count)] for name in CONDITIONS})


def test_pictures_are_small_enough_for_the_history() -> None:
    regime = months(497, 0.6).assign(
        bubble_score=[(n * 37 % 97) / 97 for n in range(497)]
    )  # as jagged as it gets
    for picture in (score_plot(regime, load_catalog().method), conditions_plot(regime)):
        encoded = picture.value.partition("(data:image/png;base64,")[2].removesuffix(")")
        png = base64.b64decode(encoded)
        assert png.startswith(b"\x89PNG") and len(png) <= MAX_BYTES


def test_a_picture_that_cannot_be_drawn_never_stops_a_release(monkeypatch: pytest.MonkeyPatch) -> None:
    import vl_convert

    def fails(*_: object, **__: object) -> bytes:
        raise ValueError("no font")

    monkeypatch.setattr(vl_convert, "vegalite_to_png", fails)
    assert "not drawn: ValueError" in score_plot(months(12, 0.5), load_catalog().method).value
    assert "no score yet" in score_plot(months(12, None), load_catalog().method).value
