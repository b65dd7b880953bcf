"""Streamed replies: the growing draft, and the steps beside it (Placet contract 2.2)."""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api.placet.documentation import operation
from api.placet.errors import InvalidBodyError, fault
from api.placet.serializers.messages import (
    MessageOut,
    StatusEventIn,
    StatusEventOut,
    StreamPatchIn,
)
from api.placet.views.base import AgentView, checked_stream_id, given, read_body, workspace_of
from api.placet.wire import loaded, message_body, status_event_body
from inbox.models import Message, StreamState
from inbox.queries import require_channel
from inbox.services.streams import note_step, update_stream


class Stream(AgentView):
    @operation(
        "updateStream",
        tag="Streams",
        body=StreamPatchIn,
        answers={200: MessageOut},
        errors=[403, 404],
    )
    def patch(self, request: Request, stream_id: str) -> Response:
        """Replace the text of a draft. A finished stream is final and comes back as it stands."""
        body = read_body(request, StreamPatchIn)
        channel = require_channel(workspace_of(request), body.channel_id)
        draft = update_stream(
            channel,
            stream_id=checked_stream_id(stream_id),
            text=body.text,
            ending=_ending(body),
            now=timezone.now(),
        )
        whole = loaded(Message.objects.filter(pk=draft.pk)).get()
        return Response(message_body(whole, enriched=True))


def _ending(body: StreamPatchIn) -> StreamState | None:
    """How the stream ends, if it does. Of the states only `aborted` has an effect here."""
    complete, aborted = bool(given(body.complete)), given(body.stream_state) == "aborted"
    if complete and aborted:
        problem = "a stream is either complete or aborted"
        raise InvalidBodyError(fault("contradiction", problem, "streamState"))
    if complete:
        return StreamState.COMPLETE
    return StreamState.ABORTED if aborted else None


class StreamSteps(AgentView):
    @operation(
        "addStatusEvent",
        tag="Streams",
        body=StatusEventIn,
        answers={201: StatusEventOut},
        errors=[403],
    )
    def post(self, request: Request, stream_id: str) -> Response:
        """Report a step of a stream; its draft need not exist yet. Steps count from 0."""
        body = read_body(request, StatusEventIn)
        channel = require_channel(workspace_of(request), body.channel_id)
        event = note_step(
            channel,
            stream_id=checked_stream_id(stream_id),
            text=body.text,
            tool_hint=body.tool_hint,
            now=timezone.now(),
        )
        return Response(status_event_body(event), status=201)
