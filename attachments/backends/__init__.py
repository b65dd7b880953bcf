"""Where objects lie: what both kinds of storage can do beyond what Django asks of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.core.files.base import File

CHUNK = 64 * 1024


@dataclass(frozen=True)
class StoredObject:
    """One line of a listing."""

    key: str
    size: int
    modified_at: datetime


class Objects(Protocol):
    """Errors are FileNotFoundError for an object that is not there, anything else for the rest."""

    def save(self, name: str, content: "File[bytes]") -> str: ...

    def delete(self, name: str) -> None: ...

    def exists(self, name: str) -> bool: ...

    def open_from(self, key: str, start: int) -> "File[bytes]":
        """The bytes of an object from `start` on, with the size of the whole object."""
        ...

    def listing(self) -> Iterator[StoredObject]:
        """Every object, in the order of the keys' bytes."""
        ...

    def drop_unfinished(self, *, before: datetime) -> int:
        """Remove what uploads left that nobody ended, and return how many there were."""
        ...

    def download_link(self, key: str, *, seconds: int, disposition: str) -> str | None:
        """An address at which a browser may fetch an object for a while; None if there is none."""
        ...

    def failed(self, failure: Exception) -> None:
        """It is told of whatever it raised."""
        ...

    def problem(self) -> str | None:
        """What is wrong with it, in one line; None if it answers."""
        ...
