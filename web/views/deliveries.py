"""What became of a message on its way to the agent: every delivery and every attempt."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from delivery.models import Delivery
from delivery.queries import log_about
from inbox.models import Message, Sender
from inbox.queries import MessageNotFoundError, find_message
from reviews.queries import reviews_of
from reviews.resending import NoReceiverError, NothingToSendError, resend
from web.access import MemberRequest, for_members, require_answering
from web.deliveries import entry_of, why_not_sent
from web.listing import list_context
from web.redirects import SeeOther
from web.rows import channel_rows
from web.text.titles import title_in, title_of

SHOWN = 20


@require_safe
@for_members
def delivery(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    message, log = _told(request, message_id)
    operator = request.user.is_staff
    context = _frame(request, message) | {
        "showing_detail": True,
        "message": message,
        "entries": [entry_of(row, operator=operator) for row in log],
        "kept": getattr(log[0], "kept", False),
    }
    return render(request, "delivery/message.html", context)


@require_POST
@for_members
def try_now(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    message, _log = _told(request, message_id)
    require_answering(request)
    send_once_more(request, message)
    return SeeOther(reverse("web:delivery", args=[message.pk]))


def send_once_more(request: MemberRequest, message: Message) -> None:
    """Send what a message told its agent again, and say what came of the wish."""
    try:
        resend(message, now=timezone.now())
    except (NothingToSendError, NoReceiverError) as refusal:
        messages.error(request, why_not_sent(refusal))
    else:
        decided = message.sender == Sender.AGENT
        text = _("The decision is being sent again.")
        messages.success(request, text if decided else _("The message is being sent again."))


def _told(request: MemberRequest, message_id: uuid.UUID) -> tuple[Message, list[Delivery]]:
    """A message that its agent was to be told of, and how that went.

    Raises: MessageNotFoundError.
    """
    message = find_message(request.workspace, str(message_id), None)
    log = log_about(request.workspace, str(message_id), most=SHOWN)
    if not log:
        raise MessageNotFoundError("Nothing was sent about this message")
    return message, log


def _frame(request: MemberRequest, message: Message) -> dict[str, Any]:
    """What stands beside it: the reviews, or the channels for what a person wrote."""
    review = reviews_of(request.workspace).filter(pk=message.pk).first()
    if review is not None:
        back = reverse("web:review", args=[message.pk])
        own = {"frame": "reviews/queue.html", "review": review, "told": review.channel}
        return list_context(request) | own | {"title": title_of(review), "back": back}
    return {
        "frame": "inbox/channel.html",
        "section": "channels",
        "channels": channel_rows(request.workspace),
        "channel": message.channel,
        "told": message.channel,
        "title": title_in(message.text),
        "back": reverse("web:channel", args=[message.channel_id]) + f"#m-{message.pk}",
    }
