"""Forms as offices lay them out and staff fill them in, made from a number, each with what it says.

One number always makes the same form. All people are invented.
"""

from __future__ import annotations

import io
import random
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from xml.sax.saxutils import escape

from tests.forms.wordings import KNOWN, LEADERSHIP, UNTUNED

Value = str  # as the reader gives it


@dataclass
class Asked:
    """One label and what stands beside it. `value` is what a careful clerk would note."""

    name: str
    label: str
    written: str
    value: Value
    prompt: bool = False


@dataclass
class Part:
    """One headed part of a form."""

    title: str
    asked: list[Asked] = field(default_factory=list)
    body: str = ""  # XML that is laid out in one way only: tick boxes, updates


@dataclass
class Paper:
    """One form: what is printed, and what it says."""

    form: str
    layout: str
    seed: int
    title: str
    parts: list[Part]
    children: list[dict[str, Value]]
    updates: list[dict[str, Value]]
    ticked: tuple[str, ...]
    body: str = ""

    @property
    def values(self) -> dict[str, Value]:
        return {asked.name: asked.value for part in self.parts for asked in part.asked if asked.value}

    def __str__(self) -> str:
        return f"{self.form}-{self.layout}-{self.seed}"


# --- XML --------------------------------------------------------------------------------------------


def r(text: str, look: str = "") -> str:
    pieces = []
    for number, line in enumerate(text.split("\n")):
        pieces += ["<w:br/>"] if number else []
        for place, piece in enumerate(line.split("\t")):
            pieces += ["<w:tab/>"] if place else []
            pieces += [f'<w:t xml:space="preserve">{escape(piece)}</w:t>'] if piece else []
    return f"<w:r>{f'<w:rPr>{look}</w:rPr>' if look else ''}{''.join(pieces)}</w:r>"


def p(*runs: str) -> str:
    return "<w:p>" + "".join(run if run.startswith("<") else r(run) for run in runs) + "</w:p>"


def tc(content: str, width: int = 2400, more: str = "") -> str:
    inside = content if content.startswith(("<w:p", "<w:tbl", "<w:sdt")) else p(content)
    if not inside.rstrip().endswith(("</w:p>", "<w:p/>")):
        inside += "<w:p/>"  # a cell ends with a paragraph
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{more}</w:tcPr>{inside}</w:tc>'


def tr(*cells: str) -> str:
    return "<w:tr>" + "".join(cells) + "</w:tr>"


def tbl(rows: Sequence[str], widths: Sequence[int]) -> str:
    edges = "".join(
        f'<w:{edge} w:val="single" w:sz="4" w:space="0" w:color="auto"/>'
        for edge in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>{edges}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}</w:tbl>'
    )


def grid(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    return tbl(
        [tr(*(tc(cell, width) for cell, width in zip(row, widths, strict=True))) for row in rows], widths
    )


BOLD, ITALIC, GREY = "<w:b/>", "<w:i/>", '<w:color w:val="767676"/>'
SPAN2, SPAN4 = '<w:gridSpan w:val="2"/>', '<w:gridSpan w:val="4"/>'


def control(text: str, *, kind: str = "<w:text/>", placeholder: bool = False) -> str:
    prompt = "<w:showingPlcHdr/>" if placeholder else ""
    return f"<w:sdt><w:sdtPr>{prompt}{kind}</w:sdtPr><w:sdtContent>{r(text)}</w:sdtContent></w:sdt>"


def legacy(text: str) -> str:
    return (
        '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:name w:val="Text1"/><w:enabled/>'
        '<w:calcOnExit w:val="0"/><w:textInput/></w:ffData></w:fldChar></w:r>'
        '<w:r><w:instrText xml:space="preserve"> FORMTEXT </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        f'{r(text or chr(0x2002) * 5)}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def box(inside: str, lines: int) -> str:
    size = f"width:400pt;height:{15 + 15 * lines}pt"
    return (
        f'<w:p><w:r><w:pict><v:shape style="{size}" type="#_x0000_t202"><v:textbox>'
        f"<w:txbxContent>{inside}</w:txbxContent></v:textbox></v:shape></w:pict></w:r></w:p>"
    )


# --- layouts: a part's questions, laid out -------------------------------------------------------------


def left(part: Part, rng: random.Random) -> str:
    return grid([[label_cell(a, rng), value_cell(a)] for a in part.asked], [3600, 5400])


def label_cell(asked: Asked, rng: random.Random) -> str:
    return p(r(asked.label, BOLD))


def value_cell(asked: Asked) -> str:
    return "".join(p(line) for line in asked.written.split("\n"))


def above(part: Part, rng: random.Random) -> str:
    rows: list[list[str]] = []
    for one, other in pairs(part.asked):
        rows += [
            [one.label, other.label if other else ""],
            [value_cell(one), value_cell(other) if other else ""],
        ]
    return grid(rows, [4500, 4500])


def pairs(asked: Sequence[Asked]) -> Iterator[tuple[Asked, Asked | None]]:
    for number in range(0, len(asked), 2):
        yield asked[number], asked[number + 1] if number + 1 < len(asked) else None


def four(part: Part, rng: random.Random) -> str:
    rows = [
        [one.label, value_cell(one), other.label if other else "", value_cell(other) if other else ""]
        for one, other in pairs(part.asked)
    ]
    return grid(rows, [1900, 2600, 1900, 2600])


def same_cell(part: Part, rng: random.Random) -> str:
    rows = [
        [f"{one.label}: {one.written}", f"{other.label}: {other.written}" if other else ""]
        for one, other in pairs(part.asked)
    ]
    return grid(rows, [4500, 4500])


def same_cell_break(part: Part, rng: random.Random) -> str:
    return grid([[p(r(f"{a.label}\n", BOLD), r(a.written))] for a in part.asked], [9000])


def same_cell_below(part: Part, rng: random.Random) -> str:
    return grid([[p(r(a.label, BOLD)) + value_cell(a)] for a in part.asked], [9000])


def paragraphs(part: Part, rng: random.Random) -> str:
    return "".join(p(r(f"{a.label}: ", BOLD), r(a.written)) for a in part.asked)


def paragraphs_below(part: Part, rng: random.Random) -> str:
    return "".join(p(r(f"{a.label}:", BOLD)) + value_cell(a) for a in part.asked)


def tabbed(part: Part, rng: random.Random) -> str:
    return "".join(p(f"{a.label}\t{a.written}") for a in part.asked)


def dotted(part: Part, rng: random.Random) -> str:
    return "".join(p(f"{a.label} {'.' * rng.randint(4, 12)} {a.written}") for a in part.asked)


def underscored(part: Part, rng: random.Random) -> str:
    return "".join(p(f"{a.label}: __{a.written or '____'}__") for a in part.asked)


def bands(part: Part, rng: random.Random) -> str:
    """One table with its section's title across, and the answers in merged cells."""
    rows = [tr(tc(p(r(part.title, BOLD)), 9000, SPAN4))]
    for a in part.asked:
        more = '<w:gridSpan w:val="3"/>'
        rows.append(tr(tc(a.label, 2700), tc(value_cell(a), 6300, more)))
    return tbl(rows, [2700, 2100, 2100, 2100])


def nested(part: Part, rng: random.Random) -> str:
    inner = grid([[a.label, value_cell(a)] for a in part.asked], [3000, 5000])
    return grid([[inner]], [9000])


def run_controls(part: Part, rng: random.Random) -> str:
    rows = [[a.label, p(filled(a))] for a in part.asked]
    return grid(rows, [3600, 5400])


def filled(a: Asked) -> str:
    if not a.written:
        return control("Click or tap here to enter text.", placeholder=True)
    kind = "<w:richText/>" if "\n" in a.written else "<w:text/>"
    return control(a.written, kind=kind)


def block_controls(part: Part, rng: random.Random) -> str:
    rows = []
    for a in part.asked:
        inside = value_cell(a) if a.written else p("Click to enter text")
        prompt = "" if a.written else "<w:showingPlcHdr/>"
        rows.append(
            [
                a.label,
                f"<w:sdt><w:sdtPr>{prompt}<w:richText/></w:sdtPr><w:sdtContent>{inside}</w:sdtContent></w:sdt>",
            ]
        )
    return grid(rows, [3600, 5400])


def cell_controls(part: Part, rng: random.Random) -> str:
    rows = []
    for a in part.asked:
        cell = tc(value_cell(a) if a.written else p("Enter text"), 5400)
        prompt = "" if a.written else "<w:showingPlcHdr/>"
        around = f"<w:sdt><w:sdtPr>{prompt}<w:richText/></w:sdtPr><w:sdtContent>{cell}</w:sdtContent></w:sdt>"
        rows.append(tr(tc(a.label, 3600), around))
    return tbl(rows, [3600, 5400])


def line_controls(part: Part, rng: random.Random) -> str:
    return "".join(p(f"{a.label}: ", filled(a)) for a in part.asked)


def legacy_fields(part: Part, rng: random.Random) -> str:
    return grid([[a.label, p(legacy(a.written))] for a in part.asked], [3600, 5400])


def text_boxes(part: Part, rng: random.Random) -> str:
    return "".join(
        box(p(r(f"{a.label}: ", BOLD), r(a.written)), lines=1 + a.written.count("\n") + len(a.written) // 60)
        for a in part.asked
    )


def header_rows(part: Part, rng: random.Random) -> str:
    """Three labels in a row, and three answers below."""
    short = [a for a in part.asked if len(a.written) < 60]
    long = [a for a in part.asked if len(a.written) >= 60]
    rows = []
    for number in range(0, len(short), 3):
        three = short[number : number + 3]
        blank = [""] * (3 - len(three))
        rows += [[a.label for a in three] + blank, [value_cell(a) for a in three] + blank]
    table = grid(rows, [3000, 3000, 3000]) if rows else ""
    return table + "".join(grid([[a.label], [value_cell(a)]], [9000]) + "<w:p/>" for a in long)


def numbered(part: Part, rng: random.Random) -> str:
    rows = [[f"{number}.", a.label, value_cell(a)] for number, a in enumerate(part.asked, 1)]
    return grid(rows, [700, 3300, 5000])


def numbered_labels(part: Part, rng: random.Random) -> str:
    style = rng.choice(("{}. ", "{}) ", "3.{} ", "Q{}. ", "({}) "))
    rows = [[style.format(number) + a.label, value_cell(a)] for number, a in enumerate(part.asked, 1)]
    return grid(rows, [3600, 5400])


GUIDANCE = (
    "Please state as fully as you can.",
    "If known",
    "To be completed by the person making the alert",
    "See the guidance notes overleaf",
    "Give initials only",
)


def guided(part: Part, rng: random.Random) -> str:
    """Guidance in small italics under each label."""
    rows = [[p(r(a.label, BOLD)) + p(r(rng.choice(GUIDANCE), ITALIC)), value_cell(a)] for a in part.asked]
    return grid(rows, [3600, 5400])


def guided_in_line(part: Part, rng: random.Random) -> str:
    rows = [
        [p(r(a.label, BOLD), r(f" ({rng.choice(GUIDANCE).lower()})", ITALIC)), value_cell(a)]
        for a in part.asked
    ]
    return grid(rows, [3600, 5400])


def bilingual(part: Part, rng: random.Random) -> str:
    welsh = ("Enw", "Dyddiad", "Cyfeirnod", "Manylion", "Lleoliad")
    rows = [[f"{a.label} / {rng.choice(welsh)}", value_cell(a)] for a in part.asked]
    return grid(rows, [3600, 5400])


def two_on_a_line(part: Part, rng: random.Random) -> str:
    said = []
    for one, other in pairs(part.asked):
        if other is None or len(one.written) > 60 or len(other.written) > 60:
            said += [p(f"{a.label}: {a.written}") for a in (one, other) if a is not None]
        else:
            said.append(p(f"{one.label}: {one.written}\t{other.label}: {other.written}"))
    return "".join(said)


def tabbed_heads(part: Part, rng: random.Random) -> str:
    """Headings on one line with tabs, and their answers in the cells of a table below."""
    said = []
    short = [a for a in part.asked if len(a.written) < 40]
    for number in range(0, len(short), 3):
        three = short[number : number + 3]
        said.append(p("\t".join(a.label for a in three)))
        said.append(grid([[value_cell(a) for a in three]], [3000] * len(three)) + "<w:p/>")
    return "".join(said) + left(Part("", [a for a in part.asked if len(a.written) >= 40]), rng)


def spaced(part: Part, rng: random.Random) -> str:
    """A grid with an empty column between, as forms drawn by hand have it."""
    return grid([[a.label, "", value_cell(a)] for a in part.asked], [3300, 300, 5400])


def without_lines(part: Part, rng: random.Random, edges: str = "") -> str:
    """A table of which no line is drawn, so that on paper only its columns are seen."""
    rows = [tr(tc(p(r(a.label, BOLD)), 3000), tc(value_cell(a), 6000)) for a in part.asked]
    table = tbl(rows, [3000, 6000])
    return re.sub("<w:tblBorders>.*</w:tblBorders>", f"<w:tblBorders>{edges}</w:tblBorders>", table)


def lines_between(part: Part, rng: random.Random) -> str:
    """Lines below the rows and none between the columns."""
    look = 'w:val="single" w:sz="4" w:space="0" w:color="auto"'
    return without_lines(part, rng, f"<w:bottom {look}/><w:insideH {look}/>")


def hanging(part: Part, rng: random.Random) -> str:
    """Answers behind a tab, their further lines below the first."""
    tab, further = '<w:tab w:val="left" w:pos="3600"/>', '<w:ind w:left="3600" w:hanging="3600"/>'
    look = f"<w:pPr><w:tabs>{tab}</w:tabs>{further}</w:pPr>"
    return "".join(f"<w:p>{look}{r(a.label + ':' + TAB, BOLD)}{r(a.written)}</w:p>" for a in part.asked)


def titled_at_the_side(part: Part, rng: random.Random) -> str:
    """The section's title in a merged cell beside all its rows."""
    rows = [
        tr(
            tc(p(r("" if number else part.title, BOLD)), 1500, f"<w:vMerge{'' if number else RESTART}/>"),
            tc(a.label, 3000),
            tc(value_cell(a), 4500),
        )
        for number, a in enumerate(part.asked)
    ]
    return tbl(rows, [1500, 3000, 4500])


TAB = "\t"
RESTART = ' w:val="restart"'
CHANGE = 'w:id="1" w:author="A" w:date="2025-01-01T00:00:00Z"'


def changed(part: Part, rng: random.Random) -> str:
    """Answers written over others, with changes tracked."""
    rows = []
    for a in part.asked:
        before = f"<w:del {CHANGE}><w:r><w:delText>not yet known </w:delText></w:r></w:del>"
        now = f"<w:ins {CHANGE}>{r(a.written)}</w:ins>"
        is_changed = a.written and "\n" not in a.written
        rows.append([a.label, f"<w:p>{before}{now}</w:p>" if is_changed else value_cell(a)])
    return grid(rows, [3600, 5400])


def labels_at_the_right(part: Part, rng: random.Random) -> str:
    right = '<w:pPr><w:jc w:val="right"/></w:pPr>'
    rows = [[f"<w:p>{right}{r(f'{a.label}:', BOLD)}</w:p>", value_cell(a)] for a in part.asked]
    return grid(rows, [3000, 6000])


LAYOUTS: dict[str, Callable[[Part, random.Random], str]] = {
    function.__name__: function
    for function in (
        *(left, above, four, same_cell, same_cell_break, same_cell_below, paragraphs, paragraphs_below),
        *(tabbed, dotted, underscored, bands, nested, run_controls, block_controls, cell_controls),
        *(line_controls, legacy_fields, text_boxes, header_rows, numbered, numbered_labels, guided),
        *(guided_in_line, bilingual, two_on_a_line, tabbed_heads, spaced),
        *(without_lines, lines_between, hanging, titled_at_the_side, changed, labels_at_the_right),
    )
}

# --- people, days and what happened --------------------------------------------------------------------

GIVEN = ("Anna-Maria", "Tyrese", "Zoë", "Ffion", "Kacper", "Amira", "Dele", "Niamh", "Jo", "Siân", "Ravi")
FAMILY = ("Beispiel", "O’Example", "Testerman", "Ap Sampl", "Smythe-Sample", "Mockford", "Placeholder", "Li")
WORKERS = ("Priya Example", "Jordan Sampleton", "T. Mockridge", "Dr Ngozi Testwell", "Sam D'Example")
ROLES = (", Team Manager", " (Social Worker)", " - Service Manager", "", ", TM", ", Registered Manager")
PLACES = (
    "Family home: first floor",
    "Oak House, Corby",
    "On the A43 near Geddington",
    "School",
    "Unknown park",
)
STORIES = (
    "A.B. was found unresponsive at 09:40. Ambulance called at once; mother present.",
    "YP left placement by the back door.\nStaff searched the area.\nPolice informed: log 123 of the day.",
    "Following a fall at home on 2/3/25 the child was seen at A&E. Date of discharge: not yet known.",
    "Allegation made by peer. Manager: to follow up with LADO. Name of the adult is known.",
)


def day_styles(at: datetime) -> list[str]:
    ordinal = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}.get(at.day, "th")
    return [
        f"{at:%d/%m/%y}",
        f"{at:%d/%m/%Y}",
        f"{at.day}/{at.month}/{at:%y}",
        f"{at:%d.%m.%Y}",
        f"{at:%d-%m-%Y}",
        f"{at:%Y-%m-%d}",
        f"{at.day}{ordinal} {at:%B %Y}",
        f"{at.day} {at:%b %Y}",
        f"{at:%A} {at.day} {at:%B %Y}",
        f"{at:%a} {at.day}{ordinal} {at:%b %y}",
        f"{at:%a}. {at.day} {at:%B}, {at:%Y}",
        f"{at.day}-{at:%b}-{at:%y}",
    ]


def time_styles(at: datetime) -> list[str]:
    half = "am" if at.hour < 12 else "pm"
    hour = at.hour % 12 or 12
    styles = [f"{at:%H:%M}", f"{at:%H%M}hrs", f"{at:%H%M} hrs", f"{at:%H.%M}hrs", f"{hour}.{at:%M}{half}"]
    styles += [f"{hour}:{at:%M} {half}", f"{hour}.{at:%M} {half[0]}.m.", f"{at:%H:%M} hours"]
    if at.minute == 0:
        styles += [f"{hour}{half}", f"{hour} {half}"]
        if at.hour == 12:
            styles += ["12 noon", "noon", "midday"]
    return styles


def moment(rng: random.Random, at: datetime) -> tuple[str, str]:
    """One moment as somebody writes it, and in ISO."""
    day, time = rng.choice(day_styles(at)), rng.choice(time_styles(at))
    shape = rng.choice(
        ("{d} {t}", "{d} at {t}", "{d}, {t}", "{t} on {d}", "{t} {d}", "{d} approx {t}", "{d}")
    )
    if shape == "{d}":
        return day, f"{at:%Y-%m-%d}"
    if re.fullmatch(r"\d{1,2}[.:]\d\d", time) and day.count(".") == 2:
        time = f"{at:%H:%M}"
    return shape.format(d=day, t=time), f"{at:%Y-%m-%dT%H:%M}"


NOT_KNOWN = ("not known", "Unknown", "n/k", "N/K", "Not stated", "tbc", "N/A", "-", "as above", "")


CODES = {
    "sla": (
        ("M02", "Unusual or unexpected death of a child"),
        ("K03", "Tier 4 CAMHS inpatient admission"),
    ),
    "sla_missing": (
        ("K03", "Tier 4 CAMHS inpatient admission"),
        ("M02", "Unusual or unexpected death of a child"),
    ),
    "leadership_alert": (
        ("E04", "Child looked after or on a child protection plan missing for more than 48 hours"),
        ("E05", "Reasonable suspicion of organised and complex abuse or exploitation"),
    ),
}


class Writer:
    """Fills one form in."""

    def __init__(self, form: str, layout: str, seed: int, *, untuned: bool = False) -> None:
        self.form, self.layout, self.seed = form, layout, seed
        self.rng = random.Random(f"{form}/{layout}/{seed}/{untuned}")
        self.untuned = untuned
        self.now = datetime.combine(date(2025, 3, 4), time(9)) + timedelta(
            days=self.rng.randint(0, 300), minutes=15 * self.rng.randint(0, 40)
        )

    def label(self, name: str) -> str:
        known = {**KNOWN, **LEADERSHIP} if self.form == "leadership_alert" else KNOWN
        words = UNTUNED.get(name) if self.untuned and self.rng.random() < 0.5 else None
        words = words or known[name]
        label = words[0] if self.rng.random() < 0.3 else self.rng.choice(words)
        dress = self.rng.random()
        if dress < 0.08:
            label = label.upper()
        elif dress < 0.14 and "(" not in label:
            label += " (dd/mm/yyyy)" if "ate" in label else " *"
        elif dress < 0.2:
            label += "?" if not label.endswith("?") else ""
        elif dress < 0.26:
            label += "*"
        elif dress < 0.3 and len(label) > 12 and not self.untuned:
            at = self.rng.randrange(4, len(label) - 3)
            if label[at - 1 : at + 3].isalpha():
                label = label[:at] + label[at + 1] + label[at] + label[at + 2 :]
        if self.layout in ("left", "four", "above", "run_controls") and self.rng.random() < 0.3:
            label += ":"
        return label

    def ask(self, name: str, written: str, value: str) -> Asked:
        return Asked(name, self.label(name), written, value)

    def at(self, name: str, at: datetime, *, blank: float = 0.0, day: bool = False) -> Asked:
        if self.rng.random() < blank:
            return self.ask(name, self.rng.choice(NOT_KNOWN), "")
        written, value = (self.rng.choice(day_styles(at)), f"{at:%Y-%m-%d}") if day else moment(self.rng, at)
        return self.ask(name, written, value)

    def person(self, name: str) -> Asked:
        said = self.rng.choice(WORKERS) + (self.rng.choice(ROLES) if name == "author" else "")
        return self.ask(name, said, said)

    def words(self, name: str, *choices: str, blank: float = 0.0) -> Asked:
        said = "" if self.rng.random() < blank else self.rng.choice(choices)
        return self.ask(name, said, said)

    # --- parts ---

    def paper(self) -> Paper:
        made = {"sla": self.standard, "sla_missing": self.missing, "leadership_alert": self.leadership}
        titles = {
            "sla": ("Senior Leadership Alert Form", "SENIOR LEADERSHIP ALERT FORM - Urgent and Confidential"),
            "sla_missing": (
                "Senior Leadership Alert Form for Missing Children",
                "Senior Leadership Alert Form (Missing Children)",
            ),
            "leadership_alert": ("Leadership Alert Form", "LEADERSHIP ALERT"),
        }
        parts = made[self.form]()
        lay = LAYOUTS[self.layout]
        title = self.rng.choice(titles[self.form])
        said = [p(r(title, BOLD))]
        for part in parts:
            if self.layout != "bands" or not part.asked:
                said.append(p(r(part.title, BOLD)))
            said.append(lay(part, self.rng) if part.asked else "")
            said.append(part.body + "<w:p/>")
        body = "".join(said)
        return Paper(
            self.form, self.layout, self.seed, title, parts, self.children, self.updates, self.ticked, body
        )

    def child_part(self, title: str) -> Part:
        """One child laid out like everything else, or several as blocks or rows."""
        count = self.rng.choice((1, 1, 1, 2, 3))
        self.children = [self.child() for _ in range(count)]
        if count == 1:
            return Part(title, self.child_asked(self.children[0]))
        if self.rng.random() < 0.5 or self.layout in ("tabbed_heads", "header_rows", "above"):
            names = ["child_name", "dob", "system_id", *self.rng.sample(("gender", "ethnicity"), 1)]
            rows = [[self.label(name).rstrip(":") for name in names]]
            rows += [[child["_" + name] for name in names] for child in self.children]
            number = self.rng.random() < 0.3
            if number:
                rows = [[""] + rows[0]] + [[str(n), *row] for n, row in enumerate(rows[1:], 1)]
            return Part(title, body=grid(rows, [1800] * len(rows[0])))
        lay = LAYOUTS[self.layout]
        blocks = [
            p(f"Child {number}") + lay(Part(f"Child {number}", self.child_asked(child)), self.rng) + "<w:p/>"
            for number, child in enumerate(self.children, 1)
        ]
        if self.layout == "bands":
            blocks = [block.split("</w:p>", 1)[1] for block in blocks]
        return Part(title, body="".join(blocks))

    def child(self) -> dict[str, str]:
        name = f"{self.rng.choice(GIVEN)} {self.rng.choice(FAMILY)}"
        born = date(2008, 1, 1) + timedelta(days=self.rng.randint(0, 6000))
        at = datetime.combine(born, time())
        age = self.rng.choice(
            (
                "",
                "",
                f" (aged {2025 - born.year})",
                f" ({2025 - born.year} years)",
                f", {2025 - born.year}yrs",
            )
        )
        number = self.rng.choice(
            (f"{self.rng.randint(100000, 999999)}", f"P{self.rng.randint(10000, 99999)}")
        )
        written = self.rng.choice(day_styles(at)) + age
        said = {"child_name": name, "dob": f"{born:%Y-%m-%d}", "system_id": number}
        said |= {"_child_name": name, "_dob": written, "_system_id": number, "_gender": self.rng.choice("FM")}
        said |= {"_ethnicity": self.rng.choice(("White British", "Mixed: other", "A1", ""))}
        if self.rng.random() < 0.06:
            said |= {"_dob": self.rng.choice(("not known", "EDD 12/08/2025", "")), "dob": ""}
        return said

    def child_asked(self, child: dict[str, str]) -> list[Asked]:
        names = ["child_name", "dob", "system_id", *self.rng.sample(("gender", "ethnicity"), 1)]
        return [
            Asked(name, self.label(name), child["_" + name], child.get(name, child["_" + name]))
            for name in names
        ]

    def update_part(self, title: str) -> Part:
        columns = self.rng.choice(
            (
                ("No.", "Date", "Update", "Manager", "Reviewing Strategic Manager"),
                ("Date of update", "Update", "Manager", "Reviewed by"),
                ("Date and time", "Update details", "Manager (name and role)", "Reviewing SM"),
            )
            if self.form != "leadership_alert"
            else (
                ("No.", "Date", "Update", "By", "Head of Service"),
                ("Date of update", "Update", "Updated by", "HoS"),
            )
        )
        self.updates = []
        rows: list[list[str]] = [list(columns)]
        filled = self.rng.choice((0, 0, 1, 2, 5))
        for number in range(max(filled, self.rng.randint(1, 4))):
            row = [""] * 4
            if number < filled:
                at = self.now + timedelta(days=3 * number + 1)
                signed = self.rng.random() < 0.8
                row = [
                    self.rng.choice(day_styles(at)),
                    self.rng.choice(
                        ("Discharged home.", "Plan agreed: see minutes.", "No change; police still looking.")
                    ),
                    self.rng.choice(WORKERS) if signed else "",
                    self.rng.choice(WORKERS) if signed else "",
                ]
                self.updates.append(
                    {"date": f"{at:%Y-%m-%d}", "text": row[1], "manager": row[2], "reviewer": row[3]}
                )
            elif self.rng.random() < 0.3:
                row = ["Click or tap to enter a date.", "", "", ""]
            rows.append([str(number + 1), *row] if len(columns) == 5 else row)
        widths = [500, 1700, 3400, 1700, 1700] if len(columns) == 5 else [1700, 3500, 1900, 1900]
        return Part(title, body=grid(rows, widths))

    def conclusion_part(self, title: str) -> Part:
        if self.rng.random() < 0.7:
            return Part(
                title,
                [
                    Asked("conclusion", "Conclusion", "", ""),
                    Asked("conclusion_date", "Date concluded", "", ""),
                ],
            )
        at = self.now + timedelta(days=20)
        return Part(
            title,
            [
                Asked(
                    "conclusion",
                    "Conclusion",
                    "No further action; child safe at home.",
                    "No further action; child safe at home.",
                ),
                Asked("conclusion_date", "Date concluded", self.rng.choice(day_styles(at)), f"{at:%Y-%m-%d}"),
            ],
        )

    def tick_part(self, title: str) -> Part:
        """The categories, ticked in one of the ways in which people tick."""
        way = self.rng.choice(("boxes", "x", "yes_no", "line", "symbols", "text"))
        (one, words), (other, other_words) = CODES[self.form]
        self.ticked = (one,)
        if way == "boxes":
            return Part(
                title,
                body=grid(
                    [[p(tick(True)), one, words], [p(tick(False)), other, other_words]], [700, 900, 7400]
                ),
            )
        if way == "x":
            return Part(title, body=grid([[one, words, "x"], [other, other_words, ""]], [900, 7400, 700]))
        if way == "yes_no":
            return Part(
                title, body=grid([[f"{one} {words}", "Yes"], [f"{other} {other_words}", "No"]], [8000, 1000])
            )
        if way == "line":
            return Part(title, body=p(f"☒ {one} {words}") + p(f"☐ {other} {other_words}"))
        if way == "symbols":
            on, off = (f'<w:r><w:sym w:font="Wingdings" w:char="{c}"/></w:r>' for c in ("F0FE", "F0A8"))
            return Part(title, body=p(on, f" {one} {words}") + p(off, f" {other} {other_words}"))
        asked = Asked("category", self.label("category"), f"{one} {words}"[:70], one)
        return Part(title, [asked])

    def standard(self) -> list[Part]:
        now, rng = self.now, self.rng
        happened = now - timedelta(hours=rng.randint(2, 20))
        first = [
            self.at("form_date", now),
            self.person("author"),
            self.words("author_phone", "01604 000000", "x1234", blank=0.2),
            self.person("reviewer"),
        ]
        second = [
            self.at("incident_at", happened, blank=0.1),
            self.at("aware_at", happened + timedelta(hours=1), blank=0.1),
            self.words("location", *PLACES),
        ]
        last = [
            self.words("summary", *STORIES),
            self.words("current_position", "Stable in hospital.", "Safe at home", blank=0.1),
            self.words("media", "None known", "Likely", "Yes"),
            self.at("next_update_due", now + timedelta(days=3), day=True, blank=0.15),
            self.words("police_ref", "NP/123/25", "25000123456", "log 99 of 4/3/25", blank=0.3),
        ]
        return [
            Part("A. Alert", first),
            Part("B. Incident", second),
            self.tick_part("Incidents that MUST have an alert (2.2)"),
            self.child_part("C. Child or children"),
            Part("D. Summary", last),
            self.update_part("G. Updates"),
            self.conclusion_part("H. Conclusion"),
        ]

    def missing(self) -> list[Part]:
        now, rng = self.now, self.rng
        since = now - timedelta(hours=rng.randint(24, 60))
        first = [self.at("form_date", now), self.person("author"), self.person("reviewer")]
        second = [
            self.at("last_seen", since - timedelta(hours=1)),
            self.at("missing_since", since),
            self.words("police_ref", "NP/123/25", "MP-0042/25", "25000123456"),
        ]
        back = [self.at("returned_at", now + timedelta(hours=2), blank=0.6)]
        last = [
            self.words("summary", *STORIES),
            self.words("current_position", "Still missing.", "Whereabouts unknown", blank=0.1),
            self.at("next_update_due", now + timedelta(days=1), day=True),
        ]
        return [
            Part("A. Alert", first),
            Part("B. Missing episode", second),
            self.tick_part("Incidents that MUST have an alert (2.2)"),
            Part("Return", back),
            self.child_part("C. Child or children"),
            Part("D. Summary", last),
            self.update_part("G. Updates"),
            self.conclusion_part("H. Conclusion"),
        ]

    def leadership(self) -> list[Part]:
        now, rng = self.now, self.rng
        happened = now - timedelta(hours=rng.randint(2, 20))
        is_missing = rng.random() < 0.5
        first = [
            self.at("form_date", now),
            self.at("aware_at", happened + timedelta(hours=1)),
            self.person("author"),
            self.person("worker"),
            self.person("team_manager"),
            self.person("reviewer"),
        ]
        incident = [
            self.at("incident_at", happened, blank=0.1),
            self.words("summary", *STORIES),
            self.words("location", *PLACES),
        ]
        missing = [
            self.at("missing_since", happened, blank=0.0 if is_missing else 1.0),
            self.words("police_ref", "CAD 1234/4MAR", "01/123456/25", blank=0.3),
            self.at("returned_at", now, blank=0.7),
        ]
        return [
            Part("1. Alert", first),
            self.child_part("2. Child or children"),
            self.tick_part("3. Why this is a Leadership Alert"),
            Part("4. Incident", incident),
            Part("If a child is missing", missing),
            Part(
                "7. Head of Service oversight",
                [self.at("next_update_due", now + timedelta(days=2), day=True)],
            ),
            self.update_part("11. Updates"),
            self.conclusion_part("12. Conclusion"),
        ]


def tick(on: bool) -> str:
    return (
        f'<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="{int(on)}"/></w14:checkbox></w:sdtPr>'
        f"<w:sdtContent>{r('☒' if on else '☐')}</w:sdtContent></w:sdt>"
    )


# --- files ----------------------------------------------------------------------------------------------

_NAMES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
_STRICT = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "http://purl.oclc.org/ooxml/wordprocessingml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": "http://purl.oclc.org/ooxml/officeDocument/relationships",
}
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_MACRO = "application/vnd.ms-word.document.macroEnabled.main+xml"


def docx(body: str, *, kind: str = "docx") -> bytes:
    """A .docx, .docm or, as `strict`, a .docx of the strict kind."""
    document = f"<w:document {_NAMES}><w:body>{body}<w:sectPr/></w:body></w:document>"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships'
        '/officeDocument" Target="word/document.xml"/></Relationships>'
    )
    if kind == "strict":
        for ours, theirs in _STRICT.items():
            document, relations = document.replace(ours, theirs), relations.replace(ours, theirs)
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{_MACRO if kind == "docm" else _MAIN}"/>'
        "</Types>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", relations)
        archive.writestr("word/document.xml", document)
    return buffer.getvalue()


FORMS = ("sla", "sla_missing", "leadership_alert")


def papers(seeds: Sequence[int], *, untuned: bool = False) -> Iterator[Paper]:
    """Every form in every layout, once for each number."""
    for form in FORMS:
        for layout in LAYOUTS:
            for seed in seeds:
                yield Writer(form, layout, seed, untuned=untuned).paper()
