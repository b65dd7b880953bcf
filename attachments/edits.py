"""Edited copies of files: kept as drafts of one person until an answer carries them."""

import hashlib
import uuid
from collections.abc import Collection
from datetime import datetime
from pathlib import PurePath

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db.models import QuerySet

from accounts.models import User
from attachments.conversion.parts import OF_KIND
from attachments.conversion.refusals import Reason, RefusedError
from attachments.models import Attachment, Preview, State
from attachments.services import AttachmentNotFoundError, Edit, NewFile, store_file
from attachments.storage import LONGEST_NAME, remove
from attachments.workshop import redraw
from inbox.errors import DomainError
from inbox.models import Message

ENDING = "-annotated.png"
MOST_DISCARDED = 100


class EditRefusedError(DomainError):
    """What was sent is no picture that can be kept."""

    code = "edit_refused"

    def __init__(self, reason: Reason) -> None:
        super().__init__("The edited picture cannot be stored")
        self.reason = reason


def drafts_of(user: User, message: Message) -> QuerySet[Attachment]:
    """What a person drew on the files of a message and has not sent, the newest of a file last."""
    drafts = Attachment.objects.filter(
        edit_of__message=message, uploaded_by_user=user, state=State.DRAFT
    )
    return drafts.select_related("edit_of", "preview").order_by("id")


def store_edit(
    original: Attachment, *, content: "File[bytes]", by: User, now: datetime
) -> Attachment:
    """Keep an edited copy of a file as a draft.

    1. The picture is drawn anew, so that nothing but a picture can be stored.
    2. It is stored like every file.
    3. Earlier drafts of the same person and file go away.

    Raises: EditRefusedError, StorageUnavailableError, ChannelNotYoursError.
    """
    try:
        picture = redraw(content)
    except RefusedError as refusal:
        raise EditRefusedError(refusal.reason) from refusal
    file = _as_file(picture, original.filename)
    edit = Edit(of=original, by=by)
    stored = store_file(original.channel, file=file, now=now, edit=edit)
    earlier = Attachment.objects.filter(edit_of=original, uploaded_by_user=by, pk__lt=stored.pk)
    _discard(earlier.filter(state=State.DRAFT))
    return stored


def _as_file(picture: bytes, original_name: str) -> NewFile:
    stem = PurePath(original_name).stem[: LONGEST_NAME - len(ENDING)]
    digest = hashlib.sha256(picture).hexdigest()
    return NewFile(stem + ENDING, "image/png", len(picture), digest, ContentFile(picture))


def send_edits(ids: Collection[uuid.UUID]) -> None:
    """Drafts become files like any other. Call it in the transaction of what sends them.

    Raises: AttachmentNotFoundError if one of them is not there any more.
    """
    drafts = Attachment.objects.filter(pk__in=ids, state=State.DRAFT)
    if drafts.update(state=State.READY) != len(ids):
        raise AttachmentNotFoundError("Attachment not found")


def discard_unsent_edits(*, now: datetime) -> int:
    """Delete drafts that cannot be sent any more: every review they could answer is over."""
    oldest = now - settings.REVIEW_LONGEST_WAIT
    unsent = Attachment.objects.filter(
        edit_of__isnull=False,
        state__in=[State.STAGED, State.DRAFT, State.DELETING],
        created_at__lt=oldest,
    )
    return _discard(unsent.order_by("created_at")[:MOST_DISCARDED])


def _discard(files: QuerySet[Attachment]) -> int:
    """Each is marked first, so that it cannot be sent, and its row goes after its objects."""
    count = 0
    for file in files.select_related("preview"):
        unsent = Attachment.objects.filter(pk=file.pk).exclude(state=State.READY)
        if unsent.update(state=State.DELETING):
            _remove_objects(file)
            unsent.delete()
            count += 1
    return count


def _remove_objects(file: Attachment) -> None:
    remove(file.storage_key)
    preview: Preview | None = getattr(file, "preview", None)
    if preview is not None:
        for name in OF_KIND[preview.kind]:
            remove(f"{preview.storage_key}/{name}")
