"""The few alerts to look at: never fewer than the rules would find among all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.procedure.alert import Alert
from agent.procedure.alerts import Alerts
from agent.procedure.matching import candidates
from agent.procedure.names import differences, likenesses
from agent.procedure.submission import Child, Submission
from agent.procedure.words import Kind
from tests.procedure.situations import AUTHOR, alert, at


class Walked(Alerts):
    """The same alerts, of which each is looked at."""

    def in_common(self, submission: Submission) -> Sequence[Alert]:
        return list(self.values())


# Names that differ in every way in which names differ, so that any two may be one, or only nearly.
_WORDS = (
    "Liam liam LIAM Harwood Harwod Haarwood Katherine Catherine Kathrine Mohammed Muhammad Mohamed Abdul "
    "Abdel Rahman Rehman Abdulrahman O'Neil ONeil Neil Zoë Zoe Al-Khatib Alkhatib Al Khatib Oleksandr "
    "Alexander Ali A L I J. Jo Jon John S Smith Smyth Łukasz Lukasz Child Unborn Baby P Sibling"
)
_names = st.lists(st.sampled_from(_WORDS.split()), min_size=0, max_size=4).map(" ".join)
_odd = st.one_of(
    _names,
    _names.map(str.upper),
    st.tuples(_names, _names).map(", ".join),
    _names.map(lambda name: f"{name} (3 siblings)"),
    _names.map(lambda name: f"{name} (twin) Ash"),
    st.sampled_from(
        ["JS", "L.H.", "T. M.", "Child P", "Unborn Smith", "Smith family (2)", "?", "'", "李", "-"]
    ),
    st.text(max_size=8),
)
_children = st.builds(
    Child,
    _odd,
    st.sampled_from([None, date(2012, 5, 4), date(2012, 5, 5)]),
    st.sampled_from(["", " ", "3087741", "ID 03087741", "LCS-99", "n/a", "000"]),
)
_known = st.tuples(_children, st.lists(_children, max_size=2)).map(
    lambda told: replace(told[0], formerly=tuple(told[1]))
)
_mails = st.frozensets(st.sampled_from(["<1@x>", "<2@x>", "<3@x>"]), max_size=2)
_papers = st.sampled_from(["aa", "bb", "cc"])
_moments = st.sampled_from([None, date(2026, 3, 1), at("Sun 1 Mar 2026 16:30"), at("Wed 4 Mar 2026 09:00")])
_authors = st.sampled_from(
    [{}, {"author": "Theo Marchbanks"}, {"author": "THEO MARCHBANKS"}, {"author": "Eve"}]
)


@st.composite
def _desks(draw: st.DrawFn) -> list[Alert]:
    """Alerts of a desk, some of which have ended, were merged into others, or are only provisional."""
    made = [
        replace(
            alert(number=number),
            children=tuple(draw(st.lists(_known, max_size=3))),
            values=draw(_authors),
            mails=draw(_mails),
            documents=frozenset(draw(st.lists(_papers, max_size=2))),
            incident_at=draw(_moments),
            provisional=draw(st.booleans()),
            form=draw(st.sampled_from(["", "sla"])),
        )
        for number in range(1, draw(st.integers(1, 7)))
    ]
    into = draw(st.sampled_from([one.reference for one in made] or [""]))
    return [
        replace(one, not_an_alert=True, merged_into=into)
        if one.reference != into and draw(st.integers(0, 4)) == 0
        else one
        for one in made
    ]


_submissions = st.builds(
    Submission,
    st.sampled_from([Kind.NEW, Kind.UPDATE, Kind.REPLY]),
    st.just("<9@x>"),
    st.just(AUTHOR),
    st.just(at("Tue 3 Mar 2026 11:00")),
    form=st.sampled_from([None, "sla"]),
    document_sha256=st.none() | _papers,
    references=st.lists(st.sampled_from(["SLA-2026-0001", "SLA-2026-0003"]), max_size=1).map(tuple),
    answers=_mails.map(tuple),
    children=st.lists(_known, max_size=2).map(tuple),
    values=_authors,
    incident_at=_moments,
)


@given(_odd, _odd)
@settings(max_examples=1000, deadline=None)
def test_names_that_may_be_one_are_found_by_each_other(one: str, other: str) -> None:
    assert differences(one, other) is None or likenesses(one) & likenesses(other)


@given(_desks(), _submissions)
@example(
    [replace(alert(), children=(Child("Child P"),))],
    Submission(
        Kind.NEW,
        "<9@x>",
        AUTHOR,
        at("Tue 3 Mar 2026 11:00"),
        form="sla",
        children=(Child("Rahmani (twin) Ash"),),
    ),
)
@settings(max_examples=250, deadline=None)
def test_a_mail_means_the_same_alerts_as_if_each_were_looked_at(told: list[Alert], came: Submission) -> None:
    assert candidates(came, Alerts(told)) == candidates(came, Walked(told))


@given(_desks(), _desks(), _desks(), _submissions)
@settings(max_examples=120, deadline=None)
def test_so_it_does_once_alerts_have_changed_or_are_supposed_to(
    first: list[Alert], then: list[Alert], supposed: list[Alert], came: Submission
) -> None:
    begun = Alerts(first)
    later = begun.after(then)
    if_so = later.supposing(supposed)
    for found in (begun, later, if_so):
        assert candidates(came, found) == candidates(came, Walked(found.values()))


def test_nothing_that_was_told_of_it_leads_to_an_erased_alert() -> None:
    told = alert(number=1, mails=frozenset({"<1@x>"}), documents=frozenset({"aa"}))
    another = replace(told, reference="SLA-2026-0002")
    came = Submission(
        Kind.UPDATE, "<9@x>", AUTHOR, at("Tue 3 Mar 2026 11:00"), None, "aa", (), ("<1@x>",), told.children
    )
    alone = replace(told, children=(Child("Ada Ficton"),))
    blank = replace(
        told, children=(), values={}, documents=frozenset(), erased=True
    )  # its mail is not personal
    left = Alerts([told, another]).after([alone, told]).after_erasure([blank])
    assert left.in_common(replace(came, answers=())) == [another]
    assert left.in_common(replace(came, children=alone.children, document_sha256=None, answers=())) == []
    assert (left.with_mail("<1@x>"), left.with_document("aa")) == ([blank, another], [another])


def test_of_a_thousand_children_few_are_looked_at() -> None:
    firsts, lasts = (
        ["Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hope", "Ivy", "Joe"],
        ["Ash", "Birch", "Cole", "Dale", "Elm"],
    )
    many = Alerts(
        replace(alert(number=number), children=(Child(f"{firsts[number % 10]} {lasts[number % 5]}{number}"),))
        for number in range(1000)
    )
    came = Submission(Kind.UPDATE, "<9@x>", AUTHOR, at("Tue 3 Mar 2026 11:00"), children=(Child("Eve Elm4"),))
    assert 1 <= len(many.in_common(came)) <= 110  # an Eve, or E. E.


def test_open_are_those_that_have_not_ended() -> None:
    concluded = replace(alert(number=2), concluded_at=at("Tue 3 Mar 2026 11:00"))
    alerts = Alerts([alert(number=1), concluded, replace(alert(number=3), not_an_alert=True)])
    assert [one.reference for one in alerts.open] == ["SLA-2026-0001"]
    reopened = alerts.after([replace(concluded, concluded_at=None)])
    assert sorted(one.reference for one in reopened.open) == ["SLA-2026-0001", "SLA-2026-0002"]
    assert [one.reference for one in alerts.open] == ["SLA-2026-0001"]


@given(
    st.lists(st.tuples(st.integers(0, 200), st.none() | st.integers(0, 200)), max_size=12),
    st.integers(0, 200),
)
@settings(max_examples=200, deadline=None)
def test_those_of_which_a_form_came_lately(hours: list[tuple[int, int | None]], since: int) -> None:
    def moment(hour: int) -> datetime:
        return datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hour)

    told = [
        replace(
            alert(number=number),
            received_at=moment(came),
            last_update_at=None if updated is None else moment(updated),
        )
        for number, (came, updated) in enumerate(hours)
    ]
    lately = [
        one for one in told if max(one.received_at, one.last_update_at or one.received_at) >= moment(since)
    ]
    assert Alerts(told).told_of_since(moment(since)) == lately
