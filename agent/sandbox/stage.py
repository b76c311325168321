"""The stage on which a story is told: a sandbox furnished for a desk, and people who do what it says."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import TableColumn
from openpyxl.worksheet.worksheet import Worksheet

from agent.procedure.rules import Procedure
from agent.sandbox.drive_files import Drive
from agent.sandbox.mime import written_afresh
from agent.sandbox.server import Sandbox
from agent.sandbox.story import (
    AuthorAnswersChase,
    Event,
    MailArrives,
    MailboxAnswersItself,
    MailboxCloses,
    PersonCloses,
    PersonOpens,
    PersonTypes,
    Story,
)
from agent.sandbox.story_mail import Paper, answer_of, mime_of
from agent.settings import DeskSettings, Settings, Tenant

# The reference of the alert that a mail of this Internet-Message-ID opened, once the agent has.
ReferenceOf = Callable[[str], str | None]


def connected(settings: Settings, sandbox: Sandbox, folder: Path, *desks: DeskSettings) -> Settings:
    """The settings of an agent that works at these desks of the sandbox; its ledger lies in `folder`."""
    tenant = Tenant(
        id=sandbox.tenant_id,
        client=sandbox.client_id,
        certificate=str(sandbox.certificate_file),
        authority=sandbox.base_url,
        graph=sandbox.base_url,
        ca_file=str(sandbox.ca_file),
    )
    agent = replace(
        settings.agent,
        tenant=tenant,
        desks=tuple(desk.name for desk in desks),
        mode="live",
        ledger=f"sqlite:///{folder.resolve() / 'ledger.sqlite'}",
    )
    return replace(settings, agent=agent, desks={desk.name: desk for desk in desks})


def desk_of(story: Story, desk: DeskSettings) -> DeskSettings:
    """The shipped desk, moved to where the story plays and staffed with its people."""
    told = story.desk
    return replace(
        desk,
        mailbox=told.mailbox,
        aliases=told.aliases,
        allowed_domains=(told.domain,),
        people=story.roster,
        register=replace(desk.register, site=f"{told.site_host}:{told.site_path}", path=told.register),
    )


class Stage:
    """One telling of one story. `happen` lets one event happen now; the teller moves the clock."""

    def __init__(self, story: Story, settings: Settings, desk: DeskSettings, sandbox: Sandbox) -> None:
        self.story = story
        self.sandbox = sandbox
        self.procedure: Procedure = settings.procedure_of(desk)
        self.paper = Paper(settings.forms, self.procedure.categories)
        tenant, told = sandbox.tenant, story.desk
        self.box = tenant.add_mailbox(told.mailbox, told.name, in_scope=True, shared=True)
        for person in story.people.values():
            tenant.add_mailbox(person.address, person.name)
        self.drive: Drive = tenant.drives.add_site(told.site_host, told.site_path, told.site_name).drive
        self.delivered: list[str] = []

    def happen(self, event: Event, reference_of: ReferenceOf) -> None:
        """Let `event` happen. ValueError when the story asks for what cannot be (an answer to no letter)."""
        match event:
            case MailArrives():
                self._deliver(mime_of(event, self.paper, self._references(reference_of)), event.message_id)
            case AuthorAnswersChase():
                self._answer(event, reference_of)
            case PersonTypes():
                self._type(event, reference_of)
            case PersonOpens():
                self.drive.open_by_person(self.story.desk.register, event.who.name)
            case PersonCloses():
                self.drive.close_by_person(self.story.desk.register, event.who.name)
            case MailboxAnswersItself():
                box = self.sandbox.tenant.mailbox(event.who.address)
                box.automatic_reply = event.text
                box.automatic_reply_until = event.until.astimezone(UTC)
            case MailboxCloses():
                del self.sandbox.tenant.mailboxes[event.who.address.lower()]

    def reference(self, label: str, reference_of: ReferenceOf) -> str:
        """The reference of the story's alert `label`. ValueError while there is none."""
        for mail in self.story.mails:
            if mail.expected.alert == label and (found := reference_of(mail.message_id)):
                return found
        raise ValueError(f"Nothing has opened the story's alert `{label}` yet.")

    def _references(self, reference_of: ReferenceOf) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for mail in self.story.mails:
            if mail.expected.alert and (reference := reference_of(mail.message_id)):
                found.setdefault(mail.expected.alert, reference)
        return found

    def _deliver(self, mime: bytes, message_id: str) -> None:
        self.sandbox.tenant.deliver(mime, [self.story.desk.mailbox])
        self.delivered.append(message_id)

    def _answer(self, event: AuthorAnswersChase, reference_of: ReferenceOf) -> None:
        reference = self.reference(event.alert, reference_of)
        letters = [
            message
            for message in self.sandbox.tenant.mailbox(event.who.address).messages("inbox")
            if message.sender.lower() == self.box.address and reference in message.body + message.subject
        ]
        if not letters:
            raise ValueError(f"The story has an answer about `{event.alert}`, but no letter asked for one.")
        self._deliver(answer_of(event, written_afresh(letters[-1]), self.paper), event.message_id)

    def _type(self, event: PersonTypes, reference_of: ReferenceOf) -> None:
        reference = self.reference(event.alert, reference_of)
        path = self.story.desk.register
        typed = type_into(self.drive.content(path), reference, event.cells, new_column=event.new_column)
        self.drive.person_saves(path, typed, event.who.name)


def type_into(
    workbook: bytes, reference: str, cells: Mapping[str, str], *, new_column: bool = False
) -> bytes:
    """The workbook after a person typed into the row of `reference`, saved by another program than ours."""
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    sheet = next(sheet for sheet in book.worksheets if sheet.tables)
    head, headings = _headings(sheet)
    if new_column:
        for heading in cells:
            headings[heading] = _new_column(sheet, head, heading)
    row = next(
        row for row in range(head + 1, sheet.max_row + 1) if reference in (cell.value for cell in sheet[row])
    )
    for heading, value in cells.items():
        sheet.cell(row, headings[heading]).value = _as_typed(value)
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def _headings(sheet: Worksheet) -> tuple[int, dict[str, int]]:
    table = next(iter(sheet.tables.values()))
    head = sheet[table.ref][0]
    return head[0].row, {str(cell.value): cell.column for cell in head}


def _new_column(sheet: Worksheet, head: int, heading: str) -> int:
    """A heading typed right beside the table becomes part of it, as in Excel."""
    table = next(iter(sheet.tables.values()))
    first, last = sheet[table.ref][0][0], sheet[table.ref][-1][-1]
    column = int(last.column) + 1
    sheet.cell(head, column).value = heading
    table.tableColumns.append(TableColumn(id=max(known.id for known in table.tableColumns) + 1, name=heading))
    table.ref = f"{first.coordinate}:{get_column_letter(column)}{last.row}"
    if table.autoFilter is not None:
        table.autoFilter.ref = table.ref
    return column


def _as_typed(value: str) -> Any:
    """What a spreadsheet program makes of what is typed: a date of a date."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return value
