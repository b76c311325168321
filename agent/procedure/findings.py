"""Departures from the procedure, noticed on receipt. They are reported and never delay an alert.

Which departures there are, and by which clause, is the procedure's: see `Procedure.findings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agent.procedure.addressing import REVIEWER, bare_name
from agent.procedure.alert import Alert
from agent.procedure.clocks import clock_of
from agent.procedure.names import may_be
from agent.procedure.people import People, Person
from agent.procedure.rules import MustTell, Procedure, Recipients
from agent.procedure.subject import SubjectSays
from agent.procedure.submission import Submission
from agent.procedure.text import fold
from agent.procedure.words import Kind
from agent.procedure.working_days import Calendar

RECIPIENT = "missing_recipient:"
NO_LEGAL_ADVICE = "no_legal_advice"


@dataclass(frozen=True)
class Receipt:
    """A submission as it arrived: who was written to, and what subject line and file name say.

    `phrased` and `marked` tell whether the mail bears the procedure's phrase and marking in any of the
    accepted ways; `staff_matter` whether a member of staff is the subject, `old_form` whether the form's own
    title is that of one which has been replaced.
    """

    submission: Submission
    recipients: frozenset[str]
    subject: SubjectSays
    file: SubjectSays
    phrased: bool
    marked: bool
    staff_matter: bool
    zone: ZoneInfo
    old_form: bool = False


def findings_on_receipt(receipt: Receipt, procedure: Procedure, people: People) -> tuple[str, ...]:
    """Every departure that shows on receipt, as codes, in the order of the table."""
    checks = ((code, departs) for code, departs in _CHECKS if code in procedure.findings)
    noticed = [code for code, departs in checks if departs(receipt, procedure, people)]
    noticed += [rule.finding for rule in procedure.must_tell if not _tells(receipt.submission, rule)]
    return (*noticed, *(f"{RECIPIENT}{rule.role}" for rule in _not_copied(receipt, procedure, people)))


def clause_of(code: str, procedure: Procedure) -> str:
    """The clause that a finding departs from; "" for a code that this procedure does not know."""
    if code.startswith(RECIPIENT):
        role = code.removeprefix(RECIPIENT)
        return next((rule.clause for rule in procedure.must_be_copied if rule.role == role), "")
    return procedure.findings.get(code, "")


def finding_said(code: str, procedure: Procedure) -> str:
    """What a finding is called, in the procedure's words."""
    if code.startswith(RECIPIENT):
        return f"Not copied: {procedure.called(code.removeprefix(RECIPIENT))}"
    return procedure.finding_words.get(code, code.replace("_", " "))


def still_so(code: str, alert: Alert, procedure: Procedure) -> bool:
    """Whether a departure that was noticed stands, going by what is known by now. What a mail lacked when it
    came, it lacks for ever; what a form left open, a later one may tell."""
    if code == NO_LEGAL_ADVICE:
        return _lacks_legal_advice(alert.values, procedure)
    rule = next((rule for rule in procedure.must_tell if rule.finding == code), None)
    return rule is None or not _tells(alert, rule)


def _lacks_legal_advice(values: Mapping[str, str], procedure: Procedure) -> bool:
    """The media may be interested, and no legal advice is recorded (NCT Appendix B)."""
    interest = {fold(answer) for answer in procedure.media_interest}
    return fold(values.get("media", "")) in interest and not values.get("legal_advice")


def _tells(said: Submission | Alert, rule: MustTell) -> bool:
    """Whether a form answers what it has to. A brief one comes first, and tells the rest later (Merton
    "Recording")."""

    def answers(name: str) -> bool:
        return bool(said.values.get(name) or getattr(said, name, None))

    if not said.form or said.values.get("brief") == "yes" or (rule.given and not answers(rule.given)):
        return True
    return all(map(answers, rule.answers))


def _is_late(receipt: Receipt, procedure: Procedure, _: People) -> bool:
    """Counted from the incident happening, not from when it became known (NCT 2.1)."""
    said = receipt.submission
    if said.kind not in (Kind.NEW, Kind.MISSING):
        return False
    facts = {"incident_at": said.incident_at, "missing_since": said.missing_since}
    calendar = Calendar(frozenset(), frozenset(), receipt.zone)
    due = clock_of("form_due", facts, procedure, calendar, said.categories)
    return due is not None and isinstance(due.due, datetime) and said.received_at > due.due


def _is_wrong_form(receipt: Receipt, procedure: Procedure, _: People) -> bool:
    """A child is missing and the standard form was used (NCT 2.2): by what is ticked, or by the subject."""
    said = receipt.submission
    has_own_form = bool(procedure.missing_forms) and said.form is not None
    ticked = (procedure.category(code) for code in said.categories)
    told = said.missing_since is not None or any(category.missing for category in ticked if category)
    missing = told or "form_type_mismatch" in receipt.subject.flags
    return has_own_form and missing and said.form not in procedure.missing_forms


def _is_old_form(receipt: Receipt, *_: object) -> bool:
    """By its title or, where people kept that of the new one, by what they call it."""
    return receipt.old_form or "old_form_name" in receipt.subject.flags | receipt.file.flags


def _file_nameless(receipt: Receipt, *_: object) -> bool:
    """A form about a named child whose file's name does not tell which (NCT 6.1)."""
    named = any(child.name for child in receipt.submission.children)
    return named and receipt.file.child is None


def _file_dateless(receipt: Receipt, *_: object) -> bool:
    return receipt.submission.form is not None and receipt.file.date is None


def _undated(receipt: Receipt, *_: object) -> bool:
    return any(update.date is None for update in receipt.submission.updates)


def _unsigned(receipt: Receipt, *_: object) -> bool:
    """Both names are asked for: the Manager's and the reviewing Strategic Manager's (NCT 6.3)."""
    return any(not update.manager or not update.reviewer for update in receipt.submission.updates)


def _is_signed_by_other(receipt: Receipt, procedure: Procedure, people: People) -> bool:
    """Signed off by somebody who is not known to hold the role that alone may (NCT Appendix A). A desk whose
    roster names nobody in that role cannot tell."""
    said = receipt.submission
    holders = people.holding(procedure.chasing.reviewer_role)
    signed = [said.values.get(REVIEWER, ""), *(update.reviewer for update in said.updates)]
    names = [bare_name(name) for name in signed if name]
    return bool(holders) and any(not any(may_be(name, one.name) for one in holders) for name in names)


Check = Callable[[Receipt, Procedure, People], bool]
_CHECKS: tuple[tuple[str, Check], ...] = (
    ("late_form", _is_late),
    ("old_form", _is_old_form),
    ("wrong_form", _is_wrong_form),
    ("subject_phrase_missing", lambda receipt, *_: not receipt.phrased),
    ("marking_missing", lambda receipt, *_: not receipt.marked),
    ("file_name_without_name", _file_nameless),
    ("file_name_without_date", _file_dateless),
    ("update_undated", _undated),
    ("update_unsigned", _unsigned),
    ("signed_by_other", _is_signed_by_other),
    (NO_LEGAL_ADVICE, lambda receipt, rules, _: _lacks_legal_advice(receipt.submission.values, rules)),
)


def _not_copied(receipt: Receipt, procedure: Procedure, people: People) -> list[Recipients]:
    there = receipt.recipients | {receipt.submission.sender}
    asked = (rule for rule in procedure.must_be_copied if _is_asked_for(rule, receipt, people))
    return [rule for rule in asked if not _copied(rule, there, _holders(rule, receipt, people))]


def _is_asked_for(rule: Recipients, receipt: Receipt, people: People) -> bool:
    """Whether the clause holds for this matter: some roles are only for staff, for deaths and harm, or for
    what goes from one role to another (Merton "Summary")."""
    if rule.categories and set(rule.categories).isdisjoint(receipt.submission.categories):
        return False
    there = {person.address.lower() for person in people.holding(rule.sent_to)}
    if rule.sent_to and there.isdisjoint(receipt.recipients):
        return False
    sender = people.at(receipt.submission.sender)
    if rule.sent_by and (sender is None or rule.sent_by not in sender.roles):
        return False
    return receipt.staff_matter or not rule.staff_matters_only


def _holders(rule: Recipients, receipt: Receipt, people: People) -> Sequence[Person]:
    if rule.role != REVIEWER:
        return people.holding(rule.role)
    named = people.named(bare_name(receipt.submission.values.get(REVIEWER, "")))
    return [named] if named else []


def _copied(rule: Recipients, there: frozenset[str], holders: Sequence[Person]) -> bool:
    """A role that nobody on the roster holds cannot be checked and is not held against anybody."""
    copied = [person.address.lower() in there for person in holders]
    return not copied or (all(copied) if rule.everyone else any(copied))
