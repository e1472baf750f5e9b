"""The environment is read strictly: a typing error never runs something else than was meant."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path

import pytest

from pipelines.settings import (
    PROJECT_ROOT,
    ConfigurationError,
    Secret,
    load_folders,
    load_settings,
    read_environment,
    unknown_variables,
)

SAMPLE_END = dt.date(2026, 9, 30)


def test_without_variables_the_sample_runs_as_of_its_last_day() -> None:
    settings = load_settings(environ={})
    assert (settings.profile, settings.as_of, settings.run_date) == ("sample", None, SAMPLE_END)
    assert settings.warehouse_path == PROJECT_ROOT / "data" / "sample.warehouse.duckdb"
    assert settings.published_path == PROJECT_ROOT / "data" / "published" / "regime.duckdb"
    assert settings.dagster_home == PROJECT_ROOT / "dagster_home"
    assert settings.fred_api_key is None
    assert settings.notices == ()


WRONG = {
    r"REGIME_PROFILE is 'prod': give sample, public or live": {"REGIME_PROFILE": "prod"},
    r"https://fredaccount\.stlouisfed\.org/apikeys": {"REGIME_PROFILE": "live"},
    "REGIME_PUBLISH_RESTRICTED is 'yes': give 1 or 0": {"REGIME_PUBLISH_RESTRICTED": "yes"},
    "after the sample's last day": {"REGIME_AS_OF": "2026-10-01"},
    "before the first month-end": {"REGIME_AS_OF": "1984-12-31"},
    r"REGIME_AS_OF is '2024-13-01': give a date as YYYY-MM-DD": {"REGIME_AS_OF": "2024-13-01"},
    r"REGIME_AS_OF is '20240131': give a date as YYYY-MM-DD": {"REGIME_AS_OF": "20240131"},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_value_is_refused_with_the_way_out(message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_settings(environ=WRONG[message])


def test_a_key_alone_runs_live_public_is_chosen_by_name_and_each_profile_has_a_warehouse_of_its_own() -> None:
    key, today = {"FRED_API_KEY": "abc"}, dt.date(2026, 11, 24)
    for variables, profile, warehouse in (
        (key, "live", "warehouse.duckdb"),
        ({**key, "REGIME_PROFILE": "sample"}, "sample", "sample.warehouse.duckdb"),
        ({**key, "REGIME_PROFILE": "public"}, "public", "public.warehouse.duckdb"),
        ({"REGIME_PROFILE": "public"}, "public", "public.warehouse.duckdb"),
    ):
        settings = load_settings(environ=variables, today=today)
        assert (settings.profile, settings.warehouse_path.name) == (profile, warehouse)
        assert settings.run_date == (SAMPLE_END if profile == "sample" else today)


def test_restricted_series_are_published_only_on_request_and_reported() -> None:
    assert not load_settings(environ={}).publishes_restricted
    assert not load_settings(environ={"REGIME_PUBLISH_RESTRICTED": "0"}).publishes_restricted
    on = load_settings(environ={"REGIME_PUBLISH_RESTRICTED": "1"})
    assert on.publishes_restricted and "do not pass it on" in on.notices[0]


def test_no_text_contains_the_key() -> None:
    settings = load_settings(environ={"FRED_API_KEY": "very-secret-key"})
    assert settings.fred_api_key is not None and settings.fred_api_key.reveal() == "very-secret-key"
    shown = f"{settings!r} {settings} {settings.notices} {settings.fred_api_key:}"
    assert "very-secret-key" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(Secret("very-secret-key"))


def test_the_command_lines_date_overrides_the_variable() -> None:
    settings = load_settings(as_of=dt.date(2020, 1, 31), environ={"REGIME_AS_OF": "2024-12-31"})
    assert settings.as_of == settings.run_date == dt.date(2020, 1, 31)
    assert load_settings(environ={"REGIME_AS_OF": "2024-12-31"}).run_date == dt.date(2024, 12, 31)


def test_the_environment_overrides_dotenv_and_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("REGIME_PROFILE=live\nFRED_API_KEY=a$b{c}\nREGIME_DATA_DIR=from-file\n")
    variables = read_environment({"REGIME_PROFILE": "sample", "REGIME_DATA_DIR": ""}, tmp_path)
    assert variables == {"REGIME_PROFILE": "sample", "FRED_API_KEY": "a$b{c}"}


@pytest.mark.parametrize(
    "line",
    ["FRED_API_KEY=k", "export FRED_API_KEY=k", 'FRED_API_KEY="k"', "FRED_API_KEY='k'", "FRED_API_KEY = k",
     "FRED_API_KEY=k # mine", "FRED_API_KEY=k\r", "\ufeffFRED_API_KEY=k", "# a note\r\n\r\n  FRED_API_KEY=k\r\n"],
)  # fmt: skip
def test_a_line_of_dotenv_may_be_written_in_any_usual_way(line: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(f"{line}\n".encode())
    assert read_environment({}, tmp_path) == {"FRED_API_KEY": "k"}


@pytest.mark.parametrize(
    "line",
    ["FRED_API_KEY: 0123secret", "FRED_API_KEY 0123secret", "0123secret", "FRED_API_KEY:=0123secret",
     'FRED_API_KEY="0123secret', "set FRED_API_KEY=0123secret", "FRED-API-KEY=0123secret",
     "FRED_API_KEY=0123secret\0"],
)  # fmt: skip
def test_a_line_that_is_not_understood_stops_with_its_number_and_without_its_value(
    line: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"# first\n\nREGIME_PROFILE=sample\n\n{line}\nREGIME_DATA_DIR=x\n")
    with pytest.raises(ConfigurationError, match=r"^\.env:5 is not understood") as caught:
        read_environment({}, tmp_path)
    assert "0123" not in str(caught.value)
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00K")
    with pytest.raises(ConfigurationError, match=r"\.env cannot be read"):
        read_environment({}, tmp_path)


@pytest.mark.parametrize("is_in_file", [True, False])
@pytest.mark.parametrize("written", ["~/regime", "$HOME/regime", "${HOME}/regime", "$BASE", "me/x/../regime"])
def test_a_path_means_the_same_in_dotenv_and_in_the_environment(
    written: str, is_in_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = tmp_path / "me" / "regime"
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.chdir("/")
    variables = {"HOME": str(tmp_path / "me"), "BASE": str(expected)}
    paths = dict.fromkeys(("REGIME_DATA_DIR", "DAGSTER_HOME"), written)
    if is_in_file:
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in paths.items()))
    found = read_environment(variables if is_in_file else variables | paths, tmp_path)
    folders = load_folders(found, tmp_path)
    assert folders.data_dir == folders.dagster_home == expected


def test_a_path_that_cannot_be_expanded_names_variable_and_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# first\nREGIME_DATA_DIR=$NO_SUCH/data\n")
    with pytest.raises(
        ConfigurationError, match=r"\.env:2: REGIME_DATA_DIR refers to \$NO_SUCH, which is not set"
    ):
        read_environment({}, tmp_path)
    with pytest.raises(ConfigurationError, match=r"^DAGSTER_HOME begins with ~, and no such home directory"):
        read_environment({"DAGSTER_HOME": "~nobody-of-this-name/x", "REGIME_DATA_DIR": "x"}, tmp_path)
    with pytest.raises(ConfigurationError, match=r"^DAGSTER_HOME cannot be expanded"):
        read_environment({"DAGSTER_HOME": "$(pwd)/x", "REGIME_DATA_DIR": "x"}, tmp_path)


def test_a_dollar_sign_outside_a_path_is_kept() -> None:
    url = "mailtos://u:a$HOME${HOME}~@example.org"
    assert read_environment({"REGIME_ALERT_URLS": url, "HOME": "/h"})["REGIME_ALERT_URLS"] == url


TYPING_ERRORS = {
    "FREDAPIKEY": "FRED_API_KEY", "DAGSTERHOME": "DAGSTER_HOME", "SHILLER_URI": "SHILLER_URL",
    "REGIME_ASOF": "REGIME_AS_OF", "REGIME_DIR": "REGIME_DATA_DIR", "REGIME_PROFIL": "REGIME_PROFILE",
    "FRED_KEY": "FRED_API_KEY", "fred_api_key": "FRED_API_KEY", "REGIME_SOMETHING_ELSE": None,
}  # fmt: skip


def test_typing_errors_are_named_with_what_was_meant_in_one_line() -> None:
    written = dict.fromkeys(TYPING_ERRORS, "x")
    assert unknown_variables({**written, "PATH": "y", "REGIME_AS_OF": "z"}) == TYPING_ERRORS
    (notice,) = load_settings(
        environ={"REGIME_ASOF": "2020-01-31", "FRED_KEY": "x", "REGIME_COLOUR": "red"}
    ).notices
    assert "REGIME_ASOF" in notice and "FRED_KEY" in notice and "REGIME_COLOUR" not in notice
