"""A person's devices: switch notifications on and off, and try them. Nobody else's can be named."""

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.ids import parse_uuid
from delivery.models import PushSubscription
from delivery.push.labels import label_of
from delivery.push.subscriptions import (
    SubscriptionRefusedError,
    TooManyDevicesError,
    devices_of,
    subscribe,
)
from web.access import MemberRequest, for_members
from web.devices import devices_context, is_json, read_offer
from web.notifying import send_trial
from web.redirects import SeeOther
from web.sessions import notify_here


@require_safe
@for_members
def devices(request: MemberRequest) -> HttpResponse:
    return _page(request)


@require_POST
@for_members
def switch_on(request: MemberRequest) -> HttpResponse:
    """Notify the person in this browser from now on. 201 for a script, 303 for a form."""
    try:
        device = subscribe(
            request.user,
            offer=read_offer(request),
            label=label_of(request.headers.get("User-Agent", "")),
            now=timezone.now(),
        )
    except SubscriptionRefusedError as refusal:
        return _refused(request, refusal)
    messages.success(request, _("Notifications are on. Send a test to see one."))
    created = JsonResponse({"id": str(device.pk)}, status=201)
    response = created if is_json(request) else _back(request)
    notify_here(request, response, device)
    return response


@require_POST
@for_members
def switch_off(request: MemberRequest) -> HttpResponse:
    _device(request).delete()
    messages.success(request, _("That device is not notified any more."))
    return _back(request)


@require_POST
@for_members
def titles(request: MemberRequest) -> HttpResponse:
    """Whether a device shows what a review is about, for all who see its screen."""
    device = _device(request)
    device.show_titles = request.POST.get("show_titles") == "on"
    device.save(update_fields=["show_titles"])
    messages.success(request, _("Saved."))
    return _back(request)


@require_POST
@for_members
def test(request: MemberRequest) -> HttpResponse:
    send_trial(_device(request), request.workspace, now=timezone.now())
    messages.success(request, _("A test is on its way. It takes a few seconds."))
    return _back(request)


def _device(request: MemberRequest) -> PushSubscription:
    """One of the person's own.

    Raises: Http404.
    """
    wanted: uuid.UUID | None = parse_uuid(request.POST.get("device", ""))
    device = devices_of(request.user).filter(pk=wanted).first() if wanted else None
    if device is None:
        raise Http404(_("You have no such device."))
    return device


def _refused(request: MemberRequest, refusal: SubscriptionRefusedError) -> HttpResponse:
    """409 for one device too many, 422 for what a browser would not send."""
    status = 409 if isinstance(refusal, TooManyDevicesError) else 422
    if is_json(request):
        return JsonResponse({"error": str(refusal)}, status=status)
    return _page(request, status=status, refusal=str(refusal))


def _page(request: MemberRequest, *, status: int = 200, refusal: str = "") -> HttpResponse:
    context = devices_context(request.user) | {
        "showing_detail": True,
        "refusal": refusal,
        "devices_page": reverse("web:devices"),
    }
    return render(request, "pwa/devices.html", context, status=status)


def _back(request: MemberRequest) -> SeeOther:
    """To the page that the form stands on, if it is one of ours."""
    page = request.POST.get("next", "")
    ours = page.startswith("/") and url_has_allowed_host_and_scheme(page, allowed_hosts=None)
    return SeeOther(page if ours else reverse("web:devices"))
