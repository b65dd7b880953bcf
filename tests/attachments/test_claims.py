"""Files on messages: claimed once, stored with safe names, read back as text."""

import pytest

from attachments.models import Attachment, State
from attachments.storage import safe_filename
from inbox.models import Channel, Message
from tests.conftest import Agent
from tests.factories import make_channel, make_message


def orphan(channel: Channel, **over: object) -> str:
    file = Attachment.objects.create(
        **(
            {
                "workspace": channel.workspace,
                "channel": channel,
                "state": State.READY,
                "filename": "a.txt",
                "mime_type": "text/plain",
                "storage_key": f"k{Attachment.objects.count()}",
            }
            | over
        )
    )
    return str(file.pk)


def post(agent: Agent, channel: Channel, *ids: str) -> int:
    body = {"channelId": str(channel.pk), "attachmentIds": list(ids)}
    status: int = agent.post("/api/v1/messages", body).status_code
    return status


def test_orphans_are_linked_in_the_order_given(agent: Agent, channel: Channel) -> None:
    ids = [orphan(channel) for _ in range(3)][::-1]
    answer = agent.post("/api/v1/messages", {"channelId": str(channel.pk), "attachmentIds": ids})
    assert [file["id"] for file in answer.json()["attachments"]] == ids


def test_file_that_cannot_be_claimed_leaves_nothing_behind(agent: Agent, channel: Channel) -> None:
    mine = orphan(channel)
    linked = orphan(channel, message=make_message(channel))
    elsewhere = orphan(make_channel(channel.workspace))
    foreign = orphan(make_channel())
    staged = orphan(channel, state=State.STAGED)
    before = Message.objects.count()
    for bad in (linked, elsewhere, foreign, staged, mine):
        assert post(agent, channel, mine, bad) == 400
    assert Message.objects.count() == before
    assert Attachment.objects.get(pk=mine).message is None


def test_text_attachments_come_back_with_their_text(agent: Agent, channel: Channel) -> None:
    texts = [{"content": "Grüße"}, {"content": "{}", "filename": "j.json", "mimeType": "a/json"}]
    answer = agent.post(
        "/api/v1/messages", {"channelId": str(channel.pk), "textAttachments": texts}
    )
    first, second = answer.json()["attachments"]
    assert (first["filename"], first["textContent"]) == ("content.md", "Grüße")
    assert "textContent" not in second


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.txt", "x.txt"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("tab\tnul\0.md", "tabnul.md"),
        ("...", "file"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_file_name_is_made_safe(given: str, kept: str) -> None:
    assert safe_filename(given) == kept
