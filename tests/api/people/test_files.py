"""Files over the people's JSON API: listed, sent, fetched, shared."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import Role, User, Workspace
from attachments.models import Attachment
from delivery.models import Delivery, Event
from inbox.models import Channel, Message
from tests.api.placet.forms import channel_part, file_part, send
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent, Caller, signed_in
from tests.factories import (
    make_channel,
    make_file,
    make_message,
    make_person,
    make_review,
)

FILES, UPLOAD, STORE = "/api/files", "/api/files/upload", "/api/files/store"

pytestmark = pytest.mark.django_db


def ids_in(answer: Any) -> list[str]:
    return [file["id"] for file in answer.json()["data"]]


# Lists


def test_list_tells_where_a_file_was_shown(caller: Caller, channel: Channel) -> None:
    message = make_message(channel)
    waiting, shown = make_file(channel), make_file(channel, message=message)
    first, second = caller.get(FILES).json()["data"]
    assert (first["id"], second["id"]) == (str(shown.pk), str(waiting.pk))
    assert first["message"]["channelId"] == str(channel.pk)
    assert first["message"]["createdAt"].endswith("Z")
    assert second["message"] is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("type=image/", ["b.png"]),
        ("type=IMAGE/PNG", ["b.png"]),
        ("type=video/", []),
        ("search=REPORT", ["Report.txt"]),
        ("search=%25", []),
        ("search=_", []),
        ("type=text/&search=a", ["a.txt"]),
    ],
)
def test_list_is_narrowed(caller: Caller, channel: Channel, query: str, names: list[str]) -> None:
    make_file(channel, filename="Report.txt", mime_type="application/pdf")
    make_file(channel, filename="b.png", mime_type="image/png")
    make_file(channel)
    answer = caller.get(f"{FILES}?{query}")
    assert [file["filename"] for file in answer.json()["data"]] == names


def test_list_is_narrowed_to_an_agent(
    caller: Caller, channel: Channel, workspace: Workspace
) -> None:
    here, other = make_file(channel), make_channel(workspace)
    make_file(other)
    assert ids_in(caller.get(f"{FILES}?agent={channel.pk}")) == [str(here.pk)]


def test_next_cursor_is_there_as_long_as_there_are_more(caller: Caller, channel: Channel) -> None:
    made = [str(make_file(channel).pk) for _ in range(4)][::-1]
    first = caller.get(f"{FILES}?limit=2")
    assert ids_in(first) == made[:2]
    last = caller.get(f"{FILES}?limit=2&cursor={first.json()['nextCursor']}")
    assert ids_in(last) == made[2:]
    assert last.json()["nextCursor"] is None, "the page is full, and it is the last"


def test_thirty_files_are_listed_unless_others_are_asked_for(
    caller: Caller, channel: Channel, django_assert_max_num_queries: Any
) -> None:
    for number in range(31):
        make_file(channel, message=make_message(channel) if number % 2 else None)
    with django_assert_max_num_queries(5):
        assert len(ids_in(caller.get(FILES))) == 30
    assert len(ids_in(caller.get(f"{FILES}?limit=5000"))) == 31


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "cursor=x", "cursor=", "type=a%00", "search=%00", "type=a&type=b"],
)
def test_query_that_makes_no_sense_is_refused(caller: Caller, query: str) -> None:
    assert_refused(caller.get(f"{FILES}?{query}"), 400)


# Sending


def test_upload_is_a_message_of_the_person(
    caller: Caller, channel: Channel, agent: Agent, person: User
) -> None:
    text = ("text", None, "", "Grüße".encode())
    answer = send(caller, UPLOAD, file_part(), text, channel_part(channel))
    assert answer.status_code == 201
    seen = agent.get(f"/api/v1/messages/{answer.json()['messageId']}").json()
    assert (seen["senderType"], seen["senderId"]) == ("user", str(person.pk))
    assert seen["text"] == "Grüße"
    assert [file["id"] for file in seen["attachments"]] == [answer.json()["id"]]
    assert Attachment.objects.get().uploaded_by_user == person


def test_upload_is_told_by_the_feed_and_by_no_webhook(
    caller: Caller, channel: Channel, agent: Agent
) -> None:
    Channel.objects.filter(pk=channel.pk).update(webhook_url="http://127.0.0.1:8999/")
    assert send(caller, UPLOAD, channel_part(channel), file_part()).status_code == 201
    assert not Delivery.objects.exists()
    assert [event["type"] for event in agent.get("/api/v1/events").json()["events"]] == [
        "message:created"
    ]
    caller.post("/api/messages", {"channelId": str(channel.pk), "text": "x"})
    assert Delivery.objects.count() == 1


def test_stored_file_waits_for_a_message_of_a_person(caller: Caller, channel: Channel) -> None:
    file = send(caller, STORE, channel_part(channel), file_part()).json()
    assert file["messageId"] is None
    assert not Event.objects.exists()
    body = {"channelId": str(channel.pk), "attachmentIds": [file["id"]]}
    message = caller.post("/api/messages", body).json()
    assert [each["id"] for each in message["attachments"]] == [file["id"]]


@pytest.mark.parametrize("path", [UPLOAD, STORE])
def test_sent_file_is_bounded(
    caller: Caller, channel: Channel, settings: Settings, path: str
) -> None:
    settings.LARGEST_FILE = 1000
    large = send(caller, path, channel_part(channel), file_part(b"x" * 1001))
    assert_refused(large, 413)
    assert assert_refused(send(caller, path, channel_part(channel)), 400)["message"] == (
        "No file provided"
    )
    assert not Attachment.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("text", [b"x" * 20_001, b"\0"], ids=["long", "nul"])
def test_text_that_cannot_be_sent_stores_nothing(
    caller: Caller, channel: Channel, text: bytes
) -> None:
    refused = send(caller, UPLOAD, channel_part(channel), ("text", None, "", text), file_part())
    assert_refused(refused, 400)
    assert not Attachment.objects.exists()


def test_foreign_agent_gets_no_file(caller: Caller, stranger: Agent) -> None:
    foreign = Channel.objects.get(name="Foreign")
    for path in (UPLOAD, STORE):
        refused = send(caller, path, channel_part(foreign), file_part())
        assert assert_refused(refused, 403)["message"] == "Not your agent"
    assert not Attachment.objects.exists()


# Fetching


@pytest.mark.parametrize(
    ("kind", "shown", "how"),
    [
        ("image/png", "image/png", "inline"),
        ("text/plain", "text/plain; charset=utf-8", "inline"),
        ("application/pdf", "application/pdf", "inline"),
        ("text/html", "application/octet-stream", "attachment"),
        ("image/svg+xml", "application/octet-stream", "attachment"),
        ("application/xml", "application/octet-stream", "attachment"),
        ("text/javascript", "application/octet-stream", "attachment"),
        ("text/css", "application/octet-stream", "attachment"),
        ("application/octet-stream", "application/octet-stream", "attachment"),
    ],
)
def test_download_gives_no_type_that_a_browser_would_run(
    caller: Caller, channel: Channel, kind: str, shown: str, how: str
) -> None:
    file = make_file(channel, mime_type=kind, content=b"<script>")
    answer = caller.get(f"{FILES}/{file.pk}/download")
    assert (answer.status_code, answer.body) == (200, b"<script>")
    assert answer["Content-Type"] == shown
    assert answer["Content-Disposition"] == f"{how}; filename=\"a.txt\"; filename*=UTF-8''a.txt"
    assert answer["Content-Security-Policy"].startswith("sandbox;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "private, no-cache"


def test_download_has_ranges_and_tags(caller: Caller, channel: Channel) -> None:
    path = f"{FILES}/{make_file(channel).pk}/download"
    part = caller.call("GET", path, range="bytes=1-2")
    assert (part.status_code, part.body) == (206, b"el")
    known = caller.call("GET", path, **{"if-none-match": part["ETag"]})
    assert known.status_code == 304
    assert caller.call("HEAD", path)["Content-Length"] == "5"


# Deleting


def test_several_are_deleted_together(caller: Caller, channel: Channel) -> None:
    files = [make_file(channel) for _ in range(3)]
    ids = [str(file.pk) for file in files]
    answer = caller.post(f"{FILES}/bulk-delete", {"ids": [ids[0], ids[2], ids[0]]})
    assert (answer.status_code, answer.json()) == (201, {"message": "Deleted 2 file(s)"})
    assert ids_in(caller.get(FILES)) == [ids[1]]


def test_all_are_kept_if_one_is_not_there(
    caller: Caller, channel: Channel, stranger: Agent
) -> None:
    mine, foreign = make_file(channel), make_file(Channel.objects.get(name="Foreign"))
    body = {"ids": [str(mine.pk), str(foreign.pk)]}
    assert_refused(caller.post(f"{FILES}/bulk-delete", body), 404)
    assert Attachment.objects.count() == 2


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.VIEWER])
def test_only_owners_and_admins_delete(workspace: Workspace, channel: Channel, role: Role) -> None:
    other, file = signed_in(make_person(workspace, role)), make_file(channel)
    assert_refused(other.delete(f"{FILES}/{file.pk}"), 403)
    assert_refused(other.post(f"{FILES}/bulk-delete", {"ids": [str(file.pk)]}), 403)
    assert Attachment.objects.exists()


def test_deleted_file_leaves_a_trace_where_it_was_shown(
    caller: Caller, channel: Channel, person: User
) -> None:
    review = make_review(channel=channel)
    kept = make_file(channel, filename="kept.txt", message=review.message)
    for name in ("one.txt", "<b>two.txt"):
        file = make_file(channel, filename=name, message=review.message)
        assert caller.delete(f"{FILES}/{file.pk}").status_code == 200
    browser = Client()
    browser.force_login(person)
    for page in (f"/channels/{channel.pk}/", f"/inbox/{review.pk}/"):
        shown = browser.get(page).content.decode()
        assert shown.count(f"Deleted by {person.name}") == 2
        assert "one.txt" in shown
        assert "&lt;b&gt;two.txt" in shown
        assert "kept.txt" in shown
    message = caller.get(f"/api/messages/{review.pk}").json()
    assert [each["id"] for each in message["attachments"]] == [str(kept.pk)]
