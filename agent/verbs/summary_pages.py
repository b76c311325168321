"""The summary pages of an alert's form, as a text for a person who asked for them (NCT 4.5, 5.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from agent.desk import Desk
from agent.errors import NotFound, WrongCall
from agent.forms.definition import FormDefinition
from agent.forms.mail import documents_of, read_mail
from agent.procedure.alert import Alert
from agent.procedure.apart import references_in
from agent.procedure.entry import Entry
from agent.procedure.reading import Reading
from agent.procedure.rules import Procedure
from agent.procedure.words import Happened

SOURCE = "command"


def hand_over_summary(desk: Desk, reference: str, to: Path, now: datetime) -> Iterator[str]:
    """Read the newest form of an alert again and write what stands on its summary pages, and nothing else.

    That it was handed over is recorded. Raises WrongCall for an unknown alert, for one whose form cannot be
    read any more, and for a form without such pages.
    """
    known = (one for one in references_in(reference, desk.procedure) if one in desk.ledger.alerts())
    alert = desk.ledger.alerts().get(next(known, ""))
    if alert is None:
        raise WrongCall(f"There is no alert {reference} at the desk {desk.name}.")
    form = _newest_form(desk, alert)
    if form is None:
        raise WrongCall(f"No form of {alert.reference} lies in the mailbox that can be read.")
    definition = next(one for one in desk.forms if one.name == form.form)
    if not definition.summary_pages:
        raise WrongCall(f"The {definition.title} has no summary pages: see `summary_pages` in its file.")
    lines = _said(form.only(definition.on_summary_pages), definition, desk.procedure)
    told = [definition.title, definition.marking, alert.reference, "", *lines]
    to.write_text("".join(f"{line}\n" for line in told), "utf-8")
    with desk.ledger.page() as page:
        page.record(Entry(Happened.HANDED_OVER, alert.reference, now, SOURCE, {"what": "summary"}))
    yield f"Written to {to}: the summary pages of {alert.reference}, as its newest form has them."
    yield "It may name people. Look through it before it is shown, and delete it when it has served."


def _newest_form(desk: Desk, alert: Alert) -> Reading | None:
    """From the mails of the alert, the last one first; a mail that people deleted is passed over."""
    mails = [mail for mail in desk.ledger.mails() if alert.reference in mail.alerts]
    for handled in reversed(mails):
        try:
            mail = read_mail(desk.mailbox.mime(handled.mail_id), handled.received_at)
        except NotFound:
            continue
        for document in documents_of(mail):
            found = desk.read(document.content, document.name, desk.forms, desk.procedure.categories)
            if isinstance(found, Reading) and found.sha256 in alert.documents:
                return found
    return None


def _said(form: Reading, definition: FormDefinition, procedure: Procedure) -> Iterator[str]:
    """Each answer under its label, in the order of the form; a category's code with its words."""
    for section in definition.sections:
        for asked in section.fields:
            if found := form.fields.get(asked.name):
                yield f"{asked.label}: {found.text}"
                if asked.name == "category":
                    known = (procedure.category(code) for code in form.ticked if code in found.text)
                    yield from (f"  {category.code}: {category.words}" for category in known if category)
        for table in section.tables:
            for row in form.tables.get(table.name, ()):
                yield f"{table.row_name}: {'; '.join(cell.text for cell in row.values())}"
