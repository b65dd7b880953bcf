"""Files claimed by many messages at once: one gets each file, nothing is half linked."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from attachments.models import Attachment, Removal, State
from attachments.quota import taken_by
from attachments.services import NewFile, store_file
from attachments.sweeping import sweep
from inbox.models import Channel, Message
from tests.api.placet.forms import UPLOAD, channel_part, file_part, send
from tests.concurrency.together import MANY, at_once
from tests.conftest import Agent, signed_in
from tests.factories import make_channel, make_key, make_person, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def channel() -> Channel:
    return make_channel(make_workspace())


@pytest.fixture
def agent(channel: Channel) -> Agent:
    return Agent(make_key(channel.workspace).clear)


def orphan(channel: Channel) -> str:
    text = NewFile.of_text("x", filename="a.txt", mime_type="text/plain")
    return str(store_file(channel, file=text, key=None, now=channel.created_at).pk)


def claim(agent: Agent, channel: Channel, *ids: str) -> Any:
    body = {"channelId": str(channel.pk), "text": "mine", "attachmentIds": list(ids)}
    return agent.post("/api/v1/messages", body)


def test_one_of_twenty_messages_gets_a_file(agent: Agent, channel: Channel) -> None:
    file_id = orphan(channel)
    answers = at_once([partial(claim, agent, channel, file_id)] * MANY)
    assert Counter(a.status_code for a in answers) == {201: 1, 400: MANY - 1}
    assert {a.json()["message"] for a in answers if a.status_code == 400} == {
        "Attachment not found"
    }
    assert Message.objects.get().attachments.count() == 1


def test_files_claimed_in_opposite_orders_do_not_lock_each_other(
    agent: Agent, channel: Channel
) -> None:
    first, second = orphan(channel), orphan(channel)
    forth, back = (
        partial(claim, agent, channel, first, second),
        partial(claim, agent, channel, second, first),
    )
    answers = at_once([forth, back] * (MANY // 2))
    assert Counter(a.status_code for a in answers) == {201: 1, 400: MANY - 1}
    assert Message.objects.get().attachments.count() == 2


def test_one_of_twenty_messages_takes_an_upload_over(agent: Agent, channel: Channel) -> None:
    file_id = send(agent, UPLOAD, channel_part(channel), file_part()).json()["id"]
    answers = at_once([partial(claim, agent, channel, file_id)] * MANY)
    assert Counter(a.status_code for a in answers) == {201: 1, 400: MANY - 1}
    assert Message.objects.get().attachments.count() == 1, "and the bubble is gone"


def test_file_is_claimed_or_deleted_and_nobody_waits_in_a_circle(
    agent: Agent, channel: Channel
) -> None:
    owner = signed_in(make_person(channel.workspace))
    files = [send(agent, UPLOAD, channel_part(channel), file_part()).json()["id"] for _ in range(3)]
    take = partial(claim, agent, channel, *files)
    delete = partial(owner.post, "/api/files/bulk-delete", {"ids": files[::-1]})
    answers = at_once([take, delete] * (MANY // 2))
    assert {answer.status_code for answer in answers} <= {201, 400, 404}
    assert [a.json() for a in answers if a.json() == {"message": "Deleted 3 file(s)"}]
    assert not Attachment.objects.exists()
    noted = Message.objects.exclude(deleted_files__isnull=True).values_list(
        "deleted_files", flat=True
    )
    assert sum(len(each or ()) for each in noted) == 3


def test_uploads_into_a_channel_that_is_being_deleted_end_cleanly(
    agent: Agent, channel: Channel
) -> None:
    upload = partial(send, agent, UPLOAD, channel_part(channel), file_part())
    delete = partial(agent.delete, f"/api/v1/agents/{channel.pk}")
    answers = at_once([*[upload] * 10, delete, *[upload] * 9])
    assert {a.status_code for a in answers} <= {200, 201, 403}
    assert not Attachment.objects.filter(state=State.READY).exists()


def test_file_is_claimed_or_swept_and_never_both(agent: Agent, channel: Channel) -> None:
    file_id = orphan(channel)
    long_ago = timezone.now() - timedelta(days=2)
    Attachment.objects.update(created_at=long_ago)
    claims = [partial(claim, agent, channel, file_id)] * 5
    sweeps: list[Any] = [partial(sweep, now=timezone.now())] * 5
    answers = at_once([call for pair in zip(claims, sweeps, strict=True) for call in pair])
    claimed = [each for each in answers[::2] if each.status_code == 201]
    assert len(claimed) + sum(answers[1::2]) == 1
    assert [str(file.pk) for file in Attachment.objects.all()] == [file_id] * len(claimed)
    assert Removal.objects.count() == 1 - len(claimed)


def test_last_room_of_a_workspace_is_given_away_once(
    agent: Agent, channel: Channel, settings: Settings
) -> None:
    settings.STORAGE_QUOTA = 10 * len("hello")
    upload = partial(send, agent, "/api/v1/files/store", channel_part(channel), file_part())
    answers = at_once([upload] * MANY)
    size = Attachment.objects.values_list("size", flat=True)[0]
    fitting = settings.STORAGE_QUOTA // size
    assert 0 < fitting < MANY
    assert Counter(a.status_code for a in answers) == {201: fitting, 413: MANY - fitting}
    assert taken_by(channel.workspace_id) <= settings.STORAGE_QUOTA
