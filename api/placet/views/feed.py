"""The feed of events: what webhooks said, for agents that were down. Ours, not Placet's."""

from typing import Any

import orjson
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from api.placet.documentation import CHANNEL, LIMIT, operation
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.feed import EventPageOut
from api.placet.times import wire_time
from api.placet.views.base import (
    AgentView,
    channel_in_query,
    in_query,
    limit_in_query,
    workspace_of,
)
from delivery.feed import CursorRefusedError, read_feed
from delivery.models import Event

AFTER = OpenApiParameter(
    "after", str, description="`cursor` of the page before; left out, the oldest events come."
)


class Events(AgentView):
    @operation(
        "listEvents",
        tag="Events",
        answers={200: EventPageOut},
        errors=[403],
        parameters=[AFTER, LIMIT, CHANNEL],
    )
    def get(self, request: Request) -> Response:
        """Everything that webhooks said or would have said, in one order, for at least 30 days.

        Read until `hasMore` is false, keep `cursor`, and begin there next time: nothing is missed
        and nothing comes twice.
        """
        channel = channel_in_query(request)
        try:
            page = read_feed(
                workspace_of(request).pk,
                after=in_query(request.GET, "after"),
                limit=limit_in_query(request.GET),
                scope=str(channel.pk) if channel else None,
            )
        except CursorRefusedError as refused:
            raise InvalidBodyError(fault("bad_cursor", str(refused), "after")) from None
        events = [event_body(event) for event in page.events]
        return Response({"events": events, "cursor": page.cursor, "hasMore": page.has_more})


def event_body(event: Event) -> dict[str, Any]:
    """An event on the wire; its body passes through as it was sent."""
    return {
        "id": event.pk,
        "type": event.type,
        "channelId": event.scope,
        "createdAt": wire_time(event.created_at),
        "data": None if event.body is None else orjson.Fragment(event.body),
    }
