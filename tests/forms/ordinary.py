"""Ordinary mails of an office, written by rule: none is a bounce, many speak of what was not delivered."""

from __future__ import annotations

import random
from collections.abc import Iterator
from email.message import EmailMessage

PEOPLE = (
    ("Priya Nandra", "priya.nandra@trust.example"),
    ("Theo Marchbanks", "theo.marchbanks@trust.example"),
    ("Postmaster Jones", "p.jones@trust.example"),
    ("Royal Post Delivery", "no-reply@parcels.example"),
    ("Mail Delivery Office", "office@council.example"),
    ("Service Desk", "noreply@servicedesk.example"),
    ("System Administrator", "sysadmin@trust.example"),
    ("Anke Möller", "anke.moeller@amt.example"),
    ("René Lefèvre", "rene.lefevre@mairie.example"),
    ("Quarantine", "quarantine@messaging.example"),
    ("", "bulletin@news.example"),
)
SUBJECTS = (
    "Senior Leadership Alert - Urgent and Confidential",
    "Failure to attend the strategy meeting",
    "Undelivered parcel at Northgate",
    "Delivery failure of the new beds",
    "Delivery status of your order 4711",
    "Placement failure",
    "The letter was returned to sender",
    "Mailbox full - please archive",
    "Your mailbox is almost full",
    "Undeliverable care plan",
    "Message not delivered to the family",
    "You have 3 messages in quarantine",
    "Meeting: mail failure in the east office",
    "Out of office",
    "Abwesenheitsnotiz: Anfrage",
    "Réponse automatique : demande",
    "Warning: heating could not be repaired",
    "System error in the case system",
    "Rejected: annual leave request",
    "No such user in the rota system",
    "Newsletter: why mails bounce",
)
BODIES = (
    "Please see the form attached. The letter could not be delivered to the family.",
    "The parcel was not delivered because nobody was at home. It will be returned to sender.",
    "I tried to reach her, and the mail was returned: user unknown. Do you have another address?",
    "Your mailbox is over quota. Archive what you do not need.",
    "Ich bin bis 09.03.2026 nicht im Büro. Ihre Nachricht wird nicht weitergeleitet.",
    "Je suis absent jusqu'au 09/03/2026. Votre message ne sera pas lu.",
    "These messages were blocked and not delivered to your inbox. Release them within 30 days.",
    "We were unable to deliver the training; the room was unavailable. Error 550 on the projector.",
    "Thank you for your mail. Ticket 5.1.1 was opened; the recipient rejected the first offer.",
    "The recipient of the grant is unknown to us. Please contact finance@trust.example.",
    "No update to report. The host family was not found at home.",
    "Delivery has failed twice, said the courier, and asks for another address.",
)
QUOTES = (
    "",
    (
        "\n\nFrom: Theo Marchbanks <theo.marchbanks@trust.example>\nSent: Monday\nSubject: could not be"
        " delivered\n\nIt did not reach me."
    ),
    (
        "\n\nOn Mon, 2 Mar 2026, Mail Delivery Subsystem <mailer-daemon@mx.example> wrote:\n"
        "> Delivery failed to gone@trust.example\n> 550 5.1.1 user unknown"
    ),
    "\n\n-----Original Message-----\nFrom: Mail Office <office@council.example>\nWe could not deliver it.",
)
PREFIXES = ("", "", "Re: ", "RE: ", "AW: ", "Fwd: ", "FW: ", "[External] ", "Automatic reply: ")
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"Precedence": "bulk", "List-Unsubscribe": "<mailto:out@news.example>"},
    {"Auto-Submitted": "auto-replied", "Return-Path": "<>"},
    {"Auto-Submitted": "auto-generated"},
    {"In-Reply-To": "<before@trust.example>", "References": "<before@trust.example>"},
    {"Importance": "high", "X-Auto-Response-Suppress": "All"},
)


def ordinary_mails(number: int, seed: int = 20260302) -> Iterator[bytes]:
    """So many mails, the same ones each time."""
    chance = random.Random(seed)
    for count in range(number):
        yield _mail(chance, count)


def _mail(chance: random.Random, count: int) -> bytes:
    name, address = chance.choice(PEOPLE)
    prefix = chance.choice(PREFIXES)
    text = chance.choice(BODIES)
    quote = chance.choice(QUOTES) if prefix.lower().startswith(("re", "aw", "fw")) else ""
    if prefix in ("Fwd: ", "FW: ") and "mailer-daemon" in quote:
        quote = ""  # a report that is passed on is no ordinary mail
    message = EmailMessage()
    message["From"] = f"{name} <{address}>" if name else address
    message["To"] = "n2k@trust.example"
    message["Subject"] = prefix + chance.choice(SUBJECTS)
    message["Message-ID"] = f"<ordinary-{count}@trust.example>"
    for header, value in chance.choice(HEADERS).items():
        message[header] = value
    message.set_content(f"{chance.choice(('Hi', 'Dear all', 'Good morning'))},\n\n{text}{quote}\n\n{name}")
    if chance.random() < 0.3:
        message.add_alternative(f"<p>{text}</p>", subtype="html")
    if chance.random() < 0.2:
        message.add_attachment(b"PK\x03\x04", maintype="application", subtype="zip", filename="SLA.zip")
    if chance.random() < 0.1:
        inner = EmailMessage()
        inner["From"] = "someone@trust.example"
        inner["Subject"] = chance.choice(SUBJECTS)
        inner.set_content(chance.choice(BODIES))
        message.add_attachment(inner)
    return message.as_bytes()
