"""Objects of attachments: key names, put. Never called while rows are locked for others."""

import secrets
import unicodedata
from datetime import datetime

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

LONGEST_NAME = 150


def safe_filename(name: str) -> str:
    """A client's file name as data: no folders, no control or direction characters, not empty."""
    flat = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(char for char in flat if unicodedata.category(char)[0] != "C")
    plain = plain.lstrip(". ").rstrip(". ")
    stem, dot, extension = plain.rpartition(".")
    if len(plain) > LONGEST_NAME and stem and len(extension) < LONGEST_NAME:
        plain = stem[: LONGEST_NAME - len(extension) - 1] + dot + extension
    return plain[:LONGEST_NAME] or "file"


def new_key(workspace_id: object, now: datetime) -> str:
    """A storage key that says nothing about the file."""
    return f"{workspace_id}/{now:%Y/%m}/{secrets.token_hex(13)}"


def put(key: str, content: bytes) -> None:
    default_storage.save(key, ContentFile(content))


def read(key: str, *, limit: int) -> bytes | None:
    """Up to `limit` bytes of an object; None if it cannot be read."""
    try:
        with default_storage.open(key) as stored:
            content: bytes = stored.read(limit)
            return content
    except OSError:
        return None
