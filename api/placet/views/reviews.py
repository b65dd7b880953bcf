"""Reviews: pending, one, and waiting for one (Placet contract 2.3)."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Workspace
from api.placet.documentation import CHANNEL, array_of, operation
from api.placet.serializers.messages import MessageOut, WaitOut
from api.placet.views.base import AgentView, channel_in_query, workspace_of
from api.placet.wire import loaded, loaded_at_once, message_body
from inbox.models import Channel, Message
from reviews.models import ReviewRequest
from reviews.queries import find_review, pending_reviews
from reviews.services import expire_review

CLOCKS_DIFFER = timedelta(minutes=5)  # at most, between a server and its database


class PendingReviews(AgentView):
    @operation(
        "listPendingReviews",
        tag="Reviews",
        answers={200: array_of(MessageOut)},
        errors=[403],
        parameters=[CHANNEL],
    )
    def get(self, request: Request) -> Response:
        """Messages whose review waits for an answer, newest first."""
        pending = pending_reviews(workspace_of(request), channel_in_query(request))
        messages = loaded(Message.objects.filter(pk__in=pending.order_by().values("pk")))
        found = messages.order_by("-id")
        return Response([message_body(message, redacted=True) for message in found])


class OneReview(AgentView):
    @operation(
        "getReview",
        tag="Reviews",
        answers={200: MessageOut},
        errors=[403, 404],
        parameters=[CHANNEL],
    )
    def get(self, request: Request, message_id: str) -> Response:
        """The message of a review; passwords in the answer are in clear."""
        review = current_review(workspace_of(request), message_id, channel_in_query(request))
        return Response(message_body(loaded(Message.objects.filter(pk=review.pk)).get()))


class ServedElsewhereError(APIException):
    status_code = 503
    default_code = "served_elsewhere"
    default_detail = (
        "Waiting is the realtime process's work; the proxy must send this path there "
        "(config/Caddyfile shows how)."
    )


class WaitForReview(AgentView):
    """The document of the route, and its answer where the proxy does not split by path."""

    @operation(
        "waitForReview",
        tag="Reviews",
        answers={200: WaitOut},
        errors=[403, 404],
        parameters=[
            CHANNEL,
            OpenApiParameter(
                "timeout", int, description="Milliseconds; 30000 by default and at most."
            ),
        ],
    )
    def get(self, request: Request, message_id: str) -> Response:
        """Hold the call until the review is answered or expires, or the timeout has passed."""
        review = current_review(workspace_of(request), message_id, channel_in_query(request))
        if review.is_pending:
            raise ServedElsewhereError
        return Response(outcomes(Message.objects.filter(pk=review.pk))[review.pk])


def current_review(workspace: Workspace, message_id: str, channel: Channel | None) -> ReviewRequest:
    """The review as it stands, after its deadline was looked at.

    The database's clock decides; ours only says whether it is worth a transaction to ask.

    Raises: MessageNotFoundError, NoReviewError.
    """
    review = find_review(workspace, message_id, channel)
    if review.is_pending and is_near(review.expires_at) and expire_review(review.pk):
        review.refresh_from_db()
    return review


def is_near(deadline: datetime) -> bool:
    """Whether a deadline may have passed by the database's clock."""
    return deadline <= timezone.now() + CLOCKS_DIFFER


def outcomes(messages: QuerySet[Message]) -> dict[uuid.UUID, dict[str, Any]]:
    """What calls get that wait for the reviews of these messages; those that are open have none."""
    closed = messages.filter(review__decided_at__isnull=False)
    return {each.pk: _outcome(each) for each in loaded_at_once(closed)}


def _outcome(message: Message) -> dict[str, Any]:
    files = None if message.has_files else ()  # type: ignore[attr-defined]  # annotated
    body = message_body(message, enriched=True, files=files)
    return {"status": message.review.status, "message": body}
