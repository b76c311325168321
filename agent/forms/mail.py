"""A mail's MIME → a `Mail`. Whatever the bytes are, a mail comes back, if need be with problems."""

from __future__ import annotations

import binascii
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import policy
from email.feedparser import BytesFeedParser
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from agent.forms.bounce import bounce_of
from agent.forms.html import text_of_html
from agent.forms.parts import as_sent, within
from agent.forms.sniff import sniff
from agent.forms.units import Refused
from agent.forms.unpack import CARRIERS, Budget, carried, saved_mail
from agent.procedure.mail import Attachment, Mail

PIECE = 64 * 1024  # bytes of a mail that are parsed at a time
DEEPEST = 5  # mails within mails
MOST_PARTS = 500
MOST_TEXT = 2_000_000  # characters of body kept
MOST_ENCODED = 20_000  # characters of a header whose encoded words are decoded: that takes their square

INSIDE = " > "  # between a container's name and that of what it held
_UNTOLD = "application/octet-stream"

# Python knows these by the same names as charsets; no mail is written in them, and some take for ever.
_NO_CHARSETS = frozenset(("idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"))
_IDS = re.compile(r"<[^<>]+>")
_ANGLED = re.compile(r"<\s*([^<>\s@]+@[^<>\s@]+)\s*>")
_ADDRESS = re.compile(r"(?<![^\s<>,;:\"'()\[\]])[^\s<>,;:\"'()\[\]]+@[^\s<>,;:\"'()\[\]]+")


def read_mail(content: bytes, received_at: datetime | None = None) -> Mail:
    """The mail in `content`. `received_at` (aware) is what the mailbox says; else the topmost trace tells."""
    try:
        return _mail(_message(content), received_at, depth=0)
    except Refused as refused:
        said, content = f"{refused.code}: {refused}", b""
    except Exception as error:  # a broken mail must still be recorded, and asked about
        said = f"unreadable_mail: The mail could not be read ({type(error).__name__}); its raw text was kept."
    return _with_id(
        Mail(
            message_id="",
            subject="",
            sender="",
            sender_name="",
            to=(),
            cc=(),
            received_at=received_at,
            written_at=None,
            text=content[:MOST_TEXT].decode("utf-8", "replace"),
            problems=(said,),
        )
    )


def _message(content: bytes) -> Message:
    """Of a mail as it travels, or as Outlook saves it (.msg)."""
    if sniff(content) == "msg":
        return saved_mail(content, Budget())
    content = content.lstrip()
    if b"\n" not in content:  # as very old systems end their lines
        content = content.replace(b"\r", b"\n")
    return _parsed(content)


def _parsed(content: bytes) -> Message:
    """Fed piece by piece: `message_from_bytes` would first lay it all out, at four bytes a character."""
    parser = BytesFeedParser(policy=policy.compat32)
    for start in range(0, len(content), PIECE):
        parser.feed(content[start : start + PIECE])
    return parser.close()


def documents_of(mail: Mail) -> tuple[Attachment, ...]:
    """Every attached document of the mail and of mails within it, without inline pictures."""
    own = tuple(
        document
        for document in mail.attachments
        if not (document.inline and document.content_type.startswith("image/"))
    )
    return own + tuple(document for inner in mail.nested for document in documents_of(inner))


@dataclass
class _Gathered:
    """What the parts of one mail bring together."""

    depth: int
    texts: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    nested: list[Mail] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    parts: int = 0
    wrapped: list[str] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)


def _mail(message: Message, received_at: datetime | None, depth: int, budget: Budget | None = None) -> Mail:
    gathered = _Gathered(depth, budget=budget or Budget())
    _take(message, gathered)
    if not any(text.strip() for text in gathered.texts):
        gathered.texts += gathered.wrapped  # all that was said was said inside winmail.dat
    sender_name, sender = _sender(message)
    headers = {name.lower(): mended(value) for name, value in reversed(_raw_headers(message))}
    replied = _ids(_raw(message, "in-reply-to"))
    mail = Mail(
        message_id=next(iter(_ids(_raw(message, "message-id"))), ""),
        subject=" ".join(_decoded(_raw(message, "subject")).split()),
        sender=sender,
        sender_name=sender_name,
        to=_addresses(message, "to"),
        cc=_addresses(message, "cc"),
        received_at=received_at or _received(message),
        written_at=_moment(_raw(message, "date")),
        text="\n\n".join(text for text in gathered.texts if text.strip()).strip()[:MOST_TEXT],
        attachments=tuple(gathered.attachments),
        nested=tuple(gathered.nested),
        in_reply_to=replied[0] if replied else None,
        references=_ids(_raw(message, "references")),
        headers={name: _decoded(value) for name, value in headers.items()},
        problems=tuple(gathered.problems),
    )
    return replace(_with_id(mail), bounce=bounce_of(message, mail))


def _with_id(mail: Mail) -> Mail:
    """A mail without an id is named after what it says, so that it is the same mail next time."""
    return (
        mail if mail.message_id else replace(mail, message_id=f"<{mail.fingerprint}@no-message-id.invalid>")
    )


# --- parts ---------------------------------------------------------------------------------------


def _take(part: Message, into: _Gathered) -> None:
    """Put one part, and those within it, where it belongs."""
    into.parts += 1
    if into.parts > MOST_PARTS:
        if into.parts == MOST_PARTS + 1:
            into.problems.append(
                f"too_many_parts: The mail has more than {MOST_PARTS} parts; the rest was not read."
            )
        return
    kind = part.get_content_type()
    if kind == "message/rfc822":
        _take_mail(part, into)
    elif kind.startswith("multipart/") and not part.is_multipart():
        into.texts.append(_readable(part))  # its boundary was lost; what it says was not
    elif kind == "multipart/alternative":
        _take_best(part, into)
    elif part.is_multipart():
        for inner in within(part):
            _take(inner, into)
    elif kind in ("text/plain", "text/html") and not _is_document(part):
        into.texts.append(_readable(part))
    elif not kind.startswith("message/"):
        _take_document(part, into)


def _take_best(part: Message, into: _Gathered) -> None:
    """One mail said in several ways: the plain text where it says anything, else the page."""
    inner = within(part)
    texts = [one for one in inner if one.get_content_type() == "text/plain" and not _is_document(one)]
    plain = next((text for one in texts if (text := _readable(one)).strip()), None)
    for one in inner:
        kind = one.get_content_type()
        if kind == "text/plain" and not _is_document(one):
            continue
        if plain is not None and kind == "text/html" and not _is_document(one):
            continue
        before = len(into.texts)
        _take(one, into)
        if plain is not None:
            del into.texts[before:]
    if plain is not None:
        into.texts.append(plain)


def _take_mail(part: Message, into: _Gathered) -> None:
    """A mail attached as a mail."""
    inner = next(iter(within(part)), None)
    if inner is not None and not inner.keys() and not inner.is_multipart():
        # some writers encode the inner mail, which the standard does not foresee
        inner = _parsed(_payload(inner) or _payload(part))
    elif inner is None:
        inner = _parsed(_payload(part))
    if inner.keys():
        _take_inner(inner, into)


def _take_document(part: Message, into: _Gathered) -> None:
    content = _payload(part)
    name = _file_name(part)
    if name.lower().endswith(".eml") and re.match(rb"[\w-]+:", content):
        _take_inner(_parsed(content), into)
        return
    if not content and not name:
        return
    inline = part.get_content_disposition() == "inline" or bool(part.get("content-id"))
    _take_file(Attachment(name, part.get_content_type(), content, inline), into, 0)


def _take_file(file: Attachment, into: _Gathered, depth: int) -> None:
    """A document is kept; what only carries others is opened, and its name goes before theirs.

    What cannot be opened is kept as it is, so that the reader of documents can say why.
    """
    kind = sniff(file.content)
    if kind not in CARRIERS or depth >= DEEPEST:
        into.attachments.append(file)
        return
    try:
        inner = list(carried(file.content, kind, into.budget))
    except Refused:
        into.attachments.append(file)
        return
    for one in inner:
        if isinstance(one, str):
            into.wrapped.append(one)
        elif isinstance(one, Message):
            _take_inner(one, into)
        elif one.name.lower().endswith(".eml") and re.match(rb"[\w-]+:", one.content):
            _take_inner(_parsed(one.content), into)
        else:
            name = f"{file.name}{INSIDE}{one.name}"
            _take_file(Attachment(name, _UNTOLD, one.content, file.inline), into, depth + 1)


def _take_inner(message: Message, into: _Gathered) -> None:
    if into.depth >= DEEPEST:
        into.problems.append("too_deep: Mails are nested too deeply; the innermost were not read.")
        return
    into.nested.append(_mail(message, None, into.depth + 1, into.budget))


def _is_document(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_file_name(part))


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except Exception:  # RFC 2231 names in unknown character sets
        name = ""
    return re.sub(r"[\x00-\x1f]", "", _decoded(name)).strip()


def _payload(part: Message) -> bytes:
    if str(part.get("content-transfer-encoding", "")).lower() == "base64":
        # as `get_payload` does it, without its copies; what is odd is left to it
        with contextlib.suppress(ValueError):
            return binascii.a2b_base64(as_sent(part))
    try:
        payload = part.get_payload(decode=True)
    except Exception:  # malformed transfer encodings
        payload = None
    if isinstance(payload, bytes):
        return payload
    return as_sent(part).encode("utf-8", "surrogateescape")


def _readable(part: Message) -> str:
    content = _payload(part)
    if part.get_content_type() == "text/html":
        return text_of_html(_in_charset(content, part))
    return _in_charset(content, part).replace("\r\n", "\n").replace("\r", "\n")


def _in_charset(content: bytes, part: Message) -> str:
    """Text in the charset that is named, else in the one it must be."""
    try:
        named = str(part.get_content_charset() or "")
    except Exception:  # malformed parameters
        named = ""
    if named.lower().replace("-", "_") in _NO_CHARSETS:
        named = ""
    for charset in (named, "utf-8", "cp1252"):
        try:
            return content.decode(charset) if charset else content.decode("ascii")
        except (LookupError, ValueError):
            continue
    return content.decode("latin-1")


# --- headers -------------------------------------------------------------------------------------


def _raw_headers(message: Message) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in message.raw_items()]


def _raw(message: Message, name: str) -> str:
    return next((mended(value) for known, value in _raw_headers(message) if known.lower() == name), "")


def mended(text: str) -> str:
    """Bytes that a header should not hold, as what they most probably are."""
    if text.isascii():
        return text
    content = text.encode("utf-8", "surrogateescape")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _decoded(value: str) -> str:
    """A header's text with its encoded words decoded; the words of unknown charsets stay legible."""
    if "=?" not in value or len(value) > MOST_ENCODED:
        return mended(value)
    try:
        parts = decode_header(re.sub(r"\r?\n\s+", " ", value))
    except Exception:  # malformed encoded words
        return mended(value)
    said = []
    for content, charset in parts:
        if isinstance(content, str):
            said.append(content)
            continue
        try:
            said.append(content.decode(charset or "ascii"))
        except (LookupError, ValueError):
            said.append(mended(content.decode("utf-8", "surrogateescape")))
    return mended("".join(said))


def _sender(message: Message) -> tuple[str, str]:
    for name in ("from", "sender", "return-path"):
        # an address that stands where a name should is only claimed: `boss@here.example <x@there.example>`
        angled = [found.lower() for found in _ANGLED.findall(_raw(message, name))]
        for known, address in _people(message, name):
            if address and (not angled or address in angled):
                return known, address
        if angled:
            return "", angled[-1]
    # "MAILER-DAEMON" has no address to answer to, but says who speaks
    return _decoded(_raw(message, "from")).strip(' <>"'), ""


def _addresses(message: Message, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for _, address in _people(message, name) if address))


def _people(message: Message, name: str) -> Iterator[tuple[str, str]]:
    """Names and lower-case addresses of a header, all its lines together."""
    lines = [mended(value) for known, value in _raw_headers(message) if known.lower() == name]
    for line in lines:
        flat = re.sub(r"\r?\n\s+", " ", line)
        try:
            found = [
                (_decoded(known).strip(), address.strip().lower()) for known, address in getaddresses([flat])
            ]
        except Exception:  # malformed address lists
            found = []
        if any("@" in address for _, address in found):
            yield from ((known, address) for known, address in found if "@" in address)
        else:
            yield from (("", address.lower().strip("<>")) for address in _ADDRESS.findall(flat))


def _ids(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.sub(r"\s+", "", found) for found in _IDS.findall(value)))


def _received(message: Message) -> datetime | None:
    """When the last server on the way took the mail in."""
    for name, value in _raw_headers(message):
        if name.lower() == "received":
            return _moment(value.rpartition(";")[2])
    return None


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(" ".join(value.split()))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
