"""Each line of a procedure's lists of incidents is known by its tick, and by nothing else."""

from __future__ import annotations

import pytest

from agent.forms.read import read
from agent.forms.write import write_form
from agent.procedure.reading import Reading
from tests.builders import settings as shipped

LINES = [
    (procedure.forms[0], name, category.code)
    for name, procedure in shipped().procedures.items()
    for category in procedure.categories
]


@pytest.mark.parametrize(("form", "by", "code"), LINES)
def test_every_line_of_the_lists_is_known_by_its_tick(form: str, by: str, code: str) -> None:
    procedure = shipped().procedures[by]
    answers = {"author": "Sam Example", "summary": "A child died. Somebody was arrested for rape."}
    told = write_form(shipped().forms[form], answers, {}, [code], categories=procedure.categories)

    found = read(told, "form.docx", shipped().forms_of(procedure), procedure.categories)

    assert isinstance(found, Reading)
    assert found.ticked == (code,)
