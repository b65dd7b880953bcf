"""Messages and reviews (Placet contract 3.4)."""

from functools import partial
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Workspace
from api.people.documentation import WORKSPACE, operation
from api.people.serializers.messages import (
    PersonMessageIn,
    PersonMessageOut,
    RespondIn,
    RetriedOut,
)
from api.people.views.base import PersonView, answering, person_of, workspace_of
from api.people.wire import message_with_agent
from api.placet.documentation import CHANNEL, CURSOR, LIMIT, array_of
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.messages import IterationsOut, MessageOut, MessagePageOut
from api.placet.views.base import given, in_query, limit_in_query, read_body
from api.placet.wire import loaded, message_body, page_body, posted_body
from attachments.services import claim_attachments
from inbox.models import Channel, Message, Sender
from inbox.queries import (
    behind,
    chain_of,
    find_message,
    messages_in,
    page_of_messages,
    require_channel,
)
from inbox.services.messages import Draft, Posted, post_message
from reviews.models import Closer, Status
from reviews.queries import find_review, reviews_of
from reviews.resending import resend
from reviews.services import Answer, answer_review

MOST_REVIEWS = 500
STATUSES = ("pending", "completed", "expired", "all")


def _channel_in_query(request: Request, workspace: Workspace) -> Channel | None:
    """The channel that `?channel=` names; without it, all of the workspace are meant."""
    wanted = in_query(request.GET, "channel")
    return None if wanted is None else require_channel(workspace, wanted)


class ClientIdTakenError(APIException):
    status_code = 409
    default_code = "client_id_taken"
    default_detail = "Somebody else's message has this clientId"


class Messages(PersonView):
    @operation(
        "listMessagesAsPerson",
        tag="Messages of people",
        answers={200: MessagePageOut},
        errors=[403],
        parameters=[CHANNEL, LIMIT, CURSOR, WORKSPACE],
    )
    def get(self, request: Request) -> Response:
        """List messages, newest first; what was typed into password fields is hidden."""
        workspace = workspace_of(request)
        page = page_of_messages(
            loaded(messages_in(workspace, _channel_in_query(request, workspace))),
            limit=limit_in_query(request.GET),
            cursor=in_query(request.GET, "cursor"),
        )
        return Response({"data": page_body(page.messages), "nextCursor": page.next_cursor})

    @operation(
        "writeToAgent",
        tag="Messages of people",
        body=PersonMessageIn,
        answers={201: MessageOut},
        errors=[403, 409],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request) -> Response:
        """Write to an agent. It learns of it by its webhook, its socket and its feed."""
        workspace, body = answering(request).workspace, read_body(request, PersonMessageIn)
        if not given(body.text) and not body.attachment_ids:
            raise InvalidBodyError(fault("empty_message", "give text or attachmentIds"))
        posted = _post(request, require_channel(workspace, body.channel_id), body)
        if posted.message.author_id != person_of(request).pk:
            raise ClientIdTakenError
        answer = posted_body(posted, with_files=bool(body.attachment_ids))
        headers = {} if posted.created else {"Idempotency-Replayed": "true"}
        return Response(answer, status=201, headers=headers)


def _post(request: Request, channel: Channel, body: PersonMessageIn) -> Posted:
    claim = partial(claim_attachments, ids=body.attachment_ids, key=None)
    draft = Draft(
        text=given(body.text) or None,
        client_id=given(body.client_id),
        carrying=[claim] if body.attachment_ids else [],
    )
    return post_message(
        channel=channel,
        sender=Sender.USER,
        author=person_of(request),
        draft=draft,
        now=timezone.now(),
    )


class Reviews(PersonView):
    @operation(
        "listReviews",
        tag="Messages of people",
        answers={200: array_of(MessageOut)},
        errors=[403],
        parameters=[
            OpenApiParameter("status", str, enum=STATUSES, description="`all` by default."),
            CHANNEL,
            OpenApiParameter(
                "cursor", str, description="Id of the last review of the answer before."
            ),
            WORKSPACE,
        ],
    )
    def get(self, request: Request) -> Response:
        """Messages with a review, newest first, 500 at a time; passwords are hidden."""
        workspace = workspace_of(request)
        reviews = reviews_of(workspace, _channel_in_query(request, workspace))
        status = _status_in_query(request)
        if status is not None:
            reviews = reviews.filter(status=status)
        chosen = behind(reviews, in_query(request.GET, "cursor")).values("pk")[:MOST_REVIEWS]
        messages = loaded(Message.objects.filter(pk__in=chosen)).order_by("-id")
        return Response([message_body(message, redacted=True) for message in messages])


def _status_in_query(request: Request) -> Status | None:
    """Raises: InvalidBodyError."""
    text = in_query(request.GET, "status") or "all"
    if text not in STATUSES:
        problem = f"status must be one of {', '.join(STATUSES)}"
        raise InvalidBodyError(fault("invalid_status", problem, "status"))
    return None if text == "all" else Status(text)


class OneMessage(PersonView):
    @operation(
        "getMessageAsPerson",
        tag="Messages of people",
        answers={200: PersonMessageOut},
        errors=[403, 404],
        parameters=[WORKSPACE],
    )
    def get(self, request: Request, message_id: str) -> Response:
        """One message with its agent; what was typed into password fields is hidden."""
        found = find_message(workspace_of(request), message_id, None)
        return Response(_whole(found.pk, redacted=True))


def _whole(message_id: Any, *, redacted: bool) -> dict[str, Any]:
    rows = loaded(Message.objects.filter(pk=message_id)).select_related("review", "channel")
    return message_with_agent(rows.get(), redacted=redacted)


class Iterations(PersonView):
    @operation(
        "listIterationsAsPerson",
        tag="Messages of people",
        answers={200: IterationsOut},
        errors=[403, 404],
        parameters=[CHANNEL, WORKSPACE],
    )
    def get(self, request: Request, message_id: str) -> Response:
        """A message and all its revisions, named by any of them; passwords are hidden."""
        workspace = workspace_of(request)
        found = find_message(workspace, message_id, _channel_in_query(request, workspace))
        chain = [message_body(each, redacted=True) for each in loaded(chain_of(found))]
        return Response({"groupId": str(found.iteration_group or found.pk), "iterations": chain})


class Respond(PersonView):
    @operation(
        "answerReview",
        tag="Messages of people",
        body=RespondIn,
        answers={201: PersonMessageOut},
        errors=[403, 404, 409],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request, message_id: str) -> Response:
        """Answer a review, once and for all. A review that is answered or expired is a 403."""
        workspace, body = answering(request).workspace, read_body(request, RespondIn)
        answer = Answer(
            response=body.response,
            by=person_of(request),
            via=Closer.API,
            feedback=given(body.feedback) or "",
            modified_file_ids=given(body.modified_file_ids),
        )
        review = answer_review(find_review(workspace, message_id), answer=answer)
        return Response(_whole(review.pk, redacted=False), status=201)


class Retry(PersonView):
    @operation(
        "sendAgain",
        tag="Messages of people",
        answers={200: RetriedOut},
        errors=[400, 403, 404],
        parameters=[WORKSPACE],
    )
    def post(self, request: Request, message_id: str) -> Response:
        """Send the message's last event to the agent's webhook again.

        What comes of it shows in the message's `deliveryStatus`.
        """
        resend(find_message(answering(request).workspace, message_id, None), now=timezone.now())
        return Response({"retried": True})
