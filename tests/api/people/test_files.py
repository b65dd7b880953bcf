"""Files over the people's JSON API: listed, sent, fetched, shared."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Role, User, Workspace
from api.people.views import files as views
from api.throttling import AddressThrottle
from attachments import archives
from attachments.deleting import remove_objects
from attachments.models import Attachment, State
from attachments.sharing import LIVES_SECONDS, share_token
from attachments.storage import read, remove
from delivery.models import Delivery, Event
from inbox.models import Channel, Message
from tests.api.placet.forms import channel_part, file_part, send
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent, Caller, signed_in
from tests.factories import (
    make_channel,
    make_file,
    make_key,
    make_message,
    make_person,
    make_review,
)

FILES, UPLOAD, STORE = "/api/files", "/api/files/upload", "/api/files/store"
ZIP = f"{FILES}/bulk-download"

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(person: User) -> Caller:
    return signed_in(person)


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


# Several at once


def archive_of(answer: Any) -> zipfile.ZipFile:
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == 'attachment; filename="files.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.body))
    assert archive.testzip() is None
    return archive


def contents(archive: zipfile.ZipFile) -> list[tuple[str, bytes]]:
    return [(name, archive.read(name)) for name in archive.namelist()]


def zipped(caller: Caller, *files: Attachment) -> Any:
    return caller.post(ZIP, {"ids": [str(file.pk) for file in files]})


def test_archive_holds_the_files_in_the_order_asked_for(caller: Caller, channel: Channel) -> None:
    one = make_file(channel, filename="ä.txt", content=b"1" * 200_000)
    two = make_file(channel, filename="b.txt", content=b"")
    archive = archive_of(zipped(caller, two, one, two))
    assert contents(archive) == [("b.txt", b""), ("ä.txt", b"1" * 200_000)]


def test_names_in_an_archive_are_safe_and_each_is_there_once(
    caller: Caller, channel: Channel
) -> None:
    names = ["a.txt", "A.TXT", "a.txt", "noend", "noend", "../../etc/passwd", "a\\b.txt", "."]
    names += ["FILES THAT ARE MISSING.txt"]
    files = [make_file(channel) for _ in names]
    for file, name in zip(files, names, strict=True):
        Attachment.objects.filter(pk=file.pk).update(filename=name)
    shown = archive_of(zipped(caller, *files)).namelist()
    assert shown[:5] == ["a.txt", "A (2).TXT", "a (3).txt", "noend", "noend (2)"]
    assert shown[5:] == ["passwd", "b.txt", "file", "FILES THAT ARE MISSING (2).txt"]


def test_file_whose_bytes_are_gone_is_named_and_keeps_no_other_back(
    caller: Caller, channel: Channel
) -> None:
    gone, there = make_file(channel, filename="gone.txt"), make_file(channel)
    remove(gone.storage_key)
    archive = archive_of(zipped(caller, gone, there))
    assert contents(archive) == [
        ("a.txt", b"hello"),
        ("FILES THAT ARE MISSING.txt", b"gone.txt\n"),
    ]


def test_archive_is_made_while_it_is_sent(
    caller: Caller, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    mega = b"x" * 1024 * 1024
    files = [make_file(channel, content=mega * 3) for _ in range(3)]
    largest = 0

    def watched(given: Any) -> Iterator[bytes]:
        nonlocal largest
        for piece in original(given):
            largest = max(largest, len(piece))
            yield piece

    original = archives.zipped
    monkeypatch.setattr(views, "zipped", watched)
    answer = zipped(caller, *files)
    assert len(answer.body) > 9 * len(mega)
    assert largest < 200_000
    assert [len(content) for _, content in contents(archive_of(answer))] == [3 * len(mega)] * 3


def test_archive_is_bounded(
    caller: Caller, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_file(channel)
    assert_refused(caller.post(ZIP, {"ids": []}), 400)
    assert_refused(caller.post(ZIP, {"ids": [str(file.pk)] * 101}), 400)
    monkeypatch.setattr(views, "LARGEST_ARCHIVE", 9)
    assert_refused(zipped(caller, file, make_file(channel)), 400)
    archive_of(zipped(caller, file, file))


def test_one_foreign_file_refuses_them_all(
    caller: Caller, channel: Channel, stranger: Agent
) -> None:
    mine, foreign = make_file(channel), make_file(Channel.objects.get(name="Foreign"))
    refused = assert_refused(zipped(caller, mine, foreign), 404)
    assert refused["message"] == "Attachment not found"
    assert refused["errors"][0]["path"] == ["ids", 1]


# Links


@pytest.fixture
def link(caller: Caller, channel: Channel) -> str:
    """The path of a link to an HTML file."""
    file = make_file(channel, filename="x.html", mime_type="text/html", content=b"<script>")
    answer = caller.get(f"{FILES}/{file.pk}/share")
    assert answer.json()["expiresIn"] == 3600
    url: str = answer.json()["url"]
    assert url.startswith("http://localhost:8000/api/share/")
    return url.removeprefix("http://localhost:8000")


def opened(path: str, method: str = "GET", **headers: str) -> Any:
    """Without any credential."""
    return Agent("").call(method, path, **headers)


def no_link(answer: Any) -> None:
    assert assert_refused(answer, 404)["message"] == "Invalid or expired share link"


def test_link_gives_the_file_to_be_saved(link: str) -> None:
    answer = opened(link)
    assert (answer.status_code, answer.body) == (200, b"<script>")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"].startswith("sandbox;")
    part = opened(link, range="bytes=1-3")
    assert (part.status_code, part.body) == (206, b"scr")
    assert opened(link, "HEAD")["Content-Length"] == "8"


def test_link_looks_at_no_session_and_sets_none(link: str, person: User) -> None:
    browser = Client()
    browser.force_login(person)
    answer: Any = browser.get(link)
    assert answer.getvalue() == b"<script>"
    assert not answer.cookies
    browser.cookies["access_token"] = "lp_nonsense"
    again: Any = browser.get(link)
    assert again.getvalue() == b"<script>"


def test_link_ends_after_an_hour(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = signing.time.time  # type: ignore[attr-defined]
    monkeypatch.setattr(signing.time, "time", lambda: clock() + LIVES_SECONDS - 5)  # type: ignore[attr-defined]
    assert opened(link).status_code == 200
    monkeypatch.setattr(signing.time, "time", lambda: clock() + LIVES_SECONDS + 5)  # type: ignore[attr-defined]
    no_link(opened(link))


@pytest.mark.parametrize("state", [State.DRAFT, State.STAGED])
def test_link_ends_with_the_file(link: str, state: State) -> None:
    draft = {"edit_of": Attachment.objects.get()} if state == State.DRAFT else {}
    Attachment.objects.update(state=state, **draft)
    no_link(opened(link))


def test_link_to_lost_bytes_is_none(link: str) -> None:
    remove(Attachment.objects.get().storage_key)
    no_link(opened(link))


def test_link_cannot_be_made_by_anybody_else(link: str, channel: Channel) -> None:
    token = link.rpartition("/")[2]
    identity, stamp, signature = token.split(".")
    other = make_file(channel)
    forged = [
        f"{other.pk.hex}.{stamp}.{signature}",
        f"{identity}.zzzzzz.{signature}",
        f"{identity}.{stamp}.{signature[:-1]}",
        f"{identity}.{stamp}.",
        f"{identity}.{stamp}",
        identity,
        str(other.pk),
        signing.TimestampSigner(sep=".").sign(identity),
        signing.TimestampSigner(salt="accounts.tickets.socket", sep=".").sign(identity),
        signing.TimestampSigner(salt="attachments.sharing", sep=".").sign("no id"),
        "%00",
        "x" * 5000,
        "é",
    ]
    for each in forged:
        no_link(opened(f"/api/share/{each}"))
    assert opened(link).status_code == 200


def test_link_survives_a_new_secret_key_that_names_the_old_one(
    link: str, settings: Settings
) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    no_link(opened(link))
    settings.SECRET_KEY_FALLBACKS = [old]
    assert opened(link).status_code == 200


def test_viewer_shares_nothing(workspace: Workspace, channel: Channel) -> None:
    viewer = signed_in(make_person(workspace, Role.VIEWER))
    file = make_file(channel)
    assert_refused(viewer.get(f"{FILES}/{file.pk}/share"), 403)
    assert opened(f"/api/share/{share_token(file)}").status_code == 200


def test_links_are_counted_for_an_address(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bool:
        return False

    monkeypatch.setattr(AddressThrottle, "allow_request", full)
    assert_refused(opened(link), 429)


def test_agents_key_opens_none_of_these(workspace: Workspace, channel: Channel) -> None:
    key, file = make_key(workspace).clear, make_file(channel)
    for path in (FILES, f"{FILES}/{file.pk}/download", f"{FILES}/{file.pk}/share"):
        for nobody in (Agent(key), Caller(key)):
            assert_refused(nobody.get(path), 401)


# Deleting


def test_deleted_file_is_gone_everywhere(
    caller: Caller, agent: Agent, channel: Channel, link: str
) -> None:
    (file,) = Attachment.objects.all()
    assert caller.delete(f"{FILES}/{file.pk}").json() == {"message": "Deleted"}
    assert (
        assert_refused(caller.delete(f"{FILES}/{file.pk}"), 404)["message"]
        == "Attachment not found"
    )
    for path in (f"{FILES}/{file.pk}/download", f"{FILES}/{file.pk}/share"):
        assert_refused(caller.get(path), 404)
    assert_refused(agent.get(f"/api/v1/files/{file.pk}/download"), 404)
    no_link(opened(link))
    remove_objects(now=timezone.now())
    assert read(file.storage_key, limit=9) is None


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
