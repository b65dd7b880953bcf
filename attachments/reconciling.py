"""Comparing rows with objects, both ways, in one pass over each and in bounded memory."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import batched, groupby

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Collate

from accounts.models import Workspace
from attachments import storage
from attachments.backends import StoredObject
from attachments.deleting import remember
from attachments.models import Attachment, Reconciliation, Removal, Sighting, State

logger = logging.getLogger(__name__)

# An object that no row names goes when it was first seen so long ago, and not before.
SECOND_SIGHT_AFTER = timedelta(hours=24)
GIVEN_UP_AFTER = timedelta(hours=3)
BATCH = 500
# Of keys that `new_key` makes; whatever else lies there is not ours to judge.
OURS = re.compile(r"([0-9a-f-]{36}/\d{4}/\d{2}/[0-9a-f]{26})(\.preview/.+)?")
STORED = {State.READY, State.DRAFT}


@dataclass
class Counts:
    """What a comparison found. `lost` and `damaged` are files, the others objects."""

    files: int = 0
    objects: int = 0
    unfinished: int = 0
    lost: int = 0
    damaged: int = 0
    unknown: int = 0
    waiting: int = 0
    removed: int = 0
    foreign: int = 0

    @property
    def clean(self) -> bool:
        """Nothing lost, and nothing too much."""
        return not (self.lost or self.damaged or self.unknown)


@dataclass(frozen=True)
class _Finding:
    """A row without its object, or an object (with its parts) that no row names."""

    row: Attachment | None
    keys: Sequence[str] = ()


def reconcile_daily(*, now: datetime) -> Counts | None:
    """Compare once a day, whoever is first; None if that was done already.

    What somebody began and did not finish is begun again after a while.
    """
    run, first = Reconciliation.objects.get_or_create(day=now.date(), defaults={"started_at": now})
    given_up = Reconciliation.objects.filter(
        pk=run.pk, finished_at=None, started_at__lt=now - GIVEN_UP_AFTER
    )
    if not first and not given_up.update(started_at=now):
        return None
    return reconcile(now=now, delete=True, run=run)


def reconcile(*, now: datetime, delete: bool, run: Reconciliation | None = None) -> Counts:
    """Compare all rows with all objects.

    1. Both come sorted by key, and are read side by side.
    2. What differs is looked at again: meanwhile, files came and went.
    3. An object that no row names is noted, and with `delete` it goes once a day has passed
       since it was first noted. Rows are never changed: a file whose object is lost stays known.

    Raises: StorageUnavailableError.
    """
    counts = Counts()
    for findings in batched(_differences(counts), BATCH):
        _confirm_losses([each.row for each in findings if each.row is not None], counts)
        keys = [key for each in findings for key in each.keys]
        _note_unknown(keys, counts, now=now, delete=delete)
    Sighting.objects.filter(last_seen_at__lt=now).delete()  # gone, or named by a row again
    if run is not None:
        _finish(run, counts, now)
    return counts


def _differences(counts: Counts) -> Iterator[_Finding]:
    rows = _sorted_rows()
    row = next(rows, None)
    for base, objects in _grouped(counts):
        while row is not None and row.storage_key < base:
            yield from _judge(row, [], counts)
            row = next(rows, None)
        if row is not None and row.storage_key == base:
            yield from _judge(row, objects, counts)
            row = next(rows, None)
        else:
            yield _Finding(None, [each.key for each in objects])
    while row is not None:
        yield from _judge(row, [], counts)
        row = next(rows, None)


def _grouped(counts: Counts) -> Iterator[tuple[str, list[StoredObject]]]:
    """Objects by the key of the file that they belong to.

    Only of workspaces that exist: another installation may store in the same place, and whoever
    starts with an empty database must not lose what is there.
    """
    workspaces = {str(key) for key in Workspace.objects.values_list("pk", flat=True)}
    for base, group in groupby(storage.listing(), key=_base):
        if base.partition("/")[0] not in workspaces:
            counts.foreign += sum(1 for _each in group)
            continue
        objects = list(group)
        counts.objects += len(objects)
        yield base, objects


def _base(stored: StoredObject) -> str:
    """The key of the file; empty for what this program did not name."""
    ours = OURS.fullmatch(stored.key)
    return ours[1] if ours else ""


def _sorted_rows() -> Iterator[Attachment]:
    """All rows in the order of their keys' bytes, as storages list them."""
    rows = Attachment.objects.only("storage_key", "state", "size")
    if connection.vendor == "postgresql":
        yield from rows.order_by(Collate("storage_key", "C")).iterator(chunk_size=BATCH)
    else:
        yield from _pages(rows.order_by("storage_key"))


def _pages(rows: QuerySet[Attachment]) -> Iterator[Attachment]:
    """No long read: on SQLite it would keep the log of writes from being folded in."""
    last = ""
    while page := list(rows.filter(storage_key__gt=last)[:BATCH]):
        yield from page
        last = page[-1].storage_key


def _judge(row: Attachment, objects: list[StoredObject], counts: Counts) -> Iterator[_Finding]:
    if row.state not in STORED:
        counts.unfinished += 1
        return
    counts.files += 1
    sizes = {each.key: each.size for each in objects}
    if sizes.get(row.storage_key) != row.size:
        yield _Finding(row)


def _confirm_losses(rows: Sequence[Attachment], counts: Counts) -> None:
    still = Attachment.objects.filter(pk__in=[row.pk for row in rows], state__in=STORED)
    for row in still:
        size = _size_of(row.storage_key)
        if size is None:
            logger.error("file %s is lost: its object %s is gone", row.pk, row.storage_key)
            counts.lost += 1
        elif size != row.size:
            logger.error("file %s is damaged: %s of %s bytes", row.pk, size, row.size)
            counts.damaged += 1


def _size_of(key: str) -> int | None:
    try:
        with storage.open_object(key) as opened:
            return opened.size
    except FileNotFoundError:
        return None


def _note_unknown(keys: Sequence[str], counts: Counts, *, now: datetime, delete: bool) -> None:
    named = Attachment.objects.filter(storage_key__in={key.partition(".")[0] for key in keys})
    known = set(named.values_list("storage_key", flat=True))
    waiting = set(Removal.objects.filter(key__in=keys).values_list("key", flat=True))
    unknown = [key for key in keys if key.partition(".")[0] not in known and key not in waiting]
    counts.waiting += len(waiting)
    with transaction.atomic():
        Sighting.objects.bulk_create(
            [Sighting(key=key, first_seen_at=now, last_seen_at=now) for key in unknown],
            ignore_conflicts=True,
        )
        seen = Sighting.objects.filter(key__in=unknown)
        seen.update(last_seen_at=now)
        due = seen.filter(first_seen_at__lte=now - SECOND_SIGHT_AFTER)
        gone = list(due.values_list("key", flat=True)) if delete else []
        remember(gone)
        Sighting.objects.filter(key__in=gone).delete()
    counts.removed += len(gone)
    counts.unknown += len(unknown) - len(gone)


def _finish(run: Reconciliation, counts: Counts, now: datetime) -> None:
    Reconciliation.objects.filter(pk=run.pk).update(finished_at=now, counts=asdict(counts))
    Reconciliation.objects.filter(day__lt=now.date() - Reconciliation.KEPT).delete()
    if not counts.clean:
        logger.warning("files and objects differ: %s", asdict(counts))
