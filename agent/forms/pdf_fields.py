"""What somebody filled into a PDF: its form fields, and text laid over the page."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pypdf import PdfReader

from agent.forms.pdf_grid import Box
from agent.forms.units import Refused

MOST_PAGES = 60
MOST_FIELDS = 5_000
DEEPEST = 20  # fields within fields

_HIDDEN = 0b10_0010  # flags of an annotation: hidden, or not to be viewed
_PUSH_BUTTON = 1 << 16
_MULTILINE = 1 << 12

# its warnings quote the document
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class Filled:
    """One field or one piece of laid-over text. `tag` is the field's own name, `alias` its tooltip."""

    page: int
    box: Box
    kind: Literal["text", "control", "checkbox"]
    text: str = ""
    ticked: bool = False
    tall: bool = False  # holds several lines, so that its label stands beside its top
    tag: str = ""
    alias: str = ""


@dataclass(frozen=True)
class Form:
    filled: list[Filled]
    is_dynamic: bool  # an XFA form, whose pages only Adobe's own reader can draw


def read_fields(content: bytes) -> Form:
    """Raises `Refused`: `encrypted` where a password is needed to open it, `bad_pdf` where it is damaged."""
    try:
        reader = PdfReader(io.BytesIO(content))
        _unlock(reader)
        form = _dictionary(_dictionary(reader.trailer["/Root"]).get("/AcroForm"))
        return Form(list(_filled(reader)), "/XFA" in form)
    except Refused:
        raise
    except Exception as error:  # the library raises whatever a damaged file provokes
        raise Refused("bad_pdf", "The PDF is damaged: it cannot be opened.") from error


def _unlock(reader: PdfReader) -> None:
    """Many PDFs are only locked against changes, and open without a password."""
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refused("encrypted", "The PDF is protected by a password. Please send it unprotected.")


def _filled(reader: PdfReader) -> Iterator[Filled]:
    count = 0
    for number, page in enumerate(reader.pages):
        if number >= MOST_PAGES:
            raise Refused("too_large", f"The PDF has more than {MOST_PAGES} pages, more than any form.")
        for annotation in page.get("/Annots", None) or ():
            count += 1
            if count > MOST_FIELDS:
                raise Refused("too_large", f"The PDF has more than {MOST_FIELDS:,} fields.")
            yield from _annotation(_dictionary(annotation), number)


def _annotation(at: dict[str, Any], page: int) -> Iterator[Filled]:
    box = _box(_first([at], "/Rect"))
    if box is None or int(at.get("/F", 0)) & _HIDDEN:
        return
    if at.get("/Subtype") == "/FreeText":
        yield Filled(page, box, "text", _lines(at.get("/Contents", "")))
    elif at.get("/Subtype") == "/Widget":
        yield from _widget(at, page, box)


def _widget(at: dict[str, Any], page: int, box: Box) -> Iterator[Filled]:
    line = list(_with_parents(at))
    kind, flags, value = _first(line, "/FT"), int(_first(line, "/Ff") or 0), _first(line, "/V")
    tag = ".".join(reversed([str(one["/T"]) for one in line if "/T" in one]))
    alias = str(_first(line, "/TU") or "")
    if kind == "/Btn" and not flags & _PUSH_BUTTON:
        yield Filled(page, box, "checkbox", ticked=_is_on(at, value), tag=tag, alias=alias)
    elif kind == "/Tx":
        tall = bool(flags & _MULTILINE)
        yield Filled(page, box, "control", _lines(value), tall=tall, tag=tag, alias=alias)
    elif kind == "/Ch":
        yield Filled(page, box, "control", _chosen(value, _first(line, "/Opt")), tag=tag, alias=alias)


def _with_parents(at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _ in range(DEEPEST):
        yield at
        if "/Parent" not in at:
            return
        at = _dictionary(at["/Parent"])


def _first(line: list[dict[str, Any]], name: str) -> Any:
    """A value that fields inherit from those above them."""
    found: Any = next((one[name] for one in line if one.get(name) is not None), None)
    return found.get_object() if hasattr(found, "get_object") else found


def _is_on(at: dict[str, Any], value: Any) -> bool:
    """A button shows one state of its own; its group's value tells which of them is on."""
    looks = _dictionary(_dictionary(at.get("/AP")).get("/N"))
    own = [name for name in looks if name != "/Off"]
    if value is not None and len(own) == 1:
        return str(value) == own[0]
    return str(at.get("/AS", value or "/Off")) != "/Off"


def _chosen(value: Any, options: Any) -> str:
    """The words that were chosen; a list keeps what it exports apart from what it shows."""
    shown = {}
    for option in options or ():
        pair = option.get_object()
        if isinstance(pair, list) and len(pair) == 2:
            shown[str(pair[0])] = str(pair[1])
    values = value if isinstance(value, list) else [] if value is None else [value]
    return ", ".join(shown.get(str(one), str(one)) for one in values).strip()


def _lines(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    told = value.get_data().decode("latin-1") if hasattr(value, "get_data") else str(value or "")
    return told.replace("\r\n", "\n").replace("\r", "\n").strip()


def _box(rectangle: Any) -> Box | None:
    if rectangle is None or len(rectangle) != 4:
        return None
    x1, y1, x2, y2 = map(float, rectangle)
    return Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _dictionary(at: Any) -> dict[str, Any]:
    found = at.get_object() if hasattr(at, "get_object") else at
    return found if isinstance(found, dict) else {}
