"""Is this mail written by a person? Automatic replies, notices and newsletters, told by their headers.

`X-Auto-Response-Suppress` alone proves nothing: people's own mail carries it, too.
"""

from __future__ import annotations

import re

from agent.procedure import signs
from agent.procedure.mail import Mail
from agent.procedure.text import undressed

_CALENDAR_SUBJECT = re.compile(
    r"^\s*(?:accepted|declined|tentative|cancell?ed|updated invitation|invitation)\s*:", re.IGNORECASE
)


def is_automatic_reply(mail: Mail) -> bool:
    """A mailbox answered by itself (RFC 3834, or what Exchange and older programs do instead)."""
    submitted = mail.headers.get("auto-submitted", "no").split(";")[0].strip().lower()
    if submitted == "auto-replied":
        return True
    if "auto_reply" in _by_subject(mail):
        return True
    older = "x-autoreply" in mail.headers or "x-autorespond" in mail.headers
    answered_itself = mail.headers.get("precedence", "").strip().lower() == "auto_reply"
    exchange = submitted == "auto-generated" and _suppresses_all(mail) and _answers(mail)
    return older or answered_itself or exchange


def _by_subject(mail: Mail) -> frozenset[str]:
    subject = signs.shortened(undressed(mail.subject))
    found = (flags for flags, pattern in signs.MACHINES if pattern.search(subject))
    return frozenset().union(*found)


def _suppresses_all(mail: Mail) -> bool:
    return "all" in mail.headers.get("x-auto-response-suppress", "").lower().replace(" ", "").split(",")


def _answers(mail: Mail) -> bool:
    return bool(mail.in_reply_to or mail.references)


def machine_reason(mail: Mail) -> str:
    """Why a mail without a form needs no reading: a code, or "" when a person may have written it."""
    told = (
        ("recall", "recall" in _by_subject(mail)),
        ("read_receipt", "read_receipt" in _by_subject(mail) or "disposition-notification" in _type(mail)),
        ("calendar", _is_calendar(mail) or bool(_CALENDAR_SUBJECT.search(undressed(mail.subject)))),
        ("newsletter", _is_bulk(mail)),
        ("automatic_notice", mail.headers.get("auto-submitted", "no").strip().lower() not in ("no", "")),
    )
    return next((reason for reason, is_so in told if is_so), "")


def _type(mail: Mail) -> str:
    return mail.headers.get("content-type", "").lower()


def _is_calendar(mail: Mail) -> bool:
    types = [_type(mail), *(document.content_type.lower() for document in mail.attachments)]
    by_class = "calendarmessage" in mail.headers.get("content-class", "").lower()
    return by_class or any(told.startswith("text/calendar") for told in types)


def _is_bulk(mail: Mail) -> bool:
    listed = "list-unsubscribe" in mail.headers or "list-id" in mail.headers
    return listed or mail.headers.get("precedence", "").strip().lower() in ("bulk", "list", "junk")
