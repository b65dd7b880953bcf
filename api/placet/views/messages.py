"""Messages: post, list, get, delete (Placet contract 2.2)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from api.bodies import decode_json, measure_json
from api.placet.documentation import CHANNEL, CURSOR, LIMIT, operation
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.base import DeletedOut
from api.placet.serializers.messages import (
    AcknowledgedOut,
    IterationsOut,
    MessageIn,
    MessageOut,
    MessagePageOut,
)
from api.placet.serializers.reviews import ReviewIn
from api.placet.views.base import (
    AgentView,
    channel_in_query,
    checked_headers,
    checked_method,
    checked_url,
    given,
    in_query,
    key_of,
    limit_in_query,
    read_body,
    workspace_of,
)
from api.placet.wire import loaded, message_body, page_body
from attachments.services import TextFile, claim_attachments, store_texts
from inbox.models import Channel, Message, Sender
from inbox.queries import (
    chain_of,
    find_message,
    messages_in,
    page_of_messages,
    require_channel,
)
from inbox.services.messages import Draft, acknowledge, delete_message, post_message
from reviews.queries import require_closed_review
from reviews.services import Callback, ReviewSpec, request_review

LONGEST_SEARCH = 200
MOST_METADATA_KEYS = 500
LONGEST_SECONDS = 10**9  # about 30 years: far beyond any limit, and still a date


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
        _refuse_empty(body)
        channel = require_channel(workspace_of(request), body.channel_id)
        draft = read_draft(body, channel=channel, key=key_of(request), now=now)
        posted = post_message(channel=channel, sender=Sender.AGENT, draft=draft, now=now)
        whole = loaded(Message.objects.filter(pk=posted.message.pk)).get()
        headers = {} if posted.created else {"Idempotency-Replayed": "true"}
        return Response(message_body(whole, enriched=True), status=201, headers=headers)

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
        messages = messages_in(workspace_of(request), channel_in_query(request))
        search = in_query(request.GET, "search") or ""
        if len(search) > LONGEST_SEARCH or "\0" in search:
            problem = f"search takes up to {LONGEST_SEARCH} characters, without NUL"
            raise InvalidBodyError(fault("invalid_search", problem, "search"))
        if search:
            messages = messages.filter(text__icontains=search)
        if request.GET.get("has_attachments") == "true":
            messages = messages.filter(attachments__isnull=False).distinct()
        page = page_of_messages(
            loaded(messages),
            limit=limit_in_query(request.GET),
            cursor=in_query(request.GET, "cursor"),
        )
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


def _refuse_empty(body: MessageIn) -> None:
    anything = (
        given(body.text)
        or given(body.review)
        or given(body.status)
        or body.attachment_ids
        or body.text_attachments
    )
    if not anything:
        raise InvalidBodyError(
            fault("empty_message", "give text, review, status, attachmentIds or textAttachments")
        )


def read_draft(body: MessageIn, *, channel: Channel, key: ApiKey, now: datetime) -> Draft:
    """The wire's fields as a draft, with the services that put review and files on it."""
    review = given(body.review)
    carrying: list[Callable[[Message], object]] = []
    if review is not None:
        carrying.append(partial(request_review, spec=read_review(review, now=now), now=now))
    if body.attachment_ids:
        carrying.append(partial(claim_attachments, ids=body.attachment_ids, key=key))
    if body.text_attachments:
        texts = [
            TextFile(file.filename, file.mime_type, file.content) for file in body.text_attachments
        ]
        carrying.append(partial(store_texts, files=texts, key=key, now=now))
    target, webhook_url = given(body.iteration_of), given(body.webhook_url)
    return Draft(
        text=given(body.text),
        status=given(body.status),
        metadata=_metadata(body, review),
        webhook_url=webhook_url and checked_url(webhook_url, "webhookUrl"),
        client_id=given(body.client_id),
        iteration_of=None if target is None else require_closed_review(channel, target),
        stream_id=given(body.stream_id),
        stream_state=given(body.stream_state),
        carrying=carrying,
    )


def _metadata(body: MessageIn, review: ReviewIn | None) -> dict[str, Any]:
    """The agent's metadata with what the server adds (2.2, step 6)."""
    metadata = dict(given(body.metadata) or {})
    if len(metadata) > MOST_METADATA_KEYS or measure_json(metadata) > settings.LARGEST_METADATA:
        problem = (
            f"metadata takes up to {MOST_METADATA_KEYS} keys and {settings.LARGEST_METADATA} bytes"
        )
        raise InvalidBodyError(fault("too_large", problem, "metadata"))
    if given(body.webhook_url):
        metadata["webhookUrl"] = body.webhook_url
    plugin = _payload(review).get("plugin") if review and review.type == "freeform" else None
    if isinstance(plugin, str):
        metadata.setdefault("plugin", plugin)
    return metadata


def read_review(review: ReviewIn, *, now: datetime) -> ReviewSpec:
    """Raises: InvalidBodyError."""
    _payload(review)
    raw = given(review.payload)
    callback = review.callback
    return ReviewSpec(
        kind=review.type,
        payload_json=None if raw is None else bytes(raw).decode(),
        callback=None
        if callback is None
        else Callback(
            url=checked_url(callback.url, "review", "callback", "url"),
            method=checked_method(callback.method, "review", "callback", "method"),
            headers=checked_headers(callback.headers, "review", "callback", "headers"),
        ),
        expires_at=_expiry(review, now=now),
    )


def _payload(review: ReviewIn) -> dict[str, Any]:
    raw = given(review.payload)
    value = {} if raw is None else decode_json(bytes(raw))
    if not isinstance(value, dict):
        raise InvalidBodyError(
            fault("invalid_type", "payload must be an object", "review", "payload")
        )
    return value


def _expiry(review: ReviewIn, *, now: datetime) -> datetime | None:
    """`expiresInSeconds` wins over `expiresAt` (4.2)."""
    seconds = given(review.expires_in_seconds)
    if seconds is not None:
        return now + timedelta(seconds=min(seconds, LONGEST_SECONDS))
    if review.expires_at is None:
        return None
    try:
        moment = datetime.fromisoformat(review.expires_at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidBodyError(
            fault("invalid_date", "give ISO 8601 with a zone", "review", "expiresAt"),
            message="expiresAt must be a valid ISO date string",
        )
    return moment.astimezone(UTC)
