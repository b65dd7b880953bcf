"""The two statements that decide who sends what, in the databases' own words.

Through the ORM they are six, each of which takes longer to build than the database takes to answer.
Both PostgreSQL and SQLite know them; what differs is the clock, and that SQLite needs no row locks:
there an IMMEDIATE transaction lets one process choose at a time.
"""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Model

from delivery.models import Delivery, Event, Lane

DUE = """SELECT d.id FROM delivery_delivery d
    WHERE d.lane_id = l.id AND d.state = 'pending'
      AND d.next_attempt_at <= {now} AND d.give_up_at > {now}"""

CLAIM = """
WITH free AS (
    SELECT l.id FROM delivery_lane l
    WHERE l.disabled_at IS NULL AND l.lease_until <= {now} AND l.open_until <= {now}
      AND (EXISTS ({due}) OR EXISTS (
          SELECT 1 FROM delivery_delivery d WHERE d.lane_id = l.id AND d.state = 'sending'))
    ORDER BY l.lease_until LIMIT %s {skip_locked})
UPDATE delivery_lane SET lease_token = %s, lease_until = {lease_end}
FROM free WHERE delivery_lane.id = free.id
RETURNING {columns}, EXISTS (
    SELECT 1 FROM delivery_delivery d
    WHERE d.lane_id = delivery_lane.id AND d.state = 'sending') AS was_abandoned"""

TAKE = """
WITH chosen AS (
    SELECT ({due} ORDER BY d.next_attempt_at, d.id LIMIT 1) AS id
    FROM delivery_lane l
    WHERE l.id IN ({lanes}) AND l.lease_token = %s AND l.lease_until > {now})
UPDATE delivery_delivery SET state = 'sending', attempts = attempts + 1
FROM chosen WHERE delivery_delivery.id = chosen.id AND delivery_delivery.state = 'pending'
RETURNING {columns}, EXISTS (
    SELECT 1 FROM delivery_goneurl g, delivery_lane l
    WHERE l.id = delivery_delivery.lane_id AND g.workspace_id = l.workspace_id
      AND g.url_sha256 = delivery_delivery.target_key) AS is_gone"""

EVENTS = "SELECT {columns} FROM delivery_event WHERE id IN ({ids})"

WORDS = {
    "postgresql": {
        "now": "clock_timestamp()",
        "lease_end": "clock_timestamp() + make_interval(secs => %s)",
        "skip_locked": "FOR UPDATE SKIP LOCKED",
    },
    "sqlite": {
        "now": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')",
        "lease_end": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')",
        "skip_locked": "",
    },
}


def claim_lanes(token: uuid.UUID, *, most: int) -> list[Any]:
    """Take the leases of lanes that have something to do, those first that wait longest.

    PostgreSQL skips lanes that others are claiming. Each lane tells as `was_abandoned` whether its
    last holder died with an attempt in the air. Call it inside a transaction.
    """
    parameters = [most, _stored(token), settings.DELIVERY_LEASE_SECONDS]
    return _rows(Lane, CLAIM, parameters)


def take_next(token: uuid.UUID, lane_ids: Collection[uuid.UUID]) -> list[Any]:
    """On each of these lanes that is ours, begin the attempt that has been due longest.

    The attempt is counted before it is made, so that an event that kills its sender runs out. Each
    delivery comes with its event, and tells as `is_gone` whether its address answered 410 before.
    """
    parameters = [*map(_stored, lane_ids), _stored(token)]
    deliveries = _rows(Delivery, TAKE, parameters, lanes=_places(lane_ids))
    if deliveries:
        ids = [delivery.event_id for delivery in deliveries]
        events = {event.pk: event for event in _rows(Event, EVENTS, ids, ids=_places(ids))}
        for delivery in deliveries:
            delivery.event = events[delivery.event_id]
    return deliveries


def _rows(model: type[Model], statement: str, parameters: Sequence[Any], **words: str) -> list[Any]:
    words |= WORDS[connection.vendor]
    options = model._meta
    columns = (f"{options.db_table}.{field.column}" for field in options.concrete_fields)
    text = statement.format(columns=", ".join(columns), due=DUE.format(**words), **words)
    return list(model._default_manager.raw(text, parameters))


def _places(values: Collection[object]) -> str:
    """As many placeholders as there are values."""
    return ", ".join(["%s"] * len(values))


def _stored(value: uuid.UUID) -> Any:
    """A UUID as this database keeps it."""
    return Lane._meta.pk.get_db_prep_value(value, connection)
