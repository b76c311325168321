"""Documents made by hand: small PDFs, winmail.dat files and archives."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence


def archive(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members:
            # an open document says first, and legibly, what it is
            package.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return buffer.getvalue()


def pdf(drawn: Sequence[str], fields: Sequence[str] = (), *, more: str = "") -> bytes:
    """A PDF of one A4 page. `drawn` are lines of its content, `fields` the insides of its annotations."""
    content = "\n".join(drawn).encode("cp1252")
    first = 6
    numbers = " ".join(f"{first + number} 0 R" for number in range(len(fields)))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{numbers}] {more} >> >>".encode(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            f"/Resources << /Font << /F1 5 0 R >> >> /Annots [{numbers}] >>"
        ).encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        *(f"<< /Type /Annot {inside} >>".encode() for inside in fields),
    ]
    written = io.BytesIO(b"")
    written.write(b"%PDF-1.7\n")
    places = []
    for number, inside in enumerate(objects, 1):
        places.append(written.tell())
        written.write(b"%d 0 obj\n%s\nendobj\n" % (number, inside))
    start = written.tell()
    written.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    written.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    written.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return written.getvalue()


def at(x: float, y: float, text: str) -> str:
    """Text on a PDF's page, in 11 points."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F1 11 Tf {x} {y} Td ({escaped}) Tj ET"


def rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"{x1} {y1} m {x2} {y2} l S"


def text_field(x: float, y: float, value: str, *, name: str = "f", more: str = "") -> str:
    box = f"[{x} {y} {x + 200} {y + 16}]"
    return f"/Subtype /Widget /FT /Tx /T ({name}) /V ({value}) /Rect {box} {more}"


def attribute(number: int, data: bytes, level: int = 1) -> bytes:
    """One attribute of a winmail.dat file."""
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def winmail(*files: tuple[str, bytes], body: str = "") -> bytes:
    """A winmail.dat file with `files` in it."""
    said = b"\x78\x9f\x3e\x22\x01\x00" + attribute(0x00089006, b"\0\0\1\0")
    if body:
        said += attribute(0x0002800C, body.encode("cp1252") + b"\0")
    for name, content in files:
        said += attribute(0x00069002, b"\1\0" + b"\0" * 12, 2)
        said += attribute(0x00018010, name.encode("cp1252") + b"\0", 2)
        said += attribute(0x0006800F, content, 2)
    return said
