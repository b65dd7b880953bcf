"""Files over the agents' routes: received in any shape, kept safe, given back as they came."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from attachments.models import Attachment, State
from attachments.storage import read
from inbox.models import Channel, Message
from tests.api.placet.forms import (
    BOUNDARY,
    STORE,
    STORE_TEXT,
    UPLOAD,
    channel_part,
    file_part,
    form,
    send,
)
from tests.api.placet.test_bad_input import assert_refused
from tests.conftest import Agent
from tests.factories import make_channel, make_key, make_message


def waiting_files() -> list[Path]:
    """Temporary files of uploads that are not finished."""
    return list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir())


@pytest.mark.parametrize("name", ["channelId", "channel"])
@pytest.mark.parametrize("order", [1, -1])
def test_parts_may_come_in_any_order(agent: Agent, channel: Channel, name: str, order: int) -> None:
    answer = send(agent, STORE, *[channel_part(channel, name), file_part()][::order])
    assert answer.status_code == 201
    body = answer.json()
    assert (body["filename"], body["mimeType"], body["size"]) == ("a.txt", "text/plain", 5)
    assert (body["messageId"], body["channelId"]) == (None, str(channel.pk))
    row = Attachment.objects.get(pk=body["id"])
    assert (row.state, row.sha256) == (State.READY, hashlib.sha256(b"hello").hexdigest())
    assert read(row.storage_key, limit=100) == b"hello"
    assert waiting_files() == []


def test_upload_shows_the_file_in_a_message_of_its_own(agent: Agent, channel: Channel) -> None:
    body = send(agent, UPLOAD, channel_part(channel), file_part()).json()
    message = agent.get(f"/api/v1/messages/{body['messageId']}").json()
    assert (message["senderType"], message["text"], message["review"]) == ("agent", None, None)
    assert [file["id"] for file in message["attachments"]] == [body["id"]]


def test_text_is_stored_as_a_file(agent: Agent, channel: Channel) -> None:
    body = {"channelId": str(channel.pk), "content": "Grüße"}
    first = agent.post(STORE_TEXT, body).json()
    assert (first["filename"], first["mimeType"], first["size"]) == (
        "content.md",
        "text/markdown",
        7,
    )
    named = agent.post(STORE_TEXT, body | {"filename": "t.csv", "mimeType": "text/csv"}).json()
    assert (named["filename"], named["mimeType"]) == ("t.csv", "text/csv")
    assert agent.get(f"/api/v1/files/{first['id']}/download").body == "Grüße".encode()


@pytest.mark.parametrize("content", [{}, {"content": ""}])
def test_text_without_content_is_refused(
    agent: Agent, channel: Channel, content: dict[str, str]
) -> None:
    refused = agent.post(STORE_TEXT, {"channelId": str(channel.pk)} | content)
    assert assert_refused(refused, 400)["message"] == "content is required"
    assert not Attachment.objects.exists()


@pytest.mark.parametrize("kind", ["", "text", "text/x\r\na: b", "x" * 200, "text/plain; a=b"])
def test_text_of_no_type_is_refused(agent: Agent, channel: Channel, kind: str) -> None:
    body = {"channelId": str(channel.pk), "content": "x", "mimeType": kind}
    assert_refused(agent.post(STORE_TEXT, body), 400)


@pytest.mark.parametrize("path", [UPLOAD, STORE])
class TestReceiving:
    def test_form_without_file_is_refused(self, agent: Agent, channel: Channel, path: str) -> None:
        refused = send(agent, path, channel_part(channel))
        assert assert_refused(refused, 400)["message"] == "No file provided"

    def test_form_without_channel_is_refused(self, agent: Agent, path: str) -> None:
        refused = send(agent, path, file_part())
        assert assert_refused(refused, 400)["message"] == "channelId is required"
        assert waiting_files() == []

    def test_two_files_are_refused(self, agent: Agent, channel: Channel, path: str) -> None:
        twice = (file_part(), ("other", "b.txt", "text/plain", b"b"))
        assert_refused(send(agent, path, channel_part(channel), *twice), 400)
        assert waiting_files() == []

    def test_two_different_channels_are_refused(
        self, agent: Agent, channel: Channel, path: str
    ) -> None:
        other = make_channel(channel.workspace)
        both = (channel_part(channel), channel_part(other, "channel"))
        assert_refused(send(agent, path, *both, file_part()), 400)

    def test_stranger_stores_nothing(self, stranger: Agent, channel: Channel, path: str) -> None:
        refused = send(stranger, path, channel_part(channel), file_part())
        assert assert_refused(refused, 403)["message"] == "Not your agent"
        assert not Attachment.objects.exists()

    @pytest.mark.parametrize(
        "kind", ["application/json", "text/plain", "", "application/x-www-form-urlencoded"]
    )
    def test_other_types_are_a_415(self, agent: Agent, path: str, kind: str) -> None:
        assert_refused(agent.call("POST", path, b"x", **{"content-type": kind}), 415)

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("multipart/form-data", b"x"),
            ("multipart/form-data; boundary=", b"x"),
            ("multipart/form-data; boundary=" + "x" * 500, b"x"),
            (f"multipart/form-data; boundary={BOUNDARY}", b""),
            (f"multipart/form-data; boundary={BOUNDARY}", b"nonsense"),
            (f"multipart/form-data; boundary={BOUNDARY}", form(file_part())[:-40]),
            (f"multipart/form-data; boundary={BOUNDARY}", form(("channelId", None, "", b"\0"))),
            (f"multipart/form-data; boundary={BOUNDARY}", form(("channelId", None, "", b"\xff"))),
            (
                f"multipart/form-data; boundary={BOUNDARY}",
                form(*(("field", None, "", b"x") for _ in range(2000))),
            ),
            (
                f"multipart/form-data; boundary={BOUNDARY}",
                form(("channelId", None, "", b"x" * 2_000_000)),
            ),
        ],
        ids=range(10),
    )
    def test_broken_form_is_a_4xx_and_leaves_nothing(
        self, agent: Agent, channel: Channel, path: str, kind: str, body: bytes
    ) -> None:
        refused = agent.call("POST", path, body, **{"content-type": kind})
        assert_refused(refused, 400, 403)
        assert not Attachment.objects.exists()
        assert not Message.objects.exists()
        assert waiting_files() == []

    def test_file_over_the_limit_is_cut_off(
        self, agent: Agent, channel: Channel, settings: Settings, path: str
    ) -> None:
        settings.LARGEST_FILE = 100_000
        content = file_part(b"x" * 100_001)
        refused = send(agent, path, channel_part(channel), content)
        assert "100000 bytes" in assert_refused(refused, 413)["message"]
        assert not Attachment.objects.exists()
        assert waiting_files() == []
        exactly = send(agent, path, channel_part(channel), file_part(b"x" * 100_000))
        assert exactly.status_code == 201

    def test_length_over_the_limit_is_refused_unread(
        self, agent: Agent, settings: Settings, path: str
    ) -> None:
        settings.LARGEST_FILE = 1000
        assert_refused(send(agent, path, file_part(b"x" * 2_000_000)), 413)

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("../../x", "x"),
            ("a\u202egnp.exe", "agnp.exe"),
            ("x" * 300 + ".pdf", None),
            ("CON", "_CON"),
            ("ä b;c.txt", "ä b;c.txt"),
            ("100%.txt", "100%.txt"),
        ],
    )
    def test_odd_name_is_made_safe(
        self, agent: Agent, channel: Channel, path: str, given: str, kept: str | None
    ) -> None:
        answer = send(agent, path, channel_part(channel), file_part(filename=given))
        assert answer.status_code == 201
        name = answer.json()["filename"]
        assert (name == kept) if kept else len(name) <= 150

    def test_empty_file_and_odd_type_are_kept(
        self, agent: Agent, channel: Channel, path: str
    ) -> None:
        empty = send(agent, path, channel_part(channel), file_part(b"", kind="no type at all"))
        assert empty.status_code == 201
        assert (empty.json()["size"], empty.json()["mimeType"]) == (0, "application/octet-stream")

    def test_storage_that_fails_is_a_503(
        self,
        agent: Agent,
        channel: Channel,
        path: str,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(default_storage, "save", fail)
        refused = send(agent, path, channel_part(channel), file_part())
        assert_refused(refused, 503)
        assert refused["Retry-After"]
        assert Attachment.objects.get().state == State.STAGED, "says what to clean up"
        assert agent.get("/api/v1/files").json() == []
        assert not Message.objects.exists()


# Listing and giving back


def stored(agent: Agent, channel: Channel, *about: Any) -> dict[str, Any]:
    return dict(send(agent, STORE, channel_part(channel), file_part(*about)).json())


def test_list_shows_orphans_and_linked_files_newest_first(
    agent: Agent, channel: Channel, stranger: Agent
) -> None:
    first = stored(agent, channel)["id"]
    second = send(agent, UPLOAD, channel_part(channel), file_part()).json()["id"]
    other = make_channel(channel.workspace)
    third = stored(agent, other)["id"]
    everywhere = [file["id"] for file in agent.get("/api/v1/files?limit=1").json()]
    assert everywhere == [third, second, first]
    here = agent.get(f"/api/v1/files?channel={channel.pk}").json()
    assert [file["id"] for file in here] == [second, first]
    assert stranger.get("/api/v1/files").json() == []


def test_list_takes_one_statement_for_any_number(
    agent: Agent, channel: Channel, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        stored(agent, channel)
    with django_assert_num_queries(1):
        assert len(agent.get("/api/v1/files").json()) == 5


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", "inline; filename=\"a.txt\"; filename*=UTF-8''a.txt"),
        ("100%.txt", "inline; filename=\"100%25.txt\"; filename*=UTF-8''100%25.txt"),
        ("ä.txt", "inline; filename=\"%C3%A4.txt\"; filename*=UTF-8''%C3%A4.txt"),
    ],
)
def test_download_names_the_file(agent: Agent, channel: Channel, name: str, header: str) -> None:
    file = stored(agent, channel, b"\x00\xffbytes", name)
    answer = agent.get(f"/api/v1/files/{file['id']}/download")
    assert (answer.status_code, answer.body) == (200, b"\x00\xffbytes")
    assert answer["Content-Disposition"] == header
    assert answer["Content-Length"] == "7"
    head = agent.call("HEAD", f"/api/v1/files/{file['id']}/download")
    assert (head.status_code, head["Content-Length"]) == (200, "7")


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "text/javascript"]
)
def test_active_content_is_never_shown(agent: Agent, channel: Channel, kind: str) -> None:
    file = stored(agent, channel, b"<script>alert(1)</script>", "x.html", kind)
    answer = agent.get(f"/api/v1/files/{file['id']}/download")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["Content-Security-Policy"].startswith("sandbox;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_file_name_cannot_add_headers(agent: Agent, channel: Channel) -> None:
    file = stored(agent, channel)
    Attachment.objects.filter(pk=file["id"]).update(filename='a"; x=\\ b\r\nSet-Cookie: c=d')
    answer = agent.get(f"/api/v1/files/{file['id']}/download")
    assert "\n" not in answer["Content-Disposition"]
    assert answer["Content-Disposition"].count('"') == 2


def test_file_that_is_not_there_is_a_404(agent: Agent, channel: Channel, stranger: Agent) -> None:
    file = stored(agent, channel)
    path = f"/api/v1/files/{file['id']}/download"
    assert assert_refused(stranger.get(path), 404)["message"] == "Attachment not found"
    default_storage.delete(Attachment.objects.get().storage_key)
    assert assert_refused(agent.get(path), 404)["message"] == "Attachment not found"


# Claiming


def post(agent: Agent, channel: Channel, *ids: str, **more: Any) -> Any:
    body = {"channelId": str(channel.pk), "attachmentIds": list(ids)} | more
    return agent.post("/api/v1/messages", body)


def uploaded(agent: Agent, channel: Channel) -> dict[str, Any]:
    return dict(send(agent, UPLOAD, channel_part(channel), file_part()).json())


def test_next_message_takes_uploads_over_without_an_empty_bubble(
    agent: Agent, channel: Channel
) -> None:
    first, second = uploaded(agent, channel), uploaded(agent, channel)
    answer = post(agent, channel, second["id"], first["id"], text="Both")
    assert answer.status_code == 201
    assert [f["id"] for f in answer.json()["attachments"]] == [second["id"], first["id"]]
    assert [str(message.pk) for message in Message.objects.all()] == [answer.json()["id"]]


def test_persons_message_between_does_not_matter(agent: Agent, channel: Channel) -> None:
    file = uploaded(agent, channel)
    make_message(channel, sender="user")  # type: ignore[arg-type]
    assert post(agent, channel, file["id"]).status_code == 201


def test_later_message_does_not_take_an_upload(agent: Agent, channel: Channel) -> None:
    file = uploaded(agent, channel)
    make_message(channel, text="in between")
    assert_refused(post(agent, channel, file["id"], text="x"), 400)
    assert str(Attachment.objects.get().message_id) == file["messageId"]


def test_upload_is_taken_once(agent: Agent, channel: Channel) -> None:
    file = uploaded(agent, channel)
    assert post(agent, channel, file["id"]).status_code == 201
    assert_refused(post(agent, channel, file["id"], text="again"), 400)


def test_other_key_does_not_take_an_upload(agent: Agent, channel: Channel) -> None:
    file = uploaded(agent, channel)
    other = Agent(make_key(channel.workspace).clear)
    assert_refused(post(other, channel, file["id"], text="x"), 400)
    assert Message.objects.count() == 1


def test_message_that_was_posted_with_a_file_keeps_it(agent: Agent, channel: Channel) -> None:
    file = stored(agent, channel)
    kept = post(agent, channel, file["id"]).json()["id"]
    assert_refused(post(agent, channel, file["id"], text="x"), 400)
    assert str(Attachment.objects.get().message_id) == kept


def test_refused_claim_leaves_the_upload_as_it_was(agent: Agent, channel: Channel) -> None:
    file = uploaded(agent, channel)
    assert_refused(post(agent, channel, file["id"], "nope", text="x"), 400)
    assert_refused(post(agent, channel, file["id"], file["id"], text="x"), 400)
    assert str(Attachment.objects.get().message_id) == file["messageId"]
    assert Message.objects.count() == 1


# Parts of a file, and what is known of it already


def test_range_gives_that_part(agent: Agent, channel: Channel) -> None:
    path = f"/api/v1/files/{stored(agent, channel, b'0123456789')['id']}/download"
    part = agent.call("GET", path, range="bytes=2-4")
    assert (part.status_code, part.body) == (206, b"234")
    assert part["Content-Range"] == "bytes 2-4/10"
    assert agent.call("GET", path, range="bytes=10-").status_code == 416


def test_download_that_is_known_already_has_no_body(agent: Agent, channel: Channel) -> None:
    path = f"/api/v1/files/{stored(agent, channel)['id']}/download"
    tag = agent.get(path)["ETag"]
    again = agent.call("GET", path, **{"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == "private, no-cache"
