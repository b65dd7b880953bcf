"""One channel's settings. Owners and admins change them; everybody may mute it for themselves."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from inbox.models import Channel
from inbox.queries import find_channel, is_muted
from inbox.services.channels import change_webhook, delete_channel, describe_channel
from inbox.services.mutes import mute_channel, unmute_channel
from web.access import MemberRequest, for_members, require_managing
from web.channel_forms import ChannelForm, DeleteChannelForm, WebhookForm
from web.redirects import SeeOther
from web.rows import channel_rows
from web.views.settings.page import posted_in


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def channel(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    shown = find_channel(request.workspace, str(channel_id))
    if request.method != "POST":
        return _page(request, shown)
    require_managing(request)
    form = ChannelForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, status=422, form=form)
    describe_channel(shown, **form.changes)
    return _saved(request, shown)


@require_POST
@for_members
def webhook(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    shown = find_channel(request.workspace, str(channel_id))
    require_managing(request)
    form = WebhookForm(request.POST, channel=shown)
    if not form.is_valid():
        return _page(request, shown, status=422, webhook=form)
    change_webhook(shown, **form.parts)
    return _saved(request, shown, "#webhook")


@require_POST
@for_members
def mute(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    shown = find_channel(request.workspace, str(channel_id))
    if request.POST.get("muted") == "yes":
        mute_channel(shown, user=request.user, now=timezone.now())
        messages.success(request, _("You get no more notifications from this channel."))
    else:
        unmute_channel(shown, user=request.user)
        messages.success(request, _("You get notifications from this channel again."))
    return _back(shown, "#mute")


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def delete(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    """Ask for the name, then delete the channel with all that was said in it."""
    shown = find_channel(request.workspace, str(channel_id))
    require_managing(request)
    form = DeleteChannelForm(posted_in(request), channel=shown)
    if request.method != "POST":
        return _render(request, shown, "delete", form=form)
    if not form.is_valid():
        return _render(request, shown, "delete", status=422, form=form)
    delete_channel(shown)
    messages.success(request, _("The channel is deleted."))
    return SeeOther(reverse("web:channels"))


def _saved(request: MemberRequest, shown: Channel, where: str = "") -> SeeOther:
    messages.success(request, _("Saved."))
    return _back(shown, where)


def _back(shown: Channel, where: str = "") -> SeeOther:
    return SeeOther(reverse("web:channel-settings", args=[shown.pk]) + where)


def _page(
    request: MemberRequest, shown: Channel, *, status: int = 200, **forms: Any
) -> HttpResponse:
    context = {
        "form": ChannelForm.of(shown),
        "webhook": WebhookForm(channel=shown),
        "muted": is_muted(shown, user=request.user),
    }
    return _render(request, shown, "settings", status=status, **(context | forms))


def _render(
    request: MemberRequest, shown: Channel, page: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    frame = {
        "section": "channels",
        "channels": channel_rows(request.workspace),
        "showing_detail": True,
        "channel": shown,
    }
    name = f"settings/channel_{page}.html"
    return render(request, name, frame | context, status=status)
