"""The conversation with an agent."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from inbox.models import Channel, Message, Sender
from tests.factories import make_channel, make_message, make_review


def path(channel: Channel) -> str:
    return f"/channels/{channel.pk}/"


def write(browser: Client, channel: Channel, text: str) -> int:
    return browser.post(f"{path(channel)}messages/", {"text": text}).status_code


def test_messages_stand_oldest_first_with_days(
    browser: Client, channel: Channel, person: User, now: datetime
) -> None:
    make_message(channel, now=now - timedelta(days=2), text="First", status="warning")
    make_message(channel, now=now, sender=Sender.USER, author=person, text="Second")
    page = browser.get(path(channel)).content.decode()
    assert page.index("First</p>") < page.index("Second</p>")
    assert page.count('class="day"') == 2
    assert "Warning" in page
    assert "msg mine" in page


def test_pages_reach_back(browser: Client, channel: Channel, now: datetime) -> None:
    for number in range(51):
        make_message(channel, now=now - timedelta(seconds=60 - number), text=f"M{number}.")
    latest = browser.get(path(channel))
    assert b"M50." in latest.content
    assert b"M0." not in latest.content
    earlier = browser.get(f"{path(channel)}?before={latest.context['log'].earlier}")
    assert b"M0." in earlier.content
    assert b"Latest messages" in earlier.content
    assert browser.get(f"{path(channel)}?before=x").status_code == 404


def test_reviews_are_linked_with_their_state(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel, text="Deploy?")
    page = browser.get(path(channel)).content.decode()
    assert page.count(f'href="/inbox/{review.pk}/"') == 2, "in the bar and in the conversation"
    assert "Pending" in page


def test_person_writes_a_message(browser: Client, channel: Channel, person: User) -> None:
    assert write(browser, channel, "Hello\r\nthere") == 303
    message = Message.objects.get()
    assert (message.text, message.sender, message.author) == ("Hello\nthere", "user", person)


def test_twenty_thousand_characters_fit(browser: Client, channel: Channel) -> None:
    assert write(browser, channel, "\r\n".join(["a"] * 10_000) + "b") == 303


@pytest.mark.parametrize("text", ["", " \r\n ", "a\0b", "a" * 20_001])
def test_what_is_no_message_is_refused(browser: Client, channel: Channel, text: str) -> None:
    assert write(browser, channel, text) == 422
    assert not Message.objects.exists()


def test_list_shows_the_latest_activity_first(
    browser: Client, channel: Channel, now: datetime
) -> None:
    busy = make_channel(channel.workspace, name="Ledger")
    make_message(channel, now=now - timedelta(hours=1), text="Older words")
    make_review(channel=busy, text="Pay?")
    page = browser.get("/channels/").content.decode()
    stage = page[page.index("<main") :]
    assert stage.index("Pay?") < stage.index("Older words")
    assert "1 review open" in stage


def test_workspace_without_channels_says_so(browser: Client) -> None:
    assert b"No channels yet" in browser.get("/channels/").content


def test_form_sent_twice_is_one_message(browser: Client, channel: Channel) -> None:
    form = {"text": "Ship it", "client_id": "rendering-1"}
    for _ in range(2):
        assert browser.post(f"{path(channel)}messages/", form).status_code == 303
    assert Message.objects.count() == 1
