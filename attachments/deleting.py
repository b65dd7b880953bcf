"""Deleting files: a row goes with its transaction, its objects soon after the commit."""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import post_delete, pre_delete
from django.dispatch import receiver

from attachments.conversion.parts import OF_KIND
from attachments.models import Attachment, Preview, Removal
from attachments.storage import StorageUnavailableError, delete
from delivery import faults

TRY_AGAIN_AFTER = timedelta(minutes=1)
MOST_AT_ONCE = 500
MOST_REFUSED = 3


@transaction.atomic
def delete_files(
    files: QuerySet[Attachment] | Sequence[Attachment], *, where: Q | None = None
) -> int:
    """Delete files, and return how many there were. Drafts of drawings on them go too.

    1. The rows are locked, so that nothing is put on them meanwhile.
    2. Edited copies that agents were told of stay, as files of their own.
    3. The rows go, and in the same transaction it is remembered which objects have to.
    4. A worker removes the objects after the commit.

    `where` is looked at again under the lock: a file that a message claimed since may stay.
    """
    ids = [file.pk for file in files]
    rows = Attachment.objects.select_for_update().filter(where or Q(), pk__in=ids)
    found = list(rows.order_by("pk").values_list("pk", flat=True))
    Attachment.objects.filter(edit_of__in=found, is_answer=True).update(edit_of=None)
    Attachment.objects.filter(pk__in=found).delete()
    return len(found)


class _Going(threading.local):
    """Objects of rows that are about to go in this thread, with whatever `origin` goes.

    Django announces every row of a deletion before it deletes the first one. So they are remembered
    in one statement, as soon as some are gone.
    """

    def __init__(self) -> None:
        self._origin: object = None
        self._keys: list[str] = []

    def note(self, origin: object, keys: Iterable[str]) -> None:
        """What another deletion noted stays where it is: that one failed."""
        if origin is not self._origin:
            self._origin, self._keys = origin, []
        self._keys += keys

    def remember(self) -> None:
        keys, self._origin, self._keys = self._keys, None, []
        if keys:
            remember(keys)


_going = _Going()


@receiver(pre_delete, sender=Attachment)
def _note_object(instance: Attachment, origin: object, **_: Any) -> None:
    """Django calls it for each row, also for those that go with a message or a workspace."""
    _going.note(origin, [instance.storage_key])


@receiver(pre_delete, sender=Preview)
def _note_parts(instance: Preview, origin: object, **_: Any) -> None:
    _going.note(origin, part_keys(instance))


@receiver(post_delete, sender=Attachment)
@receiver(post_delete, sender=Preview)
def _remember_noted(**_: Any) -> None:
    _going.remember()


def part_keys(preview: Preview) -> list[str]:
    return [f"{preview.storage_key}/{name}" for name in OF_KIND[preview.kind]]


def remember(keys: Iterable[str]) -> None:
    """Have objects removed after the commit. Call it where their rows go."""
    Removal.objects.bulk_create([Removal(key=key) for key in keys], ignore_conflicts=True)


def remove_objects(*, now: datetime) -> int:
    """Remove what is due, and return how many objects went.

    Each is forgotten after it is gone: a worker that dies in between leaves it to the next, and
    to remove what is not there is no failure. What the storage refuses is tried again later; one
    that refuses several in a row is left alone until the next tick.
    """
    count = refused = 0
    for removal in Removal.objects.filter(due_at__lte=now).order_by("due_at")[:MOST_AT_ONCE]:
        try:
            faults.hit("file.before_object_delete", removal.key)
            delete(removal.key)
        except StorageUnavailableError:
            Removal.objects.filter(pk=removal.pk).update(due_at=now + TRY_AGAIN_AFTER)
            refused += 1
            if refused == MOST_REFUSED:
                break
            continue
        refused = 0
        faults.hit("file.after_object_delete", removal.key)
        Removal.objects.filter(pk=removal.pk).delete()
        count += 1
    return count
