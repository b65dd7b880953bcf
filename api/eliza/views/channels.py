"""Messages of a channel: post and list."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.ids import parse_uuid
from accounts.models import ApiKey
from api.eliza.documentation import operation
from api.eliza.fields import checked_fields
from api.eliza.moments import newer_than, older_than
from api.eliza.serializers import (
    ChannelMessageIn,
    ChannelMessageOut,
    ChannelMessagePageOut,
    ReplyEvent,
)
from api.eliza.views.base import ElizaView, channel_in_path, success
from api.eliza.waiting import AT_ONCE, waiting_call
from api.eliza.wire import loaded, message_body
from api.origins import author_name
from api.placet.documentation import LIMIT
from api.placet.drafts import checked_metadata
from api.placet.errors import InvalidBodyError, fault
from api.placet.views.base import key_of, limit_in_query, read_body, workspace_of
from delivery import faults
from inbox.models import Channel, Message, Sender
from inbox.queries import (
    ReplyTargetError,
    messages_in,
    page_of_messages,
    require_reply_target,
)
from inbox.services.messages import Draft, Origin, post_message

TOGETHER = ("author_id", "message_server_id")
WITHOUT_MEANING = ("page", "offset")
GROWING = (
    "The message; for `stream` the events `user_message`, the stored message, `chunk`, each state "
    "of the growing reply, and `done`, the whole reply or null."
)


class ChannelMessages(ElizaView):
    @operation(
        "postChannelMessage",
        body=ChannelMessageIn,
        answers={
            200: OpenApiResponse(ChannelMessageOut, GROWING),
            (200, "text/event-stream"): ReplyEvent,
        },
        errors=[403, 404, 408],
        parameters=[
            OpenApiParameter(
                "timeout",
                int,
                description="How long `sync` waits for a reply, and `stream` for more of it: "
                "milliseconds; 25000 by default and at most.",
            )
        ],
    )
    def post(self, request: Request, channel_id: str) -> Response:
        """Post a message to an agent; it reaches the agent as a person's message does.

        `sync` answers when the agent has replied, or the time is up: the reply is then
        `metadata.reply`, or null. Unknown fields are ignored.
        """
        now = timezone.now()
        body = read_message(request)
        channel = channel_in_path(request, channel_id)
        refuse_other_server(body, channel)
        draft = read_draft(body, channel=channel, key=key_of(request))
        call = None if body.mode == AT_ONCE else waiting_call(request)
        if call:
            call.enter(key_of(request).pk)
        message = store(body, channel=channel, draft=draft, now=now)
        if call:
            call.settle(message, body.mode)
        return success(message_body(message))

    @operation(
        "listChannelMessages",
        answers={200: ChannelMessagePageOut},
        errors=[404],
        parameters=[
            LIMIT,
            OpenApiParameter(
                "before",
                str,
                description="Only what is older: `nextCursor` or another message's id, "
                "milliseconds since 1970, ISO 8601, or what JavaScript makes of a `Date`.",
            ),
            OpenApiParameter("after", str, description="Only what is newer; the same forms."),
        ],
    )
    def get(self, request: Request, channel_id: str) -> Response:
        """List the messages of a channel, newest first."""
        channel = channel_in_path(request, channel_id)
        refuse_pages(request)
        messages = loaded(messages_in(workspace_of(request), channel))
        if before := older_than(request.GET):
            messages = messages.filter(pk__lt=before)
        if after := newer_than(request.GET):
            messages = messages.filter(pk__gt=after)
        page = page_of_messages(messages, limit=limit_in_query(request.GET))
        shown = [message_body(message) for message in page.messages]
        return success({"messages": shown, "nextCursor": page.next_cursor})


def read_message(request: Request) -> ChannelMessageIn:
    """Who says who wrote it also says where, and the other way round.

    Raises: InvalidBodyError.
    """
    values = read_body(request, dict[str, Any])
    named = any(values.get(name) is not None for name in TOGETHER)
    return checked_fields(values, ChannelMessageIn, required=TOGETHER if named else ())


def refuse_other_server(body: ChannelMessageIn, channel: Channel) -> None:
    """Raises: PermissionDenied."""
    server = body.message_server_id
    if server is not None and parse_uuid(server) != channel.workspace_id:
        raise PermissionDenied("message_server_id is not the server of this channel")


def read_draft(body: ChannelMessageIn, *, channel: Channel, key: ApiKey) -> Draft:
    """Raises: InvalidBodyError."""
    metadata = checked_metadata(_metadata(body))
    author = "" if speaks_for_agent(body, channel) else (body.author_id or str(key.pk)).lower()
    name = author_name(metadata) if author else ""
    return Draft(
        text=body.content,
        metadata=metadata,
        reply_to=_answered(body, channel),
        origin=Origin(body.source_type, author=author, author_name=name),
    )


def _metadata(body: ChannelMessageIn) -> dict[str, Any]:
    raw = {} if body.raw_message is None else {"raw_message": body.raw_message}
    return (body.metadata or {}) | raw


def _answered(body: ChannelMessageIn, channel: Channel) -> Message | None:
    if body.in_reply_to_message_id is None:
        return None
    try:
        return require_reply_target(channel, body.in_reply_to_message_id)
    except ReplyTargetError as error:
        raise InvalidBodyError(
            fault(error.code, "is no message of this channel", "in_reply_to_message_id")
        ) from None


def speaks_for_agent(body: ChannelMessageIn, channel: Channel) -> bool:
    """The channel's own id as author: the agent itself. Any other id is nobody of ours."""
    return body.author_id is not None and parse_uuid(body.author_id) == channel.pk


def store(body: ChannelMessageIn, *, channel: Channel, draft: Draft, now: datetime) -> Message:
    sender = Sender.AGENT if speaks_for_agent(body, channel) else Sender.USER
    posted = post_message(channel=channel, sender=sender, draft=draft, now=now)
    faults.hit("create.after_commit")
    return posted.message


def refuse_pages(request: Request) -> None:
    """Raises: InvalidBodyError. A client that counts pages would read the same one for ever."""
    wrong = [name for name in WITHOUT_MEANING if name in request.GET]
    if wrong:
        problem = "is not supported: give `before`, the `nextCursor` of the page before"
        raise InvalidBodyError(*(fault("unsupported", problem, name) for name in wrong))
