"""What Celery may ask for: safe to run twice, late or never."""

import threading

from celery import shared_task
from django.utils import timezone

from attachments.deleting import remove_objects
from attachments.edits import discard_unsent_edits
from attachments.previews import make_next_preview
from attachments.reconciling import reconcile_daily
from attachments.sweeping import sweep
from attachments.workshop import clear_left_overs

# A worker makes one at a time: its other threads stay free for what is more urgent.
_workshop = threading.Lock()
_removing = threading.Lock()
MOST_IN_A_ROW = 200


@shared_task(name="attachments.make_previews")
def make_previews(**_: object) -> None:
    """Make what is wanted, unless this process is at it already."""
    if not _workshop.acquire(blocking=False):
        return
    try:
        for _number in range(MOST_IN_A_ROW):
            if not make_next_preview(now=timezone.now()):
                return
    finally:
        _workshop.release()


@shared_task(name="attachments.tick_previews")
def tick_previews(**_: object) -> None:
    """The same without an occasion: a hint was lost, or a lease ran out."""
    clear_left_overs(now=timezone.now())
    make_previews()


@shared_task(name="attachments.tick_discard_edits")
def tick_discard_edits(**_: object) -> None:
    """Drawings that were never sent go away."""
    discard_unsent_edits(now=timezone.now())


@shared_task(name="attachments.tick_remove_objects")
def tick_remove_objects(**_: object) -> None:
    """Objects of deleted files go away."""
    if not _removing.acquire(blocking=False):
        return
    try:
        remove_objects(now=timezone.now())
    finally:
        _removing.release()


@shared_task(name="attachments.tick_sweep")
def tick_sweep(**_: object) -> None:
    """What nobody finished goes away, and once a day rows are compared with objects.

    A worker that was just started must not wait for a day: which days were done, the database
    knows.
    """
    sweep(now=timezone.now())
    reconcile_daily(now=timezone.now())
