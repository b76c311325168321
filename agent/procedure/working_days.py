"""Working days: Monday to Friday, without the bank holidays and the days on which the office is closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import count, islice
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SATURDAY = 5


class BankHolidaysUnknown(ValueError):
    """A working day was asked for in a year of which the bank holidays are not known."""


@dataclass(frozen=True)
class Calendar:
    """The days of one desk. `closed` are the office's own days off, beside the bank holidays."""

    bank_holidays: frozenset[date]
    closed: frozenset[date]
    zone: ZoneInfo

    def local(self, at: datetime) -> datetime:
        """The desk's own wall time; a time that carries no zone is meant as such already."""
        return at.replace(tzinfo=self.zone) if at.tzinfo is None else at.astimezone(self.zone)

    def shown(self, at: date | None) -> date | None:
        """A time as the desk's clocks show it; a mere day, or nothing, as it is."""
        return self.local(at) if isinstance(at, datetime) else at

    def today(self, now: datetime) -> date:
        return self.local(now).date()

    @cached_property
    def of_the_law(self) -> Calendar:
        """The same days without the office's own days off: no office can close to win a day for a deadline
        that counts Monday to Friday without the bank holidays."""
        return replace(self, closed=frozenset())

    def reaches(self, day: date) -> bool:
        """Whether the bank holidays of this day's year are known."""
        return day.year in self._years

    def is_known(self, day: date) -> bool:
        """Whether anybody can tell if this is a working day: not in a year after those that are known. Of
        years before them only the weekends are known, which is enough for what is long past."""
        return day.year <= max(self._years, default=0)

    def must_know(self, day: date) -> None:
        """Raises BankHolidaysUnknown where nobody can tell if this is a working day."""
        if not self.is_known(day):
            raise BankHolidaysUnknown(
                f"The bank holidays of {day.year} are not known. "
                "Put the current file from gov.uk/bank-holidays into the configuration folder."
            )

    def is_working_day(self, day: date) -> bool:
        """Raises BankHolidaysUnknown as `must_know` does."""
        self.must_know(day)
        return self.may_be_working_day(day)

    def may_be_working_day(self, day: date) -> bool:
        """As `is_working_day`, but of years whose bank holidays are not known every weekday may be one: for
        what must not stop because a file was not renewed."""
        return day.weekday() < _SATURDAY and day not in self.bank_holidays and day not in self.closed

    def add_working_days(self, day: date, number: int) -> date:
        """The `number`-th working day after `day`, which itself is not counted."""
        if number < 1:
            raise ValueError(f"Working days are counted from 1, not {number}.")
        return next(islice(self._working_days_from(day + _DAY), number - 1, None))

    def working_days_ahead(self, day: date, number: int) -> date:
        """As `add_working_days`, but good enough to look ahead by: of years whose bank holidays are not
        known yet only the weekends count, so that nothing stops because of a day that is far off."""
        try:
            return self.add_working_days(day, number)
        except BankHolidaysUnknown:
            weekdays = (day + _DAY * n for n in count(1) if (day + _DAY * n).weekday() < _SATURDAY)
            return next(islice(weekdays, number - 1, None))

    def working_days_off(self, day: date, number: int) -> date:
        """The working day that lies `number` of them after `day` (before it, when negative); 0 is the day
        itself or the next working day. Looks ahead as `working_days_ahead` does."""
        if number >= 0:
            start, number = (day, number) if number else (day - _DAY, 1)
            return self.working_days_ahead(start, number)
        off = self.bank_holidays | self.closed
        before = (earlier for n in count(1) if (earlier := day - _DAY * n).weekday() < _SATURDAY)
        return next(islice((earlier for earlier in before if earlier not in off), -number - 1, None))

    def on_or_after(self, day: date) -> date:
        """`day` if it is a working day, else the next one."""
        return next(self._working_days_from(day))

    def working_days_between(self, start: date, end: date) -> int:
        """How many days that may be working days follow `start` up to and including `end`; none when `end` is
        earlier."""
        return sum(self.may_be_working_day(start + _DAY * n) for n in range(1, (end - start).days + 1))

    def _working_days_from(self, day: date) -> Iterator[date]:
        while True:
            if self.is_working_day(day):
                yield day
            day += _DAY

    @cached_property
    def _years(self) -> frozenset[int]:
        return frozenset(holiday.year for holiday in self.bank_holidays)
