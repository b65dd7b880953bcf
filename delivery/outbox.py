"""Writing what must leave, in the transaction that made it necessary."""

import hashlib
import json
import uuid
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from delivery.clock import ClockTimestamp
from delivery.egress import origin_of
from delivery.hints import wake_after_commit
from delivery.lanes import enable
from delivery.models import (
    FAILED_STATES,
    FINAL_STATES,
    SLOTS,
    Delivery,
    Event,
    GoneUrl,
    Lane,
    State,
)


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


def enqueue(notices: Sequence[tuple[Happening, Target | None]], *, now: datetime) -> None:
    """Store events, and a delivery of each that somebody is to be told of.

    Call it inside the transaction of the change itself: then either both exist or neither.
    """
    events = [_event(happening, now) for happening, _ in notices]
    Event.objects.bulk_create(events)
    wanted = [(event, target) for event, (_, target) in zip(events, notices, strict=True) if target]
    _address(wanted, now)


def _event(happening: Happening, now: datetime) -> Event:
    return Event(
        workspace_id=happening.workspace_id,
        type=happening.type,
        reference=happening.reference,
        scope=happening.scope,
        once_key=happening.once_key,
        body=happening.body.decode(),
        body_sha256=hashlib.sha256(happening.body).hexdigest(),
        created_at=now,
    )


def send_again(event: Event, *, target: Target, now: datetime) -> Delivery | None:
    """Send a stored event once more, to the address that is meant for it today.

    1. A delivery to that address that still waits becomes due at once: the receiver would get the
       same event twice otherwise.
    2. Deliveries that wait for another address are cancelled; one in the air is its last try.
    3. Otherwise a new delivery of the same event is made. Its id and bytes stay the same, so a
       receiver can tell that it knows them.

    A person who asks for this says that the receiver works again: a breaker that is open closes,
    and an address that answered 410 is tried again. Returns the delivery that will be sent; None
    if one is on its way right now.
    """
    # Before the transaction: engines hold lanes and want deliveries, as this one the other way.
    trust_again(workspace_id=event.workspace_id, urls=[target.url])
    return _send_again(event, target, now)


@transaction.atomic
def _send_again(event: Event, target: Target, now: datetime) -> Delivery | None:
    event = Event.objects.select_for_update().get(pk=event.pk)
    key = key_of(target.url)
    cancel(event.deliveries.exclude(target_key=key), now=now)
    same = event.deliveries.filter(target_key=key)
    waiting = same.filter(state=State.PENDING)
    if waiting.update(next_attempt_at=ClockTimestamp(), give_up_at=_give_up_at(now)):
        wake_after_commit()
        return waiting.get()
    earlier = same.order_by("-replay_no").first()
    if earlier is not None and earlier.state not in FINAL_STATES:
        return None
    return _address([(event, target)], now, earlier=[earlier] if earlier else [])[0]


def send_failed_again(wanted: Mapping[str, Target], *, now: datetime) -> int:
    """Send events that failed for good once more: many at once, by event id.

    What meanwhile waits, is on its way or was delivered is left alone: somebody else may ask for
    the same at this moment. Returns how many will be sent.
    """
    urls: dict[uuid.UUID, set[str]] = defaultdict(set)
    for event in Event.objects.filter(pk__in=wanted).only("workspace_id"):
        urls[event.workspace_id].add(wanted[event.pk].url)
    for workspace_id, trusted in urls.items():
        trust_again(workspace_id=workspace_id, urls=trusted)
    return _send_failed_again(wanted, now)


@transaction.atomic
def _send_failed_again(wanted: Mapping[str, Target], now: datetime) -> int:
    locked = Event.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    events = list(locked.defer("body"))
    known = Delivery.objects.filter(event__in=events).order_by("replay_no")
    rows = list(known.only("event_id", "target_key", "replay_no", "state"))
    settled = {row.event_id for row in rows if row.state not in FAILED_STATES | {State.CANCELLED}}
    again = [(event, wanted[event.pk]) for event in events if event.pk not in settled]
    return len(_address(again, now, earlier=rows))


def repeat(deliveries: Iterable[Delivery], *, now: datetime) -> int:
    """Send deliveries that failed for good again: the same event, address and headers.

    Each in a transaction of its own. What was erased meanwhile cannot be sent. Returns how many
    will be sent.
    """
    return sum(
        send_again(delivery.event, target=_same_target(delivery), now=now) is not None
        for delivery in deliveries
        if delivery.state in FAILED_STATES and delivery.event.body is not None
    )


def _same_target(delivery: Delivery) -> Target:
    headers = json.loads(delivery.headers_json or "{}")
    return Target(url=delivery.url, method=delivery.method, headers=headers)


@transaction.atomic
def cancel(deliveries: QuerySet[Delivery], *, now: datetime) -> int:
    """End what waits. What is in the air ends as it ends, and is not tried again.

    Locked first, in the order in which engines lock: nothing leaves, or comes back, between the
    two statements. Returns how many were cancelled.
    """
    open_states = {State.PENDING, State.SENDING}
    unfinished = deliveries.filter(state__in=open_states).select_for_update(no_key=True)
    ids = list(unfinished.order_by("pk").values_list("pk", flat=True))
    rows = Delivery.objects.filter(pk__in=ids)
    rows.filter(state=State.SENDING).update(give_up_at=now)
    return rows.filter(state=State.PENDING).update(state=State.CANCELLED, finished_at=now)


def trust_again(*, workspace_id: uuid.UUID, urls: Collection[str]) -> None:
    """A person says that these receivers work: their breakers close, and a 410 is forgotten."""
    origins = {origin_of(url) for url in urls}
    enable(Lane.objects.filter(workspace_id=workspace_id, origin__in=origins))
    gone = GoneUrl.objects.filter(workspace_id=workspace_id)
    gone.filter(url_sha256__in=[key_of(url) for url in urls]).delete()


def _address(
    wanted: Sequence[tuple[Event, Target]], now: datetime, *, earlier: Iterable[Delivery] = ()
) -> list[Delivery]:
    """A delivery for each event and its target, after the `earlier` one to the same address."""
    places = [_place(event, target) for event, target in wanted]
    lanes = _lanes(set(places))
    before = {(row.event_id, row.target_key): row for row in earlier}
    deliveries = [
        _delivery(event, target, lanes[place], now, before.get((event.pk, key_of(target.url))))
        for (event, target), place in zip(wanted, places, strict=True)
    ]
    Delivery.objects.bulk_create(deliveries)
    if deliveries:
        wake_after_commit()
    return deliveries


def _delivery(
    event: Event, target: Target, lane: Lane, now: datetime, earlier: Delivery | None
) -> Delivery:
    return Delivery(
        event=event,
        lane=lane,
        url=target.url,
        method=target.method,
        headers_json=json.dumps(dict(target.headers)),
        signing_scope=event.scope,
        target_key=key_of(target.url),
        replay_no=earlier.replay_no + 1 if earlier else 0,
        replay_of=earlier,
        next_attempt_at=ClockTimestamp(),
        give_up_at=_give_up_at(now),
        created_at=now,
    )


def _give_up_at(now: datetime) -> datetime:
    return now + settings.DELIVERY_GIVE_UP_AFTER


def key_of(url: str) -> str:
    """What an address is found by, however long it is."""
    return hashlib.sha256(url.encode()).hexdigest()


type Place = tuple[uuid.UUID, str, int]


def _place(event: Event, target: Target) -> Place:
    return event.workspace_id, origin_of(target.url), slot_of(event.scope)


def slot_of(scope: str) -> int:
    """One channel's events share a slot, so their first attempts keep their order."""
    return zlib.crc32(scope.encode()) % SLOTS


def _lanes(places: set[Place]) -> dict[Place, Lane]:
    """The lanes of these places; those that are missing are made."""
    found = _existing(places)
    missing = [
        Lane(workspace_id=workspace_id, origin=origin, slot=slot)
        # Sorted: two who make the same lanes in different orders would wait for each other.
        for workspace_id, origin, slot in sorted(places - found.keys())
    ]
    if missing:
        # Somebody else may make the same lane at this moment: then theirs is the one.
        Lane.objects.bulk_create(missing, ignore_conflicts=True)
        found = _existing(places)
    return found


def _existing(places: set[Place]) -> dict[Place, Lane]:
    if not places:
        return {}
    workspaces, origins = {place[0] for place in places}, {place[1] for place in places}
    lanes = Lane.objects.filter(workspace_id__in=workspaces, origin__in=origins)
    by_place = {(lane.workspace_id, lane.origin, lane.slot): lane for lane in lanes}
    return {place: by_place[place] for place in places & by_place.keys()}
