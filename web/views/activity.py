"""What happened lately, and how everything does."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from web.access import MemberRequest, for_members, require_managing
from web.activity import (
    Wanted,
    chosen_channel,
    offered_channels,
    page_of_deliveries,
    page_of_expired,
)
from web.calls import find_call, keys_of, page_of_calls
from web.health import (
    PERIODS,
    call_charts,
    calls_without_a_key,
    delivery_chart,
    review_charts,
    signs_of,
    steps_of,
)


@require_safe
@for_members
def activity(request: MemberRequest) -> HttpResponse:
    wanted = Wanted.read(request.GET)
    if wanted.show == "calls":
        require_managing(request)
        context = _calls(request, wanted)
    else:
        context = _with_channels(request, wanted)
    page = context["page"]
    common = {
        "section": "activity",
        "wanted": wanted,
        "tabs": _tabs(request, wanted),
        "spans": {"hour": _("Last hour"), "day": _("Last day"), "week": _("Last week")},
        "next_page": wanted.query(cursor=page.next_cursor) if page.next_cursor else "",
        "all": wanted.query(channel="", state="", status="", key="", path="", direction=""),
    }
    return render(request, "activity/activity.html", common | context)


def _calls(request: MemberRequest, wanted: Wanted) -> dict[str, Any]:
    keys = keys_of(request.workspace)
    return {
        "page": page_of_calls(
            request.workspace,
            wanted,
            now=timezone.now(),
            keys=keys,
            operator=request.user.is_staff,
        ),
        "keys": keys,
        "directions": {"inbound": _("From agents"), "outbound": _("To agents")},
        "classes": {
            "2": _("Succeeded"),
            "4": _("Refused (4xx)"),
            "5": _("Failed (5xx)"),
            "0": _("No answer"),
        },
    }


def _with_channels(request: MemberRequest, wanted: Wanted) -> dict[str, Any]:
    offered, now = offered_channels(request.workspace), timezone.now()
    channel = chosen_channel(request.workspace, wanted, offered)
    context = {
        "channels": offered,
        "states": {
            "delivered": _("Delivered"),
            "waiting": _("Waiting"),
            "failed": _("Failed"),
        },
    }
    if wanted.show == "expired":
        return context | {"page": page_of_expired(request.workspace, wanted, channel, now=now)}
    page = page_of_deliveries(
        request.workspace,
        wanted,
        channel,
        now=now,
        offered=offered,
        operator=request.user.is_staff,
    )
    return context | {"page": page}


def _tabs(request: MemberRequest, wanted: Wanted) -> list[tuple[str, str, bool]]:
    """A label, where it leads, and whether it is shown; the channel is kept where it matters."""
    tabs = {"deliveries": _("Deliveries"), "expired": _("Expired")}
    if request.membership.may_manage:
        tabs["calls"] = _("API calls")
    plain = {"state": "", "status": "", "key": "", "path": "", "direction": ""}
    return [
        (label, wanted.query(**plain | {"show": show}), show == wanted.show)
        for show, label in tabs.items()
    ]


@require_safe
@for_members
def call(request: MemberRequest, call_id: UUID) -> HttpResponse:
    found = find_call(request.workspace, call_id, operator=request.user.is_staff)
    if found is None:
        raise Http404
    require_managing(request)
    context = {"section": "activity", "row": found.row, "bodies": found.bodies}
    return render(request, "activity/call.html", context)


@require_safe
@for_members
def health(request: MemberRequest) -> HttpResponse:
    given, now = request.GET.get("period", ""), timezone.now()
    period = given if given in PERIODS else "day"
    steps = steps_of(period, now)
    charts = [*review_charts(request.workspace, steps), delivery_chart(request.workspace, steps)]
    if request.membership.may_manage:
        charts += call_charts(request.workspace, steps)
    labels = {"day": _("24 hours"), "week": _("7 days"), "month": _("30 days")}
    context = {
        "section": "activity",
        "periods": [(label, f"?period={name}", name == period) for name, label in labels.items()],
        "steps": steps,
        "charts": charts,
        "signs": signs_of(request.workspace, now),
        "unnamed": calls_without_a_key(steps) if request.user.is_staff else None,
    }
    return render(request, "activity/health.html", context)
