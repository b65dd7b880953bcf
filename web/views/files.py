"""Files of the workspace: the list of them, the viewer, and their bytes."""

import uuid
from typing import cast

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from attachments.links import download_link
from attachments.queries import find_file
from attachments.serving import elsewhere, file_response, picture_response, shown_as
from web.access import MemberRequest, for_members
from web.files.contents import thumbnail_of
from web.files.listing import file_context, files_context

TEMPLATE = "attachments/list.html"


@require_safe
@for_members
def files(request: MemberRequest) -> HttpResponse:
    return render(request, TEMPLATE, files_context(request))


@require_safe
@for_members
def file(request: MemberRequest, file_id: uuid.UUID) -> HttpResponse:
    return render(request, TEMPLATE, file_context(request, str(file_id)))


@require_safe
@for_members
def raw(request: MemberRequest, file_id: uuid.UUID) -> HttpResponse:
    """The bytes. `?download=1` saves them, `?render=1` shows HTML as a page in a sandbox."""
    found = find_file(request.workspace, str(file_id), with_drafts_of=request.user)
    link = download_link(found) if "download" in request.GET and request.method == "GET" else None
    if link is not None:
        return elsewhere(link)
    shown = shown_as(found, download="download" in request.GET, render="render" in request.GET)
    return cast("HttpResponse", file_response(request, found, shown))


@require_safe
@for_members
def thumbnail(request: MemberRequest, file_id: uuid.UUID, size: int) -> HttpResponse:
    """A small picture of a file, for files that have one."""
    found = find_file(request.workspace, str(file_id), with_drafts_of=request.user)
    content = thumbnail_of(found, size)
    if content is None:
        raise Http404
    return picture_response(content)
