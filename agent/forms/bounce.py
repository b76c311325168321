"""Is this mail a non-delivery report, and of what? Structure tells first; words only of a mail system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from agent.procedure.mail import KEY_HEADER, Bounce, Mail

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_STATUS = re.compile(r"(?<![\d.])([45])\.\d{1,3}\.\d{1,3}(?![\d.]\d)")
_CODE = re.compile(r"(?<!\d)([45])[0-5]\d(?=[ -])")
_ID = re.compile(r"^\s*message-id:\s*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


_SYSTEM = _any_of(
    r"mailer-?daemon|mail deliver|delivery (?:sub)?system",
    r"^(?:post_?master|mdaemon|bounces?|root|mmdf|daemon|nobody|microsoftexchange[0-9a-f]+)@",
    r"^(?:mail-?admin|maildelivery|mailsystem|smtp-?gateway)",
)
_SUBJECT = _any_of(
    r"undeliver|non.?delivery|not delivered|could ?n.t be delivered|could not be delivered",
    r"delivery (?:has )?(?:failure|failed|problem|error|report|status notification|delayed)|delivery? status",
    r"mail (?:delivery )?(?:failure|failed|error|system error)|failure notice|error report|message status",
    r"returned (?:mail|email)|mail returned|returned to sender|bounced? (?:mail|message)",
    r"unable to deliver|could not send mail|error sending your mail|message delayed",
    r"message (?:not|could not be) (?:delivered|sent)|warning: (?:could not send|message)",
    r"(?:host|user) unknown|mailbox (?:full|unavailable)|address.*unknown",
    r"unzustellbar|nicht zugestellt|non remis|não entregue|no se puede entregar|non recapitabile",
    r"onbestelbaar|配信|退信",
)
_BODY = _any_of(
    r"(?:could not|couldn.?t|cannot|can.?t|unable to|was not|were not|wasn.?t|not been|failed to|failure to)"
    r"(?: be)? (?:\w+ )?(?:deliver|delivered|sent|send|reach)",
    r"delivery (?:to the following|failed|has failed)|undeliverable|non.?delivery|did not reach|bounced",
    r"user unknown|unknown user|no such (?:user|address|recipient)|does not exist|invalid user",
    r"mailbox (?:is )?(?:full|unavailable|not found)|over quota|quota exceeded|unrouteable",
    r"recipient.{0,30}(?:rejected|not found|unknown|refused)|host (?:unknown|not found)",
    r"address (?:rejected|not found|couldn.t be found)|permanent(?: fatal)? error|returned (?:message|mail)",
    r"55[04][ -]|5\.\d\.\d",
)
_KEY = re.compile(rf"^\s*{KEY_HEADER}:\s*([\w-]+)", re.IGNORECASE | re.MULTILINE)
_FORWARDED = re.compile(r"^\s*(?:fwd?|re|aw|wg|tr)\s*:", re.IGNORECASE)  # a person passes it on


def bounce_of(message: Message, mail: Mail) -> Bounce | None:
    """What the report says; None where the mail is none, or reports a success or a mere reading."""
    statuses = list(_statuses(message))
    if not _is_bounce(message, mail, statuses):
        return None
    failed = next(
        (status for status in statuses if status.get("action", "failed") in ("failed", "delayed")), {}
    )
    return Bounce(
        address=_address(failed, mail),
        permanent=_permanent(failed, mail),
        original_message_id=_original_id(message, mail),
        original_key=_original_key(message),
    )


def _is_bounce(message: Message, mail: Mail, statuses: list[dict[str, str]]) -> bool:
    report = (
        str(message.get_param("report-type") or "").lower()
        if message.get_content_type() == "multipart/report"
        else ""
    )
    if report in ("disposition-notification", "feedback-report"):
        return False
    if "x-ms-exchange-message-is-ndr" in mail.headers or "x-failed-recipients" in mail.headers:
        return True
    if any(status.get("action") in ("failed", "delayed") for status in statuses):
        return True
    if statuses and all(status.get("action") in ("delivered", "relayed", "expanded") for status in statuses):
        return False
    if report == "delivery-status":
        return True
    return _words_of_a_system(mail)


def _words_of_a_system(mail: Mail) -> bool:
    """Reports without structure: only where a mail system speaks, and says that something failed."""
    system = bool(_SYSTEM.search(mail.sender) or _SYSTEM.search(mail.sender_name))
    nobody = mail.headers.get("return-path", "").strip() in ("<>", "<MAILER-DAEMON>")
    subject, body = bool(_SUBJECT.search(mail.subject)), bool(_BODY.search(mail.text[:6000]))
    if system:
        return subject or body
    return nobody and subject and body and not _FORWARDED.match(mail.subject)


def _statuses(message: Message) -> Iterator[dict[str, str]]:
    """The blocks of every delivery-status part, names in lower case; each recipient is a block."""
    for part in _own_parts(message):
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        payload = part.get_payload()
        blocks = payload if isinstance(payload, list) else []
        for block in blocks:
            if not isinstance(block, Message):
                continue
            said = {str(name).lower(): " ".join(str(value).split()) for name, value in block.raw_items()}
            if "action" in said:
                said["action"] = said["action"].split(" ")[0].strip("();").lower()
            if {"final-recipient", "original-recipient", "action", "status"} & said.keys():
                yield said


def _own_parts(message: Message) -> Iterator[Message]:
    """The parts of this mail, but none of the mails within it."""
    yield message
    payload = message.get_payload()
    if message.get_content_type() == "message/rfc822" or not isinstance(payload, list):
        return
    if message.get_content_type().endswith("delivery-status"):
        return
    for part in payload:
        if isinstance(part, Message):
            yield from _own_parts(part)


def _address(failed: dict[str, str], mail: Mail) -> str | None:
    """Whom the letter did not reach: the report's own fields, then its headers, then its words."""
    for name in ("original-recipient", "final-recipient"):
        found = _ADDRESS.search(failed.get(name, "").rpartition(";")[2])
        if found:
            return found[0].lower()
    found = _ADDRESS.search(mail.headers.get("x-failed-recipients", ""))
    if found:
        return found[0].lower()
    ours = {mail.sender, *mail.to}
    said = (address[0].lower().rstrip(".") for address in _ADDRESS.finditer(mail.text[:6000]))
    return next((address for address in said if address not in ours and not _SYSTEM.search(address)), None)


def _permanent(failed: dict[str, str], mail: Mail) -> bool:
    """For good unless the report says that it is still being tried, or that trying again may help.

    "Failed" is said once nobody tries on (RFC 3464, 2.3.3), also of what might have passed: 4.4.7, expired.
    """
    if failed.get("action") in ("failed", "delayed"):
        return failed["action"] == "failed"
    told = (
        _STATUS.search(failed.get("status", ""))
        or _STATUS.search(mail.text[:6000])
        or _CODE.search(mail.text[:6000])
    )
    return told is None or told[1] == "5"


def _original_key(message: Message) -> str | None:
    """The key of the letter that failed, from its headers as they were sent back."""
    for part in _own_parts(message):
        kind, inner = part.get_content_type(), part.get_payload()
        if kind in ("message/rfc822", "message/global") and isinstance(inner, list) and inner:
            key = str(inner[0][KEY_HEADER] or "").strip() if isinstance(inner[0], Message) else ""
        elif kind in ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers"):
            found = _KEY.search(str(inner))
            key = found[1] if found else ""
        else:
            continue
        if key:
            return key
    return None


def _original_id(message: Message, mail: Mail) -> str | None:
    """The Internet-Message-ID of the letter that failed: from its own headers, sent back in part or whole."""
    for part in _own_parts(message):
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global"):
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                found = re.search(r"<[^<>\s]+>", str(inner[0].get("message-id", "")))
                if found:
                    return found[0]
        elif kind in ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers"):
            found = _ID.search(str(part.get_payload()))
            if found:
                return found[1]
    in_text = _ID.search(mail.text)
    own = mail.in_reply_to or (mail.references[-1] if mail.references else None)
    return own or (in_text[1] if in_text else None)
