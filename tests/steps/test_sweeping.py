"""At night every mail in the mailbox is accounted for: dealt with and filed, or it is told that it is not."""

from __future__ import annotations

import pytest

from agent.audit import audit
from agent.errors import TryAgainLater
from agent.intake import notice
from agent.procedure.swept import Swept
from agent.procedure.words import Place
from agent.sweeping import sweep
from tests.builders import MONDAY, later
from tests.steps.small_office import Office

NIGHT = later(hours=18.5)


def found(office: Office) -> tuple[int, int, int, int]:
    swept = office.ledger.swept()
    assert isinstance(swept, Swept)
    return swept.mails, swept.missed, swept.unaccounted, swept.elsewhere


def test_after_an_ordinary_day_every_mail_is_accounted_for() -> None:
    office = Office()
    office.opens_alert()
    office.receives("Lunch?", text="Anybody?")
    office.works(later(hours=2))

    assert sweep(office.desk, NIGHT) == 0
    assert found(office) == (2, 0, 0, 0)


def test_a_mail_that_was_moved_away_and_back_is_dealt_with_at_once() -> None:
    """Such a move can hide a mail from the changes; what lies in the inbox proves it."""
    office = Office()
    notice(office.desk, MONDAY)
    office.receives_alert(later(hours=1))
    office.mailbox.changes = lambda cursor: iter(())  # type: ignore[method-assign]  # nothing is told of it

    assert sweep(office.desk, NIGHT) == 1
    assert list(office.ledger.alerts()) == ["SLA-2026-0001"]
    assert found(office) == (1, 1, 0, 0)


def test_a_form_that_somebody_filed_by_hand_before_it_was_read_becomes_an_alert() -> None:
    """It left the inbox between two rounds, so that no change ever told of it."""
    office = Office()
    notice(office.desk, MONDAY)
    by_hand = office.receives_alert(later(hours=1))
    office.mailbox.changes = lambda cursor: iter(())  # type: ignore[method-assign]
    office.mailbox.file(by_hand, office.desk.folder(Place.UPDATES), ())
    office.works(later(hours=2))
    assert not office.ledger.alerts()

    assert sweep(office.desk, NIGHT) == 1
    assert list(office.ledger.alerts()) == ["SLA-2026-0001"]
    assert office.mailbox.mails[by_hand].folder == office.desk.folder(Place.ALERTS)
    assert sweep(office.desk, later(days=1)) == 0


def test_what_lay_in_the_folders_before_the_desk_began_is_no_business_of_the_agents() -> None:
    office = Office()
    old = office.receives_alert(later(days=-90))
    office.mailbox.file(old, office.desk.folder(Place.ALERTS), ())
    office.mailbox.changes = lambda cursor: iter(())  # type: ignore[method-assign]
    office.ledger.note([], "inbox", "here", MONDAY)

    assert sweep(office.desk, NIGHT) == 0
    assert (office.ledger.mails(), found(office)) == ([], (0, 0, 0, 0))


def test_a_mail_that_cannot_be_read_for_hours_is_told_of() -> None:
    """In the log, in `n2k status`, in the figures, and by a heartbeat that stays away."""
    office = Office()
    office.opens_alert()
    office.receives_alert(later(hours=1), child="Sasha Millbrook")
    mime = office.mailbox.mime

    def fails(mail_id: str) -> bytes:
        raise KeyError(mail_id)

    office.mailbox.mime = fails  # type: ignore[method-assign]
    sweep(office.desk, later(hours=1.5))
    assert found(office)[2] == 0  # there is still time
    sweep(office.desk, NIGHT)
    assert found(office)[2] == 1
    assert "1 mails in the mailbox were unaccounted for" in " ".join(audit(office.desk, NIGHT))

    office.mailbox.mime = mime  # type: ignore[method-assign]
    sweep(office.desk, later(days=2))
    assert found(office) == (2, 0, 0, 0)


def found_after(office: Office) -> tuple[int, int, int, int]:
    sweep(office.desk, NIGHT)
    return found(office)


def test_what_people_move_or_delete_later_is_counted_and_left_to_them() -> None:
    office = Office()
    office.opens_alert()
    moved, deleted = (
        office.receives_alert(later(hours=1), child=name) for name in ("Sasha Mill", "Kim Vale")
    )
    office.works(later(hours=2))
    office.mailbox.file(moved, ("Mine",), ())
    office.mailbox.delete(deleted)

    assert found_after(office) == (1, 0, 0, 2)
    assert office.mailbox.mails[moved].folder == ("Mine",)


def test_a_mailbox_that_cannot_be_listed_leaves_the_last_comparison_as_it_is() -> None:
    office = Office()
    assert found_after(office) == (0, 0, 0, 0)

    def fails(folder: object = ()) -> None:
        raise TryAgainLater("busy")

    office.mailbox.listing = fails  # type: ignore[method-assign,assignment]
    with pytest.raises(TryAgainLater):
        sweep(office.desk, later(days=1))
    swept = office.ledger.swept()
    assert swept is not None
    assert swept.at == NIGHT
