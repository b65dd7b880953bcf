"""Triage: the list of reviews, with the first one beside it where there is room."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.ids import parse_uuid
from web.access import MemberRequest, for_members
from web.detail import detail_context
from web.fragments import show, wanted_fragment
from web.listing import list_context
from web.queries import Filters, count_news, has_messages

TEMPLATE = "reviews/queue.html"


@require_safe
@for_members
def inbox(request: MemberRequest) -> HttpResponse:
    if wanted_fragment(request) == "new-bar":
        return _news(request)
    context = list_context(request)
    if wanted_fragment(request) == "list":
        return show(request, TEMPLATE, context, parts={"list": "list"})
    first = next(iter(context["reviews"]), None)
    if first is not None:
        context |= detail_context(request, first)
    elif not context["filters"].narrowed:
        context["first_run"] = not has_messages(request.workspace)
    return show(request, TEMPLATE, context, parts={"detail": "detail"})


@require_safe
@for_members
def counts(request: MemberRequest) -> HttpResponse:
    """The numbers of the frame, for pages that heard that one of them changed."""
    return render(request, "ui/counts.html")


def _news(request: MemberRequest) -> HttpResponse:
    """How many reviews came since the list was loaded: it says so and does not move."""
    filters, since = Filters.read(request.GET, request.workspace), request.GET.get("since", "")
    context = {
        "query": filters.query(),
        "newest": since,
        "news_count": count_news(request.workspace, filters, since=parse_uuid(since)),
    }
    return render(request, f"{TEMPLATE}#news", context)
