"""Writing what must leave, in the transaction that made it necessary."""

import hashlib
import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from delivery.clock import ClockTimestamp
from delivery.egress import origin_of
from delivery.hints import wake_after_commit
from delivery.models import SLOTS, Delivery, Event, Lane, SigningSecret
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


def _address(event: Event, target: Target, now: datetime) -> None:
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
