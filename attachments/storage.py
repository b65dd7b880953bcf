"""Objects of attachments: key names, put, open, remove."""

import logging
import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import cast

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from attachments.backends import Objects, StoredObject
from inbox.errors import DomainError

logger = logging.getLogger(__name__)

LONGEST_NAME = 150
# What Windows takes for a device, whatever ending the name has.
DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"}
)
UNREADABLE = "The file storage does not answer. Try again."


def safe_filename(name: str) -> str:
    """A client's file name as data: no folders, no control characters, no device, not empty."""
    flat = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(char for char in flat if unicodedata.category(char)[0] != "C")
    plain = plain.lstrip(". ").rstrip(". ")
    if plain.partition(".")[0].rstrip().upper() in DEVICES:
        plain = f"_{plain}"
    stem, dot, extension = plain.rpartition(".")
    if len(plain) > LONGEST_NAME and stem and len(extension) < LONGEST_NAME:
        plain = stem[: LONGEST_NAME - len(extension) - 1] + dot + extension
    return plain[:LONGEST_NAME].rstrip(". ") or "file"


def new_key(workspace_id: object, now: datetime) -> str:
    """A storage key that says nothing about the file."""
    return f"{workspace_id}/{now:%Y/%m}/{secrets.token_hex(13)}"


class StorageUnavailableError(DomainError):
    """The storage does not answer, or refuses: whatever its own library raised."""

    code = "storage_unavailable"


@contextmanager
def _asked(to: str, key: str, message: str) -> Iterator[Objects]:
    """The storage. What it raises becomes ours; only that an object is missing is told apart."""
    objects = cast("Objects", default_storage)
    try:
        yield objects
    except (FileNotFoundError, StorageUnavailableError):
        raise
    except Exception as failure:
        logger.exception("the storage was asked to %s %s", to, key)
        objects.failed(failure)
        raise StorageUnavailableError(message) from failure


def put(key: str, content: "bytes | File[bytes]") -> None:
    """Write an object; a file is copied in chunks.

    Raises: StorageUnavailableError.
    """
    _save(key, ContentFile(content) if isinstance(content, bytes) else content)


def _save(key: str, content: "File[bytes]") -> str:
    with _asked("write", key, "The file could not be stored. Try again.") as objects:
        return objects.save(key, content)


def replace(key: str, content: bytes) -> None:
    """Write an object under a key of its own that may have one already.

    Of two who do so at once one wins; what they write is the same.

    Raises: StorageUnavailableError.
    """
    remove(key)
    saved = _save(key, ContentFile(content))
    if saved != key:  # somebody was faster, and this copy got a name that nobody knows
        remove(saved)


def delete(key: str) -> None:
    """Delete an object, if it is there.

    Raises: StorageUnavailableError.
    """
    with _asked("delete", key, "The file could not be deleted.") as objects:
        objects.delete(key)


def remove(key: str) -> None:
    """Delete an object that no row names any more. What fails here is left behind."""
    with suppress(StorageUnavailableError):
        delete(key)


def open_object(key: str, *, start: int = 0) -> "File[bytes]":
    """The bytes from `start` on. Reading may raise StorageUnavailableError, too.

    Raises: FileNotFoundError if there is no such object, StorageUnavailableError.
    """
    with _asked("open", key, UNREADABLE) as objects:
        return objects.open_from(key, start)


def is_stored(key: str) -> bool:
    """Raises: StorageUnavailableError."""
    with _asked("look for", key, UNREADABLE) as objects:
        return objects.exists(key)


def read(key: str, *, limit: int) -> bytes | None:
    """Up to `limit` bytes of an object; None if there is none.

    Raises: StorageUnavailableError.
    """
    try:
        with _asked("read", key, UNREADABLE), open_object(key) as stored:
            content: bytes = stored.read(limit)
            return content
    except FileNotFoundError:
        return None


def listing() -> Iterator[StoredObject]:
    """Every object, in the order of the keys' bytes.

    Raises: StorageUnavailableError.
    """
    with _asked("list", "its objects", "The stored files could not be listed.") as objects:
        yield from objects.listing()


def drop_unfinished(*, before: datetime) -> int:
    """Remove what is left of uploads to the storage that nobody ended.

    Raises: StorageUnavailableError.
    """
    with _asked("list", "its unfinished uploads", UNREADABLE) as objects:
        return objects.drop_unfinished(before=before)


def download_link(key: str, *, seconds: int, disposition: str) -> str | None:
    """An address outside of this server, if there is one. Nothing is asked of the storage."""
    with _asked("sign a link to", key, UNREADABLE) as objects:
        return objects.download_link(key, seconds=seconds, disposition=disposition)


def problem() -> str | None:
    """What is wrong with the storage, in one line."""
    return cast("Objects", default_storage).problem()
