"""Identifiers: UUIDv7, so that ids sort by the time they were made."""

import secrets
import uuid
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(at: datetime) -> uuid.UUID:
    """Make a UUIDv7 for the moment `at` (RFC 9562, sections 5.7 and 6.2, method 3).

    48 bits of milliseconds since 1970, 12 bits of the fraction below, so that ids of different
    microseconds sort as their moments do, and 62 random bits.
    """
    milliseconds, microseconds = divmod((at - EPOCH) // timedelta(microseconds=1), 1000)
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | (microseconds * 4096 // 1000) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def first_id(at: datetime) -> uuid.UUID:
    """The least id of its millisecond: what was made since then has a greater one."""
    milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
    return uuid.UUID(int=(milliseconds & (2**48 - 1)) << 80)


def parse_uuid(text: str) -> uuid.UUID | None:
    """Read a canonical UUID string; anything else is `None`."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None
