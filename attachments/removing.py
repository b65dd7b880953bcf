"""People delete files. Where a file was shown it says so afterwards: an answer may rest on it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import User
from attachments.deleting import delete_files
from attachments.models import Attachment
from inbox.models import Message
from inbox.services.messages import announce_message, hold_channel


@transaction.atomic
def remove_files(files: Sequence[Attachment], *, by: User, now: datetime) -> int:
    """Delete files, and return how many there were.

    1. Their channels are held, so that no message takes one of them meanwhile.
    2. Their messages are locked before the files, as everybody does who deletes, and remember
       name, person and time.
    3. Rows and objects go, and who looks at the messages is told.

    Raises: ChannelNotYoursError for a channel deleted meanwhile.
    """
    for channel_id in sorted({file.channel_id for file in files}):
        hold_channel(channel_id)
    current = list(Attachment.objects.filter(pk__in=[file.pk for file in files]).order_by("pk"))
    shown = Message.objects.filter(pk__in={file.message_id for file in current})
    for message in shown.select_for_update().order_by("pk"):
        _note(message, [file for file in current if file.message_id == message.pk], by, now)
    return delete_files(current)


def _note(message: Message, files: Sequence[Attachment], by: User, now: datetime) -> None:
    gone = [{"filename": file.filename, "by": by.name, "at": now.isoformat()} for file in files]
    message.deleted_files = [*(message.deleted_files or []), *gone]
    message.updated_at = now
    message.save(update_fields=["deleted_files", "updated_at"])
    announce_message(message, "attachments")
