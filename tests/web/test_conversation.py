"""Parts of a conversation, as pages fetch them when something happened."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from inbox.models import Channel, DeliveryStatus, Message, Sender, StreamState
from inbox.services.channels import set_commands
from inbox.services.messages import acknowledge, delete_message
from inbox.services.streams import note_step
from tests.factories import make_channel, make_message, make_review
from tests.receiver import Receiver
from tests.web.test_fragments import asking_for
from tests.web.test_query_counts import statements

# Who is signed in costs three: the session, the user, and the membership with its workspace.
SIGNED_IN = 3
MOST_STATEMENTS = SIGNED_IN + 6

PARTS = ["head", "pending", "log-items", "earlier", "log-tail", "unseen", "quote", "offered"]


def path(channel: Channel) -> str:
    return f"/channels/{channel.pk}/"


def part(browser: Client, channel: Channel, wanted: str, query: str = "") -> str:
    answer = browser.get(path(channel) + query, headers=asking_for(f"div#{wanted}"))
    assert answer.status_code == 200
    assert b"<html" not in answer.content
    return str(answer.content.decode())


def message_of(browser: Client, message: Message, query: str = "") -> str:
    answer = browser.get(f"/messages/{message.pk}/{query}", headers=asking_for("div#m"))
    assert answer.status_code == 200
    return str(answer.content.decode())


def said_one_after_the_other(channel: Channel, now: datetime, count: int) -> list[Message]:
    start = now - timedelta(seconds=count)
    return [
        make_message(channel, now=start + timedelta(seconds=number), text=f"M{number}.")
        for number in range(count)
    ]


def test_conversation_comes_alone_with_its_title(browser: Client, channel: Channel) -> None:
    text = browser.get(path(channel), headers=asking_for("section#detail")).content.decode()
    assert text.startswith("<title>Atlas · Channels")
    assert "data-open" in text
    assert 'id="channel-list"' not in text


def test_list_comes_alone_and_so_does_a_row(browser: Client, channel: Channel) -> None:
    text = browser.get("/channels/", headers=asking_for("section#channel-list")).content.decode()
    assert f'id="channel-{channel.pk}"' in text
    assert 'id="detail"' not in text
    make_review(channel=channel, text="Deploy?")
    row = part(browser, channel, f"channel-{channel.pk}")
    assert row.startswith(f'<li id="channel-{channel.pk}"')
    assert "1 review open" in row


def test_empty_detail_comes_alone(browser: Client, channel: Channel) -> None:
    text = browser.get("/channels/", headers=asking_for("article#detail")).content.decode()
    assert "Choose a channel" in text
    assert "data-open" not in text


@pytest.mark.parametrize("wanted", PARTS)
def test_outsider_gets_no_part(outsider: Client, channel: Channel, wanted: str) -> None:
    make_message(channel)
    assert outsider.get(path(channel), headers=asking_for(f"div#{wanted}")).status_code == 404


def test_head_and_bar_come_alone(browser: Client, channel: Channel) -> None:
    review = make_review(channel=channel, text="Deploy?")
    assert f'href="/inbox/{review.pk}/"' in part(browser, channel, "pending")
    assert "<h2" in part(browser, channel, "head")
    assert "<nav" not in part(browser, make_channel(channel.workspace), "pending")


def test_tail_begins_after_the_last_message_shown(
    browser: Client, channel: Channel, now: datetime
) -> None:
    first, second = said_one_after_the_other(channel, now, 2)
    text = part(browser, channel, "log-tail", f"?after={first.pk}")
    assert f'id="m-{second.pk}"' in text
    assert f'id="m-{first.pk}"' not in text
    assert "joined" in text, "the same voice a second later"
    assert 'class="day"' not in text


def test_tail_of_a_message_that_is_gone_still_joins_its_predecessor(
    browser: Client, channel: Channel, now: datetime
) -> None:
    _first, gone, last = said_one_after_the_other(channel, now, 3)
    after = gone.pk
    delete_message(gone)
    text = part(browser, channel, "log-tail", f"?after={after}")
    assert f'id="m-{last.pk}"' in text
    assert "joined" in text


def test_tail_of_another_day_begins_it(browser: Client, channel: Channel, now: datetime) -> None:
    old = make_message(channel, now=now - timedelta(days=2))
    make_message(channel, now=now)
    text = part(browser, channel, "log-tail", f"?after={old.pk}")
    assert 'class="day">Today' in text
    assert "joined" not in text


def test_unseen_messages_are_counted(browser: Client, channel: Channel, now: datetime) -> None:
    first, *_later, last = said_one_after_the_other(channel, now, 3)
    assert "2 new messages" in part(browser, channel, "unseen", f"?after={first.pk}")
    assert "new message" not in part(browser, channel, "unseen", f"?after={last.pk}")


@pytest.mark.parametrize("wanted", ["log-tail", "unseen"])
@pytest.mark.parametrize("after", ["", "x", "0"])
def test_place_that_is_no_message_id_is_not_found(
    browser: Client, channel: Channel, wanted: str, after: str
) -> None:
    query = f"{path(channel)}?after={after}"
    assert browser.get(query, headers=asking_for(f"div#{wanted}")).status_code == 404


def test_page_around_a_message_has_it_in_its_middle(
    browser: Client, channel: Channel, now: datetime
) -> None:
    said = said_one_after_the_other(channel, now, 80)
    page = browser.get(f"{path(channel)}?m={said[30].pk}")
    text, log = page.content.decode(), page.context["log"]
    assert [log.entries[0].message.text, log.entries[-1].message.text] == ["M6.", "M55."]
    assert f'marked" id="m-{said[30].pk}"' in text
    assert "Latest messages" in text
    assert "Earlier messages" in text
    latest = browser.get(f"{path(channel)}?m={said[70].pk}").content.decode()
    assert "Latest messages" not in latest


def test_place_of_a_foreign_message_is_not_found(browser: Client, channel: Channel) -> None:
    other = make_message(make_channel(channel.workspace))
    foreign = make_message()
    for message in (other, foreign):
        for name in ("m", "reply"):
            assert browser.get(f"{path(channel)}?{name}={message.pk}").status_code == 404


def test_message_comes_alone(browser: Client, channel: Channel, now: datetime) -> None:
    first, second = said_one_after_the_other(channel, now, 2)
    assert message_of(browser, second).startswith('<div class="msg joined')
    assert message_of(browser, second, "?first").startswith('<div class="msg" id=')
    assert message_of(browser, first).startswith('<div class="msg" id=')


def test_message_is_a_place_in_its_conversation(browser: Client, channel: Channel) -> None:
    message = make_message(channel)
    answer = browser.get(f"/messages/{message.pk}/")
    assert answer.status_code == 303
    assert answer["Location"] == f"{path(channel)}?m={message.pk}#m-{message.pk}"


@pytest.mark.parametrize("headers", [{}, asking_for("div#m")])
def test_outsider_gets_no_message(
    outsider: Client, channel: Channel, headers: dict[str, str]
) -> None:
    message = make_message(channel, text="Secret plan")
    assert outsider.get(f"/messages/{message.pk}/", headers=headers).status_code == 404
    assert outsider.post(f"/messages/{message.pk}/try-now/", headers=headers).status_code == 404


def test_streamed_message_shows_its_steps(browser: Client, channel: Channel, now: datetime) -> None:
    message = make_message(
        channel, text="Let me", stream_id="s", stream_state=StreamState.STREAMING
    )
    note_step(channel, stream_id="s", text="Reading\u202e <i>", tool_hint=True, now=now)
    text = message_of(browser, message)
    assert '<details class="steps-of"' in text
    assert " open><summary>1 step<" in text
    assert "U+202E" in text
    assert "<i>" not in text
    assert "Writing" in text
    assert "data-streaming" in text


@pytest.mark.parametrize(("lapsed", "said"), [(True, "went silent"), (False, "stopped writing")])
def test_cut_off_message_says_why(
    browser: Client, channel: Channel, *, lapsed: bool, said: str
) -> None:
    message = make_message(channel, stream_id="s", stream_state=StreamState.ABORTED)
    Message.objects.update(stream_lapsed=lapsed)
    text = message_of(browser, message)
    assert said in text
    assert "data-streaming" not in text


def test_answer_quotes_what_it_answers(browser: Client, channel: Channel, person: User) -> None:
    asked = make_message(channel, text="Which *supplier*?")
    answer = make_message(channel, sender=Sender.USER, author=person, reply_to=asked)
    text = message_of(browser, answer)
    assert f'href="{path(channel)}?m={asked.pk}#m-{asked.pk}"' in text
    assert "Which supplier?" in text
    delete_message(asked)
    assert "quoted" not in message_of(browser, answer)


def test_quote_for_the_composer_comes_alone(browser: Client, channel: Channel) -> None:
    asked = make_message(channel, text="Which supplier?")
    text = part(browser, channel, "quote", f"?reply={asked.pk}")
    assert f'name="reply_to" value="{asked.pk}"' in text
    assert "Which supplier?" in text
    assert "reply_to" not in part(browser, channel, "quote")
    assert (
        f'value="{asked.pk}"' in browser.get(f"{path(channel)}?reply={asked.pk}").content.decode()
    )


def test_states_of_a_delivery_are_told_apart(
    browser: Client, channel: Channel, person: User
) -> None:
    message = make_message(channel, sender=Sender.USER, author=person)
    assert "Sent" in message_of(browser, message)
    acknowledge(message)
    assert "Received by agent" in message_of(browser, message)
    Message.objects.update(delivery_status=DeliveryStatus.FAILED)
    assert "Failed" in message_of(browser, message)


@pytest.fixture
def undelivered(channel: Channel, person: User, receiver: Receiver) -> Message:
    channel.webhook_url = f"{receiver.url}/hook"
    channel.save()
    return make_message(channel, sender=Sender.USER, author=person)


def test_what_waits_can_be_tried_from_the_conversation(
    browser: Client, viewer: Client, undelivered: Message
) -> None:
    assert "Waiting to be sent" in message_of(browser, undelivered)
    assert "Try now" not in message_of(viewer, undelivered)
    place = f"/messages/{undelivered.pk}/try-now/"
    plain = browser.post(place)
    assert (plain.status_code, plain["Location"].partition("?")[0]) == (
        303,
        path(undelivered.channel),
    )
    fragment: Any = browser.post(place, headers=asking_for("div#m"))
    assert fragment.content.decode().startswith('<div class="msg mine"')
    assert b'hx-target="#toasts"' in fragment.content
    assert viewer.post(place).status_code == 403


def test_acknowledged_message_does_not_complain_of_its_webhook(
    browser: Client, undelivered: Message
) -> None:
    acknowledge(undelivered)
    text = message_of(browser, undelivered)
    assert "Received by agent" in text
    assert "Waiting" not in text


def test_viewer_may_not_write(viewer: Client, channel: Channel) -> None:
    make_message(channel)
    text = viewer.get(path(channel)).content.decode()
    assert 'id="composer"' not in text
    assert "?reply=" not in text
    assert viewer.post(f"{path(channel)}messages/", {"text": "Hello"}).status_code == 403
    assert Message.objects.count() == 1


def test_parts_are_cheap(
    browser: Client, workspace: Workspace, channel: Channel, person: User, now: datetime
) -> None:
    """The whole conversation costs twelve: it shows seven tables, and the count in the title."""
    asked = make_message(channel, stream_id="s", stream_state=StreamState.STREAMING)
    note_step(channel, stream_id="s", text="Reading", tool_hint=False, now=now)
    make_review(channel=channel)
    make_message(channel, sender=Sender.USER, author=person, reply_to=asked)
    set_commands(channel, commands=[{"command": "deploy", "description": "Deploy"}])
    for wanted in [*PARTS, f"channel-{channel.pk}"]:
        place = f"{path(channel)}?after={asked.pk}"
        assert statements(browser, place, asking_for(f"div#{wanted}")) <= MOST_STATEMENTS, wanted
    message = f"/messages/{asked.pk}/"
    assert statements(browser, message, asking_for("div#m")) <= MOST_STATEMENTS
    assert statements(browser, "/channels/", asking_for("section#channel-list")) <= MOST_STATEMENTS
    assert statements(browser, path(channel), asking_for("article#detail")) <= SIGNED_IN + 9
