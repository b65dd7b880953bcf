"""Reads about files. Every one starts from a workspace."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.files.base import File
from django.db.models import Q, QuerySet

from accounts.ids import parse_uuid
from accounts.models import User, Workspace
from attachments.conversion.limits import LARGEST_OUTPUT
from attachments.conversion.parts import OF_KIND
from attachments.models import Attachment, Preview, PreviewState, State
from attachments.storage import StorageUnavailableError, is_stored, open_object, read
from inbox.cutting import first_of
from inbox.errors import DomainError
from inbox.models import Channel
from inbox.queries import BadCursorError, rows_in

INLINE_TYPES = frozenset({"text/markdown", "text/plain", "text/html", "text/csv"})
LARGEST_INLINE = 64 * 1024


class FileMissingError(DomainError):
    """No such file in this workspace, or its object is gone."""

    code = "file_missing"

    def __init__(self, *, path: tuple[str | int, ...] = ()) -> None:
        super().__init__("Attachment not found", path=path)


def files_in(workspace: Workspace, channel: Channel | None) -> QuerySet[Attachment]:
    """Stored files of one channel, or of all channels of the workspace, newest first."""
    files = Attachment.objects.filter(state=State.READY)
    return rows_in(files, workspace, channel).order_by("-id")


def find_file(
    workspace: Workspace, file_id: str, *, with_drafts_of: User | None = None
) -> Attachment:
    """Drafts are found by the person who made them.

    Raises: FileMissingError.
    """
    shown = Q(state=State.READY)
    if with_drafts_of is not None:
        shown |= Q(state=State.DRAFT, uploaded_by_user=with_drafts_of)
    files = Attachment.objects.filter(shown, workspace=workspace)
    wanted = parse_uuid(file_id)
    file = files.filter(pk=wanted).first() if wanted else None
    if file is None:
        raise FileMissingError
    return file


def find_files(workspace: Workspace, ids: Sequence[str]) -> list[Attachment]:
    """Each once, in the order of their ids.

    Raises: FileMissingError, which says where, if one of them is not there.
    """
    wanted = dict.fromkeys(parse_uuid(text) for text in ids)
    rows = files_in(workspace, None).filter(pk__in=[each for each in wanted if each])
    found = {file.pk: file for file in rows}
    for position, text in enumerate(ids):
        if parse_uuid(text) not in found:
            raise FileMissingError(path=("ids", position))
    return [found[each] for each in wanted if each]


@dataclass(frozen=True)
class FilePage:
    """One page of files, newest first, and the cursor of the next one, if there is one."""

    files: Sequence[Attachment]
    next_cursor: str | None


def page_of_files(
    files: QuerySet[Attachment], *, limit: int, cursor: str | None = None
) -> FilePage:
    """Cut one page out of files ordered by falling id. Ids sort by time: see `page_of_messages`.

    Raises: BadCursorError.
    """
    if cursor is not None:
        after = parse_uuid(cursor)
        if after is None:
            raise BadCursorError("cursor must be an id from nextCursor", path=("cursor",))
        files = files.filter(pk__lt=after)
    found = list(first_of(files, limit + 1))
    return FilePage(found[:limit], str(found[limit - 1].pk) if len(found) > limit else None)


def open_file(file: Attachment, *, start: int = 0) -> "File[bytes]":
    """The bytes of a file from `start` on, to be read in chunks.

    Raises: FileMissingError, StorageUnavailableError.
    """
    try:
        return open_object(file.storage_key, start=start)
    except FileNotFoundError:
        raise FileMissingError from None


def has_bytes(file: Attachment) -> bool:
    """Whether the object is still there.

    Raises: StorageUnavailableError.
    """
    return is_stored(file.storage_key)


def beginning_of(file: Attachment, *, limit: int) -> bytes | None:
    """Up to `limit` bytes; None if the object is gone.

    Raises: StorageUnavailableError.
    """
    return read(file.storage_key, limit=limit)


def preview_part(preview: Preview, name: str) -> bytes | None:
    """A part of a preview that is ready; None if there is none.

    Raises: StorageUnavailableError.
    """
    if preview.state != PreviewState.READY or name not in OF_KIND[preview.kind]:
        return None
    return read(f"{preview.storage_key}/{name}", limit=LARGEST_OUTPUT)


def has_inline_text(file: Attachment) -> bool:
    """Whether a file is shown as text beside its metadata (Placet contract 7.4)."""
    return file.mime_type in INLINE_TYPES and file.size <= LARGEST_INLINE


def inline_text(file: Attachment) -> str | None:
    """The text of a small text file; None if its object cannot be read now."""
    try:
        content = read(file.storage_key, limit=LARGEST_INLINE)
    except StorageUnavailableError:
        return None
    return None if content is None else content.decode("utf-8", "replace")
