"""What a mail newly says: without what it quotes, its signature and its small print; and what it proposes.

A proposal is never a fact: it is shown to people, who act on it or do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from agent.procedure.coming_days import day_at
from agent.procedure.text import undressed

_MOST = 20_000  # characters of a mail that are looked at
_LINES = re.IGNORECASE | re.MULTILINE

# Where a quoted mail begins: what is below is not new, unless the quote marks each of its lines.
_QUOTE = re.compile(
    r"^[^\S\n]*(?:"
    r"-{2,}[^\S\n]*(?:original|forwarded) message|begin forwarded message|_{10,}[^\S\n]*$|"
    r"[*]*(?:from|von|de)[^\S\n]?:[*]*[^\n]+\n(?:[^\n]*\n){0,3}?"
    r"[^\S\n]*[*]*(?:sent|date|to|subject|gesendet|an|betreff|envoyé|à|objet)[^\S\n]?:"
    r")",
    _LINES,
)
_WROTE = re.compile(
    r"^[^\S\n]*(?:on\b[^\n]{5,160}(?:\n[^\n]{0,100})?\bwrote:|am\b[^\n]{5,160}\bschrieb[^\n]{0,80}:|"
    r"le\b[^\n]{5,160}\ba écrit[^\S\n]?:)[^\S\n]*$",
    _LINES,
)
_QUOTED_LINE = re.compile(r"^[^\S\n]*>.*$", re.MULTILINE)

_SIGNATURE = re.compile(
    r"^[^\S\n]*(?:--[^\S\n]*$|sent from my\b|sent from (?:outlook|mail)\b|get outlook for\b|"
    r"(?:(?:with )?(?:kind(?:est)?|best|warm|many) (?:regards|wishes|thanks)|regards|"
    r"yours (?:sincerely|faithfully)|(?:many )?thanks|thank you|best|"
    r"mit freundlichen grüßen|viele grüße|cordialement)[^\S\n]*[,.!]?[^\S\n]*$)",
    _LINES,
)
_SMALL_PRINT = re.compile(
    r"^[^\S\n]*(?:this (?:e-?mail|message|communication)\b[^\n]{0,120}\b(?:confidential|intended|attach)|"
    r"the (?:information|contents?)\b[^\n]{0,60}\b(?:e-?mail|message)|confidentiality notice|disclaimer\b|"
    r"please consider the environment|if you (?:are not the intended|have received this))",
    _LINES,
)
_BANNER = re.compile(
    r"^[^\S\n]*(?:\[?external\]?:?[^\S\n]*$|(?:caution|warning)[^\n]{0,20}\bthis e-?mail\b[^\n]*|"
    r"you don't often get e-?mail from[^\n]*)$",
    _LINES,
)


def new_words(text: str) -> str:
    """What was newly written in a mail, above, below or between what it quotes."""
    said = _BANNER.sub("", text[:_MOST])
    quote = _QUOTE.search(said)
    said = said[: quote.start()] if quote else said
    marked = _QUOTED_LINE.search(said) is not None
    wrote = _WROTE.search(said)
    if wrote and not marked:
        said = said[: wrote.start()]
    parts = (_own(part) for part in _QUOTED_LINE.split(_WROTE.sub("", said)))
    return "\n".join(part for part in parts if part)


def _own(part: str) -> str:
    """Without signature and small print; a word of thanks that comes first is no signature."""
    said = part.strip()
    ends = [found.start() for found in _SIGNATURE.finditer(said) if found.start() > 0]
    ends += [found.start() for found in _SMALL_PRINT.finditer(said)]
    return said[: min(ends)].rstrip() if ends else said


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a reply proposes: that nothing has changed, that the alert be closed, the next update's day, or
    that the alert be taken back, since it should never have been sent."""

    no_change: bool = False
    close: bool = False
    next_update: date | None = None
    withdraw: bool = False


NOTHING = Proposal()

_NO_CHANGE = re.compile(
    r"\bno (?:\w+ )?(?:changes?|updates?|news|developments?|progress)\b|"
    r"\bnothing (?:new|further|else|has changed|to (?:add|report|update))\b|"
    r"\b(?:remains|is|are|stays) (?:the same|unchanged)\b",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    r"\b(?:please|pls|can|could|may|ready|happy|ok(?:ay)?|need)\b[^.!?\n]{0,40}\b(?:be )?clos(?:ed?|ing)\b"
    r"(?! (?:contact|to|by|friend|relative|monitor))|"
    r"\bclosed?,? (?:please|pls|now)\b|"
    r"\b(?:alert|matter|case|this|it) (?:is|was|has been|should be|to be) (?:now )?(?:closed|concluded)\b|"
    r"\bno further action\b|\bnfa\b|"
    # a line that says no more than this and a courtesy: "Now concluded, many thanks"
    r"^\W*(?:(?:hi|hello|yes|ok(?:ay)?|all|now|this|it|alert|matter|case|has|been|is|was|it's)\b[^\w\n]*)*"
    r"(?:closed?|concluded)\b(?:[^\w\n]*\b(?:now|many|thanks?|thank you|thx|cheers|please|pls)\b)*\W*$",
    _LINES,
)
_WITHDRAW = re.compile(
    r"\b(?:sent|submitted|raised|forwarded|attached)\b[^.!?\n]{0,30}\b(?:in error|by (?:mistake|accident))\b|"
    r"\bwrong (?:form|attachment|file|document|recipients?|e-?mail)\b|"
    r"\b(?:please|pls|(?:can|could) (?:you|we))\b[^.!?\n]{0,20}\b(?:withdraw|retract|disregard|ignore)\b",
    re.IGNORECASE,
)
_NOT_CLOSE = re.compile(
    r"\b(?:not|n't|don't|cannot|can't|unable to|before)\b[^.!?\n]{0,30}\b(?:clos|conclud)|\bre-?open|"
    r"\bkeep\b[^.!?\n]{0,20}\bopen\b",
    re.IGNORECASE,
)
_NEXT_UPDATE = re.compile(
    r"\b(?:updates?|report back|review(?:ed)?)\b[^.!?\n]{0,30}?\b(?:by|on|due|before|for|date)\b[:\s]*"
    r"(?:(?:on|the)\s+)?|"
    r"\bnext update\b(?: is| will be)?[:\s]*(?=\d)",
    re.IGNORECASE,
)
_PAST = re.compile(r"(?<!\bbe )\b(?:sent|gave|provided|was|were|had|made|completed|last)\b", re.IGNORECASE)


def proposal_in(words: str, today: date) -> Proposal:
    """What is proposed in the new `words` of a reply that was written on `today`. Doubtful: nothing."""
    said = "\n".join(undressed(line) for line in words[:_MOST].splitlines())
    close = _CLOSE.search(said) is not None and _NOT_CLOSE.search(said) is None
    days = {
        day
        for cue in _NEXT_UPDATE.finditer(said)
        if not _PAST.search(said[max(0, cue.start() - 40) : cue.end()].rpartition("\n")[2])
        and (day := day_at(said[cue.end() : cue.end() + 60], today)[0]) is not None
    }
    return Proposal(
        no_change=_NO_CHANGE.search(said) is not None,
        close=close,
        next_update=days.pop() if len(days) == 1 else None,
        withdraw=_WITHDRAW.search(said) is not None,
    )
