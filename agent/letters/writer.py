"""A letter's data and a template → subject, text and HTML. What is personal stays out of all three.

A template gets references, initials, days and codes, never an alert: names and narrative are not there
to be printed by mistake.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    select_autoescape,
)

from agent.errors import BadConfiguration
from agent.procedure.actions import OpenAction
from agent.procedure.alert import Alert
from agent.procedure.chase import ChaseDue, GatheredChase
from agent.procedure.digest import Digest, by_age
from agent.procedure.row import is_staff_matter
from agent.procedure.rules import Procedure
from agent.procedure.words import Moment

_WIDTH = 76  # of the plain text
_CHART = "open-by-age"  # the chart's content id
_SUBJECT = "Subject: "


@dataclass(frozen=True)
class Written:
    """A letter as it goes out: one subject line, and the same words as plain text and as HTML.

    `pictures` are shown within the HTML by their content id: (content id, PNG bytes). `attachments` are files
    beside it: (name, bytes).
    """

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    pictures: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    attachments: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class AskedAbout:
    """One alert in a chase, as templates see it. `before` counts the requests sent earlier; `own` tells
    that an update is the reader's own task (else: to see to it that one comes). `actions` are those whose day
    is over, and `news` whether anything else is asked about."""

    reference: str
    initials: str
    received: date
    heard: date
    promised: date | None
    before: int
    role: str
    role_name: str
    stands_in: bool
    own: bool
    actions: tuple[OpenAction, ...]
    news: bool


class Writer:
    """Writes one desk's letters. Of the template folders the first that has a template wins."""

    def __init__(self, folders: Sequence[Path], procedure: Procedure, address: str) -> None:
        """`address` is the desk's own: where people send their answers."""
        self._procedure = procedure
        self._address = address
        self._templates = Environment(
            loader=FileSystemLoader([str(folder) for folder in folders]),
            autoescape=select_autoescape(enabled_extensions=("html",)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._templates.filters.update(
            day=_day, short_day=_short_day, days=_days, moment=_moment, clause=_clause
        )

    def chase(self, gathered: GatheredChase, alerts: Mapping[str, Alert], mark: str) -> Written:
        """The letter of one person's chases. `alerts` has every alert they are about, by reference."""
        asked = [self._asked_about(chase, alerts[chase.alert]) for chase in gathered.chases]
        return self.compose(gathered.letter, mark, asked=asked)

    def digest(self, digest: Digest, mark: str, *, attach_list: bool = False) -> Written:
        """The digest, with its open alerts as a spreadsheet beside it where that is wanted."""
        from agent.letters.chart import bar_chart  # once a week; not for every start of the command
        from agent.letters.open_list import open_list

        bars, attach = by_age(alert.days_open for alert in digest.open), attach_list and bool(digest.open)
        told = {"digest": digest, "by_age": bars, "chart": _CHART, "attached": attach}
        written = self.compose("weekly_digest", mark, **told)
        marking = self._procedure.letters.subject_marking
        file = (f"Open alerts {digest.week:%Y-%m-%d}.xlsx", open_list(digest, marking)) if attach else None
        return replace(
            written,
            pictures=((_CHART, bar_chart(bars)),) if digest.open else (),
            attachments=(file,) if file else (),
        )

    def compose(self, kind: str, mark: str, **data: object) -> Written:
        """The letter `kind` made of `kind.txt`, whose first line is the subject, and `kind.html`.

        `mark` is what the letter calls itself, so that an answer which quotes it is known again.

        Raises BadConfiguration when there is no such template, when it asks for what is not in `data`,
        or when it begins without a subject.
        """
        told = {
            "letters": self._procedure.letters,
            "organisation": self._procedure.organisation,
            "procedure": f"{self._procedure.title}, {self._procedure.version}",
            "address": self._address,
            "mark": mark,
            **data,
        }
        first, _, body = self._rendered(f"{kind}.txt", told).partition("\n")
        if not first.startswith(_SUBJECT):
            raise BadConfiguration([f'The template {kind}.txt has to begin with a line "{_SUBJECT}…".'])
        subject = " ".join(first.removeprefix(_SUBJECT).split())
        html = self._rendered(f"{kind}.html", {**told, "subject": subject})
        return Written(subject, _plain(body), html)

    def _rendered(self, name: str, told: Mapping[str, object]) -> str:
        try:
            return self._templates.get_template(name).render(told)
        except TemplateNotFound as missing:
            problem = f"The template {missing.name} is missing. Restore it from `n2k init`."
        except TemplateError as wrong:
            problem = f"The template {name} cannot be used: {wrong.message}. Correct or restore it."
        raise BadConfiguration([problem])

    def _asked_about(self, chase: ChaseDue, alert: Alert) -> AskedAbout:
        return AskedAbout(
            reference=chase.alert,
            initials="" if is_staff_matter(alert, self._procedure) else alert.initials,
            received=chase.received,
            heard=chase.heard,
            promised=chase.promised,
            before=max(chase.step - 1, 0),
            role=chase.role,
            role_name=self._procedure.called(chase.role),
            stands_in=chase.stands_in,
            own=chase.role in self._procedure.chasing.updated_by and not chase.stands_in,
            actions=chase.actions,
            news=chase.step > 0,
        )


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B} {day:%Y}"


def _clause(where: str) -> str:
    """`clause 6.2`; an appendix or a heading goes by its own name."""
    return f"clause {where}" if where[:1].isdigit() else where


def _short_day(day: date) -> str:
    return f"{day.day} {day:%b} {day:%Y}"


def _moment(at: Moment) -> str:
    """A day, with its hour where one is known. Times come in the desk's own zone."""
    return f"{_day(at)}, {at:%H:%M}" if isinstance(at, datetime) else _day(at)


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _plain(text: str) -> str:
    """Lines of a readable length, indented as their first, and never more than one blank line."""
    lines = (_wrapped(line.rstrip()) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _wrapped(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    if line.lstrip().startswith("- "):
        indent += "  "
    return textwrap.fill(
        line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
