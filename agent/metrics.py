"""Figures for Prometheus: counted from the agent's own events, and asked of the ledger when somebody looks.

Labels are desks, steps, kinds and codes; never a reference, an address or a name.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, MutableMapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from agent.bootstrap import Agent
from agent.desk import Desk
from agent.errors import AgentError
from agent.ledger.base import UNDER_WAY, LetterState
from agent.m365.credential import credential_of
from agent.steps import Outcome

Event = MutableMapping[str, Any]


class Metrics:
    """The figures of one agent. `count` is a processor for the log, `step` is told how every step ended."""

    def __init__(self, agent: Agent) -> None:
        self._registry = CollectorRegistry()
        of = self._registry
        self.mails = Counter("n2k_mails", "Mails dealt with", ["desk", "outcome"], registry=of)
        self.letters = Counter(
            "n2k_letters", "Letters, by what became of them", ["desk", "kind", "state"], registry=of
        )
        self.waits = Counter(
            "n2k_graph_wait_seconds", "Seconds spent waiting as Microsoft 365 asked", registry=of
        )
        self.trouble = Counter(
            "n2k_step_troubles", "Steps that met trouble", ["desk", "step", "kind"], registry=of
        )
        self.done = Gauge(
            "n2k_step_last_success_timestamp_seconds",
            "When a step last ended well",
            ["desk", "step"],
            registry=of,
        )
        self._registry.register(_Standing(agent))
        self._clock = agent.clock

    def count(self, _: object, __: str, event: Event) -> Event:
        """See an event on its way to the log; it goes on unchanged."""
        counted = _COUNTED.get(str(event.get("event")))
        if counted:
            counted(self, event)
        return event

    def step(self, outcome: Outcome) -> None:
        if outcome.trouble:
            kind = "needs_a_person" if outcome.needs_a_person else "again_later"
            self.trouble.labels(outcome.desk, outcome.step, kind).inc()
        else:
            self.done.labels(outcome.desk, outcome.step).set(self._clock().timestamp())

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self._registry)


def _mail(metrics: Metrics, event: Event) -> None:
    metrics.mails.labels(event["desk"], event["outcome"]).inc()


def _letter(state: str) -> Callable[[Metrics, Event], None]:
    def count(metrics: Metrics, event: Event) -> None:
        metrics.letters.labels(event["desk"], event.get("kind", ""), state).inc()

    return count


def _wait(metrics: Metrics, event: Event) -> None:
    metrics.waits.inc(float(event["seconds"]))


_COUNTED: dict[str, Callable[[Metrics, Event], None]] = {
    "intake.decided": _mail,
    "letter.laid": _letter("laid"),
    "posting.posted": _letter("posted"),
    "posting.withdrawn": _letter("withdrawn"),
    "posting.held": _letter("held"),
    "graph.waits": _wait,
}


class _Standing:
    """What the ledger says when somebody looks."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def collect(self) -> Iterable[Metric]:
        now = self._agent.clock()
        told = {
            name: GaugeMetricFamily(f"n2k_{name}", words, labels=["desk"]) for name, words in _SHOWN.items()
        }
        for desk in self._agent.desks:
            for name, value in _figures(desk, now).items():
                told[name].add_metric([desk.name], value)
            if swept := desk.ledger.swept():
                told["mails_unaccounted"].add_metric([desk.name], swept.unaccounted)
                told["swept_timestamp_seconds"].add_metric([desk.name], swept.at.timestamp())
        yield from told.values()
        days = _certificate_days(self._agent, now)
        if days is not None:
            yield GaugeMetricFamily("n2k_certificate_days_left", "Days until the certificate runs out", days)


_SHOWN = {
    "alerts_open": "Alerts that are neither concluded nor dismissed",
    "mails_waiting": "Mails noted and not yet dealt with",
    "mails_lag_seconds": "How long the oldest of them has been waiting",
    "mails_unaccounted": "Mails that the last nightly sweep found neither dealt with nor filed in time",
    "swept_timestamp_seconds": "When the ledger was last held against the mailbox",
    "questions_waiting": "Questions that wait for a person",
    "letters_under_way": "Letters in the tray or being sent",
    "letters_held_now": "Letters held for a person",
    "letters_at_rest": "1 while the desk's letters rest",
    "register_stuck_seconds": "How long the register cannot be kept by now; 0 while it can",
    "mailbox_stuck_seconds": "How long mails cannot be taken in by now; 0 while they can",
}


def _figures(desk: Desk, now: datetime) -> dict[str, float]:
    waiting = desk.ledger.waiting()
    states = Tally(letter.state for letter in desk.ledger.letters(*UNDER_WAY, LetterState.HELD))
    kept = desk.ledger.kept()
    return {
        "alerts_open": len(desk.ledger.alerts().open),
        "mails_waiting": len(waiting),
        "mails_lag_seconds": max(((now - mail.received_at).total_seconds() for mail in waiting), default=0.0),
        "questions_waiting": len(desk.ledger.questions()),
        "letters_under_way": sum(states[state] for state in UNDER_WAY),
        "letters_held_now": states[LetterState.HELD],
        "letters_at_rest": float(desk.ledger.pause().since is not None),
        "register_stuck_seconds": (now - (kept.stuck_since or now)).total_seconds(),
        "mailbox_stuck_seconds": (now - (kept.mailbox_stuck_since or now)).total_seconds(),
    }


def _certificate_days(agent: Agent, now: datetime) -> float | None:
    try:
        until = credential_of(agent.settings.agent.tenant).until
    except AgentError:  # the doctor says what is wrong with it
        return None
    return (until - now).total_seconds() / 86400 if until else None
