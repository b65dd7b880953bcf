"""Writes about files."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.ids import parse_uuid, uuid7
from accounts.models import ApiKey
from attachments.models import Attachment, State
from attachments.storage import new_key, put, safe_filename
from inbox.errors import DomainError
from inbox.models import Message


class AttachmentNotFoundError(DomainError):
    """Unknown, foreign, of another channel, or already on a message: all look the same."""

    code = "attachment_not_found"


def claim_attachments(message: Message, *, ids: Sequence[str]) -> None:
    """Link orphan files of the message's channel to it, in the order given.

    One conditional UPDATE an id: its count is the verdict, so of two messages one gets the file.

    Raises: AttachmentNotFoundError, and then nothing is linked.
    """
    for position, text in enumerate(ids):
        wanted = parse_uuid(text)
        orphans = Attachment.objects.filter(
            channel_id=message.channel_id, message=None, state=State.READY
        )
        found = wanted and orphans.filter(pk=wanted).update(message=message, position=position)
        if not found:
            raise AttachmentNotFoundError("Attachment not found", path=("attachmentIds", position))


@dataclass(frozen=True)
class TextFile:
    """A file that came as text."""

    filename: str
    mime_type: str
    content: str


def store_texts(
    message: Message, *, files: Sequence[TextFile], key: ApiKey | None, now: datetime
) -> None:
    """Store text files and put them on a message.

    Objects are small and written at once; should the transaction fail afterwards, they stay
    behind without a row, which costs room and shows nothing to anybody.
    """
    taken = message.attachments.count()
    for position, file in enumerate(files, start=taken):
        content = file.content.encode()
        storage_key = new_key(message.workspace_id, now)
        put(storage_key, content)
        Attachment.objects.create(
            id=uuid7(now),
            workspace_id=message.workspace_id,
            channel_id=message.channel_id,
            message=message,
            position=position,
            uploaded_by_key=key,
            state=State.READY,
            filename=safe_filename(file.filename),
            mime_type=file.mime_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            storage_key=storage_key,
            created_at=now,
        )
