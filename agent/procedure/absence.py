"""What an automatic reply says of its writer, where it says it plainly: back when, and who stands in."""

from __future__ import annotations

import re
from datetime import date, timedelta

from agent.procedure.coming_days import day_at

MOST_READ = 4000  # characters of a reply
_NEAR = 60  # characters after a cue within which its day must end

_FILLER = (
    r"(?:[\s:,-]+(?:to|in|at|the|my|our|office|work|duty|desk|date|on|from|again|and|be|will|i|"
    r"up|including|close|of|business|am|le|dem|der|zum|einschlie(?:ss|ß)lich|next|this)\b)*[\s:,-]*"
)
_BACK = re.compile(
    r"\b(?:return(?:ing|s|ed)?|back|available again|de retour|à partir du|ab)\b" + _FILLER, re.IGNORECASE
)
_UNTIL = re.compile(
    r"\b(?:until|till|til|through|up to|away to|leave to|bis|jusqu'au|"
    r"(?:from|between|vom)\s[^.!?\n]{3,40}?\s(?:to|and|until|bis))\b" + _FILLER,
    re.IGNORECASE,
)
_INCLUDED = re.compile(r"^[\s(,]*(?:inclusive|incl\b|einschl)", re.IGNORECASE)
_INCLUDING = re.compile(r"including|inclusive|einschl|through", re.IGNORECASE)


def return_date(text: str, today: date) -> date | None:
    """The day on which the writer says they are back, when they say just one, plainly.

    What they say of their return counts before the end of their absence. A day without a month or year is
    the next such day after `today`; one in the past, or more than a year ahead, is not believed.
    """
    said = text[:MOST_READ]
    for cue in (_BACK, _UNTIL):
        days = {found for match in cue.finditer(said) if (found := _day_after(match, said, today))}
        if days:
            return days.pop() if len(days) == 1 else None
    return None


def _day_after(cue: re.Match[str], said: str, today: date) -> date | None:
    """The day that stands right behind a cue; the day after it where that one is still spent away."""
    rest = said[cue.end() : cue.end() + _NEAR]
    found, end = day_at(rest, today)
    included = _INCLUDED.match(rest[end:]) or _INCLUDING.search(cue[0])
    return found + timedelta(days=1) if found and included and cue.re is _UNTIL else found


_LEFT = re.compile(
    r"\bno longer (?:works?|working|employed|with (?:the|us)|part of)\b|"
    r"\b(?:has|have|'ve) (?:now )?left (?:the |our |my )?(?:\w+ )?"
    r"(?:organi[sz]ation|trust|council|company|authority|service|employment|team)\b",
    re.IGNORECASE,
)


def has_left(text: str) -> bool:
    """Whether the mailbox answers that its owner works there no longer: nobody will be back."""
    return _LEFT.search(text[:MOST_READ]) is not None


# --- who stands in ---------------------------------------------------------------------------------

_TURN_TO = re.compile(
    r"\b(?:contact|call|e-?mail|phone|ring|speak (?:to|with)|get in touch with|refer (?:them |it )?to|"
    r"direct (?:\w+ ){0,3}to|forward (?:\w+ ){0,3}to|covering for me is|covered by|deputy is|"
    r"(?:wenden sie sich|kontaktieren sie)(?: bitte)?(?: an)?|(?:veuillez )?contacter)\s+"
    r"(?P<who>(?:[^.!?;\n]|\.(?=\w)){3,160})",
    re.IGNORECASE,
)
_COVERING = re.compile(
    r"(?P<who>[^.!?;\n]{3,80}?)\s+(?:is|will be) (?:covering (?:for me|my)|deputi[sz]ing|standing in)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_WORD = r"[A-Z][a-zA-Z'’-]*[a-z][a-zA-Z'’-]*"
_NAME = re.compile(rf"(?<![\w@.'-]){_WORD}(?: {_WORD}){{1,3}}(?![\w@])")
_NO_NAME = frozenset(
    ["i", "please", "if", "for", "in", "my", "the", "kind", "best", "regards", "monday", "friday", "dear"]
)


def deputy(text: str) -> str:
    """Who is to be turned to meanwhile: `Jane Doe <jane.doe@trust.example>`, a name or an address.

    "" where nobody is named so, or more than one person is.
    """
    told = [
        _person(match["who"]) for cue in (_TURN_TO, _COVERING) for match in cue.finditer(text[:MOST_READ])
    ]
    names = {name for named, _ in told for name in named}
    addresses = {address for _, written in told for address in written}
    if len(addresses) > 1 or len(names) > 1:
        return ""
    name, address = next(iter(names), ""), next(iter(addresses), "")
    return f"{name} <{address}>" if name and address else name or address


def _person(who: str) -> tuple[list[str], list[str]]:
    """The names and the addresses in a few words."""
    names = [name for name in _NAME.findall(who) if name.split()[0].lower() not in _NO_NAME]
    return names, [address.lower().rstrip(".") for address in _ADDRESS.findall(who)]
