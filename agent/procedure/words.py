"""The words of the field, as values: what a mail can be, what can happen to an alert, what state it is in."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

# A moment as people state it: a time when they gave one (always with its zone), else only the day.
Moment = datetime | date

# What a line of the ledger may hold: plain JSON.
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class Kind(StrEnum):
    """What one mail says by itself, before anybody looks at the alerts already open."""

    NEW = "new"
    UPDATE = "update"
    MISSING = "missing"
    CLOSURE = "closure"
    REPLY = "reply"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"
    OTHER = "other"
    UNREADABLE = "unreadable"


class Happened(StrEnum):
    """The kinds of entry: what can happen to an alert. Written to the ledger, never renamed."""

    OPENED = "opened"
    UPDATED = "updated"
    RECEIVED_AGAIN = "received_again"  # the same form once more, from whomever: counts once
    REPLIED = "replied"
    AWAY = "away"  # somebody's mailbox answered by itself
    BOUNCED = (
        "bounced"  # a letter of ours could not be delivered; without a reference where it was about none
    )
    REACHABLE = "reachable"  # an address that letters could not reach can be written to; has no reference
    CONCLUSION_CLAIMED = "conclusion_claimed"
    CONCLUDED = "concluded"
    REOPENED = "reopened"
    HELD = "held"
    RELEASED = "released"
    CORRECTED = "corrected"  # a person changed a proposed value in the register
    OVERTYPED = "overtyped"  # a person typed into a column of the agent's; it was put back
    NOTED = "noted"  # a person wrote into a column of their own
    CHASED = "chased"
    LETTER_HELD = "letter_held"  # a letter could not be posted at all, and waits for a person
    LETTER_RELEASED = "letter_released"  # a person lets it go again
    LETTER_DROPPED = "letter_dropped"  # or says that nobody needs it any more
    NOT_AN_ALERT = "not_an_alert"
    CONFIRMED = "confirmed"  # a provisional alert is one indeed
    MERGED = "merged"  # a person found two alerts to be one matter; told of both
    SPLIT = "split"  # a person found an alert to be two matters; part goes on under a reference of its own
    SET_ASIDE = "set_aside"  # a mail that concerns no alert; the entry has no reference
    ERASED = "erased"  # what was personal in the lines before this one is gone for good
    HANDED_OVER = "handed_over"  # all that is held on it was written out for a person
    PAUSED = "paused"  # the desk's letters rest; the entry has no reference
    RESUMED = "resumed"  # a person lets them go again
    REGISTER_WRITTEN = "register_written"  # a version of a workbook; the entry has no reference
    REGISTER_STUCK = "register_stuck"  # the register cannot be written
    REGISTER_FREE = "register_free"  # it can be, again
    MAILBOX_STUCK = "mailbox_stuck"  # mails cannot be taken in; the entry has no reference
    MAILBOX_FREE = "mailbox_free"  # they can be, again
    SWEPT = "swept"  # the ledger was held against the mailbox; the entry has no reference


ABOUT_THE_DESK = frozenset(
    {
        *(Happened.REGISTER_WRITTEN, Happened.REGISTER_STUCK, Happened.REGISTER_FREE),
        *(Happened.MAILBOX_STUCK, Happened.MAILBOX_FREE, Happened.SWEPT),
    }
)


class Status(StrEnum):
    """The Status column of the register (FORMS 3.4)."""

    NOT_CONFIRMED = "Not confirmed"
    NEW = "New"
    OPEN = "Open"
    UPDATE_DUE = "Update due"
    UPDATE_OVERDUE = "Update overdue"
    ON_HOLD = "On hold"
    CONCLUSION_PROPOSED = "Conclusion proposed"
    CONCLUDED = "Concluded"
    REOPENED = "Reopened"
    DUPLICATE = "Duplicate"
    NOT_AN_ALERT = "Not an alert"


class Place(StrEnum):
    """Where a handled mail is filed; the desk gives each place its folder name."""

    ALERTS = "alerts"
    UPDATES = "updates"
    REPLIES = "replies"
    QUESTIONS = "questions"
    SET_ASIDE = "set_aside"
