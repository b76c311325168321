"""A document's bytes → a `Reading` of a known form, or `Unreadable` with its reason. Never raises."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from agent.forms.definition import FormDefinition
from agent.forms.docx import read_docx
from agent.forms.gather import Matched
from agent.forms.labelled import Labelled, labelled
from agent.forms.labels import ENOUGH, LabelBook, key, label_book
from agent.forms.lines import Line, lines_of
from agent.forms.matching import match
from agent.forms.odt import read_odt
from agent.forms.old_word import read_old
from agent.forms.package import packed
from agent.forms.sniff import sniff
from agent.forms.units import Document, Refused
from agent.forms.unpack import CARRIERS, check
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.rules import Category

Found = TypeVar("Found")

_TITLE_LINES = 40  # a form says what it is near its beginning, or in a header
_TITLE_LENGTH = 140
_HEAD_END = re.compile(r"[:\t]|\?\s|\.{3}|…|__|\s{3}")
_FEWEST_LABELS = 4  # under a known title

# what is no document: why, for the person who has to deal with it
_NO_FORMS = {
    "image": "It is a picture or a scan, which cannot be read as a form.",
    "other_document": "It is an OpenDocument file, but not a text.",
    "spreadsheet": "It is a spreadsheet, not a form.",
    "presentation": "It is a presentation, not a form.",
    "encrypted": "It is protected by a password. Please send it unprotected.",
    "rights_protected": "It is protected by rights management. Please send it unprotected.",
    "html": "It is a web page, not a form.",
    "unknown": "It is no kind of document that can be read as a form.",
    "empty": "The file is empty.",
    "mail": "It is a saved mail. Please send the form itself.",
}
CONVERTED = frozenset(("old_word", "rtf"))
_CARRIED = "It only carries other files; those were looked at one by one."


def read(
    content: bytes, name: str, definitions: Sequence[FormDefinition], categories: Sequence[Category]
) -> Reading | Unreadable:
    """Read one document. `name` is kept for people; what the file is, its bytes decide.

    Problems are "code: sentence". A value that is not certain is left empty and has a problem.
    """
    return _carefully(
        content, name, lambda sha256: _read(content, name, sha256, definitions, tuple(categories))
    )


def read_units(content: bytes, name: str) -> tuple[Labelled, ...] | Unreadable:
    """Everything that stands in one document, in order, whatever form it is or none. Never raises."""
    return _carefully(content, name, lambda _: tuple(labelled(document_of(content))))


def _carefully(content: bytes, name: str, reading: Callable[[str], Found]) -> Found | Unreadable:
    """What `reading` makes of a document, given its fingerprint; its failures are answers too."""
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        return reading(sha256)
    except Refused as refused:
        return Unreadable(name, sha256, refused.code, (str(refused),))
    except RecursionError:
        return Unreadable(name, sha256, "too_deep", ("The document is nested too deeply to be a form.",))
    except MemoryError:
        return Unreadable(name, sha256, "memory", ("The document needs far more memory than a form would.",))
    except Exception as error:  # whatever a hostile file provokes, the mail goes on as a question
        said = f"The document could not be read ({type(error).__name__})."
        return Unreadable(name, sha256, "crashed", (said,))


def document_of(content: bytes) -> Document:
    """The units of a document of any kind. Raises `Refused` where it is none, or cannot be read."""
    kind = sniff(content)
    if kind == "package":
        return read_docx(content)
    if kind == "flat_package":
        return read_docx(packed(content))
    if kind == "open_document":
        return read_odt(content)
    if kind in CONVERTED:
        return read_old(content, kind)
    if kind == "pdf":
        from agent.forms.pdf import read_pdf  # takes a tenth of a second to load, and few forms are PDFs

        return read_pdf(content)
    if kind in CARRIERS:
        check(content)
        raise Refused(kind, _CARRIED)
    raise Refused(kind, _NO_FORMS[kind])


def _read(
    content: bytes,
    name: str,
    sha256: str,
    definitions: Sequence[FormDefinition],
    categories: tuple[Category, ...],
) -> Reading | Unreadable:
    document = document_of(content)
    books = [label_book(definition, categories) for definition in definitions]
    lines = lines_of(document)
    book, problems = recognised(lines, books)
    if book is None:
        return Unreadable(name, sha256, "not_a_form", ("It can be read, but it is none of the known forms.",))
    found = match(document, lines, book)
    return Reading(
        form=book.definition.name,
        document=name,
        sha256=sha256,
        fields=found.fields,
        tables=found.tables,
        ticked=found.ticked,
        unread=found.unread,
        problems=(*problems, *_noticed(document), *found.problems, *_blank(found)),
        old=any(problem.startswith("old_form:") for problem in problems),
    )


def recognised(lines: Sequence[Line], books: Sequence[LabelBook]) -> tuple[LabelBook | None, list[str]]:
    """Which form these lines are, by its title and by the labels in it."""
    titles = "\n".join(f" {key(line.text)} " for line in _title_lines(lines))
    books = [book for book in books if not _is_anothers(book.definition, titles)]
    texts = [text for line in lines for text in _label_texts(line)]
    titled = _by_title(books, texts, titles)
    if titled:
        return titled
    if any(_longest((book.definition.title, *book.definition.recognised_by), titles) for book in books):
        return None, []
    counts = [(book, *book.count(texts)) for book in books]
    best = max(counts, key=lambda count: count[1:], default=None)
    if best and best[1] >= ENOUGH and best[2] >= 3:
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
    head = _HEAD_END.split(line.text, maxsplit=1)[0].rstrip()
    return [line.text, head] if head != line.text else [line.text]


def _by_title(
    books: Sequence[LabelBook], texts: Sequence[str], titles: str
) -> tuple[LabelBook, list[str]] | None:
    """The longest known title wins: the missing form's holds the standard one's."""
    found: list[tuple[int, int, LabelBook, list[str]]] = []
    for book in books:
        definition = book.definition
        current = _longest((definition.title, *definition.recognised_by), titles)
        old = _longest(definition.old_names, titles)
        labels = book.count(texts)[0] if current or old else 0
        if labels < _FEWEST_LABELS:
            continue
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


def _is_anothers(definition: FormDefinition, titles: str) -> bool:
    """Of two titles that stand there, one within the other, the longer is the form's own."""
    own = _longest((definition.title, *definition.recognised_by), titles)
    return _longest(definition.never, titles) > own


def _longest(names: Sequence[str], titles: str) -> int:
    return max((len(label) for label in map(key, names) if f" {label} " in titles), default=0)


def _blank(found: Matched) -> list[str]:
    """A form as it is handed out, its hints and prompts untouched."""
    is_blank = not (found.fields or found.tables or found.ticked or found.problems)
    return ["blank_form: Nothing on the form is filled in."] if is_blank else []


def _noticed(document: Document) -> list[str]:
    sentences = {
        "macros": "The document carries macros; they were not run.",
        "embedded": "The document holds another file inside, which was not read.",
        "unclosed_field": "A form field of the document is broken, so that an answer may be lost.",
    }
    return [f"{code}: {sentences[code]}" for code in sorted(document.noticed) if code in sentences]
