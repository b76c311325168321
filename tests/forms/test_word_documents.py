"""Everything a Word form can hold, a small sample each: what a person would see on paper."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from agent.forms.docx import read_docx
from agent.forms.package import packed
from agent.forms.read import document_of
from agent.forms.units import Document

MakeDocx = Callable[[str], bytes]
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def p(*runs: str, look: str = "") -> str:
    """A paragraph; a run that begins with "<" is XML of its own."""
    inside = "".join(run if run.startswith("<") else r(run) for run in runs)
    return f"<w:p>{f'<w:pPr>{look}</w:pPr>' if look else ''}{inside}</w:p>"


def r(text: str, look: str = "") -> str:
    return f'<w:r>{f"<w:rPr>{look}</w:rPr>" if look else ""}<w:t xml:space="preserve">{text}</w:t></w:r>'


def control(content: str, about: str = "<w:text/>") -> str:
    return f"<w:sdt><w:sdtPr>{about}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def tick(state: str) -> str:
    return control(r("?"), f'<w14:checkbox><w14:checked w14:val="{state}"/></w14:checkbox>')


INSTRUCTION = "<w:r><w:instrText>WORDS</w:instrText></w:r>"


def mark(kind: str, data: str = "") -> str:
    inside = f"<w:ffData>{data}</w:ffData>" if data else ""
    return f'<w:r><w:fldChar w:fldCharType="{kind}">{inside}</w:fldChar></w:r>'


def legacy(data: str, result: str = "") -> str:
    return mark("begin", data) + INSTRUCTION + mark("separate") + (r(result) if result else "") + mark("end")


def symbol(font: str, code: str) -> str:
    return f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>'


def row(*cells: str, look: str = "") -> str:
    return f"<w:tr>{f'<w:trPr>{look}</w:trPr>' if look else ''}{''.join(map(cell, cells))}</w:tr>"


def cell(content: str) -> str:
    return content if content.startswith(("<w:tc>", "<w:sdt>")) else f"<w:tc>{p(content)}</w:tc>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(rows)}</w:tbl>"


def box(text: str) -> str:
    return f"<w:txbxContent>{p(text)}</w:txbxContent>"


def said(document: Document) -> str:
    """The units in order: {control}, [x] ticked, [ ] not ticked, ~struck~, and | between lines and cells."""
    shown: list[str] = []
    at = None
    for unit in document.units:
        here = (unit.line, id(unit.cell), unit.part)
        if at not in (None, here):
            shown.append("|")
        at = here
        if unit.kind == "checkbox":
            shown.append("[x]" if unit.ticked else "[ ]")
        else:
            shown.append({"control": "{%s}", "text": "~%s~" if unit.struck else "%s"}[unit.kind] % unit.text)
    return "".join(shown)


ENTRIES = '<w:listEntry w:val="a"/><w:listEntry w:val="b"/>'
BLANK = "\u2002" * 5
DELETION, INSERTION = '<w:del w:id="1">{}</w:del>', '<w:ins w:id="2">{}</w:ins>'
FIRST_OF_LIST = '<w:dropDownList><w:listItem w:displayText="Choose" w:value=""/></w:dropDownList>'

SITUATIONS = {
    # content controls
    "a control in a line": (p("Name: ", control(r("Ada"))), "Name: {Ada}"),
    "a control around paragraphs": (control(p("one") + p("two"), "<w:richText/>"), "{one\ntwo}"),
    "a control of old Word, which says no kind": (p(control(r("Ada"), "<w:placeholder/>")), "{Ada}"),
    "a control around a cell": (table(row("Name", control("<w:tc>" + p("Ada") + "</w:tc>"))), "Name|{Ada}"),
    "a control around a row": (table(control(row("Name", "Ada"), "<w:id/>")), "Name|Ada"),
    "a control in a control": (p(control(control(r("Ada")), '<w:alias w:val="outer"/>')), "{Ada}"),
    "rows that repeat": (
        table(control(control(row("A"), "<w15:repeatingSectionItem/>") * 2, "<w15:repeatingSection/>")),
        "A|A",
    ),
    "a prompt": (p(control(r("Click here"), "<w:showingPlcHdr/><w:text/>")), "{}"),
    "a prompt that is none any more": (p(control(r("Ada"), '<w:showingPlcHdr w:val="0"/>')), "{Ada}"),
    "a list left on its first entry": (p(control(r("Choose"), FIRST_OF_LIST)), "{}"),
    "a list": (p(control(r("North"), FIRST_OF_LIST)), "{North}"),
    "ticked and not": (p(tick("1"), " yes ", tick("0"), " no"), "[x] yes [ ] no"),
    "a tick box in an answer": (p(control(tick("1") + r(" yes"), "<w:richText/>")), "[x] yes"),
    "a building block is no answer": (control(p("Name: Ada"), "<w:docPartObj/>"), "Name: Ada"),
    "Google's wrapping": (p(control(r("Name: Ada"), '<w:tag w:val="goog_rdk_7"/>')), "Name: Ada"),
    # legacy fields
    "a legacy answer": (p("Name: ", legacy("<w:textInput/>", "Ada")), "Name: {Ada}"),
    "a legacy answer in three runs": (
        p(mark("begin", "<w:textInput/>"), mark("separate"), r("A"), r("d", "<w:b/>"), r("a"), mark("end")),
        "{Ada}",
    ),
    "an empty legacy answer": (p(legacy("<w:textInput/>", BLANK)), "{}"),
    "a legacy tick": (p(legacy("<w:checkBox><w:checked/></w:checkBox>")), "[x]"),
    "a legacy tick taken away": (
        p(legacy('<w:checkBox><w:default w:val="1"/><w:checked w:val="0"/></w:checkBox>')),
        "[ ]",
    ),
    "a legacy list": (
        p(legacy(f'<w:ddList><w:result w:val="1"/>{ENTRIES}</w:ddList>')),
        "{b}",
    ),
    "a computed field shows its result": (
        p("Page ", mark("begin"), INSTRUCTION, mark("separate"), "3", mark("end")),
        "Page 3",
    ),
    "a link, a smart tag, a simple field": (
        p(
            f"<w:hyperlink>{r('a')}</w:hyperlink>",
            f"<w:smartTag>{r('b')}</w:smartTag>",
            f'<w:fldSimple w:instr="DATE">{r("c")}</w:fldSimple>',
        ),
        "abc",
    ),
    # tables
    "a table in a cell": (table(row("<w:tc>" + p("a") + table(row("b")) + p("c") + "</w:tc>")), "a|b|c"),
    "a text box, once": (
        p(
            "<w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>"
            + box("Ada")
            + "</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>"
            + box("Ada")
            + "</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>",
            "Name",
        ),
        "Name|Ada",
    ),
    "a text box of old Word": (p(f"<w:r><w:pict><v:textbox>{box('Ada')}</v:textbox></w:pict></w:r>"), "Ada"),
    # changes that are tracked
    "inserted in, deleted out": (p(INSERTION.format(r("new")), DELETION.format(r("old"))), "new"),
    "moved": (p(f"<w:moveFrom>{r('gone')}</w:moveFrom>") + p(f"<w:moveTo>{r('here')}</w:moveTo>"), "here"),
    "a deleted row": (table(row("a"), row("b", look="<w:del/>"), row("c", look="<w:ins/>")), "a|c"),
    "the end of a paragraph deleted": (
        p("Ada ", look="<w:rPr><w:del/></w:rPr>") + p("King") + p("next"),
        "Ada King|next",
    ),
    "the end of a cell's last paragraph deleted": (
        table(row(f"<w:tc>{p('a', look='<w:rPr><w:del/></w:rPr>')}</w:tc>", "b")) + p("c"),
        "a|b|c",
    ),
    # hidden
    "hidden text": (p("a", r("secret", "<w:vanish/>"), r("b", '<w:vanish w:val="false"/>')), "ab"),
    "a hidden row": (table(row("a"), row("secret", look="<w:hidden/>")), "a"),
    # struck, stressed, and marks
    "struck out": (p("yes / ", r("no", "<w:strike/>")), "yes / ~no~"),
    "struck out twice": (p(r("yes", "<w:dstrike/>"), r(" no", '<w:dstrike w:val="0"/>')), "~yes~ no"),
    "ticks in the text": (p("☑ a ☐ b [x] c [ ] d"), "[x] a [ ] b [x] c [ ] d"),
    "a Wingdings symbol": (
        p(symbol("Wingdings", "F0FE"), symbol("Wingdings", "F0A8")),
        "[x][ ]",
    ),
    "a Wingdings 2 symbol": (
        p(symbol("Wingdings 2", "F052"), symbol("Wingdings 2", "F0A3")),
        "[x][ ]",
    ),
    "a letter set in Wingdings": (p(r("\xfe yes", '<w:rFonts w:ascii="Wingdings"/>')), "[x] "),
    "a letter set in Wingdings 2": (p(r("R", '<w:rFonts w:ascii="Wingdings 2"/>'), " yes"), "[x] yes"),
    "private characters": (p("\uf0fe a \uf0a8 b"), "[x] a [ ] b"),
    "a symbol of a usual font": (p(symbol("Segoe UI Symbol", "2612"), " a"), "[x] a"),
    "an ornament": (p(symbol("Wingdings", "F04A"), " a"), " a"),
    # characters
    "hyphens, tabs, breaks": (
        p("<w:r><w:t>a</w:t><w:noBreakHyphen/><w:t>b</w:t><w:tab/><w:t>c</w:t><w:br/></w:r>", "d"),
        "a-b\tc|d",
    ),
    "a page break breaks no line": (p('<w:r><w:t>a</w:t><w:br w:type="page"/><w:t>b</w:t></w:r>'), "ab"),
    "a word in many runs": (p("A", "<w:proofErr/>", r("d", "<w:lang/>"), "a"), "Ada"),
    "ruby": (
        p(f"<w:r><w:ruby><w:rt>{r('x')}</w:rt><w:rubyBase>{r('Ada')}</w:rubyBase></w:ruby></w:r>"),
        "Ada",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_a_person_would_see(situation: str, make_docx: MakeDocx) -> None:
    body, expected = SITUATIONS[situation]
    assert said(read_docx(make_docx(body))) == expected


def with_parts(content: bytes, *parts: tuple[str, str, str | bytes]) -> bytes:
    """The document with more parts: (kind, name, content), numbered from rId11."""
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{name}"/>'
        for number, (kind, name, _) in enumerate(parts, 11)
    )
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(
            "word/_rels/document.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f"{relations}</Relationships>",
        )
        for _, name, told in parts:
            archive.writestr(f"word/{name}", told)
    return buffer.getvalue()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
STYLES = (
    f"<w:styles {W}>"
    '<w:style w:styleId="Hid"><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:styleId="Heir"><w:basedOn w:val="Hid"/></w:style>'
    '<w:style w:styleId="Shown"><w:basedOn w:val="Hid"/><w:rPr><w:vanish w:val="0"/></w:rPr></w:style>'
    '<w:style w:styleId="Loop"><w:basedOn w:val="Loop"/></w:style></w:styles>'
)
HIDDEN_BY_STYLE = {
    "a style of characters": (p("a", r("secret", '<w:rStyle w:val="Hid"/>')), "a"),
    "a style based on one": (p("a", r("secret", '<w:rStyle w:val="Heir"/>')), "a"),
    "a style that shows again": (p("a", r("b", '<w:rStyle w:val="Shown"/>')), "ab"),
    "a style of paragraphs": (p("secret", look='<w:pStyle w:val="Hid"/>') + p("a"), "a"),
    "shown by its own look": (p(r("a", '<w:vanish w:val="0"/>'), look='<w:pStyle w:val="Hid"/>'), "a"),
    "both styles, which undo each other": (
        p(r("a", '<w:rStyle w:val="Heir"/>'), look='<w:pStyle w:val="Hid"/>'),
        "a",
    ),
    "a style based on itself": (p(r("a", '<w:rStyle w:val="Loop"/>')), "a"),
}


@pytest.mark.parametrize("situation", HIDDEN_BY_STYLE)
def test_text_hidden_by_a_style(situation: str, make_docx: MakeDocx) -> None:
    body, expected = HIDDEN_BY_STYLE[situation]
    assert said(read_docx(with_parts(make_docx(body), ("styles", "styles.xml", STYLES)))) == expected


def test_what_stands_beside_the_body_is_read_once(make_docx: MakeDocx) -> None:
    note = f'<w:footnote w:type="separator">{p("---")}</w:footnote><w:footnote>{p("a note")}</w:footnote>'
    document = read_docx(
        with_parts(
            make_docx(p("body")),
            ("header", "h1.xml", f"<w:hdr {W}>{p('Ref: 7')}</w:hdr>"),
            ("footer", "f1.xml", f"<w:ftr {W}>{p('Version 2')}</w:ftr>"),
            ("footnotes", "n.xml", f"<w:footnotes {W}>{note}</w:footnotes>"),
        )
    )
    assert [(unit.part, unit.text) for unit in document.units] == [
        ("body", "body"),
        ("header", "Ref: 7"),
        ("footer", "Version 2"),
        ("footnote", "a note"),
    ]


ENTRY = '<w:dropDownList><w:listItem w:displayText="Fresh one" w:value="fresh"/></w:dropDownList>'
WORDLESS = '<w:dropDownList><w:listItem w:value="fresh"/></w:dropDownList>'
BOUND = {
    # what the document shows, its kind, what is stored → the text, and what is noticed
    "something else is stored": ("stale", "<w:text/>", "fresh", "fresh", "stale"),
    "the same": ("fresh", "<w:text/>", "fresh", "fresh", ""),
    "the same in other lines": ("a b", "<w:text/>", "a\nb", "a b", ""),
    "nothing stored": ("kept", "<w:text/>", "", "kept", ""),
    "an entry's value": ("Fresh one", ENTRY, "fresh", "Fresh one", ""),
    "another entry's value": ("Stale one", ENTRY, "fresh", "Fresh one", "Stale one"),
    "the value of an entry without words": ("fresh", WORDLESS, "fresh", "fresh", ""),
    "a day in another writing": (
        "4 March",
        '<w:date w:fullDate="2025-03-04T00:00:00Z"/>',
        "2025-03-04T00:00:00",
        "4 March",
        "",
    ),
    "another day": (
        "5 March",
        '<w:date w:fullDate="2025-03-05T00:00:00Z"/>',
        "2025-03-04",
        "2025-03-04",
        "5 March",
    ),
}


@pytest.mark.parametrize("situation", BOUND)
def test_a_bound_control_says_what_is_stored(situation: str, make_docx: MakeDocx) -> None:
    kept, kind, stored, text, conflict = BOUND[situation]
    about = f'<w:dataBinding w:xpath="/form/name" w:storeItemID="{{A1}}"/>{kind}'
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
        f'Id="rId1" Type="{OFFICE}/customXmlProps" Target="props.xml"/></Relationships>'
    )
    content = with_parts(
        make_docx(p(control(r(kept), about))),
        ("customXml", "item.xml", f"<form><name>{stored}</name></form>"),
        ("none", "props.xml", '<ds:datastoreItem xmlns:ds="urn:ds" ds:itemID="{a1}"/>'),
        ("none", "_rels/item.xml.rels", rels),
    )
    (unit,) = read_docx(content).units
    assert (unit.text, unit.conflict) == (text, conflict)


def test_a_date_control_keeps_its_own_date(make_docx: MakeDocx) -> None:
    date = '<w:date w:fullDate="2025-03-04T00:00:00Z"/>'
    (unit,) = read_docx(make_docx(p(control(r("4 March"), date)))).units
    assert (unit.text, unit.iso) == ("4 March", "2025-03-04T00:00:00Z")


IMPORTED = {
    "a web page": (
        b"<html><table><tr><td>Town<td>Rothwell</table><script>x</script></html>",
        "a|Town|Rothwell",
    ),
    "a piece of a page": (b"<p>Town:  <b>Rothwell</b></p>", "a|Town: Rothwell"),
    "Rich Text, which is reported": (rb"{\rtf1 Town}", "a"),
}


@pytest.mark.parametrize("situation", IMPORTED)
def test_an_imported_part_is_read_in_its_place(situation: str, make_docx: MakeDocx) -> None:
    content, expected = IMPORTED[situation]
    document = read_docx(
        with_parts(make_docx(p("a") + '<w:altChunk r:id="rId11"/>'), ("aFChunk", "chunk", content))
    )
    assert said(document) == expected
    assert ("embedded" in document.noticed) is (expected == "a")


def test_an_imported_word_document_keeps_its_tables(make_docx: MakeDocx) -> None:
    inner = make_docx(table(row("Town", "Rothwell")))
    body = table(row("Name", "Ada")) + '<w:altChunk r:id="rId11"/>'
    document = read_docx(with_parts(make_docx(body), ("aFChunk", "chunk", inner)))
    assert said(document) == "Name|Ada|Town|Rothwell"
    assert [unit.cell.table for unit in document.units if unit.cell] == [0, 0, 1, 1]


def rewritten(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The same package with every part changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)))
    return buffer.getvalue()


def strict(part: bytes) -> bytes:
    for usual, ours in (
        (
            b"schemas.openxmlformats.org/wordprocessingml/2006/main",
            b"purl.oclc.org/ooxml/wordprocessingml/main",
        ),
        (b"schemas.openxmlformats.org/officeDocument/2006", b"purl.oclc.org/ooxml/officeDocument"),
    ):
        part = part.replace(usual, ours)
    return part


def utf_16(part: bytes) -> bytes:
    return part.decode().encode("utf-16")


@pytest.mark.parametrize("change", [strict, utf_16])
def test_the_same_document_in_other_writings(change: Callable[[bytes], bytes], make_docx: MakeDocx) -> None:
    content = make_docx(p("Name: ", control(r("Ada"))) + table(row("Town", "Rothwell")))
    assert said(document_of(rewritten(content, change))) == "Name: {Ada}|Town|Rothwell"


FLAT = (
    '{}<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">'
    '<pkg:part pkg:name="/_rels/.rels"><pkg:xmlData><Relationships '
    'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    f'Type="{OFFICE}/officeDocument" Target="d.xml"/></Relationships></pkg:xmlData></pkg:part>'
    f'<pkg:part pkg:name="/d.xml"><pkg:xmlData><w:document {W}><w:body>{p("Ada")}</w:body></w:document>'
    '</pkg:xmlData></pkg:part><pkg:part pkg:name="/a.png"><pkg:binaryData>AAAA</pkg:binaryData></pkg:part>'
    "</pkg:package>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_saved_as_one_xml_file(encoding: str) -> None:
    content = FLAT.format(f'<?xml version="1.0" encoding="{encoding}"?>').encode(encoding)
    assert said(document_of(content)) == "Ada"
    assert zipfile.is_zipfile(io.BytesIO(packed(content)))
