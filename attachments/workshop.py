"""Opening a file that may be hostile: a process of its own, an empty environment, hard limits."""

import logging
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.base import File

from attachments.conversion import parts
from attachments.conversion.limits import LARGEST_INPUT, WALL_SECONDS
from attachments.conversion.refusals import Reason, RefusedError
from attachments.kinds import suffix_of, table_suffix
from attachments.models import Attachment, PreviewKind
from attachments.storage import open_object

logger = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parent.parent
# The process bounds itself; this is for one that cannot even do that.
PATIENCE_SECONDS = WALL_SECONDS + 5
OUT_OF_TIME = {signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL}
OUT_OF_ROOM = {signal.SIGABRT, signal.SIGXFSZ}

# Folders of workers that were killed in the middle.
LEFT_OVER_AFTER = timedelta(hours=1)
FOLDER_PREFIX = "preview-"


def make_parts(file: Attachment, kind: str) -> dict[str, bytes]:
    """The parts of a file's preview by name.

    Raises: RefusedError, StorageUnavailableError.
    """
    with _folder() as folder:
        _fetch(file, folder / "input")
        reason = _run(kind, folder, _name_for(file, kind))
        if reason:
            raise RefusedError(reason)
        return {name: _part(folder / name) for name in parts.OF_KIND[kind]}


def redraw(content: "File[bytes]") -> bytes:
    """A picture as a PNG of its pixels alone.

    Raises: RefusedError.
    """
    return _made("edit", content, parts.EDIT)


def make_avatar(content: "File[bytes]") -> bytes:
    """A picture as a small square in WebP.

    Raises: RefusedError.
    """
    return _made("avatar", content, parts.AVATAR)


def _made(kind: str, content: "File[bytes]", part: str) -> bytes:
    with _folder() as folder:
        with (folder / "input").open("wb") as opened:
            shutil.copyfileobj(content, opened)
        reason = _run(kind, folder, "file")
        if reason:
            raise RefusedError(reason)
        return _part(folder / part)


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for one conversion, on the disk of the data; nothing of it stays."""
    with tempfile.TemporaryDirectory(
        prefix=FOLDER_PREFIX, dir=settings.FILE_UPLOAD_TEMP_DIR
    ) as folder:
        yield Path(folder)


def clear_left_overs(*, now: datetime) -> None:
    """Remove what conversions left that nobody ended in order."""
    oldest = (now - LEFT_OVER_AFTER).timestamp()
    for folder in settings.FILE_UPLOAD_TEMP_DIR.glob(f"{FOLDER_PREFIX}*"):
        try:
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
        except FileNotFoundError:
            continue


def _fetch(file: Attachment, target: Path) -> None:
    if file.size > LARGEST_INPUT:
        raise RefusedError(Reason.TOO_LARGE)
    try:
        with open_object(file.storage_key) as stored, target.open("wb") as opened:
            shutil.copyfileobj(stored, opened)
    except FileNotFoundError as error:
        raise RefusedError(Reason.GONE) from error


def _name_for(file: Attachment, kind: str) -> str:
    """What the program needs to know of the name: never a client's whole name."""
    if kind == PreviewKind.TABLE:
        return f"table.{table_suffix(file.filename, file.mime_type)}"
    suffix = suffix_of(file.filename)
    return f"file.{suffix}" if suffix.isascii() and suffix.isalnum() else "file"


def _run(kind: str, folder: Path, filename: str) -> Reason | None:
    """Wait for the process, end it if it will not end, and say why there is no preview."""
    program = subprocess.Popen(  # noqa: S603  # our own module, and a name of our own making
        [sys.executable, "-P", "-m", "attachments.conversion", kind, str(folder), filename],
        cwd=folder,
        env={"PYTHONPATH": str(PROJECT), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with program:
        try:
            said, _nothing = program.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()
            return Reason.TOO_SLOW
    return _reason(program.returncode, said)


def _reason(status: int, said: bytes) -> Reason | None:
    if status == 0:
        return Reason(said.decode()) if said else None
    if -status in OUT_OF_TIME:
        return Reason.TOO_SLOW
    return Reason.TOO_LARGE if -status in OUT_OF_ROOM else Reason.BROKEN


def _part(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RefusedError(Reason.BROKEN) from error
