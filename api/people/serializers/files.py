"""Files, as people see and choose them (Placet contract 3.5)."""

from typing import Annotated, Literal

from msgspec import Meta

from api.people.serializers.messages import LONGEST_TEXT
from api.placet.serializers.base import Text, WireStruct
from api.placet.serializers.files import AttachmentOut
from api.placet.uploads import form_of_file

MOST_AT_ONCE = 100

UPLOAD_FORM = form_of_file(text={"type": "string", "maxLength": LONGEST_TEXT})


class FileMessageOut(WireStruct):
    channel_id: str
    created_at: str


class ListedFileOut(AttachmentOut, kw_only=True):
    """A file, and the message that it is on."""

    message: FileMessageOut | None


class FilePageOut(WireStruct):
    """`nextCursor` is null on the last page."""

    data: list[ListedFileOut]
    next_cursor: str | None


class FilesIn(WireStruct):
    """Ids of files; each counts once."""

    ids: Annotated[list[Text], Meta(min_length=1, max_length=MOST_AT_ONCE)]


class ShareOut(WireStruct):
    """An address that gives the file to whoever has it, and for how many seconds."""

    url: str
    expires_in: Literal[3600]
