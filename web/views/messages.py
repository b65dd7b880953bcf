"""One message of a conversation, for pages that heard that it changed."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from inbox.models import Message, Thread
from inbox.queries import find_message, find_thread
from web.access import MemberRequest, for_members, require_answering
from web.conversation import Conversation
from web.fragments import show_part
from web.redirects import SeeOther
from web.views.deliveries import send_once_more


@require_safe
@for_members
def message(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """The message alone; as a page of its own it is a place in its conversation."""
    shown = find_message(request.workspace, str(message_id), None)
    thread = _thread(request, shown)
    if request.headers.get("HX-Request") != "true":
        return SeeOther(_place(shown))
    return _fragment(request, shown, thread)


@require_POST
@for_members
def try_now(request: MemberRequest, message_id: uuid.UUID) -> HttpResponse:
    """Send a person's message to the agent once more, without leaving the conversation."""
    shown = find_message(request.workspace, str(message_id), None)
    thread = _thread(request, shown)
    require_answering(request)
    send_once_more(request, shown)
    if request.headers.get("HX-Request") != "true":
        return SeeOther(_place(shown))
    return _fragment(request, shown, thread, said=True)


def _thread(request: MemberRequest, shown: Message) -> Thread | None:
    """The thread of the same channel that is being read.

    Raises: ThreadNotFoundError.
    """
    wanted = request.GET.get("thread", "")
    return find_thread(request.workspace, wanted, shown.channel) if wanted else None


def _place(shown: Message) -> str:
    channel = reverse("web:channel", args=[shown.channel_id])
    return f"{channel}?m={shown.pk}#m-{shown.pk}"


def _fragment(
    request: MemberRequest, shown: Message, thread: Thread | None, **also: Any
) -> HttpResponse:
    if thread is not None and shown.thread_id != thread.pk:
        return HttpResponse(status=204)  # the page shows a thread that does not have it
    operator = request.user.is_staff
    conversation = Conversation(request.workspace, shown.channel, thread, operator=operator)
    entry = conversation.entry(shown, first="first" in request.GET)
    context = {"channel": shown.channel, "thread": thread, "entry": entry} | also
    return show_part(request, "inbox/changed.html", context)
