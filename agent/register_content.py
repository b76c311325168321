"""What each workbook of a desk is to show, as the ledger has it: rows by key and column heading."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import quote

from agent.desk import Desk, MadeRow, MadeRows
from agent.ledger.base import REGISTER, HandledMail, OpenQuestion, in_order_received
from agent.procedure.alert import Alert
from agent.procedure.asked import row_of_question
from agent.procedure.people import People
from agent.procedure.row import HIDDEN, is_staff_matter, restricted_row, row_of, says_restricted
from agent.procedure.rules import Column
from agent.procedure.summary import summary_of
from agent.procedure.typed import notes_on
from agent.register.base import Register, Sheet
from agent.register.summary_layout import cells_of

RESTRICTED = "restricted"

Rows = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Place:
    """One of a desk's workbooks. `name` is the ledger's name for its alerts."""

    name: str
    register: Register

    @property
    def questions(self) -> str:
        """The ledger's name for its questions."""
        return f"{self.name} questions"

    @property
    def summary(self) -> str:
        """The ledger's name for its figures."""
        return f"{self.name} summary"


def places(desk: Desk) -> list[Place]:
    """The register, and the one for matters about members of staff where the desk has it."""
    restricted = [Place(RESTRICTED, desk.restricted)] if desk.restricted else []
    return [Place(REGISTER, desk.register), *restricted]


def by_field(row: Mapping[str, str], columns: Sequence[Column]) -> dict[str, str]:
    """A row by heading → by field."""
    return {column.field: row.get(column.heading, "") for column in columns if column.field}


class Content:
    """What is to stand in one workbook at `now`."""

    def __init__(self, desk: Desk, place: Place, now: datetime) -> None:
        self._desk, self._place, self._now = desk, place, now
        self._apart = desk.restricted is not None
        self._main = place.name == REGISTER

    # Alerts

    @cached_property
    def alerts(self) -> Rows:
        """The rows of the alerts that belong here: each the very one of the last round where neither its
        alert nor the rules or the people changed, nor, while it is open, the day."""
        desk, name = self._desk, self._place.name
        alerts = {
            reference: alert
            for reference, alert in desk.ledger.alerts().items()
            if (self._main or reference in self._restricted) and not _is_over(alert)
        }
        today, rules = desk.calendar.today(self._now), (desk.procedure, self._people, desk.calendar)
        before = desk.rows.get(name) or MadeRows(rules, today, {})
        links = self._links([alert for alert in alerts.values() if not _is_of(before, alert)])
        other_rules, other_day = before.rules != rules, before.day != today
        made = dict[str, MadeRow]()
        for reference, alert in alerts.items():
            known, reduced = before.rows.get(reference), reference in self._reduced
            if known is None or known.alert is not alert:
                made[reference] = self._made(alert, links.get(reference, ""), reduced=reduced)
            elif other_rules or known.reduced != reduced or (other_day and not alert.ended):
                made[reference] = self._made(alert, known.link, reduced=reduced)
            else:
                made[reference] = known
        desk.rows[name] = MadeRows(rules, today, made)
        return {reference: one.row for reference, one in made.items()}

    def over(self, sheet: Sheet) -> tuple[str, ...]:
        """Alerts that stand in the sheet and were erased: their rows leave it, with all that people wrote."""
        alerts = self._desk.ledger.alerts()
        return tuple(key for key in sheet.rows if key in alerts and _is_over(alerts[key]))

    def with_notes(self, rows: Rows, sheet: Sheet) -> Rows:
        """These rows, with a word on what people typed that does not do what they may have meant."""
        columns, alerts = self._desk.procedure.columns, self._desk.ledger.alerts()
        heading = next((column.heading for column in columns if column.field == "needs_a_person"), "")
        today = self._desk.calendar.today(self._now)
        noted = dict(rows)
        for key, row in sheet.rows.items():
            notes = list(notes_on(alerts[key], by_field(row, columns), columns, today)) if key in rows else []
            if notes and heading:
                said = rows[key].get(heading, "")
                noted[key] = {**rows[key], heading: "; ".join([*([said] if said else []), *notes])}
        return noted

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Alerts of which this workbook shows next to nothing, people's columns included.

        A row that stands here in full is hidden only once it stands in the restricted workbook.
        """
        if not (self._main and self._apart):
            return frozenset()
        return self._restricted & self._moved | self._restricted - self._here.keys()

    def moved_here(self) -> Rows:
        """What stood in the register's rows of the alerts that belong here and are not here yet."""
        if self._main:
            return {}
        return {one: self._here[one] for one in self._restricted - self._moved if one in self._here}

    @cached_property
    def _restricted(self) -> frozenset[str]:
        """Once in the restricted workbook, an alert stays there."""
        told = self._desk.ledger.alerts().items()
        procedure = self._desk.procedure
        staff = {reference for reference, alert in told if is_staff_matter(alert, procedure)}
        return frozenset(staff | self._moved)

    @cached_property
    def _moved(self) -> frozenset[str]:
        """Alerts that stand in the restricted workbook, or stood there when the register hid them."""
        if not self._apart:
            return frozenset()
        there = self._desk.ledger.sheet(RESTRICTED)
        columns = self._desk.procedure.columns
        word = says_restricted(columns)
        heading = next(column.heading for column in columns if column.field == word)
        hid = {one for one, row in self._here.items() if row.get(heading) == HIDDEN}
        return frozenset(hid | (there.rows.keys() if there and there.version else set()))

    @cached_property
    def _here(self) -> Rows:
        """The register's rows as the agent knows them."""
        known = self._desk.ledger.sheet(REGISTER)
        return known.rows if known else {}

    @cached_property
    def _people(self) -> People:
        return self._desk.addressees

    @cached_property
    def _reduced(self) -> frozenset[str]:
        """Alerts of which this workbook shows little: where they are kept apart, once they stand there."""
        if not self._main:
            return frozenset()
        return self.hidden if self._apart else self._restricted

    def _made(self, alert: Alert, link: str, *, reduced: bool) -> MadeRow:
        desk = self._desk
        told = row_of(alert, self._now, desk.procedure, self._people, desk.calendar)
        row: Mapping[str, str] = {**told, "mail": link}
        if reduced:
            row = restricted_row(row, desk.procedure.columns, apart=self._apart)
        return MadeRow(alert, link, reduced, self._by_heading(row, desk.procedure.columns))

    def _links(self, alerts: Iterable[Alert]) -> dict[str, str]:
        """By the reference of each of these alerts, where to see the mail that opened it."""
        mails = self._by_id({name for alert in alerts for name in alert.mails})
        of = {alert.reference: [mails[name] for name in alert.mails if name in mails] for alert in alerts}
        return {one: self._link(min(found, key=in_order_received)) for one, found in of.items() if found}

    # Questions

    @cached_property
    def questions(self) -> dict[str, dict[str, str]]:
        """The rows of the questions that wait for an answer, and of those answered of late."""
        days = timedelta(days=self._desk.agent.limits.answered_days)
        here = [
            asked
            for asked in self._asked
            if self._belongs(asked) and (asked.acted_at is None or self._now < asked.acted_at + days)
        ]
        mails = self._desk.ledger.mails_named({asked.question.message_id for asked in here})
        columns = self._desk.procedure.question_columns
        return {str(asked.number): self._by_heading(self._question(asked, mails), columns) for asked in here}

    def leaving(self, sheet: Sheet) -> tuple[str, ...]:
        """Questions that stand in the sheet and need not any more. One beside which a person noted
        something stays until they take it out, unless it has become restricted or was erased."""
        columns = self._desk.procedure.question_columns
        asked_with = {one.heading for one in columns if one.owner != "person" or one.field == "answer"}
        numbers = {str(asked.number): asked for asked in self._asked}
        return tuple(
            key
            for key, row in sheet.rows.items()
            if key in numbers
            and key not in self.questions
            and not (
                self._belongs(numbers[key])
                and not numbers[key].erased
                and any(row[one] for one in row.keys() - asked_with)
            )
        )

    @cached_property
    def _asked(self) -> list[OpenQuestion]:
        return self._desk.ledger.questions(waiting_only=False)

    def _belongs(self, asked: OpenQuestion) -> bool:
        return not self._apart or self._main != self._is_restricted(asked)

    def _is_restricted(self, asked: OpenQuestion) -> bool:
        question = asked.question
        about_it = question.message_id.startswith(f"{RESTRICTED}:")
        return about_it or any(one in self._restricted for one in question.candidates)

    def _question(self, asked: OpenQuestion, mails: Iterable[HandledMail]) -> dict[str, str]:
        reduced = self._is_restricted(asked) and not self._apart
        about = [mail for mail in mails if asked.question.message_id in (mail.mail_id, mail.message_id)]
        link = self._link(about[0]) if about else ""
        procedure, calendar = self._desk.procedure, self._desk.calendar
        row = row_of_question(asked.question, asked.asked_at, procedure, calendar, restricted=reduced)
        return {**row, "mail": link, "outcome": self._outcome(asked, about)}

    def _outcome(self, asked: OpenQuestion, about: Iterable[HandledMail]) -> str:
        """What came of an answer, or why nothing did."""
        if asked.acted_at is not None:
            done = f"Done on {self._desk.calendar.today(asked.acted_at):%d %b %Y}"
            taken_to = sorted({alert for mail in about for alert in mail.alerts})
            return ": ".join([done, ", ".join(taken_to)]).removesuffix(": ")
        return asked.note or ("Your answer is being acted on." if asked.answered_at else "")

    @property
    def summary(self) -> dict[str, str]:
        """The figures of the alerts that belong here, by the address of their cell."""
        desk, alerts = self._desk, self._desk.ledger.alerts()
        mine = [alerts[reference] for reference in self.alerts]
        waiting = sum(asked.answered_at is None and self._belongs(asked) for asked in self._asked)
        return cells_of(summary_of(mine, waiting, self._now, desk.procedure, desk.calendar))

    # Both

    def _by_id(self, names: Collection[str]) -> dict[str | None, HandledMail]:
        """The first mail by each of these ids."""
        found: dict[str | None, HandledMail] = {}
        for mail in self._desk.ledger.mails_named(names):
            found.setdefault(mail.mail_id, mail)
            found.setdefault(mail.message_id, mail)
        return found

    def _link(self, mail: HandledMail) -> str:
        """Where to see a mail."""
        return self._desk.agent.tenant.mail_link.format(id=quote(mail.mail_id, safe=""))

    def _by_heading(self, row: Mapping[str, str], columns: Iterable[Column]) -> dict[str, str]:
        return {column.heading: row[column.field] for column in columns if column.field in row}


def _is_over(alert: Alert) -> bool:
    """Erased, and ended: one that goes on keeps its row, as somebody has to see to it."""
    return alert.erased and alert.ended


def _is_of(made: MadeRows, alert: Alert) -> bool:
    """Is its row as made last of this very state of the alert?"""
    known = made.rows.get(alert.reference)
    return known is not None and known.alert is alert
