"""Writing what must leave, in the transaction that made it necessary."""

import hashlib
import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction

from delivery.clock import ClockTimestamp
from delivery.egress import origin_of
from delivery.hints import wake_after_commit
from delivery.models import FINAL_STATES, SLOTS, Delivery, Event, Lane, SigningSecret, State
from delivery.signing import new_secret


@dataclass(frozen=True)
class Target:
    """One receiver: where, how, and with which extra headers (secrets among them)."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Happening:
    """One event. `reference` says what it is about, `scope` whose secret signs it.

    `once_key` is unique: the same thing cannot happen twice.
    """

    workspace_id: uuid.UUID
    type: str
    reference: str
    scope: str
    once_key: str
    body: bytes


def enqueue(happening: Happening, *, target: Target | None, now: datetime) -> Event:
    """Store the event, and a delivery of it if there is somebody to tell.

    Call it inside the transaction of the change itself: then either both exist or neither.
    """
    event = Event.objects.create(
        workspace_id=happening.workspace_id,
        type=happening.type,
        reference=happening.reference,
        scope=happening.scope,
        once_key=happening.once_key,
        body=happening.body.decode(),
        body_sha256=hashlib.sha256(happening.body).hexdigest(),
        created_at=now,
    )
    if target is not None:
        _address(event, target, now)
    return event


@transaction.atomic
def send_again(event: Event, *, target: Target, now: datetime) -> None:
    """Send a stored event once more, to the address that is meant for it today.

    1. A delivery to that address that still waits becomes due at once: the receiver would get the
       same event twice otherwise.
    2. Deliveries that wait for another address are cancelled.
    3. Otherwise a new delivery of the same event is made. Its id and bytes stay the same, so a
       receiver can tell that it knows them.
    """
    event = Event.objects.select_for_update().get(pk=event.pk)
    key = hashlib.sha256(target.url.encode()).hexdigest()
    waiting = event.deliveries.filter(state=State.PENDING)
    waiting.exclude(target_key=key).update(state=State.CANCELLED, finished_at=now)
    if waiting.filter(target_key=key).update(next_attempt_at=ClockTimestamp()):
        wake_after_commit(waiting.filter(target_key=key).values_list("lane_id", flat=True)[0])
        return
    earlier = event.deliveries.filter(target_key=key).order_by("-replay_no").first()
    if earlier is None or earlier.state in FINAL_STATES:
        _address(event, target, now, replay_no=0 if earlier is None else earlier.replay_no + 1)


def _address(event: Event, target: Target, now: datetime, *, replay_no: int = 0) -> None:
    lane = _lane(event.workspace_id, target.url, event.scope)
    ensure_secret(workspace_id=event.workspace_id, scope=event.scope)
    Delivery.objects.create(
        event=event,
        lane=lane,
        url=target.url,
        method=target.method,
        headers_json=json.dumps(dict(target.headers)),
        signing_scope=event.scope,
        target_key=hashlib.sha256(target.url.encode()).hexdigest(),
        replay_no=replay_no,
        next_attempt_at=ClockTimestamp(),
        give_up_at=now + settings.DELIVERY_GIVE_UP_AFTER,
        created_at=now,
    )
    wake_after_commit(lane.pk)


def _lane(workspace_id: uuid.UUID, url: str, scope: str) -> Lane:
    """One channel's events share a slot, so their first attempts keep their order."""
    slot = zlib.crc32(scope.encode()) % SLOTS
    lane, _created = Lane.objects.get_or_create(
        workspace_id=workspace_id, origin=origin_of(url), slot=slot
    )
    return lane


def ensure_secret(*, workspace_id: uuid.UUID, scope: str) -> SigningSecret:
    """The live secret of a scope, made on first use."""
    secret, _created = SigningSecret.objects.get_or_create(
        scope=scope,
        expires_at=None,
        defaults={"workspace_id": workspace_id, "secret": new_secret()},
    )
    return secret
