"""Pages cost the same number of statements, however much they show."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from tests.factories import make_channel, make_message, make_review
from web.health import PERIODS
from web.queries import STATUSES, Filters, page_of_reviews


def statements(browser: Client, path: str, headers: dict[str, str] | None = None) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert browser.get(path, headers=headers or {}).status_code == 200
    return len(captured)


def fill(workspace: Workspace, count: int, now: datetime) -> str:
    """A channel with reviews, and as many other channels."""
    channel = make_channel(workspace)
    for number in range(count):
        moment = now - timedelta(minutes=number)
        make_review(channel=channel, now=moment, expires_in=timedelta(days=1))
        make_message(make_channel(workspace, name=f"Agent {number}"))
    return str(channel.pk)


def fragment(target: str) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target}


PAGE: dict[str, str] = {}
LIST, DETAIL = fragment("section#list"), fragment("article#detail")


@pytest.mark.parametrize(
    ("path", "headers", "most"),
    [
        ("/inbox/", PAGE, 6),
        ("/inbox/?status=all", PAGE, 6),
        ("/inbox/", LIST, 5),
        ("/inbox/?status=all", LIST, 5),
        ("/channels/", PAGE, 4),
    ],
)
def test_lists_cost_the_same_for_any_number_of_rows(
    browser: Client,
    workspace: Workspace,
    now: datetime,
    path: str,
    *,
    headers: dict[str, str],
    most: int,
) -> None:
    fill(workspace, 3, now)
    few = statements(browser, path, headers)
    fill(workspace, 27, now)
    assert statements(browser, path, headers) == few
    assert few <= most


@pytest.mark.parametrize(("headers", "most"), [(PAGE, 10), (DETAIL, 9)])
def test_conversation_costs_the_same_for_any_length(
    browser: Client, workspace: Workspace, now: datetime, headers: dict[str, str], most: int
) -> None:
    short, long = fill(workspace, 3, now), fill(workspace, 30, now)
    few = statements(browser, f"/channels/{short}/", headers)
    assert statements(browser, f"/channels/{long}/", headers) == few
    assert few <= most


def test_news_and_counts_cost_one_statement_beside_the_person(
    browser: Client, workspace: Workspace, now: datetime
) -> None:
    fill(workspace, 3, now)
    assert statements(browser, "/inbox/", fragment("div#new-bar")) == 3
    assert statements(browser, "/ui/counts/") == 3


def test_health_costs_the_same_for_every_period(browser: Client) -> None:
    costs = {statements(browser, f"/activity/health/?period={each}") for each in PERIODS}
    assert max(costs) == min(costs) <= 10


def plan_of(sql: str) -> str:
    """How the database reads; PostgreSQL as if the table were too large to sort it."""
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"{explain} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.parametrize("in_channel", [False, True])
@pytest.mark.parametrize("status", STATUSES)
def test_list_is_read_in_the_order_of_an_index(
    workspace: Workspace, person: User, status: str, *, in_channel: bool
) -> None:
    filters = Filters(status, make_channel(workspace) if in_channel else None)
    with CaptureQueriesContext(connection) as captured:
        page_of_reviews(workspace, person, filters)
    plan = plan_of(captured[0]["sql"])
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
