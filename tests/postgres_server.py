"""A Postgres server for the length of a test, from the programs that Debian's package `postgresql` installs."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from dagster_postgres.utils import get_conn_string

PASSWORD = "p/w @:%?"  # not asked for, but part of the address
CONFIGURATION = Path(__file__).resolve().parents[1] / "deploy" / "dagster.postgres.yaml"


@dataclass(frozen=True)
class Server:
    """A server of this machine, running or not, that asks for no password."""

    port: int

    @property
    def address(self) -> str:
        return get_conn_string(
            "postgres", PASSWORD, "127.0.0.1", "postgres", str(self.port), scheme="postgresql+psycopg2"
        )

    def environment_in(self, folder: Path) -> dict[str, str]:
        """Makes `folder` a DAGSTER_HOME with the shared configuration; the variables it needs."""
        folder.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATION.read_text("utf-8")
        (folder / "dagster.yaml").write_text(text.replace("port: 5432", f"port: {self.port}"), "utf-8")
        named = yaml.safe_load(text)["storage"]["postgres"]["postgres_db"]
        given = {"hostname": "127.0.0.1", "username": "postgres", "password": PASSWORD, "db_name": "postgres"}
        return {"DAGSTER_HOME": str(folder), **{named[key]["env"]: value for key, value in given.items()}}


def stopped_server() -> Server:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Server(int(probe.getsockname()[1]))


@contextmanager
def running_server() -> Iterator[Server]:
    """A new and empty server. Skips the test where no server is installed."""
    programs = _programs()
    if programs is None:
        pytest.skip("no Postgres server is installed (Debian: postgresql)")
    if os.getuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        pytest.skip("Postgres refuses to run as root, and there is no user postgres for it")
    server, as_user = stopped_server(), list[str]()
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        if os.getuid() == 0:
            as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            shutil.chown(folder, "postgres")
        data = Path(folder) / "data"
        made = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"]
        subprocess.run([*as_user, *made], check=True, capture_output=True, cwd="/")
        run = [
            programs / "postgres",
            "-D",
            data,
            "-p",
            str(server.port),
            "-k",
            folder,
            "-h",
            "127.0.0.1",
            "-F",
        ]
        process = subprocess.Popen(
            [*as_user, *run], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
        )
        try:
            ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(server.port), "-q"]
            until = time.monotonic() + 30
            while subprocess.run(ready).returncode and time.monotonic() < until:
                time.sleep(0.2)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None
