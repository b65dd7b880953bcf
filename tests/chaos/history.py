"""What everybody saw: clients' calls, receivers' requests, and the database at the end."""

import sqlite3
import uuid
from collections.abc import Iterable, Mapping
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


TABLES = {
    "messages": "inbox_message",
    "reviews": "reviews_reviewrequest",
    "events": "delivery_event",
    "deliveries": "delivery_delivery",
    "attempts": "delivery_attempt",
    "lanes": "delivery_lane",
}
OF_CHANNEL = {"messages": "channel_id", "reviews": "channel_id", "events": "scope"}


def read_ledger(database_url: str, channels: Iterable[str]) -> Ledger:
    """Read what belongs to these channels, through a connection of our own."""
    wanted = set(channels)
    rows = _read_all(database_url)
    for name, column in OF_CHANNEL.items():
        rows[name] = [row for row in rows[name] if row[column] in wanted]
    events = {row["id"] for row in rows["events"]}
    rows["deliveries"] = [row for row in rows["deliveries"] if row["event_id"] in events]
    deliveries = {row["id"] for row in rows["deliveries"]}
    rows["attempts"] = [row for row in rows["attempts"] if row["delivery_id"] in deliveries]
    lanes = {row["lane_id"] for row in rows["deliveries"]}
    rows["lanes"] = [row for row in rows["lanes"] if row["id"] in lanes]
    return Ledger(**rows)


def _read_all(database_url: str) -> dict[str, list[Row]]:
    """All tables as of one moment."""
    if database_url.startswith("sqlite:///"):
        with closing(_sqlite(database_url)) as connection:
            connection.execute("BEGIN")
            return {
                name: [_sqlite_row(dict(row)) for row in connection.execute(_select(table))]
                for name, table in TABLES.items()
            }
    with psycopg.connect(database_url, row_factory=dict_row, connect_timeout=3) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return {
            name: [_row(row) for row in server.execute(_select(table))]
            for name, table in TABLES.items()
        }


def _sqlite(database_url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=10)
    connection.row_factory = sqlite3.Row
    return connection


def _select(table: str) -> Any:
    return f"SELECT * FROM {table}"  # noqa: S608  # a name of ours


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
