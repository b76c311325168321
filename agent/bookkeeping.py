"""Step 2, bookkeeping: ledger → register, and what people typed in the register → ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from agent.desk import Desk
from agent.ledger.base import SheetState
from agent.log import logger
from agent.procedure.alert import Alert, alert_after, day
from agent.procedure.entry import Entry
from agent.procedure.row import row_of
from agent.procedure.rules import Column
from agent.procedure.words import Happened, Status
from agent.register.base import Book, Edits, Sheet
from agent.register.merge import Merged, PersonsChange, merge

log = logger()

SOURCE = "register"


def bookkeeping(desk: Desk, now: datetime) -> int:
    """Take in what people typed, then write what the ledger says. Gives how many rows were written.

    A workbook that changed meanwhile or that somebody has open raises TryAgainLater: nothing was
    written, and the next round merges afresh.
    """
    known = desk.ledger.sheet()
    book = desk.register.read(known.version if known else None)
    if book is not None:
        _take_in(desk, _merged(desk, known, book.register, now), book.register, now)
    elif known is not None:
        book = Book(known.version, Sheet(known.headings, known.rows))  # nobody touched it since
    else:
        return 0  # no version is known, so a register always shows its book
    merged = _merged(desk, known, book.register, now)
    for doubt in merged.doubts:
        log.warning("bookkeeping.doubt", desk=desk.name, doubt=doubt.text)
    if merged.changes or book.version is None:  # a register is made at once, so that people can find it
        return _write(desk, book, merged, now)
    if known is None or known.version != book.version or known.intended:
        _remember(desk, SheetState(book.version, book.register.headings, merged.seen), now)
    return 0


def _merged(desk: Desk, known: SheetState | None, sheet: Sheet, now: datetime) -> Merged:
    return merge(
        [_as_merged(column) for column in desk.procedure.columns],
        known.rows if known else {},
        sheet,
        ledger_says(desk, now),
        known.intended if known else {},
    )


def _as_merged(column: Column) -> Column:
    """A status that a person types is an act: once recorded the ledger says the same, and what is none
    (an alert called "New" again) is put back rather than kept for good."""
    return replace(column, owner="agent") if column.field == "status" else column


def ledger_says(desk: Desk, now: datetime) -> dict[str, dict[str, str]]:
    """Every alert's row as the ledger has it, by reference and column heading."""
    headings = {column.field: column.heading for column in desk.procedure.columns if column.field}
    return {
        reference: {
            headings[name]: value
            for name, value in row_of(alert, now, desk.procedure, desk.people, desk.calendar).items()
            if name in headings
        }
        for reference, alert in desk.ledger.alerts().items()
    }


def _write(desk: Desk, book: Book, merged: Merged, now: datetime) -> int:
    """Keep what is about to be written, write it, keep what stands there then."""
    reference = _heading(desk, "reference")
    intended = {**merged.changes.cells, **{row[reference]: row for row in merged.changes.new_rows}}
    _remember(desk, SheetState(book.version, book.register.headings, merged.seen, intended), now)
    written = desk.register.write(Edits(register=merged.changes), expecting=book.version)
    sheet = written.register
    _remember(desk, SheetState(written.version, sheet.headings, merged.seen_after(sheet)), now)
    log.info("bookkeeping.written", desk=desk.name, alerts=sorted(intended))
    return len(intended)


def _remember(desk: Desk, state: SheetState, now: datetime) -> None:
    with desk.ledger.page() as page:
        page.wrote(state, now)


def _take_in(desk: Desk, merged: Merged, sheet: Sheet, now: datetime) -> None:
    """Record what people changed, all of it or nothing."""
    alerts = dict(desk.ledger.alerts())
    entries: list[Entry] = []
    for change in merged.people:
        for entry in entries_of(desk, alerts[change.reference], change, sheet, now):
            entries.append(entry)
            alerts[change.reference] = (
                alert_after(alerts[change.reference], entry) or alerts[change.reference]
            )
    if not entries:
        return
    with desk.ledger.page() as page:
        for entry in entries:
            page.record(entry)
    log.info(
        "bookkeeping.people_changed",
        desk=desk.name,
        changes=[(entry.alert, entry.happened.value) for entry in entries],
    )


def entries_of(desk: Desk, alert: Alert, change: PersonsChange, sheet: Sheet, now: datetime) -> list[Entry]:
    """What a person's change of one cell means. Columns of theirs that mean nothing to the agent: nothing."""
    column = change.column
    if column.field in ("", "reference", "key"):
        return []
    told = _TOLD.get(column.field)
    if told is not None:
        return told(alert, change.now, sheet.rows.get(alert.reference, {}), desk, now)
    if change.put_back:
        return []
    return [
        _entry(
            alert,
            Happened.CORRECTED,
            now,
            facts={"field": column.field},
            content={"value": change.now, "before": change.before},
        )
    ]


def _entry(alert: Alert, happened: Happened, now: datetime, **parts: dict[str, str | None]) -> Entry:
    return Entry(
        happened=happened,
        alert=alert.reference,
        at=now,
        source=SOURCE,
        facts={**(parts.get("facts") or {})},
        content={**(parts.get("content") or {})},
    )


def _status_typed(alert: Alert, typed: str, row: Mapping[str, str], desk: Desk, now: datetime) -> list[Entry]:
    """Only people conclude (NCT 6.2, 6.3), put on hold, or say that it was never an alert; and only they
    say that a conclusion which was proposed is none.

    A word that is no status ("closed", "see notes") is no act: the status is put back.
    """
    status = _STATUSES.get(typed.casefold())
    if status is None:
        log.warning("bookkeeping.no_such_status", desk=desk.name, alert=alert.reference)
        return []
    if status is Status.CONCLUDED:
        return _conclude(alert, row, desk, now)
    if status in (Status.NOT_AN_ALERT, Status.DUPLICATE):
        return [_entry(alert, Happened.NOT_AN_ALERT, now, facts={"as": status})]
    if status is Status.ON_HOLD:
        return [] if alert.on_hold else [_entry(alert, Happened.HELD, now)]
    if alert.concluded or alert.not_an_alert or alert.conclusion_claimed_at is not None:
        return [_entry(alert, Happened.REOPENED, now, facts={"by": "register"})]
    if alert.provisional and status is not Status.NOT_CONFIRMED:
        return [_entry(alert, Happened.CONFIRMED, now)]
    if alert.on_hold:
        return [_entry(alert, Happened.RELEASED, now)]
    return []


def _conclude(alert: Alert, row: Mapping[str, str], desk: Desk, now: datetime) -> list[Entry]:
    if alert.concluded:
        return []
    by = row.get(_heading(desk, "concluded_by"), "")
    on = _iso_day(row.get(_heading(desk, "concluded_on"), ""))
    return [_entry(alert, Happened.CONCLUDED, now, facts={"on": on}, content={"by": by})]


def _concluded_on_typed(
    alert: Alert, typed: str, row: Mapping[str, str], desk: Desk, now: datetime
) -> list[Entry]:
    """Only a day that has come concludes: "not yet", or a year mistyped, must not end the chasing."""
    if not typed:
        return [_entry(alert, Happened.REOPENED, now, facts={"by": "register"})] if alert.concluded else []
    on = day(typed)
    if on is None or on > desk.calendar.today(now):
        log.warning("bookkeeping.no_day_of_conclusion", desk=desk.name, alert=alert.reference)
        return []
    return _conclude(alert, row, desk, now)


def _concluded_by_typed(
    alert: Alert, typed: str, row: Mapping[str, str], desk: Desk, now: datetime
) -> list[Entry]:
    """A name alone concludes nothing; beside a conclusion it is kept with it."""
    return []


def _hold_typed(alert: Alert, typed: str, row: Mapping[str, str], desk: Desk, now: datetime) -> list[Entry]:
    """Words instead of a day ("after court") hold until somebody says otherwise. They may name people, so
    they stay out of the facts."""
    if typed:
        return [_entry(alert, Happened.HELD, now, facts={"until": _iso_day(typed)}, content={"said": typed})]
    return [_entry(alert, Happened.RELEASED, now)] if alert.on_hold else []


def _iso_day(typed: str) -> str | None:
    found = day(typed)
    return found.isoformat() if found else None


_STATUSES = {status.casefold(): status for status in Status}

_TOLD: dict[str, Callable[[Alert, str, Mapping[str, str], Desk, datetime], list[Entry]]] = {
    "status": _status_typed,
    "concluded_on": _concluded_on_typed,
    "concluded_by": _concluded_by_typed,
    "on_hold_until": _hold_typed,
}


def _heading(desk: Desk, name: str) -> str:
    return next((column.heading for column in desk.procedure.columns if column.field == name), "")
