"""Conversations with agents."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from delivery.queries import is_off
from inbox.models import Channel, Sender
from inbox.queries import find_channel
from inbox.services.messages import Draft, post_message
from web.access import MemberRequest, for_members, require_answering
from web.forms import MessageForm
from web.queries import log_page, pending_in
from web.redirects import SeeOther
from web.rows import channel_rows, row_of

TEMPLATE = "inbox/channel.html"


@require_safe
@for_members
def channels(request: MemberRequest) -> HttpResponse:
    return render(request, TEMPLATE, _list_context(request))


@require_safe
@for_members
def channel(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    shown = find_channel(request.workspace, str(channel_id))
    return render(request, TEMPLATE, _context(request, shown, MessageForm()))


@require_POST
@for_members
def write(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    """Post a person's message, or show the page again with what is wrong with it."""
    shown = find_channel(request.workspace, str(channel_id))
    require_answering(request)
    form = MessageForm(request.POST)
    if not form.is_valid():
        return render(request, TEMPLATE, _context(request, shown, form), status=422)
    client_id = form.cleaned_data["client_id"] or None
    draft = Draft(text=form.cleaned_data["text"], client_id=client_id)
    post_message(
        channel=shown, sender=Sender.USER, author=request.user, draft=draft, now=timezone.now()
    )
    return SeeOther(reverse("web:channel", args=[shown.pk]))


def _list_context(request: MemberRequest) -> dict[str, Any]:
    return {"section": "channels", "channels": channel_rows(request.workspace)}


def _context(request: MemberRequest, shown: Channel, form: MessageForm) -> dict[str, Any]:
    """Raises: BadCursorError."""
    before, now = request.GET.get("before", ""), timezone.now()
    return _list_context(request) | {
        "showing_detail": True,
        "channel": shown,
        "log": log_page(request.workspace, shown, before=before),
        "before": before,
        "receiver_off": is_off(request.workspace, str(shown.pk), url=shown.webhook_url),
        "pending": [row_of(review, now) for review in pending_in(request.workspace, shown)],
        "form": form,
    }
