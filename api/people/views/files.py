"""Files, one by one and several at once (Placet contract 3.5)."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Workspace
from api.multipart import Form
from api.people.documentation import WORKSPACE, operation
from api.people.serializers.auth import TextOut
from api.people.serializers.files import (
    UPLOAD_FORM,
    FilePageOut,
    FilesIn,
    ShareOut,
)
from api.people.serializers.messages import LONGEST_TEXT
from api.people.views.base import PersonView, answering, managing, person_of, workspace_of
from api.people.wire import listed_file
from api.placet.documentation import CURSOR
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.files import AttachmentOut
from api.placet.uploads import FORM, received, store_from
from api.placet.views.base import PlacetView, in_query, limit_in_query, read_body
from api.placet.wire import attachment_body
from api.throttling import AddressThrottle
from attachments.archives import zipped
from attachments.models import Attachment
from attachments.queries import (
    files_in,
    find_file,
    find_files,
    has_bytes,
    page_of_files,
)
from attachments.removing import remove_files
from attachments.services import claim_attachments
from attachments.serving import Stream, file_response, protect, saved, shown_to_people
from attachments.sharing import LIVES_SECONDS, share_token, shared_file
from inbox.models import Sender
from inbox.queries import require_channel
from inbox.services.messages import Draft, post_message

TAG = "Files of people"
DEFAULT_LIMIT = 30
LARGEST_ARCHIVE = 500 * 1024 * 1024
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1},
    description="30 by default; what is above 100 is cut to 100.",
)
FILTERS = [
    OpenApiParameter("type", str, description="How the media type begins, such as `image/`."),
    OpenApiParameter("agent", str, description="Id of an agent; left out, all are meant."),
    OpenApiParameter("search", str, description="A part of the file's name, in any case."),
]
BYTES: dict[int | tuple[int, str], Any] = {
    (200, "*/*"): OpenApiResponse(OpenApiTypes.BINARY, "The file.")
}
ARCHIVE: dict[int | tuple[int, str], Any] = {
    (200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, "`files.zip`.")
}


def _text_in_query(request: Request, name: str) -> str:
    """Raises: InvalidBodyError."""
    text = in_query(request.GET, name) or ""
    if "\0" in text:
        raise InvalidBodyError(fault("nul", f"{name} holds the character NUL", name))
    return text


def _wanted(request: Request, workspace: Workspace) -> QuerySet[Attachment]:
    """Raises: InvalidBodyError, ChannelNotYoursError."""
    agent = in_query(request.GET, "agent")
    files = files_in(workspace, None if agent is None else require_channel(workspace, agent))
    kind, search = _text_in_query(request, "type"), _text_in_query(request, "search")
    if kind:
        files = files.filter(mime_type__startswith=kind.lower())
    if search:
        files = files.filter(filename__icontains=search)
    return files


class Files(PersonView):
    @operation(
        "listFilesAsPerson",
        tag=TAG,
        answers={200: FilePageOut},
        errors=[403],
        parameters=[*FILTERS, LIMIT, CURSOR, WORKSPACE],
    )
    def get(self, request: Request) -> Response:
        """List files, newest first, those on messages and those that wait for one."""
        page = page_of_files(
            _wanted(request, workspace_of(request)).select_related("message"),
            limit=limit_in_query(request.GET, DEFAULT_LIMIT),
            cursor=in_query(request.GET, "cursor"),
        )
        data = [listed_file(file) for file in page.files]
        return Response({"data": data, "nextCursor": page.next_cursor})


class FormView(PersonView):
    parser_classes = [MultiPartParser]  # for the OpenAPI document; `received` does the work


class Upload(FormView):
    @operation(
        "uploadFileAsPerson",
        tag=TAG,
        body=UPLOAD_FORM,
        answers={201: AttachmentOut},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request) -> Response:
        """Send a file to an agent in a message of its own. Parts may come in any order.

        Sockets and the feed tell of the message; the agent's webhook is not called.
        """
        workspace = answering(request).workspace
        with received(request) as form:
            text = _text_in(form)
            file = store_from(form, workspace, user=person_of(request))
        claim = partial(claim_attachments, ids=[str(file.pk)], key=None)
        post_message(
            channel=file.channel,
            sender=Sender.USER,
            author=person_of(request),
            draft=Draft(text=text or None, carrying=[claim], by_webhook=False),
            now=timezone.now(),
        )
        file.refresh_from_db()
        return Response(attachment_body(file), status=201)


def _text_in(form: Form) -> str:
    """Raises: InvalidBodyError."""
    text = form.fields.get("text", "")
    if len(text) > LONGEST_TEXT or "\0" in text:
        problem = f"text has up to {LONGEST_TEXT} characters, without NUL"
        raise InvalidBodyError(fault("invalid_text", problem, "text"))
    return text


class Store(FormView):
    @operation(
        "storeFileAsPerson",
        tag=TAG,
        body=FORM,
        answers={201: AttachmentOut},
        errors=[403],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request) -> Response:
        """Store a file for a later message, which claims it by `attachmentIds`."""
        workspace = answering(request).workspace
        with received(request) as form:
            file = store_from(form, workspace, user=person_of(request))
        return Response(attachment_body(file), status=201)


class Download(PersonView):
    @operation(
        "downloadFileAsPerson",
        tag=TAG,
        answers=BYTES,
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, file_id: str) -> HttpResponse | Stream:
        """The bytes of a file, or one range of them. Its name stands in `Content-Disposition`.

        What a browser could run has the type `application/octet-stream`.
        """
        file = find_file(workspace_of(request), file_id)
        return file_response(request._request, file, shown_to_people(file))  # noqa: SLF001  # Django's own


class OneFile(PersonView):
    @operation(
        "deleteFile",
        tag=TAG,
        answers={200: TextOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def delete(self, request: Request, file_id: str) -> Response:
        """Delete a file and its bytes. Where it was shown, pages say who deleted it."""
        file = find_file(managing(request).workspace, file_id)
        remove_files([file], by=person_of(request), now=timezone.now())
        return Response({"message": "Deleted"})


class BulkDelete(PersonView):
    @operation(
        "deleteFiles",
        tag=TAG,
        body=FilesIn,
        answers={201: TextOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request) -> Response:
        """Delete up to 100 files; if one of them is not there, none."""
        files = find_files(managing(request).workspace, read_body(request, FilesIn).ids)
        count = remove_files(files, by=person_of(request), now=timezone.now())
        return Response({"message": f"Deleted {count} file(s)"}, status=201)


class BulkDownload(PersonView):
    @operation(
        "downloadFiles",
        tag=TAG,
        body=FilesIn,
        answers=ARCHIVE,
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        """Up to 100 files of up to 500 MB together, as one ZIP archive.

        A file whose bytes are lost is named in a text at the end of the archive.
        """
        files = find_files(workspace_of(request), read_body(request, FilesIn).ids)
        if sum(file.size for file in files) > LARGEST_ARCHIVE:
            problem = f"the files have more than {LARGEST_ARCHIVE} bytes together"
            raise InvalidBodyError(fault("too_much", problem, "ids"))
        response = StreamingHttpResponse(zipped(files), content_type="application/zip")
        response["Content-Disposition"] = 'attachment; filename="files.zip"'
        protect(response)
        return response


class Share(PersonView):
    @operation(
        "shareFile",
        tag=TAG,
        answers={200: ShareOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, file_id: str) -> Response:
        """A link that gives the file to whoever has it, for an hour. It ends with the file."""
        token = share_token(find_file(answering(request).workspace, file_id))
        path = reverse("people:shared", args=[token])
        url = settings.PUBLIC_URL.rstrip("/") + path
        return Response({"url": url, "expiresIn": LIVES_SECONDS})


class NoSuchLinkError(NotFound):
    default_detail = "Invalid or expired share link"


class Shared(PlacetView):
    """For whoever has the link: nobody is asked who they are."""

    authentication_classes = []
    throttle_classes = [AddressThrottle]

    @operation("openShareLink", tag=TAG, answers=BYTES, errors=[404], needs_key=False)
    def get(self, request: Request, token: str) -> HttpResponse | Stream:
        """The file behind a link, to be saved."""
        file = shared_file(token)
        if file is None or not has_bytes(file):
            raise NoSuchLinkError
        return file_response(request._request, file, saved())  # noqa: SLF001  # Django's own
