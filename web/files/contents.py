"""What is inside of files, as pages show it. All of it was written by agents."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from attachments.conversion import parts
from attachments.conversion.texts import decode
from attachments.models import Attachment, Preview
from attachments.queries import beginning_of, preview_part
from web.text.hidden import SIGN, revealed_html
from web.text.invisible import find_hidden

LONGEST_SOURCE = 512 * 1024
LONGEST_MARKDOWN = 200_000


@dataclass(frozen=True)
class Sheet:
    name: str
    rows: Sequence[Sequence[str]]
    more_rows: bool
    more_columns: bool

    @property
    def columns(self) -> list[str]:
        """Letters, as every program for tables names its columns."""
        return [_letters(number) for number in range(max(map(len, self.rows), default=0))]


@dataclass(frozen=True)
class Source:
    """Lines of escaped HTML, and whether the file goes on."""

    lines: Sequence[SafeString]
    more: bool


def source_of(file: Attachment) -> Source:
    """Coloured lines if a worker made them, else plain ones."""
    made = _part(file, parts.CODE)
    if made is not None:
        lines = [_coloured(line) for line in json.loads(made)]
    else:
        text = decode(beginning_of(file, limit=LONGEST_SOURCE) or b"")
        plain = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
        lines = [mark_safe(revealed_html(line)) for line in plain]  # noqa: S308  # escapes
    return Source(lines, more=file.size > LONGEST_SOURCE)


def _coloured(line: Sequence[Sequence[str]]) -> SafeString:
    """Pygments' names with a prefix of their own: `sr` and `err` mean other things on our pages."""
    pieces = [
        format_html('<span class="hl-{}">{}</span>', name, mark_safe(revealed_html(text)))  # noqa: S308
        if name
        else revealed_html(text)
        for name, text in line
    ]
    return mark_safe("".join(pieces))  # noqa: S308  # escaped piece by piece


def markdown_text(file: Attachment) -> str:
    return decode(beginning_of(file, limit=LONGEST_MARKDOWN) or b"")


def sheets_of(file: Attachment) -> list[Sheet]:
    made = _part(file, parts.TABLE)
    return [Sheet(**sheet) for sheet in json.loads(made)["sheets"]] if made is not None else []


def document_html(file: Attachment) -> SafeString | None:
    """What the worker cleaned, with hidden characters named. Names of characters are no markup."""
    made = _part(file, parts.DOCUMENT)
    if made is None:
        return None
    return mark_safe(marked(made.decode()))  # noqa: S308  # the allow-list was applied when made


def marked(text: str) -> str:
    """Hidden characters as plain names of their code points, which are no markup anywhere."""
    pieces, until = [], 0
    for found in find_hidden(text):
        pieces += [text[until : found.start], SIGN, found.code]
        until = found.end
    return "".join([*pieces, text[until:]])


def _part(file: Attachment, name: str) -> bytes | None:
    preview: Preview | None = getattr(file, "preview", None)
    return preview_part(preview, name) if preview is not None else None


def _letters(number: int) -> str:
    """0 is A, 25 is Z, 26 is AA."""
    tens, ones = divmod(number, 26)
    return (_letters(tens - 1) if tens else "") + chr(ord("A") + ones)


def thumbnail_of(file: Attachment, size: int) -> bytes | None:
    """The WebP of that size; None if there is none."""
    return _part(file, parts.thumbnail(size))
