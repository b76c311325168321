"""What a part of a mail holds, whatever nonsense its headers say of it."""

from __future__ import annotations

from copy import copy
from email.message import Message


def within(part: Message) -> list[Message]:
    """The parts within a part; none where it holds text, whose charset is not looked at."""
    held = part.get_payload() if part.is_multipart() else ()
    return [one for one in held if isinstance(one, Message)]


def as_sent(part: Message) -> str:
    """A part's text as it travelled; "" where it holds other parts."""
    try:
        held = part.get_payload()
    except (TypeError, ValueError):  # a charset that is no name of one
        bare = copy(part)
        del bare["content-type"]
        held = bare.get_payload()
    return held if isinstance(held, str) else ""
