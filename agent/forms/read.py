"""A document's bytes → a `Reading` of a known form, or `Unreadable` with its reason. Never raises."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from agent.forms.definition import FormDefinition
from agent.forms.docx import read_docx
from agent.forms.labels import LabelBook, key, label_book
from agent.forms.matching import Line, lines_of, match
from agent.forms.units import Document, Refused
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category

_TITLE_LINES = 40  # a form says what it is near its beginning, or in a header
_TITLE_LENGTH = 140
_FEWEST_LABELS = 4  # under a known title
_FEWEST_LABELS_UNTITLED = 8

_NOT_YET = {
    "old_word": "It is a Word document of the old kind (.doc). Please save it as .docx and send it again.",
    "rtf": "It is a Rich Text document. Please save it as .docx and send it again.",
    "pdf": "It is a PDF. Please send the form as a Word document (.docx).",
    "image": "It is a picture or a scan, which cannot be read as a form.",
    "zip": "It is a zip archive. Please send the form itself.",
    "open_document": "It is an OpenDocument file. Please save it as .docx and send it again.",
    "spreadsheet": "It is a spreadsheet, not a form.",
    "presentation": "It is a presentation, not a form.",
    "encrypted": "It is protected by a password or by rights management. Please send it unprotected.",
    "html": "It is a web page, not a form.",
    "unknown": "It is no kind of document that can be read as a form.",
    "empty": "The file is empty.",
    "mail": "It is a saved mail. Please send the form itself.",
}
_STARTS = (
    (b"%PDF", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"\xff\xd8\xff", "image"),
    (b"\x89PNG", "image"),
    (b"GIF8", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"BM", "image"),
)


def read(
    content: bytes, name: str, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> Reading | Unreadable:
    """Read one document. `name` is kept for people; what the file is, its bytes decide.

    Problems are "code: sentence". A value that is not certain is left empty and has a problem.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        return _read(content, name, sha256, definitions, tuple(categories))
    except Refused as refused:
        return Unreadable(name, sha256, refused.code, (str(refused),))
    except (RecursionError, MemoryError):
        return Unreadable(name, sha256, "too_deep", ("The document is nested too deeply to be a form.",))
    except Exception as error:  # whatever a hostile file provokes, the mail goes on as a question
        said = f"The document could not be read ({type(error).__name__})."
        return Unreadable(name, sha256, "crashed", (said,))


def sniff(content: bytes) -> str:
    """What kind of file these bytes are: `package` for what may be a .docx, else a code of `_NOT_YET`."""
    if not content.strip(b"\0 \r\n\t"):
        return "empty"
    for start, kind in _STARTS:
        if content.startswith(start):
            return kind
    if content.startswith(b"PK"):
        return _sniff_zip(content)
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _sniff_compound(content)
    if b"%PDF" in content[:1024]:
        return "pdf"
    return _sniff_text(content[:4096].lstrip(b"\xef\xbb\xbf \r\n\t").lower())


def _sniff_zip(content: bytes) -> str:
    if b"[Content_Types].xml" in content:
        return "package"
    return "open_document" if content[30:90].startswith(b"mimetypeapplication/vnd.oasis") else "zip"


def _sniff_compound(content: bytes) -> str:
    """Old Office files and encrypted new ones share a container; its directory names its streams."""
    for stream, kind in (
        ("EncryptedPackage", "encrypted"),
        ("WordDocument", "old_word"),
        ("Workbook", "spreadsheet"),
        ("PowerPoint Document", "presentation"),
        ("__properties_version1.0", "mail"),
    ):
        if stream.encode("utf-16-le") in content:
            return kind
    return "unknown"


def _sniff_text(start: bytes) -> str:
    if start.startswith((b"<!doctype html", b"<html")):
        return "html"
    return (
        "mail"
        if re.match(rb"(?:received|return-path|from|to|subject|date|mime-version|message-id):", start)
        else "unknown"
    )


def _read(
    content: bytes,
    name: str,
    sha256: str,
    definitions: Sequence[FormDefinition],
    categories: tuple[Category, ...],
) -> Reading | Unreadable:
    kind = sniff(content)
    if kind != "package":
        return Unreadable(name, sha256, kind, (_NOT_YET[kind],))
    document = read_docx(content)
    books = [label_book(definition, categories) for definition in definitions]
    lines = lines_of(document)
    book, problems = recognised(lines, books)
    if book is None:
        return Unreadable(
            name, sha256, "not_a_form", ("It is a Word document, but none of the known forms.",)
        )
    found = match(document, lines, book)
    return Reading(
        form=book.definition.name,
        document=name,
        sha256=sha256,
        fields=found.fields,
        tables=found.tables,
        ticked=found.ticked,
        unread=found.unread,
        problems=(*problems, *_noticed(document), *found.problems),
    )


def recognised(lines: Sequence[Line], books: Sequence[LabelBook]) -> tuple[LabelBook | None, list[str]]:
    """Which form these lines are, by its title and by the labels in it."""
    titles = [f" {key(line.text)} " for line in _title_lines(lines)]
    texts = [text for line in lines for text in _label_texts(line)]
    counts = [(book, *book.count(texts)) for book in books]
    titled = _by_title(counts, titles)
    if titled:
        return titled
    best = max(counts, key=lambda count: count[1:], default=None)
    if best and best[1] >= _FEWEST_LABELS_UNTITLED and best[2] >= 3:
        return best[0], ["no_title: The form has no title that is known; it was recognised by its labels."]
    return None, []


def _title_lines(lines: Sequence[Line]) -> list[Line]:
    near = [line for line in lines if line.part == "body" and line.text][:_TITLE_LINES]
    return [
        line
        for line in [*near, *(li for li in lines if li.part != "body")]
        if len(line.text) <= _TITLE_LENGTH
    ]


def _label_texts(line: Line) -> list[str]:
    head = re.split(r"[:\t]", line.text, maxsplit=1)[0]
    return [line.text, head] if head != line.text else [line.text]


def _by_title(
    counts: Sequence[tuple[LabelBook, int, int]], titles: Sequence[str]
) -> tuple[LabelBook, list[str]] | None:
    """The longest known title wins: the missing form's holds the standard one's."""
    found: list[tuple[int, int, LabelBook, list[str]]] = []
    for book, labels, _ in counts:
        if labels < _FEWEST_LABELS:
            continue
        definition = book.definition
        current = _longest((definition.title, *definition.recognised_by), titles)
        old = _longest(definition.old_names, titles)
        if current:
            found.append((current, labels, book, []))
        elif old:
            found.append(
                (old, labels, book, [f"old_form: This is a form that “{definition.title}” has replaced."])
            )
    if not found:
        return None
    _, _, book, problems = max(found, key=lambda one: one[:2])
    return book, problems


def _longest(names: Sequence[str], titles: Sequence[str]) -> int:
    return max(
        (len(key(name)) for name in names if any(f" {key(name)} " in title for title in titles)), default=0
    )


def _noticed(document: Document) -> list[str]:
    sentences = {
        "macros": "The document carries macros; they were not run.",
        "embedded": "The document holds another file inside, which was not read.",
        "unclosed_field": "A form field of the document is broken, so that an answer may be lost.",
    }
    return [f"{code}: {sentences[code]}" for code in sorted(document.noticed) if code in sentences]
