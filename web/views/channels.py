"""Conversations with agents: the list of channels, and one of them with its composer."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from attachments.serving import picture_response
from delivery.queries import is_off
from inbox.models import Message
from inbox.queries import find_channel, find_thread, picture_of
from web.access import MemberRequest, for_members, require_answering
from web.composer import Composer, RefusedError, composer_for, send
from web.conversation import Conversation, pending_in
from web.files.uploads import with_files
from web.fragments import show, show_part, wanted_fragment
from web.origins import thread_name
from web.redirects import SeeOther
from web.rows import channel_rows, row_of
from web.threads import thread_rows

TEMPLATE = "inbox/channel.html"
PICTURE_FRESH_SECONDS = 3600
PARTS = {"detail": "detail", "channel-list": "list"}


@require_safe
@for_members
def channels(request: MemberRequest) -> HttpResponse:
    context = {} if wanted_fragment(request) == "detail" else _list(request)
    return show(request, TEMPLATE, context, parts=PARTS)


@require_safe
@for_members
def channel(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    """The conversation, or the part of it that changed."""
    shown = _conversation(request, channel_id)
    wanted = wanted_fragment(request)
    part = FRAGMENTS.get("row" if wanted == f"channel-{shown.channel.pk}" else wanted)
    if part is None:
        return _page(request, shown, composer_for(request, shown))
    template, context = part
    found = context(request, shown)
    response = show_part(request, f"inbox/{template}.html", _about(shown) | found)
    if template == "entries" and any(entry.begins_thread for entry in found["log"].entries):
        response["HX-Trigger"] = json.dumps({"refresh": {"target": "#head"}})
    return response


def _conversation(request: MemberRequest, channel_id: uuid.UUID) -> Conversation:
    """All of a channel, or the thread of it that `?thread=` names.

    Raises: ChannelNotFoundError, ThreadNotFoundError.
    """
    channel = find_channel(request.workspace, str(channel_id))
    wanted = request.GET.get("thread", "")
    thread = find_thread(request.workspace, wanted, channel) if wanted else None
    return Conversation(request.workspace, channel, thread, operator=request.user.is_staff)


def _about(shown: Conversation) -> dict[str, Any]:
    return {"channel": shown.channel, "thread": shown.thread}


@require_safe
@for_members
def picture(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    """What the agent looks like. Its address changes with it."""
    content = picture_of(find_channel(request.workspace, str(channel_id)))
    if content is None:
        raise Http404
    return picture_response(content, fresh_seconds=PICTURE_FRESH_SECONDS)


@csrf_exempt  # `with_files` checks the token, after the handler of files is set
@require_POST
@for_members
def write(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    """Post a person's message, or show again what was written with what is wrong with it."""
    shown = _conversation(request, channel_id)
    require_answering(request)
    return _write(request, shown)


@with_files
def _write(request: MemberRequest, shown: Conversation) -> HttpResponse:
    try:
        sent = send(request, shown)
    except RefusedError as refusal:
        return _composer(request, shown, refusal.composer, refusal.status)
    if wanted_fragment(request) == "composer":
        return _sent(request, shown, sent)
    here = reverse("web:channel", args=[shown.channel.pk])
    within = f"?thread={shown.thread.pk}" if shown.thread else ""
    return SeeOther(f"{here}{within}#m-{sent.pk}")


def _composer(
    request: MemberRequest, shown: Conversation, composer: Composer, status: int
) -> HttpResponse:
    if wanted_fragment(request) != "composer":
        return _page(request, shown, composer, status=status)
    context = _about(shown) | {"composer": composer}
    return show_part(request, "inbox/composer.html", context, status=status)


def _sent(request: MemberRequest, shown: Conversation, sent: Message) -> HttpResponse:
    """An empty composer. The page fetches the message as it fetches everybody's."""
    response = _composer(request, shown, Composer(shown.channel, shown.thread), 201)
    told = json.dumps({"id": str(sent.pk), "channel": str(shown.channel.pk)})
    response["HX-Trigger"] = json.dumps({"message-created": {"data": told, "own": True}})
    return response


def _list(request: MemberRequest) -> dict[str, Any]:
    return {"section": "channels", "channels": channel_rows(request.workspace)}


def _page(
    request: MemberRequest, shown: Conversation, composer: Composer, status: int = 200
) -> HttpResponse:
    """Raises: BadCursorError, MessageNotFoundError."""
    context = {"section": "channels", "showing_detail": True} | _about(shown)
    context |= _head(request, shown) | _pending(request, shown) | _log(request, shown)
    context["composer"] = composer
    if wanted_fragment(request) != "detail":
        context |= _list(request)
    return show(request, TEMPLATE, context, parts=PARTS, status=status)


def _head(request: MemberRequest, shown: Conversation) -> dict[str, Any]:
    channel = shown.channel
    return {
        "receiver_off": is_off(request.workspace, str(channel.pk), url=channel.webhook_url),
        "threads": thread_rows(channel),
        "called": thread_name(shown.thread) if shown.thread else None,
    }


def _pending(request: MemberRequest, shown: Conversation) -> dict[str, Any]:
    now = timezone.now()
    pending = pending_in(request.workspace, shown.channel, shown.thread)
    return {"pending": [row_of(review, now) for review in pending]}


def _log(request: MemberRequest, shown: Conversation) -> dict[str, Any]:
    """The newest messages, those before one, or those around the one that is jumped to."""
    wanted, before = request.GET.get("m", ""), request.GET.get("before", "")
    if not wanted:
        return {"log": shown.page(before=before)}
    message = shown.find(wanted)
    return {"log": shown.page_around(message), "marked": message.pk}


def _tail(request: MemberRequest, shown: Conversation) -> dict[str, Any]:
    """Raises: BadCursorError."""
    return {"log": shown.page_after(request.GET.get("after", ""))}


def _unseen(request: MemberRequest, shown: Conversation) -> dict[str, Any]:
    """Raises: BadCursorError."""
    return {"unseen": shown.count_after(request.GET.get("after", ""))}


def _composing(request: MemberRequest, shown: Conversation) -> dict[str, Any]:
    """Raises: MessageNotFoundError."""
    return {"composer": composer_for(request, shown)}


def _row(request: MemberRequest, shown: Conversation) -> dict[str, Any]:
    (row,) = channel_rows(request.workspace, only=shown.channel)
    return {"entry": row}


# What can be fetched alone, by the id of its element: the template, and what it shows.
FRAGMENTS: dict[str, tuple[str, Callable[[MemberRequest, Conversation], dict[str, Any]]]] = {
    "head": ("head", _head),
    "pending": ("pending", _pending),
    "log-items": ("log", _log),
    "earlier": ("entries", _log),
    "log-tail": ("entries", _tail),
    "unseen": ("unseen", _unseen),
    "quote": ("quote", _composing),
    "offered": ("commands", _composing),
    "row": ("row", _row),
}
