"""Is this mail a non-delivery report, and of what? Structure tells first; words only of a mail system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from agent.forms.parts import as_sent, within
from agent.procedure.mail import KEY_HEADER, Bounce, Mail

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_STATUS = re.compile(r"(?<![\d.])([45])\.\d{1,3}\.\d{1,3}(?![\d.]\d)")
_CODE = re.compile(r"(?<!\d)([45])[0-5]\d(?=[ -])")
_LINES = re.IGNORECASE | re.MULTILINE
_ID = re.compile(r"^[>\s]*message-id:\s*(<[^<>\s]+>)", _LINES)
_TO = re.compile(r"^[>\s]*(?:to|cc|x-envelope-to):[^\S\n]*(.+)", _LINES)
_SENT_BY = re.compile(r"^[>\s]*(?:from|return-path):[^\S\n]*(.+)", _LINES)
_RECIPIENT = re.compile(r"^[>\s]*(?:original|final)-recipient:[^;\n]*;\s*(\S+)", _LINES)
_ELSEWHERE = re.compile(
    r"^.*(?:assistance|contact|message-id|reporting-mta).*$", _LINES
)  # names nobody missed
# In a report without parts: the line that ends what is reported and begins what was sent.
_SENT_BACK = re.compile(
    r"^.*(?:original message|headers? (?:of|follow)|copy of (?:the|your)|returned message|"
    r"message (?:headers|returned|follows)|bounced e-?mail|unsent message).*$",
    _LINES,
)
_MOST = 20_000  # characters of a report that are looked at


def _any_of(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


_SYSTEM = _any_of(
    r"mailer-?daemon|^mail deliver(?:y)? (?:sub)?system|^mail delivery service|^(?:e-?)?mail system",
    r"^(?:post_?master|mdaemon|bounces?|root|mmdf|daemon|nobody|microsoftexchange[0-9a-f]+)@",
    r"^(?:mail-?admin|mail\.?delivery|mail-?system|mail\.delivery\.system|smtp-?gateway)\S*@",
)
_NO_ANSWER = re.compile(r"^(?:no-?reply|do-?not-?reply)@", re.IGNORECASE)
_SUBJECT = _any_of(
    r"undeliver|non.?delivery|not delivered|could ?n.t be delivered|could not be delivered",
    r"delivery (?:has )?(?:failure|failed|problem|error|report|status notification|delayed)|delivery? status",
    r"mail (?:delivery )?(?:failure|failed|error|system error)|failure notice|error report|message status",
    r"returned (?:mail|email)|mail returned|returned to sender|bounced? (?:mail|message)",
    r"unable to deliver|could not send mail|error sending your mail|message delayed",
    r"message (?:not|could not be) (?:delivered|sent)|warning: (?:could not send|message)",
    r"(?:host|user) unknown|mailbox (?:full|unavailable)|address.*unknown",
    r"unzustellbar|nicht zugestellt|non remis|não entregue|no se puede entregar|non recapitabile",
    r"onbestelbaar|配信|退信|メールエラー",
)
_BODY = _any_of(
    r"(?:could not|couldn.?t|cannot|can.?t|unable to|was not|were not|wasn.?t|not been|failed to|failure to)"
    r"(?: be)? (?:\w+ )?(?:deliver|delivered|sent|send|reach)",
    r"delivery (?:to the following|failed|has failed)|undeliverable|non.?delivery|did not reach|bounced",
    r"user unknown|unknown user|no such (?:user|address|recipient)|does not exist|invalid user",
    r"mailbox (?:is )?(?:full|unavailable|not found)|over quota|quota exceeded|unrouteable",
    r"recipient.{0,30}(?:rejected|not found|unknown|refused)|host (?:unknown|not found)",
    r"address (?:rejected|not found|couldn.t be found)|permanent(?: fatal)? error|returned (?:message|mail)",
    r"55[04][ -]|5\.\d\.\d|送信できません",
)
_KEY = re.compile(rf"^[>\s]*{KEY_HEADER}:\s*([\w-]+)", _LINES)
_ANSWERED = re.compile(r"^\s*(?:re|aw|sv|antw)\s*:", re.IGNORECASE)
_FORWARDED = re.compile(r"^\s*(?:fwd?|wg|tr|rv)\s*:\s*", re.IGNORECASE)  # a person passes it on
_FROM = re.compile(r"^[>\s*]*(?:from|von|de)\s*:\**\s*(.+)$", _LINES)


def bounce_of(message: Message, mail: Mail) -> Bounce | None:
    """What the report says; None where the mail is none, or reports a success or a mere reading.

    One that a person passes on is still a report: as a mail within theirs, or quoted in it.
    """
    statuses = list(_statuses(message))
    because = _because(message, mail, statuses)
    if not because:
        return _passed_on(mail)
    failed = next(
        (status for status in statuses if status.get("action", "failed") in ("failed", "delayed")), {}
    )
    sent_back = _sent_back(message, mail)
    return Bounce(
        address=_address(failed, mail, sent_back),
        permanent=_permanent(failed, mail),
        original_message_id=_original_id(sent_back, mail),
        original_key=_first(_KEY, sent_back),
        because=because,
    )


def _passed_on(mail: Mail) -> Bounce | None:
    within = [inner.bounce for inner in mail.nested if inner.bounce]
    return within[0] if len(within) == 1 and not mail.attachments else None


def _because(message: Message, mail: Mail, statuses: list[dict[str, str]]) -> str:
    """Why the mail is a report of something undelivered, in a few words; "" where it is none."""
    report = (
        str(message.get_param("report-type") or "").lower()
        if message.get_content_type() == "multipart/report"
        else ""
    )
    if report in ("disposition-notification", "feedback-report"):
        return ""
    if "x-ms-exchange-message-is-ndr" in mail.headers or "x-failed-recipients" in mail.headers:
        return "a header says that it is a non-delivery report"
    if any(status.get("action") in ("failed", "delayed") for status in statuses):
        return "it holds a delivery status of failed or delayed"
    if statuses and all(status.get("action") in ("delivered", "relayed", "expanded") for status in statuses):
        return ""
    if report == "delivery-status":
        return "it is built as a delivery report"
    return "a mail system writes that a mail could not be delivered" if _in_words(message, mail) else ""


def _in_words(message: Message, mail: Mail) -> bool:
    """Reports without structure: only where a mail system speaks, and says that something failed."""
    subject, body = bool(_SUBJECT.search(mail.subject)), bool(_BODY.search(mail.text[:6000]))
    forwarded = _FORWARDED.match(mail.subject)
    if forwarded:
        quoted = any(_is_system(said) for said in _FROM.findall(mail.text[:_MOST]))
        return quoted and bool(_SUBJECT.search(mail.subject[forwarded.end() :])) and body
    if "list-unsubscribe" in mail.headers:
        return False
    answered = bool(_ANSWERED.match(mail.subject))
    if _is_system(mail.sender) or _is_system(mail.sender_name):
        return body and _is_proven(message, mail) if answered else subject or body
    nobody = mail.headers.get("return-path", "").strip() in ("<>", "<MAILER-DAEMON>")
    unattended = nobody or _NO_ANSWER.match(mail.sender) is not None
    return unattended and not answered and subject and body and _is_proven(message, mail)


def _is_proven(message: Message, mail: Mail) -> bool:
    """What failed was sent back to its sender, or a server's own words are told about an address."""
    told = mail.text[:6000]
    code = _STATUS.search(told) or _CODE.search(told)
    senders = {
        address for line in _SENT_BY.findall(_sent_back(message, mail)) for address in _addresses(line)
    }
    return not senders.isdisjoint(mail.to) or bool(code and _ADDRESS.search(told))


def _is_system(who: str) -> bool:
    """By a name or an address, or both as they stand in a header."""
    return any(_SYSTEM.search(part.strip(' "')) for part in re.split(r"[<>]", who))


def _statuses(message: Message) -> Iterator[dict[str, str]]:
    """The blocks of every delivery-status part, names in lower case; each recipient is a block."""
    for part in _own_parts(message):
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        for block in within(part):
            said = {str(name).lower(): " ".join(str(value).split()) for name, value in block.raw_items()}
            if "action" in said:
                said["action"] = said["action"].split(" ")[0].strip("();").lower()
            if {"final-recipient", "original-recipient", "action", "status"} & said.keys():
                yield said


def _own_parts(message: Message) -> Iterator[Message]:
    """The parts of this mail, but none of the mails within it."""
    yield message
    kind = message.get_content_type()
    if kind == "message/rfc822" or kind.endswith("delivery-status"):
        return
    for part in within(message):
        yield from _own_parts(part)


def _address(failed: dict[str, str], mail: Mail, sent_back: str) -> str | None:
    """Whom the letter did not reach: the report's own fields, then its headers, then its words, of which
    those count most that the letter itself was addressed to."""
    for name in ("original-recipient", "final-recipient"):
        found = _ADDRESS.search(failed.get(name, "").rpartition(";")[2])
        if found:
            return found[0].lower()
    told = (*_addresses(mail.headers.get("x-failed-recipients", "")), *_in_fields(mail))
    if told:
        return told[0]
    report = mail.text[:_MOST]
    cut = _SENT_BACK.search(report)
    words = _addresses(_ELSEWHERE.sub("", report[: cut.start()] if cut else report))
    meant = [address for line in _TO.findall(sent_back) for address in _addresses(line)]
    ours = {mail.sender, *mail.to}
    said = [address for address in words if address not in ours and not _SYSTEM.search(address)]
    both = [address for address in words if address in meant]
    return next(iter((*both, *said, *(meant if len(set(meant)) == 1 else ()))), None)


def _in_fields(mail: Mail) -> list[str]:
    """A report's fields that stand in its words, as where a person passes it on."""
    return [address for line in _RECIPIENT.findall(mail.text[:_MOST]) for address in _addresses(line)]


def _addresses(text: str) -> list[str]:
    return [found[0].lower().rstrip(".") for found in _ADDRESS.finditer(text)]


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


def _sent_back(message: Message, mail: Mail) -> str:
    """The headers of the letter that failed, as far as they were sent back: as a mail of its own, as a part,
    as a part's headers, or behind a line in the report's text."""
    parts = [_header_lines(inner) for inner in _mails_in(message)]
    for part in _own_parts(message):
        if part.get_content_type() in _HEADERS_ALONE:
            parts.append(as_sent(part))
        elif part is not message and "message-id" in part:
            parts.append(_header_lines(part))
    cut = _SENT_BACK.search(mail.text[:_MOST])
    return "\n".join([*parts, mail.text[cut.end() : _MOST] if cut else ""])


_HEADERS_ALONE = ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers")


def _mails_in(message: Message) -> Iterator[Message]:
    for part in _own_parts(message):
        if part.get_content_type() in ("message/rfc822", "message/global"):
            yield from within(part)


def _header_lines(message: Message) -> str:
    return "\n".join(f"{name}: {' '.join(str(value).split())}" for name, value in message.raw_items())


def _original_id(sent_back: str, mail: Mail) -> str | None:
    """The Internet-Message-ID of the letter that failed: its own, else of what the report answers."""
    own = mail.in_reply_to or (mail.references[-1] if mail.references else None)
    return _first(_ID, sent_back) or own or _first(_ID, mail.text[:_MOST])


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None
