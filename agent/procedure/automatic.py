"""Is this mail written by a person? Automatic replies, notices and newsletters, told by their headers.

`X-Auto-Response-Suppress` alone proves nothing: people's own mail carries it, too.
"""

from __future__ import annotations

import re

from agent.procedure.mail import Mail
from agent.procedure.text import undressed

_REPLY_SUBJECT = re.compile(
    r"^\s*(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|autoreply|out of (?:the )?office"
    r"(?: auto[ -]?reply| reply)?|automatische antwort|réponse automatique|respuesta automática)\s*:",
    re.IGNORECASE,
)
_CALENDAR_SUBJECT = re.compile(r"^\s*(?:accepted|declined|tentative|cancell?ed|updated invitation|invitation)\s*:", re.I)
_RECEIPT_SUBJECT = re.compile(r"^\s*(?:read|not read|delivered)\s*:", re.IGNORECASE)
_RECALL_SUBJECT = re.compile(r"^\s*(?:recall\s*:|message recall\b)|\bwould like to recall\b", re.IGNORECASE)


def is_automatic_reply(mail: Mail) -> bool:
    """A mailbox answered by itself (RFC 3834, or what Exchange and older programs do instead)."""
    submitted = mail.headers.get("auto-submitted", "no").split(";")[0].strip().lower()
    if submitted == "auto-replied":
        return True
    if _REPLY_SUBJECT.search(undressed(mail.subject)):
        return True
    older = "x-autoreply" in mail.headers or "x-autorespond" in mail.headers
    answered_itself = mail.headers.get("precedence", "").strip().lower() == "auto_reply"
    return older or answered_itself or (submitted == "auto-generated" and _suppresses_all(mail) and _answers(mail))


def _suppresses_all(mail: Mail) -> bool:
    return "all" in mail.headers.get("x-auto-response-suppress", "").lower().replace(" ", "").split(",")


def _answers(mail: Mail) -> bool:
    return bool(mail.in_reply_to or mail.references)


def machine_reason(mail: Mail) -> str:
    """Why a mail without a form needs no reading: a code, or "" when a person may have written it."""
    subject = undressed(mail.subject)
    told = (
        ("recall", bool(_RECALL_SUBJECT.search(subject))),
        ("read_receipt", bool(_RECEIPT_SUBJECT.search(subject)) or "disposition-notification" in _type(mail)),
        ("calendar", _is_calendar(mail) or bool(_CALENDAR_SUBJECT.search(subject))),
        ("newsletter", _is_bulk(mail)),
        ("automatic_notice", mail.headers.get("auto-submitted", "no").strip().lower() not in ("no", "")),
    )
    return next((reason for reason, is_so in told if is_so), "")


def _type(mail: Mail) -> str:
    return mail.headers.get("content-type", "").lower()


def _is_calendar(mail: Mail) -> bool:
    called = any(document.content_type.lower() == "text/calendar" for document in mail.attachments)
    return called or "text/calendar" in _type(mail) or "calendarmessage" in mail.headers.get("content-class", "").lower()


def _is_bulk(mail: Mail) -> bool:
    listed = "list-unsubscribe" in mail.headers or "list-id" in mail.headers
    return listed or mail.headers.get("precedence", "").strip().lower() in ("bulk", "list", "junk")
