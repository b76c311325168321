"""What a subject line and its attachments' names say, read as a careful clerk reads them (NCT 6.1).

Nothing is guessed: a date that does not exist, two dates, two children or half a sentence give None
and a flag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from agent.procedure import signs
from agent.procedure.apart import Pieces, references_in, take_apart
from agent.procedure.named import Named
from agent.procedure.names import DRESS, differences, is_full, is_initials, name_words, share_a_word
from agent.procedure.rules import Procedure
from agent.procedure.text import fold, undressed
from agent.procedure.words import Kind
from agent.procedure.written_dates import WrittenDate


@dataclass(frozen=True)
class SubjectSays:
    """What a subject and its attachments' names say by themselves. `child` is as a clerk would write
    it, brothers and sisters joined by "; "; `date` is the one that is written there, not the incident's."""

    kind: Kind
    child: str | None
    date: date | None
    flags: frozenset[str]
    references: tuple[str, ...]


_IN_ORDER = frozenset({"missing_form", "diacritics"})


def parse_subject(
    subject: str, attachment_names: Sequence[str], procedure: Procedure, today: date | None = None
) -> SubjectSays:
    """What a subject and the names of its attachments say.

    `today`, where given, tells dates that lie in the future. Never raises, whatever is written.
    """
    line, threaded = _without_prefixes(signs.shortened(undressed(subject)))
    attachment_names = [signs.shortened(undressed(name)) for name in attachment_names]
    references = references_in(" ".join([line, *attachment_names]), procedure)
    for flags, pattern in signs.MACHINES:
        if pattern.search(line):
            return SubjectSays(Kind.OTHER, None, None, flags, references)
    link = signs.LINK.search(line)
    if link:
        line = link["what"] or link["thing"]
    files = [name for name in attachment_names if not signs.SIGNATURE_PICTURE.match(name)]
    clerk = _Clerk(
        procedure=procedure,
        subject=take_apart(line, procedure),
        files=tuple(take_apart(_stem(name), procedure, is_file=True) for name in files),
        endings=tuple(_ending(name) for name in files),
        threaded=threaded,
        replied=threaded and not signs.FORWARDED.match(subject),
        link=bool(link),
        references=references,
        today=today,
    )
    return clerk.says()


def _without_prefixes(line: str) -> tuple[str, bool]:
    threaded = False
    while found := signs.PREFIX.match(line):
        threaded = threaded or (":" in found[0] and "external" not in found[0].lower())
        line = line[found.end() :]
    return line, threaded


def _stem(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    return stem if dot and re.fullmatch(r"[A-Za-z0-9]{2,5}", ending) else name


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


# ---------------------------------------------------------------- subject and files together


@dataclass
class _Clerk:
    """Puts together what the subject says and what the files' names say."""

    procedure: Procedure
    subject: Pieces
    files: tuple[Pieces, ...]
    endings: tuple[str, ...]
    threaded: bool
    replied: bool
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
            return SubjectSays(
                Kind.OTHER, None, written, frozenset({"not_an_sla", "spreadsheet"}), self.references
            )
        kind = self._kind(child)
        if kind is Kind.OTHER and "query_not_alert" not in self.flags:
            return SubjectSays(
                kind, child if self._claims() else None, written, frozenset(self.flags), self.references
            )
        for add in _FLAGGERS:
            add(self, kind, child)
        if self.flags & signs.PERSON_NEEDED:
            self.flags.add("needs_human")
        if self._in_order(kind):
            self.flags.add("ok_6_1")
        return SubjectSays(kind, child, written, frozenset(self.flags - {"alternatives"}), self.references)

    def _nothing(self, flags: set[str]) -> SubjectSays:
        return SubjectSays(Kind.OTHER, None, None, frozenset(flags), self.references)

    @property
    def texts(self) -> tuple[Pieces, ...]:
        return (self.subject, *self.files)

    @property
    def has_form(self) -> bool:
        return any(ending in signs.DOCUMENTS for ending in self.endings)

    def any_says(self, word: str) -> bool:
        return any(word in text.says for text in self.texts)

    def any_sign(self, flag: str) -> bool:
        return any(flag in text.flags for text in self.texts)

    def _is_service_level(self) -> bool:
        meant = any(fold(other) in fold(self.subject.text) for other in self.procedure.subject.other_meanings)
        return meant and self.subject.phrase in ("", "short") and not self.has_form and not self.references

    def _is_sheet(self) -> bool:
        """A list of alerts is not an alert."""
        sheets = bool(self.endings) and all(ending in signs.SHEETS for ending in self.endings)
        return sheets and all(text.phrase in ("", "short") for text in self.texts)

    def _claims(self) -> bool:
        """Whether this claims to be about an alert. A short name alone does not; it has other meanings."""
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
        answers = self.replied and not self.endings and not self.link
        return Kind.UPDATE if answers else Kind.NEW

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
        return not self.endings and "?" in self.subject.text and bool(signs.QUERY.search(self.subject.text))

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

    def _several(self, files: list[Pieces]) -> str | None:
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

    def _agreed(self, told: Named, filed: Named, file: Pieces) -> str | None:
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

    def _better(self, name: str, other: str, differ: frozenset[str], file: Pieces) -> str:
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
        clerk.flags |= text.flags & {
            "version_suffix",
            "duplicate_suspected",
            "password_suspected",
            "scan_or_photo",
        }
        if not text.phrase and not text.named and not references_in(text.text, clerk.procedure):
            clerk.flags |= {"bad_filename"} | ({"needs_form_read"} if ending in signs.DOCUMENTS else set())
        elif not text.dates and ending in signs.DOCUMENTS:
            clerk.flags.add("filename_no_date")
    documents = [ending for ending in clerk.endings if ending in signs.DOCUMENTS]
    if len(documents) > 1:
        clerk.flags.add("multi_attachment")


def _file_type(ending: str) -> set[str]:
    if ending in ("docm", "dotm"):
        return {"macro_file", "quarantine"}
    if ending in ("doc", "dot"):
        return {"legacy_doc"}
    if ending in signs.PICTURES:
        return {"wrong_file_type", "scan_or_photo"}
    if ending in signs.SHEETS:
        return {"wrong_file_type", "spreadsheet"}
    return set() if ending in signs.DOCUMENTS else {"wrong_file_type"}


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
    for flag in (
        "s47_event",
        "yos_charge",
        "staff_subject",
        "other_la_child",
        "care_leaver",
        "group_incident",
    ):
        if clerk.any_sign(flag):
            clerk.flags.add(flag)
    if "staff_subject" in clerk.flags:
        clerk.flags.add("hr_route")
    if clerk.any_sign("wrong_attachment_suspected"):
        clerk.flags.add("wrong_attachment_suspected")
    if signs.SENSITIVE.search(clerk.subject.text) and "query_not_alert" not in clerk.flags:
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
