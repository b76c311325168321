"""The fetching part by mailsuite, parsedmarc's own mailbox: list, fetch each mail, parse it, move it away.

Run by the peers' Python; prints what it did as JSON. The sandbox is no authority that Microsoft knows, so
that its discovery is left out.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

from mailsuite.mailbox import graph
from mailsuite.utils import parse_email


class Known(graph.ClientSecretCredential):
    def __init__(self, **told: str) -> None:
        super().__init__(**told, disable_instance_discovery=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    for told in ("graph", "tenant", "client", "secret", "mailbox"):
        parser.add_argument(f"--{told}", required=True)
    parser.add_argument("--mails", type=int, required=True)
    told = parser.parse_args()

    graph.ClientSecretCredential = Known
    box = graph.MSGraphConnection(
        "ClientSecret",
        told.mailbox,
        told.client,
        told.secret,
        None,
        None,
        told.tenant,
        "/dev/null",
        True,
        graph_url=told.graph,
    )
    box._client.request_adapter.base_url = f"{told.graph}/v1.0"  # else with a slash too many for the sandbox
    box.create_folder("Fetched")
    began, cpu, handled = time.perf_counter(), time.process_time(), 0
    for message in box.fetch_messages("Inbox", batch_size=told.mails)[: told.mails]:
        assert parse_email(box.fetch_message(message))["attachments"]
        box.move_message(message, "Fetched")
        handled += 1
    print(
        json.dumps(
            {
                "mails": handled,
                "wall": time.perf_counter() - began,
                "cpu": time.process_time() - cpu,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
