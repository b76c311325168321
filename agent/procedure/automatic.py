"""Is this mail written by a person? What speaks for a machine is weighed, and every reason is kept.

A sign that is sure by itself weighs `SURE`; others have to come together. `X-Auto-Response-Suppress` alone
proves nothing: people's own mail carries it, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agent.procedure import signs
from agent.procedure.mail import CLASS_HEADER, KEY_HEADER, Mail
from agent.procedure.text import undressed

SURE = 4
_LOOKED_AT = 3000  # characters of a mail's text

AUTO_REPLY = "automatic_reply"
OWN_LETTER = "own_letter"
PROTECTED = "protected"
RECALL = "recall"


@dataclass(frozen=True)
class Sign:
    """Something that speaks for one kind of mail, with its weight and the words to say it in."""

    kind: str
    weight: int
    because: str
    shows: Callable[[Mail], bool]


@dataclass(frozen=True)
class Verdict:
    """`kind` is a code, "" where a person may have written the mail; `because` are the signs of it."""

    kind: str = ""
    because: tuple[str, ...] = ()


def verdict(mail: Mail) -> Verdict:
    """The kind of mail that weighs most, if it is sure; of two that weigh the same, the first one."""
    weights: dict[str, int] = {}
    reasons: dict[str, list[str]] = {}
    for sign in SIGNS:
        if sign.shows(mail):
            weights[sign.kind] = weights.get(sign.kind, 0) + sign.weight
            reasons.setdefault(sign.kind, []).append(sign.because)
    kind = max(weights, key=lambda told: weights[told], default="")
    return Verdict(kind, tuple(reasons[kind])) if kind and weights[kind] >= SURE else Verdict()


# --- what the signs look at -----------------------------------------------------------------------


def _header(name: str, pattern: str = "") -> Callable[[Mail], bool]:
    """A header of this name, whose value matches."""
    wanted = re.compile(pattern, re.IGNORECASE)
    return lambda mail: name in mail.headers and wanted.search(mail.headers[name].strip()) is not None


def _subject(*patterns: str) -> Callable[[Mail], bool]:
    wanted = re.compile("|".join(patterns), re.IGNORECASE)
    return lambda mail: wanted.search(signs.shortened(undressed(mail.subject))) is not None


def _notice(*patterns: str) -> Callable[[Mail], bool]:
    """A subject that no person answered or sent on: what they say about a notice is their own."""
    shows = _subject(*patterns)
    return lambda mail: shows(mail) and _BY_A_PERSON.match(mail.subject) is None


_BY_A_PERSON = re.compile(r"^\s*(?:\[[^\]]{1,20}\]\s*)?(?:re|aw|sv|antw|fwd?|wg|tr)\s*:", re.IGNORECASE)


def _text(*patterns: str) -> Callable[[Mail], bool]:
    wanted = re.compile("|".join(patterns), re.IGNORECASE)
    return lambda mail: wanted.search(mail.text[:_LOOKED_AT]) is not None


def _sender(*patterns: str) -> Callable[[Mail], bool]:
    wanted = re.compile("|".join(patterns), re.IGNORECASE)
    return lambda mail: wanted.search(mail.sender) is not None


def _attached(name: str, content_type: str) -> Callable[[Mail], bool]:
    """A file of such a name or type; the mail itself may be the one thing it carries."""
    names, types = re.compile(name, re.IGNORECASE), re.compile(content_type, re.IGNORECASE)

    def shows(mail: Mail) -> bool:
        told = [(file.name, file.content_type) for file in mail.attachments]
        told.append(("", mail.headers.get("content-type", "")))
        return any(names.search(file) or types.search(kind) for file, kind in told)

    return shows


def _machine(flag: str) -> Callable[[Mail], bool]:
    """How the subject begins, as the clerk's rules know it."""

    def shows(mail: Mail) -> bool:
        subject = signs.shortened(undressed(mail.subject))
        return any(flag in flags and pattern.search(subject) for flags, pattern in signs.MACHINES)

    return shows


def _answers(mail: Mail) -> bool:
    return bool(mail.in_reply_to or mail.references)


def _answers_by_itself(mail: Mail) -> bool:
    """What Exchange says of its own answers, all three together."""
    generated = mail.headers.get("auto-submitted", "").split(";")[0].strip().lower() == "auto-generated"
    suppressed = mail.headers.get("x-auto-response-suppress", "").lower().replace(" ", "").split(",")
    return generated and "all" in suppressed and _answers(mail)


def _to_nobody(mail: Mail) -> bool:
    return _answers(mail) or mail.headers.get("return-path", "").strip() == "<>"


NO_REPLY = (
    r"^(?:no-?reply|do-?not-?reply|notifications?|noreply\S*)@|@(?:email\.)?(?:teams|sharepointonline)\."
)
_NEVER = r"(?!)"


def _item(pattern: str) -> Callable[[Mail], bool]:
    """What Outlook takes a saved mail for."""
    return _header(CLASS_HEADER, pattern)


SIGNS = (
    Sign(OWN_LETTER, 9, "it carries the key of a letter of ours", _header(KEY_HEADER)),
    Sign(PROTECTED, 6, "it is protected by rights (.rpmsg)", _attached(r"\.rpmsg$", r"rpmsg")),
    Sign(
        PROTECTED,
        6,
        "it is encrypted (S/MIME or PGP)",
        _attached(r"^smime\.p7m$", r"pkcs7-mime(?!.*signed-data)|^multipart/encrypted|pgp-encrypted"),
    ),
    Sign(
        PROTECTED,
        3,
        "it says that it is an encrypted message",
        _text(
            r"\bsent you an? (?:protected|encrypted|secure) (?:message|e-?mail)",
            r"\b(?:protected|encrypted|secure) (?:message|e-?mail)\b.{0,80}\b(?:open|read|view|passcode)",
            r"\b(?:open|read|view|click)\b.{0,60}\b(?:protected|encrypted|secure) (?:message|e-?mail)",
        ),
    ),
    Sign(
        PROTECTED, 3, "what it says is in an attached page", _attached(r"^message(?:_v\d)?\.html?$", _NEVER)
    ),
    Sign(PROTECTED, 2, "a one-time passcode opens it", _text(r"one-time (?:passcode|password)")),
    Sign(PROTECTED, 6, "Outlook takes it for an encrypted mail", _item(r"^IPM\.Note\.SMIME$")),
    Sign(RECALL, 8, "Outlook takes it for a recall", _item(r"^IPM\.Outlook\.Recall")),
    Sign(RECALL, 8, "its subject says that a mail is recalled", _machine("recall")),
    Sign(
        "read_receipt",
        6,
        "it is built as a read receipt",
        _attached(_NEVER, r"disposition-notification"),
    ),
    Sign("read_receipt", 5, "its subject begins as that of a read receipt", _machine("read_receipt")),
    Sign("feedback_report", 6, "it is built as a complaint report", _attached(_NEVER, r"feedback-report")),
    Sign("read_receipt", 6, "Outlook takes it for a receipt", _item(r"^REPORT\..*\.(?:IPNRN|IPNNRN|DR)$")),
    Sign("calendar", 6, "Outlook takes it for a calendar entry", _item(r"^IPM\.(?:Appointment|Schedule)")),
    Sign("calendar", 6, "it carries a calendar entry", _attached(_NEVER, r"^text/calendar")),
    Sign("calendar", 6, "a header says so", _header("content-class", "calendarmessage")),
    Sign(
        "calendar",
        5,
        "its subject answers an invitation",
        _subject(r"^\s*(?:accepted|declined|tentative|cancell?ed|updated invitation|invitation)\s*:"),
    ),
    Sign(
        AUTO_REPLY,
        4,
        "a header says that it was answered by itself",
        _header("auto-submitted", "^auto-replied"),
    ),
    Sign(AUTO_REPLY, 4, "its subject begins as that of an automatic reply", _machine("auto_reply")),
    Sign(AUTO_REPLY, 4, "a header names the program that answers", _header("x-autoreply")),
    Sign(AUTO_REPLY, 4, "a header names the program that answers", _header("x-autorespond")),
    Sign(AUTO_REPLY, 4, "its precedence is that of an automatic reply", _header("precedence", "^auto_reply")),
    Sign(AUTO_REPLY, 5, "Outlook takes it for an automatic reply", _item(r"^IPM\.Note\.Rules\.\w*Template")),
    Sign(AUTO_REPLY, 5, "Exchange says that it answered by itself", _answers_by_itself),
    Sign(
        AUTO_REPLY,
        2,
        "its subject says that somebody is away",
        _subject(
            r"^(?:out of (?:the )?office|ooo|away|on (?:annual )?leave|absen\w*|abwesen\w*|afwezig\w*)\b"
            r"\s*(?:$|[-:,]|until|till|from|bis)",
            r"^auto[ -]?(?:respon|repl)",
        ),
    ),
    Sign(
        AUTO_REPLY,
        1,
        "its text says that somebody is away",
        _text(
            r"\bout of (?:the )?office\b", r"\b(?:annual|sick|maternity) leave\b", r"\bam (?:away|on leave)\b"
        ),
    ),
    Sign(AUTO_REPLY, 1, "it answers a mail", _to_nobody),
    Sign(
        "voicemail",
        3,
        "its subject tells of a voice message or call",
        _notice(r"\bvoice ?(?:mail|message)\b", r"\bmissed call\b"),
    ),
    Sign("voicemail", 2, "it carries a recording", _attached(r"\.(?:wav|mp3|m4a|amr)$", r"^audio/")),
    Sign("voicemail", 1, "nobody reads answers to its sender", _sender(NO_REPLY, r"voicemail|unity")),
    Sign(
        "share_notice",
        3,
        "its subject says that a file was shared, or something written, elsewhere",
        _notice(
            r"\bshared\b.{0,80}\bwith you\b",
            r"\b(?:sent|posted|mentioned|added) .{0,40}\b(?:in|to) .{0,40}\b(?:teams|channel|chat)\b",
            r"\bin (?:microsoft )?teams\b",
        ),
    ),
    Sign("share_notice", 2, "it was sent by such a service", _sender(NO_REPLY)),
    Sign(
        "quarantine",
        3,
        "its subject tells of mails held back",
        _notice(r"\bquarantine", r"\b(?:held|blocked) messages?\b", r"\bspam (?:digest|report|summary)\b"),
    ),
    Sign(
        "quarantine",
        2,
        "it was sent by what holds mails back",
        _sender(NO_REPLY, r"quarantine|mimecast|spam"),
    ),
    Sign("quarantine", 1, "its text offers to release them", _text(r"\brelease\b")),
    Sign(
        "challenge",
        3,
        "its text asks to prove that a person wrote",
        _text(
            r"\b(?:confirm|verify|prove)\b.{0,60}\b(?:you are (?:a|an)\b|your (?:e-?mail|message|address))",
            r"\b(?:before|until)\b.{0,60}\b(?:message|e-?mail) (?:will be|can be|is) delivered",
        ),
    ),
    Sign(
        "challenge",
        2,
        "its subject asks to confirm",
        _subject(r"\b(?:please )?(?:confirm|verify)\b|\bverification\b|\bchallenge\b"),
    ),
    Sign("challenge", 1, "it answers a mail", _to_nobody),
    Sign("newsletter", 4, "it can be unsubscribed from", _header("list-unsubscribe")),
    Sign("newsletter", 4, "it came through a list", _header("list-id")),
    Sign(
        "newsletter",
        4,
        "its precedence is that of mail to many",
        _header("precedence", "^(?:bulk|list|junk)$"),
    ),
    Sign(
        "automatic_notice",
        4,
        "a header says that no person sent it",
        _header("auto-submitted", r"^(?!no\b|auto-replied).+"),
    ),
)
