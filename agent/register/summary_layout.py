"""Where each figure of the summary stands: fixed places, so that charts find them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.procedure.summary import AGES, CATEGORIES, GROUPS, STANDINGS, WEEKS, Summary
from agent.register.addresses import cell

TOP = 4
_GAP = 2  # rows between one table and the next: an empty one, and the next one's title


@dataclass(frozen=True)
class Figures:
    """One table of figures: `rows` of them below a title and a line of headings."""

    title: str
    headings: tuple[str, ...]
    rows: int
    chart: str = ""  # what somebody hears who does not see it
    lying: bool = False


def figures_of(counted_by: str) -> list[Figures]:
    found = [
        Figures("Now", ("", "Alerts"), STANDINGS),
        Figures(
            "Open, by age",
            ("Open for", "Alerts"),
            AGES,
            "How many open alerts have been open for how long.",
        ),
        Figures(
            "Received and concluded, by week",
            ("Week from", "Received", "Concluded"),
            WEEKS,
            "How many alerts were received and how many concluded in each of the last weeks.",
        ),
        Figures(
            "Open, by category",
            ("Category", "Alerts"),
            CATEGORIES,
            "How many open alerts there are of each category.",
            lying=True,
        ),
    ]
    if counted_by:
        told = f"How many open alerts there are by {counted_by.casefold()}."
        found.append(
            Figures(f"Open, by {counted_by.casefold()}", (counted_by, "Alerts"), GROUPS, told, lying=True)
        )
    return found


def placed(counted_by: str) -> Iterator[tuple[int, Figures]]:
    """Each table of figures with the row of its title."""
    row = TOP
    for figures in figures_of(counted_by):
        yield row, figures
        row += figures.rows + _GAP + 1


def cells_of(summary: Summary) -> dict[str, str]:
    """What each cell of the figures says, by address; "" where nothing is to stand."""
    tables: list[Sequence[tuple[str, ...]]] = [
        [(told.what, str(told.number)) for told in summary.standing],
        [(words, str(number)) for words, number in summary.by_age],
        [(week, str(received), str(concluded)) for week, received, concluded in summary.by_week],
        [(words, str(number)) for words, number in summary.by_category],
        [(words, str(number)) for words, number in summary.by_group],
    ]
    cells = {}
    for (row, figures), table in zip(placed(summary.counted_by), tables, strict=False):
        for line in range(figures.rows):
            told = table[line] if line < len(table) else ("",) * len(figures.headings)
            for column, text in enumerate(told, 1):
                cells[cell(column, row + 2 + line)] = text
    return cells
