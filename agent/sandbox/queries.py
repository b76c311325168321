"""The OData that mail queries understand: $filter, $orderby, $select and $expand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from agent.sandbox.answers import Refused

if TYPE_CHECKING:
    from agent.sandbox.stored import StoredMessage


STRING = r"'((?:[^']|'')*)'"
NODE = re.compile(r"\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)", re.IGNORECASE)
COMPARISON = re.compile(rf"([A-Za-z/]+)\s+(eq|ne|ge|gt|le|lt)\s+(?:{STRING}|(\S+))", re.IGNORECASE)
STARTS_WITH = re.compile(rf"startswith\(\s*([A-Za-z/]+)\s*,\s*{STRING}\s*\)", re.IGNORECASE)
PROPERTY = re.compile(
    rf"singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id\s+eq\s+{STRING}\s+and\s+\1/value\s+eq\s+{STRING}\s*\)",
    re.IGNORECASE,
)
CATEGORY = re.compile(rf"categories/any\(\s*(\w+)\s*:\s*\1\s+eq\s+{STRING}\s*\)", re.IGNORECASE)
EXPANDED_PROPERTIES = re.compile(r"singleValueExtendedProperties\(\s*\$filter=(.*?)\)(?:,|$)", re.IGNORECASE)
PROPERTY_ID = re.compile(rf"id\s+eq\s+{STRING}", re.IGNORECASE)
PROPTAG = re.compile(r"(\w+) 0x([0-9a-f]{1,8})", re.IGNORECASE)
NAMED = re.compile(r"(\w+) \{([0-9a-f-]{36})\} (Name|Id) (.+)", re.IGNORECASE)

Test = Callable[["StoredMessage"], bool]
Getter = Callable[["StoredMessage"], Any]
FIELDS: dict[str, tuple[type, Getter]] = {
    "isread": (bool, lambda message: message.is_read),
    "isdraft": (bool, lambda message: message.is_draft),
    "hasattachments": (bool, lambda message: message.has_attachments),
    "subject": (str, lambda message: message.subject.casefold()),
    "importance": (str, lambda message: message.importance.casefold()),
    "internetmessageid": (str, lambda message: message.internet_message_id.casefold()),
    "conversationid": (str, lambda message: message.conversation_id.casefold()),
    "from/emailaddress/address": (str, lambda message: message.sender.casefold()),
    "receiveddatetime": (datetime, lambda message: message.received_at or message.created_at),
    "sentdatetime": (datetime, lambda message: message.sent_at or message.created_at),
    "createddatetime": (datetime, lambda message: message.created_at),
    "lastmodifieddatetime": (datetime, lambda message: message.modified_at),
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "ge": lambda left, right: left >= right,
    "gt": lambda left, right: left > right,
    "le": lambda left, right: left <= right,
    "lt": lambda left, right: left < right,
}


def property_id(text: str) -> str:
    """The normal form of an extended property's id: the name keeps its case, the rest does not."""
    if found := PROPTAG.fullmatch(text.strip()):
        return f"{found[1].capitalize()} 0x{int(found[2], 16):x}"
    if found := NAMED.fullmatch(text.strip()):
        return f"{found[1].capitalize()} {{{found[2].lower()}}} {found[3].capitalize()} {found[4]}"
    raise Refused(400, "ErrorInvalidProperty", f"The extended property id '{text}' is not valid.")


def matching(messages: Iterable[StoredMessage], filter_text: str) -> list[StoredMessage]:
    tests = tests_of(filter_text)
    return [message for message in messages if all(test(message) for test in tests)]


def tests_of(filter_text: str) -> list[Test]:
    """One test for each node of the filter; nodes are joined by `and`."""
    if not filter_text.strip():
        return []
    return [_test(node) for node in _nodes(filter_text)]


def _nodes(filter_text: str) -> list[str]:
    """The parts between the outer `and`s; the `and` inside Any(…) does not part."""
    nodes: list[str] = []
    for piece in NODE.split(filter_text.strip()):
        if nodes and nodes[-1].count("(") > nodes[-1].count(")"):
            nodes[-1] += f" and {piece}"
        else:
            nodes.append(piece)
    return nodes


def _test(node: str) -> Test:
    if found := PROPERTY.fullmatch(node):
        wanted, value = property_id(_unquoted(found[2])), _unquoted(found[3]).casefold()
        return lambda message: message.properties.get(wanted, "\0").casefold() == value
    if found := CATEGORY.fullmatch(node):
        category = _unquoted(found[2])
        return lambda message: category in message.categories
    if found := STARTS_WITH.fullmatch(node):
        (_, field), start = _field(found[1]), _unquoted(found[2]).casefold()
        return lambda message: str(field(message)).startswith(start)
    if found := COMPARISON.fullmatch(node):
        return _comparison(found)
    raise _invalid_filter()


def _comparison(found: re.Match[str]) -> Test:
    (kind, field), compare = _field(found[1]), COMPARE[found[2].lower()]
    value = _unquoted(found[3]).casefold() if found[3] is not None else _literal(found[4])
    if not isinstance(value, kind):
        raise _invalid_filter()
    return lambda message: compare(field(message), value)


def _field(name: str) -> tuple[type, Getter]:
    field = FIELDS.get(name.lower())
    if field is None:
        raise _no_property(name)
    return field


def _literal(text: str) -> bool | datetime:
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _invalid_filter() from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


def sorted_by(messages: list[StoredMessage], orderby: str, filter_text: str) -> list[StoredMessage]:
    """In the order asked for. What is sorted by must lead the filter, or Outlook refuses."""
    keys = [part.split() for part in orderby.split(",") if part.strip()]
    _refuse_inefficient([key[0] for key in keys], filter_text)
    for key in reversed(keys):
        (_, field), downwards = _field(key[0]), len(key) > 1 and key[1].lower() == "desc"
        messages = sorted(messages, key=field, reverse=downwards)
    return messages


def _refuse_inefficient(keys: list[str], filter_text: str) -> None:
    if not keys or not filter_text:
        return
    leading = [node.strip().split(" ")[0].lower() for node in _nodes(filter_text)][: len(keys)]
    if leading != [key.lower() for key in keys]:
        said = "The restriction or sort order is too complex for this operation."
        raise Refused(400, "InefficientFilter", said)


def selected(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """The property names of a $select, in Graph's own spelling; empty means all."""
    spelling = {name.lower(): name for name in known}
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name.lower() not in spelling:
            raise _no_property(name)
    return tuple(spelling[name.lower()] for name in names)


def expanded_properties(expand: str) -> tuple[str, ...]:
    """The ids of the extended properties that $expand asks for."""
    found = EXPANDED_PROPERTIES.search(expand)
    if found is None:
        return ()
    return tuple(property_id(_unquoted(text)) for text in PROPERTY_ID.findall(found[1]))


def wants_attachments(expand: str) -> bool:
    return re.search(r"(^|,)\s*attachments\b", expand, re.IGNORECASE) is not None


def whole_number(text: str | None, default: int, at_most: int) -> int:
    """The value of $top or $skip."""
    if text is None:
        return default
    if not text.isdigit() or int(text) > at_most:
        raise Refused(400, "ErrorInvalidUrlQuery", f"The query option value '{text}' is out of range.")
    return int(text)


def _invalid_filter() -> Refused:
    said = "The query filter contains one or more invalid nodes."
    return Refused(400, "ErrorInvalidUrlQueryFilter", said)


def _no_property(name: str) -> Refused:
    said = f"Could not find a property named '{name}' on type 'Microsoft.OutlookServices.Message'."
    return Refused(400, "RequestBroker--ParseUri", said)
