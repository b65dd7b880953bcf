"""Which devices are told what: reviews that are new, and reviews that are over.

All of it is read from the database, a little after it happened. Posting and answering pay nothing
for it, and a worker that was away, or a Redis that was emptied, loses nothing but time.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Subquery, UUIDField

from accounts.ids import first_id
from accounts.models import Membership, Workspace
from delivery.models import Push, PushSubscription
from delivery.push.queue import Notice, announce, finish, followed, tell_again
from inbox.cutting import CountOf
from inbox.queries import mutes_in
from reviews.models import ReviewRead, ReviewRequest, Status
from web.notices import ending, news, trial, withdrawal

# What is older when a worker first sees it is in the inbox, and wakes nobody.
NEWS_FOR = timedelta(minutes=10)
# More of them on one device are read by nobody.
MOST_SHOWN = 50
SEALED = ("payload", "subscription__endpoint", "subscription__auth")
# One batch is one transaction; the next tick takes the next.
ENDINGS_AT_ONCE = 200
TRIAL_LIVES = timedelta(minutes=1)


def tell_devices(*, now: datetime) -> None:
    """Queue what devices are to be told: first what is over, then what is new."""
    _tell_endings()
    devices = list(_devices(now))
    if devices:
        _tell_news(devices, now)


def send_trial(device: PushSubscription, workspace: Workspace, *, now: datetime) -> None:
    """Show a person that notifications work."""
    tell_again(Notice(device.pk, workspace.pk, device.pk, trial(), now + TRIAL_LIVES))


def _devices(now: datetime) -> Any:
    """Those that nobody is looking at, each with the workspace that the pages show the person."""
    memberships = Membership.objects.filter(user=OuterRef("user")).order_by("created_at")
    shown = Subquery(memberships.values("workspace")[:1], output_field=UUIDField())
    devices = PushSubscription.objects.annotate(workspace_id=shown).defer("endpoint", "auth")
    return devices.filter(
        user__is_active=True, workspace_id__isnull=False, visible_until__lte=now
    ).select_related("user")


def _tell_news(devices: Sequence[Any], now: datetime) -> None:
    """Tell each device about the pending reviews that are younger than it is, and young."""
    workspaces = {device.workspace_id for device in devices}
    fresh = _fresh(workspaces, now)
    told = _told({about for about, *_ in fresh})
    muted = mutes_in(workspaces) if fresh else set()
    missing = [
        (device, about)
        for device in devices
        for about, workspace_id, channel_id, asked_at in fresh
        if workspace_id == device.workspace_id
        and asked_at >= device.created_at
        and (device.user_id, channel_id) not in muted
        and (device.pk, about) not in told
    ]
    if missing:
        read = _read({about for _device, about in missing})
        announce(_news([each for each in missing if (each[0].user_id, each[1]) not in read]))


def _fresh(workspaces: Collection[uuid.UUID], now: datetime) -> list[tuple[Any, ...]]:
    reviews = ReviewRequest.objects.filter(
        workspace__in=workspaces,
        status=Status.PENDING,
        pk__gte=first_id(now - NEWS_FOR),
        expires_at__gt=now,
    )
    return list(reviews.values_list("pk", "workspace", "channel", "created_at").order_by("pk"))


def _told(reviews: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Who was told about which of these before."""
    if not reviews:
        return set()
    pushes = Push.objects.filter(about__in=reviews)
    return set(pushes.values_list("subscription", "about"))


def _read(reviews: Collection[uuid.UUID]) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Who has opened which of these, on any device."""
    return set(ReviewRead.objects.filter(review__in=reviews).values_list("user", "review"))


def _news(missing: Sequence[tuple[Any, uuid.UUID]]) -> list[Notice]:
    """A device that shows as many as anybody reads is left in peace."""
    reviews = _reviews({about for _device, about in missing})
    waiting = _waiting({device.workspace_id for device, _about in missing})
    room = _room({device.pk for device, _about in missing})
    notices = []
    for device, about in missing:
        review = reviews.get(about)
        if review is None or room[device.pk] < 1:
            continue
        room[device.pk] -= 1
        pending = waiting[device.workspace_id]
        payload = news(review, with_title=device.show_titles, pending=pending)
        notices.append(
            Notice(device.pk, device.workspace_id, about, payload, expires_at=review.expires_at)
        )
    return notices


def _tell_endings() -> None:
    """Say how it ended where somebody was told that it began."""
    open_still = ReviewRequest.objects.filter(pk=OuterRef("about"), status=Status.PENDING)
    # Looked up for each: joined, all open reviews would be read.
    over = followed().alias(open=Subquery(open_still.values("pk")[:1])).filter(open=None)
    over = over.order_by("pk").select_related("subscription__user")
    pushes = list(over.defer(*SEALED)[:ENDINGS_AT_ONCE])
    if pushes:
        reviews = _reviews({push.about for push in pushes})
        waiting = _waiting({push.workspace_id for push in pushes})
        finish({push.pk: _ending(push, reviews.get(push.about), waiting) for push in pushes})


def _ending(push: Push, review: ReviewRequest | None, waiting: dict[uuid.UUID, int]) -> str:
    pending = waiting[push.workspace_id]
    if review is None:
        return withdrawal(push.about, pending=pending)
    return ending(review, to=push.subscription.user, pending=pending)


def _reviews(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, ReviewRequest]:
    found = ReviewRequest.objects.filter(pk__in=ids)
    found = found.select_related("message", "channel", "decided_by")
    return {review.pk: review for review in found}


def _waiting(workspaces: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many reviews wait in each workspace: the number on the icon."""
    pending = ReviewRequest.objects.filter(workspace=OuterRef("pk"), status=Status.PENDING)
    counted = Workspace.objects.filter(pk__in=workspaces).annotate(pending=CountOf(pending))
    return dict.fromkeys(workspaces, 0) | dict(counted.values_list("pk", "pending"))


def _room(devices: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many more notifications each device can take."""
    shown = followed().filter(subscription__in=devices)
    counted = dict(shown.values_list("subscription").annotate(number=Count("pk")))
    return {device: MOST_SHOWN - counted.get(device, 0) for device in devices}
