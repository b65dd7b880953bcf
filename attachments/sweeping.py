"""What nobody finished: uploads that broke off, and files that no message ever claimed."""

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from attachments import storage
from attachments.deleting import delete_files
from attachments.models import Attachment, State

# Longer than any upload takes: whoever received it is gone.
UNFINISHED_AFTER = timedelta(hours=24)
BATCH = 200
MOST_BATCHES = 50


def sweep(*, now: datetime) -> int:
    """Delete files that were never finished, or not claimed in time; returns how many."""
    count = _delete(Q(state=State.STAGED, created_at__lt=now - UNFINISHED_AFTER))
    if settings.UNLINKED_FILES_KEPT:
        count += _delete(unlinked_since(now - settings.UNLINKED_FILES_KEPT))
    _clear_received(now)
    storage.drop_unfinished(before=now - UNFINISHED_AFTER)
    return count


def unlinked_since(moment: datetime) -> Q:
    """On no message. What went to an agent with an answer is on none either, and stays."""
    return Q(state=State.READY, message=None, is_answer=False, created_at__lt=moment)


def _delete(which: Q) -> int:
    """A batch is a transaction; a message that claims a file meanwhile keeps it."""
    count = 0
    for _number in range(MOST_BATCHES):
        found = Attachment.objects.filter(which).order_by("created_at")[:BATCH]
        deleted = delete_files(found, where=which)
        count += deleted
        if deleted < BATCH:
            break
    return count


def _clear_received(now: datetime) -> None:
    """Bodies of requests whose process was killed while it received them."""
    oldest = (now - UNFINISHED_AFTER).timestamp()
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue
