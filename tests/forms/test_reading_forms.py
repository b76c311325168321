"""Forms as staff really fill them in, each beside what a careful clerk would note."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from agent.forms.definition import FormDefinition
from agent.forms.read import read
from agent.procedure.reading import Field, Reading, Unreadable
from agent.procedure.rules import Category

Read = Callable[[str], Reading]
ReadBytes = Callable[[bytes], Reading | Unreadable]


def p(*runs: str) -> str:
    """A paragraph; a run that begins with "<" is XML of its own."""
    return "<w:p>" + "".join(run if run.startswith("<") else r(run) for run in runs) + "</w:p>"


def r(text: str, look: str = "") -> str:
    return f'<w:r>{f"<w:rPr>{look}</w:rPr>" if look else ""}<w:t xml:space="preserve">{text}</w:t></w:r>'


def table(*rows: Sequence[str]) -> str:
    cells = (
        "".join(f"<w:tc>{cell if cell.startswith('<') else p(cell)}</w:tc>" for cell in row) for row in rows
    )
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def span(text: str, columns: int) -> str:
    return f'<w:tcPr><w:gridSpan w:val="{columns}"/></w:tcPr>{p(text)}'


BOLD = "<w:b/>"


def control(text: str, kind: str = "<w:text/>", extra: str = "") -> str:
    return f"<w:sdt><w:sdtPr>{extra}{kind}</w:sdtPr><w:sdtContent>{r(text)}</w:sdtContent></w:sdt>"


def tick(on: bool) -> str:
    return (
        f'<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val="{int(on)}"/></w14:checkbox></w:sdtPr>'
        f"<w:sdtContent>{r('☒' if on else '☐')}</w:sdtContent></w:sdt>"
    )


STRUCK, HIDDEN = "<w:strike/>", "<w:vanish/>"
LEGACY = (
    '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:textInput/></w:ffData></w:fldChar></w:r>'
    '<w:r><w:instrText> FORMTEXT </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    '<w:r><w:t>Oak</w:t></w:r><w:r><w:t>field</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
BOX = (
    '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>'
    "<w:txbxContent>{0}</w:txbxContent></wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>{0}</w:txbxContent>"
    "</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
)

SINGLE = {
    "the value right of its label": (
        table(["Date of incident", "4/3/25"], ["Location", "Oakfield"]),
        {"incident_at": "2025-03-04", "location": "Oakfield"},
    ),
    "four columns": (
        table(["Location:", "Oakfield", "Media interest:", "Likely"]),
        {"location": "Oakfield", "media": "Likely"},
    ),
    "labels above their values": (
        table(["Location", "Author"], ["Oakfield", "P. Example"]),
        {"location": "Oakfield", "author": "P. Example"},
    ),
    "a wide label above": (table([span("Brief summary", 2)], [span("He fell.", 2)]), {"summary": "He fell."}),
    "label and value in one cell": (
        table(["Location: Oakfield", "Author: P. Example"]),
        {"location": "Oakfield", "author": "P. Example"},
    ),
    "label and value in one cell, a line each": (
        table([p("Summary") + p("He fell.") + p("He is well.")]),
        {"summary": "He fell.\nHe is well."},
    ),
    "paragraphs": (
        p("Location: Oakfield") + p("Author – P. Example"),
        {"location": "Oakfield", "author": "P. Example"},
    ),
    "two labels on a line": (
        p("Location: Oakfield   Author: P. Example"),
        {"location": "Oakfield", "author": "P. Example"},
    ),
    "a tab instead of a colon": (p("Location\tOakfield"), {"location": "Oakfield"}),
    "a heading and its text": (
        p("What happened:") + p("He fell.") + p("He is well.") + p("Location: Oakfield"),
        {"summary": "He fell.\nHe is well.", "location": "Oakfield"},
    ),
    "a heading that is a label": (
        p("Summary") + p("He fell.") + p("D. Summary") + p("Something else"),
        {"summary": "He fell."},
    ),
    "a heading over a heading": (
        p("H. Conclusion") + p("A defined conclusion closes the alert.") + p("Some other remark"),
        {},
    ),
    "narrative with colons": (
        table(["Summary", "Mother said: he fell. Date: unclear."]),
        {"summary": "Mother said: he fell. Date: unclear."},
    ),
    "a label with numbering, stars and an aside": (
        table(["3.2 Date of Incident * (dd/mm/yyyy):", "4/3/25"]),
        {"incident_at": "2025-03-04"},
    ),
    "a misspelt label": (table(["Date of incidnet", "4/3/25"]), {"incident_at": "2025-03-04"}),
    "a label split into runs": (
        table([p("Date of in", "<w:proofErr/>", "cident"), "4/3/25"]),
        {"incident_at": "2025-03-04"},
    ),
    "typographic marks": (
        table(["Children’s home", "O\u2019Brien\u00ad House"]),
        {"home_name": "O\u2019Brien House"},
    ),
    "a control beside its label": (p("Location: ", control("Oakfield")), {"location": "Oakfield"}),
    "an empty control": (
        table(["Location", p(control("Click or tap here to enter text.", extra="<w:showingPlcHdr/>"))]),
        {},
    ),
    "a prompt that became text": (
        table(["Location", "Click here to enter text."], ["Date of incident", "dd/mm/yyyy"]),
        {},
    ),
    "a date control": (
        table(["Date of incident", p(control("4 March", '<w:date w:fullDate="2025-03-04T00:00:00Z"/>'))]),
        {},
    ),
    "a date control in words": (
        table(
            ["Date of incident", p(control("Tuesday last", '<w:date w:fullDate="2025-03-04T00:00:00Z"/>'))]
        ),
        {"incident_at": "2025-03-04"},
    ),
    "a legacy field": (table(["Location", f"<w:p>{LEGACY}</w:p>"]), {"location": "Oakfield"}),
    "a text box, once": (f"<w:p>{BOX.format(p('Location: Oakfield'))}</w:p>", {"location": "Oakfield"}),
    "a nested table": (table([table(["Location", "Oakfield"]) + p("")]), {"location": "Oakfield"}),
    "deleted and inserted": (
        table(
            [
                "Location",
                p("<w:del><w:r><w:delText>Elm</w:delText></w:r></w:del>", f"<w:ins>{r('Oakfield')}</w:ins>"),
            ]
        ),
        {"location": "Oakfield"},
    ),
    "hidden text": (table(["Location", p("Oakfield", r(" secret", HIDDEN))]), {"location": "Oakfield"}),
    "text crossed out": (table(["Location", p(r("Elm ", STRUCK), "Oakfield")]), {"location": "Oakfield"}),
    "an answer crossed out": (
        table(["Staff subject", p("Yes / ", r("No", STRUCK))]),
        {"staff_subject": "yes"},
    ),
    "neither answer crossed out": (
        table(["Staff subject", "Yes / No"], ["Media interest", "None known / Likely / Yes"]),
        {},
    ),
    "the answer meant in bold": (
        table(["Staff subject", p("Yes / ", r("No", "<w:b/>"))]),
        {"staff_subject": "no"},
    ),
    "the answer meant highlighted, on the label's line": (
        p("Media interest: None known / ", r("Likely", '<w:highlight w:val="yellow"/>'), " / Yes"),
        {"media": "Likely"},
    ),
    "all the answers in bold": (table(["Staff subject", p(r("Yes", "<w:b/>"), r(" / No", "<w:b/>"))]), {}),
    "a bold label is no answer": (p(r("Staff subject: ", "<w:b/>"), "Yes / No"), {}),
    "boxes before their words": (
        table(["Staff subject", p(tick(False), " Yes  ", tick(True), " No")]),
        {"staff_subject": "no"},
    ),
    "boxes after their words": (
        table(["Media interest", p("None known ", tick(False), " Likely ", tick(True))]),
        {"media": "Likely"},
    ),
    "what is ticked of answers that the form offers by itself": (
        table(["Location", "☐ Home ☒ School ☐ Elsewhere"]),
        {"location": "School"},
    ),
    "none of the answers offered": (table(["Location", "☐ Home ☐ School"]), {}),
    "words before each of several boxes, which are labels elsewhere": (p("Media ☒ Location ☐"), {}),
    "glyphs as boxes": (table(["Staff subject", "☑ Yes ☐ No"]), {"staff_subject": "yes"}),
    "brackets as boxes": (table(["Staff subject", "[ ] Yes [x] No"]), {"staff_subject": "no"}),
    "an answer with a word more": (table(["Staff subject", "Yes - see below"]), {"staff_subject": "yes"}),
    "the same answer twice": (
        table(["Location", "Oakfield"]) + p("Location: Oakfield"),
        {"location": "Oakfield"},
    ),
    "an answer that is a label elsewhere": (
        table(["This form is", "Update"], ["Location", "School"], ["Author", "P. Example"]),
        {"form_kind": "Update", "location": "School", "author": "P. Example"},
    ),
    "not known": (table(["Date of incident", "not known"]), {"incident_at": ""}),
    "not known where a name is asked for": (table(["Author", "not yet known"]), {"author": ""}),
    "an answer in another column, an empty one between": (
        table(["Location", "", "Oakfield"], ["Author", "", "P. Example"]),
        {"location": "Oakfield", "author": "P. Example"},
    ),
    "labels in another order and other words": (
        table(["Incident: date &amp; time", "4/3/25"], ["The date this form was completed", "5/3/25"]),
        {"incident_at": "2025-03-04", "form_date": "2025-03-05"},
    ),
    "dots to write on": (p("Location ............ Oakfield"), {"location": "Oakfield"}),
    "guidance under a label": (
        table([p("Location") + p("Please say where exactly."), "Oakfield"]),
        {"location": "Oakfield"},
    ),
    "labels side by side on one line, their answers in cells below": (
        p("Location\tAuthor") + table(["Oakfield", "P. Example"]),
        {"location": "Oakfield", "author": "P. Example"},
    ),
    "an answer in a box under its label": (p("Location") + table(["Oakfield"]), {"location": "Oakfield"}),
    "a question in unknown words after one that is not answered": (
        p("Location:") + p("Favourite colour: green"),
        {},
    ),
    "a question in unknown words on the same line": (
        p("Location: Oakfield\tFavourite colour: green"),
        {"location": "Oakfield"},
    ),
    "a story that mentions a label": (
        table([p("Summary: He left.") + p("Telephone: he has none.")]),
        {"summary": "He left.\nTelephone: he has none."},
    ),
    "a day here and the time of that day there": (
        table(["Date of incident", "4/3/25"]) + p("Date and time of incident: 4/3/25 9pm"),
        {"incident_at": "2025-03-04T21:00"},
    ),
    "an answer to what is asked instead": (
        table(["Background", "He left."]),
        {"known_to": "He left.", "summary": "He left."},
    ),
    "a common label inside its section": (
        p("B. Incident") + table(["Date", "4/3/25"]) + p("A. Alert") + table(["Date", "5/3/25"]),
        {"incident_at": "2025-03-04", "form_date": "2025-03-05"},
    ),
    "a row deleted as a change": (
        table(["Location", "Oakfield"]).replace(
            "</w:tbl>",
            f"<w:tr><w:trPr><w:del/></w:trPr><w:tc>{p('Author')}</w:tc><w:tc>{p('X')}</w:tc></w:tr></w:tbl>",
        ),
        {"location": "Oakfield"},
    ),
}
BESIDE = {"author_phone", "current_position", "police_ref"}


@pytest.mark.parametrize("situation", SINGLE)
def test_single_answers(situation: str, reading: Read) -> None:
    body, expected = SINGLE[situation]
    found = reading(body)
    assert {
        name: field.value
        for name, field in found.fields.items()
        if (name not in BESIDE and field.value) or name in expected
    } == expected


DOUBTFUL = {
    "an impossible date": (table(["Date of incident", "31/2/25"]), "incident_at", "impossible"),
    "a date without its year": (table(["Date of incident", "4 March"]), "incident_at", "no_year"),
    "an American date": (table(["Date of incident", "03/25/2025"]), "incident_at", "impossible"),
    "two dates": (table(["Date of incident", "4/3/25 or 5/3/25"]), "incident_at", "several"),
    "a wrong weekday": (table(["Date of incident", "Monday 4 March 2025"]), "incident_at", "weekday"),
    "two different answers": (
        table(["Location", "Oakfield"]) + p("Location: Elm House"),
        "location",
        "several_values",
    ),
    "both boxes ticked": (table(["Staff subject", "☒ Yes ☒ No"]), "staff_subject", "several_ticked"),
    "a date where a name is asked for": (table(["Author", "4/3/25"]), "author", "only_a_date"),
    "a date where a story is asked for": (table(["Summary", "4 March 2025"]), "summary", "only_a_date"),
    "neither yes nor no": (table(["Staff subject", "perhaps"]), "staff_subject", "unclear_choice"),
}


@pytest.mark.parametrize("situation", DOUBTFUL)
def test_a_doubt_is_a_problem_and_no_value(situation: str, reading: Read) -> None:
    body, name, code = DOUBTFUL[situation]
    found = reading(body)
    assert found.text(name) == ""
    assert [problem.split(":")[0] for problem in found.problems] == [code]


STORY = p("He fell from the wall.") + p("Was he pushed, mother asked: no.") + p("He is well.")
NEXT_QUESTIONS = {
    "in bold": (p(r("Summary", BOLD)), p(r("Wider learning", BOLD))),
    "in bold, its answer on the same line": (
        p(r("Summary:", BOLD), " As follows."),
        p(r("Wider learning: ", BOLD), "None."),
    ),
    "with a colon": (p("Summary:"), p("Wider learning:")),
    "with a question mark": (p("What happened?"), p("What should the region learn?")),
    "with the next number": (p("Q7. What happened?"), p("Q8. Learning for the region")),
}


@pytest.mark.parametrize("situation", NEXT_QUESTIONS)
def test_a_story_ends_at_a_question_in_unknown_words_that_looks_like_the_one_before(
    situation: str, reading: Read
) -> None:
    asked, asked_next = NEXT_QUESTIONS[situation]
    found = reading(asked + STORY + asked_next + p("More was learnt since."))
    assert found.text("summary").splitlines()[-3:] == [
        "He fell from the wall.",
        "Was he pushed, mother asked: no.",
        "He is well.",
    ]
    assert "More was learnt since." in found.unread


ROLE = "Name and role; team; media interest"
COMPOUND = {
    "in the next cell": table([ROLE, "P. Example, Social Worker; North; Likely"]),
    "a line each": table([ROLE, p("P. Example, Social Worker") + p("North") + p("Likely")]),
    "on the same line": p(f"{ROLE}: P. Example, Social Worker; North; Likely"),
}


@pytest.mark.parametrize("situation", COMPOUND)
def test_a_label_that_asks_several_things_is_answered_piece_by_piece(situation: str, reading: Read) -> None:
    found = reading(COMPOUND[situation])
    assert [found.text(name) for name in ("author", "author_team", "media")] == [
        "P. Example, Social Worker",
        "North",
        "Likely",
    ]


def test_pieces_that_are_not_set_apart_as_the_labels_are_less_sure(reading: Read) -> None:
    lines, marks = (
        reading(COMPOUND[situation]).fields["author_team"].confidence
        for situation in ("a line each", "in the next cell")
    )
    assert lines < 0.85 < marks


def test_a_story_is_never_taken_apart(reading: Read) -> None:
    found = reading(table(["Summary; location", p("He fell.") + p("He is well.")]))
    assert (found.text("summary"), found.text("location")) == ("He fell.\nHe is well.", "")


def test_a_name_alone_answers_the_first_of_several_questions(reading: Read) -> None:
    found = reading(table([ROLE, "P. Example"]))
    assert (found.text("author"), found.text("author_team"), found.problems) == ("P. Example", "", ())


def test_pieces_that_cannot_be_told_apart_are_a_problem_and_no_values(reading: Read) -> None:
    found = reading(table([ROLE, "P. Example; North"]))
    assert (found.text("author"), found.text("author_team")) == ("", "")
    assert [problem.split(":")[0] for problem in found.problems] == ["several_asked"]


@pytest.mark.parametrize("between", ["two cells", "one cell"])
def test_one_word_may_head_several_questions(between: str, reading: Read) -> None:
    asked, said = (
        "Police: informed, reference, officer",
        "Yes, NP/1/25, PC Sample",
    )  # as elsewhere on the form
    found = reading(table([asked, said]) if between == "two cells" else table([p(asked) + p(said)]))
    assert found.text("police_ref") == "NP/1/25"
    assert found.unread == ("Police informed: Yes", "Police officer: PC Sample")


INITIAL, CONCLUSION = r("Initial alert /", STRUCK), r("/ Conclusion", STRUCK)
CHOICES = {
    "after a label": p("Type of form: ", INITIAL, " Update ", CONCLUSION),
    "after a label that names them too": p("Is this: ", INITIAL, " Update ", CONCLUSION),
    "by themselves": p(INITIAL, " Update ", CONCLUSION, " (delete as appropriate)"),
    "in a sentence": p("This is an ", INITIAL, " update ", CONCLUSION),
    "in a cell": table([p(INITIAL, " Update ", CONCLUSION)]),
}


@pytest.mark.parametrize("situation", CHOICES)
def test_of_choices_on_one_line_the_one_that_was_not_crossed_out_is_the_answer(
    situation: str, reading: Read
) -> None:
    assert reading(CHOICES[situation]).text("form_kind") == "Update"


def test_of_choices_on_one_line_none_is_the_answer_where_two_are_left(reading: Read) -> None:
    found = reading(p(INITIAL, " Update / Conclusion (delete as appropriate)"))
    assert found.text("form_kind") not in ("Initial alert", "Update", "Conclusion")


def test_what_a_control_calls_its_prompt_may_have_been_typed(reading: Read) -> None:
    called_prompt = "<w:showingPlcHdr/>"
    prompts = ("Click or tap here to enter text.", '<w:r><w:rPr><w:rStyle w:val="PlaceholderText"/></w:rPr>')
    found = reading(
        table(
            ["Location", p(control("Oakfield House", extra=called_prompt))],
            ["Author", p(control(prompts[0], extra=called_prompt))],
            ["Team", p(control("Your team", extra=called_prompt).replace("<w:r>", prompts[1]))],
        )
    )
    assert [found.text(name) for name in ("location", "author", "author_team")] == ["", "", ""]
    assert found.unread == ("Oakfield House",)


def test_a_time_that_may_be_either_half_of_the_day_leaves_the_day(reading: Read) -> None:
    found = reading(table(["Date and time of incident", "4/3/25 at 4.30"]))
    assert found.text("incident_at") == "2025-03-04"
    assert [problem.split(":")[0] for problem in found.problems] == ["time_unclear"]


CHILDREN = {
    "a row each under headings": table(
        ["Name", "DOB", "Liquidlogic ID"], ["Anna B", "1/2/2012", "77"], ["Ben B", "3/4/2014", "78"]
    ),
    "headings, a number and blank rows": table(
        ["", "Name of child", "Date of Birth", "ID"],
        ["1", "Anna B", "1/2/2012", "77"],
        ["2", "Ben B", "3/4/2014", "78"],
        ["3", "", "", ""],
    ),
    "a block each": p("Child 1")
    + table(["Full name", "Anna B", "DOB", "1/2/2012"], ["System ID", "77", "Age", ""])
    + p("Child 2")
    + table(["Full name", "Ben B", "DOB", "3/4/2014"], ["System ID", "78", "Age", ""]),
    "one after another": p("Child's name: Anna B")
    + p("DOB: 1/2/2012  ID number: 77")
    + p("Child's name: Ben B")
    + p("DOB: 3/4/2014  ID number: 78"),
}


@pytest.mark.parametrize("situation", CHILDREN)
def test_several_children_on_one_form(situation: str, reading: Read) -> None:
    found = reading(p("C. Child or children") + CHILDREN[situation] + p("D. Summary"))
    children = [
        {name: field.value for name, field in row.items() if name in ("child_name", "dob", "system_id")}
        for row in found.tables["children"][:2]
    ]
    assert children == [
        {"child_name": "Anna B", "dob": "2012-02-01", "system_id": "77"},
        {"child_name": "Ben B", "dob": "2014-04-03", "system_id": "78"},
    ]


def test_a_child_named_in_two_places_is_one_child(reading: Read) -> None:
    found = reading(
        table(["Name of child", "Anna B"])
        + p("Text between: nothing")
        + table(["Name of child", "Anna B"], ["DOB", "1/2/2012"])
    )
    named = [row["child_name"].value for row in found.tables["children"] if "child_name" in row]
    assert named == ["Anna B"]


def test_a_name_in_two_parts_is_one_name(reading: Read) -> None:
    found = reading(p("C. Child or children") + table(["Surname", "Beispiel", "Forename(s)", "Anna-Maria"]))
    assert found.answers["child_name"].value == "Anna-Maria Beispiel"


def test_numbers_that_are_another_office_s_are_not_the_system_s(reading: Read) -> None:
    found = reading(table(["NHS number", "943 476 5919"], ["UPN", "A123"]))
    assert "system_id" not in found.answers


def test_headings_over_one_row_each_tell_of_one_child(reading: Read) -> None:
    found = reading(
        table(["Name of child", "DOB"], ["Anna B", "1/2/2012"], ["System ID", "Gender"], ["77", "F"])
    )
    (child,) = (row for row in found.tables["children"] if "child_name" in row)
    assert [child[name].value for name in ("child_name", "dob", "system_id", "gender")] == [
        *("Anna B", "2012-02-01", "77", "F")
    ]


@pytest.mark.parametrize("label", ["SM", "Name", "Date", "Manager", "ID", "Reference"])
def test_a_label_that_may_mean_many_things_is_settled_by_its_section_or_not_at_all(
    label: str, reading: Read
) -> None:
    found = reading(p("F. Decisions") + table([label, "4/3/25"]))
    assert set(found.answers) - BESIDE - {"school"} == set()
    assert "4/3/25" in found.unread


def test_updates_are_rows_with_date_text_manager_and_reviewer(reading: Read) -> None:
    body = p("Updates") + table(
        ["No.", "Date", "Update", "Manager", "Reviewing SM"],
        ["1", "5/3/25", "Discharged home.", "P. Example", "J. Example"],
        ["2", "", "Plan agreed: see minutes.", "", ""],
        ["3", "", "", "", ""],
    )
    rows = [{name: field.value for name, field in row.items()} for row in reading(body).tables["updates"]]
    assert rows == [
        {"date": "2025-03-05", "text": "Discharged home.", "manager": "P. Example", "reviewer": "J. Example"},
        {"text": "Plan agreed: see minutes."},
    ]


WORDS = "Tier 4 CAMHS inpatient admission"


def test_of_two_updates_alike_one_without_a_date_is_another(reading: Read) -> None:
    rows = [["12/03/2025", "No change", "A. M", ""], ["", "No change", "A. M", ""]]
    found = reading(table(["Date", "Update", "Manager", "Reviewer"], *rows))
    assert [row["date"].value if "date" in row else "" for row in found.tables["updates"]] == [
        "2025-03-12",
        "",
    ]


TICKS = {
    "a control in its own cell": table(
        [p(tick(True)), "K03", WORDS], [p(tick(False)), "M07", "Serious injury"]
    ),
    "an x in its own cell": table(["K03", WORDS, "x"], ["M07", "Serious injury", ""]),
    "yes and no": table(["K03 " + WORDS, "Yes"], ["M07 Serious injury", "No"]),
    "a glyph on the line": p("☒ K03 " + WORDS) + p("☐ M07 Serious injury"),
    "words without a code": p(tick(True), " " + WORDS) + p(tick(False), " Inquest"),
    "a Wingdings symbol": p('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', " K03 " + WORDS)
    + p('<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>', " M07"),
    "codes in words": table(["Type of incident", "K03 admission"]),
}


@pytest.mark.parametrize("situation", TICKS)
def test_ticked_categories(situation: str, reading: Read) -> None:
    assert reading(TICKS[situation]).ticked == ("K03",)


def test_words_alone_tick_nothing(reading: Read) -> None:
    assert reading(table(["Type of incident", "An admission"]) + p(WORDS)).ticked == ()


def test_what_was_neither_label_nor_value_is_listed(reading: Read) -> None:
    found = reading(p("Please ring me first, Sam") + table(["Location", "Oakfield", "ask for Jo"]))
    assert found.unread == ("Please ring me first, Sam", "ask for Jo")


def test_each_value_can_be_shown_where_it_came_from(reading: Read) -> None:
    field = reading(table(["Author", "P. Example"], ["Date of incident:", "4/3/25 9pm"])).fields[
        "incident_at"
    ]
    assert field == Field(
        "incident_at",
        "2025-03-04T21:00",
        "4/3/25 9pm",
        "Date of incident",
        "table 1, row 2, column 2",
        field.confidence,
    )
    assert 0.85 <= field.confidence <= 1


ANSWERS = table(
    ["Author", "P. Example"],
    ["Location", "Oakfield"],
    ["School", "Oak"],
    ["Police ref", "1"],
    ["Gender", "F"],
)
MISSING = table(["Missing since", "4/3/25 21:00"], ["Last seen", "4/3/25 20:00"])
TITLES: Mapping[str, tuple[str, str, list[str]]] = {
    "the standard form": (p("SENIOR LEADERSHIP ALERT FORM - Urgent &amp; Confidential") + ANSWERS, "sla", []),
    "the missing form": (
        p("Senior Leadership Alert Form (for Missing Children)") + ANSWERS + MISSING,
        "sla_missing",
        [],
    ),
    "a form that was replaced": (p("Incident Alert Form") + ANSWERS, "sla", ["old_form"]),
    "a title in a text box": (
        f"<w:p>{BOX.format(p('Senior Leadership Alert Form'))}</w:p>" + ANSWERS,
        "sla",
        [],
    ),
    "no title, but plainly the form": (
        ANSWERS
        + table(
            ["Date of incident", "4/3/25"],
            ["Summary", "He fell."],
            ["Media interest", "Yes"],
            ["Area", "North"],
        ),
        "sla",
        ["no_title"],
    ),
}


@pytest.mark.parametrize("situation", TITLES)
def test_which_form_it_is(
    situation: str, reading_bytes: ReadBytes, make_docx: Callable[[str], bytes]
) -> None:
    body, form, problems = TITLES[situation]
    found = reading_bytes(make_docx(body))
    assert isinstance(found, Reading)
    assert (found.form, [problem.split(":")[0] for problem in found.problems]) == (form, problems)


@pytest.mark.parametrize(
    "body",
    [
        p("Minutes of the meeting") + p("Present: everybody"),
        p("Senior Leadership Alert Procedure") + p("This procedure says who must be told."),
        p("Dear all,") + p("the Senior Leadership Alert Form must be used.") + p("Telephone: 01604 000000"),
        "",
    ],
)
def test_a_document_that_is_no_form_is_said_to_be_none(
    body: str, reading_bytes: ReadBytes, make_docx: Callable[[str], bytes]
) -> None:
    found = reading_bytes(make_docx(body))
    assert isinstance(found, Unreadable)
    assert found.code == "not_a_form"


def test_without_any_definition_nothing_is_a_form(
    categories: Sequence[Category], make_docx: Callable[[str], bytes]
) -> None:
    nothing: Sequence[FormDefinition] = ()
    found = read(make_docx(p("Senior Leadership Alert Form")), "x.docx", nothing, categories)
    assert isinstance(found, Unreadable)
