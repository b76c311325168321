"""Non-delivery reports: recognised by structure, and by words only where a mail system speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.forms.mail import read_mail
from agent.procedure.mail import Bounce

REPORT = """From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@trust.example>
To: n2k@trust.example
Subject: Undeliverable: Senior Leadership Alert - update requested
Message-ID: <ndr@outlook.example>
In-Reply-To: <letter@trust.example>
X-MS-Exchange-Message-Is-Ndr:
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Your message to gone@trust.example couldn't be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns;server.outlook.example

Final-Recipient: rfc822;Gone@trust.example
Action: {action}
Status: {status}

--b
Content-Type: message/rfc822

From: n2k@trust.example
Message-ID: <letter-itself@trust.example>
Subject: Senior Leadership Alert - update requested

text
--b--
"""


@pytest.mark.parametrize(
    ("action", "status", "permanent"),
    [
        ("failed", "5.1.10", True),
        ("failed", "4.4.7", True),  # tried for two days and given up
        ("delayed", "4.4.1", False),
        ("failed", "5.2.2", True),
    ],
)
def test_a_report_names_the_address_the_letter_and_whether_for_good(
    action: str, status: str, permanent: bool
) -> None:
    content = REPORT.format(action=action, status=status).encode()
    assert read_mail(content).bounce == Bounce(
        "gone@trust.example", permanent, "<letter-itself@trust.example>"
    )


def test_without_the_letter_itself_the_report_answers_it() -> None:
    content = (
        REPORT.format(action="failed", status="5.1.1").split("--b\nContent-Type: message/rfc822")[0]
        + "--b--\n"
    )
    bounce = read_mail(content.encode()).bounce
    assert bounce is not None
    assert bounce.original_message_id == "<letter@trust.example>"


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_is_no_bounce(action: str) -> None:
    content = REPORT.format(action=action, status="2.0.0").replace("X-MS-Exchange-Message-Is-Ndr:\n", "")
    assert read_mail(content.encode()).bounce is None


def simple(sender: str, subject: str, body: str, more: str = "") -> bytes:
    return f"From: {sender}\nTo: n2k@trust.example\nSubject: {subject}\n{more}\n{body}\n".encode()


BOUNCES = {
    "Exim": simple(
        "Mail Delivery System <Mailer-Daemon@mx.example>",
        "Mail delivery failed: returning message to sender",
        "gone@trust.example\n  550 no such user",
        "X-Failed-Recipients: gone@trust.example\n",
    ),
    "qmail": simple(
        "MAILER-DAEMON@mx.example",
        "failure notice",
        "I wasn't able to deliver your message.\n<gone@trust.example>:\n550 user unknown",
    ),
    "no address of its own": simple(
        "MAILER-DAEMON", "Returned mail", "The user gone@trust.example does not exist."
    ),
}


@pytest.mark.parametrize("situation", BOUNCES)
def test_reports_without_structure(situation: str) -> None:
    assert read_mail(BOUNCES[situation]).bounce == Bounce("gone@trust.example", True, None)


ORDINARY = {
    "a person forwards a bounce": simple(
        "Priya Example <p@trust.example>",
        "FW: Undeliverable: alert",
        "This could not be delivered, what now?",
    ),
    "a person asks about one": simple(
        "p@trust.example", "Undelivered mail", "My mail was returned to sender."
    ),
    "an alert about a delivery": simple(
        "p@trust.example", "Senior Leadership Alert", "The letter could not be delivered to the family."
    ),
    "an automatic reply": simple(
        "p@trust.example",
        "Automatic reply: update requested",
        "I am away until 5 May.",
        "Auto-Submitted: auto-replied\n",
    ),
    "a newsletter": simple(
        "news@council.example",
        "Delivery problems of the post office",
        "Parcels were not delivered.",
        "Precedence: bulk\n",
    ),
    "a read receipt": (
        b"From: p@trust.example\nSubject: Read: alert\n"
        b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
        b"--b\nContent-Type: text/plain\n\nread\n"
        b"--b\nContent-Type: message/disposition-notification\n\n"
        b"Disposition: manual-action; displayed\n--b--\n"
    ),
}


@pytest.mark.parametrize("situation", ORDINARY)
def test_ordinary_mail_is_no_bounce(situation: str) -> None:
    assert read_mail(ORDINARY[situation]).bounce is None


CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

# files among the bounces that are none: abuse reports, automatic replies, forwards by a person, plain mail
NOT_BOUNCES = frozenset(
    (
        *("00920c54593c", "0350c38d989b", "04b3914e8639", "0d3639b97143", "0eb5b0178a7e", "2acb6c4a5575"),
        *("606cab352c6a", "6251e3833785", "69925f45fb2b", "6a475d89523c", "6ddeca09289c", "6e30c97b6078"),
        *("8e2eed697a61", "c0044783b81f", "c1edc18fefbb", "c53ac867c8e2", "c8521576b6fd", "cd5acd5669d3"),
        *("ce9cd949d8a0", "e2f3a0ae6613", "ebe4af983afa", "ed979b0c52b9"),
    )
)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mails is not beside the project")
def test_of_the_corpus_ninety_nine_in_a_hundred_are_recognised_and_nearly_all_name_the_address() -> None:
    bounces = [path for path in (CORPUS / "bounces").iterdir() if path.stem not in NOT_BOUNCES]
    found = [bounce for path in bounces if (bounce := read_mail(path.read_bytes()).bounce)]
    assert len(found) >= 0.99 * len(bounces)
    assert sum(bounce.address is not None for bounce in found) >= 0.97 * len(found)
