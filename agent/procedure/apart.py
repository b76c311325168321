"""One subject line, or one file's name, taken to pieces: what is known is found and taken out in turn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from agent.procedure import signs
from agent.procedure.named import Named, named_in
from agent.procedure.rules import Procedure, Subject
from agent.procedure.text import slips, undressed, words
from agent.procedure.written_dates import WrittenDate, without_dates, written_dates


@dataclass(frozen=True)
class Pieces:
    """What stands in one text.

    `phrase` says by which of the procedure's names the alert is called: "full", "old", "alternative",
    "sister", "short" or "". `marking` is "full", "variant", "partial" or "". `says` are the matters its
    words tell of (update, missing, closure, returned, false_missing); `slips` those of the finger.
    """

    text: str
    rest: str
    phrase: str
    slips: int
    marking: str
    says: frozenset[str]
    dates: tuple[WrittenDate, ...]
    named: Named | None
    flags: frozenset[str]


def take_apart(text: str, procedure: Procedure, *, is_file: bool = False) -> Pieces:
    """Everything that is said in a text with plain quotes and hyphens (see `text.undressed`)."""
    rules = procedure.subject
    flags = {flag for flag, sign in signs.SIGNS.items() if sign.search(text)}
    rest = text
    if is_file:
        flags |= _versions(text)
        rest = re.sub(r"\b([OD])_(?=[A-Z])", r"\1'", rest)
        rest = signs.COPY.sub(" | ", rest)
        rest = re.sub(r"(?<!\d)_|_(?!\d)", " ", rest)
    numbered = False
    if "scan_or_photo" not in flags:  # a camera numbers its pictures
        rest, numbered = _ids_out(rest, procedure)
    dates = tuple(_form_dates(written_dates(rest)) if is_file else written_dates(rest))
    rest = without_dates(rest).replace("_", " ")
    rest, phrase, phrase_slips, as_written = _phrase_out(rest, rules)
    rest, marking, marking_slips = _marking_out(rest, rules)
    rest, hours = _hours_out(rest)
    says, word_slips, plain = _kinds(rest, rules)
    rest = signs.VERSION.sub(" | ", signs.NUMBERED.sub(" | ", plain))
    if numbered:
        flags.add("system_id_present")
    if as_written and as_written in (as_written.lower(), as_written.upper()):
        flags.add("case_variant")
    return Pieces(
        text=text,
        rest=rest,
        phrase=phrase,
        slips=phrase_slips + marking_slips + word_slips,
        marking=marking,
        says=says,
        dates=dates,
        named=named_in(rest, lower=text == text.lower()),
        flags=frozenset(flags | hours),
    )


def _form_dates(dates: Iterable[WrittenDate]) -> Iterator[WrittenDate]:
    """In a file's name a date after "death" or "incident" is the form's all the same."""
    return (replace(one, about="") if one.about == "event" else one for one in dates)


def _versions(text: str) -> set[str]:
    found = set()
    if signs.VERSION.search(text):
        found.add("version_suffix")
    if signs.COPY.search(text):
        found.add("duplicate_suspected")
    return found


def _ids_out(text: str, procedure: Procedure) -> tuple[str, bool]:
    """Take out references of our own and the child's number in the case system."""
    text = _reference(procedure.reference_prefix).sub(" | ", text)
    known = "|".join(re.escape(name) for name in sorted(procedure.system_id_names, key=len, reverse=True))
    labelled = rf"\(?\b(?:{known})\b[\s:#.no]*\d{{4,10}}\b\)?" if known else r"(?!)"
    without, times = re.subn(labelled, " | ", text, flags=re.I)
    bare = [found for found in signs.LONG_NUMBER.finditer(without) if not written_dates(found[0])]
    for found in reversed(bare):
        without = f"{without[: found.start()]} | {without[found.end() :]}"
    return without, bool(times or bare)


def _phrase_out(text: str, rules: Subject) -> tuple[str, str, int, str]:
    longer = [name for name in rules.sister_forms if _phrase(rules.phrase) in _phrase(name)]
    for phrase, called in (
        *((name, "sister") for name in longer),
        *((rules.phrase, "full"),),
        *((name, "old") for name in rules.old_names),
        *((name, "alternative") for name in rules.alternative_names),
        *((name, "sister") for name in rules.sister_forms),
        *((name, "short") for name in rules.short_names),
    ):
        found = find(text, phrase, most=0 if called == "short" else 2)
        if found:
            start, end, count = found
            return f"{text[:start]} | {text[end:]}", called, count, text[start:end]
    return text, "", 0, ""


def find(text: str, phrase: str, most: int) -> tuple[int, int, int] | None:
    """Where `phrase` stands in `text` with the fewest slips, at most `most`: start, end, slips."""
    wanted = _phrase(phrase)
    tokens = _tokens(text)
    size = wanted.count(" ") + 1
    best: tuple[int, int, int] | None = None
    for count in dict.fromkeys((size, size - 1, size + 1, 1)) if most else (size,):
        for first in range(len(tokens) - count + 1) if count else ():
            some = tokens[first : first + count]
            told = " ".join(word for _, _, word in some)
            start, end = some[0][0], some[-1][1]
            if abs(len(told) - len(wanted)) > most or "|" in text[start:end]:
                continue
            slipped = slips(told, wanted, most if best is None else best[2] - 1)
            if slipped == 0:
                return start, end, 0
            if slipped <= most and (best is None or slipped < best[2]):
                best = (start, end, slipped)
    return best


@lru_cache(maxsize=1024)
def _phrase(phrase: str) -> str:
    return " ".join(words(phrase))


@lru_cache(maxsize=16)
def _tokens(text: str) -> tuple[tuple[int, int, str], ...]:
    """The words of a text with their places, folded for comparing."""
    return tuple(
        (match.start(), match.end(), " ".join(words(match[0]))) for match in re.finditer(r"[\w']+", text)
    )


def _marking_out(text: str, rules: Subject) -> tuple[str, str, int]:
    plain = re.sub(r"\s*(?:&|\+)\s*", " and ", text)
    for marking in rules.marking:
        found = find(plain, marking, most=2)
        if found:
            start, end, count = found
            kept = "full" if find(text, marking, most=2) else "variant"
            return f"{plain[:start]} | {plain[end:]}", kept, count if kept == "full" else 0
        weighty = [word for word in words(marking) if len(word) > 3]
        there = [span for word in weighty if (span := find(text, word, most=1))]
        if there:
            for start, end, _ in sorted(there, reverse=True):
                text = f"{text[:start]} | {text[end:]}"
            return text, "variant" if len(there) == len(weighty) else "partial", 0
    return text, "", 0


def _hours_out(text: str) -> tuple[str, set[str]]:
    hours = [int(found["hours"]) for found in signs.HOURS.finditer(text)]
    if not hours:
        return text, set()
    most = max(hours)
    flag = "over_48h" if most >= 48 else "over_24h" if most >= 24 else "under_24h_judgement"
    return signs.HOURS.sub(" | ", text), {flag}


def _kinds(text: str, rules: Subject) -> tuple[frozenset[str], int, str]:
    """What the words say is the matter, the slips in them, and the text without them."""
    says = set()
    slipped = 0
    rest = text
    for kind, told in (
        ("closure", rules.closure_words),
        ("update", rules.update_words),
        ("returned", rules.returned_words),
        ("missing", rules.missing_words),
    ):
        slip = 1 if kind == "update" else 0
        for word, most in [*((word, 0) for word in told), *((word, slip) for word in told if len(word) > 5)]:
            found = find(rest, word, most)
            if found:
                says.add(kind)
                slipped += found[2]
                rest = f"{rest[: found[0]]} | {rest[found[1] :]}"
    if signs.NOT_MISSING.search(text):
        says = (says - {"missing"}) | {"false_missing"}
    if signs.NOT_CLOSED.search(text):
        says.discard("closure")
    return frozenset(says), slipped, rest


def references_in(text: str, procedure: Procedure) -> tuple[str, ...]:
    """This procedure's own references, however they were punctuated, as they are written in the ledger."""
    prefix = procedure.reference_prefix
    found = (one.groups() for one in _reference(prefix).finditer(undressed(text)))
    return tuple(dict.fromkeys(f"{prefix}-{year}-{_figures(number):04d}" for year, number in found))


@lru_cache(maxsize=64)
def _reference(prefix: str) -> re.Pattern[str]:
    """A reference as thumbs write it: `SLA-2026-0042`, `sla 2026/42O`, `SLA2026 0042`. Blanks and dots may be
    anything's; between year and number they count only before a nought, with which most numbers begin."""
    return re.compile(
        rf"(?<!\w){re.escape(prefix)}[\s\-_/.:#]{{0,3}}(\d{{4}})"
        r"(?:[\-_/]|[\s\-_/.]{1,3}(?=[0o]))(?=\w*\d)([\do]{3,6})(?!\w)",
        re.IGNORECASE,
    )


def _figures(number: str) -> int:
    """The number, a letter O in it being the nought that was meant."""
    return int(number.lower().replace("o", "0"))


def bears_phrase(subject: str, procedure: Procedure) -> bool:
    """Whether the procedure's phrase stands in a subject (NCT 6.1), slips of the finger forgiven."""
    return find(undressed(subject), procedure.subject.phrase, most=2) is not None


def bears_marking(text: str, procedure: Procedure) -> bool:
    """Whether the procedure's marking stands in a text, with "and" or "&", in any case."""
    plain = re.sub(r"\s*(?:&|\+)\s*", " and ", undressed(text))
    return any(find(plain, marking, most=2) for marking in procedure.subject.marking)
