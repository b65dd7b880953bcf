"""The statements of each of the engine's turns, in the databases' own words.

The ORM would need twice as many, and takes longer to build one than the database to answer it.
Both PostgreSQL and SQLite know them; what differs is the clock, and that SQLite needs no row locks:
there an IMMEDIATE transaction lets one process choose at a time.
"""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Model, Value

from accounts.encryption import UndecryptableError
from delivery.models import Delivery, Event, Lane, SigningKeyPair, SigningSecret, State

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
    WHERE l.id IN ({lanes}) AND l.lease_token = %s AND l.lease_until > {now}),
ready AS (
    SELECT d.id FROM delivery_delivery d, chosen
    WHERE d.id = chosen.id AND d.state = 'pending' {skip_locked})
UPDATE delivery_delivery SET state = 'sending', attempts = attempts + 1
FROM ready WHERE delivery_delivery.id = ready.id
RETURNING {columns}, EXISTS (
    SELECT 1 FROM delivery_goneurl g, delivery_lane l
    WHERE l.id = delivery_delivery.lane_id AND g.workspace_id = l.workspace_id
      AND g.url_sha256 = delivery_delivery.target_key) AS is_gone"""

SECRETS = """
SELECT {columns} FROM delivery_signingsecret
WHERE scope IN ({ids}) AND (expires_at IS NULL OR expires_at > {now})
ORDER BY expires_at DESC NULLS FIRST"""

KEY_PAIRS = """
SELECT {columns} FROM delivery_signingkeypair
WHERE workspace_id IN ({ids}) AND (expires_at IS NULL OR expires_at > {now})
ORDER BY expires_at DESC NULLS FIRST"""

EVENTS = "SELECT {columns} FROM delivery_event WHERE id IN ({ids})"

SEALED = ("headers_json", "event__body")

WORDS = {
    "postgresql": {
        # Nothing below waits for a lock, and this one an index can be asked for.
        "now": "statement_timestamp()",
        "lease_end": "clock_timestamp() + make_interval(secs => %s)",
        "skip_locked": "FOR NO KEY UPDATE SKIP LOCKED",
    },
    "sqlite": {
        # With six decimals, as Django writes them: times are compared as text.
        "now": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now')",
        "lease_end": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')",
        "skip_locked": "",
    },
}


def claim_lanes(token: uuid.UUID, *, most: int) -> list[Any]:
    """Take the leases of lanes that have something to do, those first that wait longest.

    PostgreSQL skips lanes that others are claiming, and lets deliveries be stored for them
    meanwhile. Each lane tells as `was_abandoned` whether its last holder died with an attempt in
    the air. Call it inside a transaction.
    """
    parameters = [most, _stored(token), settings.DELIVERY_LEASE_SECONDS]
    return _rows(Lane, CLAIM, parameters)


def take_next(token: uuid.UUID, lane_ids: Collection[uuid.UUID]) -> list[Any]:
    """On each of these lanes that is ours, begin the attempt that has been due longest.

    The attempt is counted before it is made, so that an event that kills its sender runs out. Each
    delivery comes with its event, and tells as `is_gone` whether its address answered 410 before.
    What somebody else is changing right now is not waited for: he may wait for a row that this
    turn has locked.
    """
    parameters = [*map(_stored, lane_ids), _stored(token)]
    try:
        return _with_events(_rows(Delivery, TAKE, parameters, lanes=_places(lane_ids)))
    except UndecryptableError:  # of one row: the others are read, and it fails by itself later
        begun = Delivery.objects.filter(lane_id__in=lane_ids, state=State.SENDING)
        begun = begun.annotate(is_gone=Value(False)).select_related("event").defer(*SEALED)  # noqa: FBT003
        return list(begun.filter(lane__lease_token=token))


def _with_events(deliveries: list[Any]) -> list[Any]:
    if deliveries:
        ids = [delivery.event_id for delivery in deliveries]
        events = {event.pk: event for event in _rows(Event, EVENTS, ids, ids=_places(ids))}
        for delivery in deliveries:
            delivery.event = events[delivery.event_id]
    return deliveries


def secrets_of_scopes(scopes: Collection[str]) -> list[SigningSecret]:
    """What signs for these scopes at this moment, the live ones first."""
    return _rows(SigningSecret, SECRETS, list(scopes), ids=_places(scopes))


def key_pairs_of_workspaces(workspaces: Collection[uuid.UUID]) -> list[SigningKeyPair]:
    """The same for workspaces and their key pairs."""
    stored = [_stored(workspace) for workspace in workspaces]
    return _rows(SigningKeyPair, KEY_PAIRS, stored, ids=_places(stored))


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
