"""What is fuzzed: each reader as one function of bytes, which raises only where the reader broke its promise.

A document or mail is read or refused; a workbook is edited, and what was written stands there, or is
refused in a sentence. Anything else that is raised is a finding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agent.errors import NeedsAPerson, TryAgainLater
from agent.forms.docx import read_docx
from agent.forms.labelled import labelled
from agent.forms.labels import label_book
from agent.forms.lines import lines_of
from agent.forms.mail import documents_of, read_mail
from agent.forms.matching import match
from agent.forms.odt import read_odt
from agent.forms.pdf import read_pdf
from agent.forms.read import read
from agent.forms.sniff import sniff
from agent.forms.units import Document, Refused
from agent.procedure.alerts import Alerts
from agent.procedure.answer import choices
from agent.procedure.decide import decide_mail
from agent.procedure.reading import Unreadable
from agent.procedure.subject import parse_subject
from agent.procedure.submission_from import submissions_from
from agent.register.base import Changes, Edits
from tests.builders import LONDON, MONDAY, alert_form, mail, settings, update_form
from tests.forms.layouts import LAYOUTS
from tests.forms.layouts import Writer as PaperWriter
from tests.forms.layouts import docx as paper_docx
from tests.forms.ordinary import ordinary_mails
from tests.forms.papers import at, pdf, rule, text_field
from tests.procedure.arrivals import PEOPLE
from tests.procedure.arrivals import Desk as Numbering
from tests.register.books import binder, book_with, reference, row

PROCEDURES = tuple(settings().procedures.values())
NCT = settings().procedures["nct"]
FORMS = tuple(settings().forms.values())
BOOKS = tuple(label_book(form, NCT.categories) for form in FORMS)


def a_mail(content: bytes) -> None:
    """A mail's MIME, what is made of it, and what people are asked about it."""
    said = read_mail(content, MONDAY)
    assert not any("The mail could not be read" in problem for problem in said.problems), said.problems
    unread = [Unreadable(one.name, one.sha256, sniff(one.content), ("?",)) for one in documents_of(said)]
    brought = submissions_from(said, unread, NCT, PEOPLE, received_at=MONDAY, zone=LONDON)
    decision = decide_mail(brought, Alerts(), NCT, PEOPLE, new_reference=Numbering().numbering())
    assert decision.entries or decision.questions
    for question in decision.questions:
        choices(question)


def _form(content: bytes, reader: Callable[[bytes], Document]) -> None:
    try:
        document = reader(content)
        labelled(document)
        lines = lines_of(document)
        for book in BOOKS:
            match(document, lines, book)
    except (Refused, RecursionError, MemoryError):
        pass  # these three become sentences in `agent.forms.read`


def any_document(content: bytes) -> None:
    """The whole way of a document, its kind told by its bytes."""
    found = read(content, "form", FORMS, NCT.categories)
    assert not (isinstance(found, Unreadable) and found.code == "crashed"), found


def a_workbook(content: bytes) -> None:
    """The register: opened, edited, opened again."""
    told = row(2, summary="=1+1", child_name="<b>Invented</b>")
    edits = Edits(register=Changes(cells={reference(1): {"Status": "Concluded"}}, new_rows=(told,)))
    try:
        binder().opened(content, "1")
        after = binder().edited(content, edits)
        binder().proved(after, "2", edits, "")
    except (NeedsAPerson, TryAgainLater):
        pass


def a_subject(content: bytes) -> None:
    """A subject line and, one a line, the names of what is attached."""
    line, *names = content.decode("utf-8", "replace").split("\n")
    for procedure in PROCEDURES:
        parse_subject(line, names, procedure, MONDAY.date())
        parse_subject(None, names, procedure)


READERS: Mapping[str, Callable[[bytes], None]] = {
    "mime": a_mail,
    "docx": lambda content: _form(content, read_docx),
    "odt": lambda content: _form(content, read_odt),
    "pdf": lambda content: _form(content, read_pdf),
    "xlsx": a_workbook,
    "subject": a_subject,
}


def seeds(name: str) -> Iterator[bytes]:
    """What to begin with: invented, ordinary input of the kind that a reader is made for."""
    yield from _SEEDS[name]()


def _mails() -> Iterator[bytes]:
    yield from ordinary_mails(60)
    yield mail("Senior Leadership Alert - Urgent and Confidential", ("SLA.docx", b"PK\x03\x04"))


def _docx() -> Iterator[bytes]:
    yield from (alert_form(), update_form())
    for number, layout in enumerate(LAYOUTS):
        form = ("sla", "sla_missing", "leadership_alert")[number % 3]
        yield paper_docx(PaperWriter(form, layout, number).paper().body)


def _pdf() -> Iterator[bytes]:
    lines = ("Senior Leadership Alert Form", "Name of child: Robin Fairweather", "Date: 1 March 2026")
    drawn = [at(50, 800 - 20 * number, text) for number, text in enumerate(lines)]
    yield pdf(drawn)
    yield pdf([*drawn, rule(40, 700, 500, 700), rule(40, 600, 500, 600), rule(40, 600, 40, 700)])
    yield pdf(drawn, [text_field(200, 700, "Robin"), text_field(200, 660, "(", more="/Ff 4096")])


def _odt() -> Iterator[bytes]:
    from tests.forms.test_other_documents import odt

    yield odt("<text:p>Senior Leadership Alert Form</text:p><text:p>Date: 1 March 2026</text:p>")


def _workbooks() -> Iterator[bytes]:
    yield book_with(row(1))
    yield book_with(*(row(number, summary="=x") for number in range(1, 9)))
    yield binder().fresh(Edits(register=Changes(new_rows=(row(1),))))


def _subjects() -> Iterator[bytes]:
    path = Path(__file__).parents[1] / "procedure" / "subjects.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        yield "\n".join(filter(None, (told.get("subject"), told.get("attachment")))).encode()


_SEEDS: Mapping[str, Callable[[], Iterator[bytes]]] = {
    "mime": _mails,
    "docx": _docx,
    "odt": _odt,
    "pdf": _pdf,
    "xlsx": _workbooks,
    "subject": _subjects,
}
