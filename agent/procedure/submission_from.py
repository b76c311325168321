"""A mail and what was read from its documents → what it brings, in the procedure's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from agent.procedure import signs
from agent.procedure.absence import deputy, has_left, return_date
from agent.procedure.apart import bears_marking, bears_phrase, references_in
from agent.procedure.automatic import AUTO_REPLY, OWN_LETTER, PROTECTED, RECALL, Verdict, verdict
from agent.procedure.filled_form import FilledForm
from agent.procedure.findings import Receipt, findings_on_receipt
from agent.procedure.mail import Attachment, Bounce, Mail
from agent.procedure.names import is_full, may_be
from agent.procedure.people import People
from agent.procedure.questions import FORM_BEHIND_LINK, NO_FORM, PROTECTED_MAIL, WITHDRAWN
from agent.procedure.reading import Reading, Unreadable
from agent.procedure.reply import new_words, proposal_in
from agent.procedure.rules import Procedure
from agent.procedure.sender import doubts_about_sender
from agent.procedure.signs import FORWARDED
from agent.procedure.subject import SubjectSays, parse_subject
from agent.procedure.submission import Child, Submission
from agent.procedure.text import fold, has_phrase, undressed, words
from agent.procedure.words import Kind

_MACROS = (".docm", ".dotm", ".xlsm")
_END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)  # one may read a file that nobody knows the age of
# How a mail was sent says little of what it says: a link to a form is an automatic notice.
_ONLY_HOW_SENT = frozenset({"newsletter", "automatic_notice", "share_notice"})
_ASKED_ABOUT = frozenset({RECALL, "challenge"})  # a machine's mail that a person has to see
_MARKED_WITHIN = 2000  # the marking stands at the head of a mail


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
    `received_at` is aware; `zone` is the desk's, in which forms state their times. Never raises.
    """
    at = min(received_at, _END_OF_TIME)
    return _Arrival(mail, tuple(readings), procedure, people, at, zone).submissions()


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
            return (self._bounce(self.mail.bounce),)
        forms = self._forms()
        judged = verdict(self.mail)
        if not forms and judged.kind == AUTO_REPLY:
            return (self._automatic_reply(judged),)
        if not forms and judged.kind == PROTECTED:
            return (self._protected(judged),)
        brought = self._without_false_mismatches([self._form(form) for form in forms])
        broken = self._broken(forms)
        if broken:
            brought.append(self._unreadable(broken, beside_forms=bool(forms)))
        return tuple(brought) or (self._without_form(judged),)

    def _forms(self) -> list[Reading]:
        """The forms that were read; one that is attached twice counts once."""
        return list({form.sha256: form for form in self.readings if isinstance(form, Reading)}.values())

    def _base(self, kind: Kind) -> Submission:
        answers = (self.mail.in_reply_to, *reversed(self.mail.references))
        return Submission(
            kind=kind,
            message_id=self.mail.message_id,
            sender=self.mail.sender.lower(),
            received_at=self.received_at,
            references=references_in(self.mail.subject, self.procedure),
            answers=tuple(dict.fromkeys(answer for answer in answers if answer)),
        )

    def _references(self, text: str) -> tuple[str, ...]:
        return references_in(f"{self.mail.subject}\n{text}", self.procedure)

    def _says(self, names: Sequence[str]) -> SubjectSays:
        """What the subject says together with these documents' names."""
        return parse_subject(self.mail.subject, names, self.procedure)

    def _file_says(self, name: str) -> SubjectSays:
        return parse_subject("", [name], self.procedure)

    @property
    def _sender_doubts(self) -> tuple[str, ...]:
        return doubts_about_sender(self.mail, self.people)

    # ------------------------------------------------------------ forms

    def _form(self, form: Reading) -> Submission:
        filled = FilledForm(form, self.received_at, self.zone)
        submission = replace(
            self._base(self._form_kind(form, filled)),
            form=form.form,
            document_sha256=form.sha256,
            references=self._references(form.text("reference")),
            children=filled.children,
            values=filled.values,
            incident_at=filled.happened["incident_at"],
            aware_at=filled.happened["aware_at"],
            form_date=filled.happened["form_date"],
            missing_since=filled.happened["missing_since"],
            returned_at=filled.happened["returned_at"],
            next_update_due=filled.next_update_due,
            categories=form.ticked,
            updates=filled.updates,
            actions=filled.actions,
            conclusion=filled.conclusion,
            author_address=self._author_address(form),
            doubts=self._doubts(form, filled),
        )
        return replace(submission, findings=self._findings(submission, form))

    def _form_kind(self, form: Reading, filled: FilledForm) -> Kind:
        """Content comes first: what is filled in, then what is ticked, then file name and subject."""
        rules = self.procedure.subject
        ticked = form.text("form_kind")
        if filled.conclusion:
            return Kind.CLOSURE
        if filled.updates or any(has_phrase(ticked, word) for word in rules.update_words):
            return Kind.UPDATE
        first = Kind.MISSING if self._is_missing(form, filled) else Kind.NEW
        concluding = any(has_phrase(ticked, word) for word in rules.closure_words)
        if ticked and not concluding:
            return first
        said = self._says([form.document]).kind
        return Kind.UPDATE if concluding or said in (Kind.UPDATE, Kind.CLOSURE) else first

    def _is_missing(self, form: Reading, filled: FilledForm) -> bool:
        """By the form itself; where one form serves for every matter, by what is filled in."""
        if self.procedure.missing_forms:
            return form.form in self.procedure.missing_forms
        return filled.happened["missing_since"] is not None

    def _doubts(self, form: Reading, filled: FilledForm) -> tuple[str, ...]:
        told = {
            "name_mismatch": self._names_disagree(form, filled),
            "macro_file": form.document.lower().endswith(_MACROS),
            "date_invalid": filled.unclear,
            "date_future": filled.ahead,
            "blank_form": any(problem.startswith("blank_form:") for problem in form.problems),
        }
        return (*(code for code, is_so in told.items() if is_so), *self._sender_doubts)

    def _names_disagree(self, form: Reading, filled: FilledForm) -> bool:
        """Subject, file name and form tell of different children: perhaps sent in error."""
        adults = (form.text("author"), form.text("reviewer"), self.mail.sender_name)
        in_subject = self._surely_children(self._says([]), adults)
        in_file = self._surely_children(self._file_says(form.document), adults)
        in_form = [child.name for child in filled.children if child.name]
        if in_form:
            return any(names and not _any_alike(names, in_form) for names in (in_subject, in_file))
        return bool(in_subject and in_file) and not _any_alike(in_subject, in_file)

    def _surely_children(self, says: SubjectSays, adults: Sequence[str]) -> list[str]:
        """Only a full name can speak against a form's child, and only where it is not the name of somebody
        who writes or is written to."""
        grown_up = " ".join(words(" ".join(adults)))
        return [
            name
            for name in _listed(says)
            if is_full(name) and self.people.named(name) is None and " ".join(words(name)) not in grown_up
        ]

    def _without_false_mismatches(self, brought: list[Submission]) -> list[Submission]:
        """Where a mail brings several forms, its subject may name the child of any one of them."""
        in_subject = _listed(self._says([]))
        if len(brought) < 2 or not _any_alike(in_subject, _names_of(*brought)):
            return brought
        return [self._cleared(one) if self._file_agrees(one) else one for one in brought]

    def _cleared(self, one: Submission) -> Submission:
        return replace(one, doubts=tuple(doubt for doubt in one.doubts if doubt != "name_mismatch"))

    def _file_agrees(self, one: Submission) -> bool:
        files = [form.document for form in self._forms() if form.sha256 == one.document_sha256]
        in_file = [name for file in files for name in _listed(self._file_says(file))]
        return not in_file or _any_alike(in_file, _names_of(one))

    def _author_address(self, form: Reading) -> str:
        """Whom to write to: the form's author where the roster knows them, else who sent the mail that
        carried it. The desk itself is nobody's author."""
        author = self.people.named(re.split(r"[,(;/]|\s-\s", form.text("author"))[0])
        if author:
            return author.address.lower()
        carriers = [carrier for carrier, document in _carried(self.mail) if document.sha256 == form.sha256]
        senders = [carrier.sender.lower() for carrier in (*reversed(carriers), self.mail)]
        return next((sender for sender in senders if self.people.may_be_written_to(sender)), senders[-1])

    def _findings(self, submission: Submission, form: Reading) -> tuple[str, ...]:
        receipt = Receipt(
            submission=submission,
            recipients=_everybody(self.mail),
            subject=self._says([form.document]),
            file=self._file_says(form.document),
            phrased=bears_phrase(self.mail.subject, self.procedure),
            marked=self._is_marked(),
            staff_matter=self._is_staff_matter(submission),
            zone=self.zone,
            old_form=form.old,
        )
        return findings_on_receipt(receipt, self.procedure, self.people)

    def _is_marked(self) -> bool:
        """By words in subject or text, or by Outlook's own importance and sensitivity (NCT 6.1)."""
        texts = (self.mail.subject, self.mail.text[:_MARKED_WITHIN])
        if any(bears_marking(text, self.procedure) for text in texts):
            return True
        headers = self.mail.headers
        important = headers.get("importance", "").lower() == "high"
        urgent = important or headers.get("x-priority", "").startswith("1")
        return urgent and "confidential" in headers.get("sensitivity", "").lower()

    def _is_staff_matter(self, submission: Submission) -> bool:
        ticked = (self.procedure.category(code) for code in submission.categories)
        said = fold(submission.values.get("staff_subject", "")) == "yes"
        return said or any(category.staff for category in ticked if category)

    # ------------------------------------------------------------ documents that could not be read

    def _broken(self, forms: Sequence[Reading]) -> list[Unreadable]:
        unread = (document for document in self.readings if isinstance(document, Unreadable))
        return [document for document in unread if self._looks_like_a_form(document, forms)]

    def _looks_like_a_form(self, document: Unreadable, forms: Sequence[Reading]) -> bool:
        if _stem(document.document) in {_stem(form.document) for form in forms}:
            return False  # the same form once more in another dress, and one of the two was read
        if self._file_says(document.document).kind is not Kind.OTHER:
            return True
        if forms or document.code == "not_a_form" or self._is_inline(document):
            return False
        return self._says([document.document]).kind is not Kind.OTHER

    def _is_inline(self, document: Unreadable) -> bool:
        return any(
            attached.inline for _, attached in _carried(self.mail) if attached.sha256 == document.sha256
        )

    def _unreadable(self, documents: Sequence[Unreadable], *, beside_forms: bool) -> Submission:
        names = [document.document for document in documents]
        says = self._says(names)
        doubts = {
            "unreadable": True,
            "name_mismatch": bool(says.flags & {"name_mismatch", "possible_data_breach"}),
            "macro_file": any(name.lower().endswith(_MACROS) for name in names),
        }
        return replace(
            self._base(Kind.UNREADABLE),
            document_sha256=documents[0].sha256,
            children=_children(says),
            author_address=self.mail.sender.lower(),
            doubts=(*(code for code, is_so in doubts.items() if is_so), *self._sender_doubts),
            reason=documents[0].code,
            claims=None if beside_forms else says.kind,
        )

    # ------------------------------------------------------------ mails without a form

    def _bounce(self, bounce: Bounce) -> Submission:
        reason = "undeliverable" if bounce.permanent else "delivery_delayed"
        because = (bounce.because,) if bounce.because else ()
        base = self._base(Kind.BOUNCE)
        return replace(base, bounced_address=bounce.address, reason=reason, because=because)

    def _automatic_reply(self, judged: Verdict) -> Submission:
        today = self.received_at.astimezone(self.zone).date()
        said = new_words(self.mail.text)
        until = return_date(undressed(said), today)
        return replace(
            self._base(Kind.AUTO_REPLY),
            away_until=until,
            deputy=deputy(said),
            reason=AUTO_REPLY,
            because=judged.because,
            doubts=(*(("has_left",) if has_left(undressed(said)) else ()), *self._sender_doubts),
        )

    def _protected(self, judged: Verdict) -> Submission:
        """Nobody can tell what it says before a person opened it: from inside it may well be an alert."""
        may_be = None if self._sender_doubts else Kind.NEW
        hidden = self._hidden(self._base(Kind.OTHER), PROTECTED_MAIL, may_be)
        return replace(hidden, reason=PROTECTED, because=judged.because)

    def _hidden(self, base: Submission, doubt: str, may_be: Kind | None = None) -> Submission:
        """A mail that could not be read: what its subject speaks of, or else `may_be`."""
        says = self._in_all()
        claims = says.kind if says.kind is not Kind.OTHER else may_be
        return replace(
            base,
            kind=Kind.UNREADABLE if claims else Kind.OTHER,
            children=_children(says, full=True),
            author_address=self.mail.sender.lower(),
            doubts=(doubt, *self._sender_doubts),
            claims=claims,
        )

    def _without_form(self, judged: Verdict) -> Submission:
        base = replace(self._base(Kind.OTHER), references=self._references(new_words(self.mail.text)))
        if _unread(self.mail):
            return self._hidden(base, "mail_unread")
        if self.mail.sender.lower() in self.people.own:
            return replace(base, reason=OWN_LETTER)
        if judged.kind and not (judged.kind in _ONLY_HOW_SENT and self._claims_an_alert()):
            asked = (judged.kind,) if judged.kind in _ASKED_ABOUT else ()
            return replace(base, reason=judged.kind, because=judged.because, doubts=asked)
        return self._in_words(base)

    def _claims_an_alert(self) -> bool:
        return self._in_all().kind is not Kind.OTHER

    def _in_all(self) -> SubjectSays:
        """What the subject says together with whatever is attached."""
        return self._says([document.name for document in self.mail.attachments if not document.inline])

    def _in_words(self, base: Submission) -> Submission:
        """A mail that a person wrote, without a form."""
        says = self._in_all()
        told = replace(base, children=_children(says, full=True), doubts=self._sender_doubts)
        if says.kind is Kind.CLOSURE:
            return replace(told, kind=Kind.CLOSURE, doubts=("closure_without_form", *told.doubts))
        if self._is_reply() or base.references:
            return self._reply(replace(told, kind=Kind.REPLY, claims=says.kind))
        if says.kind is not Kind.OTHER:
            missing = FORM_BEHIND_LINK if self._links_to_a_file() else NO_FORM
            return replace(told, kind=says.kind, doubts=(missing, *told.doubts))
        if "query_not_alert" in says.flags:
            return replace(told, reason="query", doubts=("query", *told.doubts))
        return replace(base, reason=_reason(says))

    def _reply(self, told: Submission) -> Submission:
        """What a reply proposes is for people to decide; that an alert be closed or taken back, they are
        asked about."""
        today = self.received_at.astimezone(self.zone).date()
        proposal = proposal_in(new_words(self.mail.text), today)
        asks = {WITHDRAWN: proposal.withdraw, "closure_without_form": proposal.close}
        asked = (code for code, is_so in asks.items() if is_so)
        return replace(told, proposal=proposal, doubts=(*asked, *told.doubts))

    def _links_to_a_file(self) -> bool:
        """Whether it points to a file that lies elsewhere, instead of bringing it. No link is followed."""
        return signs.SHARED_FILE.search(unquote(new_words(self.mail.text))) is not None

    def _is_reply(self) -> bool:
        """A mail that is sent on does not answer the one it sends on, whatever its headers say."""
        answers = bool(self.mail.in_reply_to or self.mail.references)
        return answers and not FORWARDED.match(self.mail.subject)


def _unread(mail: Mail) -> bool:
    """Whether some of the mail, or of a mail within it, was not read: a form may be there."""
    return bool(mail.problems) or any(_unread(inner) for inner in mail.nested)


def _children(says: SubjectSays, *, full: bool = False) -> tuple[Child, ...]:
    """The children named; only those `full`y named where a lone word would prove nothing."""
    return tuple(Child(name) for name in _listed(says) if is_full(name) or not full)


def _listed(says: SubjectSays) -> list[str]:
    return says.child.split("; ") if says.child else []


def _names_of(*submissions: Submission) -> list[str]:
    return [child.name for one in submissions for child in one.children if child.name]


def _any_alike(told: Sequence[str], known: Sequence[str]) -> bool:
    return any(may_be(name, other) for name in told for other in known)


def _carried(mail: Mail) -> Iterator[tuple[Mail, Attachment]]:
    """Every document in a mail and in the mails within it, with the mail that carries it."""
    for document in mail.attachments:
        yield mail, document
    for inner in mail.nested:
        yield from _carried(inner)


def _everybody(mail: Mail) -> frozenset[str]:
    """All who were written to, in this mail or one that it brings along, and those who sent them."""
    within = (_everybody(inner) for inner in mail.nested)
    return frozenset({*mail.recipients, mail.sender.lower()}).union(*within)


def _stem(name: str) -> str:
    return fold(name).rpartition(".")[0] or fold(name)


def _reason(says: SubjectSays) -> str:
    """Why a mail that a person wrote is nothing of ours."""
    if "service_level_agreement" in says.flags:
        return "service_level"
    return "spreadsheet" if "spreadsheet" in says.flags else "not_about_an_alert"
