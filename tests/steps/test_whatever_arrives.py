"""Whatever a mail says of itself: it is read, decided, and nothing personal stands where it must not."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.forms.mail import documents_of, read_mail
from agent.procedure.alerts import Alerts
from agent.procedure.answer import Unclear, answered, choices
from agent.procedure.decide import decide_mail
from agent.procedure.reading import Unreadable
from agent.procedure.submission_from import submissions_from
from tests.procedure.arrivals import LONDON, MONDAY, PEOPLE, Desk, nct

CANARY = "Zebedee Quillfeather"
HEADERS = (
    *("From", "To", "Cc", "Reply-To", "Return-Path", "Sender", "Subject", "Date", "Message-ID", "References"),
    *(
        "In-Reply-To",
        "Auto-Submitted",
        "Authentication-Results",
        "Precedence",
        "List-Unsubscribe",
        "Sensitivity",
    ),
    *(
        "X-Auto-Response-Suppress",
        "Content-Class",
        "X-Failed-Recipients",
        "X-Need-To-Know-Letter",
        "Received",
    ),
    "X-MS-Exchange-Message-Is-Ndr",
)
said = st.sampled_from(
    (
        CANARY,
        f"Senior Leadership Alert - {CANARY} - Urgent and Confidential",
        f"{CANARY} <zeb@nctrust.co.uk>",
        f"Undeliverable: SLA-2026-0001 {CANARY}",
        f"Automatic reply: {CANARY}",
        "<1@mail.example>",
        "compauth=fail; spf=fail",
        "auto-replied",
        "All",
    )
) | st.text(max_size=60)
bodies = st.sampled_from(
    (
        f"{CANARY} is well. Closed please. Next update by Friday 6 March.",
        f"Back on Monday 9th, contact {CANARY} on zeb@nctrust.co.uk.",
        f"https://trust.sharepoint.com/:w:/s/{CANARY.replace(' ', '%20')}",
        f"On Monday, {CANARY} wrote:\n> Ref: N2K-3f9c0a61b2d4",
        f"<zeb@x.example>: 550 5.1.1 {CANARY} unknown",
    )
) | st.text(max_size=200)
names = st.sampled_from(
    (f"Senior Leadership Alert {CANARY} 1 Mar 26.docx", "message.rpmsg", "smime.p7m", "SLA.zip", "x.eml")
) | st.text(max_size=40)


def mime(headers: dict[str, str], body: str, attached: list[str]) -> bytes:
    lines = [f"{name}: {' '.join(value.split())}" for name, value in headers.items()]
    lines += ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", body]
    for name in attached:
        lines += ["--b", "Content-Type: application/octet-stream"]
        lines += [f"Content-Disposition: attachment; filename*=utf-8''{quote(name)}", "", "?"]
    return "\r\n".join([*lines, "--b--", ""]).encode("utf-8", "replace")


@given(
    st.dictionaries(st.sampled_from(HEADERS), said),
    bodies,
    st.lists(names, max_size=2),
    st.sampled_from(("not_a_form", "encrypted", "bad_zip")),
)
@settings(max_examples=200, deadline=None)
def test_nothing_raises_and_nothing_personal_is_told(
    headers: dict[str, str], body: str, attached: list[str], code: str
) -> None:
    desk = Desk()
    mail = read_mail(mime(headers, body, attached), MONDAY)
    read = [Unreadable(document.name, document.sha256, code, ("?",)) for document in documents_of(mail)]
    brought = submissions_from(mail, read, nct(), PEOPLE, received_at=MONDAY, zone=LONDON)
    decision = decide_mail(brought, Alerts(), nct(), PEOPLE, new_reference=desk.numbering())

    assert decision.entries or decision.questions
    told = [decision.outcome, *decision.categories]
    told += [part for question in decision.questions for part in (question.why, question.code)]
    told += [str(entry.facts) for entry in decision.entries]
    assert not any(word in one for one in told for word in CANARY.split())
    for question in decision.questions:
        for answer in choices(question)[-4:]:
            with suppress(Unclear):  # an answer may make no sense for this mail; then its giver is told
                answered(
                    question,
                    brought,
                    answer,
                    Alerts(),
                    nct(),
                    PEOPLE,
                    at=MONDAY,
                    new_reference=desk.numbering(),
                )
