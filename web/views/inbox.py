"""Triage: the list of reviews, with the first one beside it where there is room."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from web.access import MemberRequest, for_members
from web.detail import detail_context
from web.listing import list_context
from web.queries import has_messages


@require_safe
@for_members
def inbox(request: MemberRequest) -> HttpResponse:
    context = list_context(request)
    first = next(iter(context["reviews"]), None)
    if first is not None:
        context |= detail_context(request, first)
    elif not context["filters"].narrowed:
        context["first_run"] = not has_messages(request.workspace)
    return render(request, "reviews/queue.html", context)
