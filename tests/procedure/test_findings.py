"""Departures from the procedure that show on receipt, each with its clause."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent.procedure.findings import clause_of, still_so
from agent.procedure.mail import Mail
from agent.procedure.people import Person
from agent.procedure.reading import Reading
from tests.procedure.arrivals import (
    EVERYBODY,
    MONDAY,
    PEOPLE,
    PROPER,
    Desk,
    form,
    mail,
    nct,
    submissions,
    update,
)
from tests.procedure.test_second_procedure import procedure as merton


def findings(came: Mail, read: Reading) -> tuple[str, ...]:
    (submission,) = submissions(came, read)
    return submission.findings


def test_a_form_sent_as_the_procedure_says_departs_from_nothing() -> None:
    assert findings(mail(), form(updates=[update("Seen by a doctor.")])) == ()


@pytest.mark.parametrize(
    ("incident_at", "received_after", "late"),
    [
        ("2026-03-01T09:00", timedelta(), False),  # one day to the minute
        ("2026-03-01T08:59", timedelta(), True),
        ("2026-03-01", timedelta(hours=14), False),  # a day only: until the end of the next one
        ("2026-03-01", timedelta(hours=15), True),
        ("", timedelta(days=9), False),  # not stated: cannot tell
        (
            "2026-03-28T18:00",
            timedelta(days=27, hours=9),
            False,
        ),  # over the change of clocks: 24 hours elapsed
        ("2026-03-28T18:00", timedelta(days=27, hours=9, seconds=1), True),
    ],
)
def test_a_form_is_late_more_than_one_day_after_the_incident(
    incident_at: str, received_after: timedelta, late: bool
) -> None:
    came = mail(at=MONDAY + received_after)
    assert ("late_form" in findings(came, form(incident_at=incident_at))) is late


def test_an_update_is_never_a_late_form() -> None:
    assert findings(mail(at=MONDAY + timedelta(days=9)), form(updates=[update("Seen.")])) == ()


@pytest.mark.parametrize(
    ("subject", "finding"),
    [
        ("Urgent and Confidential", "subject_phrase_missing"),
        ("Liam - Urgent and Confidential", "subject_phrase_missing"),
        ("Senior Leadership Alert", "marking_missing"),
        ("Senior Leadership Alert - Urgent", "marking_missing"),
    ],
)
def test_phrase_and_marking_belong_in_the_subject(subject: str, finding: str) -> None:
    assert findings(mail(subject), form()) == (finding,)


@pytest.mark.parametrize(
    "came",
    [
        mail("Senior Leadership Alert - URGENT & CONFIDENTIAL"),
        mail("Senior Leadership Alert", text="URGENT AND CONFIDENTIAL\nPlease see attached."),
        mail(
            "Senior Leadership Alert", headers={"importance": "High", "sensitivity": "Company-Confidential"}
        ),
    ],
)
def test_the_marking_counts_however_it_was_given(came: Mail) -> None:
    assert findings(came, form()) == ()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("Senior Leadership Alert 1 Mar 26.docx", ("file_name_without_name",)),
        ("Senior Leadership Alert Liam Harwood.docx", ("file_name_without_date",)),
        ("Document1.docx", ("file_name_without_name", "file_name_without_date")),
    ],
)
def test_a_file_is_named_after_the_child_and_the_date(document: str, expected: tuple[str, ...]) -> None:
    assert findings(mail(), form(document=document)) == expected


def test_a_matter_without_a_child_needs_no_name_in_its_file() -> None:
    assert (
        findings(mail(), form(children=(), document="Senior Leadership Alert Oak House 1 Mar 26.docx")) == ()
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (update("Seen.", date=""), ("update_undated",)),
        (update("Seen.", manager=""), ("update_unsigned",)),
        (update("Seen.", date="", reviewer=""), ("update_undated", "update_unsigned")),
    ],
)
def test_updates_are_dated_and_name_two_managers(told: dict[str, str], expected: tuple[str, ...]) -> None:
    assert findings(mail(), form(updates=[told])) == expected


def test_a_missing_child_needs_the_form_for_missing_children() -> None:
    standard = form(missing_since="2026-03-02T01:00", incident_at="")
    assert findings(mail(), standard) == ("wrong_form",)
    assert findings(mail(), replace(standard, form="sla_missing")) == ()


def test_a_ticked_box_for_a_missing_child_asks_for_its_form_too() -> None:
    """The standard form has no line for since when."""
    assert findings(mail(), form(ticked=["M16"])) == ("wrong_form",)


@pytest.mark.parametrize(
    ("reviewer", "other"),
    [
        ("Rosa Quill", False),
        ("Rosa Quill, Strategic Manager", False),
        ("R Quill", False),  # it may be her
        ("Ivy Pratt", True),  # known, and something else
        ("Somebody Unknown", True),
        ("", False),  # left open is another matter
    ],
)
def test_only_a_strategic_manager_signs_off(reviewer: str, other: bool) -> None:
    with_manager = replace(
        PEOPLE,
        people=(*PEOPLE.people, Person("Rosa Quill", "rosa.quill@nctrust.co.uk", ("strategic_manager",))),
    )
    (submission,) = submissions(
        mail(to=(*EVERYBODY, "rosa.quill@nctrust.co.uk")), form(reviewer=reviewer), people=with_manager
    )

    assert ("signed_by_other" in submission.findings) is other


def test_the_strategic_manager_whom_the_form_names_is_copied() -> None:
    rosa = Person("Rosa Quill", "rosa.quill@nctrust.co.uk", ("strategic_manager",))
    (submission,) = submissions(
        mail(), form(reviewer="Rosa Quill"), people=replace(PEOPLE, people=(*PEOPLE.people, rosa))
    )

    assert submission.findings == ("missing_recipient:reviewer",)


@pytest.mark.parametrize(("ticked", "missing"), [("M04", True), ("K11", False)])
def test_the_director_of_finance_belongs_to_deaths_and_serious_harm(ticked: str, missing: bool) -> None:
    flora = Person("Flora Banks", "flora.banks@nctrust.co.uk", ("finance_director",))
    (submission,) = submissions(
        mail(), form(ticked=[ticked]), people=replace(PEOPLE, people=(*PEOPLE.people, flora))
    )

    assert ("missing_recipient:finance_director" in submission.findings) is missing


def test_a_replaced_form_is_noticed_by_its_name() -> None:
    old = form(document="Need to Know Briefing Liam Harwood 1 Mar 26.docx")
    assert findings(mail(), old) == ("old_form",)


def test_a_replaced_form_is_noticed_by_its_title_whatever_its_file_is_called() -> None:
    assert findings(mail(), replace(form(), old=True)) == ("old_form",)


@pytest.mark.parametrize(
    ("answers", "noticed"),
    [
        ({"home_name": "Oak House"}, True),
        ({"home_name": "Oak House", "home_responsible": "Lee Marsh, Registered Manager"}, False),
        ({}, False),
    ],
)
def test_a_childrens_home_names_who_took_responsibility(answers: dict[str, Any], noticed: bool) -> None:
    assert ("home_names_nobody" in findings(mail(), form(**answers))) is noticed


def _without(*roles: str) -> tuple[str, ...]:
    left_out = {person.address for person in PEOPLE.people if set(person.roles) & set(roles)}
    return tuple(address for address in EVERYBODY if address not in left_out)


@pytest.mark.parametrize("role", ["chief_executive", "director", "sqas_sm", "psw", "assistant_director"])
def test_everybody_who_must_be_copied_is_looked_for(role: str) -> None:
    assert findings(mail(to=_without(role)), form()) == (f"missing_recipient:{role}",)


def test_all_assistant_directors_must_be_copied_not_just_one() -> None:
    one_of_two = tuple(address for address in EVERYBODY if not address.startswith("ben.west"))
    assert findings(mail(to=one_of_two), form()) == ("missing_recipient:assistant_director",)


def test_whoever_sends_the_mail_need_not_be_copied() -> None:
    came = mail(to=_without("psw"), sender="ivy.pratt@nctrust.co.uk")
    assert findings(came, form()) == ()


def test_a_role_that_nobody_holds_is_held_against_nobody() -> None:
    nobody = replace(PEOPLE, people=())
    (submission,) = submissions(mail(to=()), form(), people=nobody)
    assert submission.findings == ()


@pytest.mark.parametrize("told", [{"ticked": ["M15"]}, {"staff_subject": "Yes"}])
def test_the_head_of_hr_belongs_to_staff_matters(told: dict[str, object]) -> None:
    staff = form(children=(), document="Senior Leadership Alert Oak House 1 Mar 26.docx", **told)  # type: ignore[arg-type]  # mixed on purpose
    assert findings(mail(), staff) == ("missing_recipient:hr_head",)


def test_those_copied_in_a_forwarded_mail_were_copied() -> None:
    first = mail(PROPER, number=7)
    came = mail(f"FW: {PROPER}", to=(EVERYBODY[0],), nested=[first])
    assert findings(came, form()) == ()


def test_every_finding_has_its_clause() -> None:
    procedure = nct()
    for code in procedure.findings:
        assert clause_of(code, procedure)
    assert clause_of("late_form", procedure) == "2.1"
    assert clause_of("missing_recipient:hr_head", procedure) == "4.3"
    assert clause_of("unheard_of", procedure) == clause_of("missing_recipient:nobody", procedure) == ""


def test_a_procedure_without_a_rule_knows_no_departure_from_it() -> None:
    lenient = replace(nct(), findings={"late_form": "24 hours"}, must_be_copied=())
    (submission,) = submissions(mail("hello", to=()), form(document="x.docx"), procedure=lenient)
    assert submission.findings == ()


@pytest.mark.parametrize(
    ("answers", "noticed"),
    [
        ({"media": "Likely"}, True),
        ({"media": "yes"}, True),
        ({"media": "Yes", "legal_advice": "Sought on 2 March"}, False),
        ({"media": "None known"}, False),
        ({}, False),
    ],
)
def test_where_the_media_may_be_interested_legal_advice_is_looked_for(
    answers: dict[str, Any], noticed: bool
) -> None:
    assert ("no_legal_advice" in findings(mail(), form(**answers))) is noticed


@pytest.mark.parametrize(
    ("sender", "to", "noticed"),
    [
        ("ad@m.example", ("dcs@m.example", "one@m.example"), True),
        ("ad@m.example", ("dcs@m.example", "one@m.example", "two@m.example"), False),
        ("ad@m.example", ("hos@m.example",), False),  # not to the Director
        ("hos@m.example", ("dcs@m.example",), False),  # not by an Assistant Director
    ],
)
def test_what_an_assistant_director_sends_to_the_director_goes_to_the_whole_team(
    sender: str, to: tuple[str, ...], noticed: bool
) -> None:
    team = {"ad": ("assistant_director",), "dcs": ("dcs",), "one": ("dmt",), "two": ("dmt",), "hos": ("hos",)}
    roster = tuple(Person(name, f"{name}@m.example", roles) for name, roles in team.items())
    people = replace(PEOPLE, people=roster, allowed_domains=frozenset({"m.example"}))
    came = mail("Leadership Alert", sender=sender, to=to)

    (submission,) = submissions(came, form(), procedure=merton(), people=people)

    assert ("missing_recipient:dmt" in submission.findings) is noticed


OVERSEEN: dict[str, Any] = {"reviewer": "Imogen Stroud"}
CONFIRMED: dict[str, Any] = {
    "action_confirmed": "He is with his aunt.",
    "risk_reduced": "His brother was seen.",
    "next_update_due": "2026-03-09",
    "contact": "Dana Hollis",
}
NOBODY = replace(PEOPLE, people=())


def elsewhere(*, children: tuple[dict[str, str], ...] = (), **told: Any) -> set[str]:
    """What is noticed of a form's answers by the second procedure."""
    read = form(name="leadership_alert", children=children, **told)
    (submission,) = submissions(mail("Leadership Alert"), read, procedure=merton(), people=NOBODY)
    return set(submission.findings)


def test_elsewhere_a_form_shows_the_head_of_services_oversight() -> None:
    assert elsewhere(**OVERSEEN, **CONFIRMED) == set()
    assert elsewhere() == {"no_oversight", "not_confirmed"}


def test_elsewhere_a_brief_form_comes_first_and_is_held_against_nobody() -> None:
    assert elsewhere(brief="yes") == set()


@pytest.mark.parametrize(
    ("left_out", "noticed"),
    [("reviewer", "no_oversight"), *((name, "not_confirmed") for name in CONFIRMED)],
)
def test_elsewhere_each_answer_that_is_left_out_is_noticed(left_out: str, noticed: str) -> None:
    told = {**OVERSEEN, **CONFIRMED}
    del told[left_out]

    assert elsewhere(**told) == {noticed}


def test_elsewhere_the_safety_of_a_child_is_looked_for_where_the_form_names_one() -> None:
    child = ({"child_name": "Liam Harwood", "dob": "2012-05-04"},)
    whole = {**OVERSEEN, **CONFIRMED}

    assert elsewhere(children=child, **whole) == {"child_safety_not_told"}
    assert elsewhere(children=child, action_child="He is with his aunt.", **whole) == set()


def test_what_a_later_form_tells_is_no_departure_any_more() -> None:
    desk = Desk(merton())
    desk.receives(form(name="leadership_alert", **OVERSEEN))
    assert still_so("not_confirmed", desk.only, merton())
    desk.receives(form(name="leadership_alert", updates=[update("Seen.")], **OVERSEEN, **CONFIRMED))

    assert "not_confirmed" in desk.only.findings  # it was so, and is counted in that week's digest
    assert not still_so("not_confirmed", desk.only, merton())
    assert still_so("child_safety_not_told", desk.only, merton())
