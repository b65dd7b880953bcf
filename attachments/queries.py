"""Reads about files."""

from attachments.models import Attachment
from attachments.storage import read

INLINE_TYPES = frozenset({"text/markdown", "text/plain", "text/html", "text/csv"})
LARGEST_INLINE = 64 * 1024


def has_inline_text(file: Attachment) -> bool:
    """Whether a file is shown as text beside its metadata (Placet contract 7.4)."""
    return file.mime_type in INLINE_TYPES and file.size <= LARGEST_INLINE


def inline_text(file: Attachment) -> str | None:
    """The text of a small text file; None if its object cannot be read."""
    content = read(file.storage_key, limit=LARGEST_INLINE)
    return None if content is None else content.decode("utf-8", "replace")
