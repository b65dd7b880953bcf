"""Identifiers: UUIDv7, so that ids sort by the time they were made."""

import secrets
import uuid
from datetime import datetime


def uuid7(at: datetime) -> uuid.UUID:
    """Make a UUIDv7 for the moment `at` (RFC 9562, section 5.7).

    48 bits of milliseconds since 1970, then 74 random bits around version and variant.
    """
    milliseconds = int(at.timestamp() * 1000)
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | secrets.randbits(12) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def parse_uuid(text: str) -> uuid.UUID | None:
    """Read a canonical UUID string; anything else is `None`."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None
