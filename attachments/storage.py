"""Objects of attachments: key names, put, open, remove."""

import contextlib
import logging
import secrets
import unicodedata
from datetime import datetime

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from inbox.errors import DomainError

logger = logging.getLogger(__name__)

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


class StorageUnavailableError(DomainError):
    """The object could not be written."""

    code = "storage_unavailable"


def put(key: str, content: "bytes | File[bytes]") -> None:
    """Write an object; a file is copied in chunks.

    Raises: StorageUnavailableError, whatever the storage's own library raised.
    """
    file = ContentFile(content) if isinstance(content, bytes) else content
    try:
        default_storage.save(key, file)
    except Exception as failure:
        logger.exception("object %s was not written", key)
        raise StorageUnavailableError("The file could not be stored. Try again.") from failure


def replace(key: str, content: bytes) -> None:
    """Write an object under a key of its own that may have one already.

    Of two who do so at once one wins; what they write is the same.

    Raises: StorageUnavailableError.
    """
    remove(key)
    try:
        saved = default_storage.save(key, ContentFile(content))
    except Exception as failure:
        logger.exception("object %s was not written", key)
        raise StorageUnavailableError("The file could not be stored. Try again.") from failure
    if saved != key:  # somebody was faster, and this copy got a name that nobody knows
        remove(saved)


def delete(key: str) -> None:
    """Delete an object, if it is there.

    Raises: StorageUnavailableError.
    """
    try:
        default_storage.delete(key)
    except Exception as failure:
        logger.exception("object %s was not deleted", key)
        raise StorageUnavailableError("The file could not be deleted.") from failure


def remove(key: str) -> None:
    """Delete an object that no row names any more. What fails here is left behind."""
    with contextlib.suppress(StorageUnavailableError):
        delete(key)


def open_object(key: str) -> "File[bytes]":
    """Raises: OSError if there is no such object."""
    opened: File[bytes] = default_storage.open(key)
    return opened


def is_stored(key: str) -> bool:
    return default_storage.exists(key)


def read(key: str, *, limit: int) -> bytes | None:
    """Up to `limit` bytes of an object; None if it cannot be read."""
    try:
        with default_storage.open(key) as stored:
            content: bytes = stored.read(limit)
            return content
    except OSError:
        return None
