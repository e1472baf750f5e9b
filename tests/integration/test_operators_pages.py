"""What the operators' pages say holds: messages, automation and files they name exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from pipelines.definitions import defs

ROOT = Path(__file__).resolve().parents[2]
UI, OPERATIONS, SCALING = (
    (ROOT / "docs" / name).read_text("utf-8") for name in ("ui.md", "operations.md", "scaling.md")
)


def test_automation_named_is_automation_defined() -> None:
    defined = {item.name for item in [*(defs.schedules or []), *(defs.sensors or [])]}
    row = next(line for line in UI.splitlines() if "Automation:" in line)
    assert set(re.findall(r"`(\w+)`", row)) <= defined


def test_units_named_are_units_there() -> None:
    there = {path.stem for path in (ROOT / "deploy" / "systemd").iterdir()}
    assert set(re.findall(r"\bstimulus-regime-(?:scheduler|webserver|watch|backup)\b", OPERATIONS)) == there


def test_messages_quoted_are_messages_of_the_code() -> None:
    """Each quotation, up to its first figure or dots, stands in the code as it is."""
    code = " ".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8"))
        for folder in ("assets", "checks", "pipelines")
        for path in (ROOT / folder).rglob("*.py")
    )
    table = OPERATIONS.split("## When something is wrong")[1]
    quoted = [text.split("...")[0].strip() for text in re.findall(r'^\| "([^"]+)"', table, flags=re.M)]
    own = [text for text in quoted if not text.startswith("port")]
    assert len(own) >= 3 and [text for text in own if text.rstrip(": ") not in code] == []


def test_launchers_shown_are_valid_yaml() -> None:
    shown = [
        yaml.safe_load(text)["run_launcher"] for text in re.findall(r"```yaml\n(.*?)```", SCALING, flags=re.S)
    ]
    assert [launcher["class"] for launcher in shown] == ["DockerRunLauncher", "K8sRunLauncher"]


LOGS_ONE_LINE = """
import logging
from dagster._utils.log import configure_loggers
configure_loggers(formatter="json")
logging.getLogger("dagster.daemon").info("as the page shows")
"""


def test_log_line_shown_has_the_fields_dagster_writes() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", OPERATIONS, flags=re.S)
    logged = subprocess.run([sys.executable, "-c", LOGS_ONE_LINE], capture_output=True, text=True, check=True)
    assert set(json.loads(logged.stdout)) == set(json.loads(shown))
