"""Step 5, posting: tray → sent, each letter once.

Microsoft 365 cannot be told "send this once", so: find by key → draft → send once → look again. A letter
whose sending is in doubt is never sent afresh; only its own draft may be, once it surely never left.

What a letter says was fixed when it was laid; whether it goes, and where, is decided at the last moment:
news may have overtaken it, and in rehearsal everything goes to one named address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from agent.chasing import is_chase, must_be_wanted, wanted
from agent.desk import Desk
from agent.errors import LedgerRefuses, NeedsAPerson, NotAllowed, NotFound, OutcomeUnknown, TryAgainLater
from agent.held_letters import about_hold
from agent.ledger.base import UNDER_WAY, Letter, LetterState, Reason
from agent.log import logger
from agent.mailbox.base import Copy, OutgoingLetter
from agent.outage import OUTAGES, outage_is_news
from agent.procedure.answer import LETTER_HELD
from agent.procedure.chase import within_hours
from agent.procedure.decision import Question
from agent.procedure.entry import Entry
from agent.procedure.mail import REHEARSAL
from agent.procedure.pause import Pause, too_many
from agent.procedure.questions import QUESTIONS
from agent.procedure.urgent import may_not_wait
from agent.procedure.words import Happened
from agent.weekly_digest import KIND as DIGEST
from agent.weekly_digest import still_wanted

log = logger()


Wanted = Collection[tuple[Reason, str]]
MayGo = Callable[[Letter], bool]

ENOUGH = 3  # letters that cannot go just now before a round is given up


def posting(desk: Desk, now: datetime) -> int:
    """Post what lies in the tray; gives how many letters went out. May be killed anywhere and run again.

    In watch mode nothing is posted, and while the desk's letters rest nothing new is sent (see `_may_pass`).
    A letter that cannot go just now does not hold up the others; its trouble is told at the end.
    """
    if desk.agent.mode == "watch":
        return 0
    tray = desk.ledger.letters(*UNDER_WAY)
    if not tray:
        return 0
    chases = wanted(desk, now) if any(map(must_be_wanted, tray)) else ()
    going = [letter for letter in tray if _in_doubt(letter) or _may_go(desk, letter, chases, now)]
    pause = desk.ledger.pause()
    if pause.since is None and too_many(map(_laid_at, going), desk.agent.limits.letters_at_once, pause):
        pause = _stop_and_ask(desk, len(going), now)
    passing = _may_pass(desk, going, pause)

    def may_go(letter: Letter) -> bool:
        return letter.key in passing and _may_go(desk, letter, chases, now)

    return _post_each(
        desk, [letter for letter in going if _in_doubt(letter) or letter.key in passing], may_go, now
    )


def _may_pass(desk: Desk, going: list[Letter], pause: Pause) -> set[str]:
    """The keys of the letters that go: none where a person let them rest; where the agent stopped by itself,
    those that may not wait, unless they are too many themselves."""
    if pause.since is None:
        return {letter.key for letter in going}
    urgent = [letter for letter in going if may_not_wait(letter, desk.procedure)]
    storm = too_many(map(_laid_at, urgent), desk.agent.limits.letters_at_once, pause)
    if pause.too_many and not storm:
        return {letter.key for letter in urgent}
    if urgent:
        log.warning("posting.urgent_rests", desk=desk.name, waiting=len(urgent))
    return set()


def _post_each(desk: Desk, going: list[Letter], may_go: MayGo, now: datetime) -> int:
    """Post within the ceilings. Letters in doubt were counted when they were sent, and are looked for now."""
    room = _room(desk, now)
    posted = kept_back = 0
    troubles: list[TryAgainLater] = []
    for letter in going:
        if desk.stop.is_set() or len(troubles) == ENOUGH:
            break
        if not _in_doubt(letter) and room <= 0:
            kept_back += 1
            continue
        room -= not _in_doubt(letter)
        try:
            posted += _post_or_hold(desk, letter, may_go, now)
        except TryAgainLater as trouble:
            troubles.append(trouble)
    if kept_back:
        log.warning("posting.ceiling", desk=desk.name, waiting=kept_back)
    if troubles:
        raise troubles[0]
    return posted


def _in_doubt(letter: Letter) -> bool:
    return letter.state is LetterState.SENDING


def _laid_at(letter: Letter) -> datetime:
    return letter.laid_at


def _stop_and_ask(desk: Desk, waiting: int, now: datetime) -> Pause:
    """Unusually many letters at once may be a mistake of ours or a storm of mail: a person looks first."""
    question = Question(
        code="too_many_letters",
        why=f"{waiting} letters want to go at once, more than is usual here, so none does "
        "but what may not wait. Look at them with `n2k letters`; `n2k resume` lets them go.",
        message_id=f"letters:{now.isoformat()}",
    )
    with desk.ledger.page() as page:
        page.record(Entry(Happened.PAUSED, None, now, "posting", {"too_many": True, "waiting": waiting}))
        page.ask(question, now)
    log.error("posting.too_many", desk=desk.name, waiting=waiting)
    return desk.ledger.pause()


def _may_go(desk: Desk, letter: Letter, chases: Wanted, now: datetime) -> bool:
    """A chase goes out within hours; what news has overtaken does not go out at all."""
    if is_chase(letter) and not within_hours(now, desk.procedure, desk.calendar):
        return False
    if _is_timely(desk, letter, chases, now):
        return True
    with desk.ledger.page() as page:
        page.letter_moved(letter.key, LetterState.WITHDRAWN, now)
    log.info("posting.withdrawn", desk=desk.name, letter=letter.key, alerts=_alerts(letter))
    return False


def _is_timely(desk: Desk, letter: Letter, chases: Wanted, now: datetime) -> bool:
    if must_be_wanted(letter):
        return all((reason, letter.to.lower()) in chases for reason in letter.reasons)
    if letter.kind in OUTAGES:
        return outage_is_news(desk, letter)
    return letter.kind != DIGEST or still_wanted(desk, letter, now)


def _post_or_hold(desk: Desk, letter: Letter, may_go: MayGo, now: datetime) -> bool:
    """Post one letter; one that cannot be posted at all is held for a person, and the others go on."""
    try:
        return _post(desk, letter, may_go, now)
    except (NotAllowed, LedgerRefuses):
        raise  # no letter of this desk can go: the round ends, and says so
    except NeedsAPerson as wrong:
        _hold(desk, letter, now)
        log.error("posting.held", desk=desk.name, letter=letter.key, why=str(wrong))
        return False


def _hold(desk: Desk, letter: Letter, now: datetime) -> None:
    """Nobody may believe that it went out: the register shows it, and a person is asked."""
    alerts = tuple(dict.fromkeys(_alerts(letter)))
    held = [
        Entry(Happened.LETTER_HELD, reason.alert, now, letter.key, {"rule": reason.rule})
        for reason in letter.reasons
        if reason.alert
    ]
    with desk.ledger.page() as page:
        page.letter_moved(letter.key, LetterState.HELD, now)
        for entry in held:
            page.record(entry)
        page.ask(Question(LETTER_HELD, QUESTIONS[LETTER_HELD], about_hold(letter, now), alerts), now)


def _post(desk: Desk, letter: Letter, may_go: MayGo, now: datetime) -> bool:
    copies = desk.mailbox.copies(_key(desk, letter))
    sent = next((copy for copy in copies if not copy.is_draft), None)
    if sent:
        return _posted(desk, letter, now, sent)
    draft = next((copy for copy in copies if copy.is_draft), None)
    if letter.state is LetterState.SENDING:
        return _settle(desk, letter, draft, may_go, now)
    if draft is None:
        if letter.sends and not _is_settled(desk, letter, now):
            return False  # refused, and yet no longer there: its copy may still show that it went out
        draft = desk.mailbox.draft(_outgoing(desk, letter))
    return _send(desk, letter, draft, now)


def _send(desk: Desk, letter: Letter, draft: Copy, now: datetime) -> bool:
    """Say that it is being sent, then send: whatever happens in between, it will be looked for first."""
    if not _is_ours_to_send(desk, letter, now, draft):
        return False
    try:
        desk.mailbox.send(draft.mail_id)
    except (OutcomeUnknown, NotFound):
        log.warning("posting.in_doubt", desk=desk.name, letter=letter.key)
        return False
    except TryAgainLater:
        _moved(desk, letter, LetterState.DRAFTED, now, draft)  # certainly refused: nothing was done
        raise
    return _posted(desk, letter, now, draft)


def _is_ours_to_send(desk: Desk, letter: Letter, now: datetime, draft: Copy) -> bool:
    """Keep that the letter is being sent, unless another agent did since we looked: this machine may have
    slept, and lost the desk meanwhile."""
    with desk.ledger.page() as page:
        under_way = {one.key: one.sends for one in desk.ledger.letters(*UNDER_WAY)}
        if under_way.get(letter.key) != letter.sends:
            log.warning("posting.sent_by_another", desk=desk.name, letter=letter.key)
            return False
        page.letter_moved(
            letter.key,
            LetterState.SENDING,
            now,
            draft_id=draft.mail_id,
            internet_message_id=draft.internet_message_id,
        )
    return True


def _is_settled(desk: Desk, letter: Letter, now: datetime) -> bool:
    """Whether so long has passed since it was last tried that a copy of it would be seen by now."""
    since = letter.changed_at or letter.laid_at
    return now - since >= timedelta(minutes=desk.agent.limits.settle_minutes)


def _settle(desk: Desk, letter: Letter, draft: Copy | None, may_go: MayGo, now: datetime) -> bool:
    """A send of unknown outcome, and no copy in Sent Items (yet)."""
    if not _is_settled(desk, letter, now):
        return False
    if draft is None:
        # It left Drafts and nothing else sends from there: it went out, though its copy is not to be seen.
        log.warning("posting.no_copy_in_sent_items", desk=desk.name, letter=letter.key)
        return _posted(desk, letter, now, None)
    _moved(desk, letter, LetterState.DRAFTED, now, draft)  # it never left Drafts
    return may_go(letter) and _send(desk, letter, draft, now)


def _posted(desk: Desk, letter: Letter, now: datetime, copy: Copy | None) -> bool:
    at = (copy.sent_at if copy else None) or now
    with desk.ledger.page() as page:
        page.letter_moved(
            letter.key,
            LetterState.POSTED,
            now,
            draft_id=copy.mail_id if copy else None,
            internet_message_id=copy.internet_message_id if copy else None,
        )
        for reason in letter.reasons if is_chase(letter) else ():
            if reason.alert:
                page.record(
                    Entry(
                        happened=Happened.CHASED,
                        alert=reason.alert,
                        at=at,
                        source=letter.key,
                        facts={"rule": reason.rule, "due": reason.due.isoformat()},
                    )
                )
    log.info("posting.posted", desk=desk.name, letter=letter.key, kind=letter.kind, alerts=_alerts(letter))
    return True


def _moved(desk: Desk, letter: Letter, state: LetterState, now: datetime, draft: Copy) -> None:
    with desk.ledger.page() as page:
        page.letter_moved(
            letter.key, state, now, draft_id=draft.mail_id, internet_message_id=draft.internet_message_id
        )


def _outgoing(desk: Desk, letter: Letter) -> OutgoingLetter:
    return OutgoingLetter(
        key=_key(desk, letter),
        to=desk.agent.rehearse_to if desk.agent.mode == "rehearse" else letter.to,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        pictures=letter.pictures,
        attachments=letter.attachments,
    )


def _key(desk: Desk, letter: Letter) -> str:
    """Under which a copy is found. In rehearsal another: a draft made in earnest must not be adopted, nor
    a rehearsed one once it is earnest."""
    return letter.key + REHEARSAL if desk.agent.mode == "rehearse" else letter.key


def _alerts(letter: Letter) -> list[str]:
    return [reason.alert for reason in letter.reasons if reason.alert]


def _room(desk: Desk, now: datetime) -> int:
    """How many letters the ceilings still allow. Those whose outcome is not known may well have gone."""
    limits = desk.agent.limits
    today = desk.ledger.letters(LetterState.POSTED, LetterState.SENDING, since=now - timedelta(days=1))
    sent = [letter.changed_at or letter.laid_at for letter in today if letter.sends]
    within_the_hour = sum(at >= now - timedelta(hours=1) for at in sent)
    return min(limits.letters_per_hour - within_the_hour, limits.letters_per_day - len(sent))
