"""One thread of a channel at a time: what its page shows, and where a person's words go."""

import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from inbox.models import Channel, Message, Sender, Thread
from inbox.services.messages import delete_message
from inbox.services.threads import Room
from tests.factories import make_channel, make_message, make_review, make_thread
from tests.web.test_conversation import PARTS, message_of, part, path
from tests.web.test_fragments import asking_for
from tests.web.test_origins import heard, words_of
from tests.web.test_query_counts import statements

TELEGRAM = Room("telegram", "9a1e2d3c-0000-4000-8000-000000000002")


@pytest.fixture
def asked(channel: Channel) -> Message:
    """A message in a room of Discord; another one was written outside of it."""
    make_message(channel, text="Outside")
    return heard(channel, "Inside")


def within(message: Message) -> str:
    return f"?thread={message.thread_id}"


def page_of(browser: Client, message: Message, query: str = "") -> str:
    answer = browser.get(path(message.channel) + within(message) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def write(browser: Client, message: Message, *, fragment: bool = False, **fields: Any) -> Any:
    headers = asking_for("div#composer") if fragment else {}
    address = f"{path(message.channel)}messages/{within(message)}"
    return browser.post(address, {"text": "Answer"} | fields, headers=headers)


def log_of(page: str) -> str:
    return page[page.index('id="log-items"') : page.index('id="unseen"')]


def test_channel_without_threads_says_nothing_of_them(browser: Client, channel: Channel) -> None:
    make_message(channel)
    page = browser.get(path(channel)).content.decode()
    assert 'id="threads"' not in page
    assert "?thread=" not in page


def test_all_messages_show_the_way_to_their_threads(browser: Client, asked: Message) -> None:
    page = browser.get(path(asked.channel)).content.decode()
    log = log_of(page)
    assert "Outside" in log
    assert log.count(f'href="{path(asked.channel)}{within(asked)}"') == 1
    assert "general" in words_of(log)


def test_thread_is_shown_alone_with_its_name_and_a_way_back(
    browser: Client, asked: Message
) -> None:
    page = page_of(browser, asked)
    log, head = log_of(page), page[page.index('id="head"') : page.index('id="log-items"')]
    assert "Inside" in log
    assert "Outside" not in log
    assert "?thread=" in log
    assert f'href="{path(asked.channel)}{within(asked)}" hx-get' not in log, "it is there already"
    assert "general Discord" in words_of(head)
    assert re.search(rf'href="{path(asked.channel)}"[^>]*>.*?All messages', head)
    assert "<title>general · Atlas · Channels" in page


def test_threads_are_listed_by_their_latest_activity(browser: Client, channel: Channel) -> None:
    first = heard(channel)
    heard(channel, room=TELEGRAM)
    empty = make_thread(channel)
    heard(channel, "Again")
    make_thread(make_channel(channel.workspace), title="Of another channel")
    page = browser.get(path(channel)).content.decode()
    shown = re.findall(r"\?thread=([\w-]+)\"[^>]*><svg", page[: page.index('id="log-items"')])
    newest_first = Thread.objects.filter(channel=channel).order_by("-id")
    telegram = newest_first.get(source="telegram")
    assert shown == [str(each.pk) for each in (first.thread, empty, telegram) if each]
    assert "9a1e2d3c…" in page, "a room without a title"
    assert "Untitled" in page
    assert "Of another channel" not in page


def test_thread_that_is_open_is_marked_in_the_list(browser: Client, asked: Message) -> None:
    heard(asked.channel, room=TELEGRAM)
    page = page_of(browser, asked)
    marked = re.findall(r'href="[^"]*\?thread=([\w-]+)"[^>]*aria-current="true"', page)
    assert marked == [str(asked.thread_id)]


def test_thread_is_paged_within_itself(browser: Client, channel: Channel) -> None:
    messages = []
    for number in range(51):
        messages.append(heard(channel, f"In{number}."))
        make_message(channel, text=f"Out{number}.")
    page = page_of(browser, messages[0])
    assert "In50." in page
    assert "In0." not in page
    found = re.search(r'href="(\?thread=[^"]*before=[^"]*)"', page)
    assert found
    earlier = browser.get(path(channel) + found[1].replace("&amp;", "&")).content.decode()
    assert "In0." in log_of(earlier)
    assert "Out" not in log_of(earlier)
    assert f'href="{path(channel)}{within(messages[0])}"' in log_of(earlier), "latest messages"


def test_jump_stays_within_the_thread(browser: Client, asked: Message) -> None:
    outside = Message.objects.exclude(pk=asked.pk).get()
    log = log_of(page_of(browser, asked, f"&m={asked.pk}"))
    assert f'marked" id="m-{asked.pk}"' in log
    assert "Outside" not in log
    for name in ("m", "reply"):
        query = f"{within(asked)}&{name}={outside.pk}"
        assert browser.get(path(asked.channel) + query).status_code == 404


def test_tail_and_count_stay_within_the_thread(browser: Client, asked: Message) -> None:
    make_message(asked.channel, text="Outside again")
    query = f"{within(asked)}&after={asked.pk}"
    assert "msg" not in part(browser, asked.channel, "log-tail", query)
    assert "new message" not in part(browser, asked.channel, "unseen", query)
    heard(asked.channel, "Inside again")
    tail = part(browser, asked.channel, "log-tail", query)
    assert "Inside again" in tail
    assert "foreign joined" in tail, "nobody spoke between the two here"
    assert "Outside" not in tail
    assert "1 new message" in part(browser, asked.channel, "unseen", query)


def test_message_of_elsewhere_is_not_put_into_a_thread(browser: Client, asked: Message) -> None:
    outside = Message.objects.exclude(pk=asked.pk).get()
    answer = browser.get(f"/messages/{outside.pk}/{within(asked)}", headers=asking_for("div#m"))
    assert (answer.status_code, answer.content) == (204, b"")
    text = message_of(browser, asked, within(asked))
    assert f'hx-get="/messages/{asked.pk}/?thread={asked.thread_id}&amp;first"' in text
    assert f"{within(asked)}&amp;reply={asked.pk}" in text


def test_first_message_of_a_thread_that_arrives_renews_the_head(
    browser: Client, channel: Channel
) -> None:
    first = make_message(channel)
    begun = heard(channel)
    heard(channel)
    tail = asking_for("div#log-tail")
    answer = browser.get(f"{path(channel)}?after={first.pk}", headers=tail)
    assert json.loads(answer["HX-Trigger"]) == {"refresh": {"target": "#head"}}
    later = browser.get(f"{path(channel)}?after={begun.pk}", headers=tail)
    assert "HX-Trigger" not in later


def test_open_reviews_are_those_of_the_thread(browser: Client, asked: Message) -> None:
    make_review(channel=asked.channel, text="Outside?")
    make_review(channel=asked.channel, text="Inside?", thread=asked.thread)
    bar = part(browser, asked.channel, "pending", within(asked))
    assert "Inside?" in bar
    assert "Outside?" not in bar
    assert "Outside?" in part(browser, asked.channel, "pending")


def test_person_writes_into_the_thread(browser: Client, asked: Message, person: User) -> None:
    answer = write(browser, asked)
    sent = Message.objects.latest("id")
    assert (sent.thread, sent.author, sent.reply_to) == (asked.thread, person, None)
    place = f"{path(asked.channel)}{within(asked)}#m-{sent.pk}"
    assert (answer.status_code, answer["Location"]) == (303, place)


def test_reply_in_the_thread_stays_in_it(browser: Client, asked: Message) -> None:
    write(browser, asked, fragment=True, reply_to=asked.pk)
    sent = Message.objects.latest("id")
    assert (sent.thread, sent.reply_to) == (asked.thread, asked)


def test_reply_among_all_messages_goes_to_the_thread(browser: Client, asked: Message) -> None:
    fields = {"text": "Answer", "reply_to": asked.pk}
    assert browser.post(f"{path(asked.channel)}messages/", fields).status_code == 303
    assert Message.objects.latest("id").thread == asked.thread


def test_message_among_all_messages_is_in_no_thread(browser: Client, asked: Message) -> None:
    browser.post(f"{path(asked.channel)}messages/", {"text": "Hello"})
    assert Message.objects.latest("id").thread is None


def test_reply_to_what_another_thread_has_is_refused(browser: Client, asked: Message) -> None:
    elsewhere = heard(asked.channel, room=TELEGRAM)
    answer = write(browser, asked, fragment=True, reply_to=elsewhere.pk)
    assert answer.status_code == 422
    assert Message.objects.filter(text="Answer").count() == 0


def test_composer_says_where_the_words_go(browser: Client, asked: Message) -> None:
    said = "Goes to general on Discord, if its bridge carries it back"
    assert said in words_of(page_of(browser, asked))
    everything = path(asked.channel)
    assert "Goes to" not in browser.get(everything).content.decode()
    assert said in words_of(part(browser, asked.channel, "quote", f"?reply={asked.pk}"))
    sent = write(browser, asked, fragment=True)
    assert said in words_of(sent.content.decode())


def test_conversation_is_carried_nowhere(browser: Client, channel: Channel) -> None:
    thread = make_thread(channel, title="Refund")
    page = browser.get(f"{path(channel)}?thread={thread.pk}").content.decode()
    assert "Refund" in page
    assert "Goes to" not in page
    assert "Nothing was said here yet." in page


def test_draft_of_a_thread_is_its_own(browser: Client, asked: Message, person: User) -> None:
    page = page_of(browser, asked)
    assert f'data-draft="{person.pk}/{asked.channel_id}/{asked.thread_id}"' in page


def test_quote_of_what_was_deleted_leaves_the_thread(browser: Client, asked: Message) -> None:
    reply = make_message(asked.channel, reply_to=asked, text="Reply")
    delete_message(asked)
    assert "Reply" in page_of(browser, reply)


@pytest.mark.parametrize(
    "thread", ["x", "0", "../x", "01a1fbfb-face-7572-91e0-670124d68395", "\0", "%F0"]
)
def test_what_is_no_thread_is_not_found(browser: Client, asked: Message, thread: str) -> None:
    for address in (path(asked.channel), f"/messages/{asked.pk}/"):
        assert browser.get(address, {"thread": thread}).status_code == 404
    address = f"{path(asked.channel)}messages/?thread={uuid.uuid4()}"
    assert browser.post(address, {"text": "Hello"}).status_code == 404
    assert Message.objects.count() == 2


def test_thread_of_another_channel_is_not_found(browser: Client, asked: Message) -> None:
    other = make_channel(asked.workspace)
    foreign = heard(make_channel())
    said = make_message(other)
    for place, thread in ((other, asked.thread_id), (asked.channel, foreign.thread_id)):
        query = f"?thread={thread}"
        for wanted in PARTS:
            headers = asking_for(f"div#{wanted}")
            assert browser.get(path(place) + query, headers=headers).status_code == 404
        assert browser.get(path(place) + query).status_code == 404
        sent = browser.post(f"{path(place)}messages/{query}", {"text": "Hello"})
        assert sent.status_code == 404
    for method in ("get", "post"):
        address = f"/messages/{said.pk}/{'try-now/' * (method == 'post')}{within(asked)}"
        assert getattr(browser, method)(address).status_code == 404


def test_stranger_sees_no_thread(outsider: Client, asked: Message) -> None:
    assert outsider.get(path(asked.channel) + within(asked)).status_code == 404
    assert outsider.get(f"/messages/{asked.pk}/{within(asked)}").status_code == 404
    assert write(outsider, asked).status_code == 404


def test_viewer_reads_a_thread_and_writes_nothing(viewer: Client, asked: Message) -> None:
    page = page_of(viewer, asked)
    assert "Inside" in page
    assert 'id="composer"' not in page
    assert write(viewer, asked).status_code == 403
    assert Message.objects.filter(sender=Sender.USER, author__isnull=False).count() == 0


@pytest.mark.parametrize("headers", [{}, asking_for("article#detail")])
def test_thread_costs_one_statement_more_than_its_channel(
    browser: Client, channel: Channel, headers: dict[str, str]
) -> None:
    asked = heard(channel)
    whole = statements(browser, path(channel), headers)
    for number in range(10):
        heard(channel, reply_to=asked)
        heard(channel, room=Room("telegram", f"chat-{number}"))
    assert statements(browser, path(channel), headers) == whole
    assert statements(browser, path(channel) + within(asked), headers) <= whole + 1
