"""A file that comes in a form: received, checked, and stored in the channel that the form names."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone
from rest_framework.request import Request

from accounts.models import ApiKey, User, Workspace
from api.bodies import BodyError
from api.multipart import FORM_TYPE, Form, read_form
from api.placet.errors import InvalidBodyError, fault
from api.placet.views.base import unreadable
from attachments.media_types import claimed_type
from attachments.models import Attachment
from attachments.services import NewFile, store_file
from inbox.models import Channel
from inbox.queries import require_channel


def form_of_file(**more: Any) -> dict[str, Any]:
    """How such a form stands in the OpenAPI document, with more fields of its own."""
    properties = {
        "channelId": {"type": "string", "minLength": 1, "description": "Id of an agent."},
        "channel": {"type": "string", "minLength": 1, "description": "The same, by another name."},
        "file": {"type": "string", "format": "binary"},
    }
    return {
        FORM_TYPE: {
            "type": "object",
            "properties": properties | more,
            "required": ["file"],
            "anyOf": [{"required": ["channelId"]}, {"required": ["channel"]}],
        }
    }


FORM = form_of_file()


@contextmanager
def received(request: Request, *, largest: int | None = None) -> Iterator[Form]:
    """The form of a request; its temporary file is gone afterwards."""
    try:
        form = read_form(request._request, largest=largest)  # noqa: SLF001  # DRF would parse it first
    except BodyError as error:
        raise unreadable(error) from error
    try:
        yield form
    finally:
        form.close()


def store_from(
    form: Form, workspace: Workspace, *, key: ApiKey | None = None, user: User | None = None
) -> Attachment:
    """Raises: InvalidBodyError, ChannelNotYoursError, StorageUnavailableError."""
    channel, file = _channel(form, workspace), file_in(form)
    return store_file(channel, file=file, key=key, user=user, now=timezone.now())


def file_in(form: Form) -> NewFile:
    """Raises: InvalidBodyError."""
    if form.file is None:
        raise InvalidBodyError(
            fault("missing_file", "send a part with a file name", "file"),
            message="No file provided",
        )
    return NewFile(
        filename=form.file.name or "",
        mime_type=claimed_type(form.file.content_type),
        size=form.file.size or 0,
        sha256=form.sha256,
        content=form.file,
    )


def _channel(form: Form, workspace: Workspace) -> Channel:
    """The channel that `channelId` names, or `channel`, as some clients call it."""
    names = {form.fields[name] for name in ("channelId", "channel") if form.fields.get(name)}
    if not names:
        raise InvalidBodyError(
            fault("missing_channel", "channelId is required", "channelId"),
            message="channelId is required",
        )
    if len(names) > 1:
        problem = "channelId and channel name different agents"
        raise InvalidBodyError(fault("contradiction", problem, "channel"))
    return require_channel(workspace, names.pop())
