"""No statement reads more than what it shows, however much a year has left behind.

The tables are seeded with 200,000 messages, distributed as a million would be (GROWTH_MESSAGES
changes that), and PostgreSQL has looked at them as it does by itself. Judged is what a statement
does, not how long it takes: a sequential scan of a table with more than LARGE rows fails, and so
does every scan or sort that takes more than that in its hands. That bound does not grow with the
seed.
"""

import os
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from bench.seed import Seeded, seed
from tests.growth.plans import explained
from tests.growth.scene import Scene, build_scene
from tests.growth.walks import PAGES, POSTS, WALKS, Walk

MESSAGES = int(os.environ.get("GROWTH_MESSAGES", "200000"))
MOST = 2000
LARGE = 5000  # rows of a table: fewer are read from end to end in no time
NEVER = 10**9

# What takes more in its hands, how much at most, and why. Seeded, so not for ever: a number is
# the bound of something else than the age of the data, NEVER means that it still grows.
KNOWN = {
    "GET /channels/": (5000, "up to 100 open reviews are counted for each of 41 agents"),
    "/channels/{channel}/delivery/": (5000, "the list of channels stands beside it"),
    "/channels/{channel}/settings/": (5000, "the list of channels stands beside it"),
    "GET /activity/": (20_000, "a week of the installation's deliveries and attempts"),
    "show=calls": (NEVER, "attempts have no workspace of their own: those of all are looked at"),
    "health/": (NEVER, "figures of a period count what happened in it"),
    "people listLogs": (NEVER, "attempts have no workspace of their own"),
    "GET /api/logs": (NEVER, "attempts have no workspace of their own"),
    "people listAgentsAsPerson": (6000, "up to 100 unread messages are counted for each agent"),
    "agents listFiles": (20_000, "1,000 files, newest first, without pages: Placet's wire"),
    "agents GET /api/v1/files": (20_000, "1,000 files, newest first, without pages: Placet's wire"),
    "agents listPendingReviews": (NEVER, "all that are open, without pages: Placet's wire"),
    "agents GET /api/v1/reviews/pending": (NEVER, "all that are open: Placet's wire"),
    "getFigures": (NEVER, "exact totals of everything, as Placet's dashboard asks for them"),
    "getAgentFigures": (NEVER, "exact totals of everything"),
    "GET /api/agents/{channel}/stats": (NEVER, "exact totals of everything"),
    "eleteAgent": (NEVER, "an agent goes with all that it ever said"),
    "q=canary": (NEVER, "a search reads texts, see docs/scaling.md"),
    "search=canary": (NEVER, "a search reads texts, see docs/scaling.md"),
    "has_attachments=true": (20_000, "messages are looked at until 50 have files"),
    "tick: forget calls": (NEVER, "once a minute, up to API_LOG_MOST index entries a workspace"),
    "tick: tell devices": (5000, "up to 50 notifications are followed on each device"),
    "POST /settings/sessions/end-others/": (NEVER, "sessions of two weeks"),
}

pytestmark = [
    pytest.mark.growth,
    pytest.mark.django_db,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="plans are PostgreSQL's"),
]


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Seeded]:
    with django_db_blocker.unblock():
        yield seed(messages=MESSAGES, pending=MESSAGES // 20)


@pytest.fixture(scope="module", params=["large", "small"])
def scene(
    request: pytest.FixtureRequest, seeded: Seeded, django_db_blocker: DjangoDbBlocker
) -> Iterator[Scene]:
    """One transaction for all walks of a workspace; it is taken back at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_scene(seeded, request.param)
        transaction.set_rollback(True)


def allowed(walk: Walk) -> int:
    return max((most for words, (most, _why) in KNOWN.items() if words in walk.name), default=MOST)


@pytest.mark.parametrize("walk", WALKS, ids=str)
def test_statement_takes_no_more_rows_than_it_shows(scene: Scene, walk: Walk) -> None:
    walk.prepare(scene)
    with explained() as plans:
        answer = walk.call(scene)
    status = getattr(answer, "status_code", 200)
    assert status < 500 or "waitForReview" in walk.name
    if allowed(walk) < NEVER:
        assert not plans.faults(most=allowed(walk), large_from=LARGE)


def test_every_exception_is_one() -> None:
    for words in KNOWN:
        assert any(words in walk.name for walk in WALKS), words


# Addresses of pages that touch none of the large tables beyond what every page does.
APART = {
    "home", "sign-in", "sign-out", "shortcuts", "settings", "settings-profile",
    "settings-password", "end-session", "sign-out-everywhere", "settings-appearance",
    "settings-shortcuts", "rotate-key", "revoke-key", "invite", "member", "remove-member",
    "withdraw-invitation", "switch-workspace", "invitation", "channel-webhook", "plugin-frame",
    "plugin-icon", "plugin-fetch", "plugin-settings", "manifest", "service-worker", "offline",
    "push-subscribe", "push-unsubscribe", "push-titles", "push-test", "secrets", "rotate-secret",
    # The documented call of people's API does the same.
    "delete-channel",
    # Stores a drawing; its statements are those of files.
    "annotate",
}  # fmt: skip


def web_addresses() -> Iterator[URLPattern]:
    for each in get_resolver("web.urls").url_patterns:
        assert isinstance(each, URLPattern | URLResolver)
        if isinstance(each, URLPattern):
            yield each


def test_every_page_is_walked() -> None:
    """A page that is added has to be walked, or to be named with those that need it not."""
    shapes = [path.partition("?")[0].strip("/").split("/") for path, _ in [*PAGES, *POSTS]]
    shapes.append(["inbox", "{pending}", "respond"])
    for address in web_addresses():
        parts = str(address.pattern).strip("/").split("/")
        walked = any(_same(parts, shape) for shape in shapes)
        assert walked or address.name in APART, f"walk {address.pattern}"


def _same(parts: list[str], shape: list[str]) -> bool:
    places = [
        part.startswith("<") or part == step for part, step in zip(parts, shape, strict=False)
    ]
    return len(parts) == len(shape) and all(places)
