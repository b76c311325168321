"""What a subject line and its attachments' names say, read as a careful clerk reads them (NCT 6.1).

Nothing is guessed: a date that does not exist, two dates, two children or half a sentence give None
and a flag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from agent.procedure import signs
from agent.procedure.apart import Pieces, references_in, take_apart
from agent.procedure.named import Named, ordinary
from agent.procedure.named_child import child_of
from agent.procedure.names import is_initials, name_words
from agent.procedure.rules import Procedure
from agent.procedure.text import fold, has_phrase, undressed
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
    subject: str | None, attachment_names: Sequence[str], procedure: Procedure, today: date | None = None
) -> SubjectSays:
    """What a subject and the names of its attachments say.

    `subject` is None where a document came without a mail; `today`, where given, tells dates that lie in
    the future. Never raises, whatever is written.
    """
    mailed = subject is not None
    subject = subject or ""
    line, threaded = _without_prefixes(signs.shortened(undressed(subject)))
    attachment_names = [signs.shortened(undressed(name)) for name in attachment_names]
    references = references_in(" ".join([line, *attachment_names]), procedure)
    machine = _machine(line)
    link = signs.LINK.search(line)
    if link:
        line = link["what"] or link["thing"]
    files = [name for name in attachment_names if not signs.SIGNATURE_PICTURE.match(name)]
    clerk = _Clerk(
        procedure=procedure,
        subject=take_apart(line, procedure),
        files=tuple(take_apart(_stem(name), procedure, is_file=True) for name in files),
        endings=tuple(_ending(name) for name in files),
        mailed=mailed,
        threaded=threaded,
        replied=threaded and not signs.FORWARDED.match(subject),
        link=bool(link),
        references=references,
        today=today,
    )
    return clerk.says() if machine is None else clerk.says_of_machine(machine)


def _machine(line: str) -> frozenset[str] | None:
    """The flags of mail that machines write, by how its subject begins."""
    return next((flags for flags, pattern in signs.MACHINES if pattern.search(line)), None)


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
    mailed: bool
    threaded: bool
    replied: bool
    link: bool
    references: tuple[str, ...]
    today: date | None
    flags: set[str] = field(default_factory=set)

    def says(self) -> SubjectSays:
        if self._is_service_level():
            return self._nothing({"not_an_sla", "service_level_agreement"})
        child, self.flags = child_of(self.subject, self.forms)
        written = self._date()
        if self._is_sheet():
            return self._nothing({"not_an_sla", "spreadsheet"}, written)
        kind = self._kind()
        if kind is Kind.OTHER and "query_not_alert" not in self.flags:
            return self._nothing({"not_an_sla"} if self.mailed else set(), written)
        for add in _FLAGGERS:
            add(self, kind, child)
        if self.flags & signs.PERSON_NEEDED:
            self.flags.add("needs_human")
        if self._in_order(kind) and "subject_phrase_missing" in self.procedure.findings:
            self.flags.add("ok_6_1")
        return SubjectSays(kind, child, written, frozenset(self.flags), self.references)

    def says_of_machine(self, flags: frozenset[str]) -> SubjectSays:
        """Nothing of ours; but a subject of ours that a machine repeats still names a child."""
        if not self.subject.phrase:
            return self._nothing(set(flags))
        child, self.flags = child_of(self.subject, ())
        written = self._date()
        told = set(flags) | ({"pii_in_subject"} if self.names_a_child() else set())
        told |= {"ref_present"} if self.references else set()
        return SubjectSays(Kind.OTHER, child, written, frozenset(told), self.references)

    def _nothing(self, flags: set[str], written: date | None = None) -> SubjectSays:
        """Nothing of ours."""
        return SubjectSays(Kind.OTHER, None, written, frozenset(flags), self.references)

    @property
    def texts(self) -> tuple[Pieces, ...]:
        return (self.subject, *self.files)

    @property
    def forms(self) -> tuple[Pieces, ...]:
        """The files that bear the alert's name; where none does, all: the rest are papers beside them."""
        return tuple(text for text in self.files if text.phrase) or self.files

    @property
    def has_form(self) -> bool:
        return any(ending in signs.DOCUMENTS for ending in self.endings)

    def names_a_child(self) -> bool:
        """Whether the subject line lets everybody read a child's name."""
        named = self.subject.named
        return (
            named is not None and named.names != () and not any(_nameless(one, named) for one in named.names)
        )

    def any_says(self, word: str) -> bool:
        return any(word in text.says for text in self.texts)

    def any_sign(self, flag: str) -> bool:
        return any(flag in text.flags for text in self.texts)

    def _is_service_level(self) -> bool:
        meant = any(has_phrase(self.subject.text, other) for other in self.procedure.subject.other_meanings)
        named = any(text.phrase not in ("", "short") or text.named for text in self.files)
        return meant and self.subject.phrase in ("", "short") and not named and not self.references

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

    def _kind(self) -> Kind:
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
        """The one day that is written. Expected births, dates of birth and of events are not it."""
        told = [written for text in (self.subject, *self.forms) for written in text.dates]
        own = [written for written in told if not written.about]
        if any(written.about == "edd" for written in told):
            self.flags.add("date_is_edd")
        days = {written.value for written in own if written.value}
        events = {written.value for written in told if written.about in ("event", "died")}
        if days and events - days:
            self.flags.add("event_date_differs")
        self.flags |= {written.problem for written in own} & {"date_invalid", "weekday_mismatch"}
        return self._one_day(own)

    def _one_day(self, own: Sequence[WrittenDate]) -> date | None:
        days = {written.value for written in own if written.value}
        unfinished = {written.day_and_month for written in own if written.problem == "date_no_year"}
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

    # -- is all as it should be?

    def _in_order(self, kind: Kind) -> bool:
        return kind is not Kind.OTHER and self.mailed and self.has_form and self.flags <= _IN_ORDER


# ---------------------------------------------------------------- flags, each a small observation


def _flag_subject_line(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    sister = {text.phrase for text in clerk.texts} & {"sister"}
    query = "query_not_alert" in clerk.flags
    if sister:
        forms = clerk.procedure.subject.sister_forms
        clerk.flags |= {flag for name, flag in forms.items() if fold(name) in fold(clerk.subject.text)}
        return
    if not clerk.mailed or (query and child is None):
        return
    rules = clerk.procedure.findings  # how a subject is to be written, not every procedure says
    if clerk.subject.phrase != "full" and "subject_phrase_missing" in rules:
        clerk.flags.add("missing_sla_phrase")
    marking = {"": "missing_marking", "partial": "marking_partial", "variant": "marking_variant"}
    if clerk.subject.marking in marking and "marking_missing" in rules:
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
    dated = "file_name_without_date" in clerk.procedure.findings
    called = any(text.phrase for text in clerk.files)
    for text, ending in zip(clerk.files, clerk.endings, strict=True):
        clerk.flags |= _file_type(ending)
        clerk.flags |= text.flags & {
            "version_suffix",
            "duplicate_suspected",
            "password_suspected",
            "scan_or_photo",
        }
        if called and not text.phrase:
            continue  # a paper beside the form may be called anything
        own_dates = [written for written in text.dates if not written.about]
        if signs.OTHER_PAPERS.search(text.text) and not text.phrase:
            clerk.flags.add("wrong_attachment_suspected")
        elif not text.named and not references_in(text.text, clerk.procedure) and _says_nothing(text):
            clerk.flags.add("bad_filename")
            if ending in signs.DOCUMENTS and "scan_or_photo" not in text.flags:
                clerk.flags.add("needs_form_read")
        if (text.phrase or text.named) and not own_dates and ending in signs.DOCUMENTS and dated:
            clerk.flags.add("filename_no_date")
    documents = [ending for ending in clerk.endings if ending in signs.DOCUMENTS]
    if len(documents) > 1:
        clerk.flags.add("multi_attachment")
    if len({text.named.names for text in clerk.forms if text.named}) > 1:
        clerk.flags.add("split_records")


def _says_nothing(text: Pieces) -> bool:
    """A name by which nobody would find the file again: no alert's name, or that name and no more."""
    return not text.phrase or (not text.dates and all(ordinary(word) for word in text.rest.split()))


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
        clerk.flags.add("no_attachment")
        if kind is Kind.UPDATE:
            clerk.flags.add("update_in_body_only")
    if "holding_message" in clerk.subject.flags and not clerk.endings:
        clerk.flags.add("holding_message")
    considered = clerk.procedure.subject.consider_words
    if "query_not_alert" in clerk.flags and any(has_phrase(clerk.subject.text, word) for word in considered):
        clerk.flags.add("consider_list")


def _flag_people(clerk: _Clerk, kind: Kind, child: str | None) -> None:
    if clerk.names_a_child():
        clerk.flags.add("pii_in_subject")
    if "surname_first" in clerk.flags:
        clerk.flags.discard("name_order_variant")
    if "possible_data_breach" in clerk.flags:
        clerk.flags.add("wrong_attachment_suspected")
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
    told = signs.SENSITIVE.search(clerk.subject.text) or "staff_subject" in clerk.subject.flags
    if told and "query_not_alert" not in clerk.flags:
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
