"""The workspace's files as a list, and one of them with what is around it."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Workspace
from attachments.kinds import GROUPS
from attachments.models import Attachment
from attachments.queries import FileMissingError, FilePage, files_in, page_of_files
from inbox.models import Channel
from inbox.queries import channels_of, find_channel
from web.access import MemberRequest
from web.files.drawings import annotated_review
from web.files.looks import look_of_file
from web.files.viewer import make_viewer
from web.looks import Look

PAGE = 50
LONGEST_SEARCH = 150
MOST_CHANNELS = 200


@dataclass(frozen=True)
class FileFilters:
    """What the list is narrowed to; it travels in the query string."""

    text: str = ""
    kind: str = ""
    channel: Channel | None = None
    cursor: str = ""

    @classmethod
    def read(cls, given: QueryDict, workspace: Workspace) -> "FileFilters":
        """Raises: ChannelNotFoundError."""
        kind, channel_id = given.get("kind", ""), given.get("channel", "")
        return cls(
            text=given.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
            kind=kind if kind in GROUPS else "",
            channel=find_channel(workspace, channel_id) if channel_id else None,
            cursor=given.get("cursor", ""),
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.kind or self.channel)

    def query(self, **over: str) -> str:
        """The query string for the same list, `?` included; without a page unless one is named."""
        values = {
            "q": self.text,
            "kind": self.kind,
            "channel": str(self.channel.pk) if self.channel else "",
        } | over
        present = {name: value for name, value in values.items() if value}
        return f"?{urlencode(present)}" if present else ""


@dataclass(frozen=True)
class FileRow:
    file: Attachment
    look: Look


def _page(workspace: Workspace, filters: FileFilters) -> FilePage:
    """Raises: BadCursorError."""
    files = files_in(workspace, filters.channel).select_related("channel", "preview")
    if filters.kind:
        files = files.filter(GROUPS[filters.kind])
    if filters.text:
        files = files.filter(filename__icontains=filters.text)
    return page_of_files(files, limit=PAGE, cursor=filters.cursor or None)


def files_context(request: MemberRequest) -> dict[str, Any]:
    """Raises: ChannelNotFoundError, BadCursorError."""
    filters = FileFilters.read(request.GET, request.workspace)
    page = _page(request.workspace, filters)
    return {
        "section": "files",
        "filters": filters,
        "query": filters.query(),
        "rows": [FileRow(file, look_of_file(file)) for file in page.files],
        "kinds": _kinds(),
        "file_channels": list(channels_of(request.workspace)[:MOST_CHANNELS]),
        "next_page": filters.query(cursor=page.next_cursor) if page.next_cursor else "",
    }


def _kinds() -> dict[str, str]:
    return {
        "images": _("Pictures"),
        "media": _("Sound and video"),
        "documents": _("Documents"),
        "tables": _("Tables"),
        "text": _("Text and code"),
    }


def file_context(request: MemberRequest, file_id: str) -> dict[str, Any]:
    """One file beside the list.

    Raises: FileMissingError, ChannelNotFoundError, BadCursorError.
    """
    file = _shown_file(request.workspace, file_id)
    context = files_context(request)
    around = _same_message(request.workspace, file)
    address = partial(_address, query=context["query"])
    return context | {
        "showing_detail": True,
        "file": file,
        "sender": file.uploaded_by_user.name if file.uploaded_by_user else "",
        "message_url": _message_url(file),
        "annotate_review": annotated_review(request, getattr(file.message, "review", None)),
        "viewer": make_viewer(file, around=around, given=request.GET, address=address),
    }


def _address(file: Attachment, *, query: str) -> str:
    return reverse("web:file", args=[file.pk]) + query


def _shown_file(workspace: Workspace, file_id: str) -> Attachment:
    files = files_in(workspace, None).select_related(
        "channel", "preview", "uploaded_by_user", "message__review"
    )
    file = files.filter(pk=file_id).first()
    if file is None:
        raise FileMissingError
    return file


def _same_message(workspace: Workspace, file: Attachment) -> list[Attachment]:
    """The files of the file's message, in the agent's order; the file alone if it has none."""
    if file.message_id is None:
        return [file]
    files = files_in(workspace, None).filter(message=file.message_id)
    return list(files.order_by("position", "id"))


def _message_url(file: Attachment) -> str:
    """Where the file was shown: its review, or its message in the conversation."""
    if file.message is None:
        return ""
    if hasattr(file.message, "review"):
        return reverse("web:review", args=[file.message_id])
    return reverse("web:channel", args=[file.channel_id]) + f"#m-{file.message_id}"
