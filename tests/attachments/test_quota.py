"""The room of a workspace: counted with every file, and told to whoever finds it full."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from attachments.deleting import delete_files
from attachments.models import Attachment, State
from attachments.quota import QuotaExceededError, taken_by
from inbox.models import Channel, Message
from tests.attachments import samples
from tests.conftest import Agent
from tests.factories import make_channel, make_file, make_review
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _room_for_ten_bytes(settings: Settings) -> None:
    settings.STORAGE_QUOTA = 10


def store(agent: Agent, channel: Channel, content: str) -> Any:
    form = {"channelId": str(channel.pk), "file": content}
    return agent.send_form("/api/v1/files/store", form)


def test_files_are_taken_until_the_workspace_is_full(agent: Agent, channel: Channel) -> None:
    assert store(agent, channel, "12345678").status_code == 201
    refused = store(agent, channel, "123")
    assert refused.status_code == 413
    assert "Delete some first" in refused.json()["message"]
    assert store(agent, channel, "12").status_code == 201
    assert taken_by(channel.workspace_id) == 10


def test_what_is_being_received_counts_and_what_was_deleted_does_not(channel: Channel) -> None:
    file = make_file(channel, content=b"12345678", state=State.STAGED)
    with pytest.raises(QuotaExceededError):
        make_file(channel, content=b"123")
    delete_files([file])
    make_file(channel, content=b"123")


def test_workspaces_have_room_of_their_own(channel: Channel) -> None:
    make_file(channel, content=b"1234567890")
    make_file(make_channel(), content=b"1234567890")


def test_message_whose_texts_find_no_room_is_not_stored(agent: Agent, channel: Channel) -> None:
    text = {"filename": "a.txt", "mimeType": "text/plain", "content": "12345678901"}
    body = {"channelId": str(channel.pk), "text": "Here", "textAttachments": [text]}
    assert agent.post("/api/v1/messages", body).status_code == 413
    assert not Message.objects.exists()
    assert not Attachment.objects.exists()


def write(browser: Client, channel: Channel) -> Any:
    files = [SimpleUploadedFile(name, b"123456", "text/plain") for name in ("a.txt", "b.txt")]
    return browser.post(f"/channels/{channel.pk}/messages/", {"text": "Here", "files": files})


def test_person_who_writes_is_told_and_half_of_the_files_are_not_kept(
    person: User, channel: Channel
) -> None:
    answer = write(signed_in(person), channel)
    assert answer.status_code == 413
    assert "There is no room for these files in the workspace" in answer.content.decode()
    assert not Message.objects.exists()
    assert not Attachment.objects.exists()


def test_person_who_draws_is_told_that_there_is_no_room(
    settings: Settings, person: User, channel: Channel
) -> None:
    review = make_review(channel=channel)
    settings.STORAGE_QUOTA = 0
    picture = make_file(
        channel,
        content=samples.picture(),
        filename="a.png",
        mime_type="image/png",
        message=review.message,
    )
    settings.STORAGE_QUOTA = 10
    form = {"review": str(review.pk), "image": SimpleUploadedFile("x.png", samples.picture())}
    answer = signed_in(person).post(f"/files/{picture.pk}/annotate/", form)
    assert answer.status_code == 413
    assert "There is no room for it in the workspace" in answer.content.decode()
