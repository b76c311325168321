"""What somebody would write in an afternoon: O365 for mails, python-docx for forms, openpyxl for the list.

One mail after the other: its attachments, the form's values by their labels, a row at the end of the
workbook, which is saved each time; then a category, a folder and, with `--answer`, a word to the author.
With `--site` the workbook lies in that site's library, and is downloaded and uploaded for each row.
It remembers nothing, matches nothing and checks nothing. Run by the peers' Python; prints what it did as
JSON.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import re
import resource
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import docx
import msal
import openpyxl
import requests
from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend

FOLDER = "Alerts (script)"
LABELS = (
    *("Name of Child", "Date of Birth", "Author", "Date form completed", "Date and time of incident"),
    *("Summary", "Reviewed by", "Social worker", "Team Manager", "Placement", "School", "Police"),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    for told in ("graph", "tenant", "client", "secret", "mailbox", "workbook"):
        parser.add_argument(f"--{told}", required=True)
    parser.add_argument("--mails", type=int, required=True)
    parser.add_argument("--rows", type=int, default=0, help="already in the workbook")
    parser.add_argument("--answer", action="store_true")
    parser.add_argument("--site", help="as host:path, where the workbook is kept in SharePoint")
    parser.add_argument("--one-by-one", action="store_true", help="as the mails come, not all at once")
    told = parser.parse_args()
    account, workbook = signed_in(told), Path(told.workbook)
    mailbox = account.mailbox(told.mailbox)
    new_workbook(workbook, told.rows)
    library = library_of(account, told.site) if told.site else None
    if library:
        library.upload_file(workbook)
    done = mailbox.create_child_folder(FOLDER)
    began, cpu, handled = time.perf_counter(), time.process_time(), 0
    for message in waiting(mailbox.inbox_folder(), told):
        message.attachments.download_attachments()
        for attached in message.attachments:
            if attached.name.endswith(".docx"):
                values = form_values(base64.b64decode(attached.content))
                if library:
                    shared = library.drive.get_item_by_path(f"/{workbook.name}")
                    assert shared.download(workbook.parent, workbook.name)
                add_row(workbook, message, values)
                if library:
                    library.upload_file(workbook, conflict_handling="replace")
        message.categories = ["Logged"]
        message.save_message()
        message.move(done)
        if told.answer:
            answer(mailbox, message)
        handled += 1
    print(
        json.dumps(
            {
                "mails": handled,
                "rows": openpyxl.load_workbook(workbook, read_only=True).active.max_row - 1,
                "wall": time.perf_counter() - began,
                "cpu": time.process_time() - cpu,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def signed_in(told: argparse.Namespace) -> Account:
    class Protocol(MSGraphProtocol):  # the address is the one thing that this script says otherwise
        _protocol_url = f"{told.graph}/"

    account = Account(
        (told.client, told.secret),
        auth_flow_type="credentials",
        tenant_id=told.tenant,
        protocol=Protocol(),
        token_backend=MemoryTokenBackend(),
    )
    account.con._msal_client = msal.ConfidentialClientApplication(  # as O365 does, but for the sandbox
        told.client,
        told.secret,
        authority=f"{told.graph}/{told.tenant}",
        instance_discovery=False,
        token_cache=account.con.token_backend,
    )
    account.authenticate(scopes=["https://graph.microsoft.com/.default"])
    return account


def library_of(account: Account, site: str) -> object:
    """The root folder of the site's document library."""
    # files lie under another address than Graph's, where no token is sent on; in the sandbox under the same
    requests.Session.should_strip_auth = lambda *_: True
    host, _, path = site.partition(":")
    there = account.sharepoint().get_site(host, path)
    storage = account.storage(resource=f"sites/{there.object_id}")
    drive = storage.get_default_drive(request_drive=True)
    drive.set_base_url("")  # the sandbox knows it as a drive, and not by way of its site
    return drive.get_root_folder()


def waiting(inbox: object, told: argparse.Namespace) -> Iterator[object]:
    """The mails, listed before any is moved, which would shift the pages; or each looked for by itself."""
    looks, most = (told.mails, 1) if told.one_by_one else (1, told.mails)
    for _ in range(looks):
        yield from list(inbox.get_messages(limit=most, order_by="receivedDateTime asc"))


def form_values(content: bytes) -> dict[str, str]:
    """Each label's value is what stands in the cell beside it."""
    values: dict[str, str] = {}
    for table in docx.Document(io.BytesIO(content)).tables:
        for row in table.rows:
            cells = [cell.text.strip() for cell in row.cells]
            for label, value in pairwise(cells):
                values.setdefault(re.sub(r"[^A-Za-z ]", "", label).strip(), value)
    return values


def new_workbook(path: Path, rows: int) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Received", "Subject", "From", *LABELS])
    for number in range(rows):
        book.active.append([f"2026-01-{1 + number % 28:02d}", f"Alert {number}", "someone", *LABELS])
    book.save(path)


def add_row(path: Path, message: object, values: dict[str, str]) -> None:
    book = openpyxl.load_workbook(path)
    book.active.append(
        [
            message.received.strftime("%d/%m/%Y %H:%M"),
            message.subject,
            message.sender.address,
            *(values.get(label, "") for label in LABELS),
        ]
    )
    book.save(path)


def answer(mailbox: object, message: object) -> None:
    word = mailbox.new_message()
    word.to.add(message.sender.address)
    word.subject = f"Received: {message.subject}"
    word.body = "Your alert was received and logged."
    word.send()


if __name__ == "__main__":
    main()
