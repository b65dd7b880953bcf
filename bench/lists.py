"""What lists cost out of a thousand messages and out of a million: P2, and the inbox of P7.

Two workspaces of two databases cannot alternate in one process, so both are in one database: one
channel of a large workspace, and a workspace of its own with a thousand messages. Each list is
asked for in turn, so that both meet the same minute; recorded are the ratio of the medians and the
statements of a call whose key was looked for a moment ago. The inbox is the large workspace's, with
50,000 open reviews. Seeded once, measured three times. `BENCH_MESSAGES` changes the million,
`bench.stage` the database.
"""

import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bench.figures import record
from bench.pages import record_inbox, signed_in
from bench.stage import stage, yardsticks

if TYPE_CHECKING:
    from accounts.models import Workspace

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "1000000"))
MOST_PENDING = 50_000
FEW, ROUNDS, CALLS, OK = 1000, 3, 100, 200


def main() -> None:
    with stage():
        from bench.seed import report, seed

        seeded = seed(messages=MESSAGES, pending=min(MESSAGES // 20, MOST_PENDING))
        report(seeded)
        few = small_workspace()
        lists = [
            (name, caller(seeded.workspace, query[0]), caller(few, query[1]))
            for name, query in queries(seeded.workspace, few)
        ]
        browser = signed_in(seeded.person)
        for _ in range(ROUNDS):
            yardsticks()
            for each in lists:
                compare(*each)
            record_inbox(browser)


def small_workspace() -> "Workspace":
    """A thousand messages as they are posted: some ask, stand in a thread, or were streamed."""
    from django.utils import timezone

    from accounts.models import Workspace
    from inbox.models import Channel, Sender, Thread
    from inbox.services.messages import Draft, post_message
    from reviews.services import ReviewSpec, request_review

    workspace, now = Workspace.objects.create(name="Few"), timezone.now()
    channel = Channel.objects.create(workspace=workspace, name="Few")
    thread = Thread.objects.create(channel=channel)
    for number in range(FEW):
        at = now - timedelta(minutes=FEW - number)
        spec = ReviewSpec(kind="approval", payload_json=None, expires_at=now + timedelta(days=1))

        def ask(message: Any, spec: ReviewSpec = spec, at: Any = at) -> object:
            return request_review(message, spec=spec, now=at)

        draft = Draft(
            text="# Deploy\n\nAll is well",
            thread=thread if number % 10 == 7 else None,  # noqa: PLR2004  # as in a seeded year
            stream_id=f"stream-{number}" if number % 10 == 0 else None,
            stream_state="complete" if number % 10 == 0 else None,
            carrying=[ask] if number % 2 else [],
        )
        post_message(channel=channel, sender=Sender.AGENT, draft=draft, now=at)
    return workspace


def queries(*workspaces: "Workspace") -> list[tuple[str, list[str]]]:
    from inbox.models import Channel, Message

    channels = [Channel.objects.filter(workspace=each).earliest("pk").pk for each in workspaces]
    middles = []
    for workspace in workspaces:
        messages = Message.objects.filter(workspace=workspace).order_by("-pk")
        middles.append(messages.values_list("pk", flat=True)[messages.count() // 2])
    return [
        ("newest of all", ["", ""]),
        ("newest of a channel", [f"&channel={each}" for each in channels]),
        ("middle of all", [f"&cursor={each}" for each in middles]),
    ]


def caller(workspace: "Workspace", query: str) -> Callable[[], Any]:
    from django.test import Client

    from accounts.services import issue_key

    key = issue_key(workspace=workspace, created_by=None, label="Bench").clear
    client = Client(headers={"host": "localhost", "x-api-key": key})
    return lambda: client.get(f"/api/v1/messages?limit=50{query}")


def compare(name: str, many: Callable[[], Any], few: Callable[[], Any]) -> None:
    for call in (many, few):
        for _ in range(20):
            if call().status_code != OK:
                raise SystemExit(f"{name} was refused")
    made = statements(many)
    pairs = [(timed(many), timed(few)) for _ in range(CALLS)]
    large, small = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(f"{name}: p50 {large:.2f} ms out of {MESSAGES:,}, {small:.2f} ms out of {FEW:,}")
    record("P2", f"list of 50, {name}: statements", made, at_most=3)
    record("P2", f"list of 50, {name}: p50 to that of {FEW:,}", large / small, at_most=1.3)


def statements(call: Callable[[], Any]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    call()  # whose key is remembered for half a second
    with CaptureQueriesContext(connection) as captured:
        call()
        return len(captured)


def timed(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
