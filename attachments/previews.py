"""Writes about previews: wanted with the file, made by a worker, closed once."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from attachments.conversion.refusals import Reason, RefusedError
from attachments.deleting import part_keys, remember
from attachments.hints import wake_after_commit
from attachments.kinds import preview_of
from attachments.models import Attachment, Preview, PreviewState, State
from attachments.storage import StorageUnavailableError, replace
from attachments.workshop import make_parts

logger = logging.getLogger(__name__)

# Longer than a conversion may take, with copying: whoever holds a lease that ran out is dead.
LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 3


def want_preview(file: Attachment) -> None:
    """Ask for a file's preview, if files of its kind have one. Call it in its transaction."""
    kind = preview_of(file.filename, file.mime_type)
    if kind:
        key = f"{file.storage_key}.preview"
        Preview.objects.create(attachment=file, kind=kind, storage_key=key)
        wake_after_commit()


@transaction.atomic
def want_again(previews: QuerySet[Preview]) -> None:
    """Ask once more for previews that are closed: what failed before may work now."""
    closed = previews.exclude(state=PreviewState.WANTED)
    closed.update(state=PreviewState.WANTED, failure="", attempts=0, made_at=None)
    wake_after_commit()


def make_next_preview(*, now: datetime) -> bool:
    """Make one preview that is wanted; False if none is.

    1. A lease is taken in a transaction of its own. One UPDATE decides who has it.
    2. The preview is made outside of any transaction.
    3. One UPDATE closes it. A worker that dies in between leaves the lease to run out, and a file
       that ends its workers is given up after three of them.
    """
    preview = _lease(now)
    if preview is None:
        return False
    if preview.attempts > MOST_ATTEMPTS:
        _close(preview, state=PreviewState.FAILED, failure=Reason.TOO_SLOW)
        return True
    try:
        _make(preview)
    except RefusedError as refusal:
        logger.info("no preview of file %s: %s", preview.pk, refusal.reason)
        _close(preview, state=PreviewState.FAILED, failure=refusal.reason)
    except StorageUnavailableError:
        return False  # the lease runs out, and then it is tried again
    return True


def _lease(now: datetime) -> Preview | None:
    free = Preview.objects.filter(state=PreviewState.WANTED).filter(
        Q(leased_until=None) | Q(leased_until__lte=now)
    )
    for candidate in free.order_by("created_at")[:10]:
        mine = free.filter(pk=candidate.pk, attempts=candidate.attempts)
        if mine.update(leased_until=now + LEASE, attempts=F("attempts") + 1):
            return Preview.objects.select_related("attachment").filter(pk=candidate.pk).first()
    return None


def _make(preview: Preview) -> None:
    file = preview.attachment
    if file.state not in {State.READY, State.DRAFT}:
        raise RefusedError(Reason.GONE)
    for name, content in make_parts(file, preview.kind).items():
        replace(f"{preview.storage_key}/{name}", content)
    _close(preview, state=PreviewState.READY)
    if not Preview.objects.filter(pk=preview.pk).exists():  # deleted while it was made
        remember(part_keys(preview))


def _close(preview: Preview, **fields: str) -> None:
    """Whoever closes it first is right: both looked at the same bytes."""
    wanted = Preview.objects.filter(pk=preview.pk, state=PreviewState.WANTED)
    wanted.update(leased_until=None, made_at=timezone.now(), **fields)
