"""How much room the files of one workspace may take together."""

import uuid

from django.conf import settings
from django.db.models import Sum

from accounts.models import Workspace
from attachments.models import Attachment
from inbox.errors import DomainError

MEGABYTE = 1024 * 1024


class QuotaExceededError(DomainError):
    """The workspace has no room for the file."""

    code = "quota_exceeded"

    def __init__(self) -> None:
        room = settings.STORAGE_QUOTA // MEGABYTE
        super().__init__(
            f"The files of this workspace may take {room} MB together. Delete some first."
        )


def require_room(workspace_id: uuid.UUID, size: int) -> None:
    """Call it in the transaction that writes the file's row.

    The workspace is locked, so that of two files for which there is room once, one is stored.

    Raises: QuotaExceededError.
    """
    if not settings.STORAGE_QUOTA:
        return
    list(Workspace.objects.select_for_update(no_key=True).filter(pk=workspace_id))
    if taken_by(workspace_id) + size > settings.STORAGE_QUOTA:
        raise QuotaExceededError


def taken_by(workspace_id: uuid.UUID) -> int:
    """Bytes of all its files, those that are being received too. Previews are not counted."""
    files = Attachment.objects.filter(workspace_id=workspace_id)
    taken: int | None = files.aggregate(total=Sum("size"))["total"]
    return taken or 0
