"""Carrying mail: into mailboxes, between them, out of the tenant, and back as reports and replies.

A mail that is sent becomes a new Internet message: each recipient inside the sandbox gets one of their
own, an unknown address inside the sandbox's domains brings the sender a non-delivery report, a mailbox
that is away answers each sender once, and what goes to the world outside is remembered in `outside`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage, Message
from email.utils import format_datetime
from typing import TYPE_CHECKING

from agent.sandbox import html_text, mime
from agent.sandbox.answers import Refused
from agent.sandbox.mailboxes import Mailbox
from agent.sandbox.stored import Address, StoredMessage

if TYPE_CHECKING:
    from agent.sandbox.tenant import Tenant

ONLY_EXCHANGE_WRITES = ("x-ms-exchange-organization-", "authentication-results", "return-path")
UNKNOWN_ADDRESS = "5.1.10"


@dataclass(frozen=True)
class OutsideMail:
    """A mail that left the sandbox for an address nobody here has."""

    to: str
    mime: bytes = field(repr=False)
    sent_at: datetime


@dataclass
class _LateCopy:
    """A mail that went out and does not lie in Sent Items yet."""

    mailbox: Mailbox
    draft: StoredMessage
    copy: StoredMessage
    due: datetime


class Transport:
    """The mail flow of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._late: list[_LateCopy] = []
        self.outside: list[OutsideMail] = []

    # In

    def deliver(
        self,
        raw: bytes,
        to: Sequence[str],
        received_at: datetime | None = None,
        authentication: str | None = None,
    ) -> list[StoredMessage]:
        """Put a MIME mail into the Inbox of each address; automatic replies answer it.

        `authentication` is "internal" (sent by a signed-in colleague), "pass" or "fail"; None judges by
        the domain in From. KeyError when an address is nobody's here.
        """
        boxes = [self._tenant.mailbox(address) for address in to]
        when = received_at or self._tenant.clock.now()
        arrived = [self._arrive(raw, box, when, authentication) for box in boxes]
        for box, message in zip(boxes, arrived, strict=True):
            self._answer_automatically(box, message)
        return arrived

    def _arrive(self, raw: bytes, box: Mailbox, when: datetime, authentication: str | None) -> StoredMessage:
        first_look = mime.parsed(raw)
        sender = next(iter(mime.addresses(first_look, "From")), Address(""))
        stamps = self._stamps(sender.address, box, when, authentication)
        by_machine = mime.header(first_look, "Auto-Submitted").startswith("auto-replied")
        stamps.append(("Return-Path", "<>" if by_machine else f"<{sender.address}>"))
        if not first_look.get("Message-ID"):
            stamps.append(("Message-ID", box.new_message_id()))
        stored = box.blank(box.known("inbox"))
        stored.source = mime.stamped(raw, stamps, ONLY_EXCHANGE_WRITES)
        mime.fill_from_mime(stored, stored.source, iter(box.mint.attachment, ""))
        stored.sent_at = mime.header_time(first_look) or when
        stored.received_at = when
        stored.conversation = stored.conversation or self._conversation(stored)
        return box.add(stored)

    def _conversation(self, stored: StoredMessage) -> bytes:
        """That of the mail it answers, wherever in the sandbox that lies."""
        known = self._tenant.conversations
        for message_id in reversed(stored.references):
            if message_id in known:
                return known[message_id]
        return known.setdefault(stored.internet_message_id, self._tenant.mint.conversation())

    def _stamps(
        self, sender: str, box: Mailbox, when: datetime, authentication: str | None
    ) -> list[tuple[str, str]]:
        domain = sender.rpartition("@")[2].lower()
        judged = authentication or ("internal" if domain in self._tenant.domains else "pass")
        received = (
            f"from {_host(domain)} by {_host(box.address)} with Microsoft SMTP Server "
            f"(version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.9000.1; {format_datetime(when)}"
        )
        return [
            ("Received", received),
            ("Authentication-Results", _verdict(judged, domain)),
            ("X-MS-Exchange-Organization-AuthAs", "Internal" if judged == "internal" else "Anonymous"),
        ]

    # Out

    def send(
        self, box: Mailbox, message: StoredMessage, save: bool = True, late: float | None = None
    ) -> None:
        """Send a draft, or a mail that lies nowhere yet; `late` delays the Sent Items copy, in seconds.

        The mail keeps its Internet-Message-ID; its ids in the mailbox, the immutable one too, are new.
        """
        _refuse_unsendable(box, message)
        now, habits = self._tenant.clock.now(), self._tenant.habits
        copy = replace(message)
        self._seal(box, copy, now)
        if not habits.draft_lingers:
            _take_out(box, message)
        if save:
            due = now + timedelta(seconds=habits.sent_copy_after if late is None else late)
            self._late.append(_LateCopy(box, message, copy, due))
            self.settle()
        self._carry(box, copy, now)

    def _seal(self, box: Mailbox, message: StoredMessage, now: datetime) -> None:
        if not self._tenant.habits.keeps_message_ids:
            message.internet_message_id = box.new_message_id()
        message.author = message.author or Address(box.address, box.name)
        message.submitted_by = Address(box.address, box.name)
        message.sent_at = message.received_at = now
        message.is_draft, message.is_read = False, True
        message.folder = box.known("sentitems")
        message.source = mime.composed(message, now)
        box.renew_ids(message)
        self._tenant.conversations.setdefault(message.internet_message_id, message.conversation)

    def settle(self) -> None:
        """Lay the copies whose time has come into Sent Items."""
        now = self._tenant.clock.now()
        for late in [late for late in self._late if late.due <= now]:
            self._late.remove(late)
            _take_out(late.mailbox, late.draft)
            late.mailbox.add(late.copy)

    def _carry(self, box: Mailbox, message: StoredMessage, now: datetime) -> None:
        raw = mime.written_afresh(message)
        unknown: list[str] = []
        reached: set[str] = set()
        for who in message.recipients:
            address = who.address.lower()
            if address in reached:
                continue
            reached.add(address)
            if address in self._tenant.mailboxes:
                self.deliver(raw, [address], now, "internal")
            elif address.rpartition("@")[2] in self._tenant.domains:
                unknown.append(who.address)
            else:
                self.outside.append(OutsideMail(address, raw, now))
        for address in unknown:
            self.bounce(box, message, address)

    # Back

    def bounce(
        self, box: Mailbox, message: StoredMessage, address: str, status: str = UNKNOWN_ADDRESS
    ) -> StoredMessage:
        """Tell the sender of `message` in their Inbox that `address` did not get it."""
        report = _report(box, message, address, status, self._tenant.clock.now(), box.new_message_id())
        return self._arrive(report, box, self._tenant.clock.now(), "internal")

    def _answer_automatically(self, box: Mailbox, message: StoredMessage) -> None:
        if not self._would_answer(box, message) or message.author is None:
            return
        box.replied_to.add(message.sender.lower())
        answer = _automatic_reply(box, message, self._tenant.clock.now(), box.new_message_id())
        target = message.sender.lower()
        if target in self._tenant.mailboxes:
            self._arrive(answer, self._tenant.mailboxes[target], self._tenant.clock.now(), "internal")
        elif target.rpartition("@")[2] not in self._tenant.domains:
            self.outside.append(OutsideMail(target, answer, self._tenant.clock.now()))

    def _would_answer(self, box: Mailbox, message: StoredMessage) -> bool:
        """Not to machines, not to those who ask not to be answered, not to one sender twice."""
        if not box.is_away or message.sender.lower() in box.replied_to | {"", box.address}:
            return False
        told = {name.lower(): value.lower() for name, value in message.headers}
        if told.get("auto-submitted", "no") != "no" or told.get("precedence") in {"bulk", "list", "junk"}:
            return False
        suppressed = {word.strip() for word in told.get("x-auto-response-suppress", "").split(",")}
        return not suppressed & {"all", "oof"}


def _take_out(box: Mailbox, message: StoredMessage) -> None:
    if box.holds(message):
        box.remove(message)


def _refuse_unsendable(box: Mailbox, message: StoredMessage) -> None:
    if not message.recipients:
        said = (
            "At least one recipient isn't valid., A message can't be sent unless at least one recipient "
            "is resolved."
        )
        raise Refused(400, "ErrorInvalidRecipients", said)
    if any("@" not in who.address for who in message.recipients):
        raise Refused(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
    if message.author is not None and message.author.address.lower() != box.address:
        said = (
            "The user account which was used to submit this request does not have the right to send mail on "
            "behalf of the specified sending account."
        )
        raise Refused(403, "ErrorSendAsDenied", said)


def _host(domain: str) -> str:
    name = domain.rpartition("@")[2].replace(".", "-") or "unknown"
    return f"{name}.mail.protection.sandbox.example"


def _verdict(judged: str, domain: str) -> str:
    if judged == "internal":
        return f"dkim=none (message not signed) header.d=none;dmarc=none action=none header.from={domain};"
    if judged == "fail":
        return (
            f"spf=fail (sender IP is 192.0.2.66) smtp.mailfrom={domain}; dkim=none (message not signed) "
            f"header.d=none;dmarc=fail action=quarantine header.from={domain};compauth=fail reason=000"
        )
    return (
        f"spf=pass (sender IP is 192.0.2.25) smtp.mailfrom={domain}; dkim=pass (signature was verified) "
        f"header.d={domain};dmarc=pass action=none header.from={domain};compauth=pass reason=100"
    )


def _answering(box: Mailbox, message: StoredMessage, now: datetime, message_id: str) -> EmailMessage:
    """The headers that every automatic answer to `message` shares."""
    answer = EmailMessage(policy=policy.SMTP)
    answer["Date"] = format_datetime(now)
    answer["Message-ID"] = message_id
    answer["In-Reply-To"] = message.internet_message_id
    answer["References"] = " ".join([*message.references, message.internet_message_id])
    answer["Auto-Submitted"] = "auto-replied"
    answer["Thread-Topic"] = " ".join(mime.bare_subject(message.subject).split())
    return answer


def _automatic_reply(box: Mailbox, message: StoredMessage, now: datetime, message_id: str) -> bytes:
    answer = _answering(box, message, now, message_id)
    answer["From"] = f'"{box.name}" <{box.address}>'
    answer["To"] = message.sender
    answer["Subject"] = f"Automatic reply: {' '.join(message.subject.split())}"
    answer["X-Auto-Response-Suppress"] = "All"
    answer.set_content(box.automatic_reply or "")
    answer.add_alternative(html_text.html_of_text(box.automatic_reply or ""), subtype="html")
    return answer.as_bytes()


def _report(
    box: Mailbox, message: StoredMessage, address: str, status: str, now: datetime, message_id: str
) -> bytes:
    domain = box.address.rpartition("@")[2]
    report = _answering(box, message, now, message_id)
    report["From"] = f'"Microsoft Outlook" <postmaster@{domain}>'
    report["To"] = box.address
    report["Subject"] = f"Undeliverable: {' '.join(message.subject.split())}"
    report["X-MS-Exchange-Message-Is-Ndr"] = ""
    report["Content-Language"] = "en-GB"
    report.set_content(_report_text(address, status))
    report.make_mixed()
    report.replace_header("Content-Type", 'multipart/report; report-type="delivery-status"')
    report.attach(_delivery_status(address, status, now, domain))
    report.attach(_original_headers(message))
    return report.as_bytes()


def _report_text(address: str, status: str) -> str:
    return (
        f"Your message to {address} couldn't be delivered.\n\n"
        f"{address.partition('@')[0]} wasn't found at {address.partition('@')[2]}.\n\n"
        f"Error: 550 {status} RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\n"
    )


def _delivery_status(address: str, status: str, now: datetime, domain: str) -> EmailMessage:
    whole, one = Message(), Message()
    whole["Reporting-MTA"] = f"dns;{_host(domain)}"
    whole["Arrival-Date"] = format_datetime(now)
    one["Final-Recipient"] = f"rfc822;{address}"
    one["Action"] = "failed"
    one["Status"] = status
    one["Diagnostic-Code"] = (
        f"smtp;550 {status} RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"
    )
    part = EmailMessage(policy=policy.SMTP)
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([whole, one])
    return part


def _original_headers(message: StoredMessage) -> EmailMessage:
    written = mime.written_afresh(message)
    headers = written.split(b"\r\n\r\n", 1)[0].decode("utf-8", "replace") + "\r\n"
    part = EmailMessage(policy=policy.SMTP)
    part.set_content(headers, subtype="rfc822-headers", cte="7bit" if headers.isascii() else "8bit")
    return part
