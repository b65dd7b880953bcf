"""Several reviews that ask the same, answered at once."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from reviews.kinds import InvalidAnswerError
from web.access import MemberRequest, for_members, require_answering
from web.bulk import BulkError, asked_of, chosen_reviews, common_question, send_to_all
from web.cards import options_of
from web.listing import list_context

TEMPLATE = "reviews/bulk.html"


@require_safe
@for_members
def ask(request: MemberRequest) -> HttpResponse:
    """List what was picked, and ask for the one answer."""
    require_answering(request)
    return _form(request, request.GET)


@require_POST
@for_members
def answer(request: MemberRequest) -> HttpResponse:
    """Send the answer to each, and say what became of each."""
    require_answering(request)
    try:
        reviews = chosen_reviews(request.workspace, request.POST.getlist("review"))
        results = send_to_all(reviews, request.POST, request.user)
    except BulkError as refusal:
        return _page(request, {"refusal": refusal.message}, status=422)
    except InvalidAnswerError as refusal:
        return _form(request, request.POST, errors=list(refusal.errors.values()))
    sent = sum(result.sent for result in results)
    return _page(request, {"results": results, "sent": sent, "unsent": len(results) - sent})


def _form(
    request: MemberRequest, given: QueryDict, errors: list[str] | None = None
) -> HttpResponse:
    try:
        reviews = chosen_reviews(request.workspace, given.getlist("review"))
        question = common_question(reviews)
    except BulkError as refusal:
        return _page(request, {"refusal": refusal.message}, status=422)
    context = {
        "asked": asked_of(reviews, request.user),
        "question": question,
        "options": options_of(question, given),
        "comment": given.get("f.comment", ""),
        "feedback": given.get("feedback", ""),
        "errors": errors,
    }
    return _page(request, context, status=422 if errors else 200)


def _page(request: MemberRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    frame = list_context(request) | {"showing_detail": True}
    return render(request, TEMPLATE, frame | context, status=status)
