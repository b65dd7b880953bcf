"""Files of the workspace: their bytes, the list of them, and the viewer."""

import uuid
from typing import cast

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from attachments.queries import find_file
from web.access import MemberRequest, for_members
from web.file_responses import file_response, shown_as


@require_safe
@for_members
def raw(request: MemberRequest, file_id: uuid.UUID) -> HttpResponse:
    """The bytes. `?download=1` saves them, `?render=1` shows HTML as a page in a sandbox."""
    file = find_file(request.workspace, str(file_id))
    shown = shown_as(file, download="download" in request.GET, render="render" in request.GET)
    return cast("HttpResponse", file_response(request, file, shown))
