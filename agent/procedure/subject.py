"""What a subject line and its attachments' names say, read as a careful clerk reads them (NCT 6.1).

Everything known is found and taken out, piece by piece; what is left may be a name. Nothing is guessed:
a date that does not exist, two dates, two children or half a sentence give None and a flag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from agent.procedure.named import Named, named_in
from agent.procedure.names import DRESS, differences, is_full, is_initials, name_words, share_a_word
from agent.procedure.rules import Procedure, Subject
from agent.procedure.text import fold, slips, undressed, words
from agent.procedure.words import Kind
from agent.procedure.written_dates import WrittenDate, without_dates, written_dates


@dataclass(frozen=True)
class SubjectSays:
    """What a subject and its attachments' names say by themselves. `child` is as a clerk would write
    it, brothers and sisters joined by "; "; `date` is the one that is written there, not the incident's."""

    kind: Kind
    child: str | None
    date: date | None
    flags: frozenset[str]
    references: tuple[str, ...]


@dataclass(frozen=True)
class _Text:
    """One text (a subject, or a file's name) taken to pieces."""

    text: str
    rest: str
    phrase: str  # "", "full", "old", "alternative", "sister" or "short"
    slips: int
    marking: str  # "", "full", "variant" or "partial"
    says: frozenset[str]  # update, missing, closure, returned
    dates: tuple[WrittenDate, ...]
    named: Named | None
    flags: frozenset[str]


_PREFIX = re.compile(r"^\s*(?:(?:re|fw|fwd|aw|wg|tr|sv|rv|antw)\s*(?:\[\d+\]|\(\d+\))?\s*:|\[[^\]]{1,20}\]|\(\d+\)|external:)\s*", re.I)
_COPY = re.compile(r"\s*\((\d{1,2})\)\s*$|\bcopy\b(?:\s+of\b)?|\s-\s+copy\b", re.I)
_VERSION = re.compile(r"\b(?:v(?:er(?:sion)?)?\.?\s?\d+(?:\.\d+)?|final|draft|rev\s?\d)\b", re.I)
_LINK = re.compile(r"\bshared\s+(?:a\s+\w+\s+)?[\"'](?P<what>[^\"]+)[\"']\s+with you|^(?P<who>.+?)\s+(?:has\s+)?(?:shared|invited you)\b.*?[\"'](?P<thing>[^\"]+)[\"']", re.I)
_HOURS = re.compile(r"(?<!\w)(?P<hours>\d{1,3})\s*\+?\s*(?:hrs?|hours?|h)\b\s*\+?", re.I)
_LONG_NUMBER = re.compile(r"(?<!\w)\d{6,10}(?!\w)")
_NUMBERED = re.compile(r"(?<=\bupdate)\s*(?:no\.?\s*|number\s*|#)?\d{1,2}(?![\w./-])", re.I)
_NOT_MISSING = re.compile(r"\bmissing\s+(?:page|pages|attachment|form|info|information|signature|details?|from (?:the )?(?:form|tracker|email))\b|\b(?:attachment|page|signature|form) missing\b|\bnot missing\b", re.I)
_QUERY = re.compile(r"\b(?:needed|required|necessary|poss|possible|possibly|do we need|should (?:we|i)|is (?:this|it) an?|advice|query|threshold|does this)\b", re.I)
_NOT_CLOSED = re.compile(r"\b(?:not (?:yet )?(?:to be )?clos|do not close|don't close|re-?open|school closed?)", re.I)

# What a reader notices at once, wherever it stands.
_SIGNS = tuple(
    (flag, re.compile(pattern, re.I))
    for flag, pattern in (
        ("s47_event", r"\bs\.?\s?47\b|\bsection 47\b"),
        ("yos_charge", r"\b(?:yos|yjs|youth offending|youth justice)\b.*\bcharged?\b|\bcharged\b.*\bs\.?\s?(?:18|20)\b"),
        ("staff_subject", r"\ballegations?\b.*\b(?:worker|staff|carer|teacher|manager|employee|officer)\b|\bstaff\s+(?:allegation|conduct|matter|member|suspen)|\b(?:staff|employee)\b.*\b(?:conduct|suspended|arrested|allegation)|\bmember of staff\b"),
        ("other_la_child", r"\bplaced\s+(?:in|with|here)\b.*\bby\b|\bother la\b|\bout of (?:county|area) placement|\b(?:la|authority) child\b"),
        ("care_leaver", r"\bcare[\s-]?leaver"),
        ("group_incident", r"\bgroup of\b|\b(?:several|multiple|various)\s+(?:yp|young people|children|residents)|\bx\s?\d+\s+(?:yp|young people|residents)|\b\d+\s+(?:yp|young people|residents)\b"),
        ("holding_message", r"\bholding\b|\b(?:form|details|more|sla|slaf) to follow\b|\bto follow\b|\bheads[ -]up\b"),
        ("consider_list", r"\b(?:media|press|newspaper|journalist|ofsted|inquest|complaint|councillor|mp interest)\b"),
        ("password_suspected", r"\b(?:protected|password|encrypted|locked)\b"),
        ("scan_or_photo", r"^(?:img|dsc|scan|photo|pxl|image)[\s_-]*\d|\bscan(?:ned)?\b|\bphoto\b"),
        ("partly_returned", r"\b(?:\d|one|two|three)\s+(?:of|out of)\s+(?:the\s+)?(?:\d|two|three|four|five)\b.*\b(?:returned|found|located)|\bpart(?:ly|ially) returned"),
        ("wrong_attachment_suspected", r"\bwrong (?:attachment|form|document|child)\b|\bcorrect (?:attachment|form) (?:this time|attached)"),
    )
)
_SENSITIVE = re.compile(
    r"\ballegations?\b|\bs\.?\s?47\b|\bcharged\b|\barrest|\bconvict|\b(?:child|cla|lac|yp|young person)\s+missing\b|"
    r"\bmissing\s+(?:child|yp|from (?:care|home|placement))\b(?!ren)|\bdeath\b|\bdied\b|\bdeceased\b|\bsuicid|\boverdose|"
    r"\bself[ -]?harm|\bstabb|\brape|\bsexual|\bassault|\bcse\b|\bcce\b|\babuse|\bneglect|\bexploit|\bserious (?:injur|harm)|"
    r"\bpregnan|\bdrown|\bmurder|\bgbh\b|\boffence",
    re.I,
)
# Mail that machines write, by how its subject begins.
_MACHINES = tuple(
    (frozenset(flags.split()), re.compile(pattern, re.I))
    for flags, pattern in (
        ("auto_reply out_of_office", r"^(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|autoreply|auto|out of (?:the )?office(?: autoreply| reply)?|automatische antwort|réponse automatique|respuesta automática)\s*:"),
        ("bounce", r"^(?:undeliver(?:able|ed)\b|delivery (?:status notification|has failed|failure|incomplete)|mail delivery (?:failed|failure|subsystem)|returned mail|failure notice|message not delivered)"),
        ("recall", r"^(?:recall\s*:|(?:the sender|.+) would like to recall\b|message recall)"),
        ("read_receipt", r"^(?:read|not read|delivered)\s*:"),
    )
)
_DOCUMENTS = frozenset("doc docx docm dot dotx dotm rtf odt pdf msg eml".split())
_PICTURES = frozenset("jpg jpeg png gif heic tif tiff bmp webp".split())
_SHEETS = frozenset("xls xlsx xlsm xlsb csv ods".split())
_SIGNATURE_PICTURE = re.compile(r"^(?:image\d{3}|outlook-.*|logo.*)\.(?:png|jpe?g|gif)$", re.I)

_PERSON_NEEDED = frozenset(
    "spelling_variant name_mismatch first_name_only scan_or_photo link_not_attachment closure_request_no_form "
    "query_not_alert possible_data_breach wrong_attachment_suspected recall split_records".split()
)
_IN_ORDER = frozenset({"missing_form", "diacritics"})


def parse_subject(
    subject: str, attachment_names: Sequence[str], procedure: Procedure, today: date | None = None
) -> SubjectSays:
    """What a subject and the names of its attachments say.

    `today`, where given, tells dates that lie in the future. Never raises, whatever is written.
    """
    line, threaded = _without_prefixes(undressed(subject))
    references = _references(" ".join([line, *attachment_names]), procedure)
    for flags, pattern in _MACHINES:
        if pattern.search(line):
            return SubjectSays(Kind.OTHER, None, None, flags, references)
    link = _LINK.search(line)
    if link:
        line = link["what"] or link["thing"] or line
    files = [name for name in map(undressed, attachment_names) if not _SIGNATURE_PICTURE.match(name)]
    clerk = _Clerk(
        procedure=procedure,
        subject=_take_apart(line, procedure),
        files=tuple(_take_apart(_stem(name), procedure, is_file=True) for name in files),
        endings=tuple(_ending(name) for name in files),
        threaded=threaded,
        link=bool(link),
        references=references,
        today=today,
    )
    return clerk.says()


def _without_prefixes(line: str) -> tuple[str, bool]:
    threaded = False
    while found := _PREFIX.match(line):
        threaded = threaded or ":" in found[0] and "external" not in found[0].lower()
        line = line[found.end() :]
    return line, threaded


def _references(text: str, procedure: Procedure) -> tuple[str, ...]:
    """This procedure's own references, however they were punctuated, as they are written in the ledger."""
    prefix = re.escape(procedure.reference_prefix)
    found = re.findall(rf"(?<!\w){prefix}[\s\-_/]{{1,3}}(\d{{4}})[\-_/](\d{{3,6}})(?!\w)", undressed(text), re.I)
    return tuple(
        dict.fromkeys(f"{procedure.reference_prefix}-{year}-{int(number):04d}" for year, number in found)
    )


def references_in(text: str, procedure: Procedure) -> tuple[str, ...]:
    """The procedure's own references quoted in any text, each once."""
    return _references(text, procedure)


def bears_phrase(subject: str, procedure: Procedure) -> bool:
    """Whether the procedure's phrase stands in a subject (NCT 6.1), slips of the finger forgiven."""
    return _find(undressed(subject), procedure.subject.phrase, most=2) is not None


def bears_marking(text: str, procedure: Procedure) -> bool:
    """Whether the procedure's marking stands in a text, with "and" or "&", in any case."""
    plain = re.sub(r"\s*(?:&|\+)\s*", " and ", undressed(text))
    return any(_find(plain, marking, most=2) for marking in procedure.subject.marking)


def _stem(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if dot and re.fullmatch(r"[A-Za-z0-9]{2,5}", ending) else name


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


# ---------------------------------------------------------------- one text, taken to pieces


def _take_apart(text: str, procedure: Procedure, *, is_file: bool = False) -> _Text:
    rules = procedure.subject
    flags = {flag for flag, sign in _SIGNS if sign.search(text)}
    rest = text
    if is_file:
        flags |= _versions(text)
        rest = re.sub(r"\b([OD])_(?=[A-Z])", r"\1'", rest)
        rest = _COPY.sub(" | ", rest)
    rest, numbered = _ids_out(rest, procedure)
    dates = tuple(written_dates(rest))
    rest = without_dates(rest).replace("_", " ")
    rest, phrase, phrase_slips, as_written = _phrase_out(rest, rules)
    rest, marking, marking_slips = _marking_out(rest, rules)
    rest, hours = _hours_out(rest)
    says, word_slips, plain = _kinds(rest, rules)
    rest = _VERSION.sub(" | ", _NUMBERED.sub(" | ", plain))
    if numbered:
        flags.add("system_id_present")
    if as_written and as_written in (as_written.lower(), as_written.upper()):
        flags.add("case_variant")
    return _Text(
        text=text,
        rest=rest,
        phrase=phrase,
        slips=phrase_slips + marking_slips + word_slips,
        marking=marking,
        says=says,
        dates=dates,
        named=named_in(rest),
        flags=frozenset(flags | hours),
    )


def _versions(text: str) -> set[str]:
    found = set()
    if _VERSION.search(text):
        found.add("version_suffix")
    if _COPY.search(text):
        found.add("duplicate_suspected")
    return found


def _ids_out(text: str, procedure: Procedure) -> tuple[str, bool]:
    """Take out references of our own and the child's number in the case system."""
    prefix = re.escape(procedure.reference_prefix)
    text = re.sub(rf"(?<!\w){prefix}[\s\-_/]{{1,3}}\d{{4}}[\-_/]\d{{3,6}}(?!\w)", " | ", text, flags=re.I)
    known = "|".join(re.escape(name) for name in sorted(procedure.system_id_names, key=len, reverse=True))
    labelled = rf"\(?\b(?:{known})\b[\s:#.no]*\d{{4,10}}\b\)?" if known else r"(?!)"
    without, times = re.subn(labelled, " | ", text, flags=re.I)
    bare = [found for found in _LONG_NUMBER.finditer(without) if not written_dates(found[0])]
    for found in reversed(bare):
        without = f"{without[: found.start()]} | {without[found.end() :]}"
    return without, bool(times or bare)


def _phrase_out(text: str, rules: Subject) -> tuple[str, str, int, str]:
    for phrase, called in (
        *((rules.phrase, "full"),),
        *((name, "old") for name in rules.old_names),
        *((name, "alternative") for name in rules.alternative_names),
        *((name, "sister") for name in rules.sister_forms),
        *((name, "short") for name in rules.short_names),
    ):
        found = _find(text, phrase, most=0 if called == "short" else 2)
        if found:
            start, end, count = found
            return f"{text[:start]} | {text[end:]}", called, count, text[start:end]
    return text, "", 0, ""


def _find(text: str, phrase: str, most: int) -> tuple[int, int, int] | None:
    """Where `phrase` stands in `text` with the fewest slips: start, end, slips."""
    wanted = " ".join(words(phrase))
    spans = [match.span() for match in re.finditer(r"[\w']+", text)]
    size = len(wanted.split())
    best: tuple[int, int, int] | None = None
    for count in (size, size - 1, size + 1):
        for first in range(len(spans) - count + 1) if 0 < count <= len(spans) else ():
            start, end = spans[first][0], spans[first + count - 1][1]
            if "|" in text[start:end]:
                continue
            slipped = slips(" ".join(words(text[start:end])), wanted, most)
            if slipped <= most and (best is None or slipped < best[2]):
                best = (start, end, slipped)
    return best


def _marking_out(text: str, rules: Subject) -> tuple[str, str, int]:
    plain = re.sub(r"\s*(?:&|\+)\s*", " and ", text)
    for marking in rules.marking:
        found = _find(plain, marking, most=2)
        if found:
            start, end, count = found
            kept = "full" if _find(text, marking, most=2) else "variant"
            return f"{plain[:start]} | {plain[end:]}", kept, count if kept == "full" else 0
        weighty = [word for word in words(marking) if len(word) > 3]
        there = [span for word in weighty if (span := _find(text, word, most=1))]
        if there:
            for start, end, _ in sorted(there, reverse=True):
                text = f"{text[:start]} | {text[end:]}"
            return text, "variant" if len(there) == len(weighty) else "partial", 0
    return text, "", 0


def _hours_out(text: str) -> tuple[str, set[str]]:
    hours = [int(found["hours"]) for found in _HOURS.finditer(text)]
    if not hours:
        return text, set()
    most = max(hours)
    flag = "over_48h" if most >= 48 else "over_24h" if most >= 24 else "under_24h_judgement"
    return _HOURS.sub(" | ", text), {flag}


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
            found = _find(rest, word, most)
            if found:
                says.add(kind)
                slipped += found[2]
                rest = f"{rest[: found[0]]} | {rest[found[1] :]}"
    if _NOT_MISSING.search(text):
        says = (says - {"missing"}) | {"false_missing"}
    if _NOT_CLOSED.search(text):
        says.discard("closure")
    return frozenset(says), slipped, rest


# ---------------------------------------------------------------- subject and files together


@dataclass
class _Clerk:
    """Puts together what the subject says and what the files' names say."""

    procedure: Procedure
    subject: _Text
    files: tuple[_Text, ...]
    endings: tuple[str, ...]
    threaded: bool
    link: bool
    references: tuple[str, ...]
    today: date | None
    flags: set[str] = field(default_factory=set)

    def says(self) -> SubjectSays:
        if self._is_service_level():
            return self._nothing({"not_an_sla", "service_level_agreement"})
        child = self._child()
        written = self._date()
        if self._is_sheet():
            return SubjectSays(Kind.OTHER, None, written, frozenset({"not_an_sla", "spreadsheet"}), self.references)
        kind = self._kind(child)
        if kind is Kind.OTHER and "query_not_alert" not in self.flags:
            return SubjectSays(kind, child if self._claims() else None, written, frozenset(self.flags), self.references)
        for add in _FLAGGERS:
            add(self, kind, child)
        if self.flags & _PERSON_NEEDED:
            self.flags.add("needs_human")
        if self._in_order(kind):
            self.flags.add("ok_6_1")
        return SubjectSays(kind, child, written, frozenset(self.flags - {"alternatives"}), self.references)

    def _nothing(self, flags: set[str]) -> SubjectSays:
        return SubjectSays(Kind.OTHER, None, None, frozenset(flags), self.references)

    @property
    def texts(self) -> tuple[_Text, ...]:
        return (self.subject, *self.files)

    @property
    def has_form(self) -> bool:
        return any(ending in _DOCUMENTS for ending in self.endings)

    def any_says(self, word: str) -> bool:
        return any(word in text.says for text in self.texts)

    def any_sign(self, flag: str) -> bool:
        return any(flag in text.flags for text in self.texts)

    def _is_service_level(self) -> bool:
        meant = any(fold(other) in fold(self.subject.text) for other in self.procedure.subject.other_meanings)
        return meant and self.subject.phrase in ("", "short") and not self.has_form and not self.references

    def _is_sheet(self) -> bool:
        """A list of alerts is not an alert."""
        sheets = bool(self.endings) and all(ending in _SHEETS for ending in self.endings)
        return sheets and all(text.phrase in ("", "short") for text in self.texts)

    def _claims(self) -> bool:
        """Whether this claims to be about an alert. A short name alone is not enough: it has other meanings."""
        phrases = {text.phrase for text in self.texts} - {""}
        if phrases - {"short"} or self.references:
            return True
        if "short" in phrases:
            return self.has_form or self.threaded or any(text.named for text in self.texts)
        return bool(self.subject.marking) and bool(self.endings)

    # -- kind

    def _kind(self, child: str | None) -> Kind:
        said = self._action()
        if said is not Kind.CLOSURE and self._is_query():
            self.flags.add("query_not_alert")
            return Kind.OTHER
        if not self._claims():
            return Kind.OTHER
        if said:
            return said
        if self.any_says("missing") and not self.any_says("false_missing"):
            return Kind.MISSING
        bare_thread = self.threaded and not self.endings
        return Kind.UPDATE if bare_thread and not self.link else Kind.NEW

    def _action(self) -> Kind | None:
        """The files' names come before the subject; a child's return or a S47's end closes nothing."""
        for texts in (self.files, (self.subject,)):
            says = {word for text in texts for word in text.says}
            ends_nothing = self.any_says("returned") or self.any_sign("s47_event")
            if "closure" in says and not ends_nothing:
                return Kind.CLOSURE
            if says & {"update", "returned"}:
                return Kind.UPDATE
        return None

    def _is_query(self) -> bool:
        return not self.endings and "?" in self.subject.text and bool(_QUERY.search(self.subject.text))

    # -- date

    def _date(self) -> date | None:
        told = [written for text in self.texts for written in text.dates if written.about in ("", "event")]
        own = [written for written in told if written.about == ""] or []
        if any(written.about == "edd" for text in self.texts for written in text.dates):
            self.flags.add("date_is_edd")
        if any(written.about == "event" for written in told) and own:
            self.flags.add("event_date_differs")
        for problem in ("date_invalid", "weekday_mismatch"):
            if any(written.problem == problem for written in own):
                self.flags.add(problem)
        days = {written.value for written in own if written.value}
        unfinished = {written.day_and_month for written in own if written.problem == "date_no_year"}
        return self._one_day(days, unfinished, own)

    def _one_day(
        self, days: set[date], unfinished: set[tuple[int, int] | None], own: list[WrittenDate]
    ) -> date | None:
        if len(days) > 1 or (days and unfinished - {(day.day, day.month) for day in days}):
            self.flags.add("date_mismatch")
            return None
        if unfinished and not days:
            self.flags.add("date_no_year")
        if not days or "date_invalid" in self.flags:
            return None
        day = days.pop()
        if self.today and day > self.today:
            self.flags.add("date_future")
            return None
        if any(written.compact for written in own):
            self.flags.add("compact_date")
        if any(written.either_way for written in own):
            self.flags.add("date_day_first_assumed")
        return day

    # -- child

    def _child(self) -> str | None:
        named = self.subject.named
        from_files = list({text.named.names: text for text in self.files if text.named}.values())
        for text in self.texts:
            self.flags |= (text.named.flags if text.named else frozenset()) - {"first_name_only"}
        if len(from_files) > 1 and named is None:
            return self._several(from_files)
        file = from_files[0] if from_files else None
        if named is None or file is None or file.named is None:
            one = named or (file.named if file else None)
            return self._alone(one)
        return self._agreed(named, file.named, file)

    def _several(self, files: list[_Text]) -> str | None:
        names = [name for text in files if text.named for name in text.named.names]
        self.flags.add("multi_child")
        return "; ".join(dict.fromkeys(names))

    def _alone(self, named: Named | None) -> str | None:
        if named is None or not named.names:
            return None
        if "first_name_only" in named.flags:
            self.flags.add("first_name_only")
        if named.group:
            self.flags.add("names_in_form_only")
        if any(fold(name) != name.lower().replace("-", "-") for name in named.names):
            self.flags |= _accents(named.names)
        return "; ".join(named.names)

    def _agreed(self, told: Named, filed: Named, file: _Text) -> str | None:
        if not told.names or not filed.names:
            return self._alone(told if told.names else filed)
        if told.group or filed.group or len(told.names) > 1 or len(filed.names) > 1:
            return self._agreed_group(told, filed)
        name, other = told.names[0], filed.names[0]
        differ = differences(name, other)
        if differ is None and self._same_by_alias(told, filed):
            return name
        if differ is None:
            self.flags.add("name_mismatch")
            if not share_a_word(name, other):
                self.flags.add("possible_data_breach")
            return None
        self._flag_differences(differ, told, filed)
        return self._better(name, other, differ, file)

    def _agreed_group(self, told: Named, filed: Named) -> str | None:
        each = told if len(told.names) > 1 else filed if len(filed.names) > 1 else None
        if each is None:
            sized = told if any(c.isdigit() for c in told.names[0]) else filed
            alike = share_a_word(told.names[0].partition(" (")[0], filed.names[0].partition(" (")[0])
            if not alike:
                self.flags |= {"name_mismatch", "possible_data_breach"}
                return None
            self.flags.add("names_in_form_only")
            return sized.names[0]
        other = filed if each is told else told
        if not any(share_a_word(name, one) for name in each.names for one in other.names):
            self.flags |= {"name_mismatch", "possible_data_breach"}
            return None
        return "; ".join(each.names)

    def _same_by_alias(self, told: Named, filed: Named) -> bool:
        mine, theirs = {*told.names, *told.also}, {*filed.names, *filed.also}
        return any(differences(one, other) is not None for one in mine for other in theirs)

    def _flag_differences(self, differ: frozenset[str], told: Named, filed: Named) -> None:
        name, other = told.names[0], filed.names[0]
        self.flags |= differ - {"abbreviated_name", "name_part_missing"}
        if "name_part_missing" in differ and is_full(name) and is_full(other):
            self.flags.add("name_part_missing")
        if "'" in name + other and fold(name) not in fold(other.replace("'", "_")) and "'" in name:
            self.flags.add("apostrophe_variant")
        if "first_name_only" in told.flags & filed.flags:
            self.flags.add("first_name_only")
        if "alternatives" in told.flags | filed.flags:
            self.flags |= {"transliteration_variant", "needs_human"}
        if "diacritic_variant" not in differ:
            self.flags |= _accents((name, other))

    def _better(self, name: str, other: str, differ: frozenset[str], file: _Text) -> str:
        """The spelling a clerk would keep: the fuller, the better dressed, the more carefully typed."""
        if differ & {"abbreviated_name", "name_part_missing"}:
            fuller = max((name, other), key=lambda text: (len("".join(name_words(text))), text == name))
            self.flags -= {"initial_and_surname"} if not _about_initial(fuller) else set()
            return fuller
        if "spelling_variant" in differ:
            return other if file.slips < self.subject.slips else name
        dressed = differ & DRESS
        if dressed or not differ:
            return max((name, other), key=lambda text: (_dressing(text), text == name))
        return name

    # -- is all as it should be?

    def _in_order(self, kind: Kind) -> bool:
        return kind is not Kind.OTHER and self.has_form and self.flags <= _IN_ORDER


def _about_initial(name: str) -> bool:
    return len(name.split()[0].strip(".")) == 1


def _dressing(name: str) -> int:
    return sum(letter in "'-." or (letter.isalpha() and fold(letter) != letter.lower()) for letter in name)


def _accents(names: Iterable[str]) -> set[str]:
    marked = any(letter.isalpha() and fold(letter) != letter.lower() for name in names for letter in name)
    return {"diacritics"} if marked else set()


# ---------------------------------------------------------------- flags, each a small observation


def _flag_subject_line(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    sister = {text.phrase for text in clerk.texts} & {"sister"}
    query = "query_not_alert" in clerk.flags
    if sister:
        forms = clerk.procedure.subject.sister_forms
        clerk.flags |= {flag for name, flag in forms.items() if fold(name) in fold(clerk.subject.text)}
        return
    if query and child is None:
        return
    if clerk.subject.phrase != "full":
        clerk.flags.add("missing_sla_phrase")
    marking = {"": "missing_marking", "partial": "marking_partial", "variant": "marking_variant"}
    if clerk.subject.marking in marking:
        clerk.flags.add(marking[clerk.subject.marking])


def _flag_names_of_forms(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    phrases = {text.phrase for text in clerk.texts}
    if "old" in phrases:
        clerk.flags.add("old_form_name")
    if "alternative" in phrases:
        clerk.flags.add("alt_form_name")
    if any(text.slips for text in clerk.texts):
        clerk.flags.add("typo_tolerated")
    if any("case_variant" in text.flags for text in clerk.texts if text.phrase == "full"):
        clerk.flags.add("case_variant")


def _flag_files(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    for text, ending in zip(clerk.files, clerk.endings, strict=True):
        clerk.flags |= _file_type(ending)
        clerk.flags |= text.flags & {"version_suffix", "duplicate_suspected", "password_suspected", "scan_or_photo"}
        if not text.phrase and not text.named:
            clerk.flags.add("bad_filename")
        elif not text.dates and ending in _DOCUMENTS:
            clerk.flags.add("filename_no_date")
    documents = [ending for ending in clerk.endings if ending in _DOCUMENTS]
    if len(documents) > 1:
        clerk.flags.add("multi_attachment")


def _file_type(ending: str) -> set[str]:
    if ending in ("docm", "dotm"):
        return {"macro_file", "quarantine"}
    if ending in ("doc", "dot"):
        return {"legacy_doc"}
    if ending in _PICTURES:
        return {"wrong_file_type", "scan_or_photo"}
    if ending in _SHEETS:
        return {"wrong_file_type", "spreadsheet"}
    return set() if ending in _DOCUMENTS else {"wrong_file_type"}


def _flag_no_form(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    if clerk.link:
        clerk.flags.add("link_not_attachment")
    elif not clerk.endings:
        if not clerk.threaded or kind is not Kind.UPDATE:
            clerk.flags.add("no_attachment")
        if kind is Kind.UPDATE:
            clerk.flags.add("update_in_body_only")
    if "holding_message" in clerk.subject.flags and not clerk.endings:
        clerk.flags.add("holding_message")
    if "consider_list" in clerk.subject.flags and "query_not_alert" in clerk.flags:
        clerk.flags.add("consider_list")


def _flag_people(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    named = clerk.subject.named
    if named and named.names and not any(_nameless(name, named) for name in named.names):
        clerk.flags.add("pii_in_subject")
    if child and {word for part in child.split("; ") for word in name_words(part)} & _common(clerk):
        clerk.flags.add("common_name")
    if "initials_only" in clerk.flags and child and not is_initials(child):
        clerk.flags.discard("initials_only")
    if kind is Kind.UPDATE and "initials_only" in clerk.flags:
        clerk.flags.add("abbreviated_name")
    if clerk.any_sign("system_id_present"):
        clerk.flags.add("system_id_present")
    if _nobody_meant(clerk) and child is None:
        clerk.flags.add("no_child_named")


def _nameless(name: str, named: Named) -> bool:
    return is_initials(name) or "pseudonym" in named.flags


def _common(clerk: _Clerk) -> set[str]:
    return {fold(name) for name in clerk.procedure.subject.common_names}


def _nobody_meant(clerk: _Clerk) -> bool:
    """No name, where there was room for one: not where a picture or a bad name hides it."""
    if clerk.flags & {"bad_filename", "name_mismatch", "query_not_alert", "unborn"}:
        return False
    return bool(clerk.files) and all(text.named is None for text in clerk.texts)


def _flag_matter(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    for flag in ("s47_event", "yos_charge", "staff_subject", "other_la_child", "care_leaver", "group_incident"):
        if clerk.any_sign(flag):
            clerk.flags.add(flag)
    if "staff_subject" in clerk.flags:
        clerk.flags.add("hr_route")
    if clerk.any_sign("wrong_attachment_suspected"):
        clerk.flags.add("wrong_attachment_suspected")
    if _SENSITIVE.search(clerk.subject.text) and "query_not_alert" not in clerk.flags:
        clerk.flags.add("sensitive_detail_in_subject")


def _flag_ends(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    if clerk.any_says("returned"):
        clerk.flags |= {"returned_found", "not_a_closure"}
    if clerk.any_says("closure") and kind is Kind.UPDATE:
        clerk.flags.add("not_a_closure")
    if clerk.any_sign("partly_returned"):
        clerk.flags.add("partly_returned")
    if kind is Kind.CLOSURE:
        clerk.flags.add("closure_claim_verify" if clerk.has_form else "closure_request_no_form")


def _flag_missing(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    for flag in ("under_24h_judgement", "over_24h", "over_48h"):
        if clerk.any_sign(flag) and kind is Kind.MISSING:
            clerk.flags.add(flag)
    if clerk.any_says("false_missing"):
        clerk.flags.add("false_missing")
    if kind is not Kind.MISSING or _sister(clerk):
        return
    if any("missing" in text.says for text in clerk.files):
        clerk.flags.add("missing_form")
    elif clerk.has_form and clerk.procedure.missing_forms:
        clerk.flags.add("form_type_mismatch")


def _sister(clerk: _Clerk) -> bool:
    return any(text.phrase == "sister" for text in clerk.texts)


def _flag_thread(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    if clerk.threaded:
        clerk.flags.add("thread_prefix")
    if clerk.references:
        clerk.flags.add("ref_present")


_Flagger = Callable[[_Clerk, Kind, str | None], None]
_FLAGGERS: tuple[_Flagger, ...] = (
    _flag_subject_line,
    _flag_names_of_forms,
    _flag_files,
    _flag_no_form,
    _flag_people,
    _flag_matter,
    _flag_ends,
    _flag_missing,
    _flag_thread,
)
