"""The files of an archive: one for each workspace and month, one message a line, as JSON.

    FOLDER/<workspace>/<year>-<month>.jsonl

A line is `{"message": …}`, the body that lists of messages show. A message that changed between
two runs may have two lines; the last one holds.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

ENDING = "jsonl"


class ArchiveError(Exception):
    """The archive cannot be trusted, so nothing may be deleted. The text says why."""


def line_of(body: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"message": body}, option=orjson.OPT_APPEND_NEWLINE)


def read_archive(path: Path) -> Iterator[dict[str, Any]]:
    """The messages of one file; of two lines about a message, the last."""
    latest: dict[str, dict[str, Any]] = {}
    with path.open("rb") as file:
        for line in file:
            message = orjson.loads(line)["message"]
            latest[message["id"]] = message
    yield from latest.values()


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """One process at a time writes to an archive.

    Raises: ArchiveError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArchiveError(f"another process writes to {folder}") from None
        yield


class MonthFile:
    """The messages of one workspace and month. What it says it holds is on the disk.

    What a killed process left is put right first: a line without its end never counted, for
    nothing was deleted yet.
    """

    def __init__(self, folder: Path, workspace: UUID, month: datetime) -> None:
        self.path = folder / str(workspace) / f"{month:%Y-%m}.{ENDING}"
        self._known: dict[str, bytes] = {}

    def __enter__(self) -> "MonthFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)  # what it says is private
        self._file = os.fdopen(descriptor, "r+b")
        try:
            self._read()
            _sync_folders(self.path)
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *_raised: object) -> None:
        self._file.close()

    def _read(self) -> None:
        """Remember what is there, and cut off a line that was not finished."""
        end = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self._known[_id_in(line, self.path)] = hashlib.sha256(line).digest()
            end += len(line)
        self._file.truncate(end)

    def keep(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        """Write what is not there yet, and read it back from the disk.

        Raises: ArchiveError.
        """
        lines = {str(body["id"]): line_of(body) for body in bodies}
        missing = [line for key, line in lines.items() if not self._holds(key, line)]
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(b"".join(missing))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._check(start, b"".join(missing))
        self._known |= {key: hashlib.sha256(line).digest() for key, line in lines.items()}

    def _holds(self, key: str, line: bytes) -> bool:
        return self._known.get(key) == hashlib.sha256(line).digest()

    def _check(self, start: int, written: bytes) -> None:
        with self.path.open("rb") as file:
            file.seek(start)
            if file.read() != written:
                raise ArchiveError(f"{self.path} does not hold what was written to it")


def _id_in(line: bytes, path: Path) -> str:
    """Raises: ArchiveError."""
    try:
        return str(orjson.loads(line)["message"]["id"])
    except (ValueError, KeyError, TypeError):
        raise ArchiveError(f"{path} has a line that is no archived message") from None


def _sync_folders(path: Path) -> None:
    """A new file is there after a power cut when its folders were written, too."""
    for folder in (path.parent, path.parent.parent):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
