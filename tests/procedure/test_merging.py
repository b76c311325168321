"""Alerts that a person found to be one matter, or one to be two."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from agent.procedure.alert import fold, folded_on, standing
from agent.procedure.alerts import Alerts
from agent.procedure.entry import Entry
from agent.procedure.matching import candidates
from agent.procedure.merging import merged, split
from agent.procedure.submission import Child, Submission
from agent.procedure.words import Happened, Kind
from tests.procedure.situations import AUTHOR, alert, at

LATER = at("Thu 5 Mar 2026 11:00")
ROBIN, SASHA = Child("Robin Fairweather", date(2012, 5, 4)), Child("Sasha Millbrook", date(2014, 1, 9))
FIRST = alert(mails=frozenset({"<1@x>"}), documents=frozenset({"aa"}), update_lines=frozenset({"l1"}))
SECOND = alert(
    "Tue 3 Mar 2026 12:00",
    2,
    children=(SASHA,),
    mails=frozenset({"<2@x>"}),
    documents=frozenset({"bb"}),
    values={"author": "Somebody Else", "area": "North"},
)


def after(known: Alerts, *entries: Entry) -> Alerts:
    changed = folded_on(known, entries)
    assert changed.keys() == {entry.alert for entry in entries}
    return known.after(changed.values())


def both(*entries: Entry) -> Alerts:
    return after(Alerts([FIRST, SECOND]), *entries)


def says(reference: str = "", child: Child = SASHA) -> Submission:
    told = Submission(Kind.UPDATE, "<9@x>", AUTHOR, LATER, children=(child,))
    return replace(told, references=(reference,) if reference else ())


def test_the_one_that_goes_on_knows_what_the_other_knew() -> None:
    alerts = both(*merged(SECOND, FIRST, LATER, "register"))
    one = alerts[FIRST.reference]
    assert one.children == (ROBIN, SASHA)
    assert (one.values["author"], one.values["area"]) == ("Theo Marchbanks", "North")
    assert one.mails == {"<1@x>", "<2@x>"}
    assert one.documents == {"aa", "bb"}
    assert one.last_news_at == SECOND.last_news_at


def test_the_other_one_ends_and_whatever_means_it_means_the_one_that_goes_on() -> None:
    alerts = both(*merged(SECOND, FIRST, LATER, "register"))
    ended = alerts[SECOND.reference]
    assert (ended.not_an_alert, ended.duplicate) == (True, True)
    assert standing(alerts, SECOND.reference) == alerts[FIRST.reference]
    assert candidates(says(SECOND.reference), alerts).sure == FIRST.reference
    assert candidates(says(), alerts).sure == FIRST.reference
    assert candidates(says(), alerts, answered=[SECOND.reference]).sure == FIRST.reference


def test_opening_it_again_undoes_a_merge() -> None:
    alerts = both(*merged(SECOND, FIRST, LATER, "register"))
    alerts = after(alerts, Entry(Happened.REOPENED, SECOND.reference, LATER, "register"))
    assert standing(alerts, SECOND.reference) == alerts[SECOND.reference]
    assert not alerts[SECOND.reference].not_an_alert


def test_one_child_of_two_goes_on_alone_with_the_clocks_of_the_first_form() -> None:
    siblings = replace(FIRST, children=(ROBIN, SASHA))
    alerts = after(Alerts([siblings]), *split(siblings, [SASHA], "SLA-2026-0007", LATER, "register"))
    assert alerts[FIRST.reference].children == (ROBIN,)
    off = alerts["SLA-2026-0007"]
    assert (off.children, off.received_at, off.values) == ((SASHA,), FIRST.received_at, FIRST.values)
    assert candidates(says(), alerts).sure == "SLA-2026-0007"


def test_lines_that_were_erased_leave_an_alert_that_can_be_told_of() -> None:
    opened = Entry(Happened.OPENED, "SLA-2026-0007", LATER, "m", {"form": "sla"}, None)
    lines = [
        replace(line, content=None)
        for line in split(
            replace(FIRST, children=(ROBIN, SASHA)), [SASHA], "SLA-2026-0007", LATER, "register"
        )
    ]
    assert fold([opened, *lines])["SLA-2026-0007"].children == ()


@pytest.mark.parametrize("leaving", [[], [ROBIN, SASHA], [Child("Somebody Else")]])
def test_some_leave_and_some_stay(leaving: list[Child]) -> None:
    with pytest.raises(ValueError, match="some to stay"):
        split(replace(FIRST, children=(ROBIN, SASHA)), leaving, "SLA-2026-0007", LATER, "register")


def test_an_alert_is_not_merged_with_itself_nor_twice() -> None:
    gone = both(*merged(SECOND, FIRST, LATER, "register"))[SECOND.reference]
    for ends, goes_on in ((FIRST, FIRST), (gone, FIRST), (FIRST, gone)):
        with pytest.raises(ValueError, match="cannot be merged"):
            merged(ends, goes_on, LATER, "register")
