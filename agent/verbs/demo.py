"""`n2k demo`: the stories that come with the agent, told on an embedded Microsoft 365 with a moved clock."""

from __future__ import annotations

import base64
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from agent import log
from agent.bootstrap import Agent, at_work
from agent.configuration import load, shipped
from agent.desk import Desk
from agent.errors import NeedsAPerson
from agent.ledger.base import LetterState
from agent.outage import OUTAGES
from agent.sandbox.mime import written_afresh
from agent.sandbox.server import Sandbox
from agent.sandbox.stage import Stage, connected, desk_of
from agent.sandbox.stored import StoredMessage
from agent.sandbox.story import Event, Story, load_story
from agent.settings import Settings
from agent.steps import Outcome, run_all, run_step
from agent.sweeping import sweep

Say = Callable[[str], None]

MARK = ".n2k-demo"  # only a folder that a demo made is ever emptied
ROUNDS = [time(hour) for hour in range(7, 20)]  # the agent works every two minutes; hourly tells the story
NIGHTLY = time(3, 30)


def demo(folder: Path, *, days: int | None, say: Say) -> int:
    """Tell every desk's story and leave workbook, letters and mailbox in `folder`: the first desk's in the
    folder itself, any other's in a folder of its name.

    Gives the exit status: 0 when every step of every round went as the story allows.
    """
    _empty(folder)
    settings = load(shipped()[0])
    told = [name for name in settings.desks if (shipped()[0] / "demo" / name).is_dir()]
    status = 0
    for number, name in enumerate(told):
        place = folder / name if number else folder
        place.mkdir(exist_ok=True)
        if number:
            say("")
        status |= _tell(load_story(shipped()[0] / "demo" / name), settings, name, place, days, say)
    return status


def _empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise NeedsAPerson(f"{folder} holds files that no demo made. Give an empty folder with `--to`.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def _tell(story: Story, settings: Settings, name: str, folder: Path, days: int | None, say: Say) -> int:
    desk_settings = desk_of(story, settings.desks[name])
    say(f"{story.title}: {len(story.mails)} mails in {story.days} days, on an embedded Microsoft 365.")
    start = datetime.combine(story.start, time(6), story.zone).astimezone(UTC)
    with _log_to(folder / "log.txt"), Sandbox(start=start, domains=(story.desk.domain,)) as sandbox:
        stage = Stage(story, settings, desk_settings, sandbox)
        told = connected(settings, sandbox, folder, desk_settings)
        with at_work(told, clock=sandbox.tenant.clock.now) as agent:
            troubles = list(play(stage, agent.desks[0], days=days, say=say))
            leave(stage, agent, folder)
            account(stage, agent, troubles, folder, say)
    return int(any(trouble.needs_a_person for trouble in troubles))


@contextmanager
def _log_to(path: Path) -> Iterator[None]:
    """The agent's own log goes to a file: the terminal is for the story."""
    with path.open("w", encoding="utf-8") as file, redirect_stderr(file):
        log.set_up()
        yield


# The telling


def play(
    stage: Stage, desk: Desk, *, days: int | None = None, say: Say = lambda _: None
) -> Iterator[Outcome]:
    """Let the days pass: things happen, and the agent makes its rounds. Gives each step that met trouble."""
    story = stage.story
    known: dict[str, str] = {}

    def reference_of(message_id: str) -> str | None:
        if message_id not in known:
            known.update({mail: one.reference for one in desk.ledger.alerts().values() for mail in one.mails})
        return known.get(message_id)

    before = _counts(desk)
    for number in range(days or story.days):
        day = story.start + timedelta(days=number)
        today = [event for event in story.events if event.at.astimezone(story.zone).date() == day]
        for moment, events in _moments(story, day, today):
            stage.sandbox.tenant.clock.set(moment)
            for event in events:
                stage.happen(event, reference_of)
            yield from _round(desk, moment, nightly=moment.astimezone(story.zone).time() == NIGHTLY)
        now = _counts(desk)
        told = now - before
        if told:
            say(f"  {day:%a %d %b}  " + ", ".join(_said(count, what) for what, count in told.items()))
        before = now


def _moments(story: Story, day: date, events: Sequence[Event]) -> list[tuple[datetime, list[Event]]]:
    """The times of one day at which something happens or the agent makes its round, with what happens."""
    rounds = {datetime.combine(day, at, story.zone) for at in (NIGHTLY, *ROUNDS)}
    happening: dict[datetime, list[Event]] = {at.astimezone(UTC): [] for at in rounds}
    for event in events:
        happening.setdefault(event.at.astimezone(UTC), []).append(event)
    return sorted(happening.items())


def _round(desk: Desk, now: datetime, *, nightly: bool) -> Iterator[Outcome]:
    if nightly:
        yield from (one for one in [run_step("sweep", desk, now, sweep)] if one.trouble)
    yield from (outcome for outcome in run_all(desk, now) if outcome.trouble)


def _said(count: int, what: str) -> str:
    one = re.sub(r"\b(mail|alert|update|question|chase|digest|letter)s\b", r"\1", what, count=1)
    return f"{count} {one if count == 1 else what}"


def _counts(desk: Desk) -> Counter[str]:
    """What there is so far, in the words of the progress lines."""
    alerts = desk.ledger.alerts().values()
    letters = Counter(letter.kind for letter in desk.ledger.letters(LetterState.POSTED))
    digests = letters.pop("weekly_digest", 0)
    chases = sum(letters.pop(kind) for kind in list(letters) if kind.startswith("chase"))
    outages = sum(letters.pop(kind, 0) for one in OUTAGES.values() for kind in (one.letter, one.recovered))
    return +Counter(
        {
            "mails dealt with": len(desk.ledger.mails()),
            "alerts opened": len(alerts),
            "updates": sum(alert.updates for alert in alerts),
            "concluded": sum(alert.concluded for alert in alerts),
            "questions": len(desk.ledger.questions(waiting_only=False)),
            "chases sent": chases,
            "digests sent": digests,
            "other letters sent": sum(letters.values()),
            "letters about outages sent": outages,
        }
    )


# What it leaves behind


def leave(stage: Stage, agent: Agent, folder: Path) -> None:
    """Put the workbook, every letter and a list of the mailbox where a person can look at them."""
    desk = agent.desks[0]
    (folder / stage.story.desk.register).write_bytes(desk.register.copy())
    letters = folder / "letters"
    letters.mkdir(exist_ok=True)
    kinds = {letter.internet_message_id: letter for letter in desk.ledger.letters(LetterState.POSTED)}
    for number, message in enumerate(_by_time(stage.box.messages("sentitems")), 1):
        letter = kinds.get(message.internet_message_id)
        name = f"{number:03}-{letter.kind if letter else 'letter'}"
        (letters / f"{name}.eml").write_bytes(written_afresh(message))
        html = _with_pictures(message.body, letter.pictures if letter else ())
        (letters / f"{name}.html").write_text(html, encoding="utf-8")
    (folder / "mailbox.txt").write_text("\n".join(_mailbox(stage)) + "\n", encoding="utf-8")


def _with_pictures(html: str, pictures: Sequence[tuple[str, bytes]]) -> str:
    """The page with its pictures inside, as a browser wants them."""
    for content_id, png in pictures:
        inside = f"data:image/png;base64,{base64.b64encode(png).decode()}"
        html = html.replace(f"cid:{content_id}", inside)
    return html


def _mailbox(stage: Stage) -> Iterator[str]:
    """The shared mailbox as Outlook would show it. The people and children in it are invented."""
    paths = sorted({message.folder_path for message in stage.box.messages()})
    for path in paths:
        messages = _by_time(stage.box.messages(path))
        yield f"{path} ({len(messages)})"
        for message in messages:
            received = (message.received_at or message.sent_at or message.created_at).astimezone(
                stage.story.zone
            )
            marks = f"  [{', '.join(message.categories)}]" if message.categories else ""
            yield f"  {received:%d %b %H:%M}  {message.sender or '-'}  {message.subject}{marks}"


def _by_time(messages: Sequence[StoredMessage]) -> list[StoredMessage]:
    return sorted(messages, key=lambda message: (message.sent_at or message.created_at, message.immutable_id))


def account(stage: Stage, agent: Agent, troubles: Sequence[Outcome], folder: Path, say: Say) -> None:
    """A short account of what came of it all, and where to look."""
    desk = agent.desks[0]
    places = Counter(mail.folder[-1] if mail.folder else mail.outcome for mail in desk.ledger.mails())
    alerts = desk.ledger.alerts().values()
    posted = desk.ledger.letters(LetterState.POSTED)
    say("")
    say(
        f"{len(desk.ledger.mails())} mails: "
        + ", ".join(f"{n} in “{place}”" for place, n in places.most_common())
    )
    say(
        f"{_said(len(alerts), 'alerts')}: {sum(one.concluded for one in alerts)} concluded by a person, "
        f"{sum(not one.concluded for one in alerts)} open"
    )
    waiting = _said(len(desk.ledger.questions()), "questions still to be answered")
    say(f"{len(posted)} letters, each sent once; {waiting}")
    for why, times in Counter(trouble.trouble for trouble in troubles).items():
        say(f"met {times} times and got over: {why}" if times > 1 else f"met once and got over: {why}")
    say("")
    say(f"The register   {folder / stage.story.desk.register}")
    say(f"The letters    {folder / 'letters'} (.eml and .html)")
    say(f"The mailbox    {folder / 'mailbox.txt'}")
    say(f"The log        {folder / 'log.txt'}")
