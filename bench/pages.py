"""What the pages cost: server time and statements of each fragment, and bytes of a first load.

10,000 reviews over 20 channels, 5,000 of them open, and 100,000 calls in a month. Each path is
asked for 100 times in this process, through all middlewares; printed are p50 and p95 of the
server's time, its statements and its size gzipped. `BENCH_MESSAGES=1000000` seeds a year instead,
with 50,000 open reviews (see `bench.seed`); `bench.lists` measures P7 there. Stops by itself.
`bench.stage` says how the database is chosen.
"""

import gzip
import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.stage import owner, stage, yardsticks

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User

REVIEWS = int(os.environ.get("BENCH_REVIEWS", "10000"))
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "0"))
LOGGED = int(os.environ.get("BENCH_CALLS", "100000"))
CHANNELS, CALLS, BATCH, OK = 20, 100, 1000, 200
WORDS = "deploy rollback canary quota invoice supplier ticket refund".split()  # noqa: SIM905
IMPORTED = re.compile(r'(?:from|import) "\./([\w./]+)"')
LATER = re.compile(r'^  import\("\./([\w./]+)"\)', re.MULTILINE)  # when the page is there
DETAIL, LIST, NEWS = "article#detail", "section#list", "div#new-bar"


def main() -> None:
    with stage():
        yardsticks()
        person, ids = year() if MESSAGES else month()
        browser = signed_in(person)
        for name, path, target in paths(ids):
            cost = measure(browser, path, target)
            print(
                f"{name}: p50 {cost.p50:.1f} ms, p95 {cost.p95:.1f} ms, work {cost.worked:.1f} ms, "
                f"{cost.statements} statements, {cost.size:.1f} KB"
            )
        first_load(browser, tell=print)


def record_inbox(browser: "Client") -> None:
    """P7, of whichever database there is."""
    from bench.figures import record

    cost = measure(browser, "/inbox/", LIST)
    record("P7", "inbox fragment, p95 on the server", cost.p95, "ms", at_most=50)
    record("P7", "inbox fragment, work of the web process, mean", cost.worked, "ms")
    record("P7", "inbox fragment, statements", cost.statements, at_most=6)
    record("P7", "first page with all it loads, gzip", first_load(browser), "KB", at_most=100)


def month() -> tuple["User", list[str]]:
    person = owner()
    ids = seed(person)
    log_calls(person)
    log_attempts(person)
    analyze()
    return person, ids


def year() -> tuple["User", list[str]]:
    """The owner of the large workspace, its open reviews, and one that was answered."""
    from bench.seed import report
    from bench.seed import seed as seed_year
    from reviews.models import ReviewRequest, Status

    seeded = seed_year(messages=MESSAGES, pending=min(MESSAGES // 20, 50_000))
    report(seeded)
    reviews = ReviewRequest.objects.filter(workspace=seeded.workspace).order_by("pk")
    found = list(reviews.filter(status=Status.PENDING).values_list("pk", flat=True))
    found += reviews.filter(status=Status.COMPLETED).reverse().values_list("pk", flat=True)[:1]
    return seeded.person, [str(pk) for pk in found]


def seed(person: "User") -> list[str]:
    """Returns the ids of the reviews, the oldest first."""
    from django.utils import timezone

    from accounts.ids import uuid7
    from inbox.models import Channel, Message, Sender
    from reviews.models import ReviewRequest, Status

    chance, now = random.Random(1), timezone.now()  # noqa: S311  # the same data every time
    workspace = person.memberships.get().workspace
    channels = [
        Channel.objects.create(workspace=workspace, name=f"Agent {number}")
        for number in range(CHANNELS)
    ]
    messages, reviews = [], []
    for number in range(REVIEWS):
        at = now - timedelta(seconds=20 * (REVIEWS - number))
        channel = chance.choice(channels)
        message = Message(
            id=uuid7(at),
            workspace=workspace,
            channel=channel,
            sender=Sender.AGENT,
            text="# " + " ".join(chance.choices(WORDS, k=6)) + "\n\n" + " ".join(WORDS * 8),
            metadata_json='{"Error rate": "0.04 %", "Commits": 14}',
            created_at=at,
        )
        closed = number % 2
        review = ReviewRequest(
            message=message,
            workspace=workspace,
            channel=channel,
            kind="approval",
            payload_json='{"allowComment": true}',
            expires_at=now + timedelta(hours=20),
            created_at=at,
            status=Status.COMPLETED if closed else Status.PENDING,
            response_json='{"selectedOption": "approve"}' if closed else None,
            decided_at=at if closed else None,
            decided_by=person if closed else None,
            decided_via="page" if closed else "",
        )
        messages.append(message)
        reviews.append(review)
    Message.objects.bulk_create(messages, batch_size=BATCH)
    ReviewRequest.objects.bulk_create(reviews, batch_size=BATCH)
    return [str(message.pk) for message in messages]


def log_calls(person: "User") -> None:
    """A month of an agent's calls."""
    from django.utils import timezone

    from accounts.ids import uuid7
    from api.models import Call

    chance, now = random.Random(1), timezone.now()  # noqa: S311  # the same data every time
    workspace, key, step = person.memberships.get().workspace, uuid7(now), timedelta(days=30)
    calls = []
    for number in range(LOGGED):
        at = now - step * (LOGGED - number) / LOGGED
        call = Call(
            id=uuid7(at),
            workspace=workspace,
            key_id=key,
            key_prefix="hp_bench",
            method="GET",
            route="/api/v1/reviews/{id}",
            path="/api/v1/reviews/1",
            status=chance.choice((200, 200, 200, 201, 404, 500)),
            duration_ms=int(chance.expovariate(1 / 20)),
            request_bytes=0,
            address="127.0.0.1",
            created_at=at,
        )
        calls.append(call)
    Call.objects.bulk_create(calls, batch_size=BATCH)


def log_attempts(person: "User") -> None:
    """A month of answers on their way to an agent; every tenth needed a second attempt."""
    from django.utils import timezone

    from accounts.ids import uuid7
    from delivery.models import Attempt, Delivery, Event, Lane, State

    now, step = timezone.now(), timedelta(days=30) / REVIEWS
    workspace = person.memberships.get().workspace
    lane = Lane.objects.create(workspace=workspace, origin="https://agent.example", slot=0)
    events, deliveries, attempts = [], [], []
    for number in range(REVIEWS):
        at = now - step * (REVIEWS - number)
        event = Event(
            workspace=workspace,
            type="review:responded",
            reference=str(number),
            scope="bench",
            once_key=f"bench:{number}",
            body='{"event":"review:responded"}',
            created_at=at,
        )
        delivery = Delivery(
            id=uuid7(at),
            event=event,
            lane=lane,
            url="https://agent.example/hook?token=x",
            signing_scope="bench",
            target_key="bench",
            state=State.DELIVERED,
            give_up_at=now,
            created_at=at,
        )
        events.append(event)
        deliveries.append(delivery)
        attempts += [
            Attempt(
                delivery=delivery,
                number=attempt,
                token=delivery.pk,
                started_at=at,
                ended_at=at,
                http_status=200,
                duration_ms=20,
            )
            for attempt in range(1, 2 + (number % 10 == 0))
        ]
    Event.objects.bulk_create(events, batch_size=BATCH)
    Delivery.objects.bulk_create(deliveries, batch_size=BATCH)
    Attempt.objects.bulk_create(attempts, batch_size=BATCH)


def analyze() -> None:
    """PostgreSQL plans by statistics that it has after a minute of any life; SQLite needs none."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def signed_in(person: "User") -> "Client":
    from django.test import Client

    browser = Client(headers={"host": "localhost"})
    browser.force_login(person)
    return browser


def paths(ids: list[str]) -> list[tuple[str, str, str]]:
    from inbox.models import Channel

    middle, channel = ids[len(ids) // 2], Channel.objects.earliest("pk")
    return [
        ("inbox, whole page", "/inbox/", ""),
        ("list", "/inbox/", LIST),
        ("list of all", "/inbox/?status=all", LIST),
        ("list of all, one channel", f"/inbox/?status=all&channel={channel.pk}", LIST),
        ("list of all, nothing found", "/inbox/?status=all&q=elephant", LIST),
        ("list, done", "/inbox/?status=done", LIST),
        ("list, expired", "/inbox/?status=expired", LIST),
        ("list, searched", "/inbox/?q=canary", LIST),
        ("list, nothing found", "/inbox/?q=elephant", LIST),
        ("list, page 20", f"/inbox/?cursor={middle}", LIST),
        ("detail, open", f"/inbox/{middle}/", DETAIL),
        ("detail, done", f"/inbox/{ids[-1]}/", DETAIL),
        ("row", f"/inbox/{middle}/row/", ""),
        ("news", f"/inbox/?since={middle}", NEWS),
        ("counts", "/ui/counts/", ""),
        ("conversation", f"/channels/{channel.pk}/", DETAIL),
        ("conversation, whole page", f"/channels/{channel.pk}/", ""),
        ("channels", "/channels/", ""),
        ("calls, both directions", "/activity/?show=calls&span=week", DETAIL),
        ("calls, to agents", "/activity/?show=calls&span=week&direction=outbound", DETAIL),
        ("calls, whole page", "/activity/?show=calls", ""),
        ("health, a day", "/activity/health/?period=day", ""),
        ("health, a month", "/activity/health/?period=month", ""),
    ]


@dataclass(frozen=True)
class Cost:
    """Milliseconds, those of them that this process worked, statements, and kilobytes gzipped."""

    p50: float
    p95: float
    worked: float
    statements: int
    size: float


def measure(browser: "Client", path: str, target: str) -> Cost:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    headers = {"HX-Request": "true", "HX-Target": target} if target else {}
    with CaptureQueriesContext(connection) as captured:
        answer: Any = browser.get(path, headers=headers)
    statements = len(captured)
    if answer.status_code != OK:
        raise SystemExit(f"{path}: {answer.status_code}")
    worked = time.process_time()
    taken = sorted(_timed(browser, path, headers) for _ in range(CALLS))
    worked = (time.process_time() - worked) / CALLS * 1000
    p50, p95 = (taken[CALLS * share // 100] * 1000 for share in (50, 95))
    return Cost(p50, p95, worked, statements, len(gzip.compress(answer.content, 6)) / 1024)


def _timed(browser: "Client", path: str, headers: dict[str, str]) -> float:
    started = time.perf_counter()
    browser.get(path, headers=headers)
    return time.perf_counter() - started


def first_load(browser: "Client", tell: Callable[[str], object] = str) -> float:
    """Kilobytes of the page, its stylesheet, its scripts with what they import, and its icons.

    Told are the parts, and what app.js loads when all of that is there.
    """
    from django.contrib.staticfiles import finders

    page = browser.get("/inbox/").content
    wanted = set(re.findall(r'(?:href|src)="/static/([^"#]+)', page.decode()))
    sizes = {"page": len(gzip.compress(page, 9))}
    while missing := wanted - sizes.keys():
        for name in missing:
            content = Path(str(finders.find(name))).read_bytes()
            sizes[name] = len(gzip.compress(content, 9))
            if name.startswith("js/"):
                wanted |= {f"js/{each}" for each in IMPORTED.findall(content.decode())}
    for name, size in sorted(sizes.items(), key=lambda each: -each[1]):
        tell(f"  {name}: {size / 1024:.1f} KB")
    own = sum(size for name, size in sizes.items() if name.startswith("js/"))
    tell(f"first load: {sum(sizes.values()) / 1024:.1f} KB gzip, own modules {own / 1024:.1f} KB")
    app = Path(str(finders.find("js/app.js")))
    for name in LATER.findall(app.read_text()):
        size = len(gzip.compress((app.parent / name).read_bytes(), 9))
        tell(f"  afterwards, js/{name}: {size / 1024:.1f} KB")
    return sum(sizes.values()) / 1024


if __name__ == "__main__":
    main()
