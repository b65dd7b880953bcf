"""The statements of each of the engine's turns, in the databases' own words.

The ORM would need twice as many, and takes longer to build one than the database to answer it.
Both PostgreSQL and SQLite know them; what differs is the clock, and that SQLite needs no row locks:
there an IMMEDIATE transaction lets one process choose at a time.
"""

import functools
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import Model, Value

from accounts.encryption import UndecryptableError, decrypt
from delivery.models import Delivery, Event, Lane, State

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

BEGIN_ATTEMPTS = """
INSERT INTO delivery_attempt (delivery_id, number, token, started_at, response_head, error)
SELECT id, attempts, %s, %s, '', '' FROM delivery_delivery WHERE id IN ({ids})"""

OURS = """
SELECT d.id, d.attempts, l.failing_since IS NOT NULL FROM delivery_delivery d
JOIN delivery_lane l ON l.id = d.lane_id
WHERE d.id IN ({ids}) AND d.state = 'sending' AND l.lease_token = %s
ORDER BY d.id {locked}"""

# All rows are one parameter: Python would take longer to write them as many than to send them.
END_ATTEMPTS = """
UPDATE delivery_attempt SET ended_at = %s, ip = ended.ip, http_status = ended.http_status,
    duration_ms = ended.duration_ms, response_head = ended.response_head, error = ended.error
FROM {ended}
WHERE delivery_attempt.delivery_id = ended.delivery AND delivery_attempt.number = ended.number"""

SIGNING_KEYS = """
SELECT 'secret', scope, secret, expires_at FROM delivery_signingsecret
WHERE scope IN ({scopes}) AND (expires_at IS NULL OR expires_at > {now})
UNION ALL
SELECT 'pair', CAST(workspace_id AS text), private_key, expires_at FROM delivery_signingkeypair
WHERE workspace_id IN ({workspaces}) AND (expires_at IS NULL OR expires_at > {now})
ORDER BY 4 DESC NULLS FIRST"""

EVENTS = "SELECT {columns} FROM delivery_event WHERE id IN ({ids})"

SEALED = ("headers_json", "event__body")

WORDS = {
    "postgresql": {
        # Nothing below waits for a lock, and this one an index can be asked for.
        "now": "statement_timestamp()",
        "lease_end": "clock_timestamp() + make_interval(secs => %s)",
        "skip_locked": "FOR NO KEY UPDATE SKIP LOCKED",
        "locked": "FOR NO KEY UPDATE OF d",
        "ended": """json_to_recordset(%s) AS ended(delivery uuid, number integer, ip inet,
    http_status integer, duration_ms integer, response_head text, error text)""",
    },
    "sqlite": {
        # With six decimals, as Django writes them: times are compared as text.
        "now": "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now')",
        "lease_end": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')",
        "skip_locked": "",
        "locked": "",
        "ended": """(SELECT value ->> 'delivery' AS delivery, value ->> 'number' AS number,
    value ->> 'ip' AS ip, value ->> 'http_status' AS http_status,
    value ->> 'duration_ms' AS duration_ms, value ->> 'response_head' AS response_head,
    value ->> 'error' AS error FROM json_each(%s)) AS ended""",
    },
}


def claim_lanes(token: uuid.UUID, *, most: int) -> list[Any]:
    """Take the leases of lanes that have something to do, those first that wait longest.

    PostgreSQL skips lanes that others are claiming, and lets deliveries be stored for them
    meanwhile. Each lane tells as `was_abandoned` whether its last holder died with an attempt in
    the air. Call it inside a transaction.
    """
    parameters = [most, _stored(token), settings.DELIVERY_LEASE_SECONDS]
    return _rows(Lane, CLAIM, parameters, extra="was_abandoned")


def take_next(token: uuid.UUID, lane_ids: Collection[uuid.UUID]) -> list[Any]:
    """On each of these lanes that is ours, begin the attempt that has been due longest.

    The attempt is counted before it is made, so that an event that kills its sender runs out. Each
    delivery comes with its event, and tells as `is_gone` whether its address answered 410 before.
    What somebody else is changing right now is not waited for: he may wait for a row that this
    turn has locked.
    """
    parameters = [*map(_stored, lane_ids), _stored(token)]
    try:
        return _with_events(
            _rows(Delivery, TAKE, parameters, extra="is_gone", lanes=_places(lane_ids))
        )
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


def begin_attempts(token: uuid.UUID, ids: Collection[uuid.UUID], *, now: datetime) -> None:
    """Write down that the attempts of these deliveries begin, as they are counted there."""
    parameters = [_stored(token), _stored_time(now), *map(_stored, ids)]
    _execute(BEGIN_ATTEMPTS, parameters, ids=_places(ids))


def still_ours(token: uuid.UUID, ids: Collection[uuid.UUID]) -> dict[tuple[uuid.UUID, int], bool]:
    """Of these deliveries those in the air on lanes that are this token's, their rows locked.

    By id and number of the attempt; true where the lane failed before.
    """
    rows = _execute(OURS, [*map(_stored, ids), _stored(token)], ids=_places(ids))
    return {(_loaded(pk), attempts): bool(has_failed) for pk, attempts, has_failed in rows}


def end_attempts(ended: Collection[Mapping[str, Any]], *, now: datetime) -> None:
    """Write down how attempts ended: `delivery` and `number` name one, the rest are its fields."""
    rows = orjson.dumps([{**row, "delivery": str(_stored(row["delivery"]))} for row in ended])
    _execute(END_ATTEMPTS, [_stored_time(now), rows.decode()])


def signing_keys(
    scopes: Collection[str], workspaces: Collection[uuid.UUID]
) -> tuple[dict[str, list[str]], dict[uuid.UUID, list[str]]]:
    """Secrets of scopes and private keys of workspaces that sign at this moment, live ones first.

    Raises: UndecryptableError.
    """
    secrets: dict[str, list[str]] = defaultdict(list)
    pairs: dict[uuid.UUID, list[str]] = defaultdict(list)
    parameters = [*scopes, *map(_stored, workspaces)]
    places = {"scopes": _places(scopes), "workspaces": _places(workspaces)}
    for kind, owner, sealed, _expires_at in _execute(SIGNING_KEYS, parameters, **places):
        opened = decrypt(bytes(sealed)).decode()
        if kind == "secret":
            secrets[owner].append(opened)
        else:
            pairs[uuid.UUID(owner)].append(opened)
    return secrets, pairs


def _execute(statement: str, parameters: Sequence[Any], **words: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**words, **WORDS[connection.vendor]), parameters)
        return cursor.fetchall() if cursor.description else []


def _rows(
    model: type[Model], statement: str, parameters: Sequence[Any], extra: str = "", **words: str
) -> list[Any]:
    """Instances of the model. What a statement returns behind its columns is their `extra`.

    As `Manager.raw` reads them, which works out anew how to at each call: half of a turn's time.
    """
    names, columns, converters = _reading(model, connection.vendor)
    due = DUE.format(**WORDS[connection.vendor])
    found = []
    for row in _execute(statement, parameters, columns=columns, due=due, **words):
        values = list(row)
        for place, convert, column in converters:
            values[place] = convert(values[place], column, connection)
        instance = model.from_db(connection.alias, names, values[: len(names)])
        if extra:
            setattr(instance, extra, values[-1])
        found.append(instance)
    return found


@functools.cache
def _reading(model: type[Model], _vendor: str) -> tuple[list[str], str, list[Any]]:
    """Names and columns of a model's fields, and how to read what this database returns."""
    fields = model._meta.concrete_fields
    converters = []
    for place, field in enumerate(fields):
        column = field.get_col(model._meta.db_table)
        found = connection.ops.get_db_converters(column) + column.get_db_converters(connection)
        converters += [(place, convert, column) for convert in found]
    columns = ", ".join(f"{model._meta.db_table}.{field.column}" for field in fields)
    return [field.attname for field in fields], columns, converters


def _places(values: Collection[object]) -> str:
    """As many placeholders as there are values."""
    return ", ".join(["%s"] * len(values))


def _stored(value: uuid.UUID) -> Any:
    """A UUID as this database keeps it."""
    return Lane._meta.pk.get_db_prep_value(value, connection)


def _loaded(value: Any) -> uuid.UUID:
    """The other way round."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


def _stored_time(value: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(value)
