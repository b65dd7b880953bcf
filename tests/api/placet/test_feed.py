"""The feed of events: what webhooks said, in one order, from wherever the reader was."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from delivery import feed
from delivery.engine import deliver_due
from delivery.models import Event, FeedHead
from delivery.retention import clean_up
from inbox.models import Channel, Sender
from inbox.services.channels import Webhook, set_webhook
from reviews.models import Closer
from reviews.services import Answer, answer_review, expire_due
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent
from tests.factories import make_channel, make_message, make_review, make_workspace
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db

EVENTS = "/api/v1/events"


def decide(channel: Channel, person: User, count: int = 1) -> None:
    answer = Answer(response={"selectedOption": "approve"}, by=person, via=Closer.PAGE)
    for _ in range(count):
        answer_review(make_review(channel=channel), answer=answer)


def read(agent: Agent, **query: object) -> Any:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    answer = agent.get(f"{EVENTS}?{text}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def pages(agent: Agent, **query: object) -> Iterator[Any]:
    """Read on until the feed says that there is no more."""
    page = read(agent, **query)
    yield page
    while page["hasMore"]:
        page = read(agent, **query, after=page["cursor"])
        yield page


def ids(page: Any) -> list[str]:
    return [event["id"] for event in page["events"]]


def test_feed_says_what_webhooks_said_and_what_nobody_was_told(
    agent: Agent, channel: Channel, person: User, receiver: Receiver
) -> None:
    make_review(channel=channel, expires_in=timedelta(seconds=-1))
    expire_due(limit=1)
    set_webhook(channel, webhook=Webhook(url=receiver.url))
    decide(channel, person)
    make_message(channel, sender=Sender.USER, author=person, text="ship it")
    deliver_due()
    page = read(agent)
    types = [event["type"] for event in page["events"]]
    assert types == ["review:expired", "review:responded", "message:created"]
    assert {event["channelId"] for event in page["events"]} == {str(channel.pk)}
    said = {request.event_id: request.body for request in receiver.received}
    assert list(said) == ids(page)[1:]
    raw = agent.get(EVENTS).content
    for body in said.values():
        assert b'"data":' + body + b"}" in raw, "the bytes that the webhook got"


def test_empty_feed_has_a_cursor_to_begin_with(
    agent: Agent, channel: Channel, person: User
) -> None:
    empty = read(agent)
    assert (empty["events"], empty["hasMore"]) == ([], False)
    decide(channel, person)
    assert len(read(agent, after=empty["cursor"])["events"]) == 1


def test_pages_hold_each_event_once_and_in_order(
    agent: Agent, channel: Channel, person: User
) -> None:
    decide(channel, person, 7)
    found = list(pages(agent, limit=3))
    assert [len(page["events"]) for page in found] == [3, 3, 1]
    in_order = [event for page in found for event in ids(page)]
    assert in_order == sorted(in_order) == ids(read(agent))
    last = found[-1]["cursor"]
    assert read(agent, after=last) == {"events": [], "cursor": last, "hasMore": False}
    decide(channel, person)
    (later,) = ids(read(agent, after=last))
    assert later not in in_order


def test_page_that_ends_at_the_head_has_no_more(
    agent: Agent, channel: Channel, person: User
) -> None:
    decide(channel, person, 3)
    assert read(agent, limit=3)["hasMore"] is False


def test_limit_is_50_unless_told_and_100_at_most(agent: Agent, channel: Channel) -> None:
    write_events(channel, 101)
    assert len(read(agent)["events"]) == 50
    assert len(read(agent, limit=1000)["events"]) == 100
    for bad in ("0", "-1", "x", ""):
        assert_refused(agent.get(f"{EVENTS}?limit={bad}"), 400)


def write_events(channel: Channel, count: int) -> None:
    Event.objects.bulk_create(
        Event(
            workspace=channel.workspace,
            type="review:responded",
            reference=str(number),
            scope=str(channel.pk),
            once_key=f"{channel.pk}:{number}",
            body="{}",
        )
        for number in range(count)
    )


def test_channel_shows_its_own_events_only_and_passes_the_others_once(
    agent: Agent, channel: Channel, person: User
) -> None:
    other = make_channel(channel.workspace)
    decide(channel, person)
    decide(other, person, 3)
    decide(channel, person)
    decide(other, person)
    found = list(pages(agent, channel=channel.pk, limit=1))
    assert [event["channelId"] for page in found for event in page["events"]] == [
        str(channel.pk),
        str(channel.pk),
    ]
    assert found[-1]["cursor"] == read(agent)["cursor"], "behind the others' events, too"


def test_one_call_orders_a_batch_and_says_that_more_waits(
    agent: Agent, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH", 4)
    write_events(channel, 10)
    found = list(pages(agent))
    assert [len(page["events"]) for page in found] == [4, 4, 2]
    assert FeedHead.objects.get().position == 10


def test_quiet_channel_learns_that_more_waits_before_its_events_have_places(
    agent: Agent, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH", 4)
    write_events(make_channel(channel.workspace), 6)
    write_events(channel, 1)
    found = list(pages(agent, channel=channel.pk))
    assert [len(page["events"]) for page in found] == [0, 1]


def test_erased_event_keeps_its_place_without_its_data(
    agent: Agent, channel: Channel, person: User
) -> None:
    decide(channel, person, 2)
    (old, _) = ids(read(agent))
    Event.objects.filter(pk=old).update(created_at=timezone.now() - timedelta(days=29))
    clean_up()
    assert read(agent)["events"][0]["data"] is not None, "kept for 30 days"
    Event.objects.filter(pk=old).update(created_at=timezone.now() - timedelta(days=31))
    clean_up()
    erased, kept = read(agent)["events"]
    assert (erased["id"], erased["data"]) == (old, None)
    assert kept["data"]["event"] == "review:responded"


def test_events_of_a_deleted_channel_stay(agent: Agent, channel: Channel, person: User) -> None:
    decide(channel, person)
    agent.delete(f"/api/v1/agents/{channel.pk}")
    assert len(read(agent)["events"]) == 1


class TestCursors:
    """Only a cursor of this feed, and of its past, is one."""

    @pytest.mark.parametrize(
        "cursor",
        ["", "x", "0", "-1", "7", "%00", "1-", "-", "g-1", "0-zzzz", "9" * 400, "\uff11-x"],
    )
    def test_invented_cursor_is_a_400_that_says_what_to_do(self, agent: Agent, cursor: str) -> None:
        refused = assert_refused(agent.get(f"{EVENTS}?after={cursor}"), 400)
        assert refused["errors"][0]["path"] == ["after"]
        assert "leave it out" in refused["errors"][0]["message"]

    def test_cursor_of_another_workspace_is_a_400(
        self, agent: Agent, stranger: Agent, channel: Channel, person: User
    ) -> None:
        decide(channel, person, 2)
        theirs = read(agent)["cursor"]
        assert_refused(stranger.get(f"{EVENTS}?after={theirs}"), 400)

    def test_cursor_ahead_of_the_feed_is_a_400_that_explains_it(
        self, agent: Agent, channel: Channel, person: User
    ) -> None:
        decide(channel, person, 2)
        ahead = read(agent)["cursor"]
        FeedHead.objects.update(position=1)
        refused = assert_refused(agent.get(f"{EVENTS}?after={ahead}"), 400)
        assert "older copy" in refused["errors"][0]["message"]

    def test_cursor_given_twice_is_a_400(self, agent: Agent) -> None:
        assert_refused(agent.get(f"{EVENTS}?after=a&after=a"), 400)


def test_foreign_events_and_channels_stay_foreign(
    agent: Agent, stranger: Agent, channel: Channel, person: User
) -> None:
    decide(channel, person)
    assert len(read(agent)["events"]) == 1
    assert read(stranger)["events"] == []
    foreign = make_channel(make_workspace("Elsewhere"))
    refused = assert_refused(agent.get(f"{EVENTS}?channel={foreign.pk}"), 403)
    assert refused["message"] == "Not your agent"


def statements(agent: Agent, **query: object) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        read(agent, **query)
    return [query["sql"] for query in captured.captured_queries]


def test_nothing_new_costs_neither_a_write_nor_a_lock(
    agent: Agent, channel: Channel, person: User
) -> None:
    write_events(channel, 60)
    cursor = read(agent)["cursor"]
    for query in ({}, {"after": cursor}, {"limit": 100}):
        asked = statements(agent, **query)
        assert len(asked) == 3, "something new?, the head, the page"
        assert all(sql.startswith("SELECT") and "FOR UPDATE" not in sql for sql in asked)
    assert len(statements(agent, channel=channel.pk)) == 4


def test_new_events_cost_a_few_statements_more_however_many(agent: Agent, channel: Channel) -> None:
    read(agent)
    write_events(channel, 1)
    first = statements(agent)
    write_events(make_channel(channel.workspace), 150)
    assert len(statements(agent)) == len(first) - 2, "to make the head, and to lock it then"
