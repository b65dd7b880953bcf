"""What the views of this dialect share."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.ids import parse_uuid
from api.eliza.errors import handle
from api.placet.errors import InvalidBodyError, fault
from api.placet.views.base import AgentView, InvalidRouteError, workspace_of
from inbox.models import Channel
from inbox.queries import find_channel


class ElizaView(AgentView):
    """A route of this dialect: API key in, every call goes into the log, ElizaOS's errors."""

    def get_exception_handler(self) -> Any:
        return handle


class UnknownRoute(ElizaView):
    """Any other path below /api/messaging/: the same envelope, without asking for a key."""

    authentication_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise InvalidRouteError


def success(data: Any) -> Response:
    return Response({"success": True, "data": data})


def channel_in_path(request: Request, channel_id: str) -> Channel:
    """The channel of the key that a path names.

    Raises: InvalidBodyError for what is not a UUID, ChannelNotFoundError.
    """
    if parse_uuid(channel_id) is None:
        raise InvalidBodyError(fault("invalid", "must be a UUID", "channelId"))
    return find_channel(workspace_of(request), channel_id)
