"""Pictures of agents (Placet contract 3.3)."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import NotFound
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from api.multipart import FORM_TYPE
from api.people.documentation import WORKSPACE, operation
from api.people.views.base import PersonView, managing, workspace_of
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.agents import AgentOut
from api.placet.uploads import file_in, received
from api.placet.wire import agent_body
from attachments.conversion.refusals import Reason, RefusedError
from attachments.serving import picture_response
from attachments.workshop import make_avatar
from inbox.queries import find_channel, picture_of
from inbox.services.pictures import remove_picture, set_picture

TAG = "Agents of people"
LARGEST = 5 * 1024 * 1024
FRESH_SECONDS = 3600
FORM: dict[str, Any] = {
    FORM_TYPE: {
        "type": "object",
        "properties": {
            "file": {
                "type": "string",
                "format": "binary",
                "description": "PNG, JPEG, GIF, WebP or AVIF of up to 5 MB.",
            }
        },
        "required": ["file"],
    }
}
PICTURE: dict[int | tuple[int, str], Any] = {
    (200, "image/webp"): OpenApiResponse(OpenApiTypes.BINARY, "256 by 256 pixels.")
}


class NoAvatarError(NotFound):
    default_detail = "No avatar set"


class Avatar(PersonView):
    parser_classes = [MultiPartParser]  # for the OpenAPI document; `received` does the work

    @operation(
        "setAvatar",
        tag=TAG,
        body=FORM,
        answers={201: AgentOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request, agent_id: str) -> Response:
        """Give an agent a picture. It is drawn anew: nothing but its pixels is kept."""
        channel = find_channel(managing(request).workspace, agent_id)
        return Response(agent_body(set_picture(channel, content=_drawn(request))), status=201)

    @operation(
        "getAvatar",
        tag=TAG,
        answers=PICTURE,
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, agent_id: str) -> HttpResponse:
        """The picture that was uploaded, as WebP."""
        content = picture_of(find_channel(workspace_of(request), agent_id))
        if content is None:
            raise NoAvatarError
        return picture_response(content, fresh_seconds=FRESH_SECONDS)

    @operation(
        "deleteAvatar",
        tag=TAG,
        answers={200: AgentOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def delete(self, request: Request, agent_id: str) -> Response:
        """Take the picture away; `avatarUrl` is null then."""
        channel = find_channel(managing(request).workspace, agent_id)
        return Response(agent_body(remove_picture(channel)))


def _drawn(request: Request) -> bytes:
    """Raises: InvalidBodyError."""
    with received(request, largest=LARGEST) as form:
        file = file_in(form)
        if not file.mime_type.startswith("image/"):
            raise InvalidBodyError(fault("no_image", "send a part of the type image/*", "file"))
        try:
            return make_avatar(file.content)
        except RefusedError as refusal:
            raise InvalidBodyError(fault("no_image", _why(refusal.reason), "file")) from refusal


def _why(reason: Reason) -> str:
    large = reason in {Reason.TOO_LARGE, Reason.TOO_SLOW}
    return "the picture is too large" if large else "not a picture in PNG, JPEG, GIF, WebP or AVIF"
