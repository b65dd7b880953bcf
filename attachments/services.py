"""Writes about files."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile, File
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.ids import parse_uuid, uuid7
from accounts.models import ApiKey, User
from attachments.models import Attachment, State
from attachments.previews import want_preview
from attachments.quota import require_room
from attachments.storage import new_key, put, remove, safe_filename
from delivery import faults
from inbox.errors import DomainError
from inbox.models import Channel, Message, Sender
from inbox.queries import ChannelNotYoursError
from inbox.services.messages import delete_message, hold_channel


class AttachmentNotFoundError(DomainError):
    """Unknown, foreign, of another channel, or already on a message: all look the same."""

    code = "attachment_not_found"


@dataclass(frozen=True)
class NewFile:
    """A file that was received: `size` in bytes, `sha256` in lower-case hex."""

    filename: str
    mime_type: str
    size: int
    sha256: str
    content: "File[bytes]"

    @classmethod
    def of_text(cls, text: str, *, filename: str, mime_type: str) -> "NewFile":
        content = text.encode()
        digest = hashlib.sha256(content).hexdigest()
        return cls(filename, mime_type, len(content), digest, ContentFile(content))


@dataclass(frozen=True)
class Edit:
    """Whose edited copy of which file it is; a draft until it is sent."""

    of: Attachment
    by: User


def store_file(
    channel: Channel,
    *,
    file: NewFile,
    now: datetime,
    key: ApiKey | None = None,
    user: User | None = None,
    edit: Edit | None = None,
) -> Attachment:
    """Store a file that an agent (`key`) or a person sent to a channel, on no message yet.

    1. A row `staged`, committed, names the object before there is one.
    2. The object is written, outside any transaction.
    3. The row becomes `ready`, and its preview is wanted. What a crash leaves is a staged row that
       says what to clean up.

    Raises: StorageUnavailableError, QuotaExceededError, ChannelNotYoursError for a channel
    deleted meanwhile.
    """
    row = _stage(channel, file, now, key=key, user=edit.by if edit else user, edit=edit)
    put(row.storage_key, file.content)
    faults.hit("file.after_object", row.storage_key)
    stored = State.DRAFT if edit else State.READY
    if not _reaches(row, stored):
        remove(row.storage_key)
        raise ChannelNotYoursError("Not your agent")
    row.state = stored
    return row


def _reaches(row: Attachment, state: State) -> bool:
    with transaction.atomic():
        staged = Attachment.objects.filter(pk=row.pk, state=State.STAGED)
        if not staged.update(state=state):
            return False
        want_preview(row)
        return True


def _stage(
    channel: Channel,
    file: NewFile,
    now: datetime,
    *,
    key: ApiKey | None,
    user: User | None,
    edit: Edit | None,
) -> Attachment:
    """Raises: ChannelNotYoursError, QuotaExceededError."""
    try:
        with transaction.atomic():
            require_room(channel.workspace_id, file.size)
            return Attachment.objects.create(
                id=uuid7(now),
                workspace_id=channel.workspace_id,
                channel=channel,
                uploaded_by_key=key,
                uploaded_by_user=user,
                edit_of=edit.of if edit else None,
                state=State.STAGED,
                filename=safe_filename(file.filename),
                mime_type=file.mime_type,
                size=file.size,
                sha256=file.sha256,
                storage_key=new_key(channel.workspace_id, now),
                created_at=now,
            )
    except IntegrityError:
        raise ChannelNotYoursError("Not your agent") from None


def claim_attachments(
    message: Message, *, ids: Sequence[str], key: ApiKey | None, as_upload: bool = False
) -> None:
    """Put files of the message's channel on it, in the order given.

    A file may be claimed that is on no message, and one that `key` just uploaded: the message
    that `upload` made for it goes away then. One conditional UPDATE an id: its count is the
    verdict, so of two messages one gets the file. `as_upload` marks the file as one whose message
    was made by `upload`.

    Raises: AttachmentNotFoundError, and then nothing is linked.
    """
    wanted = [parse_uuid(text) for text in ids]
    hold_channel(message.channel_id)
    _lock(wanted)
    for position, file_id in enumerate(wanted):
        link = {"message": message, "position": position, "is_upload": as_upload}
        if file_id is None or not _linked(file_id, message=message, key=key, link=link):
            raise AttachmentNotFoundError("Attachment not found", path=("attachmentIds", position))


def _linked(
    file_id: uuid.UUID, *, message: Message, key: ApiKey | None, link: dict[str, Any]
) -> bool:
    files = Attachment.objects.filter(pk=file_id, channel_id=message.channel_id, state=State.READY)
    orphaned = files.filter(message=None).update(**link)
    return bool(orphaned) or _taken_from_upload(files, message=message, key=key, link=link)


def _lock(ids: Sequence[uuid.UUID | None]) -> None:
    """Lock all rows in one order, so that two messages with the same files cannot deadlock."""
    rows = Attachment.objects.select_for_update().filter(pk__in=[each for each in ids if each])
    list(rows.order_by("pk").values_list("pk", flat=True))


def _taken_from_upload(
    files: QuerySet[Attachment], *, message: Message, key: ApiKey | None, link: dict[str, Any]
) -> bool:
    """Move a file from the message that `upload` made for it, and delete that message.

    Only the agent's very next message may do that: since the upload, nothing but uploads came.
    """
    mine = files.filter(is_upload=True, uploaded_by_key=key).exclude(message=message)
    file = mine.select_related("message").first() if key is not None else None
    if file is None or file.message is None or _spoken_since(file.message, message):
        return False
    if not files.filter(message=file.message, is_upload=True).update(**link):
        return False
    delete_message(file.message)
    return True


def _spoken_since(upload: Message, message: Message) -> bool:
    later = Message.objects.filter(
        channel_id=message.channel_id, sender=Sender.AGENT, pk__gt=upload.pk
    )
    others = later.exclude(pk=message.pk)
    return others.exclude(attachments__is_upload=True).exists()


@dataclass(frozen=True)
class TextFile:
    """A file that came as text."""

    filename: str
    mime_type: str
    content: str


def stage_texts(
    channel: Channel, *, files: Sequence[TextFile], key: ApiKey | None, now: datetime
) -> list[Attachment]:
    """Store text files for a message that does not exist yet. Call it outside of its transaction.

    Nobody sees them until `link_texts`; without it, the sweep takes them away.

    Raises: StorageUnavailableError, QuotaExceededError, ChannelNotYoursError.
    """
    rows = []
    for position, text in enumerate(files):
        file = NewFile.of_text(text.content, filename=text.filename, mime_type=text.mime_type)
        at = now + timedelta(microseconds=position)  # lists keep the order
        row = _stage(channel, file, at, key=key, user=None, edit=None)
        put(row.storage_key, file.content)
        faults.hit("file.after_object", row.storage_key)
        rows.append(row)
    return rows


def link_texts(message: Message, *, files: Sequence[Attachment]) -> None:
    """Put staged text files on a message, in its transaction.

    Raises: AttachmentNotFoundError.
    """
    taken = message.attachments.count()
    for position, file in enumerate(files, start=taken):
        staged = Attachment.objects.filter(pk=file.pk, state=State.STAGED)
        if not staged.update(state=State.READY, message=message, position=position):
            raise AttachmentNotFoundError("Attachment not found")
        want_preview(file)
