"""A message as the wire sends it, read into what the domain takes (Placet contract 2.2, 4.1)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings

from accounts.models import ApiKey
from api.bodies import decode_json, measure_json
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.messages import (
    MessageIn,
)
from api.placet.serializers.reviews import ReviewIn
from api.placet.views.base import (
    checked_headers,
    checked_method,
    checked_url,
    given,
)
from attachments.services import TextFile, claim_attachments, link_texts, stage_texts
from inbox.models import Channel, Message
from inbox.queries import find_thread, require_reply_target
from inbox.services.messages import Draft
from reviews.queries import require_closed_review
from reviews.services import Callback, ReviewSpec, request_review

MOST_METADATA_KEYS = 500
LONGEST_SECONDS = 10**9  # about 30 years: far beyond any limit, and still a date


def refuse_empty(body: MessageIn) -> None:
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
    target, webhook_url = given(body.iteration_of), given(body.webhook_url)
    answered, thread_id = given(body.reply_to), given(body.thread_id)
    draft = Draft(
        text=given(body.text),
        status=given(body.status),
        metadata=_metadata(body, review),
        webhook_url=webhook_url and checked_url(webhook_url, "webhookUrl"),
        client_id=given(body.client_id),
        thread=None if thread_id is None else find_thread(key.workspace, thread_id, channel),
        reply_to=None if answered is None else require_reply_target(channel, answered),
        iteration_of=None if target is None else require_closed_review(channel, target),
        stream_id=given(body.stream_id),
        stream_state=given(body.stream_state),
        carrying=carrying,
    )
    if body.text_attachments:  # last: what is refused stores nothing
        texts = [
            TextFile(file.filename, file.mime_type, file.content) for file in body.text_attachments
        ]
        staged = stage_texts(channel, files=texts, key=key, now=now)
        carrying.append(partial(link_texts, files=staged))
    return draft


def _metadata(body: MessageIn, review: ReviewIn | None) -> dict[str, Any]:
    """The agent's metadata with what the server adds (2.2, step 6)."""
    metadata = checked_metadata(given(body.metadata) or {})
    if given(body.webhook_url):
        metadata["webhookUrl"] = body.webhook_url
    plugin = _payload(review).get("plugin") if review and review.type == "freeform" else None
    if isinstance(plugin, str):
        metadata.setdefault("plugin", plugin)
    return metadata


def checked_metadata(
    metadata: Mapping[str, Any], path: Sequence[str | int] = ("metadata",)
) -> dict[str, Any]:
    """A copy of metadata that is small enough to be stored.

    Raises: InvalidBodyError, which says where: `path`.
    """
    if len(metadata) > MOST_METADATA_KEYS or measure_json(metadata) > settings.LARGEST_METADATA:
        problem = (
            f"metadata takes up to {MOST_METADATA_KEYS} keys and {settings.LARGEST_METADATA} bytes"
        )
        raise InvalidBodyError(fault("too_large", problem, *path))
    return dict(metadata)


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
