"""What a person sends to an agent: words, files, and what they answer."""

import hashlib
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from attachments.models import Attachment, State
from attachments.storage import read
from inbox.models import Channel, Message
from inbox.services.channels import set_commands
from inbox.services.messages import delete_message
from tests.conftest import Agent
from tests.factories import make_channel, make_message
from tests.web.test_fragments import asking_for

COMPOSER = asking_for("div#composer")


def page_of(channel: Channel) -> str:
    return f"/channels/{channel.pk}/"


def send(browser: Client, channel: Channel, *, fragment: bool = False, **fields: Any) -> Any:
    headers = COMPOSER if fragment else {}
    return browser.post(f"{page_of(channel)}messages/", fields, headers=headers)


def file(name: str = "a.txt", content: bytes = b"hello", kind: str = "text/plain") -> Any:
    return SimpleUploadedFile(name, content, kind)


def waiting_files() -> list[Path]:
    return list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir())


def test_files_are_stored_as_those_of_agents_are(
    browser: Client, channel: Channel, person: User
) -> None:
    files = [file(), file("b.csv", b"1,2", "text/csv; charset=utf-8")]
    answer = send(browser, channel, text="See these", files=files)
    message = Message.objects.get()
    assert answer.status_code == 303
    assert answer["Location"] == f"{page_of(channel)}#m-{message.pk}"
    first, second = message.attachments.order_by("position")
    assert (first.filename, first.mime_type, first.size) == ("a.txt", "text/plain", 5)
    assert (first.state, first.sha256) == (State.READY, hashlib.sha256(b"hello").hexdigest())
    assert (first.uploaded_by_user, first.uploaded_by_key) == (person, None)
    assert (second.filename, second.mime_type) == ("b.csv", "text/csv")
    assert read(first.storage_key, limit=100) == b"hello"
    assert waiting_files() == []


def test_files_need_no_words(browser: Client, channel: Channel) -> None:
    assert send(browser, channel, text="", files=[file()]).status_code == 303
    assert Message.objects.get().text is None


def test_agent_gets_the_files(browser: Client, channel: Channel, agent: Agent) -> None:
    send(browser, channel, text="See this", files=[file()])
    (message,) = agent.get(f"/api/v1/messages?channel={channel.pk}").json()["data"]
    (attachment,) = message["attachments"]
    assert agent.get(f"/api/v1/files/{attachment['id']}/download").body == b"hello"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("<script>.html", "<script>.html"),
        (f"{'a' * 300}.pdf", f"{'a' * 146}.pdf"),
    ],
)
def test_hostile_names_are_only_names(
    browser: Client, channel: Channel, given: str, kept: str
) -> None:
    assert send(browser, channel, files=[file(given)]).status_code == 303
    assert Attachment.objects.get().filename == kept
    assert b"<script>.html" not in browser.get(page_of(channel)).content


@pytest.mark.parametrize("kind", ["text/html<script>", "", "a" * 200 + "/b"])
def test_type_that_is_none_is_unknown(browser: Client, channel: Channel, kind: str) -> None:
    assert send(browser, channel, files=[file(kind=kind)]).status_code == 303
    assert Attachment.objects.get().mime_type == "application/octet-stream"


@pytest.mark.parametrize("fragment", [True, False])
def test_too_much_is_refused_at_the_field(
    browser: Client, channel: Channel, settings: Settings, *, fragment: bool
) -> None:
    settings.LARGEST_FILE = 8
    files = [file(content=b"12345"), file(content=b"12345")]
    answer = send(browser, channel, fragment=fragment, text="Words", files=files)
    text = answer.content.decode()
    assert answer.status_code == 413
    assert "may have 8\xa0bytes together" in text
    assert 'aria-describedby="files-error"' in text
    assert "Words</textarea>" in text
    assert ("<html" in text) is not fragment
    assert not Attachment.objects.exists()
    assert waiting_files() == []


def test_form_that_says_it_is_too_long_is_not_read(
    browser: Client, channel: Channel, settings: Settings
) -> None:
    settings.LARGEST_FILE = 8
    answer = send(browser, channel, text="Words", files=[file(content=b"1" * 1_100_000)])
    assert answer.status_code == 413
    assert b"may have" in answer.content
    assert waiting_files() == []


def test_form_that_is_far_too_long_is_not_even_read_for_its_token(
    person: User, channel: Channel, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("it was read")

    settings.LARGEST_FILE = 8
    monkeypatch.setattr(MultiPartParser, "parse", read)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    answer = send(strict, channel, files=[file(content=b"1" * 1_100_000)])
    assert answer.status_code == 413
    assert b"may have" in answer.content


@pytest.mark.parametrize("path", ["/sign-in/", "/settings/profile/", "/api/auth/ws-ticket"])
def test_file_in_a_form_that_takes_none_is_never_written(
    person: User, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise AssertionError("it was written")

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", write)
    monkeypatch.setattr(MemoryFileUploadHandler, "new_file", write)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    answer = browser.post(path, {"file": file(content=b"1" * 3_000_000)})
    assert answer.status_code in {401, 403}


@pytest.mark.parametrize("content", [b"", b"x"])
def test_too_many_files_are_refused(browser: Client, channel: Channel, content: bytes) -> None:
    files = [file(f"{number}.txt", content) for number in range(11)]
    answer = send(browser, channel, text="Words", files=files)
    assert answer.status_code == 413
    assert b"Send up to 10 files at once." in answer.content
    assert not Attachment.objects.exists()
    assert send(browser, channel, files=files[:10]).status_code == 303


def test_storage_that_fails_is_said_at_the_field(
    browser: Client, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(type(default_storage._wrapped), "save", refuse)  # type: ignore[attr-defined]
    answer = send(browser, channel, text="Words", files=[file()])
    assert answer.status_code == 503
    assert b"Words</textarea>" in answer.content
    assert b"could not be stored" in answer.content
    assert not Message.objects.exists()


def test_form_sent_twice_stores_its_files_once(browser: Client, channel: Channel) -> None:
    for _ in range(2):
        answer = send(browser, channel, client_id="one", text="Once", files=[file()])
        assert answer.status_code == 303
    assert Message.objects.count() == Attachment.objects.count() == 1


def test_other_words_in_the_same_form_are_another_message(
    browser: Client, channel: Channel
) -> None:
    for text in ["Ship it", "Do not ship it"]:
        send(browser, channel, client_id="one", text=text)
    assert {message.text for message in Message.objects.all()} == {"Ship it", "Do not ship it"}


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\n", b"no form at all"])
@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_broken_form_is_refused(browser: Client, channel: Channel, body: bytes, kind: str) -> None:
    answer = browser.post(f"{page_of(channel)}messages/", body, content_type=kind)
    assert answer.status_code in {400, 422}
    assert not Message.objects.exists()


def test_stranger_uploads_nothing(outsider: Client, viewer: Client, channel: Channel) -> None:
    assert send(outsider, channel, text="Hello", files=[file()]).status_code == 404
    assert send(viewer, channel, text="Hello", files=[file()]).status_code == 403
    assert not Attachment.objects.exists()
    assert waiting_files() == []


def test_form_needs_its_token(person: User, channel: Channel) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(person)
    assert send(browser, channel, text="Forged", files=[file()]).status_code == 403
    assert not Attachment.objects.exists()
    page = browser.get(page_of(channel)).content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[-1]
    sent = send(browser, channel, csrfmiddlewaretoken=token, text="Mine", files=[file()])
    assert sent.status_code == 303
    by_header = browser.post(
        f"{page_of(channel)}messages/", {"text": "Mine"}, headers={"x-csrftoken": token}
    )
    assert by_header.status_code == 303


def test_sent_fragment_is_an_empty_composer(browser: Client, channel: Channel) -> None:
    answer = send(browser, channel, fragment=True, text="Hello", client_id="one")
    message = Message.objects.get()
    text = answer.content.decode()
    assert answer.status_code == 201
    assert text.lstrip().startswith("<form")
    assert "Hello" not in text
    assert 'value="one"' not in text, "a fresh form is a new message"
    assert str(message.pk) in answer["HX-Trigger"]
    assert "message-created" in answer["HX-Trigger"]


def test_refused_fragment_keeps_what_was_typed(browser: Client, channel: Channel) -> None:
    answer = send(browser, channel, fragment=True, text="  ", client_id="one")
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Write something first." in text
    assert 'value="one"' in text
    assert "<html" not in text


def test_reply_names_what_it_answers(browser: Client, channel: Channel, agent: Agent) -> None:
    asked = make_message(channel, text="Which one?")
    assert send(browser, channel, text="That one", reply_to=asked.pk).status_code == 303
    answer = Message.objects.latest("id")
    assert answer.reply_to == asked
    wire = agent.get(f"/api/v1/messages/{answer.pk}").json()
    assert wire["metadata"] == {"replyTo": str(asked.pk)}


def test_reply_to_what_is_gone_asks_again(browser: Client, channel: Channel) -> None:
    asked = make_message(channel, text="Which one?")
    gone = asked.pk
    delete_message(asked)
    answer = send(browser, channel, text="That one", reply_to=gone)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "is gone" in text
    assert "That one</textarea>" in text
    assert 'name="reply_to"' not in text, "so that sending it again sends it"


@pytest.mark.parametrize("target", ["foreign", "other channel", "nonsense"])
def test_reply_stays_in_its_channel(browser: Client, channel: Channel, target: str) -> None:
    targets = {
        "foreign": make_message().pk,
        "other channel": make_message(make_channel(channel.workspace)).pk,
        "nonsense": "../x",
    }
    answer = send(browser, channel, text="Hello", reply_to=targets[target])
    assert answer.status_code == 422
    assert not Message.objects.filter(channel=channel).exists()


def test_commands_are_listed_with_what_is_hidden_in_them(browser: Client, channel: Channel) -> None:
    given: list[dict[str, Any]] = [
        {"command": "deploy", "description": "Deploy <b>it</b>", "acceptsArgs": True}
        | {"argHint": "<version>"},
        {"command": "/st\u202eop", "description": "Stop\u200b"},
    ]
    set_commands(channel, commands=given)
    text = browser.get(page_of(channel)).content.decode()
    assert 'data-typed="/deploy "' in text
    assert "&lt;version&gt;" in text
    assert "Deploy &lt;b&gt;it" in text
    assert "U+202E" in text
    assert "U+200B" in text


@pytest.mark.parametrize(
    "given", [None, [], {}, "deploy", [None], [{"command": 7}], [{"command": " / "}], [{}]]
)
def test_commands_of_any_shape_are_read(browser: Client, channel: Channel, given: Any) -> None:
    Channel.objects.update(commands=given)
    answer = browser.get(page_of(channel))
    assert answer.status_code == 200
    assert b"command-list" not in answer.content


def test_draft_is_kept_per_person_and_channel(
    browser: Client, channel: Channel, person: User
) -> None:
    text = browser.get(page_of(channel)).content.decode()
    assert f'data-draft="{person.pk}/{channel.pk}"' in text


def test_channel_that_is_gone_is_not_found(browser: Client) -> None:
    path = f"/channels/{uuid.uuid4()}/messages/"
    assert browser.post(path, {"text": "Hello", "files": [file()]}).status_code == 404
