"""A mail and what was read from its documents → what it brings, in the procedure's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from agent.procedure.automatic import is_automatic_reply, machine_reason
from agent.procedure.findings import Receipt, findings_on_receipt
from agent.procedure.mail import Attachment, Mail
from agent.procedure.names import alike, is_initials, share_a_word
from agent.procedure.people import People
from agent.procedure.reading import Field, Reading, Unreadable
from agent.procedure.rules import Procedure
from agent.procedure.subject import SubjectSays, bears_marking, bears_phrase, parse_subject, references_in
from agent.procedure.submission import Child, Conclusion, Submission, Update
from agent.procedure.text import fold, has_phrase, undressed
from agent.procedure.words import Kind, Moment
from agent.procedure.written_dates import return_date

# Answers that say nothing was filled in.
_NOTHING = frozenset(
    {"", "n/a", "na", "nil", "no", "none", "none yet", "not applicable", "not completed", "not concluded"}
    | {"not known", "not stated", "not yet", "not yet concluded", "ongoing", "on-going", "open", "pending"}
    | {"tbc", "to be confirmed", "unknown", "-"}
)
_MACROS = (".docm", ".dotm", ".xlsm")
_DATES = ("incident_at", "aware_at", "form_date", "missing_since", "returned_at")
_OWN_PLACE = frozenset((*_DATES, "next_update_due", "child_name", "dob", "system_id", "form_kind", "reference"))
_CLOCK_SLACK = timedelta(hours=1)  # clocks differ; a time this little ahead is not in the future
_QUOTE = re.compile(
    r"^\s*(?:>|-{2,}\s*original message|_{10,}|from:\s.+|on .{5,120}wrote:|begin forwarded message)",
    re.IGNORECASE | re.MULTILINE,
)


def submissions_from(
    mail: Mail,
    readings: Sequence[Reading | Unreadable],
    procedure: Procedure,
    people: People,
    *,
    received_at: datetime,
    zone: ZoneInfo,
) -> tuple[Submission, ...]:
    """What `mail` brings: one submission for each form in it, or one for a mail without a form.

    `readings` are what was made of all its documents, those in nested mails too, in order;
    `received_at` is aware; `zone` is the desk's: forms state local times. Never raises.
    """
    return _Arrival(mail, tuple(readings), procedure, people, received_at, zone).submissions()


def new_words(text: str) -> str:
    """What was newly written in a mail: the part above the first quoted mail."""
    quote = _QUOTE.search(text)
    return text[: quote.start()] if quote else text


@dataclass(frozen=True)
class _Arrival:
    """One mail at the desk, with all that is asked of it."""

    mail: Mail
    readings: tuple[Reading | Unreadable, ...]
    procedure: Procedure
    people: People
    received_at: datetime
    zone: ZoneInfo

    def submissions(self) -> tuple[Submission, ...]:
        if self.mail.bounce is not None:
            return (self._bounce(),)
        forms = list({read.sha256: read for read in self.readings if isinstance(read, Reading)}.values())
        broken = [read for read in self.readings if isinstance(read, Unreadable) and self._looks_like_a_form(read, forms)]
        if not forms and is_automatic_reply(self.mail):
            return (self._automatic_reply(),)
        brought = self._without_false_mismatches([self._form(form) for form in forms])
        if broken:
            brought.append(self._unreadable(broken, beside_forms=bool(forms)))
        return tuple(brought) or (self._without_form(),)

    # ------------------------------------------------------------ forms

    def _form(self, form: Reading) -> Submission:
        told = _Told(form, self.received_at, self.zone)
        file = parse_subject("", [form.document], self.procedure)
        submission = replace(
            self._base(self._form_kind(told)),
            form=form.form,
            document_sha256=form.sha256,
            references=self._references(form.text("reference")),
            children=told.children,
            values=told.values(),
            next_update_due=told.day("next_update_due"),
            categories=form.ticked,
            updates=told.updates,
            conclusion=told.conclusion,
            author_address=self._author_address(form),
            **{name: told.moment(name) for name in _DATES},
        )
        submission = replace(submission, doubts=self._doubts(submission, form, file, told))
        return replace(submission, findings=self._findings(submission, file))

    def _form_kind(self, told: _Told) -> Kind:
        """Content comes first: what is filled in, then what is ticked, then file name and subject."""
        ticked = told.form.text("form_kind")
        rules = self.procedure.subject
        if told.conclusion:
            return Kind.CLOSURE
        if told.updates or any(has_phrase(ticked, word) for word in rules.update_words):
            return Kind.UPDATE
        first = Kind.MISSING if told.form.form in self.procedure.missing_forms else Kind.NEW
        if ticked or any(has_phrase(ticked, word) for word in rules.closure_words):
            return first
        said = self._says([told.form.document]).kind
        return said if said is Kind.UPDATE else first

    def _doubts(
        self, submission: Submission, form: Reading, file: SubjectSays, told: _Told
    ) -> tuple[str, ...]:
        doubts = {
            "name_mismatch": self._names_disagree(submission, file),
            "macro_file": form.document.lower().endswith(_MACROS),
            "date_invalid": told.unclear,
            "date_future": told.ahead,
            "external_sender": self._external(),
        }
        return tuple(code for code, is_so in doubts.items() if is_so)

    def _names_disagree(self, submission: Submission, file: SubjectSays) -> bool:
        """Subject line, file name and form tell of different children: perhaps a data breach."""
        subject = parse_subject(self.mail.subject, [], self.procedure)
        told = [_listed(says.child) for says in (subject, file)]
        in_form = [child.name for child in submission.children if child.name]
        if in_form:
            return any(names and not _any_alike(names, in_form) for names in told)
        return bool(told[0] and told[1] and not _any_alike(told[0], told[1]))

    def _without_false_mismatches(self, brought: list[Submission]) -> list[Submission]:
        """Of several forms in one mail, the subject may name the child of any one."""
        subject = _listed(parse_subject(self.mail.subject, [], self.procedure).child)
        all_named = [child.name for one in brought for child in one.children if child.name]
        if len(brought) < 2 or not _any_alike(subject, all_named):
            return brought
        return [
            replace(one, doubts=tuple(doubt for doubt in one.doubts if doubt != "name_mismatch"))
            if _any_alike([child.name for child in one.children], self._file_names(one))
            else one
            for one in brought
        ]

    def _file_names(self, one: Submission) -> list[str]:
        documents = [read.document for read in self.readings if read.sha256 == one.document_sha256]
        return [name for document in documents for name in _listed(parse_subject("", [document], self.procedure).child)]

    def _author_address(self, form: Reading) -> str:
        """Whom to write to: the form's author where the roster knows them, else who wrote the mail that
        carried it. The desk itself is nobody's author."""
        author = self.people.named(form.text("author").split(",")[0].split("(")[0])
        if author:
            return author.address.lower()
        carriers = [carrier for carrier, document in _carried(self.mail) if document.sha256 == form.sha256]
        for carrier in (*reversed(carriers), self.mail):
            if self.people.may_be_written_to(carrier.sender):
                return carrier.sender.lower()
        return self.mail.sender.lower()

    def _findings(self, submission: Submission, file: SubjectSays) -> tuple[str, ...]:
        receipt = Receipt(
            submission=submission,
            recipients=_everybody(self.mail),
            subject=self._says([read.document for read in self.readings]),
            file=file,
            phrased=bears_phrase(self.mail.subject, self.procedure),
            marked=self._marked(),
            staff_matter=self._staff_matter(submission),
            zone=self.zone,
        )
        return findings_on_receipt(receipt, self.procedure, self.people)

    def _marked(self) -> bool:
        """By words in subject or text, or by Outlook's own importance and sensitivity (NCT 6.1)."""
        if any(bears_marking(text, self.procedure) for text in (self.mail.subject, self.mail.text[:2000])):
            return True
        headers = self.mail.headers
        urgent = headers.get("importance", "").lower() == "high" or headers.get("x-priority", "").startswith("1")
        confidential = "confidential" in headers.get("sensitivity", "").lower()
        return urgent and confidential

    def _staff_matter(self, submission: Submission) -> bool:
        ticked = (self.procedure.category(code) for code in submission.categories)
        said = fold(submission.values.get("staff_subject", "")) in ("yes", "y", "true")
        return said or any(category.staff for category in ticked if category)

    # ------------------------------------------------------------ documents that cannot be read

    def _looks_like_a_form(self, document: Unreadable, forms: Sequence[Reading]) -> bool:
        stem = fold(document.document).rpartition(".")[0]
        if any(fold(form.document).rpartition(".")[0] == stem for form in forms):
            return False  # the same form again in another dress; one of them was read
        claims = parse_subject("", [document.document], self.procedure)
        if claims.kind is not Kind.OTHER:
            return True
        inline = any(found.inline for _, found in _carried(self.mail) if found.sha256 == document.sha256)
        claimed = self._says([document.document]).kind not in (Kind.OTHER, Kind.CLOSURE)
        return not forms and not inline and document.code != "not_a_form" and claimed

    def _unreadable(self, documents: Sequence[Unreadable], *, beside_forms: bool) -> Submission:
        names = [document.document for document in documents]
        says = self._says(names)
        disagree = says.flags & {"name_mismatch", "possible_data_breach"}
        macros = any(name.lower().endswith(_MACROS) for name in names)
        doubts = ["unreadable"] + ["name_mismatch"] * bool(disagree) + ["macro_file"] * macros
        return replace(
            self._base(Kind.UNREADABLE),
            document_sha256=documents[0].sha256,
            children=tuple(Child(name) for name in _listed(says.child)),
            author_address=self.mail.sender.lower(),
            doubts=(*doubts, *self._sender_doubts()),
            reason=documents[0].code,
            claims=None if beside_forms else says.kind,
        )

    # ------------------------------------------------------------ mails without a form

    def _bounce(self) -> Submission:
        bounce = self.mail.bounce
        assert bounce is not None  # noqa: S101 - the caller looked; this tells the type checker
        reason = "undeliverable" if bounce.permanent else "delivery_delayed"
        return replace(self._base(Kind.BOUNCE), bounced_address=bounce.address, reason=reason)

    def _automatic_reply(self) -> Submission:
        today = self.received_at.astimezone(self.zone).date()
        return replace(
            self._base(Kind.AUTO_REPLY),
            away_until=return_date(undressed(new_words(self.mail.text)), today),
            reason="automatic_reply",
        )

    def _without_form(self) -> Submission:
        says = self._says([document.name for document in self.mail.attachments if not document.inline])
        base = replace(self._base(Kind.OTHER), references=self._references(new_words(self.mail.text)))
        if self.mail.sender.lower() in self.people.own:
            return replace(base, reason="own_letter")
        reason = machine_reason(self.mail)
        if reason:
            doubts = ("recall",) if reason == "recall" else ()
            return replace(base, reason=reason, doubts=doubts)
        doubts = self._sender_doubts()
        if says.kind is Kind.CLOSURE:
            return replace(base, kind=Kind.CLOSURE, children=self._said_children(says), doubts=("closure_without_form", *doubts))
        if self._is_reply() or base.references:
            return replace(base, kind=Kind.REPLY, doubts=doubts, children=self._said_children(says))
        if says.kind is not Kind.OTHER:
            return replace(base, kind=says.kind, doubts=("no_form", *doubts), children=self._said_children(says))
        if "query_not_alert" in says.flags:
            return replace(base, doubts=("query", *doubts), reason="query")
        return replace(base, reason=_reason(says))

    def _said_children(self, says: SubjectSays) -> tuple[Child, ...]:
        return tuple(Child(name) for name in _listed(says.child))

    def _is_reply(self) -> bool:
        """A mail sent on is not an answer to the one it sends on, whatever its headers say."""
        forwarded = re.match(r"\s*(?:\[[^\]]*\]\s*)?(?:fw|fwd|wg|tr|rv)\s*:", self.mail.subject, re.IGNORECASE)
        return not forwarded and bool(self.mail.in_reply_to or self.mail.references)

    # ------------------------------------------------------------ common to all

    def _base(self, kind: Kind) -> Submission:
        answers = [self.mail.in_reply_to, *reversed(self.mail.references)]
        return Submission(
            kind=kind,
            message_id=self.mail.message_id,
            sender=self.mail.sender.lower(),
            received_at=self.received_at,
            references=self._references(""),
            answers=tuple(dict.fromkeys(answer for answer in answers if answer)),
        )

    def _references(self, text: str) -> tuple[str, ...]:
        quoted = references_in(self.mail.subject, self.procedure) + references_in(text, self.procedure)
        return tuple(dict.fromkeys(quoted))

    def _says(self, names: Sequence[str]) -> SubjectSays:
        return parse_subject(self.mail.subject, names, self.procedure)

    def _external(self) -> bool:
        domain = self.mail.sender.rpartition("@")[2].lower()
        return domain not in self.people.allowed_domains

    def _sender_doubts(self) -> tuple[str, ...]:
        return ("external_sender",) if self._external() else ()


class _Told:
    """What one form tells, typed. What cannot be believed is left out and noted."""

    def __init__(self, form: Reading, received_at: datetime, zone: ZoneInfo) -> None:
        self.form = form
        self.zone = zone
        self.latest = received_at + _CLOCK_SLACK
        self.unclear = False  # a date was written that is none
        self.ahead = False  # something is said to have happened that is yet to come
        self.children = tuple(self._children())
        self.updates = tuple(self._updates())
        self.conclusion = self._conclusion()

    def moment(self, name: str) -> Moment | None:
        """When something happened: a time with its zone, or a day; None when unstated, unclear or yet to come."""
        happened = self._parsed(self.form.fields.get(name))
        if happened is not None and self._is_ahead(happened):
            self.ahead = True
            return None
        return happened

    def day(self, name: str) -> date | None:
        return _day(self._parsed(self.form.fields.get(name)))

    def values(self) -> dict[str, str]:
        """The single values as text; what stands in the children's rows alike, joined."""
        told = {name: found.value for name, found in self.form.fields.items() if name not in _OWN_PLACE and found.value}
        for row in self.form.tables.get("children", ()):
            for name, found in row.items():
                if name not in _OWN_PLACE and found.value and name not in self.form.fields:
                    known = told.get(name, "").split("; ") if told.get(name) else []
                    told[name] = "; ".join(dict.fromkeys([*known, found.value]))
        return told

    def _children(self) -> Iterator[Child]:
        for row in (self.form.fields, *self.form.tables.get("children", ())):
            child = Child(
                name=_said(row.get("child_name") or row.get("name")),
                dob=_day(self._parsed(row.get("dob"))),
                system_id=_said(row.get("system_id")),
            )
            if child.name or child.dob or child.system_id:
                yield child

    def _updates(self) -> Iterator[Update]:
        for row in self.form.tables.get("updates", ()):
            text = _said(row.get("text"))
            dated = _day(self._parsed(row.get("date")))
            if text:
                yield Update(dated, text, _said(row.get("manager")), _said(row.get("reviewer")))

    def _conclusion(self) -> Conclusion | None:
        text = _said(self.form.fields.get("conclusion"))
        return Conclusion(text, self.day("conclusion_date")) if text else None

    def _parsed(self, found: Field | None) -> Moment | None:
        if found is None or not (found.value or found.text).strip() or fold(found.value or found.text) in _NOTHING:
            return None
        value = found.value.strip()
        try:
            if len(value) == 10:
                return date.fromisoformat(value)
            told = datetime.fromisoformat(value)
            return told if told.tzinfo else told.replace(tzinfo=self.zone)
        except ValueError:
            self.unclear = True
            return None

    def _is_ahead(self, happened: Moment) -> bool:
        if isinstance(happened, datetime):
            return happened > self.latest
        return happened > self.latest.astimezone(self.zone).date()


def _day(moment: Moment | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment


def _said(found: Field | None) -> str:
    """The value, or "" where it says that there is none."""
    value = found.value.strip() if found else ""
    return "" if fold(value).strip(" .") in _NOTHING else value


def _listed(child: str | None) -> list[str]:
    return [name for name in (child or "").split("; ") if name]


def _any_alike(told: Sequence[str], known: Sequence[str]) -> bool:
    return any(_may_be(name, other) for name in told for other in known)


def _may_be(name: str, other: str) -> bool:
    """Whether a subject's name may mean a form's child: families and initials are not held against it."""
    family = re.sub(r"\s*\(.*\)$", "", name)
    if family != name:
        return share_a_word(family, other)
    vague = is_initials(name) or re.match(r"(?:Child|YP|Baby|Sibling|Young person|Unborn)\b", name)
    return bool(vague) or alike(name, other)


def _carried(mail: Mail) -> Iterator[tuple[Mail, Attachment]]:
    """Every document in a mail and in the mails within it, with the mail that carries it."""
    for document in mail.attachments:
        yield mail, document
    for inner in mail.nested:
        yield from _carried(inner)


def _everybody(mail: Mail) -> frozenset[str]:
    """All who were written to, in this mail or in one it brings along, and those who sent them."""
    inner = (_everybody(nested) for nested in mail.nested)
    return frozenset({*mail.recipients, mail.sender}).union(*inner)


_REASONS: Mapping[str, str] = {
    "service_level_agreement": "service_level",
    "spreadsheet": "spreadsheet",
}


def _reason(says: SubjectSays) -> str:
    return next((reason for flag, reason in _REASONS.items() if flag in says.flags), "not_about_an_alert")
