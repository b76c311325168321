"""Is a mail from whom it says, and from inside? As the mailbox's own server wrote on its envelope."""

from __future__ import annotations

import re

from agent.procedure.mail import Mail
from agent.procedure.people import People
from agent.procedure.questions import EXTERNAL, UNPROVEN

_RESULT = re.compile(r"(?:^|;)\s*(compauth|dmarc|dkim|spf)\s*=\s*(\w+)")
_ASIDE = re.compile(r"\([^()]*\)|\"[^\"]*\"")  # comments and quoted words, which a sender may have chosen
_AUTHENTICATED_AS = "x-ms-exchange-organization-authas"


def doubts_about_sender(mail: Mail, people: People) -> tuple[str, ...]:
    """Why the sender's word does not count by itself: not proven to be theirs, or from outside."""
    if is_forged(mail):
        return (UNPROVEN,)
    inside = people.is_inside(mail.sender) or mail.sender.lower() in people.own
    return () if inside else (EXTERNAL,)


def is_forged(mail: Mail) -> bool:
    """Whether the server could not prove that a mail comes from the domain it names (RFC 8601).

    Exchange weighs it all together in `compauth`; where that decides nothing, DMARC tells, else SPF and DKIM.
    Where nothing was proven either way, it counts whether the mail came in from outside, as "Anonymous". A
    mail on which no server wrote anything never left the house.
    """
    told = _RESULT.findall(_ASIDE.sub("", mail.headers.get("authentication-results", "").lower()))
    found: dict[str, str] = dict(reversed(told))
    if found.get("compauth") in ("pass", "softpass", "fail"):
        return found["compauth"] == "fail"
    if found.get("dmarc") not in (None, "none", "bestguesspass"):
        return found["dmarc"] == "fail"
    if found.get("spf") in ("fail", "softfail") and found.get("dkim") != "pass":
        return True
    came_in = mail.headers.get(_AUTHENTICATED_AS, "").strip().lower() == "anonymous"
    return came_in and "pass" not in found.values()
