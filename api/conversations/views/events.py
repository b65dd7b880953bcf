"""What happened, in one order: how whoever writes for users learns of replies."""

import uuid
from collections.abc import Iterable

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.ids import parse_uuid
from accounts.models import Workspace
from api.conversations.documentation import CHANNEL, operation
from api.conversations.drafts import channel_in_query
from api.conversations.errors import RefusedCallError
from api.conversations.serializers import ConversationEventsEnvelope
from api.conversations.views.base import ConversationView
from api.conversations.wire import event_body, success, told_of
from api.placet.documentation import LIMIT
from api.placet.views.base import in_query, limit_in_query, workspace_of
from api.placet.views.feed import AFTER
from delivery.feed import CursorRefusedError, FeedPage, read_feed
from inbox.models import Message


class Events(ConversationView):
    @operation(
        "listConversationEvents",
        answers={200: ConversationEventsEnvelope},
        errors=[404],
        parameters=[AFTER, LIMIT, CHANNEL],
    )
    def get(self, request: Request) -> Response:
        """Every message and decision, in one order, for at least 30 days; the agents' own feed.

        Read until `has_more` is false, keep `cursor`, and begin there next time: nothing is missed
        and nothing comes twice.
        """
        page = _read(request)
        told = {event.pk: told_of(event) for event in page.events}
        others = [event.reference for event in page.events if told[event.pk] is None]
        threads = _threads_of(workspace_of(request), others)
        events = [event_body(each, told[each.pk], threads) for each in page.events]
        found = {"events": events, "cursor": page.cursor, "has_more": page.has_more}
        return Response(success("Events retrieved successfully.", found))


def _read(request: Request) -> FeedPage:
    channel = channel_in_query(request)
    try:
        return read_feed(
            workspace_of(request).pk,
            after=in_query(request.GET, "after"),
            limit=limit_in_query(request.GET),
            scope=str(channel.pk) if channel else None,
        )
    except CursorRefusedError as refused:
        raise RefusedCallError(f"{refused}.") from None


def _threads_of(workspace: Workspace, message_ids: Iterable[str]) -> dict[str, uuid.UUID | None]:
    """Where messages are whose events do not say it: one statement for all, or none."""
    asked = {found for each in message_ids if (found := parse_uuid(each))}
    if not asked:
        return {}
    messages = Message.objects.filter(workspace=workspace, pk__in=asked)
    return {str(pk): thread_id for pk, thread_id in messages.values_list("pk", "thread_id")}
