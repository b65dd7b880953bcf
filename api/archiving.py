"""Old messages leave the database: first into an archive, if there is to be one, then for good.

A batch goes through it like this, and a process that is killed anywhere in it loses nothing:

1. The oldest messages that are over are read as lists show them, without what was typed into
   password fields.
2. They are written to their month's file, synced, and read back.
3. One short transaction looks at them again and deletes those that are as they were written, with
   their reviews, files and steps. What changed meanwhile stays, for the next run.

Nothing is announced: for agents, an old message that is kept elsewhere is no deleted message.
"""

import contextlib
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.ids import first_id
from accounts.models import Workspace
from api.archive_files import MonthFile, only_one
from api.placet.wire import loaded, page_body
from delivery import faults
from inbox.models import Message, StatusEvent, StreamState, Thread
from reviews.models import Status

BATCH = 200


class TooYoungError(Exception):
    """What is younger may still have to be delivered, or be answered. The text says since when."""


@dataclass
class Removed:
    messages: int = 0
    kept_back: int = 0  # changed while they were archived

    def note(self, gone: int, *, of: int) -> None:
        self.messages += gone
        self.kept_back += of - gone


def remove_messages(
    *, before: datetime, now: datetime, folder: Path | None, most: int | None = None
) -> Removed:
    """Remove what is older than `before`, at most so many; into `folder` first, if one is named.

    Raises: TooYoungError, ArchiveError.
    """
    if before > now - settings.DELIVERY_GIVE_UP_AFTER:
        hours = settings.DELIVERY_GIVE_UP_AFTER.total_seconds() / 3600
        raise TooYoungError(f"Messages of the last {hours:.0f} hours may not have arrived yet")
    removed = Removed()
    with only_one(folder) if folder else contextlib.nullcontext():
        for workspace in Workspace.objects.order_by("pk"):
            for batch in _batches(workspace, before):
                if folder is not None:
                    _archive(workspace, batch, folder)
                faults.hit("archive.before_delete")
                removed.note(_delete(batch, before), of=len(batch))
                faults.hit("archive.after_delete")
                if most is not None and removed.messages >= most:
                    return removed
    return removed


def _batches(workspace: Workspace, before: datetime) -> Iterator[list[Message]]:
    """Messages that are over, the oldest first; each batch is of one month."""
    old = Message.objects.filter(workspace=workspace, pk__lt=first_id(before)).order_by("pk")
    ids: list[uuid.UUID] = []
    while ids := list(_behind(old, ids).values_list("pk", flat=True)[:BATCH]):
        page = loaded(_over(ids, before)).order_by("pk")
        for _of_month, batch in groupby(page, key=_month):
            yield list(batch)


def _behind(old: QuerySet[Message], ids: Sequence[uuid.UUID]) -> QuerySet[Message]:
    return old.filter(pk__gt=ids[-1]) if ids else old


def _month(message: Message) -> datetime:
    at: datetime = message.created_at.astimezone(UTC)
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _over(ids: Collection[uuid.UUID], before: datetime) -> QuerySet[Message]:
    """Those that nobody waits for. A chain of revisions goes as a whole, or stays."""
    rows = Message.objects.filter(pk__in=ids).exclude(stream_state=StreamState.STREAMING)
    rows = rows.exclude(review__status=Status.PENDING)
    chains = set(rows.values_list("iteration_group", flat=True)) - {None}
    alive = Q(pk__gte=first_id(before)) | Q(review__status=Status.PENDING)
    members = Message.objects.filter(alive, iteration_group__in=chains)
    return rows.exclude(iteration_group__in=set(members.values_list("iteration_group", flat=True)))


def _archive(workspace: Workspace, batch: Sequence[Message], folder: Path) -> None:
    """All of one month. Raises: ArchiveError."""
    with MonthFile(folder, workspace.pk, _month(batch[0])) as file:
        file.keep(page_body(batch))


@transaction.atomic
def _delete(batch: Sequence[Message], before: datetime) -> int:
    """Those that are as they were read, under the lock of their rows."""
    read = {message.pk: message for message in batch}
    locked = Message.objects.select_for_update().filter(pk__in=list(read)).order_by("pk")
    there = {message.pk: message for message in locked}
    over = set(_over(there.keys(), before).values_list("pk", flat=True))
    same = [pk for pk in over if _unchanged(read[pk], there[pk])]
    gone = [there[pk] for pk in same]
    _delete_steps(gone)
    Message.objects.filter(pk__in=same).delete()
    _delete_empty_threads({message.thread_id for message in gone if message.thread_id})
    return len(same)


def _unchanged(read: Message, now: Message) -> bool:
    fields = ("updated_at", "delivery_status", "text", "stream_state", "deleted_files")
    return all(getattr(read, name) == getattr(now, name) for name in fields)


def _delete_steps(messages: Sequence[Message]) -> None:
    streams = {(message.channel_id, message.stream_id) for message in messages}
    for channel_id, stream_id in streams:
        if stream_id is not None:
            StatusEvent.objects.filter(channel=channel_id, stream_id=stream_id).delete()


def _delete_empty_threads(threads: Collection[uuid.UUID]) -> None:
    """Whoever speaks in one of them again begins it anew."""
    if threads:
        said = Message.objects.filter(thread=OuterRef("pk"))
        Thread.objects.filter(~Exists(said), pk__in=threads).delete()
