"""Files: upload, store, list, download (Placet contract 2.6)."""

from functools import partial

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.placet.documentation import CHANNEL, array_of, operation
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.files import AttachmentOut, StoreTextIn
from api.placet.uploads import FORM, received, store_from
from api.placet.views.base import (
    AgentView,
    channel_in_query,
    given,
    key_of,
    read_body,
    workspace_of,
)
from api.placet.wire import attachment_body
from attachments.models import Attachment
from attachments.queries import files_in, find_file
from attachments.services import NewFile, claim_attachments, store_file
from attachments.serving import Stream, file_response, shown_to_agents
from inbox.models import Sender
from inbox.queries import require_channel
from inbox.services.messages import Draft, post_message

MOST_LISTED = 1000


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
    def get(self, request: Request, file_id: str) -> HttpResponse | Stream:
        """The bytes of a file, or one range of them. Its name stands in `Content-Disposition`."""
        file = find_file(workspace_of(request), file_id)
        return file_response(request._request, file, shown_to_agents(file))  # noqa: SLF001  # Django's own


def _stored(request: Request) -> Attachment:
    """Raises: InvalidBodyError, ChannelNotYoursError, StorageUnavailableError."""
    with received(request) as form:
        return store_from(form, workspace_of(request), key=key_of(request))
