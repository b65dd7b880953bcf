"""Messages that came from elsewhere, as the pages tell whose they are."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from inbox.models import Channel, DeliveryStatus, Message, Sender
from inbox.services.messages import Draft, Origin
from inbox.services.threads import Room, post_in_new_thread, post_in_room
from tests.factories import make_channel, make_message, make_review
from tests.web.test_conversation import message_of, path

GENERAL = Room("discord", "room-1", "general")


def heard(
    channel: Channel, text: str = "Hi", *, room: Room = GENERAL, name: str = "Kim", **more: Any
) -> Message:
    """What a bridge brought from a room of another platform."""
    origin = Origin(room.source, more.pop("source_id", None), more.pop("author", "u-1"), name)
    return post_in_room(
        channel=channel,
        room=room,
        sender=Sender.USER,
        draft=Draft(text=text, origin=origin, **more),
        now=timezone.now(),
    ).message


def noted(channel: Channel, text: str) -> Message:
    return post_in_new_thread(
        channel=channel,
        source="conversation",
        sender=Sender.SYSTEM,
        draft=Draft(text=text, origin=Origin("conversation")),
        now=timezone.now(),
    ).message


def words_of(page: str) -> str:
    """What is read, without the marks around it."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_foreign_author_is_named_with_the_platform(browser: Client, channel: Channel) -> None:
    text = message_of(browser, heard(channel))
    assert "Kim · Discord" in words_of(text)
    assert "#i-chats" in text


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("telegram", "Telegram"),
        ("twitter", "Twitter"),
        ("eliza_gui", "Web"),
        ("web", "Web"),
        ("conversation", "Conversation"),
        ("slack-bridge", "slack-bridge"),
        ("a<b>\u202e", "a&lt;b&gt;"),
    ],
)
def test_platform_is_called_by_its_name_or_as_its_bridge_calls_it(
    browser: Client, channel: Channel, source: str, said: str
) -> None:
    text = message_of(browser, make_message(channel, sender=Sender.USER, origin=Origin(source)))
    assert f"Somebody · {said}" in words_of(text)
    assert "<b>\u202e" not in text


@pytest.mark.parametrize(
    ("author", "shown"),
    [("4711", "4711"), ("5f0c2f6e-9d2b-4b44-8c6e-0a8fbe3f9b55", "5f0c2f6e…"), ("", "Somebody")],
)
def test_author_without_a_name_is_told_by_the_id(
    browser: Client, channel: Channel, author: str, shown: str
) -> None:
    text = words_of(message_of(browser, heard(channel, name=" ", author=author)))
    assert f"{shown} · Discord" in text
    assert author[9:] in ("", text) or author[9:] not in text


def test_foreign_author_with_a_colleagues_name_does_not_look_like_the_colleague(
    browser: Client, channel: Channel, person: User
) -> None:
    theirs = message_of(browser, heard(channel, name=person.name, author=str(person.pk)))
    ours = message_of(browser, make_message(channel, sender=Sender.USER, author=person))
    assert 'class="msg foreign"' in theirs
    assert "mine" not in theirs
    assert f"{person.name} · Discord" in words_of(theirs)
    assert 'class="av"' in theirs, "no letters and no colour of anybody"
    assert 'class="msg mine"' in ours
    assert "Discord" not in words_of(ours)


def test_foreign_author_with_the_agents_name_does_not_look_like_the_agent(
    browser: Client, channel: Channel
) -> None:
    theirs = message_of(browser, heard(channel, name=channel.name))
    agents = message_of(browser, make_message(channel))
    assert f"{channel.name} · Discord" in words_of(theirs)
    assert ">AT</span>" in agents
    assert ">AT</span>" not in theirs


def test_words_of_a_person_who_left_stay_on_our_side(
    browser: Client, channel: Channel, person: User
) -> None:
    message = make_message(channel, sender=Sender.USER, author=person)
    Message.objects.update(author=None)
    assert 'class="msg mine"' in message_of(browser, message)


def test_agent_that_speaks_through_another_wire_is_the_agent(
    browser: Client, channel: Channel
) -> None:
    message = make_message(channel, origin=Origin("conversation", author="agt_1", author_name="X"))
    assert words_of(message_of(browser, message)).startswith("AT Atlas · Conversation")


def test_what_hides_in_a_foreign_name_is_shown(browser: Client, channel: Channel) -> None:
    text = message_of(browser, heard(channel, "a\u202eb", name="K\u202eim <i>"))
    assert text.count("U+202E") == 2
    assert "&lt;i&gt;" in text


def test_foreign_names_share_a_header_only_with_themselves(
    browser: Client, channel: Channel
) -> None:
    first, again = heard(channel), heard(channel)
    other_name = heard(channel, name="Lee")
    other_id = heard(channel, name="Lee", author="u-2")
    other_room = heard(channel, name="Lee", author="u-2", room=Room("telegram", "chat"))
    assert 'class="msg foreign"' in message_of(browser, first)
    assert 'class="msg foreign joined"' in message_of(browser, again)
    for message in (other_name, other_id, other_room):
        assert 'class="msg foreign"' in message_of(browser, message)


def test_agent_in_another_thread_has_its_own_header(browser: Client, channel: Channel) -> None:
    first, second = heard(channel), heard(channel, room=Room("telegram", "chat"))
    replies = [make_message(channel, reply_to=asked) for asked in (first, second)]
    assert "joined" not in message_of(browser, replies[1])


def test_quote_of_a_foreign_message_says_from_where(browser: Client, channel: Channel) -> None:
    answer = make_message(channel, reply_to=heard(channel, "Which one?"))
    assert "Kim · Discord Which one?" in words_of(message_of(browser, answer))


def test_note_of_the_system_is_nobodys_words(browser: Client, channel: Channel) -> None:
    note = noted(channel, "Kim *joined* <b>")
    after = make_message(channel, thread=note.thread, reply_to=note)
    text = message_of(browser, note)
    assert 'class="msg note"' in text
    assert "Kim joined &lt;b&gt; Note" in words_of(text)
    assert 'class="av' not in text
    assert "?reply=" not in text
    assert "joined" not in message_of(browser, after).partition(">")[0]
    assert "Note Kim joined" in words_of(message_of(browser, after))


@pytest.mark.parametrize(
    ("status", "said"), [(DeliveryStatus.SENT, ""), (DeliveryStatus.ACKNOWLEDGED, "Received")]
)
def test_delivery_of_a_foreign_message_is_told_once_there_is_one(
    browser: Client, channel: Channel, status: DeliveryStatus, said: str
) -> None:
    message = heard(channel)
    Message.objects.update(delivery_status=status)
    text = message_of(browser, message)
    assert ('class="foot"' in text) is bool(said)
    assert said in text


def test_list_of_channels_names_the_foreign_author(browser: Client, channel: Channel) -> None:
    heard(channel, "All quiet", name="Kim \u202e")
    heard(make_channel(channel.workspace), "Hello", name="", author="u-7")
    noted(make_channel(channel.workspace), "Lee left")
    text = words_of(browser.get("/channels/").content.decode())
    assert "Kim ␣U+202E : All quiet" in text
    assert "u-7: Hello" in text
    assert "Note: Lee left" in text


def test_search_says_who_wrote_elsewhere(browser: Client, channel: Channel, person: User) -> None:
    heard(channel, "The invoice is wrong")
    make_message(channel, sender=Sender.USER, author=person, text="Which invoice?")
    noted(channel, "An invoice was added")
    text = words_of(browser.get("/search/?q=invoice").content.decode())
    assert text.count("Atlas · Kim · Discord") == 1
    assert text.count("Atlas · Note") == 1
    assert person.name not in text.partition("Messages")[2]


def test_review_in_a_thread_leads_to_it(browser: Client, channel: Channel) -> None:
    asked = heard(channel)
    review = make_review(channel=channel, thread=asked.thread)
    text = browser.get(f"/inbox/{review.pk}/").content.decode()
    assert f'href="{path(channel)}?thread={asked.thread_id}"' in text
    assert "general · Discord" in words_of(text)
