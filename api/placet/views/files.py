"""Files: upload, store, list, download (Placet contract 2.6)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies import BodyError
from api.multipart import FORM_TYPE, Form, read_form
from api.placet.documentation import CHANNEL, array_of, operation
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.files import AttachmentOut, StoreTextIn
from api.placet.views.base import (
    AgentView,
    channel_in_query,
    given,
    key_of,
    read_body,
    unreadable,
    workspace_of,
)
from api.placet.wire import attachment_body
from attachments.media_types import claimed_type
from attachments.models import Attachment
from attachments.queries import files_in, find_file, open_file
from attachments.services import NewFile, claim_attachments, store_file
from inbox.models import Channel, Sender
from inbox.queries import require_channel
from inbox.services.messages import Draft, post_message

MOST_LISTED = 1000
CHUNK = 64 * 1024
# What a browser may show; everything else is only ever saved.
SHOWN_INLINE = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "text/plain"}
    | {"video/mp4", "video/webm", "audio/mpeg", "audio/ogg", "application/pdf"}
)
FILE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
# Kept as they are in a plain `filename`; the rest is percent-encoded, as n8n expects it.
PLAIN = " !#$&'()+,-.;=@[]^_`{}~"

FORM: dict[str, Any] = {
    FORM_TYPE: {
        "type": "object",
        "properties": {
            "channelId": {"type": "string", "minLength": 1, "description": "Id of an agent."},
            "channel": {
                "type": "string",
                "minLength": 1,
                "description": "The same, by another name.",
            },
            "file": {"type": "string", "format": "binary"},
        },
        "required": ["file"],
        "anyOf": [{"required": ["channelId"]}, {"required": ["channel"]}],
    }
}


class FormView(AgentView):
    parser_classes = [MultiPartParser]  # for the OpenAPI document; `received` does the work


class Upload(FormView):
    @operation("uploadFile", tag="Files", body=FORM, answers={201: AttachmentOut}, errors=[403])
    def post(self, request: Request) -> Response:
        """Store a file and show it in a message of its own. Parts may come in any order.

        The agent's next message may claim the file by `attachmentIds`; the message that `upload`
        made goes away then.
        """
        file = _stored(request)
        claim = partial(claim_attachments, ids=[str(file.pk)], key=key_of(request), as_upload=True)
        draft = Draft(carrying=[claim])
        post_message(channel=file.channel, sender=Sender.AGENT, draft=draft, now=timezone.now())
        file.refresh_from_db()
        return Response(attachment_body(file), status=201)


class Store(FormView):
    @operation("storeFile", tag="Files", body=FORM, answers={201: AttachmentOut}, errors=[403])
    def post(self, request: Request) -> Response:
        """Store a file for a later message, which claims it by `attachmentIds`."""
        return Response(attachment_body(_stored(request)), status=201)


class StoreText(AgentView):
    @operation(
        "storeText", tag="Files", body=StoreTextIn, answers={201: AttachmentOut}, errors=[403]
    )
    def post(self, request: Request) -> Response:
        """Store text as a file for a later message."""
        body = read_body(request, StoreTextIn)
        content = given(body.content)
        if not content:
            problem = fault("missing_content", "content is required", "content")
            raise InvalidBodyError(problem, message="content is required")
        channel = require_channel(workspace_of(request), body.channel_id)
        text = NewFile.of_text(content, filename=body.filename, mime_type=body.mime_type)
        file = store_file(channel, file=text, key=key_of(request), now=timezone.now())
        return Response(attachment_body(file), status=201)


class Files(AgentView):
    @operation(
        "listFiles",
        tag="Files",
        answers={200: array_of(AttachmentOut)},
        errors=[403],
        parameters=[CHANNEL],
    )
    def get(self, request: Request) -> Response:
        """The newest 1,000 files, those on messages and those that wait for one."""
        found = files_in(workspace_of(request), channel_in_query(request))[:MOST_LISTED]
        return Response([attachment_body(file) for file in found])


class Download(AgentView):
    @operation(
        "downloadFile",
        tag="Files",
        answers={(200, "*/*"): OpenApiResponse(OpenApiTypes.BINARY, "The file.")},
        errors=[404],
    )
    def get(self, request: Request, file_id: str) -> FileResponse:
        """The bytes of a file. Its name stands in `Content-Disposition`."""
        file = find_file(workspace_of(request), file_id)
        response = FileResponse(open_file(file), content_type=_shown_type(file.mime_type))
        response.block_size = CHUNK  # Django's is 4 KiB: each would pass from thread to thread
        response["Content-Length"] = str(file.size)
        response["Content-Disposition"] = disposition(file)
        response["Content-Security-Policy"] = FILE_POLICY
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


def disposition(file: Attachment) -> str:
    """A plain ASCII name, percent-encoded where needed, and the name itself (RFC 6266)."""
    how = "inline" if file.mime_type in SHOWN_INLINE else "attachment"
    plain, exact = quote(file.filename, safe=PLAIN), quote(file.filename, safe="")
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def _shown_type(mime_type: str) -> str:
    return "text/plain; charset=utf-8" if mime_type == "text/plain" else mime_type


def _stored(request: Request) -> Attachment:
    """Receive a form and store its file.

    Raises: InvalidBodyError, ChannelNotYoursError, StorageUnavailableError.
    """
    with received(request) as form:
        channel = _channel(request, form)
        if form.file is None:
            raise InvalidBodyError(
                fault("missing_file", "send a part with a file name", "file"),
                message="No file provided",
            )
        file = NewFile(
            filename=form.file.name or "",
            mime_type=claimed_type(form.file.content_type),
            size=form.file.size or 0,
            sha256=form.sha256,
            content=form.file,
        )
        return store_file(channel, file=file, key=key_of(request), now=timezone.now())


@contextmanager
def received(request: Request) -> Iterator[Form]:
    """The form of a request; its temporary file is gone afterwards."""
    try:
        form = read_form(request._request)  # noqa: SLF001  # DRF would parse it first
    except BodyError as error:
        raise unreadable(error) from error
    try:
        yield form
    finally:
        form.close()


def _channel(request: Request, form: Form) -> Channel:
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
    return require_channel(workspace_of(request), names.pop())
