"""Messages of conversations: send, list."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from api.conversations.documentation import CHANNEL, operation
from api.conversations.drafts import find_place, read_message, require_thread, send_message
from api.conversations.errors import RefusedCallError
from api.conversations.ids import CONVERSATION, MESSAGE, read_id, shown_id
from api.conversations.serializers import (
    ConversationMessageIn,
    ConversationPageEnvelope,
    SentEnvelope,
)
from api.conversations.views.base import ConversationView
from api.conversations.wire import message_body, sent_body, success
from api.placet.documentation import LIMIT
from api.placet.views.base import in_query, limit_in_query, workspace_of
from inbox.models import Message, Sender
from inbox.queries import messages_of_thread, page_of_messages
from reviews.targets import channel_target

SENDING: dict[str, Any] = {
    "body": ConversationMessageIn,
    "answers": {200: SentEnvelope},
    "errors": [404],
    "parameters": [CHANNEL],
}
CURSOR = OpenApiParameter("cursor", str, description="`next_cursor` of the page before.")


class Messages(ConversationView):
    @operation("sendMessage", **SENDING)
    def post(self, request: Request) -> Response:
        """Send a message into a conversation, or begin one with it.

        A user's message reaches the agent; an agent's is a reply that `GET /v1/events` shows.
        """
        body = read_message(request)
        message = send_message(body, place=find_place(request, body), now=timezone.now())
        sent = {
            "conversation_id": message.thread_id and shown_id(CONVERSATION, message.thread_id),
            "message": sent_body(message),
            "auto_reply_enqueued": body.auto_reply and _is_for_webhook(message),
        }
        return Response(success("Message sent successfully.", sent))


class MessagesAtRoot(Messages):
    @operation("sendMessageAtRoot", **SENDING)
    def post(self, request: Request) -> Response:
        """The same as `POST /v1/messages`."""
        answer: Response = super().post(request)
        return answer


def _is_for_webhook(message: Message) -> bool:
    """Whether the agent is called about it: the very question that the outbox asked."""
    return message.sender == Sender.USER and channel_target(message.channel) is not None


class OneConversation(ConversationView):
    @operation(
        "listConversationMessages",
        answers={200: ConversationPageEnvelope},
        errors=[404],
        parameters=[LIMIT, CURSOR],
    )
    def get(self, request: Request, conversation_id: str) -> Response:
        """List the messages of a conversation, newest first."""
        thread = require_thread(workspace_of(request), conversation_id)
        page = page_of_messages(
            messages_of_thread(thread),
            limit=limit_in_query(request.GET),
            cursor=_cursor(request),
        )
        following = page.next_cursor
        listed = {
            "conversation_id": shown_id(CONVERSATION, thread.pk),
            "messages": [message_body(message) for message in page.messages],
            "next_cursor": None if following is None else shown_id(MESSAGE, uuid.UUID(following)),
        }
        return Response(success("Messages retrieved successfully.", listed))


def _cursor(request: Request) -> str | None:
    """Raises: RefusedCallError."""
    shown = in_query(request.GET, "cursor")
    if shown is None:
        return None
    found = read_id(MESSAGE, shown)
    if not found:
        raise RefusedCallError("Field 'cursor' must be a next_cursor of this conversation.")
    return found
