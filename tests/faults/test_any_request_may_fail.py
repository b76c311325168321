"""Each kind of request fails in each way that Microsoft Graph has, and the morning ends as usual.

The comparison is of everything: the ledger, the register and every mailbox. So it also says that nothing
was done twice: no folder, no row, no letter.
"""

from __future__ import annotations

import pytest

from tests.builders import at
from tests.faults.office import morning, office, usual_morning
from tests.faults.standing import differences

READS = {
    "what changed in the inbox": ("GET", r"/messages/delta$"),
    "a mail": ("GET", r"/messages/[^/]+/\$value$"),
    "the folders": ("GET", r"/mailFolders$"),
    "the folders inside one": ("GET", r"/childFolders$"),
    "the site": ("GET", r"/sites/[^,]+$"),
    "its library": ("GET", r"/drive$"),
    "whether there is a register": ("GET", r"/root:/Need to Know\.xlsx$"),
    "the register's version": ("GET", r"/items/[^/]+$"),
    "where the register can be had": ("GET", r"/items/[^/]+/content$"),
    "the copies of a letter": ("GET", r"/users/[^/]+/messages$"),
}
WRITES = {
    "categories": ("PATCH", r"/messages/[^/]+$"),
    "a new folder": ("POST", r"/mailFolders$"),
    "a new folder inside one": ("POST", r"/childFolders$"),
    "a move": ("POST", r"/move$"),
    "a new register": ("PUT", r"/root:/.*/content$"),
    "a register's new content": ("PUT", r"/items/[^:]+/content$"),
    "a draft": ("POST", r"/users/[^/]+/messages$"),
    "a letter on its way": ("POST", r"/send$"),
}
REFUSED = {
    "throttled": {"status": 429, "retry_after": 0.01},
    "busy": {"status": 503, "retry_after": 0.01},
    "token expired": {"status": 401},
}
LOST = {
    "answered 504 before": {"status": 504, "when": "before"},
    "answered 504 after it was done": {"status": 504, "when": "after"},
    "cut off before": {"drop": True, "when": "before"},
    "cut off after it was done": {"drop": True, "when": "after"},
}


def morning_with(request: tuple[str, str], fault: dict[str, object]) -> tuple[int, list[str]]:
    """How often the fault struck on a morning with it, and what is not as usual at its end."""
    method, path = request
    with office() as at_work:
        ordered = at_work.ordered(method=method, path=path, **fault)
        morning(at_work)
        return ordered.struck, differences(at_work.stands(), usual_morning())


@pytest.mark.parametrize("fault", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("request_for", (READS | WRITES).values(), ids=READS | WRITES)
def test_refused_once(request_for: tuple[str, str], fault: dict[str, object]) -> None:
    assert morning_with(request_for, fault) == (1, [])


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
@pytest.mark.parametrize("request_for", WRITES.values(), ids=WRITES)
def test_the_outcome_of_a_change_is_unknown(request_for: tuple[str, str], fault: dict[str, object]) -> None:
    """Whether it was done or not: it is looked at first, and done once."""
    assert morning_with(request_for, fault) == (1, [])


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
@pytest.mark.parametrize(
    "request_for", [READS["a mail"], READS["the copies of a letter"]], ids=["a mail", "copies"]
)
def test_an_answer_was_lost(request_for: tuple[str, str], fault: dict[str, object]) -> None:
    """Reading is simply repeated."""
    assert morning_with(request_for, fault) == (1, [])


@pytest.mark.parametrize("request_for", WRITES.values(), ids=WRITES)
def test_refused_all_morning_and_done_when_it_is_over(request_for: tuple[str, str]) -> None:
    """For as long as it is throttled nothing is lost; an hour later everything stands as usual."""
    method, path = request_for
    with office() as at_work:
        ordered = at_work.ordered(method=method, path=path, status=429, retry_after=0.01, times=None)
        morning(at_work)
        assert ordered.struck > 1
        at_work.tenant.faults.clear()
        at_work.round(at("2026-03-02 11:00"))
        at_work.round(at("2026-03-02 11:15"))
        assert differences(at_work.stands(), usual_morning()) == []
