"""A story: weeks of an invented inbox as data, read into ordered events.

`load_story` reads a folder of TOML (`story.toml`, `alerts.toml`, `week_*.toml`); `story_mail` makes real
mails of it. Nothing here knows a clock or a network: whoever tells the story moves the time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parseaddr
from operator import attrgetter
from pathlib import Path
from zoneinfo import ZoneInfo

from agent.errors import BadConfiguration
from agent.procedure.people import Person
from agent.sandbox.story_data import (
    DOCX,
    AlertsTold,
    AlertTold,
    AnswersTold,
    AttachTold,
    AwayTold,
    ExpectedOfAlert,
    ExpectedOfMail,
    LeaverTold,
    MailTold,
    OpensTold,
    StoryTold,
    TypesTold,
    WeekTold,
    read_toml,
)
from agent.sandbox.story_events import (
    Alert,
    Attached,
    AuthorAnswersChase,
    Event,
    FileAttached,
    FormAttached,
    MailArrives,
    MailAttached,
    MailboxAnswersItself,
    MailboxCloses,
    PersonCloses,
    PersonOpens,
    PersonTypes,
    Story,
)
from agent.sandbox.story_files import password_protected

__all__ = [
    "Alert",
    "AuthorAnswersChase",
    "Event",
    "ExpectedOfAlert",
    "ExpectedOfMail",
    "FileAttached",
    "FormAttached",
    "MailArrives",
    "MailAttached",
    "MailboxAnswersItself",
    "MailboxCloses",
    "PersonCloses",
    "PersonOpens",
    "PersonTypes",
    "Story",
    "load_story",
]


def load_story(path: Path) -> Story:
    """Read the story in folder `path`.

    Raises BadConfiguration with every mistake found, each naming its file or its event.
    """
    problems: list[str] = []
    told = read_toml(path / "story.toml", StoryTold, problems)
    alerts = read_toml(path / "alerts.toml", AlertsTold, problems)
    weeks = [read_toml(week, WeekTold, problems) for week in sorted(path.glob("week_*.toml"))]
    if told is None or alerts is None or problems:
        raise BadConfiguration(problems)
    reading = _Reading(told, alerts.alerts, [week for week in weeks if week is not None], problems)
    story = reading.story()
    if problems:
        raise BadConfiguration(problems)
    return story


class _Reading:
    """Turns what the files say into events; what does not fit together becomes a problem."""

    def __init__(
        self, told: StoryTold, alerts: Mapping[str, AlertTold], weeks: list[WeekTold], problems: list[str]
    ) -> None:
        self.told, self.alerts, self.weeks, self.problems = told, alerts, weeks, problems
        self.zone = ZoneInfo(told.zone)
        self.people = {key: self._person(key) for key in told.people}
        mails = [mail for week in weeks for mail in week.mails]
        self.mails = {mail.id: mail for mail in mails}
        problems += [f"Two mails are called `{name}`." for name in _twice(mail.id for mail in mails)]

    def story(self) -> Story:
        told = self.told
        events = sorted(self._events(), key=attrgetter("at"))
        first = datetime.combine(told.start, datetime.min.time(), self.zone)
        last = datetime.combine(told.start + timedelta(days=told.days), datetime.min.time(), self.zone)
        self.problems += [
            f"Something happens at {event.at:%Y-%m-%d %H:%M}, outside of the story's days."
            for event in events
            if not first <= event.at < last
        ]
        known = {
            label: Alert(label, alert.about, alert.form, _names(alert), alert.expected)
            for label, alert in self.alerts.items()
            if alert.expected is not None
        }
        return Story(
            told.title, told.start, told.days, self.zone, told.desk, self.people, known, tuple(events)
        )

    def _events(self) -> Iterator[Event]:
        for week in self.weeks:
            yield from (self._mail(mail) for mail in week.mails if not mail.only_inside)
            yield from map(self._types, week.people_type)
            for opened in week.people_open:
                yield from self._opens(opened)
            yield from map(self._answer, week.author_answers)
            yield from map(self._away, week.away)
            yield from map(self._leaver, week.leavers)

    # People and addresses

    def _person(self, key: str) -> Person:
        person = self.told.people[key]
        made = ".".join(person.name.lower().split()) + "@" + self.told.desk.domain
        return Person(person.name, person.address or made, person.roles)

    def _who(self, key: str, where: str) -> Person:
        if key not in self.people:
            self.problems.append(f"{where}: there is nobody called `{key}` in story.toml.")
            return Person(key, "", ())
        return self.people[key]

    def _addresses(self, keys: Iterable[str], where: str) -> tuple[tuple[str, str], ...]:
        """`everyone` → its members; "desk" → the desk's mailbox; `Name <address>` as it stands."""
        found: list[tuple[str, str]] = []
        for key in keys:
            if key in self.told.groups:
                found += self._addresses(self.told.groups[key], where)
            elif key == "desk":
                found.append((self.told.desk.name, self.told.desk.mailbox))
            elif "@" in key:
                found.append(parseaddr(key))
            else:
                person = self._who(key, where)
                found.append((person.name, person.address))
        return tuple(dict.fromkeys(found))

    # Events

    def _mail(self, told: MailTold) -> MailArrives:
        where = f"Mail `{told.id}`"
        if not told.only_inside:
            self._check_expected(told.expected, where)
        if told.answers and told.answers not in self.mails:
            self.problems.append(f"{where} answers `{told.answers}`, which is no mail of the story.")
        to, cc = told.to or ("everyone",), told.cc
        if cc is None:
            cc = () if told.to and "desk" in told.to else ("desk",)
        return MailArrives(
            at=self._local(told.at),
            label=told.id,
            message_id=self._message_id(told.id),
            sender=self._addresses([told.sender], where)[0],
            to=self._addresses(to, where),
            cc=self._addresses(cc, where),
            subject=told.subject,
            text=told.text.strip(),
            html=told.html,
            attached=self._attached(told.attach, where),
            answers=self._message_id(told.answers) if told.answers else "",
            headers=told.headers,
            tags=told.tags,
            expected=told.expected,
        )

    def _types(self, told: TypesTold) -> PersonTypes:
        where = f"What `{told.who}` types at {told.at:%Y-%m-%d %H:%M}"
        self._check_alert(told.alert, where)
        who = self._who(told.who, where)
        return PersonTypes(self._local(told.at), who, told.alert, told.cells, told.new_column, told.tags)

    def _opens(self, told: OpensTold) -> tuple[PersonOpens, PersonCloses]:
        who = self._who(told.who, f"Who opens the register at {told.at:%Y-%m-%d %H:%M}")
        return PersonOpens(self._local(told.at), who), PersonCloses(self._local(told.until), who)

    def _answer(self, told: AnswersTold) -> AuthorAnswersChase:
        where = f"The answer of `{told.who}` at {told.at:%Y-%m-%d %H:%M}"
        self._check_alert(told.alert, where)
        self._check_expected(told.expected, where)
        return AuthorAnswersChase(
            at=self._local(told.at),
            who=self._who(told.who, where),
            alert=told.alert,
            message_id=self._message_id(f"answer of {told.who} about {told.alert} {told.at}"),
            text=told.text.strip(),
            attached=self._attached(told.attach, where),
            expected=told.expected,
        )

    def _away(self, told: AwayTold) -> MailboxAnswersItself:
        who = self._who(told.who, "Who is away")
        return MailboxAnswersItself(self._local(told.at), who, self._local(told.until), told.text.strip())

    def _leaver(self, told: LeaverTold) -> MailboxCloses:
        return MailboxCloses(self._local(told.at), self._who(told.who, "Who leaves"))

    # Attachments

    def _attached(self, told: Iterable[AttachTold], where: str) -> tuple[Attached, ...]:
        made = (self._attachment(attach, where) for attach in told)
        return tuple(attached for attached in made if attached is not None)

    def _attachment(self, told: AttachTold, where: str) -> Attached | None:
        if told.form:
            return self._form(told, where)
        if told.mail:
            return self._inner_mail(told, where)
        if not told.file:
            self.problems.append(f"{where}: an attachment names a `form`, a `mail` or a `file`.")
            return None
        if told.password:
            return FileAttached(told.file, DOCX, password_protected())
        try:
            return FileAttached(told.file, told.media_type, base64.b64decode(told.base64, validate=True))
        except binascii.Error:
            self.problems.append(f"{where}: the content of `{told.file}` is not base64.")
            return None

    def _inner_mail(self, told: AttachTold, where: str) -> MailAttached | None:
        inner = self.mails.get(told.mail)
        if inner is None or any(attach.mail for attach in inner.attach):
            self.problems.append(f"{where} attaches `{told.mail}`, which is no mail that can lie in another.")
            return None
        return MailAttached(self._mail(inner))

    def _form(self, told: AttachTold, where: str) -> FormAttached | None:
        """The form after its first `updates`; those rows stay in it for good (one document, 6.3)."""
        alert = self.alerts.get(told.form)
        if alert is None:
            self.problems.append(f"{where}: there is no alert `{told.form}` in alerts.toml.")
            return None
        if told.updates > len(alert.updates) or (told.concluded and not alert.conclusion):
            self.problems.append(f"{where}: the form of `{told.form}` has not so much to tell.")
        told_so_far = alert.updates[: told.updates]
        values = dict(alert.values)
        for update in told_so_far:
            values |= update.also
        if told.concluded:
            values |= alert.conclusion
        values["form_kind"] = _form_kind(told)
        rows = tuple(
            {"date": row.date, "text": row.text, "manager": row.manager, "reviewer": row.reviewer}
            for row in told_so_far
        )
        tables = {"children": alert.children, "updates": rows}
        return FormAttached(alert.form, told.file, alert.layout, values, tables, alert.ticked, told.damaged)

    # Checks and small things

    def _check_expected(self, expected: ExpectedOfMail, where: str) -> None:
        if not expected.happened and not expected.question:
            self.problems.append(f"{where}: say in `expected` what must become of it.")
        if expected.alert:
            self._check_alert(expected.alert, where)

    def _check_alert(self, label: str, where: str) -> None:
        if label not in self.alerts or self.alerts[label].expected is None:
            self.problems.append(f"{where}: there is no alert `{label}` in alerts.toml.")

    def _local(self, at: datetime) -> datetime:
        return at.replace(tzinfo=self.zone)

    def _message_id(self, label: str) -> str:
        name = hashlib.sha256(f"{self.told.title}/{label}".encode()).hexdigest()[:24].upper()
        return f"<LO2P{name}@{self.told.desk.domain}>"


def _form_kind(told: AttachTold) -> str:
    if told.concluded:
        return "Conclusion"
    return "Update" if told.updates else "Initial alert"


def _names(alert: AlertTold) -> tuple[str, ...]:
    return tuple(child.get("child_name", "") for child in alert.children)


def _twice(names: Iterable[str]) -> list[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [name for name, times in seen.items() if times > 1]
