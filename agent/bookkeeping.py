"""Step 2, bookkeeping: ledger → register, and what people typed in the register → ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from agent.answering import record_all
from agent.arrival import numbering
from agent.desk import Desk, Settled
from agent.errors import NeedsAPerson, TryAgainLater
from agent.ledger.base import Page, SheetState
from agent.log import logger
from agent.noticed import MISTRUSTED, TRUSTED, Noticed, answer_question, said_of, tell
from agent.procedure.alert import alert_after
from agent.procedure.rules import Column
from agent.procedure.typed import Meant, Typed, meaning_of
from agent.procedure.words import Happened, Json
from agent.register.base import Book, Changes, Edits, Sheet
from agent.register.guard import mistrusted
from agent.register.merge import WORKBOOK_GONE, Merged, PersonsChange, Rows, merge
from agent.register_content import Content, Place, by_field, places
from agent.spare_memory import give_back
from agent.versions import refuse_mixing, version_written

log = logger()

_FIGURES = "figures"  # the one row by which the ledger knows a summary
_FEW = 3  # so many entries over the agent's own are asked about one by one


def bookkeeping(desk: Desk, now: datetime) -> int:
    """Take in what people typed, then write what the ledger says. Gives how many rows were written.

    A workbook that changed meanwhile or that somebody has open raises TryAgainLater: nothing was
    written, and the next round merges afresh. One that cannot be trusted raises NeedsAPerson: nothing was
    taken from it, either. Trouble with one of a desk's workbooks does not hold up the other.
    """
    written, troubles = 0, []
    for place in places(desk):
        try:
            written += _keep(desk, place, now)
        except (TryAgainLater, NeedsAPerson) as trouble:
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return written


def _keep(desk: Desk, place: Place, now: datetime) -> int:
    """One round in one workbook: the shortest one where since the last neither the record, nor the day, nor
    the rules, nor the workbook changed; one of the rows that changed, where only the record did."""
    told = (desk.procedure, desk.people, desk.calendar, desk.agent)
    mark, rules = desk.ledger.mark(), (desk.calendar.today(now), *told, place.register)
    last, book = desk.settled.pop(place.name, None), None
    if last is not None and (last.mark, last.rules) == (mark, rules):
        book = place.register.read(last.known.version)
        if book is None:
            desk.settled[place.name] = last
            return 0
    made = _Round(desk, place, now, last if last is not None and last.rules == rules else None)
    written = made.kept(book)
    if made.settled_as is not None:
        desk.settled[place.name] = Settled(made.settled_as, mark, rules, made.rows)
    give_back()
    return written


def rebuild(desk: Desk, now: datetime) -> int:
    """Write every workbook of the desk afresh from the ledger, with what people had written in it when it was
    read last. Gives how many rows were written. What lay there is kept, see `Register.renew`."""
    return sum(_Round(desk, place, now).rebuilt() for place in places(desk))


def compare(desk: Desk, now: datetime) -> list[Compared]:
    """Each workbook of the desk beside the ledger. Nothing is written or recorded."""
    return [_Round(desk, place, now).compared() for place in places(desk)]


@dataclass(frozen=True)
class Compared:
    """A workbook, and what the next round of bookkeeping would make of it."""

    workbook: str
    book: Book
    alerts: Merged
    questions: Merged


@dataclass(frozen=True)
class _Known:
    """What the ledger remembers of a workbook."""

    alerts: SheetState
    questions: SheetState
    summary: Mapping[str, str]

    def book(self) -> Book:
        """The workbook, where nobody touched it since."""
        alerts, questions = (Sheet(one.headings, one.rows) for one in (self.alerts, self.questions))
        return Book(self.alerts.version, alerts, questions, self.summary)

    @property
    def in_doubt(self) -> bool:
        """Was the agent cut off while it wrote?"""
        return bool(self.alerts.intended or self.questions.intended)


class _Round:
    """One round of bookkeeping in one workbook of a desk. `last` is how the last one under the same rules
    left it; `rows` are those to stand in it that need no second look, as what was written may change words
    that follow from it.
    """

    def __init__(self, desk: Desk, place: Place, now: datetime, last: Settled | None = None) -> None:
        self.desk, self.place, self.now, self.last = desk, place, now, last
        self.rows: Rows = {}
        nothing = SheetState(None, (), {})
        alerts, questions = desk.ledger.sheet(place.name), desk.ledger.sheet(place.questions)
        self.is_new = alerts is None
        figures = desk.ledger.sheet(place.summary)
        summary = figures.rows.get(_FIGURES, {}) if figures else {}
        self.known = _Known(alerts or nothing, questions or nothing, summary)

    def kept(self, book: Book | None) -> int:
        """Read, unless it was read just now, take in, write. Gives how many rows were written."""
        book = book or self.place.register.read(self.known.alerts.version)
        if book is not None:
            self.last = None  # somebody saved it: every row is looked at
            content = self._content()
            self._refuse_mistrusted(book, content)
            self._take_in(book, content)
        elif self.is_new:
            return 0  # no version is known, so a register always shows its book
        book, content = book or self.known.book(), self._content()
        alerts, questions = self._merged(book, content)
        summary = content.summary
        is_old = any(book.summary.get(address, "") != text for address, text in summary.items())
        if alerts.changes or questions.changes or is_old or book.version is None:
            return self._write(book, alerts, questions, summary if is_old else {})  # a new one at once
        if self.known.in_doubt:
            self._remember(_known(book, alerts.seen, questions.seen, self.known.alerts.marks))
        return 0

    @property
    def settled_as(self) -> SheetState | None:
        """What is known of the workbook in which all stands by now; None where that is in doubt."""
        return None if self.known.in_doubt or self.known.alerts.version is None else self.known.alerts

    def rebuilt(self) -> int:
        """Write the whole workbook afresh. Gives how many rows were written."""
        nothing, content = Book(None), self._content()
        alerts, questions = self._merged(nothing, content)
        written = self._write(nothing, alerts, questions, content.summary, afresh=True)
        with self.desk.ledger.page() as page:  # whatever was not to be trusted is gone with the old one
            tell(self.desk, page, self.place.name, [], self.now)
        return written

    def compared(self) -> Compared:
        """The workbook as it stands, and what the next round would make of it."""
        book = self.place.register.read(None) or Book(None)
        alerts, questions = self._merged(book, self._content())
        return Compared(self.place.name, book, alerts, questions)

    def _content(self) -> Content:
        """What the ledger says just now."""
        return Content(self.desk, self.place, self.now)

    def _merged(self, book: Book, content: Content) -> tuple[Merged, Merged]:
        """The alerts and the questions, from all sides."""
        procedure = self.desk.procedure
        known, over, self.rows = self.known.alerts, content.over(book.register), content.alerts
        settled = self._settled_rows()
        said = {key: row for key, row in self.rows.items() if key not in settled}
        register = _without(over, _without(settled, book.register))
        alerts = merge(
            [_as_merged(column) for column in procedure.columns],
            {key: row for key, row in known.rows.items() if key not in settled},
            register,
            content.with_notes(said, register),
            {**content.moved_here(), **known.intended},
            content.hidden,
            known.headings,
        ).beside(settled)
        if known.version is None:  # none was ever there, so none is gone
            alerts = replace(alerts, doubts=tuple(one for one in alerts.doubts if one.code != WORKBOOK_GONE))
        known, leaving = self.known.questions, content.leaving(book.questions)
        sheet = _without(leaving, book.questions)
        questions = merge(procedure.question_columns, known.rows, sheet, content.questions, known.intended)
        return _and_gone(alerts, over), _and_gone(questions, leaving)

    def _settled_rows(self) -> Rows:
        """The rows that need no look: the workbook is as it was, and they are to stand there as they did."""
        if self.last is None or self.last.known is not self.known.alerts:
            return {}
        rows, now = self.last.rows, self.rows
        return {
            key: row
            for key, row in self.known.alerts.rows.items()
            if key in now and rows.get(key) is now[key]
        }

    # What people did

    def _refuse_mistrusted(self, book: Book, content: Content) -> None:
        """Stop, and ask a person, before anything is taken from a workbook that is not what it was."""
        if self.is_new or book.version is None:
            return
        known, limits = self.known.alerts, self.desk.agent.limits
        most = max(limits.rows_at_once, len(known.rows) * limits.rows_at_once_percent // 100)
        columns = [one for one in self.desk.procedure.columns if one.heading in known.headings]
        why = mistrusted(columns, known.rows, book, content.alerts, known.marks, most)
        incident = " ".join([str(known.version), *known.marks])
        if not why or said_of(self.desk, self.place.name, MISTRUSTED, incident) == TRUSTED:
            return
        why = (
            f"{why} Nothing is taken from it and nothing written to it. Restore its latest good version in "
            f"SharePoint or, if it is right as it stands, run `n2k trust-register --desk {self.desk.name}`."
        )
        with self.desk.ledger.page() as page:
            page.wrote(known, self.now, self.place.name, over=known)  # else it is we who are out of date
            tell(self.desk, page, self.place.name, [Noticed(MISTRUSTED, incident, why)], self.now)
        raise NeedsAPerson(why)

    def _take_in(self, book: Book, content: Content) -> None:
        """Record what people changed, and remember having seen it: all of it or nothing."""
        alerts, questions = self._merged(book, content)
        answers = self._answers(questions.people)
        doubts = (*alerts.doubts, *book.questions.doubts)
        with self.desk.ledger.page() as page:
            meant = list(self._meant(alerts.people, book.register, page))
            entries = [entry for _, one in meant for entry in one.entries]
            noticed = [Noticed(one.code, one.about, one.text) for one in doubts] + list(_asked_back(meant))
            record_all(self.desk, page, entries, self.now, by_person=True)
            for number, answer in answers.items():
                answer_question(self.desk, page, number, answer, self.now)
            tell(self.desk, page, self.place.name, noticed, self.now)
            self._remember(_known(book, alerts.seen, questions.seen, (book.mark,)), page)
        if entries or answers:
            changes = [(entry.alert, entry.happened.value) for entry in entries]
            log.info(
                "bookkeeping.people_changed", desk=self.desk.name, changes=changes, answers=list(answers)
            )

    def _meant(
        self, changes: Iterable[PersonsChange], sheet: Sheet, page: Page
    ) -> Iterator[tuple[PersonsChange, Meant]]:
        """What each change means, those before it taken into account."""
        desk, new_reference = self.desk, numbering(self.desk, page)
        alerts, columns = dict(desk.ledger.alerts()), desk.procedure.columns
        for change in changes:
            alert, row = alerts[change.reference], sheet.rows.get(change.reference, {})
            typed = Typed(alert, change.column, change.before, change.now, by_field(row, columns))
            meant = meaning_of(
                typed, alerts, desk.procedure, desk.people, desk.calendar, self.now, new_reference
            )
            for entry in meant.entries:
                after = alert_after(alerts.get(str(entry.alert)), entry)
                if after is not None:
                    alerts[after.reference] = after
            yield change, meant

    def _answers(self, changes: Iterable[PersonsChange]) -> dict[int, str]:
        """Answers that people gave, by the number of their question; an answer taken out again is none."""
        return {int(one.reference): one.now for one in changes if one.column.field == "answer" and one.now}

    # Writing

    def _write(
        self,
        book: Book,
        alerts: Merged,
        questions: Merged,
        summary: Mapping[str, str],
        *,
        afresh: bool = False,
    ) -> int:
        """Keep what is about to be written, write it, keep what stands there then."""
        refuse_mixing(self.desk, self.place, self.now)
        procedure = self.desk.procedure
        mark = hashlib.sha256(f"{book.version} {self.now.isoformat()}".encode()).hexdigest()[:16]
        intended = (
            _written(alerts.changes, procedure.columns),
            _written(questions.changes, procedure.question_columns),
        )
        marks = (*self.known.alerts.marks, mark)
        self._remember(_known(book, alerts.seen, questions.seen, marks, intended))
        edits = Edits(alerts.changes, questions.changes, summary, mark)
        register = self.place.register
        there = register.renew(edits) if afresh else register.write(edits, expecting=book.version)
        seen = alerts.seen_after(there.register), questions.seen_after(there.questions)
        with self.desk.ledger.page() as page:
            page.record(version_written(self.place, there, self.now))
            self._remember(_known(there, *seen, (there.mark,)), page)
        written = sorted(intended[0])
        self.rows = {key: row for key, row in self.rows.items() if key not in intended[0]}
        log.info("bookkeeping.written", desk=self.desk.name, place=self.place.name, alerts=written)
        return len(written)

    def _remember(self, known: _Known, page: Page | None = None) -> None:
        if page is None:
            with self.desk.ledger.page() as page:
                self._remember(known, page)
            return
        page.wrote(known.alerts, self.now, self.place.name, over=self.known.alerts)
        page.wrote(known.questions, self.now, self.place.questions)
        figures = SheetState(known.alerts.version, (), {_FIGURES: known.summary})
        page.wrote(figures, self.now, self.place.summary)
        self.known = known


def _known(
    book: Book,
    alerts: Rows,
    questions: Rows,
    marks: tuple[str, ...],
    intended: tuple[Rows, Rows] = ({}, {}),
) -> _Known:
    """A workbook to be remembered: what was seen of its tables, and what is about to be written.

    While rows of it are to be written again or to leave, no version counts as seen: what is remembered is
    not what stands there.
    """
    whole = all(
        sheet.rows.keys() - sheet.twice <= rows.keys() <= sheet.rows.keys()
        for rows, sheet in ((alerts, book.register), (questions, book.questions))
    )
    version = book.version if whole else None
    return _Known(
        SheetState(version, book.register.headings, alerts, intended[0], marks),
        SheetState(version, book.questions.headings, questions, intended[1]),
        book.summary,
    )


def _without(keys: Collection[str], sheet: Sheet) -> Sheet:
    return replace(sheet, rows={key: row for key, row in sheet.rows.items() if key not in keys})


def _and_gone(merged: Merged, keys: tuple[str, ...]) -> Merged:
    return replace(merged, changes=replace(merged.changes, gone=keys))


def _written(changes: Changes, columns: Iterable[Column]) -> Rows:
    key = next(column.heading for column in columns if column.field == "reference")
    return {**changes.cells, **{row[key]: row for row in changes.new_rows}}


def _as_merged(column: Column) -> Column:
    """A status that a person types is an act: once recorded the ledger says the same, and what is none
    (an alert called "New" again) is put back rather than kept for good."""
    return replace(column, owner="agent") if column.field == "status" else column


def _asked_back(meant: Iterable[tuple[PersonsChange, Meant]]) -> Iterator[Noticed]:
    """What people are asked about what they typed: once for each cell, or once for many."""
    over = []
    for change, one in meant:
        about = f"{change.reference} {change.heading}"
        if one.unclear:
            yield Noticed(
                "unclear", about, f"{change.reference}: {one.unclear}", (change.reference,), _seen(change)
            )
        if any(entry.happened is Happened.OVERTYPED for entry in one.entries):
            over.append(change)
    if len(over) > _FEW:
        yield Noticed(
            "overtyped",
            "many",
            f"{len(over)} cells that the agent keeps were typed over, and put back. What was typed is kept "
            "in the history of each alert. Was it meant?",
            tuple(dict.fromkeys(change.reference for change in over)),
        )
        return
    for change in over:
        yield Noticed(
            "overtyped",
            f"{change.reference} {change.heading}",
            f"{change.reference}: somebody typed into “{change.heading}”, which the agent keeps, and it was "
            "put back. If the agent's entry is wrong, say so to whoever looks after it.",
            (change.reference,),
            _seen(change),
        )


def _seen(change: PersonsChange) -> dict[str, Json]:
    return {"column": change.heading, "typed": change.now, "put_back": change.before}
