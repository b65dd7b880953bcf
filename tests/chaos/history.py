"""What everybody saw: clients' calls, receivers' requests, and the database at the end."""

import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import psycopg
from psycopg.rows import dict_row

from accounts.encryption import decrypt


class Told(StrEnum):
    """What a client was told."""

    YES = "acknowledged"
    NO = "refused"
    NOTHING = "nothing: the connection broke, or time was up"


@dataclass(frozen=True)
class Call:
    """One request of a client. `about` is the message it asked, decided or wrote, if known."""

    kind: str
    about: str
    told: Told
    status: int | None = None
    answer: Mapping[str, Any] | None = None
    seconds: float = 0.0
    text: str = ""
    client_id: str = ""


@dataclass(frozen=True)
class Entry:
    """One request as a receiver wrote it down, and what it was about to answer."""

    at: float
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None
    late: bool = False

    @property
    def event_id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


type Row = Mapping[str, Any]


@dataclass(frozen=True)
class Ledger:
    """The rows that matter, ids as text and times with their zone."""

    messages: list[Row] = field(default_factory=list)
    reviews: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    lanes: list[Row] = field(default_factory=list)

    @property
    def cut_short(self) -> list[Row]:
        """Attempts whose end nobody wrote down: their sender died."""
        return [row for row in self.attempts if row["ended_at"] is None]


OF_DELIVERIES = "IN (SELECT {column} FROM delivery_delivery WHERE signing_scope IN ({scopes}))"
SELECTS = {
    "messages": "SELECT * FROM inbox_message WHERE channel_id IN ({ids})",
    "reviews": "SELECT * FROM reviews_reviewrequest WHERE channel_id IN ({ids})",
    "events": "SELECT * FROM delivery_event WHERE scope IN ({scopes})",
    "deliveries": "SELECT * FROM delivery_delivery WHERE signing_scope IN ({scopes})",
    "attempts": f"SELECT * FROM delivery_attempt WHERE delivery_id {OF_DELIVERIES}",  # noqa: S608
    "lanes": f"SELECT * FROM delivery_lane WHERE id {OF_DELIVERIES}",  # noqa: S608
}


def read_ledger(database_url: str, channels: Iterable[str], only: Iterable[str] = ()) -> Ledger:
    """Read what belongs to these channels as of one moment, through a connection of our own."""
    wanted = [*channels]
    names = [*only] or [*SELECTS]
    if database_url.startswith("sqlite:///"):
        with closing(_sqlite(database_url)) as connection:
            connection.execute("BEGIN")
            select = {name: _select(name, wanted, hexadecimal=True) for name in names}
            return Ledger(
                **{
                    name: [_sqlite_row(dict(row)) for row in connection.execute(select[name])]
                    for name in names
                }
            )
    with psycopg.connect(database_url, row_factory=dict_row, connect_timeout=3) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return Ledger(
            **{name: [_row(row) for row in server.execute(_select(name, wanted))] for name in names}
        )


def _select(name: str, channels: Sequence[str], *, hexadecimal: bool = False) -> Any:
    """Ids are our own; a channel's id is text in `scope` and a UUID elsewhere."""
    column = "lane_id" if name == "lanes" else "id"
    ids = [channel.replace("-", "") if hexadecimal else channel for channel in channels]
    return SELECTS[name].format(ids=_quoted(ids), scopes=_quoted(channels), column=column)


def _quoted(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _sqlite(database_url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=10)
    connection.row_factory = sqlite3.Row
    return connection


def _row(row: dict[str, Any]) -> Row:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, uuid.UUID | IPv4Address | IPv6Address):
        return str(value)
    if name == "response_json" and value is not None:
        return decrypt(bytes(value)).decode()
    return value


def _sqlite_row(row: dict[str, Any]) -> Row:
    """SQLite keeps UUIDs as 32 digits and times as text."""
    for name, value in row.items():
        if isinstance(value, str) and name.endswith(("_at", "_until", "_since")):
            row[name] = datetime.fromisoformat(value).replace(tzinfo=UTC)
        elif isinstance(value, str) and (name == "id" or name.endswith("_id")) and len(value) == 32:
            row[name] = str(uuid.UUID(value))
    return _row(row)


def dump(database_url: str) -> str:
    """Every value of every table as text, as a thief of a backup would read it."""
    if database_url.startswith("sqlite:///"):
        with closing(_sqlite(database_url)) as connection:
            return "\n".join(connection.iterdump())
    with psycopg.connect(database_url) as server:
        tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in tables.fetchall()]
        rows = [row for name in names for row in server.execute(_as_json(name)).fetchall()]
    return "\n".join(text for (text,) in rows)


def _as_json(table: str) -> Any:
    return f'SELECT row_to_json(t)::text FROM "{table}" t'  # noqa: S608  # a name of ours
