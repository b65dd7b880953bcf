"""The feed: every event of a workspace in one order, for agents that were down.

A reader that goes on from its cursor never misses an event and never gets one twice:

1. Ids are no order to read by. They follow the time of writing, but a transaction that wrote
   earlier may commit later; its event would appear behind a reader that is already past it.
2. So events get places (1, 2, 3, …) when they are read. Only committed events can be seen, so only
   they get one; what commits later gets a later place, whatever its id says.
3. Who gives places holds the workspace's FeedHead row until its commit. The next one continues
   where it ended: no place is given twice, and none below one that somebody may have read.
4. A page ends at the head that was read before it: every place up to there is committed. A place
   is never changed, so a cursor, which is a place, always divides the feed in the same two parts.

Where there is nothing new, nothing is written and nothing is locked.
"""

import hashlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from delivery.models import Event, FeedHead

# What one call orders at most: after a year without a reader, the first call must not take long.
BATCH = 1000
ROWS_A_STATEMENT = 200
CURSOR = re.compile("([0-9a-f]{1,16})-[0-9a-f]{16}")
DIGEST_LENGTH = 16


class CursorRefusedError(Exception):
    """This feed did not give out such a cursor; the text says what to do."""


@dataclass(frozen=True)
class FeedPage:
    """Events in their order, the cursor to go on with, and whether there is more by now."""

    events: Sequence[Event]
    cursor: str
    has_more: bool


def read_feed(
    workspace_id: uuid.UUID, *, after: str | None, limit: int, scope: str | None = None
) -> FeedPage:
    """The events behind a cursor, or the oldest ones; with `scope`, those of one signer only.

    Raises: CursorRefusedError.
    """
    start = 0 if after is None else _place_of(workspace_id, after)
    unplaced_remain = _give_places(workspace_id)
    heads = FeedHead.objects.filter(workspace=workspace_id)
    head = heads.values_list("position", flat=True).first() or 0
    if start > head:
        raise CursorRefusedError(
            "after is ahead of this feed: the server's data may come from an older copy. Begin "
            "without after, and drop the ids that you know"
        )
    events = Event.objects.filter(workspace=workspace_id, position__gt=start, position__lte=head)
    if scope is not None:
        events = events.filter(scope=scope)
    found = list(events.order_by("position")[: limit + 1])
    page, full = found[:limit], len(found) > limit
    # With nothing left up to the head, the next call need not pass other channels' events again.
    end = (page[-1].position if full else None) or head
    return FeedPage(page, _cursor(workspace_id, end), full or unplaced_remain)


def _give_places(workspace_id: uuid.UUID) -> bool:
    """Append committed events to the feed, in the order of their ids. True if some are left."""
    unplaced = Event.objects.filter(workspace=workspace_id, position=None)
    if not unplaced.exists():
        return False
    with transaction.atomic():
        head = _locked_head(workspace_id)
        # Looked up under the lock: what another reader has placed meanwhile is not seen again.
        waiting = list(unplaced.order_by("id").only("id")[: BATCH + 1])
        batch = waiting[:BATCH]
        for event in batch:
            head.position += 1
            event.position = head.position
        if batch:
            Event.objects.bulk_update(batch, ["position"], batch_size=ROWS_A_STATEMENT)
            head.save(update_fields=["position"])
    return len(waiting) > BATCH


def _locked_head(workspace_id: uuid.UUID) -> FeedHead:
    heads = FeedHead.objects.select_for_update().filter(workspace=workspace_id)
    head = heads.first()
    if head is None:
        # Somebody else may make it at this moment: then theirs is the one.
        FeedHead.objects.bulk_create([FeedHead(workspace_id=workspace_id)], ignore_conflicts=True)
        head = heads.get()
    return head


def _cursor(workspace_id: uuid.UUID, place: int) -> str:
    """A place as it is shown. The digest tells a cursor of another feed from one of this one."""
    digest = hashlib.sha256(f"{workspace_id}:{place}".encode()).hexdigest()
    return f"{place:x}-{digest[:DIGEST_LENGTH]}"


def _place_of(workspace_id: uuid.UUID, cursor: str) -> int:
    """Raises: CursorRefusedError."""
    shown = CURSOR.fullmatch(cursor)
    place = int(shown[1], 16) if shown else 0
    if shown is None or cursor != _cursor(workspace_id, place):
        raise CursorRefusedError(
            "after must be a cursor of this feed; leave it out to begin with the oldest event"
        )
    return place
