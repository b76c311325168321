"""A real PostgreSQL for tests, from Debian's packages: started once for all, in a folder of its own."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import URL

OTHER_USER = "postgres"  # PostgreSQL refuses to run as root

_numbers = iter(range(1_000_000))


def new_database(encoding: str = "UTF8") -> URL:
    """The address of an empty database of this encoding. The test is skipped where there is no PostgreSQL."""
    server = _server()
    name = f"ledger_{next(_numbers)}"
    with psycopg.connect(host=str(server), user="n2k", dbname="postgres", autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    return URL.create("postgresql+psycopg", "n2k", database=name, query={"host": str(server)})


@cache
def _server() -> Path:
    """Start a server; gives the folder of its socket."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if not programs:
        pytest.skip("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and OTHER_USER not in {one.pw_name for one in pwd.getpwall()}:
        pytest.skip(f"PostgreSQL does not run as root, and there is no user {OTHER_USER}")
    folder, bin_dir = Path(tempfile.mkdtemp(prefix="n2k-pg-")), programs[-1].parent
    if os.geteuid() == 0:
        shutil.chown(folder, OTHER_USER)
    data = folder / "data"
    _as_other_user(bin_dir / "initdb", "-D", data, "-U", "n2k", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=200"
    _as_other_user(bin_dir / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
    atexit.register(_stop, bin_dir, folder)
    return folder


def _stop(bin_dir: Path, folder: Path) -> None:
    _as_other_user(bin_dir / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def _as_other_user(*command: object) -> None:
    as_root = ["runuser", "-u", OTHER_USER, "--"] if os.geteuid() == 0 else []
    told = [*as_root, *map(str, command)]
    subprocess.run(told, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
