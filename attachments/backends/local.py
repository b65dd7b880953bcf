"""Objects in a folder of this machine."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from attachments.backends import StoredObject


class LocalObjects(FileSystemStorage):
    """A file each, on the disk before it is called stored."""

    def _save(self, name: str, content: Any) -> str:
        """Written through to the disk, as the database writes the row that names it."""
        saved: str = super()._save(name, content)  # type: ignore[misc]  # the stubs leave it out
        path = Path(self.path(saved))
        _write_through(path)
        _write_through(path.parent)
        return saved

    def open_from(self, key: str, start: int) -> "File[bytes]":
        opened = self.open(key)
        opened.seek(start)
        return opened

    def listing(self) -> Iterator[StoredObject]:
        """One folder's names at a time, so of one workspace and month."""
        root = Path(self.location)
        return _walk(root, "") if root.is_dir() else iter(())

    def drop_unfinished(self, *, before: datetime) -> int:
        return 0

    def download_link(self, key: str, *, seconds: int, disposition: str) -> None:
        return None

    def failed(self, failure: Exception) -> None:
        """A folder needs no rest."""

    def problem(self) -> str | None:
        root = Path(self.location)
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return f"the folder {root} cannot be made: {error.strerror}"
        return None if os.access(root, os.W_OK) else f"the folder {root} cannot be written"


def _write_through(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _walk(folder: Path, prefix: str) -> Iterator[StoredObject]:
    """A folder sorts as if its name ended in a slash, which gives the order of whole keys."""
    names = sorted(each.name + "/" * each.is_dir() for each in os.scandir(folder))
    for name in names:
        if name.endswith("/"):
            yield from _walk(folder / name, prefix + name)
        elif (found := _stat(folder / name)) is not None:
            modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
            yield StoredObject(prefix + name, found.st_size, modified_at)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:  # removed since its folder was read
        return None
