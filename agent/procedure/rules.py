"""A procedure's rules as data: what `config/procedures/NAME.toml` says, with its clauses.

Only the shapes stand here. No organisation's name, label, deadline or wording is in Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time
from functools import cached_property
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Told:
    """Base of all that is read from configuration: an unknown key is a mistake, not a remark."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}


@dataclass(frozen=True)
class Category(Told):
    """One line of the procedure's lists (NCT 2.2, 2.3; Merton "When"). `listed` names the list.

    `words` are how the form prints it, `also` the sentences by which the procedure's text and other forms
    do; `staff` marks matters whose subject is a member of staff, `missing` those that ask for the form for a
    missing child, where the procedure has one.
    """

    code: str
    words: str
    listed: str
    clause: str
    also: tuple[str, ...] = ()
    staff: bool = False
    missing: bool = False


@dataclass(frozen=True)
class Subject(Told):
    """How a subject line and a file name are written (NCT 6.1), and the words staff really use.

    `phrase` must be there (`senior leadership alert`); `short_names` stand for it only beside a form,
    a reference or a thread; `marking` are the words that mark it; the `*_words` tell the kind.
    `consider_words` name matters for which a form may or may not be needed (NCT 2.3): asked about, they
    are told apart. `sister_forms` are other organisations' forms that also arrive here, each with its flag;
    `common_names` are family names that many children share: such a name proves little.
    """

    phrase: str
    short_names: tuple[str, ...]
    marking: tuple[str, ...]
    update_words: tuple[str, ...]
    missing_words: tuple[str, ...]
    closure_words: tuple[str, ...]
    returned_words: tuple[str, ...]
    old_names: tuple[str, ...] = ()
    other_meanings: tuple[str, ...] = ()
    alternative_names: tuple[str, ...] = ()
    consider_words: tuple[str, ...] = ()
    sister_forms: dict[str, str] = field(default_factory=dict)
    common_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChaseStep(Told):
    """Who is written to once `unanswered` prompts have gone without news. `to` are roles."""

    unanswered: int
    to: tuple[str, ...]
    letter: str


@dataclass(frozen=True)
class Spell(Told):
    """Days of every year on which people are left in peace, from `first` to `last` (`12-24`, month first);
    it may reach over New Year."""

    first: str
    last: str

    def holds(self, day: date) -> bool:
        told = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= told <= self.last
        return told >= self.first or told <= self.last


@dataclass(frozen=True)
class Chasing(Told):
    """When an author is prompted (NCT 6.2). Intervals are working days; hours are local time.

    Where a form promises its next update for a day, the prompts stand `around_promise`, in working days
    before (-1), on (0) or after it, and only then at intervals. A promise for later than
    `furthest_update` days after the form came is taken for a slip of the pen: nobody shall fall silent
    because of a mistyped year.

    An action that the form sets somebody by a day is asked about `actions_after` so many working days, once,
    and in whatever prompt follows, until a form says that it is done (0: never).

    The `_fast` numbers hold while a child is missing, and up to the end of the clock `fast_until`. On `quiet`
    days nobody is chased; they count as working days all the same. All numbers, and whom each step is for,
    are those of the day on which an alert began (see `plan.py`).

    `reviewer_role` is the role without which nobody is a reviewer, whatever a form says; `stands_in`
    the role that is written to in place of somebody who cannot be. `updated_by` are those of author and
    reviewer whose own task an update is (NCT 6.2, Merton "Recording"); all others are asked to see to it.
    """

    clause: str
    first: int
    interval: int
    first_fast: int
    interval_fast: int
    earliest: time
    latest: time
    steps: tuple[ChaseStep, ...]
    reviewer_role: str
    stands_in: str
    updated_by: tuple[str, ...] = ("author",)
    around_promise: tuple[int, ...] = (1,)
    furthest_update: int = 90
    actions_after: int = 0
    fast_until: str = ""
    quiet: tuple[Spell, ...] = ()


@dataclass(frozen=True)
class Recipients(Told):
    """A role that must be copied into every alert, and the clause that says so (NCT 4.1-4.4, 6.2).

    Where several hold the role, one of them is enough unless `everyone` must be copied (NCT 4.1). The role
    `reviewer` is whom the form names as such. With `categories` it holds for matters of these alone,
    with `sent_by` and `sent_to` for what somebody of the one role sends to somebody of the other.
    """

    role: str
    clause: str
    staff_matters_only: bool = False
    everyone: bool = False
    categories: tuple[str, ...] = ()
    sent_by: str = ""
    sent_to: str = ""


@dataclass(frozen=True)
class MustTell(Told):
    """What a form has to answer, unless it is a brief one: `finding` is noticed where one of the `answers`,
    by their canonical names, is empty. With `given` only of a form that answers that, too."""

    finding: str
    answers: tuple[str, ...]
    given: str = ""


@dataclass(frozen=True)
class Note(Told):
    """Who is told in a line of what happened to an alert: `about` is "update" or the code of a finding, `to`
    are roles at the desk, `says` is the line."""

    about: str
    to: tuple[str, ...]
    says: str
    clause: str


@dataclass(frozen=True)
class Letters(Told):
    """The procedure's own wording around the agent's letters. Nothing personal may stand here.

    A form is acknowledged, or sent back in words, within `receipt_hours` or not at all (0: never). Notes go
    out once a working day, at `notes_at`.
    """

    subject_prefix: str
    subject_marking: str
    sign_off: str
    form_name: str
    update_how: str
    receipt_hours: int = 0
    notes_at: time = time(15)


@dataclass(frozen=True)
class Urgent(Told):
    """What may not wait, as codes of questions: `questions` that may hide an alert, `breaches` that tell that
    data may have gone to the wrong people, `returned` those of a form to be sent back in words. It is told
    at once, and `again_at` these hours of every day until somebody answers, the first time not before
    `least_hours` are over."""

    questions: tuple[str, ...] = ()
    breaches: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    again_at: tuple[time, ...] = ()
    least_hours: int = 2


@dataclass(frozen=True)
class Reminder(Told):
    """Who is told of a clock, and when: `at` so long before (-4) or after its end, in hours for a clock that
    ends at a moment, else in working days, and then `every` so long until it ends (0: no more).

    `when_known`: also as soon as it runs. `any_hour`: outside office hours too, to the desk's duty role.
    `beside` are clocks whose deadline the letter shows as well.
    """

    to: tuple[str, ...]
    at: tuple[int, ...]
    every: int = 0
    when_known: bool = False
    any_hour: bool = False
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClockRule(Told):
    """One deadline. `starts` are facts in order of preference: the first that is known starts the clock.

    `counts` is the way of counting `length` (see `clocks.py`). It runs for alerts of these `categories`
    (all when none is named), `unless` they are of one of those, and ends when one of `ends` is known; of
    several rules for one clock the first that runs counts. `strictly`: the deadline is over only when more
    than the time has passed. `inside` is the fact that has to lie within a window which the clock only
    bounds; such a clock is no deadline. `only` is "alerts" for a clock that means something only beside an
    alert's record, "asking" for one that is worked out only for a person with a date in hand. Facts that are
    `given` have to say so, where they are known at all.
    """

    clock: str
    name: str
    starts: tuple[str, ...]
    counts: str
    length: int
    rule: str
    clause: str
    categories: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    strictly: bool = False
    inside: str = ""
    only: Literal["", "alerts", "asking"] = ""
    given: dict[str, str] = field(default_factory=dict)
    reminder: Reminder | None = None


@dataclass(frozen=True)
class Column(Told):
    """One column of the register or of its Questions sheet. `field` is what the agent puts there: something
    of `row.py` (or `asked.py`), or any single value of the form by its canonical name; "" for people's.

    `owner` is agent, proposed or person; `format` is text, long, date, datetime, number or choice.
    `synonyms` are other headings under which people may keep it; `choices` fill its drop-down; `note` tells
    people what it holds, on the workbook's page that explains it.
    """

    heading: str
    owner: str
    field: str = ""
    format: str = "text"
    width: int = 14
    synonyms: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    hidden: bool = False
    note: str = ""


@dataclass(frozen=True)
class Procedure(Told):
    """One organisation's procedure. `conclusion` is "confirm" (a person concludes) or "form".

    `missing_forms` are those of `forms` that are for a missing child. `findings` gives each departure
    that the procedure knows its clause; what is not listed is no departure here. `role_names`,
    `form_types` and `finding_words` say in plain words what roles, forms and findings are called;
    `problem_words` why a form could not be read, "other" for what is not listed.
    `undecided` are the answers that say that nothing is decided yet, `staff_matters_to` the roles whose
    digest tells that there are matters about members of staff.
    `columns` are those of the register's alerts, `question_columns` those of its Questions sheet.
    `summary_by` is the column, by its field, by which the Summary sheet counts open alerts apart.
    `media_interest` are the answers that say that the media are, or may be, interested.
    """

    name: str
    title: str
    organisation: str
    version: str
    review_date: date
    reference_prefix: str
    forms: tuple[str, ...]
    conclusion: str
    subject: Subject
    chasing: Chasing
    letters: Letters
    urgent: Urgent = field(default_factory=Urgent)
    categories: tuple[Category, ...] = ()
    must_be_copied: tuple[Recipients, ...] = ()
    must_tell: tuple[MustTell, ...] = ()
    system_id_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = field(default=())
    question_columns: tuple[Column, ...] = ()
    summary_by: str = "area"
    missing_forms: tuple[str, ...] = ()
    findings: dict[str, str] = field(default_factory=dict)
    clocks: tuple[ClockRule, ...] = ()
    role_names: dict[str, str] = field(default_factory=dict)
    form_types: dict[str, str] = field(default_factory=dict)
    undecided: tuple[str, ...] = ()
    staff_matters_to: tuple[str, ...] = ()
    finding_words: dict[str, str] = field(default_factory=dict)
    problem_words: dict[str, str] = field(default_factory=dict)
    media_interest: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    def called(self, role: str) -> str:
        """What people call whoever holds this role."""
        return self.role_names.get(role, role.replace("_", " "))

    def category(self, code: str) -> Category | None:
        return self._by_code.get(code)

    @cached_property
    def _by_code(self) -> dict[str, Category]:
        return {known.code: known for known in self.categories}
