"""Letters of every kind about invented alerts, for whoever looks at letters: tests, and people.

    python -m tests.letters.samples DIR

writes each one as text and as pictures: wide, on a phone, and dark. Needs Chromium.
"""

from __future__ import annotations

import base64
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.letters.writer import Writer, Written
from agent.procedure.actions import OpenAction
from agent.procedure.alert import Alert
from agent.procedure.chase import GatheredChase, chases_due, letters_of
from agent.procedure.decision import Question
from agent.procedure.digest import Digest, digest_of
from agent.procedure.notes import notes_due
from agent.procedure.questions import QUESTIONS
from agent.procedure.receipts import Acknowledgement, Noticed, ReturnedForm
from agent.procedure.reminders import ClockReminder
from agent.procedure.submission import Child
from agent.procedure.urgent import UrgentQuestion
from tests.procedure.situations import AVA, CONFIG, PEOPLE, SOL, alert, at, calendar, chased, day, procedure
from tests.procedure.test_chase import SENT
from tests.procedure.test_digest import Asked, Letter

TEMPLATES = CONFIG.parent / "mail_templates"
DESK_RULES = (procedure(), PEOPLE, calendar())
DESK = "n2k@trust.example"
MARK = "N2K-3f9c0a61b2d4"


def writer(*folders: Path) -> Writer:
    return Writer([*folders, TEMPLATES], procedure(), DESK)


def gathered(*alerts: Alert, now: str) -> dict[str, GatheredChase]:
    chases = chases_due(alerts, at(now), procedure(), PEOPLE, calendar())
    return {letter.to: letter for letter in letters_of(chases, ())}


def chases(*alerts: Alert, now: str) -> dict[str, Written]:
    """Every letter that is due, by whom it goes to."""
    known = {one.reference: one for one in alerts}
    return {to: writer().chase(letter, known, MARK) for to, letter in gathered(*alerts, now=now).items()}


def digest(*alerts: Alert, **more: Any) -> Digest:
    question = Question(
        "which_alert", "It may be one of two alerts.", "<1@trust.example>", ("SLA-2026-0001",)
    )
    told: dict[str, Any] = {
        "now": at("Mon 16 Mar 2026 08:00"),
        "questions": [Asked(7, at("Fri 13 Mar 2026 17:00"), question)],
        "letters": [Letter("posted", at("Mon 9 Mar 2026 09:00"))],
        **more,
    }
    return digest_of(
        alerts,
        reader=SOL,
        week=day("Mon 16 Mar 2026"),
        procedure=procedure(),
        people=PEOPLE,
        calendar=calendar(),
        **told,
    )


QUIET = alert()
NORTH = alert("Tue 3 Mar 2026 10:00", 11, values={"author": "Theo Marchbanks", "area": "North"})
WEST = alert("Fri 6 Mar 2026 10:00", 12, values={"author": "Theo Marchbanks", "area": "West"})
SECOND = alert("Wed 4 Mar 2026 10:00", 2, next_update_due=day("Fri 6 Mar 2026"))
LONG_QUIET = chased(alert(), *SENT[:2])
AWARE = alert("Tue 10 Mar 2026 10:00", 3, aware_at=at("Mon 9 Mar 2026 09:00"), findings=("late_form",))
STAFF = alert("Tue 3 Mar 2026 10:00", 4, categories=("M15",))


def about_actions(*alerts: Alert) -> Written:
    """A chase in which actions of the first alert are asked about, and nothing else of it."""
    (letter,) = gathered(*alerts, now="Mon 9 Mar 2026 09:00").values()
    days = (OpenAction(2, day("Wed 4 Mar 2026")), OpenAction(1, day("Fri 6 Mar 2026")))
    first, *others = letter.chases
    asked = replace(letter, chases=(replace(first, step=0, actions=days), *others))
    return writer().chase(asked, {one.reference: one for one in alerts}, MARK)


def acknowledged(number: int, **more: Any) -> Acknowledgement:
    """A form that came in, complete and without anything to notice unless told otherwise."""
    told: dict[str, Any] = {
        "letter": "acknowledgement",
        "to": SOL.address,
        "alert": f"SLA-2026-{number:04d}",
        "rule": "acknowledgement",
        "due": day("Mon 2 Mar 2026"),
        "received": day("Mon 2 Mar 2026"),
        "initials": "R.F.",
        "form": "Standard",
        "children": 1,
        "incident": calendar().local(at("Sun 1 Mar 2026 21:10")),
        "missing_since": None,
        "next_update": day("Fri 6 Mar 2026"),
        "missing": (),
        "noticed": (),
    }
    return Acknowledgement(**{**told, **more})


def returned(problem: str, about: str = "") -> ReturnedForm:
    sent = day("Mon 2 Mar 2026")
    return ReturnedForm("returned_form", SOL.address, about, "returned_form:1", sent, sent, problem, about)


def reminded(number: int, name: str, deadline: str, **more: Any) -> ClockReminder:
    told: dict[str, Any] = {
        "letter": "clock_reminder",
        "to": SOL.address,
        "alert": f"SLA-2026-{number:04d}",
        "rule": "clock:panel_day_five:-2d:sqas_sm-1",
        "due": day("Thu 5 Mar 2026"),
        "name": name,
        "wording": "the fifth working day; Day One is the day of becoming aware, or the next working day",
        "clause": "Appendix B",
        "since": calendar().local(at("Mon 2 Mar 2026 09:00")),
        "deadline": day(deadline),
        "passed": False,
        "initials": "R.F.",
    }
    return ClockReminder(**{**told, **more})


def urgent(number: int, code: str, *alerts: str, breach: bool = False) -> UrgentQuestion:
    return UrgentQuestion(
        *("urgent_question", SOL.address, "", f"urgent:{number}:asked:duty-1", day("Mon 2 Mar 2026")),
        number=number,
        why=QUESTIONS[code],
        breach=breach,
        asked_at=calendar().local(at("Mon 2 Mar 2026 09:10")),
        alerts=alerts,
    )


def samples() -> dict[str, Written]:
    """Every kind of letter, in the shapes that it takes: the name begins with the kind's."""
    quiet_for_long = chased(alert(number=5), *SENT)
    late = chases(quiet_for_long, replace(AWARE, reference="SLA-2026-0009"), now="Wed 8 Apr 2026 09:00")
    stranger = alert(author_address="x@elsewhere.example")
    siblings = alert(number=6, children=(Child("Tobias Marlowe-Finch"), Child("Isla Marlowe-Finch")))
    noticed = (
        Noticed("Form later than one day", "2.1"),
        Noticed("Not copied: Strategic Manager for Safeguarding and Quality Assurance", "4.2, 6.2"),
    )
    labels = ("Date and time of the incident", "Name of the reviewing Strategic Manager")
    writes = writer().compose
    updated = alert(updates=1, last_update_at=at("Thu 5 Mar 2026 11:00"))
    return {
        "chase": next(iter(chases(QUIET, now="Mon 9 Mar 2026 09:00").values())),
        "chase with a promise": next(iter(chases(SECOND, now="Mon 9 Mar 2026 09:00").values())),
        "chase for several": next(iter(chases(QUIET, SECOND, siblings, now="Mon 9 Mar 2026 09:00").values())),
        "chase in place of the author": next(iter(chases(stranger, now="Mon 9 Mar 2026 09:00").values())),
        "chase about staff": next(iter(chases(STAFF, now="Tue 10 Mar 2026 10:00").values())),
        "chase without a name": next(iter(chases(alert(children=()), now="Mon 9 Mar 2026 09:00").values())),
        "chase about actions": about_actions(QUIET),
        "chase for several, with actions": about_actions(QUIET, SECOND),
        "chase_escalated to the reviewer": chases(LONG_QUIET, now="Mon 23 Mar 2026 09:00")[AVA.address],
        "chase_escalated": late[SOL.address],
        "chase_escalated for several": next(iter(late.values())),
        "acknowledgement": writes("acknowledgement", MARK, about=[acknowledged(1)]),
        "acknowledgement with something missing": writes(
            "acknowledgement", MARK, about=[acknowledged(2, missing=labels, noticed=noticed, initials="")]
        ),
        "acknowledgement of several": writes(
            "acknowledgement",
            MARK,
            about=[acknowledged(1, initials="T.M.F., I.M.F., N.M.F.", noticed=noticed), acknowledged(2)],
        ),
        "returned_form": writes(
            "returned_form", MARK, about=[returned("It is protected by a password.", "SLA-2026-0001")]
        ),
        "returned_form of several": writes(
            "returned_form",
            MARK,
            about=[returned("The file is damaged."), returned("It is a picture of a form.", "SLA-2026-0002")],
        ),
        "clock_reminder": writes(
            "clock_reminder",
            MARK,
            about=[
                reminded(
                    1,
                    "National Panel, Day Five",
                    "Fri 6 Mar 2026",
                    beside={"National Panel, last day": day("Mon 9 Mar 2026")},
                )
            ],
        ),
        "clock_reminder of several": writes(
            "clock_reminder",
            MARK,
            about=[
                reminded(1, "National Panel, Day Five", "Fri 6 Mar 2026", passed=True, initials=""),
                reminded(2, "Rapid review considered", "Mon 9 Mar 2026"),
            ],
        ),
        "urgent_question": writes("urgent_question", MARK, about=[urgent(7, "unreadable")]),
        "urgent_question of several": writes(
            "urgent_question",
            MARK,
            about=[
                urgent(7, "unreadable", "SLA-2026-0001"),
                urgent(8, "name_mismatch", "SLA-2026-0001", "SLA-2026-0002", breach=True),
            ],
        ),
        "weekly_digest": writer().digest(
            digest(QUIET, SECOND, AWARE, STAFF, siblings, quiet_for_long), MARK, attach_list=True
        ),
        "weekly_digest by area": writer().digest(digest(NORTH, WEST, QUIET, STAFF, by_area=True), MARK),
        "weekly_digest of a quiet week": writer().digest(
            digest(questions=(), letters=(), now=at("Mon 16 Oct 2028 08:00")), MARK
        ),
        "note": writes("note", MARK, about=notes_due([updated], at("Thu 5 Mar 2026 15:00"), *DESK_RULES)),
        "register_outage": writes(
            "register_outage",
            MARK,
            since=at("Mon 16 Mar 2026 09:15"),
            now=at("Mon 16 Mar 2026 10:15"),
            why="The register “Need to Know.xlsx” is open in Excel or checked out.",
        ),
        "register_recovered": writes(
            "register_recovered", MARK, since=at("Mon 16 Mar 2026 09:15"), now=at("Mon 16 Mar 2026 14:05")
        ),
        "mailbox_outage": writes(
            "mailbox_outage",
            MARK,
            since=at("Mon 16 Mar 2026 09:15"),
            now=at("Mon 16 Mar 2026 10:15"),
            why="Microsoft 365 does not answer just now.",
        ),
        "mailbox_recovered": writes(
            "mailbox_recovered", MARK, since=at("Mon 16 Mar 2026 09:15"), now=at("Mon 16 Mar 2026 14:05")
        ),
    }


HEIGHT = 1500  # of a picture


def page_of(letter: Written) -> str:
    """The HTML with its pictures inside, as a browser wants them."""
    page = letter.html
    for content_id, png in letter.pictures:
        page = page.replace(f"cid:{content_id}", f"data:image/png;base64,{base64.b64encode(png).decode()}")
    return page


def browse(*options: str, folder: Path, width: int = 900, dark: bool = False) -> bytes:
    """What a headless Chromium of its own answers. Raises CalledProcessError when it cannot."""
    return subprocess.run(
        [
            "chromium",
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *("--disable-component-update", "--disable-sync", f"--user-data-dir={folder}/browser"),
            *(("--force-dark-mode", "--blink-settings=preferredColorScheme=0") if dark else ()),
            *(f"--window-size={width},{HEIGHT}", *options),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    ).stdout


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, letter in samples().items():
        stem = folder / name.replace(" ", "-")
        stem.with_suffix(".txt").write_text(f"{letter.subject}\n\n{letter.text}", encoding="utf-8")
        page = stem.with_suffix(".html")
        page.write_text(page_of(letter), encoding="utf-8")
        phone = folder / "phone.html"  # a window itself cannot be as narrow as that
        frame = f'<iframe src="{page.name}" width="390" height="{HEIGHT}" frameborder="0"></iframe>'
        phone.write_text(f'<body style="margin:0">{frame}', encoding="utf-8")
        for look, shown in (("wide", page), ("phone", phone), ("dark", page)):
            shot = f"--screenshot={stem}-{look}.png"
            browse("--hide-scrollbars", shot, f"file://{shown}", folder=folder, dark=look == "dark")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
