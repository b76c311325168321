"""Mail from a folder of files: each sub-folder is a mailbox's address and holds .eml files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent.sandbox import mime

if TYPE_CHECKING:
    from agent.sandbox.tenant import Tenant


def load_mail_folder(tenant: Tenant, folder: Path) -> int:
    """Deliver every .eml below `folder` to the mailbox its sub-folder names; returns how many there were.

    Mailboxes that the tenant lacks are made. Mails come in the order of their Date headers, with that
    time as the time received, or now when the header tells none or lies in the future.
    """
    delivered = 0
    for room in sorted(path for path in folder.iterdir() if path.is_dir() and "@" in path.name):
        if room.name.lower() not in tenant.mailboxes:
            tenant.add_mailbox(room.name)
        for received_at, raw in _mails(room, tenant.clock.now()):
            tenant.deliver(raw, [room.name], received_at)
            delivered += 1
    return delivered


def mails_in(room: Path) -> list[Path]:
    """The files that are mails, by name."""
    return sorted(path for path in room.iterdir() if path.suffix.lower() == ".eml")


def _mails(room: Path, now: datetime) -> list[tuple[datetime, bytes]]:
    """The mails of one mailbox with the time each came, oldest first."""
    found = []
    for path in mails_in(room):
        raw = path.read_bytes()
        written_at = mime.header_time(mime.parsed(raw))
        found.append((min(written_at or now, now), raw))
    return sorted(found, key=lambda mail: mail[0])
