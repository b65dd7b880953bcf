"""Reading multipart forms with one file: bounded while it streams, never held in memory.

The parts may come in any order, so everything is received before anything is looked up.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from api.bodies import ENDED_EARLY, BodyError, note_received

ROOM_FOR_FIELDS = 1024 * 1024
FORM_TYPE = "multipart/form-data"


@dataclass(frozen=True)
class Form:
    """The fields of a form, and its file with the SHA-256 of what was received."""

    fields: dict[str, str]
    file: "UploadedFile[bytes] | None"
    sha256: str

    def close(self) -> None:
        """Drop the temporary file."""
        if self.file is not None:
            self.file.close()


def _too_large(largest: int) -> BodyError:
    return BodyError(413, f"The file is larger than {largest} bytes.")


class _Handler(TemporaryFileUploadHandler):
    """Writes to a temporary file, counts and hashes on the way, and stops at the limit."""

    def __init__(self, request: HttpRequest, largest: int) -> None:
        super().__init__(request)
        self.largest = largest
        self.hashed = hashlib.sha256()
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > self.largest:
            raise _too_large(self.largest)
        self.hashed.update(raw_data)
        return super().receive_data_chunk(raw_data, start)

    def drop(self) -> None:
        """Close a file that was not received to its end."""
        file: Any = getattr(self, "file", None)
        if file is not None:
            file.close()


def read_form(request: HttpRequest, *, largest: int | None = None) -> Form:
    """Receive a form with a file of up to `largest` bytes. The caller closes it.

    Raises: BodyError with 413 (too large), 415 (no form) or 400 (malformed, several files).
    """
    if (request.content_type or "").lower() != FORM_TYPE:
        raise BodyError(415, f"Send the body as {FORM_TYPE}.")
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdigit():
        raise BodyError(400, "Say how long the body is: Content-Length is missing.")
    largest = largest or settings.LARGEST_FILE
    if int(length) > largest + ROOM_FOR_FIELDS:
        raise _too_large(largest)
    handler = _Handler(request, largest)
    try:
        fields, files = MultiPartParser(request.META, request, [handler], "utf-8").parse()
    except (MultiPartParserError, SuspiciousOperation, UnicodeDecodeError) as error:
        handler.drop()
        raise BodyError(400, f"The form cannot be read: {error}") from None
    except UnreadablePostError:
        handler.drop()
        raise BodyError(400, ENDED_EARLY) from None
    except BodyError:
        handler.drop()
        raise
    note_received(request, [*fields, *files])
    received = [file for _, parts in files.lists() for file in parts]
    if len(received) > 1:
        for file in received:
            file.close()
        raise BodyError(400, "Send one file at a time.")
    first = {name: values[0] for name, values in fields.lists()}
    return Form(first, received[0] if received else None, handler.hashed.hexdigest())
