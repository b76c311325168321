"""What a mailbox answers by itself: that somebody is away, or that a letter came back."""

from __future__ import annotations

from agent.procedure.addressing import AUTHOR, REVIEWER, bare_name
from agent.procedure.alert import Alert
from agent.procedure.decide_case import Case
from agent.procedure.decide_record import iso
from agent.procedure.decision import Decision
from agent.procedure.entry import Entry
from agent.procedure.matching import told_of
from agent.procedure.questions import UNPROVEN
from agent.procedure.reach import opaque
from agent.procedure.words import Happened, Json


def decide_away(case: Case) -> Decision:
    """Somebody's own mailbox tells that they are away. That is kept for them alone, whoever they are in
    the matter: it excuses nobody else."""
    roles = {
        alert.reference: role
        for alert in case.meant() or case.talked_of()
        if (role := _role_of_sender(case, alert))
    }
    if not roles:
        return case.aside("automatic_reply")
    said = case.submission
    content: dict[str, Json] = {"address": said.sender, "deputy": said.deputy}
    entries = [
        case.entry(Happened.AWAY, reference, {"until": iso(said.away_until), "role": role}, content)
        for reference, role in roles.items()
        if said.message_id not in case.alerts[reference].mails
    ]
    gone = case.questions(["has_left"], tuple(roles)) if "has_left" in said.doubts else []
    return case.decision("away", entries, gone, meant=roles)


def _role_of_sender(case: Case, alert: Alert) -> str:
    """Author or reviewer of this alert, else a role at the desk; "" where the sender has none."""
    if UNPROVEN in case.submission.doubts:
        return ""
    sender = case.submission.sender
    if sender == alert.author_address:
        return AUTHOR
    person = case.people.at(sender)
    if person is None:
        return ""
    reviewer = case.people.named(bare_name(alert.values.get(REVIEWER, "")))
    return REVIEWER if person == reviewer else next(iter(person.roles), "")


def decide_bounce(case: Case) -> Decision:
    """A letter of ours came back: none goes to that address any more, about whatever. A mere delay is not
    news: the mail system tries on.

    Only a report of a letter that really went out counts: a reference may stand in a forged one.
    """
    said = case.submission
    if said.reason == "delivery_delayed":
        return case.aside("delivery_delayed")
    meant = told_of(case.answered, case.alerts)
    references = tuple(alert.reference for alert in meant)
    fresh = [alert for alert in meant if said.message_id not in alert.mails]
    entries = [bounced(case, alert.reference) for alert in fresh]
    if said.of_ours and not meant:  # a digest, say, that is about no alert
        entries = [bounced(case, None)]
    code = "letter_undelivered" if meant or said.of_ours else "bounce_unmatched"
    return case.decision("bounced", entries, case.questions((code,), references), references)


def bounced(case: Case, reference: str | None) -> Entry:
    """That a letter came back, and from which address; of one about no alert nothing personal is kept."""
    address = (case.submission.bounced_address or "").lower()
    facts: dict[str, Json] = {"permanent": True, **({"to": opaque(address)} if address else {})}
    return case.entry(Happened.BOUNCED, reference, facts, {"address": address} if reference else {})
