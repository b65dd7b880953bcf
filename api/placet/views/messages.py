"""Messages: post, list, get, delete (Placet contract 2.2)."""

from django.db.models import Exists, OuterRef
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from api.placet.documentation import CHANNEL, CURSOR, LIMIT, operation
from api.placet.drafts import read_draft, refuse_empty
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.base import DeletedOut
from api.placet.serializers.messages import (
    AcknowledgedOut,
    IterationsOut,
    MessageIn,
    MessageOut,
    MessagePageOut,
)
from api.placet.views.base import (
    AgentView,
    channel_in_query,
    in_query,
    key_of,
    limit_in_query,
    read_body,
    workspace_of,
)
from api.placet.wire import loaded, message_body, page_body, posted_body
from attachments.models import Attachment
from delivery import faults
from inbox.channel_memory import remembered_channel
from inbox.models import Message, Sender
from inbox.queries import (
    chain_of,
    find_message,
    messages_in,
    page_of_messages,
    require_channel,
)
from inbox.services.messages import acknowledge, delete_message, post_message

LONGEST_SEARCH = 200


class Messages(AgentView):
    @operation(
        "postMessage", tag="Messages", body=MessageIn, answers={201: MessageOut}, errors=[403]
    )
    def post(self, request: Request) -> Response:
        """Post a message, with or without a request for review.

        The same `clientId` again answers 201 with the stored message and stores nothing.
        """
        now = timezone.now()
        body = read_body(request, MessageIn)
        refuse_empty(body)
        channel = remembered_channel(workspace_of(request), body.channel_id)
        draft = read_draft(body, channel=channel, key=key_of(request), now=now)
        posted = post_message(channel=channel, sender=Sender.AGENT, draft=draft, now=now)
        faults.hit("create.after_commit")
        with_files = bool(body.attachment_ids or body.text_attachments)
        answer = posted_body(posted, with_files=with_files, enriched=True)
        headers = {} if posted.created else {"Idempotency-Replayed": "true"}
        return Response(answer, status=201, headers=headers)

    @operation(
        "listMessages",
        tag="Messages",
        answers={200: MessagePageOut},
        errors=[400, 403],
        parameters=[
            CHANNEL,
            LIMIT,
            CURSOR,
            OpenApiParameter(
                "search",
                {"type": "string", "maxLength": LONGEST_SEARCH},
                description="Part of the text, in any case.",
            ),
            OpenApiParameter(
                "has_attachments", str, description="`true`: only with files; else all."
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """List messages, newest first. Without `channel`, those of all agents of the key."""
        wanted, workspace = in_query(request.GET, "channel"), workspace_of(request)
        channel = None if wanted is None else remembered_channel(workspace, wanted)
        messages = messages_in(workspace, channel)
        search = in_query(request.GET, "search") or ""
        if len(search) > LONGEST_SEARCH or "\0" in search:
            problem = f"search takes up to {LONGEST_SEARCH} characters, without NUL"
            raise InvalidBodyError(fault("invalid_search", problem, "search"))
        if search:
            messages = messages.filter(text__icontains=search)
        if request.GET.get("has_attachments") == "true":
            messages = messages.filter(Exists(Attachment.objects.filter(message=OuterRef("pk"))))
        page = page_of_messages(
            loaded(messages),
            limit=limit_in_query(request.GET),
            cursor=in_query(request.GET, "cursor"),
        )
        if wanted is not None and not page.messages:
            require_channel(workspace, wanted)  # whose messages went with it
        return Response({"data": page_body(page.messages), "nextCursor": page.next_cursor})


class OneMessage(AgentView):
    @operation(
        "getMessage",
        tag="Messages",
        answers={200: MessageOut},
        errors=[403, 404],
        parameters=[CHANNEL],
    )
    def get(self, request: Request, message_id: str) -> Response:
        """One message, with the answer to its review in clear."""
        found = find_message(workspace_of(request), message_id, channel_in_query(request))
        return Response(message_body(loaded(Message.objects.filter(pk=found.pk)).get()))

    @operation(
        "deleteMessage",
        tag="Messages",
        answers={200: DeletedOut},
        errors=[400, 403, 404],
        parameters=[CHANNEL],
    )
    def delete(self, request: Request, message_id: str) -> Response:
        """Delete a message, its review and its files."""
        delete_message(find_message(workspace_of(request), message_id, channel_in_query(request)))
        return Response({"deleted": True})


class Acknowledge(AgentView):
    @operation(
        "acknowledgeMessage",
        tag="Messages",
        answers={200: AcknowledgedOut},
        errors=[403, 404],
        parameters=[CHANNEL],
    )
    def post(self, request: Request, message_id: str) -> Response:
        """Say that a message was received; its `deliveryStatus` becomes `agent_received`."""
        acknowledge(find_message(workspace_of(request), message_id, channel_in_query(request)))
        return Response({"acknowledged": True})


class Iterations(AgentView):
    @operation(
        "listIterations",
        tag="Messages",
        answers={200: IterationsOut},
        errors=[403, 404],
        parameters=[CHANNEL],
    )
    def get(self, request: Request, message_id: str) -> Response:
        """A message and all its revisions, named by any of them; passwords are hidden."""
        found = find_message(workspace_of(request), message_id, channel_in_query(request))
        chain = [message_body(each, redacted=True) for each in loaded(chain_of(found))]
        return Response({"groupId": str(found.iteration_group or found.pk), "iterations": chain})
