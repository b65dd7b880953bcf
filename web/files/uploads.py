"""Files that people send in a form: bounded while they come, and stored as an agent's are.

Django reads a form to find its CSRF token. So a view that takes files is exempt from the
middleware, sets the handler once it knows that this person may write here, and checks the token
then: `with_files` does the last two.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Concatenate, cast

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import (
    FileUploadHandler,
    SkipFile,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect

from accounts.models import User
from attachments.deleting import delete_files
from attachments.media_types import claimed_type
from attachments.models import Attachment
from attachments.services import NewFile, store_file
from inbox.errors import DomainError
from inbox.models import Channel
from web.access import MemberRequest

MOST_FILES = 10
ROOM_FOR_FIELDS = 1024 * 1024


class _Handler(TemporaryFileUploadHandler):
    """Writes each file to disk, hashes it on the way, and drops what is over the limits.

    What is dropped is still read to its end: a browser that cannot finish sending shows no answer.
    How much that may be is bounded, too: see `is_far_too_long`.
    """

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.hashed = hashlib.sha256()
        self.count = self.received = 0
        self.refusal = ""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.count += 1
        if self.count > MOST_FILES:
            self.refusal = too_many()
            raise SkipFile
        super().new_file(*args, **kwargs)
        self.hashed = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > settings.LARGEST_FILE:
            self.refusal = too_large()
            raise SkipFile
        self.hashed.update(raw_data)
        return super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> TemporaryUploadedFile:
        done = cast("TemporaryUploadedFile", super().file_complete(file_size))
        done.sha256 = self.hashed.hexdigest()  # type: ignore[attr-defined]
        return done


class NoUpload(FileUploadHandler):
    """For every form that takes no file: Django would write one to disk before any view is asked.

    Nothing of it is kept, and nothing more is read.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


class BoundedUpload(TemporaryFileUploadHandler):
    """Stops at a number of bytes, and remembers that it did; what was received is dropped."""

    def __init__(self, request: HttpRequest, *, most: int) -> None:
        super().__init__(request)
        self.most = most
        self.received = 0
        self.is_over = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > self.most:
            self.is_over = True
            self.file.close()
            raise StopUpload(connection_reset=True)
        return super().receive_data_chunk(raw_data, start)


def too_many() -> str:
    return _("Send up to %(number)d files at once.") % {"number": MOST_FILES}


def too_large() -> str:
    size = filesizeformat(settings.LARGEST_FILE)
    return _("The files of a message may have %(size)s together.") % {"size": size}


type FormView[**P] = Callable[Concatenate[MemberRequest, P], HttpResponse]


def with_files[**P](view: FormView[P]) -> FormView[P]:
    """Let a view read a form with files, and check its CSRF token. See the top of this file.

    A form that is far too long is not read, not even for its token: all that the view does with
    such a form is to refuse it.
    """
    protected = csrf_protect(view)

    @functools.wraps(view)
    def receiving(request: MemberRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request.upload_handlers = [_Handler(request)]
        chosen = view if is_far_too_long(request) else protected
        return chosen(request, *args, **kwargs)

    return cast("FormView[P]", receiving)


def limits() -> Mapping[str, Any]:
    """What the browser checks before it sends anything."""
    return {
        "most": MOST_FILES,
        "many": too_many(),
        "largest": settings.LARGEST_FILE,
        "large": too_large(),
    }


def is_too_long(request: HttpRequest) -> bool:
    """Whether the form says of itself that it is larger than anything that is taken."""
    return _length(request) > settings.LARGEST_FILE + ROOM_FOR_FIELDS


def is_far_too_long(request: HttpRequest) -> bool:
    """Whether it is so large that its sender is rather cut off than read to the end."""
    return _length(request) > 2 * settings.LARGEST_FILE + ROOM_FOR_FIELDS


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdigit() else 0


def refusal_of(request: HttpRequest) -> str:
    """Why files of this form were dropped, once it has been read; empty if none were."""
    handlers = cast("list[_Handler]", request.upload_handlers)
    return handlers[0].refusal


def received_files(request: HttpRequest) -> Sequence[TemporaryUploadedFile]:
    """The files of a form. A file field that was left empty sends one without a name."""
    return cast("list[TemporaryUploadedFile]", request.FILES.getlist("files"))


def store_received(
    files: Sequence[TemporaryUploadedFile], *, channel: Channel, user: User, now: datetime
) -> list[Attachment]:
    """Store all of them, or none.

    Raises: StorageUnavailableError, QuotaExceededError, ChannelNotYoursError.
    """
    stored: list[Attachment] = []
    try:
        for file in files:
            stored.append(store_file(channel, file=_new_file(file), user=user, now=now))  # noqa: PERF401  # one by one
    except DomainError:
        delete_files(stored)
        raise
    return stored


def _new_file(file: TemporaryUploadedFile) -> NewFile:
    return NewFile(
        filename=file.name or "",
        mime_type=claimed_type(file.content_type),
        size=file.size or 0,
        sha256=file.sha256,  # type: ignore[attr-defined]  # set by the handler
        content=file,
    )
