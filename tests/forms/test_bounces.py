"""Non-delivery reports: recognised by structure, and by words only where a mail system speaks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.forms.mail import read_mail
from agent.procedure.mail import Bounce
from tests.forms.ordinary import ordinary_mails

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
    "a person forwards the news of one": simple(
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

# files among the bounces that are none: abuse reports, automatic replies, plain mail
NOT_BOUNCES = frozenset(
    (
        *("00920c54593c", "0350c38d989b", "04b3914e8639", "0d3639b97143", "0eb5b0178a7e", "2acb6c4a5575"),
        *("606cab352c6a", "6251e3833785", "69925f45fb2b", "6a475d89523c", "6ddeca09289c", "6e30c97b6078"),
        *("8e2eed697a61", "c1edc18fefbb", "c53ac867c8e2", "c8521576b6fd", "cd5acd5669d3", "86a52ff5f75c"),
        *("e2f3a0ae6613", "ebe4af983afa", "ed979b0c52b9"),
    )
)


# files among the ordinary mails that are bounces, as one sees on looking
BOUNCES_ELSEWHERE = frozenset(
    (
        *("018d16faa129", "035e83606be1", "045797ff4598", "0568cce321dd", "0e186f9e95d7", "23b154e05e5c"),
        *("2898884ee9ca", "4895345c4bd9", "4d878d8630da", "6055fca0c85a", "6815a59f30bf", "845bca9a59de"),
        *("a0dea6d8792a", "c49021739d27", "c63b56352f18", "c8acfe0bb398", "ce71d8281464"),
    )
)
NAMED = re.compile(r"^(?:Final|Original)-Recipient:\s*(?:[\w-]+\s*;)?\s*<?([^\s<>;]+@[^\s<>;]+)", re.I | re.M)

needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real mails is not beside the project"
)


@needs_corpus
def test_of_the_corpus_ninety_nine_in_a_hundred_are_recognised_and_name_the_address() -> None:
    """Where a report has fields for the address, it must be one of those."""
    bounces = [path for path in (CORPUS / "bounces").iterdir() if path.stem not in NOT_BOUNCES]
    read = {path: read_mail(path.read_bytes()).bounce for path in bounces}
    found = {path: bounce for path, bounce in read.items() if bounce}
    wrong = [
        path.stem for path, bounce in found.items() if bounce.address not in _named(path, bounce.address)
    ]

    assert len(found) >= 0.99 * len(bounces)
    assert sum(bounce.address is not None for bounce in found.values()) >= 0.99 * len(found)
    assert wrong == []


def _named(path: Path, otherwise: str | None) -> list[str | None]:
    text = path.read_bytes().decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    return [address.lower() for address in NAMED.findall(text)] or [otherwise]


@needs_corpus
def test_nothing_else_of_the_corpus_is_a_report() -> None:
    others = [CORPUS / "bounces" / f"{name}.eml" for name in NOT_BOUNCES]
    ordinary = [path for path in (CORPUS / "mail").iterdir() if path.stem not in BOUNCES_ELSEWHERE]
    assert [path.stem for path in (*others, *ordinary) if read_mail(path.read_bytes()).bounce] == []


def test_nothing_of_three_thousand_ordinary_mails_is_a_report() -> None:
    alarms = [mail.splitlines()[:3] for mail in ordinary_mails(3000) if read_mail(mail).bounce]
    assert alarms == []


# ---------------------------------------------------------------- as each system writes them

GONE, LETTER = "gone@trust.example", "<letter@trust.example>"
SENT_BACK = f"""From: N2K <n2k@trust.example>
To: {GONE}
Subject: Senior Leadership Alert - update requested
Message-ID: {LETTER}
Date: Mon, 2 Mar 2026 09:00:00 +0000

Please add your update."""


def report(
    sender: str, subject: str, words: str, status: str = "", returned: str = "", more: str = ""
) -> bytes:
    """A multipart/report; `returned` is the type of its last part."""
    parts = [f"Content-Type: text/plain\n\n{words}"]
    if status:
        parts.append(f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{status}\n")
    if returned:
        parts.append(f"Content-Type: {returned}\n\n{SENT_BACK}")
    body = "".join(f"--b\n{part}\n" for part in parts) + "--b--\n"
    kind = "multipart/report; report-type=delivery-status; boundary=b"
    return simple(sender, subject, body, f"MIME-Version: 1.0\nContent-Type: {kind}\n{more}")


FAILED = (
    f"Final-Recipient: rfc822; {GONE}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no"
)
OUTLOOK = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@trust.example>"

SYSTEMS = {
    "Exchange Online, with the letter": report(
        OUTLOOK,
        "Undeliverable: Senior Leadership Alert - update requested",
        f"Your message to {GONE} couldn't be delivered.\n{GONE} wasn't found at trust.example.",
        f"Final-Recipient: rfc822;{GONE}\nAction: failed\nStatus: 5.1.10",
        "message/rfc822",
        "X-MS-Exchange-Message-Is-Ndr:\n",
    ),
    "Exchange Online, without it": report(
        OUTLOOK,
        "Undeliverable: update requested",
        f"Delivery has failed to these recipients or groups:\n\n{GONE}\nThe mailbox is full.",
        f"Final-Recipient: rfc822;{GONE}\nAction: failed\nStatus: 5.2.2",
        more=f"In-Reply-To: {LETTER}\n",
    ),
    "Postfix": report(
        "MAILER-DAEMON@mx.example (Mail Delivery System)",
        "Undelivered Mail Returned to Sender",
        f"This is the mail system at host mx.example.\n\n<{GONE}>: host there said: 550 5.1.1 unknown",
        FAILED,
        "text/rfc822-headers",
    ),
    "Gmail": report(
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Delivery Status Notification (Failure)",
        f"** Address not found **\n\nYour message wasn't delivered to {GONE} because it couldn't be found.",
        FAILED,
        "message/rfc822",
    ),
    "Sendmail": report(
        "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
        "Returned mail: see transcript for details",
        f"   ----- The following addresses had permanent fatal errors -----\n<{GONE}>\n",
        FAILED,
        "message/rfc822",
    ),
    "Exim": simple(
        "Mail Delivery System <Mailer-Daemon@mx.example>",
        "Mail delivery failed: returning message to sender",
        f"A message that you sent could not be delivered.\n\n  {GONE}\n    host there: 550 unknown user\n\n"
        f"------ This is a copy of the message, including all the headers. ------\n\n{SENT_BACK}",
    ),
    "qmail": simple(
        "MAILER-DAEMON@mx.example",
        "failure notice",
        f"Hi. This is the qmail-send program at mx.example.\n\n<{GONE}>:\nNo mailbox here. (#5.1.1)"
        f"\n\n--- Below this line is a copy of the message.\n\n{SENT_BACK}",
    ),
    "a mailbox that is full, in words": simple(
        "postmaster@trust.example",
        "Mail could not be delivered",
        f"The mailbox of <{GONE}> is full (552 5.2.2 over quota).\n\n--- Original message ---\n{SENT_BACK}",
    ),
    "quoted by a person who passes it on": simple(
        "Priya Example <p@trust.example>",
        "FW: Undeliverable: update requested",
        f"Did you know?\n\nFrom: Microsoft Outlook <postmaster@trust.example>\nSent: Monday\n"
        f"Subject: Undeliverable: update requested\n\nDelivery has failed to these recipients:\n{GONE}\n\n"
        f"Original message headers:\n{SENT_BACK}",
    ),
    "attached by a person who passes it on": simple(
        "Priya Example <p@trust.example>",
        "Fwd: this came back",
        "--a\nContent-Type: text/plain\n\nSee attached.\n--a\nContent-Type: message/rfc822\n\n"
        + report("MAILER-DAEMON@mx.example", "Returned mail", "Sorry.", FAILED, "message/rfc822").decode()
        + "\n--a--\n",
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n",
    ),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_reports_as_each_system_writes_them(system: str) -> None:
    assert read_mail(SYSTEMS[system]).bounce == Bounce(GONE, True, LETTER)


def test_a_delay_is_not_for_good() -> None:
    words = f"Delivery to {GONE} is delayed. No action is required on your part."
    status = f"Final-Recipient: rfc822; {GONE}\nAction: delayed\nStatus: 4.4.1"
    delayed = report("MAILER-DAEMON@mx.example", "Delivery delayed", words, status, "text/rfc822-headers")
    assert read_mail(delayed).bounce == Bounce(GONE, False, LETTER)


def test_a_complaint_about_a_letter_is_no_bounce() -> None:
    complaint = simple(
        "complaints@mail.example",
        "FW: update requested",
        f"--b\nContent-Type: text/plain\n\nAn abuse report.\n--b\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: abuse\n--b\nContent-Type: message/rfc822\n\n{SENT_BACK}\n--b--\n",
        "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n",
    )
    assert read_mail(complaint).bounce is None
