"""A channel's receiver: how it does, its test, its failures, and what signs for it."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from delivery.addresses import shown_address
from delivery.keys import (
    RotationRefusedError,
    ensure_key_pair,
    ensure_secret,
    rotate_secret,
    valid_secrets,
)
from delivery.models import SigningSecret
from delivery.queries import health_of
from inbox.models import Channel
from inbox.queries import find_channel
from reviews.resending import NoReceiverError, failed_in, resend_failed, send_test, switch_on
from web.access import MemberRequest, for_members, require_answering, require_managing
from web.attempts import answers_guessing
from web.deliveries import why_not_sent
from web.forms import PasswordForm, ReplayForm, RotationForm
from web.receivers import figures_of, last_test, sent_lately, standing_of
from web.redirects import SeeOther
from web.rows import channel_rows

LONGEST_REPLAY = timedelta(days=30)


@require_safe
@for_members
def receiver(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    return _page(request, find_channel(request.workspace, str(channel_id)))


@require_POST
@for_members
def test(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    channel = find_channel(request.workspace, str(channel_id))
    require_answering(request)
    try:
        send_test(channel, now=timezone.now())
    except NoReceiverError as refusal:
        messages.error(request, why_not_sent(refusal))
    else:
        messages.success(request, _("A test is being sent. Reload to see what came of it."))
    return _back(channel)


@require_POST
@for_members
def replay(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    """Send again what failed for good, a bounded number at once."""
    channel = find_channel(request.workspace, str(channel_id))
    require_answering(request)
    form = ReplayForm(request.POST)
    if not form.is_valid():
        return _page(request, channel, status=422, replay=form)
    now = timezone.now()
    since = now - form.cleaned_data["since"]
    sent = resend_failed(channel, since=since, now=now)
    messages.info(request, _replayed(sent, failed_in(channel, since=since).count()))
    return _back(channel)


@require_POST
@for_members
def switch(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    channel = find_channel(request.workspace, str(channel_id))
    require_answering(request)
    switch_on(channel)
    messages.success(request, _("Switched on. What waits is being sent."))
    return _back(channel)


@require_POST
@answers_guessing
@for_members
def secrets(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    """Show the signing secrets in this one answer."""
    channel = find_channel(request.workspace, str(channel_id))
    require_managing(request)
    form = PasswordForm(request.POST, user=request.user)
    if not form.is_valid():
        return _page(request, channel, status=422, password=form)
    ensure_secret(workspace_id=request.workspace.pk, scope=str(channel.pk))
    return _page(request, channel, revealed=True)


@require_POST
@for_members
def rotate(request: MemberRequest, channel_id: uuid.UUID) -> HttpResponse:
    """Make a new signing secret; the old one overlaps as long as the person chose."""
    channel = find_channel(request.workspace, str(channel_id))
    require_managing(request)
    form = RotationForm(request.POST)
    if not form.is_valid():
        return _page(request, channel, status=422, rotation=form)
    try:
        _rotate(channel, form.cleaned_data["overlap"])
    except RotationRefusedError:
        text = _(
            "Too many older secrets still sign. Wait until one has ended, or end them all now."
        )
        form.add_error("overlap", text)
        return _page(request, channel, status=409, rotation=form)
    messages.success(request, _("A new secret signs from now on."))
    return _back(channel, "#secrets")


def _rotate(channel: Channel, overlap: timedelta) -> None:
    """Raises: RotationRefusedError."""
    rotate_secret(
        workspace_id=channel.workspace_id,
        scope=str(channel.pk),
        overlap=overlap,
        now=timezone.now(),
    )


def _back(channel: Channel, where: str = "") -> SeeOther:
    return SeeOther(reverse("web:channel-delivery", args=[channel.pk]) + where)


def _replayed(sent: int, left: int) -> str:
    if not sent:
        return (
            _("Nothing was sent: no address is set for it.") if left else _("Nothing has failed.")
        )
    text = ngettext("%(sent)d event is", "%(sent)d events are", sent) % {"sent": sent}
    told = _("%(events)s being sent again.") % {"events": text}
    rest = ngettext("%(left)d is left.", "%(left)d are left.", left) % {"left": left}
    return f"{told} {rest}" if left else told


def _page(
    request: MemberRequest, channel: Channel, *, status: int = 200, **shown: Any
) -> HttpResponse:
    """`shown` are forms that were refused, and whether secrets are revealed."""
    now, workspace = timezone.now(), request.workspace
    health = health_of(workspace, str(channel.pk), url=channel.webhook_url, now=now)
    context = {
        "section": "channels",
        "channels": channel_rows(workspace),
        "showing_detail": True,
        "channel": channel,
        "told": channel,
        "address": shown_address(channel.webhook_url) if channel.webhook_url else "",
        "standing": standing_of(channel, health, now),
        "figures": figures_of(health, now),
        "last_test": last_test(workspace, channel, now, operator=request.user.is_staff),
        "failed_count": failed_in(channel, since=now - LONGEST_REPLAY).count(),
        "sent": sent_lately(workspace, channel, operator=request.user.is_staff),
        "replay": ReplayForm(),
        "rotation": RotationForm(),
        "public_key": ensure_key_pair(workspace.pk).public_key,
        "secrets": _secrets(request, channel, now),
    }
    return render(request, "delivery/channel.html", context | shown, status=status)


def _secrets(request: MemberRequest, channel: Channel, now: datetime) -> Sequence[SigningSecret]:
    """What signs now and until when, for those who manage the workspace."""
    if not request.membership.may_manage:
        return []
    return list(valid_secrets([str(channel.pk)], now=now))
