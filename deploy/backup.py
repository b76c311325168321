"""Copies a ledger kept in a file, also while the agent is at work: python backup.py LEDGER COPY

The copy is whole as of one moment. It names people: keep it as safe as the ledger. To restore, stop the
agent, put the copy in the ledger's place (without the files ending in -wal and -shm), and start it again.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def back_up(ledger: Path, copy: Path) -> None:
    """FileExistsError when the copy is there already, FileNotFoundError when there is no ledger."""
    if not ledger.is_file():
        raise FileNotFoundError(f"There is no ledger at {ledger}.")
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        (state,) = target.execute("PRAGMA integrity_check").fetchone()
    if state != "ok":
        raise OSError(f"The copy {copy} is not whole: {state}.")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        back_up(Path(sys.argv[1]), Path(sys.argv[2]))
    except (OSError, sqlite3.Error) as wrong:
        sys.exit(str(wrong))
