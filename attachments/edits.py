"""Edited copies of files: kept as drafts of one person until an answer carries them."""

import hashlib
import uuid
from collections.abc import Collection
from datetime import datetime
from pathlib import PurePath

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db.models import Q, QuerySet

from accounts.models import User
from attachments.conversion.refusals import Reason, RefusedError
from attachments.deleting import delete_files
from attachments.models import Attachment, State
from attachments.services import AttachmentNotFoundError, Edit, NewFile, store_file
from attachments.storage import LONGEST_NAME
from attachments.workshop import redraw
from inbox.errors import DomainError
from inbox.models import Message

ENDING = "-annotated.png"
MOST_DISCARDED = 100
UNSENT = Q(state=State.DRAFT)


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

    Raises: EditRefusedError, StorageUnavailableError, QuotaExceededError, ChannelNotYoursError.
    """
    try:
        picture = redraw(content)
    except RefusedError as refusal:
        raise EditRefusedError(refusal.reason) from refusal
    file = _as_file(picture, original.filename)
    edit = Edit(of=original, by=by)
    stored = store_file(original.channel, file=file, now=now, edit=edit)
    earlier = Attachment.objects.filter(edit_of=original, uploaded_by_user=by, pk__lt=stored.pk)
    delete_files(earlier, where=UNSENT)
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
    if drafts.update(state=State.READY, is_answer=True) != len(ids):
        raise AttachmentNotFoundError("Attachment not found")


def discard_unsent_edits(*, now: datetime) -> int:
    """Delete drafts that cannot be sent any more: every review they could answer is over."""
    oldest = now - settings.REVIEW_LONGEST_WAIT
    unsent = Attachment.objects.filter(UNSENT, created_at__lt=oldest)
    return delete_files(unsent.order_by("created_at")[:MOST_DISCARDED], where=UNSENT)
