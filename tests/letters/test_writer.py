"""The letters: what they say, to whom they are fit to be sent, and what they never carry."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from agent.configuration import load
from agent.errors import BadConfiguration
from agent.letters.trial import trial_letters
from agent.letters.writer import Writer, Written
from agent.procedure.alert import Alert
from agent.procedure.submission import Child
from tests.letters.samples import (
    DESK,
    LONG_QUIET,
    MARK,
    QUIET,
    TEMPLATES,
    chases,
    digest,
    gathered,
    samples,
    writer,
)
from tests.procedure.situations import AVA, CONFIG, alert, at, chased, procedure
from tests.procedure.test_chase import SENT

SAMPLES = samples()
every_letter = pytest.mark.parametrize("letter", SAMPLES.values(), ids=SAMPLES)


# ---------------------------------------------------------------- what they say


def test_the_subject_of_a_chase_is_the_prefix_the_reference_and_the_marking() -> None:
    assert SAMPLES["chase"].subject == (
        "Senior Leadership Alert - update requested - SLA-2026-0001 - Urgent and Confidential"
    )


def test_the_subject_of_a_gathered_chase_tells_how_many() -> None:
    assert SAMPLES["chase for several"].subject == (
        "Senior Leadership Alert - update requested - 3 alerts - Urgent and Confidential"
    )


def test_the_subject_of_a_digest_tells_the_week() -> None:
    assert SAMPLES["weekly_digest"].subject == (
        "Senior Leadership Alert - weekly digest - week of 16 Mar 2026 - Urgent and Confidential"
    )


def test_a_chase_reads_well_as_plain_text() -> None:
    assert SAMPLES["chase"].text == (
        """\
Urgent and Confidential

Hello,

Please send an update about SLA-2026-0001. We last heard about it on Monday
2 March 2026.

SLA-2026-0001
  Initials: R.F.
  First received: Monday 2 March 2026
  Last news: Monday 2 March 2026
  Requests before this one: None
  Why you: You sent this alert.

WHAT TO DO

- If there is news: add your update to the original form, with the date,
  your name and the reviewing Strategic Manager's name, and send it to this
  address, n2k@trust.example.
- If nothing has changed: reply to this email, say so, and give the date
  when you expect to know more.
- If the matter is over: complete the conclusion on the form and send it.
  Once it is confirmed, we stop asking.

HOW TO REPLY

Reply to this email or write to n2k@trust.example. Keep the reference in
your message: SLA-2026-0001. Please put no names in the subject line.

Thank you.

Need to Know notifications, business support
Northamptonshire Children's Trust

This email was written automatically from the register of alerts. It says
nothing about the people concerned, on purpose.

Reference of this email: N2K-3f9c0a61b2d4
"""
    )


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ("chase with a promise", "Update promised for: Friday 6 March 2026"),
        ("chase_escalated to the reviewer", "You are the reviewing Strategic Manager."),
        (
            "chase_escalated to the reviewer",
            "make sure that the author, or somebody in their place, sends an update",
        ),
        ("chase_escalated", "You are the SQAS Strategic Manager."),
        ("chase in place of the author", "We cannot write to the author, so this comes to you."),
    ],
)
def test_each_reader_is_told_why_the_letter_comes_to_them(sample: str, said: str) -> None:
    assert said in squeezed(SAMPLES[sample].text)


def test_whoever_did_not_send_the_alert_is_not_asked_to_fill_in_the_form() -> None:
    assert "add your update to the original form" not in SAMPLES["chase_escalated to the reviewer"].text


def test_the_digest_tells_of_a_staff_matter_only_that_it_is_open() -> None:
    text = SAMPLES["weekly_digest"].text
    about = text[text.index("SLA-2026-0004") :].split("\n\n")[0]

    assert about == "SLA-2026-0004\n  Open for: 13 days, since 3 Mar 2026\n  Details: only in the register"


def test_an_empty_week_reads_as_one() -> None:
    text = SAMPLES["weekly_digest of a quiet week"].text

    assert "Open now: 0" in text
    assert text.count("None.") == 3


@every_letter
def test_no_letter_says_notifiable_breach_or_blame(letter: Written) -> None:
    said = letter.text.lower()

    assert not re.search(r"notifiable|breach|fail|blame|must ", said)


# ---------------------------------------------------------------- text and HTML


@every_letter
def test_text_and_html_say_the_same(letter: Written) -> None:
    """Whoever reads only one of them misses no number, date or reference."""
    in_text, in_html = (set(re.findall(r"\d[\d\-]*|[A-Z]\.(?:[A-Z]\.)+", said)) for said in both(letter))

    assert in_text == in_html


@every_letter
def test_every_sentence_of_the_html_stands_in_the_text(letter: Written) -> None:
    text = squeezed(letter.text)
    lists = ("Received:", "Concluded:")  # the digest's text gives their numbers with them
    sentences = [squeezed(" ".join(said.itertext())) for said in found(letter.html, "//td/p")]

    assert [said for said in sentences if said not in text and not said.startswith(lists)] == []


def both(letter: Written) -> tuple[str, str]:
    return letter.text, " ".join(found(letter.html, "//body//text() | //img/@alt"))


def found(page: str, path: str) -> list[Any]:
    """What an XPath finds in a page."""
    return list(html.document_fromstring(page).xpath(path))  # type: ignore[arg-type]  # these give lists only


def squeezed(text: str) -> str:
    """One space between words, none before a full stop or comma."""
    return re.sub(r" ([.,])", r"\1", " ".join(text.split()))


@every_letter
def test_the_plain_text_keeps_to_a_readable_width(letter: Written) -> None:
    assert max(map(len, letter.text.splitlines())) <= 76
    assert "\n\n\n" not in letter.text


@every_letter
def test_the_html_says_its_language_title_and_headings_in_order(letter: Written) -> None:
    page = html.document_fromstring(letter.html)
    levels = [int(one.tag[1]) for one in page.iter("h1", "h2", "h3")]

    assert page.get("lang") == "en-GB"
    assert page.findtext(".//title") == letter.subject
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@every_letter
def test_every_table_either_only_lays_out_or_has_heads_with_a_scope(letter: Written) -> None:
    """So that a screen reader announces what a cell means."""
    for table in found(letter.html, "//table"):
        heads = table.xpath("./tr/th | ./tbody/tr/th")
        if table.get("role") == "presentation":
            assert heads == []
        else:
            assert heads
            assert {head.get("scope") for head in heads} <= {"row", "col"}


@every_letter
def test_the_html_keeps_to_what_outlook_for_windows_renders(letter: Written) -> None:
    inline = " ".join(found(letter.html, "//@style"))

    assert not re.search(r"flex|grid|position|float|url\(|@import|var\(|rem\b|em\b", inline)
    assert found(letter.html, "//script | //link | //iframe | //form | //svg") == []
    for picture in found(letter.html, "//img"):  # Outlook takes a picture's size from its attribute
        assert (picture.get("src", "").partition(":")[0], bool(picture.get("alt"))) == ("cid", True)
        assert picture.get("width", "").isdecimal()
    assert all("font-family" in cell.get("style", "") for cell in found(letter.html, "//th"))


@every_letter
def test_the_only_link_is_the_desks_address(letter: Written) -> None:
    """Nothing is fetched, nothing is tracked, and nobody learns to click links in urgent mail."""
    assert set(found(letter.html, "//@href")) <= {f"mailto:{DESK}"}
    assert re.findall(r"https?://[^\s\"']+", letter.html) == ["http://www.w3.org/1999/xhtml"]


@every_letter
def test_the_html_is_ready_for_dark_mode_and_a_phone(letter: Written) -> None:
    assert 'name="color-scheme" content="light dark"' in letter.html
    assert "prefers-color-scheme: dark" in letter.html
    assert 'name="viewport"' in letter.html


@every_letter
def test_every_letter_says_what_to_do_how_to_reply_and_how_it_is_known(letter: Written) -> None:
    assert re.search(r"\b(Please|You do not need to)\b", letter.text)
    assert "HOW TO REPLY" in letter.text
    assert letter.text.endswith(f"\nReference of this email: {MARK}\n")
    assert MARK in letter.html


@every_letter
def test_a_subject_is_the_prefix_what_it_is_the_references_and_the_marking(letter: Written) -> None:
    assert re.fullmatch(
        r"Senior Leadership Alert - [a-z][a-z ]+"
        r"( - (SLA-2026-\d{4}(, SLA-2026-\d{4})*|\d+ alerts|week of \d+ \w+ \d{4}))?"
        r" - Urgent and Confidential",
        letter.subject,
    )


@every_letter
def test_what_is_asked_stands_at_the_top(letter: Written) -> None:
    top = letter.text.split("\n\n", 4)

    assert re.search(r"\b(Please|We have (received|asked)|You do not|What happened)\b", " ".join(top[1:4]))


@every_letter
def test_sentences_are_short(letter: Written) -> None:
    """As GOV.UK asks: 25 words, with some room for addresses and dates."""
    sentences = re.split(r"(?<=[.:?])\s|\n\n|\n- ", letter.text)

    assert [said for said in sentences if len(said.split()) > 32] == []


# ---------------------------------------------------------------- what they never carry


PLANTED = "Zyx"


def marked_alert(number: int, **more: Any) -> Alert:
    """An alert in which every personal value bears a mark."""
    names = ("author_team", "summary", "current_position", "location", "media", "area", "aka", "home_name")
    return alert(
        number=number,
        children=(Child(f"{PLANTED}robin {PLANTED}fairweather", date(1987, 6, 5), f"{PLANTED}778"),),
        values={
            "author": f"{PLANTED}Theo Marchbanks",
            "reviewer": "Ava Lindqvist",
            "dob": "1987-06-05",
            **{name: f"{PLANTED} told {name}" for name in names},
        },
        conclusion_text=f"{PLANTED} conclusion",
        concluded_by=f"{PLANTED} person",
        aware_at=at("Mon 2 Mar 2026 09:00"),
        **more,
    )


def letters_about(alerts: Iterable[Alert]) -> list[Written]:
    known = list(alerts)
    early = chases(*known, now="Mon 9 Mar 2026 09:00").values()
    late = chases(*(chased(one, *SENT) for one in known), now="Wed 8 Apr 2026 09:00").values()
    return [*early, *late, writer().digest(digest(*known), MARK)]


def test_no_name_birthday_or_narrative_leaves_in_any_subject_or_body() -> None:
    letters = letters_about([marked_alert(1), marked_alert(2, categories=("M15",))])
    said = [part for letter in letters for part in (letter.subject, letter.text, letter.html)]

    assert len(letters) >= 5
    assert not any(PLANTED in part for part in said)
    assert not any(written in part for part in said for written in ("1987", "5 June", "05/06", "5 Jun"))
    assert not any("lindqvist" in part.lower() or "marchbanks" in part.lower() for part in said)


def test_initials_are_no_part_of_a_subject_nor_of_a_letter_about_a_staff_matter() -> None:
    letters = letters_about([marked_alert(1, categories=("M15",))])

    assert not any(
        "Z.Z." in part for letter in letters for part in (letter.subject, letter.text, letter.html)
    )
    plain = letters_about([marked_alert(1)])
    assert not any("Z.Z." in letter.subject for letter in plain)
    assert all("Z.Z." in letter.text and "Z.Z." in letter.html for letter in plain)


def test_what_a_form_says_cannot_become_html() -> None:
    hostile = alert(children=(Child("<script> &amp;"),))

    (letter,) = chases(hostile, now="Mon 9 Mar 2026 09:00").values()

    assert "&lt;.&amp;." in letter.html
    assert found(letter.html, "//script") == []


# ---------------------------------------------------------------- wording is configuration


BUILDING_BLOCKS = {"layout", "parts", "chase_words", "returned_words"}


def test_every_kind_of_letter_is_tried_by_the_doctor_and_looked_at_here() -> None:
    kinds = {path.stem for path in TEMPLATES.iterdir()} - BUILDING_BLOCKS
    tried = trial_letters(writer(), procedure())

    assert {one.kind for one in tried} == kinds
    assert {name.partition(" ")[0] for name in SAMPLES} == kinds
    assert [one.problems for one in tried if one.problems] == []


def test_a_folder_of_ones_own_wins_and_the_rest_stays_as_it_comes(tmp_path: Path) -> None:
    (tmp_path / "chase_escalated.txt").write_text(
        '{% extends "chase.txt" %}{% block opening %}Our own words.{% endblock %}', encoding="utf-8"
    )
    known = {LONG_QUIET.reference: LONG_QUIET}
    letter = gathered(LONG_QUIET, now="Mon 23 Mar 2026 09:00")[AVA.address]

    written = writer(tmp_path).chase(letter, known, MARK)

    assert "Our own words." in written.text
    assert "WHAT TO DO" in written.text
    assert written.html == writer().chase(letter, known, MARK).html


def test_a_desk_has_words_of_its_own_before_those_of_all_desks(tmp_path: Path) -> None:
    shutil.copytree(CONFIG, tmp_path / "config")
    own = tmp_path / "config/mail_templates"
    (own / "nct").mkdir(parents=True)
    (own / "chase_words.txt").write_text("{% macro why_you(one) %}Words of all desks.{% endmacro %}")
    (own / "nct/chase_words.txt").write_text("{% macro why_you(one) %}Words of this desk.{% endmacro %}")
    settings = load(tmp_path / "config")

    def said(desk: str) -> str:
        folders = settings.templates_of(settings.desks[desk])
        letter = gathered(QUIET, now="Mon 9 Mar 2026 09:00")[QUIET.author_address]
        return Writer(folders, procedure(), DESK).chase(letter, {QUIET.reference: QUIET}, MARK).text

    assert "Words of this desk." in said("nct")
    assert "Words of all desks." in said("merton")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        (
            "Subject: x {{ nothing_known }}\n",
            "The template odd.txt cannot be used: 'nothing_known' is undefined",
        ),
        ("Subject: x {% if %}\n", "The template odd.txt cannot be used"),
        ("Hello\n", 'The template odd.txt has to begin with a line "Subject: …"'),
        (None, "The template odd.txt is missing"),
        ("Subject: x\n", "The template odd.html is missing"),
    ],
)
def test_a_template_that_cannot_be_used_is_named_with_a_remedy(
    tmp_path: Path, template: str | None, problem: str
) -> None:
    if template is not None:
        (tmp_path / "odd.txt").write_text(template, encoding="utf-8")

    with pytest.raises(BadConfiguration, match=re.escape(problem)):
        writer(tmp_path).compose("odd", MARK)


def test_a_subject_is_one_line_whatever_a_template_makes_of_it(tmp_path: Path) -> None:
    (tmp_path / "odd.txt").write_text("Subject:   much \t room {{ said }}\nBody", encoding="utf-8")
    (tmp_path / "odd.html").write_text("<p>{{ said }}</p>", encoding="utf-8")

    assert writer(tmp_path).compose("odd", MARK, said="here").subject == "much room here"


def test_the_digest_says_which_version_of_the_procedure_it_follows() -> None:
    rules = procedure()
    for text in (SAMPLES["weekly_digest"].text, SAMPLES["weekly_digest"].html):
        assert f"It follows the {rules.title}, {rules.version}." in " ".join(text.split())
